"""Periods: what may be written, and how a start cuts a time axis in two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.periods import (
    PeriodForm,
    PeriodKind,
    Periods,
    kind_of,
    label,
    parse_period,
    read_periods,
    why_ambiguous,
)

MONTH, QUARTER, YEAR, FINANCIAL_YEAR, NUMBER = PeriodKind


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
        ("201204", MONTH),
        ("2013-15", None),
        ("2013-00", None),
        ("2013-7", MONTH),
        ("2012-Q5", None),
        ("2012-04-32", None),
        ("April 2012", MONTH),
        ("Apr-12", MONTH),
        ("1 April 2012", MONTH),
        ("31/03/2012", MONTH),
        ("01/07/2019", MONTH),
        ("2012-04-01 00:00:00", MONTH),
        ("20120401", MONTH),
        ("2012M04", MONTH),
        ("Q1 2012", QUARTER),
        ("2012 Q1", QUARTER),
        ("Jan to Mar 2012", QUARTER),
        ("Feb to Apr 2012", None),
        ("2012/13", FINANCIAL_YEAR),
        ("FY2012-13", FINANCIAL_YEAR),
        ("2012-13", FINANCIAL_YEAR),
        ("2011-2012", FINANCIAL_YEAR),
        ("2015/16 (p)", FINANCIAL_YEAR),
        ("year ending March 2013", FINANCIAL_YEAR),
        ("year ending December 2013", YEAR),
        ("2004-05", MONTH),
        ("2000.0", YEAR),
        ("20120000", YEAR),
        ("FY12", None),
        ("12-Apr", None),
        ("03/04/2012", None),
        ("2018-1", None),
        ("", None),
        ("1.5", None),
    ],
)
def test_the_kind_of_a_period_is_told_from_how_it_is_written(text: str, kind: PeriodKind | None) -> None:
    assert kind_of(text) == kind


def test_a_day_of_the_month_is_dropped() -> None:
    assert parse_period("2016-01-31", MONTH) == parse_period("2016-01", MONTH) == 2016 * 12


def test_a_text_of_another_kind_is_no_period() -> None:
    assert parse_period("2012-Q2", MONTH) is None
    assert parse_period("2012-04", YEAR) is None


@given(kind=st.sampled_from(PeriodKind), ordinal=st.integers(0, 1000))
def test_a_written_period_is_read_back(kind: PeriodKind, ordinal: int) -> None:
    ordinal += {MONTH: 1990 * 12, QUARTER: 1990 * 4, YEAR: 1890, FINANCIAL_YEAR: 1890, NUMBER: 0}[kind]
    assert parse_period(label(ordinal, kind), kind) == ordinal


def test_labels_run_over_the_turn_of_a_year() -> None:
    assert Periods(MONTH, 2012 * 12 + 10, 3).labels == ("2012-11", "2012-12", "2013-01")
    assert Periods(QUARTER, 2012 * 4 + 3, 2).labels == ("2012-Q4", "2013-Q1")


@pytest.mark.parametrize(("kind", "years"), [(MONTH, 1 / 12), (QUARTER, 1 / 4), (YEAR, 1.0), (NUMBER, 1.0)])
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
    with pytest.raises(ValueError, match="a start given as a month cannot split periods of kind number"):
        axis.split(13, MONTH)


@given(
    kind=st.sampled_from([MONTH, QUARTER, YEAR, FINANCIAL_YEAR]),
    start_kind=st.sampled_from([MONTH, QUARTER, YEAR, FINANCIAL_YEAR]),
    first_year=st.integers(2000, 2010),
    n=st.integers(1, 60),
    months_in=st.integers(-24, 240),
)
def test_no_period_that_touches_the_treated_time_counts_as_before(
    kind: PeriodKind, start_kind: PeriodKind, first_year: int, n: int, months_in: int
) -> None:
    axis = Periods(kind, first_year * (kind.per_year or 1), n)
    start = start_kind.holding(first_year * 12 + months_in)
    start_month = start_kind.first_month(start)
    before, after = axis.split(start, start_kind)
    assert all(kind.first_month(o + 1) <= start_month for o in axis.ordinals[before])
    assert all(kind.first_month(o) >= start_month for o in axis.ordinals[after])
    between = axis.ordinals[before.stop : after.start]
    assert all(kind.first_month(o) < start_month < kind.first_month(o + 1) for o in between)


def test_an_ambiguous_date_is_named_with_both_readings() -> None:
    said = "'03/04/2012' may be 2012-04 (day first) or 2012-03 (month first)"
    assert why_ambiguous("03/04/2012") == said
    assert why_ambiguous("2018-1") == "'2018-1' may be 2018-01 or the quarter 2018-Q1"
    assert why_ambiguous("2012-04") == why_ambiguous("soon") == ""


@pytest.mark.parametrize(
    ("texts", "kind", "first"),
    [
        (["2004-05", "2005-06", "2006-07"], FINANCIAL_YEAR, 2004),
        (["2004-05", "2012-13"], FINANCIAL_YEAR, 2004),
        (["2011/12", "2012/13"], FINANCIAL_YEAR, 2011),
        (["2011/10", "2011/11", "2011/12"], MONTH, 2011 * 12 + 9),
        (["2010-11", "2010-12", "2011-01"], MONTH, 2010 * 12 + 10),
        (["2018-1", "2018-2", "2018-12"], MONTH, 2018 * 12),
        (["03/04/2012", "31/03/2012"], MONTH, 2012 * 12 + 3),
        (["03/04/2012", "03/31/2012"], MONTH, 2012 * 12 + 2),
        (["01/02/2012", "01/03/2012"], MONTH, 2012 * 12 + 1),
        (["20120000", "20130000"], YEAR, 2012),
        (["Q1 2012/13", "Q2 2012/13"], QUARTER, 2012 * 4 + 1),
        (["Quarter 1 2012", "Qtr 2 2012"], QUARTER, 2012 * 4),
        (["Quarter ending March 2012", "3 months to 30 June 2012"], QUARTER, 2012 * 4),
        (["Jan 2012 to Mar 2012", "Apr 2012 to Jun 2012"], QUARTER, 2012 * 4),
        (["31/01/12", "29/02/12"], MONTH, 2012 * 12),
        (["2012 M01", "2012 M02"], MONTH, 2012 * 12),
        (["FY12/13", "FY13/14"], FINANCIAL_YEAR, 2012),
        (["Financial year 2012/13"], FINANCIAL_YEAR, 2012),
        (["April 2012 to March 2013", "1 April 2013 - 31 March 2014"], FINANCIAL_YEAR, 2012),
        (["January 2012 to December 2012"], YEAR, 2012),
        (["Calendar year 2012", "CY2013", "Year 2014"], YEAR, 2012),
        (["Mid-2012", "mid-2013 [note 2]"], YEAR, 2012),
        (["2012", "2013p", "2014 (r)", "2015*", "2016 provisional"], YEAR, 2012),
    ],
)
def test_a_column_of_periods_is_read_as_a_whole(texts: list[str], kind: PeriodKind, first: int) -> None:
    read = read_periods(texts)
    assert (read.kind, read.fault, read.ordinals[0]) == (kind, "", first)


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        (["2004-05", "2005-06"], "may be 2004-05 or the financial year 2004/05"),
        (["2018-1", "2018-2"], "may be 2018-01 or the quarter 2018-Q1"),
        (["03/04/2012", "04/04/2012"], "(day first) or 2012-03 (month first)"),
        (["2001-03", "2002-04", "2003-05"], "spans of 3 years, which overlap"),
        (["03/04/12", "04/04/12"], "(day first) or 2012-03 (month first)"),
        (["201112", "201213"], "may be a financial year or a school year"),
    ],
)
def test_a_column_that_can_be_read_in_two_ways_is_a_fault(texts: list[str], fault: str) -> None:
    assert fault in read_periods(texts).fault


def test_a_form_that_the_study_names_settles_the_reading() -> None:
    texts = ["03/04/2012", "04/04/2012"]
    assert read_periods(texts, PeriodForm.MONTH_FIRST).ordinals[0] == 2012 * 12 + 2
    assert read_periods(["2004-05"], PeriodForm.FINANCIAL_YEARS).kind is FINANCIAL_YEAR


def test_a_financial_year_lies_on_both_sides_of_a_january_start() -> None:
    years = Periods(FINANCIAL_YEAR, 2012, 4)
    before, after = years.split(2014 * 12, MONTH)
    assert years.labels[before] == ("2012/13",)
    assert years.labels[after] == ("2014/15", "2015/16")


def test_decimal_years_are_quarters_where_one_is_a_quarter_past() -> None:
    found = read_periods(["1990", "1990.0", "1990.25", "1990.5", "1990.75"])
    assert (found.kind, found.ordinals) == (PeriodKind.QUARTER, (7960, 7960, 7961, 7962, 7963))
    years = read_periods(["1990.0", "1991.0"])
    assert (years.kind, years.ordinals) == (PeriodKind.YEAR, (1990, 1991))
