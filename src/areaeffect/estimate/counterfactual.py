"""Totals of treated and benchmark areas before and after, and the effects they give.

With Y the treated totals, Yhat = sum_j w_j Y_j their counterfactual:

    ratio of totals, change   theta = (Y_post / Yhat_post) / (Y_pre / Yhat_pre) - 1
    avoided                   Yhat_post * Y_pre / Yhat_pre - Y_post
    additive, counts          theta times the rate that was expected
    additive, scores          (Y_post/E_post - Yhat_post/Ehat_post) - (the same before)
    level                     the same without the part before the start, regression-adjusted

so that `theta` and `avoided` never disagree in sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from areaeffect.panel import Measure, picked
from areaeffect.periods import PeriodKind, Periods
from areaeffect.results import Bools, Floats, Ints

#: Positions in the last axis of a totals array.
OBSERVED_PRE, OBSERVED_POST, EXPECTED_PRE, EXPECTED_POST = range(4)
EXPOSURE_PRE, EXPOSURE_POST, EXPECTED_EXPOSURE_PRE, EXPECTED_EXPOSURE_POST = range(4, 8)
#: EXPECTED_POST before regression adjustment; the same number where nothing is adjusted.
UNADJUSTED_POST = 8
#: Exposure of the treated areas, or their number where the outcome has none.
SIZE = 9
N_TOTALS = 10
#: The totals come with, for each event-time bin, what was observed, expected, and the
#: treated exposure: (n_bins, N_PATH) flattened.
PATH_OBSERVED, PATH_EXPECTED, PATH_EXPOSURE = range(3)
N_PATH = 3
_OWN = np.array([OBSERVED_PRE, OBSERVED_POST, EXPOSURE_PRE, EXPOSURE_POST])
_EXPECTED = np.array([EXPECTED_PRE, EXPECTED_POST, EXPECTED_EXPOSURE_PRE, EXPECTED_EXPOSURE_POST])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sums:
    """Each area's outcome and exposure before and after one start, over the periods used."""

    #: (n_areas, 4 + n_bins): the outcome before and after, exposure times years before and after, and the
    #: outcome of each event-time bin, side by side: a neighbourhood's are added up at one go
    columns: Floats
    path_exposure: Floats  # (n_areas,), exposure of a year; 1 for scores.
    path_span: Floats  # (n_bins,), years used of each bin; for scores 1 where there are any.
    path_is_after: Bools  # (n_bins,), whether a bin is of the time after the start
    size: Floats  # (n_areas,), exposure, of scores too; 1 where the outcome has none.
    growth: GrowthRegression | None = None  # how a change depends on characteristics; None for a level.

    @property
    def pre(self) -> Floats:
        """(n_areas,), counts added up before the start, or means of scores."""
        return self.columns[:, 0]

    @property
    def post(self) -> Floats:
        """(n_areas,), the same after it."""
        return self.columns[:, 1]


def sums(measure: Measure, pre: Bools, post: Bools, bin_of: Ints | None = None, n_bins: int = 0) -> Sums:
    """Add each area's cells up over the periods before and after, and by event time.

    Parameters
    ----------
    pre, post : (n_periods,), the periods used on either side.
    bin_of : (n_periods,), the event-time bin of each period, -1 for none; None for no bins.
    """
    n = len(measure.values)
    step = measure.periods.years_per_period
    exposure = np.ones(n) if measure.exposure is None or not measure.is_count else measure.exposure
    sides = []
    for mask, nothing in ((pre, 0.0), (post, np.nan)):  # a level claim has no before
        cells = picked(measure.values, mask)
        if measure.is_count:
            sides.append((cells.sum(axis=1), exposure * step * mask.sum()))
        else:
            mean = cells.mean(axis=1) if mask.any() else np.full(n, nothing)
            sides.append((mean, exposure))
    path, span, is_after = np.zeros((n, n_bins)), np.zeros(n_bins), np.zeros(n_bins, dtype=bool)
    bin_of = np.full(len(pre), -1) if bin_of is None else np.where(pre | post, bin_of, -1)
    for b in np.unique(bin_of[bin_of >= 0]):
        cells = picked(measure.values, bin_of == b)
        path[:, b] = cells.sum(axis=1) if measure.is_count else cells.mean(axis=1)
        span[b] = step * cells.shape[1] if measure.is_count else 1.0
        is_after[b] = post[bin_of == b].any()
    (pre_sum, pre_exposure), (post_sum, post_exposure) = sides
    columns = np.column_stack([pre_sum, post_sum, pre_exposure, post_exposure, path])
    size = np.ones(n) if measure.exposure is None else measure.exposure
    return Sums(columns=columns, path_exposure=exposure, path_span=span, path_is_after=is_after, size=size)


