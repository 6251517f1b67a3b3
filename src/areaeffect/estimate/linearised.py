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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Influence:
    """What each area-period adds to the log ratio, and to the difference, of totals."""

    on_ratio: Floats
    on_difference: Floats
    difference: float
    area: Ints
    period: Ints
    n: int


def linearised_ratio(parts: Sequence[Compared], log_ratio: float, level: float, better: str) -> Interval:
    """Return the linearised interval of a ratio of totals."""
    from scipy.stats import norm

    found = _influence(parts)
    cell = np.unique(np.column_stack([found.area, found.period]), axis=0, return_inverse=True)[1]
    scale = found.n / (found.n - 1)
    error, spread = (
        float(np.sqrt(scale * (_added(phi, cell) ** 2).sum()))
        for phi in (found.on_ratio, found.on_difference)
    )
    tail = float(norm.cdf(found.difference / spread))
    p_value = tail if better == "lower" else 1 - tail
    half = float(norm.ppf(0.5 + level / 2)) * error
    low, high = float(np.expm1(log_ratio - half)), float(np.expm1(log_ratio + half))
    return Interval(
        kind=IntervalKind.LINEARISED, level=level, low=low, high=high, p_value=p_value, alternative=better
    )


def _added(values: Floats, group: Ints) -> Floats:
    return np.asarray(np.bincount(group, weights=values), dtype=np.float64)


def _influence(parts: Sequence[Compared]) -> _Influence:
    """Linearise log(sum_g treated total) - log(sum_g benchmark total) in every area-period."""
    fitted = [_regression(part) for part in parts]
    size = [part.treated.size for part in parts]
    reached = sum(k * (base + gap) for k, (base, gap, _, _) in zip(size, fitted, strict=True))
    expected = sum(k * base for k, (base, _, _, _) in zip(size, fitted, strict=True))
    ratio, difference = [], []
    for k, (_, _, on_base, on_gap) in zip(size, fitted, strict=True):
        ratio.append(k * ((on_base + on_gap) / reached - on_base / expected))
        difference.append(k * on_gap)
    area = [np.repeat(np.concatenate([p.members, p.pool]), len(p.periods)) for p in parts]
    period = [np.tile(p.periods, len(p.members) + len(p.pool)) for p in parts]
    cells = np.unique(np.column_stack([np.concatenate(area), np.concatenate(period)]), axis=0)
    return _Influence(
        on_ratio=np.concatenate(ratio),
        on_difference=np.concatenate(difference),
        difference=float(reached - expected),
        area=np.concatenate(area),
        period=np.concatenate(period),
        n=len(cells),
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
