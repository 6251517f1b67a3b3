"""What can be asked of areas is known from their figures alone, with what can be asked instead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from areaeffect.compare import question as preflight
from areaeffect.compare.question import OutcomeFigures, Preflight, Question, repairs_of, written_period
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.results import Claim

MONTH = PeriodKind.MONTH
FIRST, N = 2008 * 12, 9 * 12
CODES = np.array([f"T{i}" for i in range(12)])
WARDS = np.array(["Mill, Northmarsh"] * 6 + [""] * 6)


def flight(values: np.ndarray, claim: Claim = Claim.CHANGE, earliest: str = "2012-01") -> Preflight:
    periods = Periods(MONTH, FIRST, N)
    if claim is Claim.LEVEL:
        values, periods = values[:, -1:], Periods(PeriodKind.YEAR, 2025, 1)
    outcome = OutcomeFigures(
        title="crime",
        claim=claim,
        is_count=True,
        periods=periods,
        values=values,
        exposure=np.full(len(CODES), 1500.0),
        waves=np.ones(periods.n, dtype=bool),
    )
    x = np.arange(len(CODES)) * 500.0
    ordinal = parse_period(earliest, MONTH)
    assert ordinal is not None
    return Preflight(
        kind=MONTH,
        earliest=ordinal,
        outcomes=(outcome,),
        complete=np.ones(len(CODES), dtype=bool),
        wards=WARDS,
        middles=np.column_stack([x, np.zeros(len(CODES))]),
        codes=CODES,
    )


@pytest.fixture
def figures() -> np.ndarray:
    """Ten crimes an area and month; areas 2 and 3 have none before September 2011."""
    values = np.full((len(CODES), N), 10.0)
    values[2:4, : 3 * 12 + 8] = np.nan
    return values


def asked(areas: tuple[str, ...], start: str = "") -> Question:
    return Question(areas=areas, start=start, name="Mill")


def test_areas_without_figures_are_named_with_the_areas_that_have_them(figures: np.ndarray) -> None:
    (obstacle,) = flight(figures).obstacles(asked(("T0", "T1", "T2", "T3", "T4", "T5")))
    assert obstacle.field == "areas"
    assert "2 of them have too few figures" in obstacle.what
    assert "begin in September 2011" in obstacle.what
    (repair,) = obstacle.repairs
    assert repair.words == "Compare the 4 areas that have figures since January 2008"
    assert repair.question.areas == ("T0", "T1", "T4", "T5")
    assert flight(figures).obstacles(repair.question) == ()


def test_a_place_mostly_without_figures_is_offered_the_areas_that_have_them(figures: np.ndarray) -> None:
    """What most areas of a place lack is a gap of the source, so none of them falls out of it."""
    here = flight(figures)
    (obstacle,) = here.obstacles(asked(("T1", "T2", "T3"), "2014-01"))
    assert obstacle.repairs
    for repair in obstacle.repairs:
        assert here.obstacles(repair.question) == ()
    figures[:, : 3 * 12 + 8] = np.nan
    figures[8:, :] = 10.0
    (obstacle,) = flight(figures).obstacles(asked(("T1", "T2", "T3"), "2014-01"))
    assert obstacle.repairs[0].question.areas == ("T10", "T11", "T8", "T9")


def test_one_small_area_is_offered_its_ward_and_its_neighbours(figures: np.ndarray) -> None:
    (obstacle,) = flight(figures).obstacles(asked(("T0",), "2014-01"))
    assert "One area alone" in obstacle.what
    assert [r.words for r in obstacle.repairs] == ["Compare all of Mill, Northmarsh, 4 areas"]
    (elsewhere,) = flight(figures).obstacles(asked(("T8",), "2014-01"))
    assert [r.words for r in elsewhere.repairs] == ["Compare it with the areas next to it, 4 in all"]
    for repair in (*obstacle.repairs, *elsewhere.repairs):
        assert repair.question.start == "2014-01"
        assert flight(figures).obstacles(repair.question) == ()


def test_a_large_area_may_stand_alone(figures: np.ndarray) -> None:
    assert flight(figures * 10).obstacles(asked(("T0",), "2014-01")) == ()


@pytest.mark.parametrize(
    ("start", "near", "words"),
    [
        ("2009-01", "2012-01", "too early"),
        ("2016-03", "2016-01", "too late"),
        ("2016-12", "2016-01", "too late"),
        ("1905-01", "2012-01", "too early"),
    ],
)
def test_a_date_that_cannot_be_asked_is_moved(figures: np.ndarray, start: str, near: str, words: str) -> None:
    (obstacle,) = flight(figures).obstacles(asked(("T0", "T1"), start))
    assert obstacle.field == "start"
    assert words in obstacle.what
    assert "from January 2012 to January 2016" in obstacle.what
    (repair,) = obstacle.repairs
    assert repair.question.start == near
    assert flight(figures).obstacles(repair.question) == ()


def test_every_start_that_is_offered_can_be_asked(figures: np.ndarray) -> None:
    here = flight(figures, earliest="2008-02")
    areas = here.positions(("T0", "T1"))
    starts = here.starts(areas)
    assert written_period("2010-01") == "January 2010"
    assert starts[0] == 2010 * 12, "two whole years before"
    assert starts[-1] == 2016 * 12, "a whole year after"
    assert len(starts) == 6 * 12 + 1


@pytest.mark.parametrize("text", ["April 2014", "04/2014", "2014-04", "apr 2014"])
def test_months_are_read_as_people_write_them(figures: np.ndarray, text: str) -> None:
    assert flight(figures).normal_start(text) == "2014-04"


def test_a_text_that_is_no_date_says_which_dates_are(figures: np.ndarray) -> None:
    (obstacle,) = flight(figures).obstacles(asked(("T0", "T1"), "soon"))
    assert obstacle.what.startswith("‘soon’ is not a date. Write a month from January 2012")
    (obstacle,) = flight(figures).obstacles(asked(("T0", "T1"), "03/04/2014"))
    assert "may be" in obstacle.what


def test_too_few_events_are_an_obstacle(figures: np.ndarray) -> None:
    (obstacle,) = flight(figures * 0.01).obstacles(asked(("T0", "T1"), "2014-01"))
    assert "too few events" in obstacle.what


def test_figures_of_one_date_ask_about_no_start(figures: np.ndarray) -> None:
    levels = flight(figures, Claim.LEVEL)
    assert levels.asks_levels
    assert levels.obstacles(asked(("T0", "T1"), "2012-01")) == ()
    missing = figures.copy()
    missing[0, -1] = np.nan
    (obstacle,) = flight(missing, Claim.LEVEL).obstacles(asked(("T0", "T1", "T4"), "2012-01"))
    assert "nobody has published them" in obstacle.what
    assert obstacle.repairs[0].question.areas == ("T1", "T4")


def test_a_place_far_from_any_figures_is_offered_the_nearest_that_have_them(
    figures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in Wales on England's map: not only the places close by are looked through."""
    monkeypatch.setattr(preflight, "_SEARCHED", 4)
    england = replace(flight(figures), complete=np.arange(len(CODES)) >= 6)
    (obstacle,) = england.obstacles(asked(("T0", "T1")))
    assert "the figures that places are matched on do not cover them" in obstacle.what
    assert obstacle.repairs[0].words == "Compare the 4 areas nearest to it that have figures"
    assert obstacle.repairs[0].question.areas == ("T6", "T7", "T8", "T9")
    assert england.obstacles(obstacle.repairs[0].question) == ()


def test_repairs_of_a_place_without_benchmark_areas_are_near_it(figures: np.ndarray) -> None:
    question = replace(asked(("T4", "T5", "T6"), "2014-01"), buffer_km=1.0)
    found = list(repairs_of(question, CODES, flight(figures).middles))
    assert found[0].question == replace(question, buffer_km=0.0)
    assert found[1].question.nearest == 120
    assert all(r.question != question for r in found)
    grown = next(r for r in found if "next to it" in r.words)
    assert set(question.areas) < set(grown.question.areas)
