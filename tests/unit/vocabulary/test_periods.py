"""Periods: what may be written, and how a start cuts a time axis in two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.periods import PeriodKind, Periods, kind_of, label, parse_period

MONTH, QUARTER, YEAR, NUMBER = PeriodKind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2012-04", MONTH),
        ("2012-04-30", MONTH),
        (" 2012-04 ", MONTH),
        ("2012-Q2", QUARTER),
        ("2012Q2", QUARTER),
        ("2012", YEAR),
        ("1899", YEAR),
        ("7", NUMBER),
        ("-3", NUMBER),
        ("201204", NUMBER),
        ("2013-13", None),
        ("2013-00", None),
        ("2013-1", None),
        ("2012-Q5", None),
        ("2012-04-32", None),
        ("April 2012", None),
        ("", None),
        ("1.5", None),
    ],
)
def test_the_kind_of_a_period_is_told_from_how_it_is_written(
    text: str, kind: PeriodKind | None
) -> None:
    assert kind_of(text) == kind


def test_a_day_of_the_month_is_dropped() -> None:
    assert parse_period("2016-01-31", MONTH) == parse_period("2016-01", MONTH) == 2016 * 12


def test_a_text_of_another_kind_is_no_period() -> None:
    assert parse_period("2012-Q2", MONTH) is None
    assert parse_period("2012-04", YEAR) is None


@given(kind=st.sampled_from(PeriodKind), ordinal=st.integers(0, 1000))
def test_a_written_period_is_read_back(kind: PeriodKind, ordinal: int) -> None:
    ordinal += {MONTH: 1990 * 12, QUARTER: 1990 * 4, YEAR: 1890, NUMBER: 0}[kind]
    assert parse_period(label(ordinal, kind), kind) == ordinal


def test_labels_run_over_the_turn_of_a_year() -> None:
    assert Periods(MONTH, 2012 * 12 + 10, 3).labels == ("2012-11", "2012-12", "2013-01")
    assert Periods(QUARTER, 2012 * 4 + 3, 2).labels == ("2012-Q4", "2013-Q1")


@pytest.mark.parametrize(
    ("kind", "years"), [(MONTH, 1 / 12), (QUARTER, 1 / 4), (YEAR, 1.0), (NUMBER, 1.0)]
)
def test_a_period_knows_its_length_in_years(kind: PeriodKind, years: float) -> None:
    assert Periods(kind, 0, 5).years_per_period == years


def test_the_period_of_the_start_is_treated() -> None:
    months = Periods(MONTH, 2012 * 12, 24)
    before, after = months.split(2012 * 12 + 5, MONTH)
    assert months.labels[before][-1] == "2012-05"
    assert months.labels[after][0] == "2012-06"


def test_a_year_that_the_start_falls_inside_is_on_neither_side() -> None:
    years = Periods(YEAR, 2012, 5)
    before, after = years.split(2014 * 12 + 5, MONTH)
    assert years.labels[before] == ("2012", "2013")
    assert years.labels[after] == ("2015", "2016")


def test_a_start_in_january_leaves_no_year_out() -> None:
    years = Periods(YEAR, 2012, 5)
    before, after = years.split(2014 * 12, MONTH)
    assert years.labels[before] == ("2012", "2013")
    assert years.labels[after] == ("2014", "2015", "2016")


@pytest.mark.parametrize(("start", "n_before"), [(2000 * 12, 0), (2030 * 12, 24)])
def test_a_start_outside_the_axis_leaves_one_side_empty(start: int, n_before: int) -> None:
    before, after = Periods(MONTH, 2012 * 12, 24).split(start, MONTH)
    assert (before.stop - before.start, after.stop - after.start) == (n_before, 24 - n_before)


def test_numbered_periods_are_split_by_a_number_only() -> None:
    axis = Periods(NUMBER, 1, 16)
    assert axis.split(13, NUMBER) == (slice(0, 12), slice(12, 16))
    with pytest.raises(
        ValueError, match="a start given as a month cannot split periods of kind number"
    ):
        axis.split(13, MONTH)


@given(
    kind=st.sampled_from([MONTH, QUARTER, YEAR]),
    start_kind=st.sampled_from([MONTH, QUARTER, YEAR]),
    first_year=st.integers(2000, 2010),
    n=st.integers(1, 60),
    months_in=st.integers(-24, 240),
)
def test_no_period_that_touches_the_treated_time_counts_as_before(
    kind: PeriodKind, start_kind: PeriodKind, first_year: int, n: int, months_in: int
) -> None:
    axis = Periods(kind, first_year * (kind.per_year or 1), n)
    start = (first_year * 12 + months_in) // (12 // (start_kind.per_year or 1))
    start_month = start * (12 // (start_kind.per_year or 1))
    months = 12 // (kind.per_year or 1)
    before, after = axis.split(start, start_kind)
    assert all((o + 1) * months <= start_month for o in axis.ordinals[before])
    assert all(o * months >= start_month for o in axis.ordinals[after])
    between = axis.ordinals[before.stop : after.start]
    assert all(o * months < start_month < (o + 1) * months for o in between)
