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

from dataclasses import dataclass

import numpy as np

from areaeffect.estimate.adjustment import Adjustment, GrowthRegression
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

    #: (n_areas, 4 + n_bins), the four of `pre`, `post`, `exposure_pre`, `exposure_post` and behind them
    #: `path`, side by side: a neighbourhood's are added up at one go
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

    @property
    def exposure_pre(self) -> Floats:
        """(n_areas,), exposure times years before the start; 1 for scores."""
        return self.columns[:, 2]

    @property
    def exposure_post(self) -> Floats:
        """(n_areas,), the same after it."""
        return self.columns[:, 3]

    @property
    def path(self) -> Floats:
        """(n_areas, n_bins), as `pre` and `post` by event-time bin; 0 without a period."""
        return self.columns[:, 4:]


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
    adjustment : what the expected total of a level is regression-adjusted by; None for nothing.
        One serves all outcomes of a neighbourhood.
    imbalance : what weighting left unlike, which the expected total of a change is adjusted for;
        None where it left nothing.

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


@dataclass(frozen=True, slots=True)
class Staggered:
    """An estimate with its standard errors."""

    estimate: float  # in units of the outcome
    #: standard error, net of the part of the variance of effects that history explains (their section 2.4)
    error: float
    conservative: float  # standard error without that (Neyman)
    beta: float  # the weight of the gaps before the starts


def random_timing(
    outcome: Floats, start: Ints, estimand: str = "simple", beta: float | None = None
) -> Staggered:
    """Estimate the effect of starting, over treated cells.

    Parameters
    ----------
    outcome : (n_units, n_periods).
    start : (n_units,), position of the first treated period; n_periods or more for never.
    estimand : how cells are weighted: 'simple' (each unit-period once), 'cohort' (each unit once)
        or 'calendar' (each period once).
    beta : 1 for Callaway and Sant'Anna, 0 for the difference in means; None for the best one.
    """
    starts, sizes = np.unique(start, return_counts=True)
    if sizes.min() < 2:  # noqa: PLR2004  # a variance needs two
        raise ValueError("a start with a single unit has no variance")
    after, before = _contrasts(starts, sizes, outcome.shape[1], estimand)
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


def _contrasts(starts: Ints, sizes: Ints, n_periods: int, estimand: str) -> tuple[Floats, Floats]:
    """Return the weights of each start's mean path in theta_0 and in X, (n_starts, n_periods)."""
    periods = np.arange(n_periods)
    cells = (starts[:, None] <= periods) & (periods < starts.max())  # treated, and some later left
    if not cells.any():
        raise ValueError("no treated period has units that start later")
    weight = cells * sizes[:, None].astype(np.float64)
    if estimand == "calendar":
        used = weight.sum(axis=0)
        weight = np.divide(weight, used, out=np.zeros_like(weight), where=used > 0)
    elif estimand == "cohort":
        weight /= np.maximum(cells.sum(axis=1, keepdims=True), 1)
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
