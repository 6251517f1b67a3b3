"""Declared weights of split areas: read with every fault named, and no incident lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from areaeffect.errors import DataError
from areaeffect.geography.codes import Lookup, make_lookup
from areaeffect.sources.base import SourceTable, Wanted
from areaeffect.sources.police_uk.areas import load_split_weights
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.panel import read_police
from areaeffect.study.model import PoliceUkSource
from areaeffect.study.parts import Window
from tests.shared.street_files import crime, put, street

OLD, SAME = "E01020644", "E01012304"
PARTS = ("E01034489", "E01034490", "E01034491")
BOTH = Wanted("value", ("burglary", "drugs"))
BURGLARY, DRUGS = Wanted("value", ("burglary",)), Wanted("value", ("drugs",))


def lookup() -> Lookup:
    old = np.array([OLD, OLD, OLD, SAME])
    new = np.array([*PARTS, SAME])
    return make_lookup(old, new, np.array(["S", "S", "S", "U"]))


def declare(folder: Path, *rows: str, header: str = "from,to,weight") -> Path:
    return put(folder, "\n".join([header, *rows, ""]).encode(), "weights.csv")


def sound(*weights: float) -> list[str]:
    return [f"{OLD},{part},{w}" for part, w in zip(PARTS, weights, strict=True)]


def test_weights_are_read(tmp_path: Path) -> None:
    found = load_split_weights(declare(tmp_path, *sound(0.333, 0.333, 0.333)), lookup())
    assert found.codes.tolist() == list(PARTS)
    assert found.values.tolist() == [0.333] * 3
    assert "weights.csv" in found.name


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (sound(0.5, 0.4, 0.2), f"the weights of '{OLD}' add up to 1.1. They must be 1."),
        (sound(0.5, 0.5, 0)[:2], f"a part of '{OLD}' is not listed: {PARTS[2]}."),
        (sound(0.5, 1.5, -1), "line 3: '1.5' is not a weight. Weights run from 0 to 1."),
        (sound(0.5, float("nan"), 0), "line 3: 'nan' is not a weight."),
        ([f"{OLD},{PARTS[0]},half"], "line 2: 'half' is not a weight."),
        ([f"{OLD},{SAME},1"], f"line 2: '{SAME}' is not part of '{OLD}'. Its parts: {PARTS[0]}"),
        ([f"{SAME},{SAME},1"], f"line 2: area '{SAME}' did not split."),
        ([*sound(0.5, 0.5, 0), f"{OLD},{PARTS[0]},0.5"], "line 5: the pair"),
        ([f"{OLD},,1"], "line 2: '' is not part"),
    ],
)
def test_every_fault_is_named(tmp_path: Path, rows: list[str], said: str) -> None:
    with pytest.raises(DataError) as caught:
        load_split_weights(declare(tmp_path, *rows), lookup())
    assert said in str(caught.value)


def test_all_faults_come_at_once_and_files_and_columns_too(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_split_weights(declare(tmp_path, "a,b,1", f"{OLD},{PARTS[0]},x"), lookup())
    assert len(caught.value.problems) == 2
    with pytest.raises(DataError, match=r"no column 'weight'. Columns: from, to, weight"):
        load_split_weights(declare(tmp_path, "a,b,1", header="from,to,share"), lookup())
    with pytest.raises(DataError, match="there is no such file of split weights"):
        load_split_weights(tmp_path / "no.csv", lookup())


def panel(folder: Path, **keys: Any) -> SourceTable:
    """Six months of a split area with 7 burglaries and 2 drug crimes, and of one that stayed."""
    for month in (f"2023-0{m}" for m in range(1, 7)):
        rows = [crime(f"{i}", month, area=OLD) for i in range(7)]
        rows += [crime(f"d{i}", month, "", "", area=OLD, kind="Drugs") for i in range(2)]
        rows += [crime(f"s{i}", month, area=SAME) for i in range(3)]
        put(folder / "in", street(*rows), f"{month}-durham-street.csv")
    ingest_police_uk([folder / "in"], folder / "store")
    source = PoliceUkSource(kind="police_uk", store=str(folder / "store"), **keys)
    window = Window(start="2023-01", end="2023-06")
    return read_police("police", source, folder, None, window, (BURGLARY, DRUGS, BOTH), ())


def test_split_areas_are_divided_by_the_declared_weights_to_the_incident(tmp_path: Path) -> None:
    declare(tmp_path, *sound(0.6, 0.4, 0))
    table = panel(tmp_path, split_weights="weights.csv")
    assert table.areas.tolist() == [SAME, *PARTS]  # also where no row has a newer code
    for wanted, total in ((BURGLARY, 7), (DRUGS, 2), (BOTH, 9)):
        parts = table.measures[wanted][1:]
        assert (parts.sum(axis=0) == total).all()
        assert (parts == np.floor(parts)).all()
        np.testing.assert_allclose(parts.sum(axis=1), np.array([0.6, 0.4, 0]) * total * 6, atol=1)
    assert any("were divided by the weights declared in weights.csv" in n for n in table.notes)


def test_without_weights_the_parts_are_equal_and_it_is_said(tmp_path: Path) -> None:
    table = panel(tmp_path)
    assert table.measures[BURGLARY][1:].sum(axis=1).tolist() == [14, 14, 14]
    assert any("were divided equally" in n for n in table.notes)


def test_with_boundaries_only_incidents_without_a_point_are_divided(tmp_path: Path) -> None:
    import geopandas
    from shapely.geometry import box

    squares = [box(-1.4 + 0.1 * i, 54.5, -1.3 + 0.1 * i, 54.6) for i in range(4)]
    frame = {"lsoa21cd": [*PARTS, SAME], "geometry": squares}
    geopandas.GeoDataFrame(frame, crs=4326).to_parquet(tmp_path / "outlines.parquet")
    declare(tmp_path, *sound(0.5, 0, 0.5))
    table = panel(tmp_path, split_weights="weights.csv", boundaries="outlines.parquet")
    at = {a: i for i, a in enumerate(table.areas.tolist())}
    burglary, drugs = table.measures[BURGLARY], table.measures[DRUGS]
    assert (burglary[at[PARTS[1]]] == 7).all()  # the point of every burglary lies there
    assert (drugs[at[PARTS[0]]] == 1).all()
    assert (drugs[at[PARTS[2]]] == 1).all()
    assert any(n.startswith("42 incidents on 1 split area codes") for n in table.notes)
    assert any(n.startswith("12 incidents on 1 split area codes") for n in table.notes)
