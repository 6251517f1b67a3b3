"""How far an effect stands if the areas would have gone on drifting apart by themselves.

Rambachan & Roth (2023, doi 10.1093/restud/rdad018) bound what the difference from parallel
trends may do after the start by what it did before. Both of their restrictions are used:

    relative magnitudes   |d_{t+1} - d_t| <= Mbar * max over s before the start of |d_{s+1} - d_s|
    smoothness            |(d_{t+1} - d_t) - (d_t - d_{t-1})| <= M

Their identified sets are computed exactly. Intervals: for smoothness the shortest fixed-length
one around a linear estimator (Armstrong & Kolesár 2018, doi 10.3982/ECTA14434), as in the paper's
section 3.2. For relative magnitudes a set that can be written down: the target's drift is at most
`reach` steps, so that the restriction says |theta + drift| <= Mbar * reach * |increment s| for some
s, a union over s and sign of two linear inequalities; each is tested at 2.5%, which holds whatever
the correlation (Bonferroni), and the sets are joined. It is a little wider than the paper's
conditional tests, and needs no linear programmes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from areaeffect.results import Floats

_LEVEL, _Z = 0.95, 1.959963984540054
_SQRT2 = math.sqrt(2.0)
_CLOSE = 1e-12
#: Breakdown values are looked for up to here: beyond, the result is called robust.
MOST = 20.0
_NEAR = 1e-3  # breakdown values are found to so much
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Bound:
    """A 95% interval under one restriction; `size` is Mbar or M."""

    size: float
    low: float
    high: float


def relative_magnitude(
    theta: float, increments: Floats, covariance: Floats, reach: float, mbar: float
) -> Bound:
    """Bound an effect by the largest step apart before the start.

    Parameters
    ----------
    theta : the effect, measured from the last point before the start.
    increments : (K,), differences between consecutive points before it.
    covariance : (K + 1, K + 1), of (theta, increments).
    reach : steps of drift that the effect can hold: for an average over later points the mean
        of their distances from the last point before the start.
    mbar : how many times the largest step before it each later step may be.

    Notes
    -----
    At `mbar` 0 it is theta -/+ 1.96 standard errors.
    """
    m = mbar * reach
    lows, highs = [], []
    for s, step in enumerate(increments, start=1):
        both = covariance[0, s]
        square = covariance[0, 0] + m * m * covariance[s, s]
        for sign in (1.0, -1.0):
            low = theta - m * sign * step - _Z * _root(square - 2 * m * sign * both)
            high = theta + m * sign * step + _Z * _root(square + 2 * m * sign * both)
            if low <= high:
                lows.append(low)
                highs.append(high)
    return Bound(mbar, min(lows), max(highs))


def _root(variance: float) -> float:
    return float(np.sqrt(max(variance, 0.0)))


def smoothness(
    theta: float, leads: Floats, covariance: Floats, times: Floats, after: Floats, most: float
) -> Bound:
    """Bound an effect by how far its trend may bend after the start.

    Parameters
    ----------
    theta : an effect averaged over the times after the start.
    leads : (H,), gaps at H >= 3 points before the start, measured from the same base as theta.
    covariance : (H + 1, H + 1), of (theta, leads).
    times : (H,), of the leads, one step apart, ascending.
    after : (T,), the times that theta averages over, following on `times`.
    most : M, the largest change of slope from step to step, on theta's scale.

    Notes
    -----
    The interval is theta - a'leads -/+ c, where a continues a straight line, so that its bias is
    bounded, and a is chosen so that c is smallest. At `most` 0 the line that fits best goes on.
    """
    from scipy.optimize import minimize

    knots = np.arange(times[0] + 1, after[-1])
    bent_after = np.maximum(after[:, None] - knots, 0.0).mean(axis=0)
    bent_before = np.maximum(times[:, None] - knots, 0.0)
    n_inside = len(times) - 2  # knots between the leads: there a can take the bend in
    fixed = float(bent_after[n_inside:].sum())
    # a = base - turn @ y, where y is the part of each inner bend that a leaves in
    turn = np.linalg.inv(np.vstack([np.ones(len(times)), times, bent_before[:, :n_inside].T]))
    base = turn @ np.concatenate([[1.0, after.mean()], bent_after[:n_inside]])
    turn = turn[:, 2:]
    unit = float(np.sqrt(np.trace(covariance))) or 1.0

    def half(parts: Floats) -> tuple[float, Floats]:
        y = parts[:n_inside] - parts[n_inside:]
        direction = np.concatenate([[1.0], turn @ y - base])
        pulled = covariance @ direction
        deviation = _root(float(direction @ pulled))
        length, by_bias, by_deviation = _half_length(most * (fixed + parts.sum()), deviation)
        slope = by_deviation * (turn.T @ pulled[1:]) / max(deviation, _CLOSE * unit)
        return length / unit, np.concatenate([by_bias * most + slope, by_bias * most - slope]) / unit

    found = minimize(
        half,
        np.ones(2 * n_inside),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * (2 * n_inside),
        options={"ftol": 1e-14, "gtol": 1e-10, "maxiter": 5000, "maxfun": 10000},
    )
    weights = base - turn @ (found.x[:n_inside] - found.x[n_inside:])
    centre, length = theta - float(weights @ leads), float(found.fun) * unit
    return Bound(most, centre - length, centre + length)


def _half_length(bias: float, deviation: float) -> tuple[float, float, float]:
    """Half the length of a 95% interval around an estimate with a bias of at most so much.

    The 95% quantile of |N(bias / deviation, 1)| times the deviation, and how it grows with bias
    and deviation.
    """
    if deviation <= 0:
        return bias, 1.0, 0.0
    ratio = bias / deviation
    cut = ratio + _Z
    for _ in range(_STEPS):
        inside = 0.5 * (math.erf((cut - ratio) / _SQRT2) + math.erf((cut + ratio) / _SQRT2))
        near, far = (math.exp(-((cut - s * ratio) ** 2) / 2) for s in (1, -1))
        step = (inside - _LEVEL) * math.sqrt(2 * math.pi) / (near + far)
        cut -= step
        if abs(step) < _CLOSE:
            break
    by_bias = (near - far) / (near + far)
    return deviation * cut, by_bias, cut - ratio * by_bias


def breakdown(bound: Callable[[float], Bound], most: float = MOST) -> float | None:
    """Return the size at which the interval first holds zero.

    0 where it holds zero already at size 0; None where it still leaves zero out at `most`.
    """
    if _holds_zero(bound(0.0)):
        return 0.0
    if not _holds_zero(bound(most)):
        return None
    low, high = 0.0, most
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _holds_zero(bound(middle)):
            high = middle
        else:
            low = middle
        if high - low < _NEAR:
            break
    return high


def _holds_zero(found: Bound) -> bool:
    return found.low <= 0.0 <= found.high


def joint_p(leads: Floats, draws: Floats) -> float:
    """Return the max-T p-value of several leads against those of placebo programmes.

    Parameters
    ----------
    leads : (H,), of the real programme.
    draws : (n_draws, H), of placebo programmes; rows with a NaN are left out.
    """
    drawn = draws[np.isfinite(draws).all(axis=1)]
    spread = drawn.std(axis=0)
    spread = np.where(spread > 0, spread, np.inf)
    furthest = np.abs(leads / spread).max()
    reached = int((np.abs(drawn / spread).max(axis=1) >= furthest).sum())
    return (1 + reached) / (len(drawn) + 1)
