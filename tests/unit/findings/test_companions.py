"""Linearised, cluster-robust and bootstrap intervals: what they equal, when they are refused."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate import linearised
from areaeffect.estimate.linearised import Compared, linearised_ratio
from areaeffect.results import Interval

N_POOL, N_PERIODS = 40, 6


def compared(g: int, seed: int = 1, pool: np.ndarray | None = None) -> Compared:
    rng = np.random.default_rng([seed, g])
    own = np.array([1000 + 2 * g, 1001 + 2 * g])
    outside = np.arange(N_POOL) + (0 if pool is not None else 100 * g)
    counts = np.random.default_rng([seed, 99 if pool is not None else g, 5]).poisson(
        20.0, (N_POOL, N_PERIODS)
    )
    weights = rng.dirichlet(np.ones(N_POOL)) * 2
    return Compared(
        members=own,
        pool=outside,
        treated=rng.poisson(18.0, (2, N_PERIODS)).astype(float),
        outside=counts.astype(float),
        weights=weights,
        periods=np.arange(N_PERIODS),
    )


def log_ratio(parts: list[Compared]) -> float:
    reached = sum(p.treated.sum() for p in parts)
    expected = sum((p.weights @ p.outside).sum() for p in parts)
    return float(np.log(reached / expected))


def half_width(low: float | None, high: float | None) -> float:
    assert low is not None
    assert high is not None
    return float(np.log1p(high) - np.log1p(low)) / 2


def test_many_neighbourhoods_that_share_nothing_add_their_variances() -> None:
    """Ten copies of one comparison, each with areas of its own: the error shrinks by sqrt(10)."""
    one = compared(0)
    copies = [
        Compared(
            members=one.members + 5000 * g,
            pool=one.pool + 5000 * g,
            treated=one.treated,
            outside=one.outside,
            weights=one.weights,
            periods=one.periods,
        )
        for g in range(10)
    ]
    alone = linearised_ratio([one], log_ratio([one]), 0.95, "lower")
    many = linearised_ratio(copies, log_ratio(copies), 0.95, "lower")
    # n / (n - 1) of the sandwich is not quite the same
    assert half_width(many.low, many.high) == pytest.approx(
        half_width(alone.low, alone.high) / np.sqrt(10), rel=0.003
    )


def test_sharing_benchmark_areas_widens_the_interval() -> None:
    """The same areas for all are one sample, not ten."""
    shared = [compared(g, pool=np.arange(N_POOL)) for g in range(10)]
    apart = [
        Compared(
            members=p.members,
            pool=p.pool + 500 * g,
            treated=p.treated,
            outside=p.outside,
            weights=p.weights,
            periods=p.periods,
        )
        for g, p in enumerate(shared)
    ]
    widths = [
        half_width(found.low, found.high)
        for found in (linearised_ratio(p, log_ratio(p), 0.95, "lower") for p in (shared, apart))
    ]
    assert widths[0] > widths[1]


def test_the_middle_of_the_linearised_interval_is_the_estimate() -> None:
    parts = [compared(g) for g in range(3)]
    found = linearised_ratio(parts, -0.1, 0.9, "lower")
    assert found.low is not None
    assert found.high is not None
    assert np.log1p(found.low) + np.log1p(found.high) == pytest.approx(-0.2)


def test_the_linearised_error_is_that_of_simulated_totals() -> None:
    """Poisson cells and fixed weights: the sandwich knows their variance."""
    members, pool, periods = np.arange(20), np.arange(20, 20 + N_POOL), np.arange(N_PERIODS)
    weights = np.full(N_POOL, 20 / N_POOL)
    drawn, errors = [], []
    for seed in range(400):
        rng = np.random.default_rng([7, seed])
        treated = rng.poisson(10.0, (20, N_PERIODS)).astype(float)
        outside = rng.poisson(10.0, (N_POOL, N_PERIODS)).astype(float)
        parts = [
            Compared(
                members=members, pool=pool, treated=treated, outside=outside, weights=weights, periods=periods
            )
        ]
        drawn.append(log_ratio(parts))
        found = linearised_ratio(parts, 0.0, 0.95, "lower")
        errors.append(half_width(found.low, found.high) / 1.959964)
    # 400 draws: the deviation is known to 3.5 per cent
    assert np.mean(errors) == pytest.approx(np.std(drawn), rel=0.1)


def drawn_totals(n: int, spread: float, seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    totals = np.full((n, cf.N_TOTALS), 1000.0)
    totals[:, cf.OBSERVED_POST] *= np.exp(rng.normal(-0.1, spread, n))
    return totals


def statistic(totals: np.ndarray) -> np.ndarray:
    return cf.log_ratio(totals.sum(axis=-2), "change")


def run_bootstrap(totals: np.ndarray, sides: list[int]) -> Interval | None:
    return linearised.bootstrap(totals, sides, statistic, float, np.random.default_rng(3))


def test_both_are_refused_under_ten_neighbourhoods() -> None:
    assert run_bootstrap(drawn_totals(9, 0.1), [9]) is None
    assert run_bootstrap(drawn_totals(19, 0.1), [10, 9]) is None
    assert linearised.clustered_ratio(drawn_totals(9, 0.1)) is None
    assert linearised.clustered_ratio(drawn_totals(10, 0.1)) is not None


def test_the_bootstrap_interval_is_that_of_a_mean() -> None:
    found = run_bootstrap(drawn_totals(60, 0.1), [60])
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 0.1 / np.sqrt(60), rel=0.25)
    assert found.p_value == pytest.approx(0.002)


def test_the_same_seed_gives_the_same_bootstrap() -> None:
    assert run_bootstrap(drawn_totals(20, 0.1), [20]) == run_bootstrap(drawn_totals(20, 0.1), [20])


def test_cluster_robust_is_the_t_interval_of_neighbourhoods_of_one_size() -> None:
    """Equal totals but for the last: the log ratio is close to the mean of the logs."""
    totals = drawn_totals(25, 0.05)
    found = linearised.clustered_ratio(totals)
    assert found is not None
    logs = np.log(totals[:, cf.OBSERVED_POST] / 1000.0)
    error = logs.std(ddof=1) / np.sqrt(25)
    assert half_width(found.low, found.high) == pytest.approx(2.0639 * error, rel=0.02)


def test_cluster_robust_covers_where_its_assumption_holds() -> None:
    inside = 0
    for seed in range(400):
        found = linearised.clustered_ratio(drawn_totals(30, 0.15, seed))
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        truth = np.expm1(-0.1 + 0.15**2 / 2)  # the ratio of totals is a mean on the plain scale
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / 400 <= 0.98


def test_what_all_neighbourhoods_share_is_not_in_either() -> None:
    """A common shock moves the estimate and not the width: why placebos lead."""
    totals = drawn_totals(30, 0.1)
    moved = totals.copy()
    moved[:, cf.OBSERVED_POST] *= 1.3
    for found, shifted in (
        (linearised.clustered_ratio(totals), linearised.clustered_ratio(moved)),
        (run_bootstrap(totals, [30]), run_bootstrap(moved, [30])),
    ):
        assert found is not None
        assert shifted is not None
        assert shifted.low is not None
        assert shifted.low > (found.high or 0.0)
