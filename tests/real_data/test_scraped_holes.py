"""The finder names the holes that data/README.md lists in the scraped panels, and no others."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from areaeffect.sources.coverage import area_holes, group_gaps, sum_by_group


@pytest.mark.parametrize("panel", ["merseyside", "west_midlands"])
def test_every_hole_that_the_readme_lists_is_found(real_data: Path, panel: str) -> None:
    folder = real_data / "police_uk" / "panels"
    file = next(folder.glob(f"{panel}_2023*.parquet"))
    rows = duckdb.read_parquet(str(file)).df()
    cells = rows.groupby(["lsoa21_code", "month"])["n"].sum().unstack(fill_value=0)
    listed = pd.read_csv(folder / "api_scraped_borough_month_coverage.csv")
    listed = listed[listed["panel"] == panel]
    months = sorted(set(cells.columns) | set(listed["month"]))
    values = cells.reindex(columns=months, fill_value=0).to_numpy(np.float64)
    borough = rows.groupby("lsoa21_code")["borough"].first().reindex(cells.index)
    names, group, totals = sum_by_group(values, borough.to_numpy(str))
    flagged = area_holes(values, group) | group_gaps(totals)
    found = {(str(names[g]), months[t]) for g, t in np.argwhere(flagged)}
    holes = listed[listed["suspected_hole"].astype(bool)]
    assert found == set(zip(holes["borough"], holes["month"], strict=True))
