"""The verdict: what may be said, read from the printed interval and from nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.results import Better, Claim, Verdict

if TYPE_CHECKING:
    from areaeffect.results import Interval

_LITTLE = {Claim.LEVEL: Verdict.ALIKE}
_BELOW = {Better.LOWER: Verdict.BETTER, Better.HIGHER: Verdict.WORSE}
_ABOVE = {Better.LOWER: Verdict.WORSE, Better.HIGHER: Verdict.BETTER}


def decide(interval: Interval, threshold: float, better: Better, claim: Claim) -> Verdict:
    """Read a verdict off an interval; the smallest effect that would be seen is no input.

    Parameters
    ----------
    interval : the one that is printed; an end that was not found leaves nothing out.
    threshold : effects smaller than this, either way, are too small to matter.
    better : which direction is an improvement; of levels it decides nothing.
    claim : a level is higher, lower or alike, never better or worse.
    """
    low = float("-inf") if interval.low is None else interval.low
    high = float("inf") if interval.high is None else interval.high
    if -threshold < low and high < threshold:
        return _LITTLE.get(claim, Verdict.LITTLE_DIFFERENCE)
    if high < 0:
        return Verdict.LOWER if claim is Claim.LEVEL else _BELOW[better]
    if low > 0:
        return Verdict.HIGHER if claim is Claim.LEVEL else _ABOVE[better]
    return Verdict.CANNOT_TELL
