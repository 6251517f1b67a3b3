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
    measure : one outcome.
    pre, post : (n_periods,), the periods used on either side.
    bin_of : (n_periods,), the event-time bin of each period, -1 for none; None for no bins.
    n_bins : how many event-time bins there are.
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
    sums_ : of every area.
    members, pool : positions of treated and pool areas.
    weights : (m,), of the pool areas.
    adjustment : what the expected total of a level is regression-adjusted by; None for nothing.
        One serves all outcomes of a neighbourhood.
    imbalance : what weighting left unlike, which the expected total of a change is adjusted for;
        None where it left nothing.

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