def totals(
    sums_: Sums,
    members: Ints,
    pool: Ints,
    weights: Floats,
    adjustment: Adjustment | None = None,
    imbalance: Floats | None = None,
) -> Floats:
    """Add up one neighbourhood and outcome.

    Parameters
    ----------
    weights : (m,), of the pool areas.
    adjustment : what the expected total of a level is adjusted by; None for nothing.
    imbalance : what weighting left unlike, which a change is adjusted for; None for nothing.

    Returns
    -------
    (N_TOTALS + N_PATH * n_bins,).
    """
    found = np.empty(N_TOTALS + N_PATH * len(sums_.path_span))
    treated = sums_.columns.take(members, axis=0)
    benchmark = sums_.columns.take(pool, axis=0)
    own, expected = treated.sum(axis=0), weights @ benchmark
    found[_OWN] = own[:4]
    found[_EXPECTED] = expected[:4]
    found[UNADJUSTED_POST] = found[EXPECTED_POST]
    found[SIZE] = sums_.size[members].sum()
    if adjustment is not None:
        gap = adjustment.gap_in_rate(benchmark[:, 1], benchmark[:, 3], treated[:, 3])
        found[EXPECTED_POST] -= found[EXPECTED_EXPOSURE_POST] * gap
    path = found[N_TOTALS:].reshape(-1, N_PATH)
    path[:, PATH_OBSERVED] = own[4:]
    path[:, PATH_EXPECTED] = expected[4:]
    if imbalance is not None and sums_.growth is not None:
        adjusted = sums_.growth.expected(expected, imbalance, len(members))
        found[EXPECTED_POST] = adjusted[1]
        path[sums_.path_is_after, PATH_EXPECTED] = adjusted[4:][sums_.path_is_after]
    path[:, PATH_EXPOSURE] = sums_.path_exposure[members].sum() * sums_.path_span
    return found


def log_ratio(total: Floats, claim: str) -> Floats:
    """Log ratio of totals, over any leading axes; NaN where a total is not positive.

    Parameters
    ----------
    total : (..., N_TOTALS), already added up over the neighbourhoods of a group.
    claim : 'change' or 'level' (a ratio of rates after the start).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        after = np.log(total[..., OBSERVED_POST] / total[..., EXPECTED_POST])
        if claim == "level":
            base = np.log(total[..., EXPOSURE_POST] / total[..., EXPECTED_EXPOSURE_POST])
        else:
            base = np.log(total[..., OBSERVED_PRE] / total[..., EXPECTED_PRE])
        found = after - base
    return np.where(np.isfinite(found), found, np.nan)


def unadjusted(total: Floats) -> Floats:
    """Return totals whose expected outcome after the start is not regression-adjusted."""
    found = total.copy()
    found[..., EXPECTED_POST] = found[..., UNADJUSTED_POST]
    return found


def rate_difference(total: Floats, claim: str) -> Floats:
    """Difference of rates (counts) or means (scores), or of their changes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        after = (
            total[..., OBSERVED_POST] / total[..., EXPOSURE_POST]
            - total[..., EXPECTED_POST] / total[..., EXPECTED_EXPOSURE_POST]
        )
        if claim == "level":
            found = after
        else:
            found = after - (
                total[..., OBSERVED_PRE] / total[..., EXPOSURE_PRE]
                - total[..., EXPECTED_PRE] / total[..., EXPECTED_EXPOSURE_PRE]
            )
    return np.where(np.isfinite(found), found, np.nan)


def expected_total(total: Floats, claim: str) -> float:
    """What the treated total would have been, (N_TOTALS,) to one number; NaN without a base."""
    base, own = (EXPECTED_EXPOSURE_POST, EXPOSURE_POST) if claim == "level" else (EXPECTED_PRE, OBSERVED_PRE)
    if total[base] <= 0:
        return float("nan")
    return float(total[EXPECTED_POST] * total[own] / total[base])


