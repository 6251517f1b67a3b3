"""What a table is taken for when nobody says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from areaeffect.draft.guess import guess
from areaeffect.errors import DataError

CODES = ["E01000001", "E01000002", "E01000003"]
HERE = Path("counts.csv")


def long(**columns: object) -> pd.DataFrame:
    months = ["2012-01", "2012-02", "2012-03", "2012-04"]
    rows = [(c, m) for c in CODES for m in months]
    frame = pd.DataFrame(rows, columns=["LSOA code", "Month"])
    return frame.assign(**columns)


def test_areas_are_found_by_the_list_and_periods_by_their_form() -> None:
    found = guess(long(burglary="3", region="North"), CODES[:2], "2012-03", HERE)
    assert (found.area, found.period) == ("LSOA code", "Month")
    assert (found.first, found.last) == ("2012-01", "2012-04")
    (outcome,) = found.outcomes
    assert (outcome.name, outcome.family, outcome.kind) == ("burglary", "crime", "count")
    assert found.exposure is None
    assert "how many people" in found.divided


def test_residents_in_the_table_are_what_counts_are_divided_by() -> None:
    found = guess(long(asb="3", population="1500"), CODES, "2012-03", HERE)
    assert found.exposure == "population"
    assert [o.family for o in found.outcomes] == ["antisocial_behaviour"]


def test_an_outcome_is_called_what_its_column_is_called() -> None:
    found = guess(long(**{"ASB  incidents_recorded": "3"}), CODES, "2012-03", HERE)
    assert [(o.name, o.label) for o in found.outcomes] == [
        ("asb_incidents_recorded", "ASB incidents recorded")
    ]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (range(1, 13), "numbers the rows"),
        ([5] * 4 + [6] * 4 + [9] * 4, "is the same in every period of an area"),
        ([1, 2, 3, 4] * 3, "is the same in every area in a period"),
        ([0, 0, 1, 1] + [0] * 8, "marks the areas of the list"),
    ],
)
def test_numbers_that_count_nothing_are_not_measured_and_it_is_said(values: list[int], why: str) -> None:
    asb = [3, 1, 2, 5, 3, 1, 0, 2, 7, 8, 1, 2]
    found = guess(long(asb=asb, other=list(values)), CODES[:1], "2012-03", HERE)
    assert [o.name for o in found.outcomes] == ["asb"]
    assert f"'other' {why}, so it is not measured." in found.said


def test_a_column_a_period_is_a_wide_table() -> None:
    frame = pd.DataFrame({"area": CODES, "2010": [1, 2, 3], "2011": [1, 2, 3], "2012": [4, 5, 6]})
    found = guess(frame, CODES, "2011", Path("vacant homes.csv"))
    assert found.period is None
    assert (found.first, found.last) == ("2010", "2012")
    assert found.outcomes[0].family == "empty_homes"


def test_fractions_are_a_score_and_high_is_better_where_the_family_says_so() -> None:
    found = guess(long(trust="3.5"), CODES, "2012-03", HERE)
    assert (found.outcomes[0].kind, found.outcomes[0].better) == ("score", "higher")


def test_categories_of_one_area_and_period_are_added_up() -> None:
    one = long(count="3", kind="a")
    found = guess(pd.concat([one, one.assign(kind="b")]), CODES, "2012-03", HERE)
    assert found.category == "kind"


def test_year_and_month_in_two_columns_are_named_with_what_to_do() -> None:
    each = [
        (code, str(year), str(month))
        for code in CODES
        for year in range(2010, 2015)
        for month in range(1, 13)
    ]
    two = pd.DataFrame(each, columns=["LSOA code", "Year", "Month"]).assign(n="3")
    with pytest.raises(DataError, match="'Year' and 'Month' hold the period together") as refused:
        guess(two, CODES, "2012-03", HERE)
    assert "Join them into one column" in str(refused.value)


@pytest.mark.parametrize(
    ("frame", "listed", "said"),
    [
        (long(n="3"), ["W01000001"], "no column holds the areas of the list"),
        (long(n="3").replace({"E01000001": "01001"}), ["1001"], "seems to be '01001' of 'LSOA code'"),
        (long(n="1001").replace({"E01000001": "01001"}), ["1001"],
         "'1001' of the list seems to be '01001' of 'LSOA code' without its zeros"),
        (long(n="3", from_month="2012-01", other=["2012-01", "2012-02", "2012-03", "2012-04"] * 3)
         .rename(columns={"other": "to_month"}), CODES, "several columns could hold the periods"),
        (long(word="many"), CODES, "no column holds numbers"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused_with_the_columns(
    frame: pd.DataFrame, listed: list[str], said: str
) -> None:
    with pytest.raises(DataError, match=said) as refused:
        guess(frame, listed, "2012-03", HERE)
    assert "LSOA code" in str(refused.value)
