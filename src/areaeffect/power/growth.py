"""How the spread of placebo effects grows with the length of follow-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Growth taken where it cannot be fitted: log(0.055 / 0.033) / log(4), London, ten
#: neighbourhoods of five areas, first to fourth year (`docs/methods/power.md`).
ASSUMED = 0.37
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Growth:
    """Deviation after k years = deviation after one year times k to a power.

    Parameters
    ----------
    power : 0 for noise that does not grow, 0.5 for a random walk.
    is_fitted : whether it was fitted on this study's own placebos.
    """

    power: float
    is_fitted: bool

    def factor(self, longer: float) -> float:
        """Return by how much the deviation grows where the follow-up is longer by a factor."""
        return float(max(longer, 1.0) ** self.power)


def fit_growth(deviations: Sequence[float]) -> Growth:
    """Fit the power by least squares on logarithms; never below 0, so no length gains by it.

    Parameters
    ----------
    deviations : of the placebo effects over the first 1, 2, … years; NaN where not estimable.
    """
    found = np.asarray(deviations, dtype=float)
    good = np.flatnonzero(np.isfinite(found) & (found > 0))
    if len(good) < _FEWEST:
        return Growth(ASSUMED, is_fitted=False)
    slope = np.polyfit(np.log(good + 1.0), np.log(found[good]), 1)[0]
    return Growth(float(np.clip(slope, 0.0, 1.0)), is_fitted=True)
