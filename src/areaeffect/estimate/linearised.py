"""Linearised interval of weighted comparisons, as survey software computes it.

The companion that R microsynth prints (Robbins & Davenport 2021, doi 10.18637/jss.v097.i02,
section 3.4): area-periods after the start are regressed on treatment and period dummies with
the calibration weights; the sandwich variance takes area-periods as independent, which areas
are not, and leaves the estimation of the weights out. Each neighbourhood has its own weights and
its own regression; their parts in the ratio of totals are added up area-period by area-period, so
that a benchmark area of several neighbourhoods counts once, with all its weight. It is printed
beside the placebo interval, never instead of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.estimate import counterfactual as cf
from areaeffect.results import Floats, Interval, IntervalKind, Ints


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Compared:
    """One neighbourhood and its benchmark areas after the start."""

    #: members, pool: (n_treated,), (m,), positions of areas in the panel
    members: Ints
    pool: Ints
    #: treated, outside: (n_treated, n_periods), (m, n_periods), counts
    treated: Floats
    outside: Floats
    weights: Floats  # (m,), adding up to the number of treated areas
    periods: Ints  # (n_periods,), positions of the periods in the panel


def linearised_ratio(parts: Sequence[Compared], log_ratio: float, level: float, better: str) -> Interval:
    """Return the linearised interval of a ratio of totals."""
    from scipy.stats import norm

    fitted = [_regression(part) for part in parts]
    size = [part.treated.size for part in parts]
    reached = sum(k * (base + gap) for k, (base, gap, _, _) in zip(size, fitted, strict=True))
    expected = sum(k * base for k, (base, _, _, _) in zip(size, fitted, strict=True))
    ratio, difference = [], []  # what each area-period adds to the log ratio, and to the difference
    for k, (_, _, on_base, on_gap) in zip(size, fitted, strict=True):
        ratio.append(k * ((on_base + on_gap) / reached - on_base / expected))
        difference.append(k * on_gap)
    area = [np.repeat(np.concatenate([p.members, p.pool]), len(p.periods)) for p in parts]
    period = [np.tile(p.periods, len(p.members) + len(p.pool)) for p in parts]
    keys = np.column_stack([np.concatenate(area), np.concatenate(period)])
    cells, cell = np.unique(keys, axis=0, return_inverse=True)
    scale = len(cells) / (len(cells) - 1)
    error, spread = (
        float(np.sqrt(scale * (np.bincount(cell, weights=np.concatenate(phi)) ** 2).sum()))
        for phi in (ratio, difference)
    )
    tail = float(norm.cdf(float(reached - expected) / spread))
    p_value = tail if better == "lower" else 1 - tail
    half = float(norm.ppf(0.5 + level / 2)) * error
    low, high = float(np.expm1(log_ratio - half)), float(np.expm1(log_ratio + half))
    return Interval(
        kind=IntervalKind.LINEARISED, level=level, low=low, high=high, p_value=p_value, alternative=better
    )


def _regression(part: Compared) -> tuple[float, float, Floats, Floats]:
    """Regress on treatment and period dummies: base, gap, and each area-period's part in them."""
    n_periods = len(part.periods)
    n_treated, n = len(part.members), len(part.members) + len(part.pool)
    outcome = np.concatenate([part.treated, part.outside]).ravel()
    weight = np.repeat(np.concatenate([np.ones(n_treated), part.weights]), n_periods)
    is_treated = np.repeat(np.arange(n) < n_treated, n_periods)
    design = np.column_stack([is_treated.astype(float), np.tile(np.eye(n_periods), (n, 1))])
    weighted = design * weight[:, None]
    bread = np.linalg.inv(weighted.T @ design)
    coefficient = bread @ (weighted.T @ outcome)
    influence = weighted * (outcome - design @ coefficient)[:, None] @ bread
    base = float(coefficient[1:].mean())
    return base, float(coefficient[0]), influence[:, 1:].mean(axis=1), influence[:, 0]


#: Neither is given for fewer neighbourhoods (on either side of a contrast).
MIN_CLUSTERS = 10
REPLICATES = 999


