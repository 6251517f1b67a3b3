"""The data annex lists releases, coverage with its gaps, and every rejected row."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from areaeffect.document.blocks import Data, Paragraph
from areaeffect.further.source_tables import source_tables_step, sources_section
from areaeffect.results import Annex
from areaeffect.sources.coverage import MeasureRequest, SourceTable
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.panel import read_police
from areaeffect.study.model import PoliceUkSource
from areaeffect.study.parts import Window
from tests.shared.street_files import crime, put, street


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> SourceTable:
    """Six months asked; the third was not published, the fifth has 25 short rows, no sixth."""
    folder = tmp_path_factory.mktemp("police")
    for number in (1, 2, 4, 5):
        month = f"2023-{number:02d}"
        rows = [crime(f"{i}", month) for i in range(40)] + [crime("x", month, area="")]
        rows += ["too,short"] * (25 if number == 5 else 0)
        put(folder / "in", street(*rows), f"{month}-cleveland-street.csv")
    ingest_police_uk([folder / "in"], folder / "store")
    source = PoliceUkSource(kind="police_uk", store=str(folder / "store"))
    window = Window(start="2023-01", end="2023-06")
    return read_police("police", source, folder, None, window, (MeasureRequest("value"),), ())


def annex_of(*tables: Any) -> Annex | None:
    data = SimpleNamespace(tables=tables)
    return source_tables_step(cast("Any", SimpleNamespace(data=data)))


def test_every_month_of_the_window_has_a_row_and_every_reject_its_line(table: SourceTable) -> None:
    coverage, rejected = table.tables
    assert [(r["month"], r["status"], r["why"]) for r in coverage.records()] == [
        ("2023-01", "complete", ""),
        ("2023-02", "complete", ""),
        ("2023-03", "missing", "no file"),
        ("2023-04", "complete", ""),
        ("2023-05", "partial", "25 of 66 rows were rejected"),
        ("2023-06", "missing", "no file"),
    ]
    assert [r["not_located"] for r in coverage.records()] == [1, 1, 0, 1, 1, 0]
    rows = rejected.records()
    assert [r["line"] for r in rows] == list(range(43, 68))
    assert {(r["file"], r["reason"], r["row"]) for r in rows} == {
        ("2023-05-cleveland-street.csv", "the row has too few fields", "too,short")
    }


def test_the_report_names_gaps_and_shows_the_first_rejected_rows(table: SourceTable) -> None:
    annex = annex_of(*table.tables)
    assert annex is not None
    by_force, said, first = sources_section(cast("Any", None), annex).blocks
    assert isinstance(by_force, Data)
    assert by_force.table.rows[0] == (
        "police",
        "cleveland",
        "3",
        "1",
        "2",
        "164",
        "25",
        "4",
        "2023-03 missing (no file); 2023-05 partial (25 of 66 rows were rejected); 2023-06 missing (no file)",
    )
    assert isinstance(said, Paragraph)
    assert said.text.startswith("25 rows were rejected and not used. The first 20 are shown")
    assert isinstance(first, Data)
    assert len(first.table.rows) == 20


def test_tables_of_several_sources_are_joined_and_a_study_without_any_has_none(table: SourceTable) -> None:
    joined = annex_of(*table.tables, *table.tables)
    assert joined is not None
    assert {t.name: len(t.rows) for t in joined.tables} == {"source_coverage": 12, "rejected_rows": 50}
    assert annex_of() is None
