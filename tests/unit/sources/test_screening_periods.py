"""Periods that cannot be meant are named: running totals, empty and doubled months, copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.errors import DataError
from areaeffect.results import Floats
from areaeffect.sources.coverage import MeasureRequest, SourceTable
from areaeffect.sources.panel_periods import periods_copied
from areaeffect.sources.panel_table import read
from areaeffect.sources.screening import screen
from areaeffect.study.model import PanelSource
from areaeffect.study.parts import Window

MONTHS = [f"{2012 + t // 12}-{t % 12 + 1:02d}" for t in range(36)]
AREAS = [f"A{i:03d}" for i in range(20)]
WINDOW = Window(start="2012-01", end="2014-12")
VALUE, POPULATION = MeasureRequest("n", ()), ("population",)


def counts(seed: int = 1) -> Floats:
    return np.random.default_rng(seed).poisson(20.0, (20, 36)).astype(float)


def long(values: Floats) -> pd.DataFrame:
    areas, months = np.repeat(AREAS, 36), np.tile(MONTHS, 20)
    return pd.DataFrame({"area": areas, "month": months, "n": values.ravel().astype(int)})


def screened(
    folder: Path, table: pd.DataFrame, wanted: MeasureRequest = VALUE, **source: object
) -> SourceTable:
    path = folder / "t.csv"
    table.to_csv(path, index=False)
    keys = {"area": "area", "period": "month", **source}
    panel = PanelSource(kind="panel", path="t.csv", **keys)  # type: ignore[arg-type]
    attributes = POPULATION if "population" in table.columns else ()
    return screen(panel, read("t", panel, path, WINDOW, (wanted,), attributes))


def refused(folder: Path, table: pd.DataFrame, **source: object) -> str:
    with pytest.raises(DataError) as caught:
        screened(folder, table, **source)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_an_ordinary_table_passes_without_a_word(tmp_path: Path, seed: int) -> None:
    assert screened(tmp_path, long(counts(seed))).notes == ()


def test_totals_since_the_start_of_the_file_or_of_each_year_are_refused(tmp_path: Path) -> None:
    values = counts()
    said = refused(tmp_path, long(values.cumsum(axis=1)))
    assert "never fall from one period to the next" in said
    assert "since the start of the file" in said
    yearly = values.reshape(20, 3, 12).cumsum(axis=2).reshape(20, 36)
    assert "since the start of each year" in refused(tmp_path, long(yearly))
    april = np.concatenate([values[:, :3].cumsum(axis=1), yearly[:, :33]], axis=1)
    assert "since the start of each year" in refused(tmp_path, long(april))
    kept = screened(tmp_path, long(yearly), accept=("running totals",))
    assert np.array_equal(kept.measures[VALUE], yearly)


def test_a_stock_that_grows_slowly_is_no_running_total(tmp_path: Path) -> None:
    stock = 1000 + np.arange(20)[:, None] + np.arange(36)[None, :]
    assert screened(tmp_path, long(stock.astype(float))).notes == ()


def test_a_month_of_zeros_in_every_area_is_refused_and_in_event_tables_missing(tmp_path: Path) -> None:
    values = counts()
    values[:, 20] = 0
    assert "every area has 0 in 'n' in 2013-09" in refused(tmp_path, long(values))
    assert screened(tmp_path, long(values), accept=("odd periods",)).notes == ()
    table = long(values).assign(kind="a")
    found = screened(tmp_path, table[table["n"] > 0], absent_is_zero=True, category="kind")
    assert np.isnan(found.measures[VALUE][:, 20]).all()
    assert np.isfinite(np.delete(found.measures[VALUE], 20, axis=1)).all()
    assert any("no area has a row for 'n' in 2013-09: missing, not zero" in n for n in found.notes)


@pytest.mark.parametrize(("times", "of"), [(0.2, 35), (2.0, 20), (10.0, 0)])
def test_a_month_far_from_those_around_it_is_named(tmp_path: Path, times: float, of: int) -> None:
    values = counts()
    values[:, of] = np.floor(values[:, of] * times)
    (note,) = screened(tmp_path, long(values)).notes
    assert f"in 'n' in {MONTHS[of]}, and about " in note
    assert "may be incomplete or counted twice" in note


def test_an_area_mistyped_in_most_of_its_periods_is_refused(tmp_path: Path) -> None:
    values = counts()
    values[3, 10:] *= 1000
    values[7, 30:] *= 1000
    said = refused(tmp_path, long(values))
    assert "32 cells of 'n' are over 100 times their neighbours" in said


@pytest.mark.parametrize("number", ["1.5", "1500000"])
def test_a_number_of_another_unit_is_refused(tmp_path: Path, number: str) -> None:
    people = dict(zip(AREAS, np.random.default_rng(2).integers(1000, 2000, 20).astype(str), strict=True))
    people["A004"] = number
    table = long(counts()).assign(population=lambda t: t["area"].map(people))
    said = refused(tmp_path, table)
    assert "1 area has a number in 'population' that is over 50 times off" in said
    assert "A004" in said
    assert screened(tmp_path, table, accept=("outlying cells",)).notes == ()


def test_a_rounded_mean_of_all_areas_is_refused(tmp_path: Path) -> None:
    values = counts()
    values[19] = values[:19].mean(axis=0).round()
    assert "1 area is the mean of all others" in refused(tmp_path, long(values))


# ---------------------------------------------------------------- rows of incidents

EVENTS = {"absent_is_zero": True, "category": "kind"}
ONE = MeasureRequest("one", ())


def incidents(seed: int = 1) -> pd.DataFrame:
    table = long(counts(seed))
    table = table.loc[table.index.repeat(table.pop("n"))].reset_index(drop=True)
    kinds = np.random.default_rng(seed).choice(["theft", "damage", "noise"], len(table))
    return table.assign(kind=kinds, one="1", id=[f"C{i}" for i in range(len(table))])


def refused_events(folder: Path, table: pd.DataFrame) -> str:
    with pytest.raises(DataError) as caught:
        screened(folder, table, ONE, **EVENTS)
    return str(caught.value)


def test_incidents_pass_with_and_without_a_name_of_their_own(tmp_path: Path) -> None:
    table = incidents()
    for given in (table, table.drop(columns="id")):
        found = screened(tmp_path, given, ONE, **EVENTS)
        assert found.notes == ()
        assert found.measures[ONE].sum() == len(table)


def test_an_incident_named_thirteen_times_is_refused_by_row(tmp_path: Path) -> None:
    table = incidents()
    said = refused_events(tmp_path, pd.concat([table, *[table.iloc[[7]]] * 12]))
    assert f"row {len(table) + 2}, " in said
    assert "12 rows equal an earlier one in every column, 'id' too" in said
    again = pd.concat([table, table.iloc[[7]]])
    kept = screened(tmp_path, again, ONE, accept=("equal rows",), **EVENTS)
    assert kept.measures[ONE].sum() == len(table) + 1


@pytest.mark.parametrize("copies", [1, 2])
def test_a_month_that_is_there_twice_or_more_is_refused(tmp_path: Path, copies: int) -> None:
    table = incidents().drop(columns="id")
    month = table[table["month"] == "2013-05"]
    said = refused_events(tmp_path, pd.concat([table, *[month] * copies]))
    assert "every row of 2013-05 is there several times" in said


def test_equal_rows_of_counts_are_named(tmp_path: Path) -> None:
    table = long(counts()).assign(kind="theft")
    again = pd.concat([table, *[table.iloc[[5]]] * 3])
    (note,) = screened(tmp_path, again, VALUE, **EVENTS).notes
    assert "3 rows equal an earlier one in every column and are counted (row 722, 723, 724)" in note


def test_a_category_that_ends_is_named(tmp_path: Path) -> None:
    table = incidents()
    ended = table[(table["kind"] != "noise") | (table["month"] < "2014-06")]
    notes = screened(tmp_path, ended, ONE, **EVENTS).notes
    assert any("'noise' has no row in 2014-06" in n and "7 more" not in n for n in notes)


def test_periods_are_copies_only_where_every_row_is_there_alike() -> None:
    key = np.repeat(np.arange(60), 2)
    period = np.repeat([1, 2, 3], 40)
    assert periods_copied(key, period) == [1, 2, 3]
    assert periods_copied(np.append(key, 0), np.append(period, 3)) == [1, 2]
    assert periods_copied(np.arange(60), np.repeat([1, 2, 3], 20)) == []
    assert periods_copied(np.repeat(np.arange(5), 2), np.ones(10, dtype=int)) == []  # too few
