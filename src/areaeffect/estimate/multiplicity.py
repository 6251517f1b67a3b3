"""Several outcomes at once: Westfall and Young's max-T, single-step and step-down.

Westfall & Young 1993, Resampling-Based Multiple Testing, section 2.3: all statistics of a draw
come from the same placebo programme, so their dependence is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.estimate.inference import PlaceboInference, rank_kept, share_beyond
from areaeffect.results import LEVEL, Floats

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
