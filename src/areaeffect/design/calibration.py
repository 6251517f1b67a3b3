"""Weights of benchmark areas: by calibration, or by matching the nearest.

The rule that makes weights unique is the smallest distance from equal weights d:

    minimise  sum_j D(w_j, d_j)   subject to   X' w = target,  w >= 0

    chi-square (leading)   D = (w - d)^2 / (2 d)             w = d max(0, 1 + X lambda)
    entropy                D = w log(w / d) - w + d          w = d exp(X lambda)

(Deville & Särndal 1992, doi 10.1080/01621459.1992.10475217, cases 1 and 2; for synthetic controls
Robbins, Saunders & Kilmer 2017, doi 10.1080/01621459.2016.1213634, section 3; entropy balancing:
Hainmueller 2012, doi 10.1093/pan/mpr025, equation 7). Both are solved through their dual by
(semismooth) Newton. Where no weights reach the target, the same dual with a ridge gives the
smallest squared imbalance that `RIDGE` allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.panel import Measure, Panel, picked
from areaeffect.periods import PeriodKind
from areaeffect.results import Bools, Floats, Ints

#: Largest residual of a constraint, in standard deviations, that counts as met exactly.
EXACT = 1e-8
#: Price of one squared standard deviation of imbalance is 1 / (2 RIDGE), against the chi-square
#: distance of the weights. From 0.01 to 1 placebo deviations hardly move: by a sixth.
RIDGE = 0.1
_MAX_STEPS = 60
_MAX_DUAL = 1e3  # a dual this long means that the target lies outside the pool's convex hull
_SOLVED = 1e-11  # gradient of the dual, which is the residual of the constraints
_SMALLEST_STEP = 1e-9
_ARMIJO = 1e-4
_ROUNDING = 1e-14  # of the dual: near its minimum a step gains less than rounding error
_JITTER = 1e-13
_DAMPING = 1e-4  # of the residual: a target near the hull's edge leaves few areas active


@dataclass(frozen=True, slots=True)
class _Distance:
    """A distance of weights from equal ones, by the convex conjugate F of its dual.

    Each function takes u = 1 + X lambda, (m,): `loss` is the sum of F(u), `weight` m w = F'(u),
    `bend` F''(u), or None where it is 1 wherever `active` is true; elsewhere F is flat.
    """

    loss: Callable[[Floats], float]
    weight: Callable[[Floats], Floats]
    active: Callable[[Floats], Bools]
    bend: Callable[[Floats], Floats] | None


def _exp(u: Floats) -> Floats:
    with np.errstate(over="ignore"):  # the line search turns back where it overflows
        return np.asarray(np.exp(u - 1.0))


def _half_squares(u: Floats) -> float:
    positive = np.maximum(u, 0.0)
    return 0.5 * float(positive @ positive)


_DISTANCES = {
    "chi-square": _Distance(_half_squares, lambda u: np.maximum(u, 0.0), lambda u: u > 0, None),
    "entropy": _Distance(lambda u: float(_exp(u).sum()), _exp, lambda u: u > -np.inf, _exp),
}


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Weights of one set of benchmark areas."""

    weights: Floats  # (m,), non-negative, adding up to 1
    imbalance: Floats  # (p,), weighted mean minus target, in standard deviations
    exact: bool  # whether every constraint is met to `EXACT`
    steps: int  # Newton steps taken

    @property
    def n_effective(self) -> float:
        """Effective number of benchmark areas, (sum w)^2 / sum w^2 (Kish 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())


def calibrate(distance: Floats, kind: str = "chi-square") -> Calibration:
    """Weight pool areas so that their mean distance from the target is zero.

    Parameters
    ----------
    distance : (m, p), each pool area's characteristics minus the target, in standard deviations.
    kind : 'chi-square' or 'entropy': the distance from equal weights that is kept small.

    Returns
    -------
    Calibration
        Exact where feasible, else with the smallest ridge-bounded imbalance; `exact` says which.

    Examples
    --------
    >>> import numpy as np
    >>> calibrate(np.array([[-1.0], [3.0]])).weights.round(6).tolist()
    [0.75, 0.25]
    """
    m = len(distance)
    design = np.empty((m, distance.shape[1] + 1))
    design[:, 0] = 1.0
    design[:, 1:] = distance
    found, steps = _newton(design, 0.0, _DISTANCES[kind])
    exact = found is not None and bool(np.abs(_imbalance(design, found)).max() <= EXACT)
    if found is None or not exact:
        found, more = _newton(design, RIDGE, _DISTANCES[kind])
        steps += more
        if found is None:
            raise AssertionError(more)  # with a ridge there always is a minimum
        found = found / found.sum()
    return Calibration(found, _imbalance(design, found)[1:], exact, steps)


def _imbalance(design: Floats, weights: Floats) -> Floats:
    miss = weights @ design
    miss[0] -= 1.0
    return np.asarray(miss)


def _newton(design: Floats, ridge: float, distance: _Distance) -> tuple[Floats | None, int]:
    """Minimise the dual  mean(F(1 + X l)) - l_0 + ridge |l|^2 / 2  over l.

    Without a ridge there is no minimum where the target lies outside the pool's convex hull. A
    Newton step usually shows that at once: its direction is a plane with every pool area on one
    side of it and the target on the other. Then no weights are returned.
    """
    from scipy.linalg.lapack import dposv

    m, p = design.shape
    dual = np.zeros(p)
    linear = np.ones(m)  # 1 + X l
    penalty = np.full(p, ridge)
    penalty[0] = 0.0  # weights always add up to one
    value = distance.loss(linear) / m
    steps = 0
    for steps in range(_MAX_STEPS):  # the count is part of the result
        active = np.flatnonzero(distance.active(linear))
        rows = design if len(active) == m else design.take(active, axis=0)
        gradient = distance.weight(linear[active]) @ rows / m + penalty * dual
        gradient[0] -= 1.0
        if np.abs(gradient).max() <= _SOLVED or np.abs(dual).max() > _MAX_DUAL:
            break
        bent = rows if distance.bend is None else rows * distance.bend(linear[active])[:, None]
        curvature = rows.T @ bent / m
        damping = _JITTER * (1.0 + curvature.flat[:: p + 1]) + _DAMPING * np.abs(gradient).max()
        curvature.flat[:: p + 1] += penalty + damping
        _, direction, failed = dposv(curvature, -gradient)
        if failed:  # not positive definite to working precision
            direction = -np.linalg.solve(curvature, gradient)
        along = design @ direction
        beyond = (along - direction[0]).max() < -EXACT * np.abs(direction[1:]).sum()
        if not ridge and beyond:  # every area lies beyond the target in this direction
            return None, steps
        slope = float(gradient @ direction)
        size = 1.0
        while size >= _SMALLEST_STEP:
            trial = linear + size * along
            trial_dual = dual + size * direction
            trial_value = distance.loss(trial) / m - trial_dual[0]
            trial_value += 0.5 * float(penalty @ trial_dual**2)
            if trial_value <= value + _ARMIJO * size * slope + _ROUNDING * abs(value):
                break
            size *= 0.5
        else:  # no descent left: as close as rounding allows
            break
        linear, dual, value = trial, trial_dual, trial_value
    return distance.weight(linear) / m, steps


#: Neighbours looked up for each match, so that exclusions leave enough.
_PER_MATCH = 12


@dataclass(frozen=True, slots=True)
class Matching:
    """How benchmark areas are weighted, once the pool is known."""

    calibration: str = "chi-square"  # 'chi-square', 'entropy', or 'none' for matched areas only
    ratio: int = 5  # matches of each treated area, where calibration is none

    def depth(self, nearest: int) -> int:
        """Return how many nearest areas of each area must be known; 0 for none."""
        return max(nearest, _PER_MATCH * self.ratio) if self.calibration == "none" else nearest


def match(order: Ints, allowed: Bools, rule: Matching) -> tuple[Ints, Floats] | None:
    """Match every treated area of a neighbourhood with its most alike areas.

    Parameters
    ----------
    order : (n_treated, k), areas in order of distance from each treated one.
    allowed : (n_areas,), areas that may be matched.

    Returns
    -------
    Matched areas (m,), ascending, and their weights, which add up to the number of treated
    areas: each treated area's matches share one. None where a treated area has no match, since
    leaving it out would change who the finding is about.
    """
    may = allowed[order]
    take = may & (np.cumsum(may, axis=1) <= rule.ratio)
    found = take.sum(axis=1)
    if (found == 0).any():
        return None
    weights = np.zeros(len(allowed))
    np.add.at(weights, order[take], np.repeat(1.0 / found, found))
    pool = np.flatnonzero(weights)
    return pool, weights[pool]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Characteristics of every area as they stood before one start."""

    names: tuple[str, ...]  # of the p characteristics
    values: Floats  # (n_areas, p)
    #: (n_areas, n_outcomes), mean outcome before the programme's first start, per exposure where there is
    #: one: what common support and the likeness of placebos are judged by. After that start the outcome of a
    #: place that began early may hold the effect.
    level: Floats


