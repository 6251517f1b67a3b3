"""Event time: bins count from each start, and hold against the same neighbourhoods before it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.counterfactual import NO_BINS, Adjustment, Bins, bins_over, path, path_counts
from areaeffect.periods import PeriodKind, Periods
from tests.shared.small_panel import measure

N_AREAS, N_MONTHS = 10, 36
POOL = np.arange(4, N_AREAS)
MONTHS = Periods(PeriodKind.MONTH, 2012 * 12, N_MONTHS)


def path_totals(values: np.ndarray, starts: list[int], months: int = 6) -> tuple[np.ndarray, Bins]:
    """Totals of neighbourhoods of one area each, (n_neighbourhoods, n_totals)."""
    one = measure(values)
    ordinals = [(2012 * 12 + s, PeriodKind.MONTH) for s in starts]
    bins = bins_over(months, [MONTHS], ordinals)
    weights = np.full(len(POOL), 1 / len(POOL))
    found = []
    for g, (ordinal, kind) in enumerate(ordinals):
        pre = np.arange(N_MONTHS) < starts[g]
        sums = cf.sums(one, pre, ~pre, bins.of(MONTHS, ordinal, kind), bins.n)
        found.append(cf.totals(sums, np.array([g]), POOL, weights))
    return np.array(found), bins


def counts(seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).poisson(9.0, (N_AREAS, N_MONTHS)).astype(float)


def test_bins_count_back_and_forth_from_the_start() -> None:
    bins = Bins(12, 2, 3)
    of = bins.of(MONTHS, 2013 * 12 + 1, PeriodKind.MONTH)
    assert of[:13].tolist() == [0] + [1] * 12  # the thirteenth month back begins a bin of its own
    assert of[13:].tolist() == [2] * 12 + [3] * 11


def test_a_period_that_holds_the_start_is_in_no_bin() -> None:
    years = Periods(PeriodKind.YEAR, 2010, 6)
    assert Bins(12, 3, 3).of(years, 2013 * 12 + 5, PeriodKind.MONTH).tolist() == [0, 1, 2, -1, 3, 4]


def test_numbered_periods_are_a_bin_each() -> None:
    numbered = Periods(PeriodKind.NUMBER, 1, 5)
    assert Bins(12, 3, 2).of(numbered, 4, PeriodKind.NUMBER).tolist() == [0, 1, 2, 3, 4]


@given(start=st.integers(1, N_MONTHS - 1), months=st.sampled_from([3, 6, 12]))
def test_bins_over_hold_every_period_and_no_more(start: int, months: int) -> None:
    ordinal = (2012 * 12 + start, PeriodKind.MONTH)
    bins = bins_over(months, [MONTHS], [ordinal])
    assert set(bins.of(MONTHS, *ordinal)) == set(range(bins.n))


def test_the_bins_after_the_start_add_up_to_the_total() -> None:
    totals, bins = path_totals(counts(), [12, 19, 20])
    binned = totals[:, cf.N_TOTALS :].reshape(3, bins.n, cf.N_PATH)
    after = binned[:, bins.leads :]
    np.testing.assert_allclose(after[..., cf.PATH_OBSERVED].sum(1), totals[:, cf.OBSERVED_POST])
    np.testing.assert_allclose(after[..., cf.PATH_EXPECTED].sum(1), totals[:, cf.EXPECTED_POST])
    np.testing.assert_allclose(after[..., cf.PATH_EXPOSURE].sum(1), totals[:, cf.EXPOSURE_POST])


def test_a_step_of_the_effect_is_found_in_its_own_bin() -> None:
    values = np.tile(counts()[:1] + 1, (N_AREAS, 1))
    values[:3, 24:30] *= 3
    totals, bins = path_totals(values, [12, 12, 12])
    found = np.exp(path(totals, is_ratio=True))
    expected = np.ones(bins.n)
    expected[bins.leads + 2] = 3.0
    np.testing.assert_allclose(found, expected)


def test_a_bin_is_held_against_the_same_neighbourhoods_before_their_start() -> None:
    """The late starter stands twice above its benchmark areas: the last bins do not know it."""
    values = np.tile(counts()[:1] + 1, (N_AREAS, 1))
    values[1] *= 2
    totals, bins = path_totals(values, [12, 30])
    assert path(totals, is_ratio=True)[bins.leads + 1 :] == pytest.approx(np.zeros(3), abs=1e-12)
    assert path_counts(totals)[bins.leads] == values[0, :12].sum() + values[1, :30].sum()
    assert path_counts(totals)[-1] == values[0, :12].sum()


def test_a_bin_that_nobody_has_is_missing_not_zero() -> None:
    totals, bins = path_totals(counts(), [12])
    totals[:, cf.N_TOTALS :].reshape(1, bins.n, cf.N_PATH)[:, -1] = 0.0
    found = path(totals, is_ratio=True)
    assert np.isnan(found[-1])
    assert np.isfinite(found[:-1]).all()


def test_draws_are_paths_of_their_own() -> None:
    one, bins = path_totals(counts(3), [12, 18])
    two, _ = path_totals(counts(4), [12, 18])
    both = path(np.stack([one, two]), is_ratio=True)
    assert both.shape == (2, bins.n)
    np.testing.assert_array_equal(both[1], path(two, is_ratio=True))


def test_without_bins_there_is_no_path() -> None:
    pre = np.arange(N_MONTHS) < 12
    total = cf.totals(cf.sums(measure(counts()), pre, ~pre), np.array([0]), POOL, np.ones(6) / 6)
    assert path(total[None], is_ratio=True).shape == (NO_BINS.n,)


# ---------------------------------------------------------------- regression adjustment of levels


def level_sums(rate: np.ndarray, exposure: np.ndarray) -> cf.Sums:
    one = measure(np.tile((rate * exposure)[:, None], (1, 12)), exposure=exposure)
    nothing = np.zeros(12, dtype=bool)
    return cf.sums(one, nothing, ~nothing)


def gap(sums: cf.Sums, known: np.ndarray, members, pool, weights) -> float:
    by = Adjustment(known[members], known[pool], weights)
    return by.gap_in_rate(sums.post[pool], sums.columns[:, 3][pool], sums.columns[:, 3][members])


def test_an_imbalance_that_explains_the_rate_is_taken_off_the_gap() -> None:
    rng = np.random.default_rng(8)
    known = rng.normal(size=(60, 2))
    exposure = rng.uniform(500, 3000, 60)
    sums = level_sums(5 + known @ [0.8, -0.5], exposure)
    members, pool, weights = np.arange(3), np.arange(3, 60), np.full(57, 3 / 57)
    plain = cf.totals(sums, members, pool, weights)
    by = Adjustment(known[members], known[pool], weights)
    adjusted = cf.totals(sums, members, pool, weights, by)
    assert cf.totals(sums, members, pool, weights, by).tolist() == adjusted.tolist()
    gap = float(cf.rate_difference(plain, "level"))
    assert abs(gap) > 1.0
    assert abs(cf.rate_difference(adjusted, "level")) < 0.003 * abs(gap)
    assert adjusted[cf.UNADJUSTED_POST] == plain[cf.EXPECTED_POST]
    np.testing.assert_array_equal(cf.unadjusted(adjusted)[: cf.N_TOTALS], plain[: cf.N_TOTALS])


def test_what_is_balanced_is_not_adjusted() -> None:
    known = np.tile([[1.0], [-1.0]], (10, 1))
    sums = level_sums(5 + known[:, 0], np.full(20, 1000.0))
    members, pool = np.arange(2), np.arange(2, 20)
    weights = np.full(18, 2 / 18)
    assert gap(sums, known, members, pool, weights) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("known", [np.empty((20, 0)), np.zeros((20, 1))])
def test_without_characteristics_that_vary_nothing_is_adjusted(known: np.ndarray) -> None:
    sums = level_sums(np.linspace(1, 5, 20), np.full(20, 1000.0))
    weights = np.full(18, 2 / 18)
    assert gap(sums, known, np.arange(2), np.arange(2, 20), weights) == 0.0


def test_the_gap_is_that_of_a_weighted_ridge_regression() -> None:
    rng = np.random.default_rng(12)
    known, weights = rng.normal(size=(30, 3)), rng.uniform(0.1, 1, 25)
    exposure, other = rng.uniform(500, 3000, (2, 30))
    members, pool = np.arange(5), np.arange(5, 30)
    by = Adjustment(known[members], known[pool], weights)
    for seen in (exposure, other, exposure):  # one adjustment, outcomes of several exposures
        rate = rng.uniform(1, 9, 30)
        part = weights * seen[pool]
        part /= part.sum()
        centre = part @ known[pool]
        centred = (known[pool] - centre) * np.sqrt(part)[:, None]
        ridge = 1e-3 * np.trace(centred.T @ centred) / 3
        rows = np.vstack([centred, np.sqrt(ridge) * np.eye(3)])
        gaps = np.sqrt(part) * (rate[pool] - part @ rate[pool])
        slope = np.linalg.lstsq(rows, np.append(gaps, np.zeros(3)), rcond=None)[0]
        wanted = (centre - np.average(known[members], axis=0, weights=seen[members])) @ slope
        found = by.gap_in_rate((rate * seen)[pool], seen[pool], seen[members])
        assert found == pytest.approx(wanted, rel=1e-9)
