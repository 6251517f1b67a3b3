"""The jump of an outcome at a cut of a score: local linear, with robust bias correction.

Calonico, Cattaneo & Titiunik 2014 (doi 10.3982/ECTA11757) for the estimate and its interval;
Calonico, Cattaneo & Farrell 2020 (doi 10.1093/ectj/utz022) for the bandwidth. Triangular kernel,
order one, bias corrected at order two; residuals from three nearest neighbours in the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc

import numpy as np

from areaeffect.results import Floats

#: Fewer places than this on either side of the cut give no estimate.
FEWEST = 20
_ORDER, _BIAS_ORDER = 1, 2
_NEIGHBOURS = 3
#: Pilot bandwidth of a triangular kernel, in standard deviations, of a normal density.
_PILOT = 2.576
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """The jump at the cut, above less below."""

    #: estimate, error: local linear, and its standard error
    estimate: float
    error: float
    #: corrected, robust_error: with the bias taken off, and the standard error that allows for it
    corrected: float
    robust_error: float
    #: bandwidth, bias_bandwidth: of the fit and of the fit that the bias is read from
    bandwidth: float
    bias_bandwidth: float
    #: n_below, n_above: observations within the bandwidth
    n_below: int
    n_above: int

    @property
    def low(self) -> float:
        """Lower end of the robust 95% interval."""
        return self.corrected - _NORMAL_95 * self.robust_error

    @property
    def high(self) -> float:
        """Upper end of the robust 95% interval."""
        return self.corrected + _NORMAL_95 * self.robust_error


def jump_at(score: Floats, outcome: Floats, bandwidths: tuple[float, float] | None = None) -> Jump | None:
    """Estimate the jump of an outcome where its score passes zero.

    Parameters
    ----------
    score : (n,), less the cut: zero and above is one side.
    outcome : (n,).
    bandwidths : of the fit and of its bias; None for those of least mean squared error.

    Returns
    -------
    None with too few observations or no variation on either side.
    """
    order = np.argsort(score, kind="stable")
    score, outcome = score[order], outcome[order]
    below, above = score < 0, score >= 0
    if min(below.sum(), above.sum()) < FEWEST:
        return None
    sides = [(score[s], outcome[s]) for s in (below, above)]
    if any(len(np.unique(x)) <= _BIAS_ORDER + 2 for x, _ in sides):
        return None
    if bandwidths is None:
        bandwidths = _bandwidths(score, sides)
    if bandwidths is None:
        return None
    h, b = bandwidths
    found = [_side(x, y, h, b) for x, y in sides]
    low, high = found
    if low is None or high is None:
        return None
    return Jump(
        estimate=high[0] - low[0],
        error=float(np.sqrt(high[1] + low[1])),
        corrected=high[2] - low[2],
        robust_error=float(np.sqrt(high[3] + low[3])),
        bandwidth=h,
        bias_bandwidth=b,
        n_below=int((np.abs(sides[0][0]) < h).sum()),
        n_above=int((np.abs(sides[1][0]) < h).sum()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bunching:
    """The density of a score on both sides of zero."""

    #: below, above: its limits; shares of all places by unit of the score.
    below: float
    above: float
    error: float  # standard error of their difference
    bandwidth: float  # largest distance from zero that was read

    @property
    def p_value(self) -> float:
        """Two-sided p-value of equal densities."""
        return float(erfc(abs(self.above - self.below) / self.error / np.sqrt(2.0)))


def bunching_at(score: Floats, bandwidth: float | None = None) -> Bunching | None:
    """Compare the density of a score on both sides of zero: places moved across a cut pile up.

    Cattaneo, Jansson & Ma 2020 (doi 10.1080/01621459.2019.1635480): the slope of a cubic through
    the distribution function on either side, triangular kernel. The error is that of the
    distribution function at the points that are read.

    Parameters
    ----------
    score : (n,), less the cut.
    bandwidth : None for one by the rule of thumb of a normal density.

    Returns
    -------
    None with too few places on either side.
    """
    x = np.sort(score)
    n = len(x)
    h = _pilot(x) if bandwidth is None else bandwidth
    rank = (np.searchsorted(x, x, "right") - 1) / max(n - 1, 1)
    slopes, parts = [], []
    for side in (x < 0, x >= 0):
        near = side & (np.abs(x) < h)
        fit = _solve(_powers(x[near], 3), _triangular(x[near], h)) if near.sum() >= FEWEST else None
        if fit is None:
            return None
        weights = np.zeros(n)
        weights[near] = fit[1]
        slopes.append(float(weights @ rank))
        parts.append(np.cumsum(weights[::-1])[::-1] - weights @ rank)
    error = float(np.sqrt(((parts[1] - parts[0]) ** 2).sum()) / n)
    return Bunching(below=slopes[0], above=slopes[1], error=error, bandwidth=h)


def _side(x: Floats, y: Floats, h: float, b: float) -> tuple[float, float, float, float] | None:
    """Return the limit at the cut from one side and its variance, plain and bias-corrected."""
    near = np.abs(x) < max(h, b)
    x, y = x[near], y[near]
    part = _triangular(x, h)
    small = _powers(x, _ORDER)
    plain = _solve(small, part)
    wide = _powers(x, _BIAS_ORDER)
    bent = _solve(wide, _triangular(x, b))
    if plain is None or bent is None:
        return None
    lean = (plain @ x ** (_ORDER + 1))[0]  # what a unit of curvature adds to the limit
    own = plain[0]
    corrected = own - lean * bent[_ORDER + 1]
    squares = _squares(x, y)
    return (float(own @ y), float(own**2 @ squares), float(corrected @ y), float(corrected**2 @ squares))


def _powers(x: Floats, order: int) -> Floats:
    return np.asarray(x[:, None] ** np.arange(order + 1))


def _triangular(x: Floats, h: float) -> Floats:
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(x) / h) / h)


def _solve(columns: Floats, part: Floats) -> Floats | None:
    """Return the weights of the observations in each coefficient, (n_coefficients, n)."""
    size = np.abs(columns).max(axis=0)
    scaled = columns / size
    root = np.sqrt(part)[:, None] * scaled
    gram = root.T @ root
    if np.linalg.matrix_rank(gram) < len(gram):
        return None
    return np.asarray(np.linalg.solve(gram, (scaled * part[:, None]).T) / size[:, None])


def _squares(x: Floats, y: Floats) -> Floats:
    """Return each observation's squared residual from its nearest neighbours in x, ascending."""
    n = len(x)
    _, first, inverse, count = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    total = np.concatenate([[0.0], np.cumsum(y)])
    found = np.empty(n)
    wanted = min(_NEIGHBOURS, n - 1)
    for i in range(n):
        at = int(inverse[i])
        low = high = at  # of the distinct values taken
        begin, end = int(first[at]), int(first[at] + count[at])
        while end - begin - 1 < wanted:
            down = x[i] - x[first[low - 1]] if low > 0 else np.inf
            up = x[first[high + 1]] - x[i] if high + 1 < len(first) else np.inf
            if down <= up:
                low -= 1
                begin = int(first[low])
            if up <= down:
                high += 1
                end = int(first[high] + count[high])
        many = end - begin - 1
        rest = (total[end] - total[begin] - y[i]) / many
        found[i] = many / (many + 1) * (y[i] - rest) ** 2
    return found


