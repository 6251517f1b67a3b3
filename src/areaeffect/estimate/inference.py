"""Placebo inference: p-values, intervals by inversion, the smallest effect that would be seen.

The statistic is T = (estimate - null) / s, where s is predicted from pre-start counts by a
model fitted on the placebos. Its reference distribution is the placebos' T, moved to be centred on
zero, stretched to the spread that they represent (`around_zero`) and widened for how few separate
places that spread was measured on (`known_from`). Estimates are on the log scale for ratios.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np

from areaeffect.results import LEVEL, Better, Claim, Floats, Interval, Verdict

POWER = 0.8
#: Fewer placebos than this cannot give a two-sided 95% interval.
MIN_PLACEBOS = 39
#: A placebo centre further out than this share of the placebo deviation flags the design.
CENTRE_LIMIT = 0.25
#: Above this share placebo programmes are nearly all the same, and no factor corrects for it.
MOST_TAKEN = 0.75
#: Level of the interval that lies inside the threshold where two one-sided tests at 5% reject.
TWO_ONE_SIDED = 0.9
#: Times each placebo is widened by another quantile of what so few places leave open: more copies
#: change no test, and let its critical values depend less on the seed.
COPIES = 10
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class ReferencePlaces:
    """How many separate places the reference distribution of a programme rests on."""

    programme: int  # neighbourhoods of the programme, G
    disjoint: int  # pseudo-neighbourhoods of the pool that share no area, M
    is_contrast: bool = False  # whether the effects of two sides are set against each other

    @property
    def share(self) -> float:
        """Share of the places that could be drawn instead that the programme takes up, G / M."""
        return self.programme / max(self.disjoint, 1)

    @property
    def taken(self) -> float:
        """The share that counts in the spread: at most `MOST_TAKEN`, and of a contrast none.

        The difference of two means of places drawn without replacement varies by
        S^2 (1 / G_1 + 1 / G_2) however few there are to draw from: what drawing from few takes
        from either mean's variance, their covariance of -S^2 / M gives back.
        """
        return 0.0 if self.is_contrast else min(MOST_TAKEN, self.share)

    @property
    def least_p(self) -> float:
        """The smallest two-sided p-value that so few places can show.

        Of all ways to call G of the M + G places treated the real one is the most extreme.
        """
        return min(1.0, 2 / comb(self.disjoint + self.programme, self.programme))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PlaceboInference:
    """The placebo inference of one estimate, on the scale of the statistic."""

    estimate: float  # compared with the placebos
    p_value: float  # twice the smaller tail, with the +1 correction; not under `least_p`.
    least_p: float  # the smallest p that the separate places can show
    #: centre, centre_error: mean of the placebo estimates, and its Monte Carlo error
    centre: float
    centre_error: float
    deviation: float  # standard deviation of the placebo estimates
    scale: float  # s of the estimate
    statistics: Floats  # (n_draws, COPIES), T of the reference distribution; NaN where a draw gave none.
    critical: tuple[float, float]  # the smallest and largest T that the two-sided 5% test does not reject

    @property
    def statistic(self) -> float:
        """T of the estimate."""
        return self.estimate / self.scale

    @property
    def drawn(self) -> Floats:
        """The reference distribution without the draws that gave none, (n,)."""
        return self.statistics[np.isfinite(self.statistics)]

    @property
    def n_draws(self) -> int:
        """Placebos that gave an estimate."""
        return len(self.drawn) // COPIES

    @property
    def low(self) -> float:
        """Lower end of the 95% interval of this estimate alone."""
        return self.ends(self.critical)[0]

    @property
    def high(self) -> float:
        """Upper end of the 95% interval of this estimate alone."""
        return self.ends(self.critical)[1]

    @property
    def centre_is_off(self) -> bool:
        """Whether the placebos are centred too far from zero for their spread."""
        return abs(self.centre) > CENTRE_LIMIT * self.deviation

    def critical_at(self, level: float) -> tuple[float, float]:
        """Return the critical values of T of the two-sided test of another level."""
        return _critical(np.sort(self.drawn), 1 - level)

    def ends(self, critical: tuple[float, float], alpha: float = 1 - LEVEL) -> tuple[float, float]:
        """Return the interval that inverts a test of level alpha with two critical values of T.

        Where so few places can be compared that no p reaches alpha, nothing can reject zero: an
        end that would leave it out is infinite.
        """
        low, high = (self.estimate - self.scale * end for end in reversed(critical))
        if self.least_p > alpha:
            low, high = -np.inf if low > 0 else low, np.inf if high < 0 else high
        return low, high

    def detectable(self, better: str, critical: tuple[float, float]) -> float:
        """Return the smallest effect in the better direction that a test finds in 80% of draws.

        Parameters
        ----------
        better : 'lower' or 'higher'.
        """
        drawn = self.drawn
        if better == "lower":
            return self.scale * (critical[0] - float(np.quantile(drawn, POWER)))
        return self.scale * (critical[1] - float(np.quantile(drawn, 1 - POWER)))

    def exaggeration(self, effect: float, critical: tuple[float, float]) -> float:
        """Return how many times too large an estimate is on average where it leaves zero out.

        The exaggeration ratio, or type M error, of Gelman & Carlin 2014 (doi
        10.1177/1745691614551642).
        """
        found = self.drawn + effect / self.scale
        found = found[(found < critical[0]) | (found > critical[1])]
        return float(np.abs(found).mean() * self.scale / abs(effect)) if len(found) else np.inf


def predicted_scale(estimates: Floats, counts: Floats, count: float) -> tuple[Floats, float]:
    """Predict each estimate's standard error from its pre-start count, or its size for scores.

    The variance is modelled as a + b / count with a, b >= 0: area noise that does not shrink with
    counts, and counting noise that does. b is the least-squares slope of the squared placebo
    estimates, shrunk by its own sampling variance as the positive-part James-Stein estimator does
    (Efron & Morris 1973, doi 10.1080/01621459.1973.10481350): the counts of placebos, matched on
    their level, may hardly differ, and a slope read off them would be noise.

    Parameters
    ----------
    estimates : (n_draws,), placebo estimates.
    counts : (n_draws,), their pre-start totals; for scores their exposure, or their areas.

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


