"""Cleveland, raw zip to panel: every row accounted for, against an independent count."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pytest

from areaeffect.assembly.assemble import assemble
from areaeffect.sources.coverage import MeasureRequest, SourceTable
from areaeffect.sources.police_uk.categories import read_categories
from areaeffect.sources.police_uk.files import IngestReport
from areaeffect.sources.police_uk.force_coverage import force_months
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.lake import open_lake
from areaeffect.sources.police_uk.panel import read_police
from areaeffect.study.file import read_study
from areaeffect.study.model import PoliceUkSource
from areaeffect.study.parts import Window
from tests.conftest import REPOSITORY

CLEVELAND = "police_uk/archive/cleveland_2023-01_2025-11.zip"
NORTH = "police_uk/archive/north_of_england_2014-01_2014-11.zip"
ROWS = 269_438
ASB = MeasureRequest("value", ("anti-social-behaviour",))
CRIME = MeasureRequest("value", ("all-crime",))
#: Codes that stand in one vintage only, as data/README.md counts them.
ONLY_2011 = {"2023-01": 778, "2023-02": 674, "2023-03": 701, "2023-04": 747, "2023-05": 643}


@pytest.fixture(scope="module")
def store(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, IngestReport]:
    folder = tmp_path_factory.mktemp("cleveland") / "store"
    return folder, ingest_police_uk([real_data / CLEVELAND], folder)


def by_hand(path: Path) -> Counter[tuple[str, str]]:
    """Rows by month and crime type, counted with Python's csv module."""
    found: Counter[tuple[str, str]] = Counter()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                for row in csv.DictReader(io.TextIOWrapper(file, "utf-8", newline="")):
                    found[row["Month"], row["Crime type"]] += 1
    return found


def test_every_row_is_read_and_kept(store: tuple[Path, IngestReport]) -> None:
    report = store[1]
    assert report.rows_read == report.rows_kept + report.rows_rejected == ROWS
    assert (report.rows_rejected, report.files, report.months, report.forces) == (0, 35, 35, 1)


def test_counts_by_month_and_category_equal_an_independent_count(
    real_data: Path, store: tuple[Path, IngestReport]
) -> None:
    category = {c.label: c.category for c in read_categories()}
    expected: Counter[tuple[str, str]] = Counter()
    for (month, label), n in by_hand(real_data / CLEVELAND).items():
        expected[month, category[label]] += n
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT month, category, sum(n)::BIGINT FROM read_parquet($files) GROUP BY ALL",
            {"files": f"{store[0]}/police_uk/counts/*/part.parquet"},
        ).fetchall()
    assert {(m, c): n for m, c, n in rows} == dict(expected)


def panel(real_data: Path, store: Path, *wanted: MeasureRequest, **keys: str) -> SourceTable:
    source = PoliceUkSource(kind="police_uk", store=str(store), **keys)
    window = Window(start="2023-01", end="2025-11")
    return read_police("police", source, real_data, None, window, wanted, ())


LOOKUP = "geography/lookup_lsoa11_lsoa21_ltla22.parquet"
GEOGRAPHY = {"boundaries": "geography/lsoa21_boundaries_bgc.parquet"}


def test_mixed_vintages_become_one_and_no_incident_is_lost(
    real_data: Path, store: tuple[Path, IngestReport]
) -> None:
    everything = MeasureRequest("value", ("all-crime", "anti-social-behaviour"))
    table = panel(real_data, store[0], everything, **GEOGRAPHY)
    lookup = duckdb.read_parquet(str(real_data / LOOKUP)).df()
    assert set(table.areas) <= set(lookup["lsoa21_code"])
    assert not np.isnan(table.measures[everything]).any()
    at_border = ROWS - table.measures[everything].sum()
    assert f"{int(at_border):,} on 7 areas at the border" in table.notes[0]
    assert at_border < 0.0003 * ROWS
    moved = sum(ONLY_2011.values())
    with duckdb.connect() as connection:
        connection.register("lookup", lookup)
        found = connection.execute(
            "SELECT sum(n)::BIGINT FROM read_parquet($files) WHERE area_code IN (SELECT "
            "lsoa11_code FROM lookup) AND area_code NOT IN (SELECT lsoa21_code FROM lookup)",
            {"files": f"{store[0]}/police_uk/counts/*/part.parquet"},
        ).fetchone()
    assert found == (moved,)