def clustered_ratio(totals: Floats, level: float = 0.95) -> Interval | None:
    """Return the cluster-robust interval of a ratio of totals; None under `MIN_CLUSTERS`.

    Each neighbourhood's part in the log ratio, by linearisation (Cochran 1977, Sampling
    Techniques, equation 6.4):

        phi_g = Y_g / Y - Yhat_g / Yhat after the start, less the same before it

    with variance G / (G - 1) sum_g phi_g^2 and Student's t with G - 1 degrees of freedom (Liang &
    Zeger 1986, doi 10.1093/biomet/73.1.13, with the usual correction for few clusters).

    Parameters
    ----------
    totals : (n_neighbourhoods, n_totals).
    """
    from scipy.stats import t

    n = len(totals)
    if n < MIN_CLUSTERS:
        return None
    sides = [cf.OBSERVED_POST, cf.EXPECTED_POST, cf.OBSERVED_PRE, cf.EXPECTED_PRE]
    share = totals[:, sides] / totals[:, sides].sum(axis=0)
    part = share @ np.array([1.0, -1.0, -1.0, 1.0])
    middle = float(cf.log_ratio(totals.sum(axis=0), "change"))
    error = float(np.sqrt(n / (n - 1) * (part**2).sum()))
    if not np.isfinite(middle) or error == 0:
        return None
    law = t(n - 1)
    half = float(law.ppf(0.5 + level / 2)) * error
    low, high = float(np.expm1(middle - half)), float(np.expm1(middle + half))
    p_value = float(2 * law.sf(abs(middle) / error))
    return Interval(kind=IntervalKind.CLUSTERED, level=level, low=low, high=high, p_value=p_value)


def bootstrap(
    totals: Floats,
    sides: Sequence[int],
    statistic: Callable[[Floats], Floats],
    printed: Callable[[float], float | None],
    rng: np.random.Generator,
    level: float = 0.95,
) -> Interval | None:
    """Return the percentile interval; None with under `MIN_CLUSTERS` on a side.

    Neighbourhoods are drawn with replacement (Cameron, Gelbach & Miller 2008, doi
    10.1162/rest.90.3.414, pairs cluster bootstrap).

    Parameters
    ----------
    totals : (n_neighbourhoods, n_totals), those of the first side first.
    statistic : effects of (..., n_neighbourhoods, n_totals).
    """
    if min(sides) < MIN_CLUSTERS:
        return None
    first, drawn = 0, []
    for n in sides:
        drawn.append(first + rng.integers(n, size=(REPLICATES, n)))
        first += n
    effects = statistic(totals[np.concatenate(drawn, axis=1)])
    effects = effects[np.isfinite(effects)]
    if len(effects) < REPLICATES:
        return None
    low, high = np.quantile(effects, [(1 - level) / 2, (1 + level) / 2])
    below, above = int((effects <= 0).sum()), int((effects >= 0).sum())
    p_value = min(1.0, 2 * (1 + min(below, above)) / (REPLICATES + 1))
    return Interval(
        kind=IntervalKind.BOOTSTRAP,
        level=level,
        low=printed(float(low)),
        high=printed(float(high)),
        p_value=p_value,
    )


@dataclass(frozen=True, slots=True)
class Staggered:
    """An estimate with its standard errors."""

    estimate: float  # in units of the outcome
    #: standard error, net of the part of the variance of effects that history explains (their section 2.4)
    error: float
    conservative: float  # standard error without that (Neyman)
    beta: float  # the weight of the gaps before the starts


def random_timing(outcome: Floats, start: Ints, beta: float | None = None) -> Staggered:
    """Estimate the effect of starting, over treated cells, each once.

    Parameters
    ----------
    outcome : (n_units, n_periods).
    start : (n_units,), position of the first treated period; n_periods or more for never.
    beta : 1 for Callaway and Sant'Anna, 0 for the difference in means; None for the best one.
    """
    starts, sizes = np.unique(start, return_counts=True)
    if sizes.min() < 2:  # noqa: PLR2004  # a variance needs two
        raise ValueError("a start with a single unit has no variance")
    after, before = _contrasts(starts, sizes, outcome.shape[1])
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


def _contrasts(starts: Ints, sizes: Ints, n_periods: int) -> tuple[Floats, Floats]:
    """Return the weights of each start's mean path in theta_0 and in X, (n_starts, n_periods)."""
    periods = np.arange(n_periods)
    cells = (starts[:, None] <= periods) & (periods < starts.max())  # treated, and some later left
    if not cells.any():
        raise ValueError("no treated period has units that start later")
    weight = cells * sizes[:, None].astype(np.float64)
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
