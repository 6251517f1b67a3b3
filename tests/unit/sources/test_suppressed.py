"""Counts that a publisher hides: the estimate with each at its least, and at its most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

from areaeffect.commands.evaluate import evaluate
from areaeffect.panel import REASONS
from areaeffect.results import Result
from areaeffect.sources.coverage import MeasureRequest, SourceTable
from areaeffect.sources.panel_values import hidden_counts
from areaeffect.sources.publishers.panel import read_published
from areaeffect.sources.publishers.releases import catalogue
from areaeffect.study.model import PublishedSource
from areaeffect.study.parts import Window
from tests.shared.small_study import edit, write_small_study


def test_hidden_numbers_are_tried_at_their_least_and_most(tmp_path: Path) -> None:
    """Two years of a treated area are hidden, as a publisher hides them, with its bounds."""
    study = write_small_study(tmp_path)
    table = pd.read_csv(tmp_path / "crime.csv", dtype={"n": str})
    of_one = table["area_code"] == "T009"
    table.loc[of_one & (table["month"] >= table["month"].max()[:4]), "n"] = "c"
    table.to_csv(tmp_path / "crime.csv", index=False)
    edit(study, 'path = "crime.csv"', 'path = "crime.csv"\nhidden = [0, 9]')
    edit(study, 'exposure = "areas.population"', 'exposure = "areas.population"\nclaim = "level"')
    result = evaluate(study, threads=1)
    annex = result.annex("suppressed")
    assert annex is not None
    rows = annex.table("suppressed").records()
    assert [r["taken_as"] for r in rows] == [None, 0, 9]
    finding, least, most = (r["estimate"] for r in rows)
    assert finding == pytest.approx(result.findings[0].estimate)
    assert least < finding < most  # a treated area with more of it stands higher


WANTED = MeasureRequest("vacant_dwellings")


def homes(folder: Path, vacant: list[str | int]) -> SourceTable:
    """Return the Census's vacant homes of some areas as a study reads them."""
    release = catalogue()["census_2021_vacant_homes"]
    (file,) = release.files
    rows = [[file.area, file.name, *(c.published for c in release.columns)]]
    rows += [[f"E0100000{i}", f"Area {i}", n, n] for i, n in enumerate(vacant, 1)]
    path = folder / file.path
    path.parent.mkdir(parents=True)
    book = Workbook()
    book.create_sheet(file.sheet)
    for row in rows:
        book[file.sheet].append(row)
    book.save(path)
    source = PublishedSource(kind="published", release="census_2021_vacant_homes", path=str(folder))
    window = Window(start="2020", end="2021")
    return read_published("homes", source, folder, window, (WANTED,), ())


def test_hidden_counts_of_a_release_lie_within_its_publishers_bounds(tmp_path: Path) -> None:
    table = homes(tmp_path, ["c", 15, 20, 10])
    assert table.measures[WANTED][:, 0].tolist() == [4.5, 15, 20, 10]
    assert not table.reasons[WANTED].any()
    assert table.hidden[WANTED].cells[:, 0].tolist() == [True, False, False, False]
    said = " ".join(table.notes)
    assert "1 hidden count is taken as 4.5, the middle of 0 to 9 (stated for this source)" in said


def test_where_most_counts_of_a_release_are_hidden_they_stay_missing(tmp_path: Path) -> None:
    table = homes(tmp_path, ["c", "c", "c", 10])
    assert np.isnan(table.measures[WANTED][:3]).all()
    assert not table.hidden
    assert "3 hidden counts are missing, because they are over 50% of all" in " ".join(table.notes)


@pytest.mark.parametrize(
    ("given", "why"),
    [({"parts": 2}, "one part of a sum of several"), ({"same": np.array([False] * 3)}, "other boundaries")],
)
def test_a_hidden_count_without_a_bound_of_its_own_stays_missing(given: dict[str, Any], why: str) -> None:
    matrix = np.array([[np.nan, 5.0], [0.0, 6.0], [7.0, 8.0]])
    reasons = np.where(np.isnan(matrix), REASONS.index("suppressed"), 0).astype(np.uint8)
    hidden, said = hidden_counts(matrix, reasons, (1, 4), **given)
    assert hidden is None
    assert np.isnan(matrix[0, 0])
    assert why in said


def test_nothing_is_said_where_nothing_is_hidden(tmp_path: Path) -> None:
    result: Result = evaluate(write_small_study(tmp_path), threads=1)
    assert result.annex("suppressed") is None


def test_the_census_says_what_a_hidden_number_can_be() -> None:
    assert catalogue()["census_2021_vacant_homes"].hidden == (0, 9)
    assert {len(r.hidden) for r in catalogue().values()} == {0, 2}


def test_two_of_a_hundred_cells_blanked_leave_a_study_estimable(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    table = pd.read_csv(tmp_path / "crime.csv")
    small = (table["n"] // 6).astype(str)
    blanked = np.random.default_rng(1).choice(
        np.flatnonzero(small.str.len() == 1), len(table) // 50, replace=False
    )
    small[blanked] = np.resize(["c", "*"], len(blanked))
    table.assign(n=small).to_csv(tmp_path / "crime.csv", index=False)
    result = evaluate(study, threads=1)
    assert result.findings[0].estimate is not None
    annex = result.annex("suppressed")
    assert annex is not None
    rows = annex.table("suppressed").records()
    assert [r["taken_as"] for r in rows] == [None, 1, 9]
    assert all(r["estimate"] is not None for r in rows)