def _bandwidths(score: Floats, sides: list[tuple[Floats, Floats]]) -> tuple[float, float] | None:
    """Return the bandwidths of least mean squared error of the jump: of the fit, of its bias."""
    reach = [float(np.abs(x).max()) for x, _ in sides]
    pilot = min(_pilot(score), max(reach))
    whole = [r + 1e-8 for r in reach]
    d = _best(sides, 3, 3, pilot, whole, regular=False)
    b = None if d is None else _best(sides, 2, 2, pilot, [min(d, max(reach))] * 2, regular=True)
    h = None if b is None else _best(sides, 1, 0, pilot, [min(b, max(reach))] * 2, regular=True)
    return None if h is None or b is None else (min(h, max(reach)), min(b, max(reach)))


def _pilot(score: Floats) -> float:
    """Return the bandwidth of a density that is about normal."""
    quarter = np.quantile(score, [0.25, 0.75], method="averaged_inverted_cdf")
    spread = min(float(score.std(ddof=1)), float(quarter[1] - quarter[0]) / 1.349)
    return float(_PILOT * spread * len(np.unique(score)) ** (-1 / 5))


def _best(
    sides: list[tuple[Floats, Floats]],
    order: int,
    which: int,
    pilot: float,
    bias_at: list[float],
    *,
    regular: bool,
) -> float | None:
    """Return the bandwidth of least mean squared error of a coefficient's jump."""
    variance, bias, noise = 0.0, [], 0.0
    for (x, y), wide in zip(sides, bias_at, strict=True):
        near = np.abs(x) < pilot
        fit = _solve(_powers(x[near], order), _triangular(x[near], pilot))
        inside = np.abs(x) < wide
        next_fit = _solve(_powers(x[inside], order + 1), _triangular(x[inside], wide))
        if fit is None or next_fit is None:
            return None
        own, further = fit[which], next_fit[order + 1]
        variance += pilot ** (2 * which + 1) * float(own**2 @ _squares(x[near], y[near]))
        lean = float(own @ x[near] ** (order + 1)) / pilot ** (order + 1 - which)
        bias.append(lean * float(further @ y[inside]))
        if regular:
            noise += 3 * lean**2 * float(further**2 @ _squares(x[inside], y[inside]))
    squared = (bias[1] - bias[0]) ** 2 + noise
    if squared <= 0 or variance <= 0:
        return None
    ratio = (2 * which + 1) * variance / (2 * (order + 1 - which) * squared)
    return float(ratio ** (1 / (2 * order + 3)))
