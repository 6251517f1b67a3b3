"""Placebo inference: p-values, intervals by inversion, the smallest effect that would be seen.

The statistic is T = (estimate - null) / s, where s is predicted from pre-start counts by a
model fitted on the placebos. It is held against the placebos' T moved to be centred on zero and
stretched to the spread that they stand for (`around_zero`). Estimates are on the log scale for
ratios.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Floats

POWER = 0.8
#: Fewer placebos than this cannot give a two-sided 95% interval.
MIN_PLACEBOS = 39
#: A placebo centre further out than this share of the placebo deviation flags the design.
CENTRE_LIMIT = 0.25
_MOST_TAKEN = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboInference:
    """What the placebo distribution says of one estimate, on the scale of the statistic.

    Parameters
    ----------
    p_value : twice the smaller tail, with the +1 correction.
    p_one_sided : the tail in the direction that is better.
    low, high : 95% interval by inversion; low_90, high_90 the 90% one.
    mde : smallest effect in the better direction found in 80% of draws at 5%, signed.
    centre, centre_error : mean of the placebo estimates, and its Monte Carlo error.
    deviation : standard deviation of the placebo estimates.
    scale : s of the estimate.
    statistics : (n_draws,), T of each placebo around zero; NaN where a draw gave none.
    statistic : T of the estimate.
    critical : the smallest and largest T that the two-sided 5% test does not reject.
    """

    p_value: float
    p_one_sided: float
    low: float
    high: float
    low_90: float
    high_90: float
    mde: float
    centre: float
    centre_error: float
    deviation: float
    scale: float
    statistics: Floats
    statistic: float
    critical: tuple[float, float]

    @property
    def centre_is_off(self) -> bool:
        """Whether the placebos are centred too far from zero for their spread."""
        return abs(self.centre) > CENTRE_LIMIT * self.deviation


def predicted_scale(estimates: Floats, counts: Floats, count: float) -> tuple[Floats, float]:
    """Predict each estimate's standard error from its pre-start count.

    The variance is modelled as a + b / count with a, b >= 0: area noise that does not shrink with
    counts, and counting noise that does. b is the least-squares slope of the squared placebo
    estimates, shrunk by its own sampling variance as the positive-part James-Stein estimator does
    (Efron & Morris 1973, doi 10.1080/01621459.1973.10481350): placebos are matched on their level,
    so that their counts may hardly differ, and a slope read off them would be noise that makes a
    programme with more events than its placebos look more exact than it is.

    Parameters
    ----------
    estimates : (n_draws,), placebo estimates.
    counts : (n_draws,), their pre-start totals; all equal for scores.
    count : the pre-start total of the real programme.

    Returns
    -------
    s of each placebo (n_draws,), and s of the real programme.
    """
    squares = estimates**2
    mean = float(squares.mean())
    floor = 1e-12 + 1e-6 * mean
    if np.ptp(counts) == 0 or (counts <= 0).any() or count <= 0:
        flat = float(np.sqrt(max(mean, floor)))
        return np.full(len(estimates), flat), flat
    typical = float(np.median(counts))
    rarity = typical / counts
    a, b = _variance_line(rarity, squares)
    fitted = np.sqrt(np.maximum(a + b * rarity, floor))
    return fitted, float(np.sqrt(max(a + b * typical / count, floor)))


def _variance_line(rarity: Floats, squares: Floats) -> tuple[float, float]:
    """Return a and b of squares = a + b rarity, neither negative, b shrunk by its noise."""
    apart, centred = rarity - rarity.mean(), squares - squares.mean()
    spread = float(apart @ apart)
    slope = float(apart @ centred) / spread
    if slope <= 0:
        return float(squares.mean()), 0.0
    rest = centred - slope * apart
    noise = float(rest @ rest) / max(len(rest) - 2, 1) / spread
    slope *= max(0.0, 1.0 - noise / slope**2)
    most = float(squares.mean() / rarity.mean())  # a line through the origin: counting noise alone
    slope = min(slope, most)
    return float(squares.mean()) - slope * float(rarity.mean()), slope


def pool_share(n_neighbourhoods: int, n_disjoint: int) -> float:
    """Return which share of the places that could be drawn instead a programme takes up, G / M.

    `n_disjoint` is the number of pseudo-neighbourhoods that share no area. At most 0.75: beyond,
    placebos of that size are nearly all the same, and no factor makes up for it.
    """
    return min(_MOST_TAKEN, n_neighbourhoods / max(n_disjoint, 1))


def spread_about_zero(statistics: Floats, taken: float) -> Floats:
    """Return the standard error that placebos stand for, along the first axis.

    The root of the larger of two estimates of the same variance V. With correlation r between
    placebos and c their centre, E[mean square] = V, and E[variance about c] = V (1 - r):

    - the mean square about zero, right whatever r is, but one draw of c: it is too small where c
      happens to lie near zero, and r is large;
    - the variance about c over 1 - `taken`, for programmes drawn without replacement from M
      places share G / M of them on average (Cochran 1977, Sampling Techniques, equation 2.8). It
      does not depend on c, and knows of no other reason for r than shared places.

    Parameters
    ----------
    statistics : (n_draws, ...).
    taken : see `pool_share`.
    """
    mean_square, variance = (statistics**2).mean(axis=0), statistics.var(axis=0)
    return np.asarray(np.sqrt(np.maximum(mean_square, variance / (1.0 - taken))))


def around_zero(statistics: Floats, taken: float) -> Floats:
    """Centre placebo statistics on zero, with `spread_about_zero` as their spread.

    Each column of (n_draws, ...) by itself.

    Placebo programmes share areas with each other, and stand in areas that the real programme is
    compared with. Their centre c is therefore itself drawn, and away from the real estimate: with
    correlations r among placebos and q (as a rule negative) between them and the real one,

        Var(estimate - c) / Var(placebo - c) = (1 + r - 2 q) / (1 - r) > 1,

    so that a test against their distribution as it lies rejects too often. What they vary by about
    zero is the variance of an estimate whatever r and q are. Where the centre is not chance but a
    lean that the real programme shares, it makes the test wider, not wrong.
    """
    centred = statistics - statistics.mean(axis=0)
    deviation = centred.std(axis=0)
    spread = spread_about_zero(statistics, taken)
    stretch = np.divide(spread, deviation, out=np.ones_like(spread), where=deviation > 0)
    return np.asarray(centred * stretch)


def infer(
    estimate: float, placebos: Floats, counts: Floats, count: float, better: str, taken: float
) -> PlaceboInference:
    """Hold one estimate against its placebos.

    Parameters
    ----------
    estimate : on the scale of the statistic (log for ratios).
    placebos : (n_draws,); NaN where a draw gave none.
    counts, count : pre-start totals, see `predicted_scale`.
    better : 'lower' or 'higher', the direction of an improvement.
    taken : the share of the pool that the programme takes up, see `pool_share`.
    """
    good = np.isfinite(placebos)
    statistics = np.full(len(placebos), np.nan)
    scales, scale = predicted_scale(placebos[good], counts[good], count)
    placebos = placebos[good]
    drawn = around_zero(placebos / scales, taken)
    statistics[good] = drawn
    ordered = np.sort(drawn)
    statistic = estimate / scale
    n = len(drawn)
    lower = (1 + int((drawn <= statistic).sum())) / (n + 1)
    upper = (1 + int((drawn >= statistic).sum())) / (n + 1)
    cut_low, cut_high = _critical(ordered, 0.05)
    cut_low_90, cut_high_90 = _critical(ordered, 0.1)
    if better == "lower":
        mde = scale * (cut_low - float(np.quantile(drawn, POWER)))
    else:
        mde = scale * (cut_high - float(np.quantile(drawn, 1 - POWER)))
    deviation = float(placebos.std(ddof=1))
    return PlaceboInference(
        p_value=min(1.0, 2 * min(lower, upper)),
        p_one_sided=lower if better == "lower" else upper,
        low=estimate - scale * cut_high,
        high=estimate - scale * cut_low,
        low_90=estimate - scale * cut_high_90,
        high_90=estimate - scale * cut_low_90,
        mde=mde,
        centre=float(placebos.mean()),
        centre_error=deviation / float(np.sqrt(n)),
        deviation=deviation,
        scale=scale,
        statistics=statistics,
        statistic=statistic,
        critical=(cut_low, cut_high),
    )


def _critical(ordered: Floats, alpha: float) -> tuple[float, float]:
    """Smallest and largest T that a two-sided test with the +1 correction does not reject."""
    k = int(np.floor(alpha / 2 * (len(ordered) + 1)))
    if k == 0:
        return -np.inf, np.inf
    return float(ordered[k - 1]), float(ordered[-k])
