"""The efficient estimator for staggered starts whose timing is as good as random.

Roth & Sant'Anna 2023, Efficient estimation for staggered rollout designs (doi 10.1086/726581).
With Ybar_g the mean path of the units that start at g, and cells (t, g) of treated periods,

    theta_0 = sum_tg w_tg (Ybar_g,t   - Ybar_later,t)      units that start after t are compared
    X       = sum_tg w_tg (Ybar_g,g-1 - Ybar_later,g-1)    the same gaps before each start
    theta   = theta_0 - beta X,   beta = Cov(theta_0, X) / Var(X)      (their equation 8)

beta = 1 is the estimator of Callaway and Sant'Anna with units not yet treated; random timing makes
X mean zero, so that the beta of smallest variance may be used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from areaeffect.results import Floats, Ints


@dataclass(frozen=True, slots=True)
class Staggered:
    """An estimate with its standard errors."""

    estimate: float  # in units of the outcome
    #: standard error, net of the part of the variance of effects that history explains (their section 2.4)
    error: float
    conservative: float  # standard error without that (Neyman)
    beta: float  # the weight of the gaps before the starts


def random_timing(
    outcome: Floats, start: Ints, estimand: str = "simple", beta: float | None = None
) -> Staggered:
    """Estimate the effect of starting, over treated cells.

    Parameters
    ----------
    outcome : (n_units, n_periods).
    start : (n_units,), position of the first treated period; n_periods or more for never.
    estimand : how cells are weighted: 'simple' (each unit-period once), 'cohort' (each unit once)
        or 'calendar' (each period once).
    beta : 1 for Callaway and Sant'Anna, 0 for the difference in means; None for the best one.

    Raises
    ------
    ValueError
        Where a start has a single unit, which has no variance, or no cell can be compared.
    """
    starts, sizes = np.unique(start, return_counts=True)
    if sizes.min() < 2:  # noqa: PLR2004  # a variance needs two
        msg = "a start with a single unit has no variance"
        raise ValueError(msg)
    after, before = _contrasts(starts, sizes, outcome.shape[1], estimand)
    means = np.array([outcome[start == s].mean(axis=0) for s in starts])
    covariances = [np.cov(outcome[start == s], rowvar=False) for s in starts]
    variance = np.zeros((2, 2))  # of (theta_0, X)
    for s, both in enumerate(zip(after, before, strict=True)):
        rows = np.array(both)
        variance += rows @ covariances[s] @ rows.T / sizes[s]
    if beta is None:
        beta = float(variance[0, 1] / variance[1, 1]) if variance[1, 1] > 0 else 0.0
    direction = np.array([1.0, -beta])
    conservative = float(direction @ variance @ direction)
    effect = float(((after - beta * before) * means).sum())
    explained = _explained(after, covariances, int(starts[0]), int(sizes.sum()))
    return Staggered(
        effect, float(np.sqrt(max(conservative - explained, 0.0))), float(np.sqrt(conservative)), beta
    )


def _contrasts(starts: Ints, sizes: Ints, n_periods: int, estimand: str) -> tuple[Floats, Floats]:
    """Return the weights of each start's mean path in theta_0 and in X, (n_starts, n_periods)."""
    periods = np.arange(n_periods)
    cells = (starts[:, None] <= periods) & (periods < starts.max())  # treated, and some later left
    if not cells.any():
        msg = "no treated period has units that start later"
        raise ValueError(msg)
    weight = cells * sizes[:, None].astype(np.float64)
    if estimand == "calendar":
        used = weight.sum(axis=0)
        weight = np.divide(weight, used, out=np.zeros_like(weight), where=used > 0)
    elif estimand == "cohort":
        weight /= np.maximum(cells.sum(axis=1, keepdims=True), 1)
    weight /= weight.sum()
    after, before = np.zeros_like(weight), np.zeros_like(weight)
    for s, t in zip(*np.nonzero(cells), strict=True):
        later = np.where(starts > t, sizes, 0)
        share = weight[s, t] * later / later.sum()
        after[s, t] += weight[s, t]
        after[:, t] -= share
        if starts[s] > 0:
            before[s, starts[s] - 1] += weight[s, t]
            before[:, starts[s] - 1] -= share
    return after, before


def _explained(after: Floats, covariances: list[Floats], first: int, n_units: int) -> float:
    """Variance of effects that outcomes before the first start predict: a lower bound of it."""
    if first == 0:
        return 0.0
    total = np.zeros(first)
    for weights, covariance in zip(after, covariances, strict=True):
        total += np.linalg.pinv(covariance[:first, :first]) @ (covariance[:first] @ weights)
    mean = np.mean([c[:first, :first] for c in covariances], axis=0)
    return float(total @ mean @ total) / n_units
