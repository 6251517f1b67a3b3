"""Counts that a publisher hides: the estimate with each at its least, and at its most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.further import source_tables
from areaeffect.panel import REASONS, Hidden
from areaeffect.results import Result
from areaeffect.sources.publishers.releases import catalogue
from tests.shared.small_study import edit, write_small_study


def hide(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide every cell of five areas, one of them treated, as if a publisher had."""
    rule = '[[source.crime.not_covered]]\ncolumn = "area_code"\nvalues = ["T009", "T003", '
    rule += '"T017", "T040", "T046"]\nreason = "suppressed"\n\n[[initiative]]'
    edit(study, "[[initiative]]", rule)
    monkeypatch.setattr(
        source_tables,
        "_hidden",
        lambda _source, measure: Hidden(measure.reasons == REASONS.index("suppressed"), 0, 9),
    )


def test_hidden_numbers_are_tried_at_their_least_and_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = write_small_study(tmp_path)
    hide(study, monkeypatch)
    edit(study, 'exposure = "areas.population"', 'exposure = "areas.population"\nclaim = "level"')
    result = evaluate(study, threads=1)
    annex = result.annex("suppressed")
    assert annex is not None
    rows = annex.table("suppressed").records()
    assert [r["taken_as"] for r in rows] == [None, 0, 9]
    assert [r["n_areas"] for r in rows] == [4, 6, 6]  # what lost an area of two has no number
    left_out, least, most = (r["estimate"] for r in rows)
    assert left_out == pytest.approx(result.findings[0].estimate)
    assert least < most  # a treated area with more of it stands higher


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