def spread_about_zero(statistics: Floats, taken: float) -> Floats:
    """Return the standard error of placebos, along the first axis.

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
    """
    mean_square, variance = (statistics**2).mean(axis=0), statistics.var(axis=0)
    return np.asarray(np.sqrt(np.maximum(mean_square, variance / (1.0 - taken))))


def around_zero(statistics: Floats, taken: float) -> Floats:
    """Centre placebo statistics on zero, with `spread_about_zero` as their spread.

    Each column of (n_draws, ...) by itself.

    Placebo programmes share areas with each other, and lie in areas that the real programme is
    compared with. Their centre c is therefore itself drawn, and away from the real estimate: with
    correlations r among placebos and q (as a rule negative) between them and the real one,

        Var(estimate - c) / Var(placebo - c) = (1 + r - 2 q) / (1 - r) > 1,

    so that a test against their distribution as drawn rejects too often. What they vary by about
    zero is the variance of an estimate whatever r and q are. Where the centre is not chance but a
    bias that the real programme shares, it makes the test wider, not wrong.
    """
    centred = statistics - statistics.mean(axis=0)
    deviation = centred.std(axis=0)
    spread = spread_about_zero(statistics, taken)
    stretch = np.divide(spread, deviation, out=np.ones_like(spread), where=deviation > 0)
    return np.asarray(centred * stretch)


def known_from(statistics: Floats, degrees: int) -> Floats:
    """Widen statistics about zero for a spread that was measured on few places.

    A statistic over a spread that is known from M places follows Student's t with M - 1 degrees of
    freedom where places are normal: it is the statistic over the true spread times the root of
    (M - 1) over a chi-squared number. Here each placebo is multiplied with `COPIES` such factors,
    one from each tenth of that distribution, so that the placebos' own shape, and their dependence
    across outcomes, stay.

    Parameters
    ----------
    statistics : (n_draws,), about zero.

    Returns
    -------
    (n_draws, COPIES).
    """
    return np.asarray(statistics[:, None] * _factors(len(statistics), degrees))


@lru_cache(maxsize=64)
def _factors(n: int, degrees: int) -> Floats:
    """Return the factors of n draws, (n, COPIES); each row is spread over the whole distribution."""
    from scipy.special import gammaincinv  # heavy

    within = (np.arange(1, n + 1) * _GOLDEN) % 1.0
    at = (np.arange(COPIES) + within[:, None]) / COPIES
    return np.asarray(np.sqrt(degrees / (2 * gammaincinv(degrees / 2, at))))


def infer(
    estimate: float, placebos: Floats, counts: Floats, count: float, places: ReferencePlaces
) -> PlaceboInference:
    """Compare one estimate with its placebos.

    Parameters
    ----------
    placebos : (n_draws,); NaN where a draw gave none.
    """
    good = np.isfinite(placebos)
    scales, scale = predicted_scale(placebos[good], counts[good], count)
    statistics = np.full(len(placebos), np.nan)
    statistics[good] = around_zero(placebos[good] / scales, places.taken)
    statistics = known_from(statistics, max(1, places.disjoint - 1))
    drawn = np.sort(statistics[good], axis=None)
    statistic = estimate / scale
    p_value = 2 * min(share_beyond(-drawn, -statistic), share_beyond(drawn, statistic))
    deviation = float(placebos[good].std(ddof=1))
    return PlaceboInference(
        estimate=estimate,
        p_value=min(1.0, max(p_value, places.least_p)),
        least_p=places.least_p,
        centre=float(placebos[good].mean()),
        centre_error=deviation / float(np.sqrt(good.sum())),
        deviation=deviation,
        scale=scale,
        statistics=statistics,
        critical=_critical(drawn, 1 - LEVEL),
    )


