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

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.results import Interval, IntervalKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.results import Floats, Ints


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
    """Return the linearised interval of a ratio of totals.

    Parameters
    ----------
    parts : one a neighbourhood.
    log_ratio : the estimate, which is the middle of the interval.
    level : of the two-sided interval, which is symmetric on the log scale (delta method).
    better : direction of the one-sided p-value, which is that of the additive difference.
    """
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