@dataclass(frozen=True, slots=True)
class Bins:
    """Equal stretches of time before and after a start."""

    months: int  # length of one; periods that are longer, or a table's own numbers, are a bin each.
    #: leads, lags: number of bins before and from the start on
    leads: int
    lags: int

    @property
    def n(self) -> int:
        """Number of bins; the first `leads` lie before the start."""
        return self.leads + self.lags

    def length(self, kind: PeriodKind) -> int:
        """Return the periods of one bin."""
        return max(1, self.months * (kind.per_year or 0) // 12)

    def of(self, periods: Periods, start: int, start_kind: PeriodKind) -> Ints:
        """Return the bin of each period, (n_periods,); -1 where a start falls inside a period."""
        before, after = periods.split(start, start_kind)
        length = self.length(periods.kind)
        found = np.full(periods.n, -1, dtype=np.int64)
        if not self.n:
            return found
        found[before] = self.leads - 1 - (before.stop - 1 - np.arange(before.stop)) // length
        found[after] = self.leads + np.arange(after.stop - after.start) // length
        return found


NO_BINS = Bins(12, 0, 0)


def bins_over(months: int, periods: list[Periods], starts: list[tuple[int, PeriodKind]]) -> Bins:
    """Return bins that hold every period of every outcome around every start."""
    leads = lags = 0
    unit = Bins(months, 0, 0)
    for axis in periods:
        length = unit.length(axis.kind)
        for start, kind in starts:
            before, after = axis.split(start, kind)
            leads = max(leads, -(-before.stop // length))
            lags = max(lags, -(-(after.stop - after.start) // length))
    return Bins(months, leads, lags)


def path(totals: Floats, *, is_ratio: bool) -> Floats:
    """Return the effect in each event-time bin over the neighbourhoods that have it.

    Each bin is compared with the time before the start of the same neighbourhoods:

        ratio      log( sum_g Y_gb / sum_g Yhat_gb ) - log( sum_g Y_g,pre / sum_g Yhat_g,pre )
        additive   (Y_b - Yhat_b) / E_b - (Y_pre - Yhat_pre) / E_pre   of scores, sum_g likewise

    Parameters
    ----------
    totals : (..., n_neighbourhoods, N_TOTALS + N_PATH * n_bins).

    Returns
    -------
    (..., n_bins); NaN where no neighbourhood has the bin, or a total is not positive.
    """
    binned = totals[..., N_TOTALS:].reshape(*totals.shape[:-1], -1, N_PATH)
    has = binned[..., PATH_EXPOSURE] > 0
    base = np.where(has[..., None], totals[..., None, :N_TOTALS], 0.0).sum(axis=-3)
    now = np.where(has[..., None], binned, 0.0).sum(axis=-3)
    observed, expected = now[..., PATH_OBSERVED], now[..., PATH_EXPECTED]
    with np.errstate(divide="ignore", invalid="ignore"):
        if is_ratio:
            after = np.log(observed / expected)
            before = np.log(base[..., OBSERVED_PRE] / base[..., EXPECTED_PRE])
        else:
            after = (observed - expected) / now[..., PATH_EXPOSURE]
            before = (base[..., OBSERVED_PRE] - base[..., EXPECTED_PRE]) / base[..., EXPOSURE_PRE]
        found = after - before
    return np.asarray(np.where(np.isfinite(found), found, np.nan))


def path_counts(totals: Floats) -> Floats:
    """Return the events before the start of the neighbourhoods that have each bin, (..., n_bins).

    The standard error of a bin is predicted from them, see `inference.predicted_scale`.
    """
    binned = totals[..., N_TOTALS:].reshape(*totals.shape[:-1], -1, N_PATH)
    has = binned[..., PATH_EXPOSURE] > 0
    return np.asarray(np.where(has, totals[..., OBSERVED_PRE, None], 0.0).sum(axis=-2))


#: Ridge of the coefficients, as a share of the characteristics' mean variance. A plain fit is
#: useless where there are hardly more benchmark areas than characteristics.
_SHRINK = 1e-3


@dataclass(slots=True, eq=False)
class Adjustment:
    """The adjustment of one neighbourhood, for any of its outcomes.

    The rates of the benchmark areas are regressed on their characteristics, weighted by
    calibration weight times exposure (their part in the rate). The coefficients times the
    imbalance left after weighting give the gap that the characteristics alone would cause.
    Subtracting it is correct if either the weights or the regression are (bias-corrected matching:
    Abadie & Imbens 2011, doi 10.1198/jbes.2009.07333, equation 4; augmented weighting: Robins,
    Rotnitzky & Zhao 1994). The gap is a weighted sum of the rates, with weights that do not depend
    on the rates, so outcomes of equal exposure share one fit.
    """

    treated: Floats  # (g, p), characteristics of the treated areas, in standard deviations
    benchmark: Floats  # (m, p), of the benchmark areas
    weights: Floats  # (m,), their calibration weights
    _fits: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)

    def gap_in_rate(self, events: Floats, exposure: Floats, own_exposure: Floats) -> float:
        """Return the expected rate of the benchmark areas less that of areas like the treated.

        Parameters
        ----------
        events, exposure : (m,), of the benchmark areas after the start.
        own_exposure : (g,), of the treated areas.

        Returns
        -------
        Events for each unit of exposure; 0 without characteristics or exposure.
        """
        counted = exposure > 0
        rate = np.divide(events, exposure, out=np.zeros(len(events)), where=counted)
        return float(self._counts_for(exposure, own_exposure) @ rate)

    def _counts_for(self, exposure: Floats, own_exposure: Floats) -> Floats:
        """Return the weight of each benchmark area's rate in the gap, (m,)."""
        for theirs, mine, found in self._fits:
            if np.array_equal(theirs, exposure) and np.array_equal(mine, own_exposure):
                return found
        found = _counts_for(self.treated, self.benchmark, self.weights * exposure, own_exposure)
        self._fits.append((exposure, own_exposure, found))
        return found


def _counts_for(treated: Floats, benchmark: Floats, part: Floats, own: Floats) -> Floats:
    nothing = np.zeros(len(part))
    if not benchmark.shape[1] or not part.sum() > 0 or not own.sum() > 0:
        return nothing
    part = part / part.sum()
    centre = part @ benchmark
    imbalance = centre - (own / own.sum()) @ treated
    centred = benchmark - centre
    apart = centred * part[:, None]
    gram = apart.T @ centred
    ridge = _SHRINK * float(np.trace(gram)) / len(gram)
    if ridge <= 0:
        return nothing
    return np.asarray(apart @ np.linalg.solve(gram + ridge * np.eye(len(gram)), imbalance))


@dataclass(frozen=True, slots=True, eq=False)
class GrowthRegression:
    """How an outcome's change depends on the characteristics of areas, over the whole pool.

    Where calibration cannot match the treated areas, their benchmark areas stay different, and a
    trend that follows the difference would look like an effect: the slopes times the imbalance
    left after weighting.
    """

    #: (p,), by a standard deviation of each characteristic: relative to the pool's change for counts, in the
    #: outcome's unit for scores
    slopes: Floats
    is_ratio: bool  # whether the outcome is a count

    def expected(self, after: Floats, imbalance: Floats, n_areas: int) -> Floats:
        """Return the expected totals after the start of areas like the treated ones.

        Parameters
        ----------
        imbalance : (p or more,), benchmark less treated, in standard deviations; shares of exact
            factors come after the characteristics and are not read.
        """
        apart = float(self.slopes @ imbalance[: len(self.slopes)])
        return np.asarray(after * np.exp(-apart) if self.is_ratio else after - n_areas * apart)


def growth(
    characteristics: Floats, pool: Bools, pre: Floats, post: Floats, *, is_ratio: bool
) -> GrowthRegression:
    """Regress the change of pool areas on their characteristics.

    Weighted least squares. The weights of counts are the events before the start, each area's part
    in the total. The ridge is p / n of the characteristics' mean variance, so that less is taken
    off where there are fewer areas for each characteristic.

    Parameters
    ----------
    characteristics : (n_areas, p), in standard deviations.
    pool : (n_areas,), untreated areas with all values.
    pre, post : (n_areas,), the outcome before and after.
    """
    used = pool & (pre > 0) if is_ratio else pool
    known, part = characteristics[used], pre[used] if is_ratio else np.ones(int(used.sum()))
    nothing = GrowthRegression(np.zeros(known.shape[1]), is_ratio)
    if not known.size or (is_ratio and not post[used].sum() > 0):
        return nothing
    change = post[used] - pre[used]
    if is_ratio:
        change = post[used] / pre[used] * (part.sum() / post[used].sum())
    part = part / part.sum()
    centred = known - part @ known
    apart = centred * part[:, None]
    gram = apart.T @ centred
    ridge = len(gram) / len(known) * float(np.trace(gram)) / len(gram)
    if ridge <= 0:
        return nothing
    slopes = np.linalg.solve(gram + ridge * np.eye(len(gram)), apart.T @ change)
    return GrowthRegression(np.asarray(slopes), is_ratio)
