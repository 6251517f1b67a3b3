"""HonestDiD on the stored event studies of Benzarti & Carloni and of Lovenheim & Willen.

No published bound is stored (`published_figures.csv` says ABSENT), and none is guessed. The
identified sets and the fixed-length intervals are those of another program, diff-diff 3.13.0,
which implements the same restrictions on its own; its intervals for relative magnitudes leave out
that the steps before the start are themselves estimated, so only its identified set is compared.
Tolerances: identified sets are linear (1e-9); the interval is a minimum, found by both to about
1e-4 of its length.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from areaeffect.checks.honest import breakdown, relative_magnitude, smoothness

FOLDER = "validation/honest_did"
REASON = "diff-diff, of the extra 'crosscheck', is not installed"


@pytest.fixture(scope="module")
def other() -> Any:
    pytest.importorskip("diff_diff", reason=REASON)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from diff_diff import honest_did

    return honest_did


class Stored:
    """One stored event study: the mean effect after the start, and the leads before it."""

    def __init__(self, folder: Path, name: str) -> None:
        read = pd.read_csv(folder / f"{name}_event_study_coefficients.csv")
        table = pd.read_csv(folder / f"{name}_event_study_covariance.csv")
        before = read["is_pre_period"].to_numpy(bool)
        self.beta = read["estimate"].to_numpy()
        self.sigma = table.iloc[:, 1:].to_numpy()
        self.k, self.t = int(before.sum()), int((~before).sum())
        self.mean = np.full(self.t, 1 / self.t)
        self.theta = float(self.mean @ self.beta[self.k :])
        reference = read["reference_period"].iloc[0]
        periods = read["period"].to_numpy(float)
        self.times, self.after = np.append(periods[before], reference), periods[~before]

    def magnitude(self, mbar: float, noise: float = 1.0):
        leads = np.append(self.beta[: self.k], 0.0)
        turn = np.zeros((self.k + 1, len(self.beta)))
        turn[0, self.k :] = self.mean
        turn[1:, : self.k] = np.diff(np.eye(self.k + 1), axis=0)[:, : self.k]
        covariance = noise * turn @ self.sigma @ turn.T
        reach = float(self.mean @ np.arange(1, self.t + 1))
        return relative_magnitude(self.theta, np.diff(leads), covariance, reach, mbar)

    def smooth(self, most: float):
        turn = np.zeros((self.k + 2, len(self.beta)))
        turn[0, self.k :] = self.mean
        turn[1 : self.k + 1, : self.k] = np.eye(self.k)  # the reference period is 0 and certain
        leads = np.append(self.beta[: self.k], 0.0)
        covariance = turn @ self.sigma @ turn.T
        return smoothness(self.theta, leads, covariance, self.times, self.after, most)


@pytest.fixture(scope="module", params=["bc", "lw"])
def stored(request: pytest.FixtureRequest, real_data: Path) -> Stored:
    return Stored(real_data / FOLDER, request.param)


@pytest.mark.parametrize("mbar", [0.5, 1.0, 2.0])
def test_relative_magnitudes_identify_the_same_set(mbar: float, stored: Stored, other: Any) -> None:
    pre, post = stored.beta[: stored.k], stored.beta[stored.k :]
    expected = other._solve_rm_bounds_union(pre, post, stored.mean, stored.k, mbar)
    found = stored.magnitude(mbar, noise=0.0)
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-9)
    with_noise = stored.magnitude(mbar)
    assert with_noise.low < found.low
    assert with_noise.high > found.high


@pytest.mark.parametrize("most", [0.0, 0.01, 0.05])
def test_smoothness_gives_the_same_interval(most: float, real_data: Path, other: Any) -> None:
    stored = Stored(real_data / FOLDER, "bc")  # the other program takes a minute for the longer one
    pre, post = stored.beta[: stored.k], stored.beta[stored.k :]
    expected = other._compute_optimal_flci(pre, post, stored.sigma, stored.mean, stored.k, stored.t, most)
    found = stored.smooth(most)
    length = expected[1] - expected[0]
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-4 * length)


def test_no_drift_is_the_ordinary_interval(stored: Stored) -> None:
    error = float(np.sqrt(stored.mean @ stored.sigma[stored.k :, stored.k :] @ stored.mean))
    found = stored.magnitude(0.0)
    ends = (stored.theta - 1.959964 * error, stored.theta + 1.959964 * error)
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-6)


def test_breakdown_values_lie_between_bounds_with_and_without_zero(stored: Stored) -> None:
    value = breakdown(stored.magnitude)
    assert value is not None
    just_before, just_after = stored.magnitude(value - 0.01), stored.magnitude(value + 0.01)
    assert just_before.low > 0 or just_before.high < 0
    assert just_after.low <= 0 <= just_after.high
