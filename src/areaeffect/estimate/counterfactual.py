"""Totals of treated and benchmark areas before and after, and the effects they give.

With Y the treated totals, Yhat = sum_j w_j Y_j their counterfactual (DESIGN section 6):

    ratio of totals, change   theta = (Y_post / Yhat_post) / (Y_pre / Yhat_pre) - 1
    avoided                   Yhat_post * Y_pre / Yhat_pre - Y_post
    additive, change          (Y_post/E_post - Yhat_post/Ehat_post) - (the same before)
    level                     the same without the part before the start

so that `theta` and `avoided` never disagree in sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.panel import Measure
    from areaeffect.results import Bools, Floats, Ints

#: Positions in the last axis of a totals array.
OBSERVED_PRE, OBSERVED_POST, EXPECTED_PRE, EXPECTED_POST = range(4)
EXPOSURE_PRE, EXPOSURE_POST, EXPECTED_EXPOSURE_PRE, EXPECTED_EXPOSURE_POST = range(4, 8)
N_TOTALS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Each area's outcome and exposure before and after one start, over the periods used.

    Parameters
    ----------
    pre, post : (n_areas,), counts added up, or means of scores.
    exposure_pre, exposure_post : (n_areas,), exposure times years; 1 for scores.
    """

    pre: Floats
    post: Floats
    exposure_pre: Floats
    exposure_post: Floats


def sums(measure: Measure, pre: Bools, post: Bools) -> Sums:
    """Add each area's cells up over the periods before and after.

    Parameters
    ----------
    measure : one outcome.
    pre, post : (n_periods,), the periods used on either side.
    """
    n = len(measure.values)
    step = measure.periods.years_per_period
    exposure = np.ones(n) if measure.exposure is None or not measure.is_count else measure.exposure
    sides = []
    for mask, nothing in ((pre, 0.0), (post, np.nan)):  # a level claim has no before
        cells = measure.values[:, mask]
        if measure.is_count:
            sides.append((cells.sum(axis=1), exposure * step * mask.sum()))
        else:
            mean = cells.mean(axis=1) if mask.any() else np.full(n, nothing)
            sides.append((mean, exposure))
    return Sums(sides[0][0], sides[1][0], sides[0][1], sides[1][1])


def totals(sums_: Sums, members: Ints, pool: Ints, weights: Floats) -> Floats:
    """Return the eight totals of one neighbourhood and outcome, (N_TOTALS,)."""
    found = np.empty(N_TOTALS)
    for position, values in enumerate((sums_.pre, sums_.post)):
        found[OBSERVED_PRE + position] = values[members].sum()
        found[EXPECTED_PRE + position] = weights @ values[pool]
    for position, values in enumerate((sums_.exposure_pre, sums_.exposure_post)):
        found[EXPOSURE_PRE + position] = values[members].sum()
        found[EXPECTED_EXPOSURE_PRE + position] = weights @ values[pool]
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
    base, own = (
        (EXPECTED_EXPOSURE_POST, EXPOSURE_POST)
        if claim == "level"
        else (EXPECTED_PRE, OBSERVED_PRE)
    )
    if total[base] <= 0:
        return float("nan")
    return float(total[EXPECTED_POST] * total[own] / total[base])
