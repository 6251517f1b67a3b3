"""Several outcomes and groups at once: Westfall and Young's single-step max-T.

Westfall & Young 1993, Resampling-Based Multiple Testing, section 2.3: all statistics of a draw
come from the same placebo programme, so their dependence is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.results import Floats


#: A critical value nearer to zero than this share of the column's spread is not used as a scale.
_MIN_SHARE = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """What holds for all primary findings at once.

    Parameters
    ----------
    p_adjusted : (n_findings,).
    low, high : (n_findings,), critical values of each T that hold together.
    """

    p_adjusted: Floats
    low: Floats
    high: Floats


def max_t(
    statistics: Sequence[Floats],
    observed: Sequence[float],
    critical: Sequence[tuple[float, float]],
    level: float = 0.95,
) -> Joint:
    """Adjust for looking at several findings.

    Parameters
    ----------
    statistics : for each finding, (n_draws,) placebo statistics from the same draws; NaN where
        a draw gave none.
    observed : the statistic of each finding.
    critical : for each finding, the two critical values that hold for it alone.
    level : of the joint interval.

    Notes
    -----
    Each tail of each column is divided by its own critical value first, so that no finding
    rules the maximum because its placebos are skewed or have a long tail.
    """
    drawn = np.column_stack(list(statistics))
    drawn = drawn[np.isfinite(drawn).any(axis=1)]  # a draw that found no place says nothing
    floor = _MIN_SHARE * np.sqrt(np.nanmean(drawn**2, axis=0))
    low = np.minimum([c[0] for c in critical], -floor)
    high = np.maximum([c[1] for c in critical], floor)

    def relative(t: Floats) -> Floats:
        return np.asarray(np.where(t > 0, t / high, t / low))

    largest = np.nanmax(relative(drawn), axis=1)
    n = len(largest)
    at_least = (largest[:, None] >= relative(np.asarray(observed))).sum(axis=0)
    k = int(np.floor((1 - level) * (n + 1)))
    cut = max(1.0, float(np.sort(largest)[-k])) if k else np.inf
    return Joint((1 + at_least) / (n + 1), cut * low, cut * high)
