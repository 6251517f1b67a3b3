"""An atlas holds what the study's sources say: missing stays missing, averages are of the parts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.atlas.build import build_atlas, london_is_due
from areaeffect.errors import AreaEffectError
from areaeffect.study.file import read_base, read_study
from areaeffect.web.atlas import Atlas
from areaeffect.web.selection import pasted, search
from tests.shared.postcode_directory import ONSPD, fetch_postcodes, zipped

BASE = """
[study]
title = "Six areas"
window = { start = "2012-01", end = "2013-06" }

[source.crime]
kind = "panel"
path = "crime.csv"
area = "code"
period = "month"
boundaries = "areas.geojson"
boundaries_area = "code"

[source.people]
kind = "panel"
path = "people.csv"
area = "code"

[design]
covariates = ["people.residents"]

[[outcome]]
name = "crime"
family = "crime"
source = "crime"
value = "n"
exposure = "people.residents"

[atlas]
places = "places.csv"
postcodes = "postcodes.csv"
layers = [{ column = "people.poor", label = "poor", unit = "points" }]
"""
CODES = [f"A{i}" for i in range(6)]
MONTHS = [f"{y}-{m:02d}" for y in (2012, 2013) for m in range(1, 13)][:18]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    crime = pd.DataFrame(
        [(c, m, 2 * i + 1) for i, c in enumerate(CODES) for m in MONTHS], columns=["code", "month", "n"]
    )
    crime = crime[~((crime["code"] == "A1") & (crime["month"] == "2012-05"))]
    crime.to_csv(tmp_path / "crime.csv", index=False)
    people = pd.DataFrame({"code": CODES, "residents": [100, 200, 300, 400, 500, 600]})
    people["poor"] = [1.5, None, 3.0, 4.0, 5.0, 6.0]
    people.to_csv(tmp_path / "people.csv", index=False)
    places = pd.DataFrame({"area_code": CODES, "name": [f"Area {c} <b>" for c in CODES]})
    places["authority"] = ["North"] * 2 + ["South"] * 4
    places.to_csv(tmp_path / "places.csv", index=False)
    pd.DataFrame(
        {
            "postcode": ["ZZ1 1AA", "zz1 1ab", "ZZ9 9ZZ"],
            "area_code": ["A0", "A1", "A1"],
            "doterm": ["", "", "201901"],
        }
    ).to_csv(tmp_path / "postcodes.csv", index=False)
    squares = [
        {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, 52], [x + 0.01, 52], [x + 0.01, 52.01], [x, 52.01], [x, 52]]],
            },
        }
        for x, code in zip(np.arange(6) * 0.01 - 1, CODES, strict=True)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": squares})
    (tmp_path / "areas.geojson").write_text(text)
    (tmp_path / "six.toml").write_text(BASE)
    return tmp_path / "six.toml"


def build(base: Path, name: str = "six") -> Path:
    return build_atlas(base, base.parent / name / "six", base.parent, lambda *_: None)


def test_an_atlas_holds_layers_names_histories_and_hashes(base: Path) -> None:
    folder = build(base)
    manifest = json.loads((folder / "atlas.json").read_text())
    layers = {entry["key"]: entry for entry in manifest["layers"]}

    def values(key: str, period: int) -> list[float | None]:
        packed = (folder / "values" / f"{key}.{period}.json.gz").read_bytes()
        read: list[float | None] = json.loads(gzip.decompress(packed))
        return read

    # only 2012 is whole; a year with a month missing is missing, not a smaller sum
    assert layers["crime"]["periods"] == ["2012"]
    assert layers["crime"]["missing"] == [1]
    assert values("crime", 0)[0] == pytest.approx(12 * 1 / 100 * 1000)
    assert values("crime", 0)[1] is None
    assert values("people-poor", 0) == [1.5, None, 3.0, 4.0, 5.0, 6.0]
    assert values("coverage-crime", 0)[1] == pytest.approx(100 * 17 / 18, rel=1e-4)
    assert layers["people-residents"]["group"] == "What benchmark areas are matched on"

    history = np.load(folder / "history" / "crime.npy")
    averages = np.load(folder / "history" / "crime.places.npy")
    names = [p["name"] for p in manifest["places"]]
    assert names == ["North", "South", "all areas"]
    assert history[0, 0] == 1
    assert np.load(folder / "history" / "crime.exposure.npy")[0] == 100
    assert np.load(folder / "history" / "crime.waves.npy").all()
    assert manifest["earliest"] == "2012-02"
    assert averages[0, 0] == pytest.approx((1 + 3) / 300 * 1000)
    assert np.isnan(averages[0, 4])  # half of North is missing in May
    assert averages[2, 0] == pytest.approx((1 + 3 + 5 + 7 + 9 + 11) / 2100 * 1000)
    assert manifest["postcodes"] == 2
    assert set(manifest["files"]) == {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()
    } - {"atlas.json"}


def test_the_same_base_gives_the_same_bytes(base: Path) -> None:
    one, two = build(base, "one"), build(base, "two")

    assert (one / "atlas.json").read_bytes() == (two / "atlas.json").read_bytes()
    assert (one / "areas.pmtiles").read_bytes() == (two / "areas.pmtiles").read_bytes()


def test_a_base_study_is_no_study_until_its_initiative_is_chosen(base: Path) -> None:
    assert read_base(base).study.study.title == "Six areas"
    with pytest.raises(AreaEffectError, match="initiative"):
        read_study(base)


def test_an_atlas_that_fails_leaves_the_earlier_one(base: Path) -> None:
    folder = build(base)
    before = (folder / "atlas.json").read_bytes()
    base.write_text(BASE.replace("people.poor", "people.rich"))

    with pytest.raises(AreaEffectError, match="rich"):
        build(base)

    assert (folder / "atlas.json").read_bytes() == before
    assert [p.name for p in folder.parent.iterdir()] == ["six"]


def test_a_postcode_finds_its_area_as_it_is_written(base: Path) -> None:
    atlas = Atlas(build(base))

    assert [p.positions for p in search(atlas, "zz1 1ab").places] == [(1,)]
    assert [p.positions for p in search(atlas, "ZZ11AA").places] == [(0,)]
    assert "may have ended" in search(atlas, "ZZ9 9ZZ").hint  # it was terminated
    assert pasted(atlas, "zz1 1aa, A5") == {"A0", "A5"}


def test_the_packaged_london_is_made_again_when_postcodes_have_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AREAEFFECT_FETCHED", str(tmp_path / "fetched"))
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(tmp_path))
    assert london_is_due(tmp_path)
    made = tmp_path / "atlases" / "london" / "atlas.json"
    made.parent.mkdir(parents=True)
    about = {"postcodes": 0, "base_folder": str(tmp_path / "web" / "london")}
    made.write_text(json.dumps(about))
    assert not london_is_due(tmp_path)
    fetch_postcodes(monkeypatch, tmp_path / "fetched", zipped(ONSPD, ["E01001748"]))
    assert london_is_due(tmp_path)
    for other in ({"postcodes": 5}, {"base_folder": "/elsewhere"}):
        made.write_text(json.dumps(about | other))
        assert not london_is_due(tmp_path)
