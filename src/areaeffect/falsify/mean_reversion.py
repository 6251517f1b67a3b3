"""Regression to the mean: what the design finds where nothing was done but things were at a worst.

Initiatives are placed where things are bad, and places at their worst tend to improve by
themselves. Placebo programmes drawn from the worst places go through the same design; what they
show is the bias that such a choice alone would bring (Barnett, van der Pols & Dobson 2005,
doi 10.1093/ije/dyh299).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Bools, Floats

#: Shares of places that are tried as 'the worst', until there is room for a programme in them.
SHARES = (0.1, 0.2, 1 / 3)
#: There is room where the worst places hold so many times the programme's areas.
ROOM = 4.0
#: A programme whose neighbourhoods lie above this percentile on average was itself at a worst.
HIGH = 80.0
_CLEAR = 2.0  # Monte Carlo errors


@dataclass(frozen=True, slots=True)
class Reversion:
    """What the design finds on placebo programmes in the worst places.

    Parameters
    ----------
    percentile : mean percentile of the real neighbourhoods among all that could be drawn, 100
        the worst.
    bias, error : mean estimate of those placebo programmes, and its Monte Carlo error.
    """

    percentile: float
    bias: float
    error: float

    def could_explain(self, estimate: float, deviation: float, limit: float) -> bool:
        """Whether the choice of places could be part of a finding.

        It could where the places were at a worst, the bias is more than noise and more than
        `limit` placebo deviations, and it points where the estimate does.
        """
        clear = abs(self.bias) > max(_CLEAR * self.error, limit * deviation)
        return self.percentile >= HIGH and clear and self.bias * estimate > 0


def percentile_among(values: Floats, of: Floats) -> Floats:
    """Return the percentile of each value among others, 0 to 100; ties count half.

    Parameters
    ----------
    values : (n,).
    of : (m,), finite.
    """
    ordered = np.sort(of)
    below = np.searchsorted(ordered, values, "left")
    upto = np.searchsorted(ordered, values, "right")
    return np.where(np.isfinite(values), 50.0 * (below + upto) / max(len(ordered), 1), np.nan)


def worst(scores: Floats, share: float) -> Bools:
    """Tell which places are the worst over all outcomes, by their mean percentile.

    Parameters
    ----------
    scores : (n_places, n_outcomes), higher is worse; NaN where unknown: such a place is none.
    share : of places, that are the worst.
    """
    known = np.asarray(np.isfinite(scores).all(axis=1), dtype=np.bool_)
    if not known.any() or not scores.shape[1]:
        return np.zeros(len(scores), dtype=bool)
    ranks = [percentile_among(column, column[known]) for column in scores.T]
    mean = np.mean(ranks, axis=0)
    found = np.zeros(len(scores), dtype=bool)
    found[known] = mean[known] >= np.quantile(mean[known], 1 - share)
    return found


def reversion(percentiles: Floats, estimates: Floats) -> Reversion:
    """Sum up one finding's check.

    Parameters
    ----------
    percentiles : (n_neighbourhoods,), of the real ones.
    estimates : (n_draws,), of placebo programmes in the worst places; NaN where none was drawn.
    """
    drawn = estimates[np.isfinite(estimates)]
    error = float(drawn.std(ddof=1) / np.sqrt(len(drawn)))
    return Reversion(float(np.nanmean(percentiles)), float(drawn.mean()), error)
