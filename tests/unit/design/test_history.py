"""What a design may look at: covariates, and outcomes in blocks back from the start."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.design.calibration import Features, features
from areaeffect.panel import Measure
from areaeffect.periods import PeriodKind
from tests.shared.small_panel import measure, panel

START = 2012 * 12 + 30  # July 2014: two whole blocks and a rest of six months
N_MONTHS = 48


def monthly(n_areas: int = 3) -> np.ndarray:
    return np.random.default_rng(1).poisson(5.0, (n_areas, N_MONTHS)).astype(float)


def build(
    one: Measure, history: str | None = "12-month blocks", used: np.ndarray | None = None, start: int = START
) -> Features:
    mask = np.ones(one.periods.n, dtype=bool) if used is None else used
    kind = PeriodKind.MONTH if one.periods.kind is not PeriodKind.NUMBER else PeriodKind.NUMBER
    return features(panel([one]), [one], [mask], start, kind, history)


def test_history_is_taken_in_blocks_of_twelve_months_back_from_the_start() -> None:
    values = monthly()
    found = build(measure(values))
    assert found.names == ("crime, 2012-07 to 2013-06", "crime, 2013-07 to 2014-06")
    np.testing.assert_array_equal(found.values[:, 0], values[:, 6:18].sum(axis=1))
    np.testing.assert_array_equal(found.values[:, 1], values[:, 18:30].sum(axis=1))


def test_the_rest_at_the_beginning_is_left_out() -> None:
    values = monthly()
    changed = values.copy()
    changed[:, :6] += 1000
    np.testing.assert_array_equal(build(measure(values)).values, build(measure(changed)).values)


@pytest.mark.parametrize("history", ["12-month blocks", "every period", None])
def test_nothing_at_or_after_the_start_is_seen(history: str | None) -> None:
    values = monthly()
    changed = values.copy()
    changed[:, 30:] *= 1e6
    before, after = build(measure(values), history), build(measure(changed), history)
    np.testing.assert_array_equal(before.values, after.values)
    np.testing.assert_array_equal(before.level, after.level)


def test_levels_are_those_before_the_first_start_of_the_programme() -> None:
    values = monthly()
    first = START - 12
    changed = values.copy()
    changed[:, 18:30] *= 1e6  # what an earlier place's work may have changed
    one, other = (
        features(
            panel([m]), [m], [np.ones(N_MONTHS, dtype=bool)], START, PeriodKind.MONTH,
            "12-month blocks", (first, PeriodKind.MONTH),
        )
        for m in (measure(values), measure(changed))
    )  # fmt: skip
    np.testing.assert_array_equal(one.level, other.level)
    np.testing.assert_array_equal(one.level, build(measure(values), start=first).level)
    assert one.names == build(measure(values)).names


def test_a_gap_inside_a_block_shortens_the_block_and_keeps_it() -> None:
    values = monthly()
    used = np.ones(N_MONTHS, dtype=bool)
    used[20:23] = False
    values[:, 20:23] = np.nan
    found = build(measure(values), used=used)
    assert found.names[1] == "crime, 2013-07 to 2014-06"
    np.testing.assert_array_equal(found.values[:, 1], np.nansum(values[:, 18:30], axis=1))
    np.testing.assert_allclose(found.level[:, 0], np.nanmean(values[:, :30], axis=1))


def test_a_block_that_is_all_gap_is_left_out() -> None:
    used = np.ones(N_MONTHS, dtype=bool)
    used[6:18] = False
    assert build(measure(monthly()), used=used).names == ("crime, 2013-07 to 2014-06",)


def test_a_history_under_a_year_is_one_block() -> None:
    found = build(measure(monthly()), start=2012 * 12 + 5)
    assert found.names == ("crime, 2012-01 to 2012-05",)


def test_every_period_may_be_matched_on() -> None:
    values = monthly()
    found = build(measure(values), "every period")
    assert len(found.names) == 30
    assert found.names[:2] == ("crime, 2012-01", "crime, 2012-02")
    np.testing.assert_array_equal(found.values, values[:, :30])


def test_numbered_periods_are_matched_one_by_one() -> None:
    one = measure(monthly()[:, :16], kind=PeriodKind.NUMBER, first=1)
    found = build(one, start=13)
    assert found.names == tuple(f"crime, {t}" for t in range(1, 13))


def test_a_year_is_a_block_of_its_own() -> None:
    values = monthly()[:, :5]
    one = measure(values, kind=PeriodKind.YEAR, first=2012, is_count=False)
    found = build(one)  # the start falls inside 2014
    assert found.names == ("crime, 2012", "crime, 2013")
    np.testing.assert_array_equal(found.values, values[:, :2])


def test_a_level_claim_has_no_history_but_its_level_is_known() -> None:
    values = monthly()
    found = build(measure(values), history=None)
    assert found.names == ()
    np.testing.assert_allclose(found.level[:, 0], values[:, :30].mean(axis=1))


def test_the_level_of_a_count_is_a_rate_and_that_of_a_score_a_mean() -> None:
    values, exposure = monthly(), np.array([100.0, 200.0, 400.0])
    rate = build(measure(values, exposure=exposure)).level[:, 0]
    np.testing.assert_allclose(rate, values[:, :30].mean(axis=1) / exposure)
    mean = build(measure(values, exposure=exposure, is_count=False)).level[:, 0]
    np.testing.assert_allclose(mean, values[:, :30].mean(axis=1))


def test_covariates_come_first_and_as_they_are() -> None:
    one = measure(monthly())
    covariates = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    used = [np.ones(N_MONTHS, dtype=bool)]
    found = features(panel([one], covariates), [one], used, START, PeriodKind.MONTH, None)
    assert found.names == ("x0", "x1")
    np.testing.assert_array_equal(found.values, covariates)
