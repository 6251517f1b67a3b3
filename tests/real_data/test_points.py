"""Street-level crime counted by its coordinates, beside the areas that the publisher gives."""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest

from areaeffect.geography.boundaries import area_codes, read_boundaries
from areaeffect.periods import PeriodKind, Periods
from areaeffect.sources.points.counting import count_points
from areaeffect.study.parts import SHARED_DATA_VARIABLE, resolve
from areaeffect.study.source_kinds import PointsSource

SHARED = resolve(f"${{{SHARED_DATA_VARIABLE}}}", Path(__file__).resolve().parent)
ARCHIVE = SHARED / "police_uk" / "archive" / "north_of_england_2014-01_2014-11.zip"
OUTLINES = SHARED / "geography" / "lsoa11_boundaries_bgc.parquet"


@pytest.mark.skipif(not ARCHIVE.exists(), reason="no shared data")
def test_points_of_cleveland_lie_in_the_areas_that_the_publisher_gives(tmp_path: Path) -> None:
    months = ("2014-01", "2014-02")
    paths = []
    with zipfile.ZipFile(ARCHIVE) as packed:
        for month in months:
            path = tmp_path / f"{month}.csv"
            path.write_bytes(packed.read(f"{month}/{month}-cleveland-street.csv"))
            paths.append(path)
    published = pd.concat([pd.read_csv(p) for p in paths])
    geopandas.read_parquet(OUTLINES).cx[-1.7:-0.7, 54.4:54.8].to_parquet(tmp_path / "areas.parquet")
    codes = area_codes(tmp_path / "areas.parquet", "lsoa11cd")
    outlines = read_boundaries(tmp_path / "areas.parquet", "lsoa11cd", codes)
    source = PointsSource(kind="points", path="", date="Month", category="Crime type")
    periods = Periods(PeriodKind.MONTH, 2014 * 12, 2)

    counted = count_points(paths, source, outlines, periods)
    ours = counted.of((), len(codes), periods, "")

    theirs = published.groupby(["LSOA code", "Month"]).size().unstack().reindex(codes).fillna(0)
    assert ours.sum() == len(published)
    assert ours.sum(axis=0).tolist() == published.groupby("Month").size().tolist()
    # outlines are generalised to 20 m, and points lie in the middle of streets that are borders
    assert np.abs(ours - theirs.to_numpy()).sum() / 2 < 0.03 * len(published)
