"""The sequel of July 2025: what is described, what is not estimable, and what would settle it."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.check import check
from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import AreaEffectError
from areaeffect.results import Claim, Verdict
from tests.shared.small_study import edit

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "studies" / "big_local_sequel"
#: Places of Cleveland that are pretended to be Big Local areas: the district, and how many areas.
PRETENDED = {"Hartlepool": 5, "Middlesbrough": 6, "Stockton-on-Tees": 5, "Redcar and Cleveland": 6}


@pytest.fixture(autouse=True)
def _shared(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(real_data))


def test_the_tables_are_those_of_the_publishers(real_data: Path, tmp_path: Path) -> None:
    made = runpy.run_path(str(ROOT / "tools" / "make_big_local_sequel.py"))
    made["main"].__globals__["TARGET"] = tmp_path
    made["main"](real_data)
    for name in ("areas.csv", "others.csv"):
        assert (tmp_path / name).read_bytes() == (STUDIES / name).read_bytes()
    for name in ("children.parquet", "before.parquet"):
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / name), pd.read_parquet(STUDIES / name))


@pytest.mark.slow
def test_child_poverty_is_described_and_its_effect_is_not_estimable(tmp_path: Path) -> None:
    study = shutil.copytree(STUDIES, tmp_path / "studies") / "child_poverty.toml"
    edit(study, "placebos = 999", "placebos = 199")
    result = evaluate(study, 2)
    found = {f.outcome: f for f in result.findings if f.neighbourhood is None and f.outcome}
    for name in ("rise", "trend"):
        assert found[name].claim == Claim.LEVEL
        assert found[name].estimate is not None
        assert found[name].low is not None
        assert found[name].maryland == 2
        assert found[name].verdict in (Verdict.CANNOT_TELL, Verdict.DESCRIBED)
    assert found["effect"].verdict is Verdict.NOT_ESTIMABLE
    assert found["effect"].caveats[0].startswith("the data begin in 2014, after every start")


def test_what_is_missing_for_england_is_named() -> None:
    with pytest.raises(AreaEffectError) as refused:
        check(STUDIES / "crime_england.toml", None, lambda _: None)
    assert "police_uk" in str(refused.value)


@pytest.mark.slow
def test_the_study_of_england_runs_unchanged_once_its_files_are_there(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made-up files of one force, 2010 to 2019, and drawn places, laid where the study looks."""
    shared, fetched = tmp_path / "shared", tmp_path / "fetched"
    shared.mkdir()
    for entry in real_data.iterdir():
        if entry.name != "studies_input":
            (shared / entry.name).symlink_to(entry)
    inputs = shared / "studies_input"
    inputs.mkdir()
    for entry in (real_data / "studies_input").iterdir():
        if entry.name != "big_local":
            (inputs / entry.name).symlink_to(entry)
    (inputs / "big_local").mkdir()
    for entry in (real_data / "studies_input" / "big_local").iterdir():
        (inputs / "big_local" / entry.name).symlink_to(entry)
    outlines = _cleveland(real_data)
    _draw_places(outlines, inputs / "big_local")
    _write_incidents(outlines, fetched / "police_uk")
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(shared))
    monkeypatch.setenv("AREAEFFECT_FETCHED", str(fetched))
    result = evaluate(STUDIES / "crime_england.toml", 2, store=tmp_path / "store")
    leading = [f for f in result.findings if f.neighbourhood is None and f.outcome]
    whole = [f for f in leading if f.form == "ratio"]
    assert {f.outcome for f in whole} >= {"crime", "antisocial_behaviour"}
    for finding in whole:
        assert finding.estimate is not None
        assert finding.n_neighbourhoods == len(PRETENDED), result.notes


def _cleveland(real_data: Path) -> gpd.GeoDataFrame:
    places = pd.read_parquet(real_data / "geography" / "lookup_lsoa11_msoa11_ltla11_ltla21_region21.parquet")
    districts = places.set_index("lsoa11_code")["ltla21_name"]
    outlines = gpd.read_parquet(real_data / "geography" / "lsoa11_boundaries_bgc.parquet")
    outlines["district"] = outlines["lsoa11cd"].map(districts)
    codes = pd.read_parquet(real_data / "geography" / "lookup_lsoa01_lsoa11.parquet")
    same = codes.loc[codes["change_code"] == "U", "lsoa11_code"]
    outlines["has_indices"] = outlines["lsoa11cd"].isin(same)  # of 2010, by codes of 2001
    return outlines[outlines["district"].isin(PRETENDED)].reset_index(drop=True)


def _draw_places(outlines: gpd.GeoDataFrame, folder: Path) -> None:
    """Draw one place a district, of the areas nearest to its first one."""
    register = pd.read_csv(folder / "areas_register.csv")
    later = register[register["award_date"] > "2012"].head(len(PRETENDED))
    rows = []
    for (district, size), place in zip(PRETENDED.items(), later.itertuples(), strict=True):
        mine = outlines[(outlines["district"] == district) & outlines["has_indices"]]
        centres = mine.geometry.representative_point().to_crs("EPSG:27700")
        near = centres.distance(centres.iloc[0]).nsmallest(size).index
        shape = mine.loc[near].geometry.union_all()
        rows.append((place.area_name, place.award_date, shape))
    names, starts, shapes = zip(*rows, strict=True)
    drawn = gpd.GeoDataFrame(
        {"neighbourhood": names, "start_date": starts}, geometry=list(shapes), crs=outlines.crs
    )
    drawn.to_file(folder / "boundaries.geojson", driver="GeoJSON")


def _write_incidents(outlines: gpd.GeoDataFrame, folder: Path) -> None:
    """Write street-level files of one force for every month, two kinds of incident an area."""
    rng = np.random.default_rng(7)
    points = outlines.geometry.representative_point()
    table = pd.DataFrame(
        {
            "Longitude": points.x.round(6),
            "Latitude": points.y.round(6),
            "LSOA code": outlines["lsoa11cd"],
            "LSOA name": outlines["lsoa11cd"],
        }
    )
    for month in pd.period_range("2010-12", "2019-12", freq="M").astype(str):
        parts = [
            table.loc[table.index.repeat(rng.poisson(4.0, len(table)))].assign(**{"Crime type": kind})
            for kind in ("Anti-social behaviour", "Burglary")
        ]
        made = pd.concat(parts, ignore_index=True).assign(
            **{
                "Crime ID": "",
                "Month": month,
                "Reported by": "Cleveland Police",
                "Falls within": "Cleveland Police",
                "Location": "On or near High Street",
                "Last outcome category": "",
                "Context": "",
            }
        )
        order = [
            "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location",
            "LSOA code", "LSOA name", "Crime type", "Last outcome category", "Context",
        ]  # fmt: skip
        (folder / month).mkdir(parents=True)
        for force, rows in (("cleveland", made), ("btp", made.head(1))):
            target = folder / month / f"{month}-{force}-street.csv"
            rows[order].to_csv(target, index=False, lineterminator="\n")
