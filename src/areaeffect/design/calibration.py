"""Calibration: weights that make benchmark areas equal to the treated ones on what is known.

The rule that makes weights unique is the smallest chi-square distance from equal weights:

    minimise  sum_j (w_j - d_j)^2 / (2 d_j)   subject to   X' w = target,  w >= 0

(Deville & Särndal 1992, doi 10.1080/01621459.1992.10475217, case 1; for synthetic controls
Robbins, Saunders & Kilmer 2017, doi 10.1080/01621459.2016.1213634, section 3). It is solved
through its dual, w = d max(0, 1 + X lambda), by semismooth Newton. Where no weights reach the
target, the same dual with a ridge gives the smallest squared imbalance that `RIDGE` allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Floats

#: Largest residual of a constraint, in standard deviations, that counts as met exactly.
EXACT = 1e-8
#: Price of one squared standard deviation of imbalance is 1 / (2 RIDGE), against the chi-square
#: distance of the weights; what moves with it: `docs/validation/ridge.md`.
RIDGE = 0.1
_MAX_STEPS = 60
_MAX_DUAL = 1e3  # a dual this long means that the target lies outside the pool's convex hull
_SOLVED = 1e-11  # gradient of the dual, which is the residual of the constraints
_SMALLEST_STEP = 1e-9
_ARMIJO = 1e-4
_JITTER = 1e-13
_DAMPING = 1e-4  # of the residual: a target near the hull's edge leaves few areas active


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Weights of one set of benchmark areas.

    Parameters
    ----------
    weights : (m,), non-negative, adding up to 1.
    imbalance : (p,), weighted mean minus target, in standard deviations.
    exact : whether every constraint is met to `EXACT`.
    steps : Newton steps taken.
    """

    weights: Floats
    imbalance: Floats
    exact: bool
    steps: int

    @property
    def n_effective(self) -> float:
        """Effective number of benchmark areas, (sum w)^2 / sum w^2 (Kish 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())


def calibrate(distance: Floats) -> Calibration:
    """Weight pool areas so that their mean distance from the target is zero.

    Parameters
    ----------
    distance : (m, p), each pool area's characteristics minus the target, in standard deviations.

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
    found, steps = _newton(design, 0.0)
    exact = bool(np.abs(_imbalance(design, found)).max() <= EXACT)
    if not exact:
        found, more = _newton(design, RIDGE)
        steps += more
        found = found / found.sum()
    return Calibration(found, _imbalance(design, found)[1:], exact, steps)


def _imbalance(design: Floats, weights: Floats) -> Floats:
    miss = weights @ design
    miss[0] -= 1.0
    return np.asarray(miss)


def _newton(design: Floats, ridge: float) -> tuple[Floats, int]:
    """Minimise the dual  mean(max(0, 1 + X l)^2) / 2 - l_0 + ridge |l|^2 / 2  over l."""
    m, p = design.shape
    dual = np.zeros(p)
    linear = np.ones(m)  # 1 + X l; w = max(0, linear) / m
    penalty = np.full(p, ridge)
    penalty[0] = 0.0  # weights always add up to one
    value = 0.5
    steps = 0
    for steps in range(_MAX_STEPS):  # noqa: B007  # the count is part of the result
        active = np.flatnonzero(linear > 0.0)
        rows = design if len(active) == m else design[active]
        gradient = linear[active] @ rows / m + penalty * dual
        gradient[0] -= 1.0
        if np.abs(gradient).max() <= _SOLVED or np.abs(dual).max() > _MAX_DUAL:
            break
        curvature = rows.T @ rows / m
        damping = _JITTER * (1.0 + curvature.flat[:: p + 1]) + _DAMPING * np.abs(gradient).max()
        curvature.flat[:: p + 1] += penalty + damping
        direction = -np.linalg.solve(curvature, gradient)
        along = design @ direction
        slope = float(gradient @ direction)
        size = 1.0
        while size >= _SMALLEST_STEP:
            trial = linear + size * along
            trial_dual = dual + size * direction
            positive = np.maximum(trial, 0.0)
            trial_value = 0.5 * (positive @ positive / m + penalty @ trial_dual**2) - trial_dual[0]
            if trial_value <= value + _ARMIJO * size * slope:
                break
            size *= 0.5
        else:  # no descent left: as close as rounding allows
            break
        linear, dual, value = trial, trial_dual, trial_value
    return np.maximum(linear, 0.0) / m, steps