def share_beyond(drawn: Floats, observed: float) -> float:
    """Return the share of a reference distribution of copies at or over a number.

    With the +1 correction: the real programme is one of its own placebos.
    """
    return float(1 + (drawn >= observed).sum() / COPIES) / (len(drawn) / COPIES + 1)


def rank_kept(n: int, alpha: float, copies: int = COPIES) -> int:
    """Return how many values lie beyond the last one that a one-sided test keeps; -1 for none."""
    return int(np.floor(copies * (alpha * (n / copies + 1) - 1) + 1e-9))


def _critical(ordered: Floats, alpha: float) -> tuple[float, float]:
    """Smallest and largest T that a two-sided test with the +1 correction does not reject."""
    k = rank_kept(len(ordered), alpha / 2)
    if k < 0:
        return -np.inf, np.inf
    return float(ordered[k]), float(ordered[-k - 1])


def decide(interval: Interval, threshold: float, better: Better, claim: Claim) -> Verdict:
    """Read a verdict off an interval; the smallest effect that would be seen is no input."""
    low = float("-inf") if interval.low is None else interval.low
    high = float("inf") if interval.high is None else interval.high
    if -threshold < low and high < threshold:
        return Verdict.ALIKE if claim is Claim.LEVEL else Verdict.LITTLE_DIFFERENCE
    if low <= 0 <= high:
        return Verdict.CANNOT_TELL
    if claim is Claim.LEVEL:
        return Verdict.LOWER if high < 0 else Verdict.HIGHER
    return Verdict.BETTER if (better is Better.LOWER) == (high < 0) else Verdict.WORSE


#: A critical value nearer to zero than this share of the column's spread is not used as a scale.
_MIN_SHARE = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """Joint inference for all findings of a family."""

    p_adjusted: Floats  # (n_findings,), single-step, of the joint interval
    #: (n_findings,), step-down (Romano & Wolf 2005, doi 10.1198/016214504000000539): each finding is compared
    #: with the maximum over itself and the less extreme ones
    p_step_down: Floats
    #: low, high: (n_findings,), joint critical values of each T
    low: Floats
    high: Floats

    def critical(self, k: int) -> tuple[float, float]:
        """Return the critical values of one finding."""
        return float(self.low[k]), float(self.high[k])


def max_t(family: Sequence[PlaceboInference], level: float = LEVEL) -> Joint:
    """Adjust for looking at several findings.

    Parameters
    ----------
    family : one entry a finding, with statistics from the same draws; NaN where a draw gave none.

    Notes
    -----
    Each tail of each column is first divided by its own critical value, so that no finding
    dominates the maximum because its placebos are skewed or have a long tail. A joint critical
    value is never nearer to zero than that of the finding alone, and a joint p-value never smaller.
    """
    drawn = np.column_stack([x.statistics.ravel() for x in family])
    drawn = drawn[np.isfinite(drawn).any(axis=1)]  # draws without a programme drop out
    floor = _MIN_SHARE * np.sqrt(np.nanmean(drawn**2, axis=0))
    low = np.minimum([x.critical[0] for x in family], -floor)
    high = np.maximum([x.critical[1] for x in family], floor)

    def relative(t: Floats) -> Floats:
        return np.asarray(np.where(t > 0, t / high, t / low))

    placebos, own = relative(drawn), relative(np.array([x.statistic for x in family]))
    alone = np.array([x.p_value for x in family])
    ends = np.array([x.critical_at(level) for x in family])
    if len(family) == 1:
        return Joint(alone, alone, ends[:, 0], ends[:, 1])
    largest = np.nanmax(placebos, axis=1)
    k = rank_kept(len(largest), 1 - level)
    cut = float(np.sort(largest)[-k - 1]) if k >= 0 else np.inf
    adjusted = np.maximum([share_beyond(largest, x) for x in own], alone)
    low, high = np.minimum(cut * low, ends[:, 0]), np.maximum(cut * high, ends[:, 1])
    return Joint(adjusted, _step_down(placebos, own, alone, adjusted), low, high)


def _step_down(placebos: Floats, own: Floats, alone: Floats, single_step: Floats) -> Floats:
    """Return p-values from the most to the least extreme finding, never over those of one step."""
    found, so_far = np.empty(len(own)), 0.0
    order = np.argsort(-own, kind="stable")
    for step, k in enumerate(order):
        left = placebos[:, order[step:]]
        largest = np.fmax.reduce(left, axis=1)
        here = share_beyond(largest[np.isfinite(largest)], own[k])
        so_far = max(so_far, here, float(alone[k]))
        found[k] = min(so_far, float(single_step[k]))
    return found
