"""Split areas: incidents go to their parts by their point, else equally, and none is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from areaeffect.sources.coverage import MeasureRequest, SourceTable
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.panel import read_police
from areaeffect.study.model import PoliceUkSource
from areaeffect.study.parts import Window
from tests.shared.street_files import crime, put, street

OLD, SAME = "E01020644", "E01012304"
PARTS = ("E01034489", "E01034490", "E01034491")
BOTH = MeasureRequest("value", ("burglary", "drugs"))
BURGLARY, DRUGS = MeasureRequest("value", ("burglary",)), MeasureRequest("value", ("drugs",))


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


def test_split_areas_are_divided_equally_to_the_incident_and_it_is_said(tmp_path: Path) -> None:
    table = panel(tmp_path)
    assert table.areas.tolist() == [SAME, *PARTS]  # also where no row has a newer code
    for wanted, total in ((BURGLARY, 7), (DRUGS, 2), (BOTH, 9)):
        parts = table.measures[wanted][1:]
        assert (parts.sum(axis=0) == total).all()
        assert (parts == np.floor(parts)).all()
        np.testing.assert_allclose(parts.sum(axis=1), np.full(3, total * 2), atol=1)
    assert table.measures[BURGLARY][1:].sum(axis=1).tolist() == [14, 14, 14]
    assert any("were divided equally" in n for n in table.notes)


def test_with_boundaries_only_incidents_without_a_point_are_divided(tmp_path: Path) -> None:
    import geopandas
    from shapely.geometry import box

    squares = [box(-1.4 + 0.1 * i, 54.5, -1.3 + 0.1 * i, 54.6) for i in range(4)]
    frame = {"lsoa21cd": [*PARTS, SAME], "geometry": squares}
    geopandas.GeoDataFrame(frame, crs=4326).to_parquet(tmp_path / "outlines.parquet")
    table = panel(tmp_path, boundaries="outlines.parquet")
    at = {a: i for i, a in enumerate(table.areas.tolist())}
    burglary, drugs = table.measures[BURGLARY], table.measures[DRUGS]
    assert (burglary[at[PARTS[1]]] == 7).all()  # the point of every burglary lies there
    parts = drugs[[at[part] for part in PARTS]]
    assert (parts.sum(axis=0) == 2).all()
    assert parts.sum(axis=1).tolist() == [4, 4, 4]  # over six months, though a month has but two
    assert any(n.startswith("42 incidents on 1 split area codes") for n in table.notes)
    assert any(n.startswith("12 incidents on 1 split area codes") for n in table.notes)