def features(
    panel: Panel,
    measures: Sequence[Measure],
    used: Sequence[Bools],
    start: int,
    start_kind: PeriodKind,
    history: str | None,
    first: tuple[int, PeriodKind] | None = None,
) -> Features:
    """Build the characteristics that a design for one start may use.

    Parameters
    ----------
    used : for each measure, (n_periods,), periods the neighbourhood has values for.
    history : '12-month blocks', 'every period', or None for a level claim (no history).
    first : the first start of the programme; None where it is this one.
    """
    columns = [panel.covariates]
    names = list(panel.covariate_names)
    levels = []
    for measure, mask in zip(measures, used, strict=True):
        before, _ = measure.periods.split(start, start_kind)
        past, kept = measure.values[:, before], mask[before]
        begun = before if first is None else measure.periods.split(*first)[0]
        levels.append(_level(picked(measure.values[:, begun], mask[begun]), measure))
        if history is None:
            continue
        for block in blocks_of(kept, measure, history):
            index = np.flatnonzero(block)
            cells = picked(past, block)
            columns.append((cells.sum(1) if measure.is_count else cells.mean(1))[:, None])
            labels = measure.periods.labels
            span = labels[index[0]] if len(index) == 1 else f"{labels[index[0]]} to {labels[index[-1]]}"
            names.append(f"{measure.name}, {span}")
    level = np.column_stack(levels) if levels else np.empty((len(panel.areas), 0))
    return Features(tuple(names), np.column_stack(columns), level)


def _level(cells: Floats, measure: Measure) -> Floats:
    if cells.shape[1] == 0:
        return np.zeros(len(cells))
    mean = cells.mean(axis=1)
    if measure.exposure is None or not measure.is_count:
        return np.asarray(mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(mean / measure.exposure)


def blocks_of(kept: Bools, measure: Measure, history: str) -> list[Bools]:
    """Blocks of twelve months back from the start; a shorter rest at the beginning is left out.

    A history under twelve months is one block.
    """
    n = len(kept)
    per_year = measure.periods.kind.per_year
    length = 1 if history == "every period" or per_year is None else per_year
    ends = range(n, 0, -length)
    spans = [(end - length, end) for end in ends if end - length >= 0] or ([(0, n)] if n else [])
    blocks = []
    for first, last in reversed(spans):
        block = np.zeros(n, dtype=bool)
        block[first:last] = kept[first:last]
        if block.any():
            blocks.append(block)
    return blocks