def test_split_areas_follow_their_children_by_coordinate(
    real_data: Path, store: tuple[Path, IngestReport]
) -> None:
    """A point has one code: a split area's rows go where later rows of the same point are."""
    lookup = duckdb.read_parquet(str(real_data / LOOKUP)).df()
    split = lookup[lookup["change_code"] == "S"]
    children = split.groupby("lsoa11_code")["lsoa21_code"].agg(set)
    table = panel(real_data, store[0], CRIME, ASB, **GEOGRAPHY)
    values = table.measures[CRIME] + table.measures[ASB]
    for parts in children:
        rows = np.flatnonzero(np.isin(table.areas, list(parts)))
        if len(rows) == len(parts):
            before, after = values[rows, :5].sum(axis=1), values[rows, 5:].sum(axis=1)
            share, later = before / before.sum(), after / after.sum()
            assert np.abs(share - later).max() < 0.15


def test_without_boundaries_split_areas_are_divided_and_the_report_says_so(
    real_data: Path, store: tuple[Path, IngestReport]
) -> None:
    with_points = panel(real_data, store[0], ASB, **GEOGRAPHY)
    divided = panel(real_data, store[0], ASB)
    assert divided.measures[ASB].sum() == with_points.measures[ASB].sum()
    assert any("were divided equally" in note for note in divided.notes)


def test_west_yorkshire_is_missing_where_it_was_not_published_and_zero_where_it_was(
    real_data: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(real_data / NORTH) as archive:
        for name in archive.namelist():
            if "west-yorkshire" in name or "lancashire" in name:
                archive.extract(name, tmp_path / "in")
    store = tmp_path / "store"
    ingest_police_uk([tmp_path / "in"], store)
    gaps = [(c.force, c.month) for c in force_months(open_lake(store).manifest()) if c.status != "complete"]
    assert gaps == [("west-yorkshire", f"2014-{m:02d}") for m in (3, 4, 5, 7)]
    source = PoliceUkSource(kind="police_uk", store=str(store), vintage="lsoa11")
    window = Window(start="2014-01", end="2014-12")
    table = read_police("police", source, real_data, None, window, (ASB,), ())
    yorkshire = table.attributes["force"] == "west-yorkshire"
    missing = np.isnan(table.measures[ASB])
    assert missing[yorkshire].any(axis=0).nonzero()[0].tolist() == [2, 3, 4, 6, 11]
    other = missing[~yorkshire]
    assert (other.all(axis=0).nonzero()[0] == [11]).all()
    assert 0 < other[:, 2].mean() < 0.01  # at the border, where it has a part
    assert (table.measures[ASB] == 0).any()
    assert any(note.startswith("Without an area, west-yorkshire: 2014-01") for note in table.notes)


def test_the_study_of_made_up_neighbourhoods_runs_from_raw_zip(real_data: Path) -> None:
    file = read_study(REPOSITORY / "studies" / "cleveland" / "study.toml")
    assert "MADE UP" in file.study.study.title
    data = assemble(file)
    release = next(r for r in data.panel.releases if r.source == "police")
    assert (release.file, release.rows_read, release.rows_rejected) == (CLEVELAND[18:], ROWS, 0)
    assert len(data.neighbourhoods) == 3
    coverage, rejected = data.tables
    assert len(coverage.rows) == 35
    assert sum(r["rows_kept"] for r in coverage.records()) == ROWS
    assert not rejected.rows
    assert not any(np.isnan(m.values).any() for m in data.panel.measures.values())
