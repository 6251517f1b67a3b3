from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from areaeffect.checks.honest import MOST, breakdown, joint_p, relative_magnitude, smoothness

STEP = np.array([0.1])
COVARIANCE = np.array([[0.04, 0.01], [0.01, 0.02]])
TIMES, AFTER = np.arange(-4.0, 0.0), np.arange(4.0)
PATH = np.diag([0.02, 0.01, 0.01, 0.01, 0.01])


def magnitude(mbar: float, theta: float = -1.0):
    return relative_magnitude(theta, STEP, COVARIANCE, 2.0, mbar)


def bent(most: float, leads: np.ndarray | None = None, covariance: np.ndarray = PATH):
    given = np.zeros(4) if leads is None else leads
    return smoothness(-1.0, given, covariance, TIMES, AFTER, most)


def test_without_drift_it_is_the_ordinary_interval() -> None:
    found = magnitude(0.0)
    assert found.low == pytest.approx(-1 - 1.959964 * 0.2)
    assert found.high == pytest.approx(-1 + 1.959964 * 0.2)


def test_without_noise_it_is_the_identified_set() -> None:
    found = relative_magnitude(-1.0, np.array([0.1, -0.3]), np.zeros((3, 3)), 2.0, 0.5)
    assert (found.low, found.high) == pytest.approx((-1.3, -0.7))


def test_intervals_widen_with_what_is_allowed() -> None:
    for bound in (magnitude, bent):
        found = [bound(size) for size in (0.0, 0.05, 0.5, 1.0, 2.0)]
        assert all(a.low > b.low and a.high < b.high for a, b in pairwise(found))


def test_it_covers_where_the_restriction_binds() -> None:
    """Drift after the start of exactly Mbar times that before it, the least favourable case."""
    rng = np.random.default_rng(1)
    drift, reach, mbar, effect = 0.1, 2.0, 1.0, -0.5
    draws = rng.multivariate_normal([effect + mbar * reach * drift, drift], COVARIANCE / 4, 4000)
    inside = 0
    for theta, step in draws:
        found = relative_magnitude(theta, np.array([step]), COVARIANCE / 4, reach, mbar)
        inside += found.low <= effect <= found.high
    assert inside / len(draws) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / len(draws))


def test_a_straight_line_goes_on() -> None:
    leads = 0.3 + 0.1 * TIMES
    found = bent(0.0, leads)
    assert (found.low + found.high) / 2 == pytest.approx(-1.0 - (0.3 + 0.1 * AFTER.mean()))


def test_without_noise_smoothness_is_the_bias_of_the_last_slope() -> None:
    """From the last two points a slope may bend by M at every later step."""
    found = bent(0.2, covariance=np.zeros((5, 5)))
    drift = np.cumsum(np.cumsum(np.full(4, 0.2)))  # each step a further M steeper
    assert (found.high - found.low) / 2 == pytest.approx(drift.mean(), rel=1e-6)


def test_smoothness_covers_a_path_that_bends_as_much_as_allowed() -> None:
    rng = np.random.default_rng(2)
    most, effect = 0.05, -0.5
    every = np.concatenate([TIMES, AFTER])
    path = 0.02 * every + most * np.maximum(every + 1, 0) * (np.maximum(every + 1, 0) + 1) / 2
    truth = np.array([effect + path[4:].mean(), *path[:4]])
    draws = rng.multivariate_normal(truth, PATH / 10, 600)
    inside = 0
    for row in draws:
        found = smoothness(row[0], row[1:], PATH / 10, TIMES, AFTER, most)
        inside += found.low <= effect <= found.high
    assert inside / len(draws) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / len(draws))


def test_the_breakdown_value_is_where_zero_comes_in() -> None:
    value = breakdown(magnitude)
    assert value is not None
    assert magnitude(value).high == pytest.approx(0.0, abs=0.002)
    assert breakdown(lambda m: magnitude(m, theta=0.1)) == 0.0
    assert breakdown(lambda m: relative_magnitude(-1.0, STEP * 0, COVARIANCE * 0, 2.0, m)) is None
    assert MOST == 20.0  # the words say twenty


def test_leads_are_tested_together() -> None:
    rng = np.random.default_rng(3)
    draws = rng.normal(size=(199, 4))
    p_values = np.array([joint_p(lead, draws) for lead in rng.normal(size=(400, 4))])
    assert np.mean(p_values <= 0.05) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 400))
    assert joint_p(np.array([0.0, 0.0, 5.0, 0.0]), draws) == 1 / 200
