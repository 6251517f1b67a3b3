"""Changes: what weighting left unlike is taken off by a regression over the whole pool."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.counterfactual import growth
from areaeffect.panel import Measure
from areaeffect.periods import PeriodKind, Periods

N, MONTHS, START = 300, 24, 12
RNG = np.random.default_rng(31)
KNOWN = RNG.normal(size=(N, 2))
POOL = np.arange(N) >= 3
MEMBERS = np.arange(3)


def measure(values: np.ndarray, *, is_count: bool) -> Measure:
    none = np.zeros(values.shape, dtype=np.uint8)
    return Measure(
        name="n",
        is_count=is_count,
        periods=Periods(PeriodKind.MONTH, 0, MONTHS),
        values=values,
        reasons=none,
        exposure=None,
    )


def sums_of(values: np.ndarray, *, is_count: bool) -> cf.Sums:
    before = np.arange(MONTHS) < START
    bare = cf.sums(measure(values, is_count=is_count), before, ~before)
    found = growth(KNOWN, POOL, bare.pre, bare.post, is_ratio=is_count)
    return replace(bare, growth=found)


def trending(slope: float) -> np.ndarray:
    """Counts of about 200 a month whose second year follows the first characteristic."""
    after = np.where(np.arange(MONTHS) >= START, slope * KNOWN[:, :1], 0.0)
    return np.round(200 * np.exp(after))


def effect(added: cf.Sums, imbalance: np.ndarray | None, *, is_count: bool) -> float:
    pool = np.flatnonzero(POOL)
    weights = np.full(len(pool), len(MEMBERS) / len(pool))
    total = cf.totals(added, MEMBERS, pool, weights, None, imbalance)
    form = cf.log_ratio if is_count else cf.rate_difference
    return float(form(total[: cf.N_TOTALS], "change"))


def left() -> np.ndarray:
    return np.asarray(KNOWN[POOL].mean(axis=0) - KNOWN[MEMBERS].mean(axis=0))


def test_a_trend_that_follows_what_stays_unlike_is_not_taken_for_an_effect() -> None:
    added = sums_of(trending(0.1), is_count=True)
    before, after = (effect(added, i, is_count=True) for i in (None, left()))
    assert abs(before) > 0.02
    assert abs(after) < 0.2 * abs(before)  # the rest is the curve of the exponential


def test_a_score_is_adjusted_in_its_own_unit() -> None:
    values = np.full((N, MONTHS), 50.0)
    values[:, START:] += 4.0 * KNOWN[:, :1]
    added = sums_of(values, is_count=False)
    before, after = (effect(added, i, is_count=False) for i in (None, left()))
    assert abs(before) > 1.0
    assert abs(after) < 0.05 * abs(before)


def test_a_treated_areas_own_change_moves_no_slope() -> None:
    values = trending(0.1)
    values[MEMBERS, START:] *= 5
    np.testing.assert_array_equal(
        sums_of(values, is_count=True).growth.slopes, sums_of(trending(0.1), is_count=True).growth.slopes
    )


def test_shares_of_exact_factors_behind_the_characteristics_are_not_read() -> None:
    found = growth(KNOWN, POOL, *np.full((2, N), 9.0), is_ratio=True)
    assert found.expected(np.array(10.0), np.array([0.0, 0.0, 7.0]), 3) == pytest.approx(10.0)


@pytest.mark.parametrize("known", [np.empty((N, 0)), np.zeros((N, 2))])
def test_characteristics_that_do_not_vary_adjust_nothing(known: np.ndarray) -> None:
    pre, post = RNG.poisson(30.0, (2, N)).astype(float)
    found = growth(known, POOL, pre, post, is_ratio=True)
    assert found.expected(np.array(12.5), np.ones(known.shape[1]), 3) == 12.5


def test_the_fewer_areas_for_each_characteristic_the_less_is_taken_off() -> None:
    pre = np.full(N, 100.0)
    post = 100 * np.exp(0.1 * KNOWN[:, 0])
    few = POOL & (np.arange(N) < 10)
    many, little = (growth(KNOWN, p, pre, post, is_ratio=True).slopes[0] for p in (POOL, few))
    assert 0 < little < many < 0.11
