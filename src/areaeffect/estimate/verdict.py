"""The four-way verdict: what may be said, from the interval, the threshold and the gates."""

from __future__ import annotations

from areaeffect.results import Verdict

#: Fewer disjoint placebo programmes than this cannot carry a verdict ...
MIN_DISJOINT_PROGRAMMES = 20
#: ... unless the programme averages over at least so many neighbourhoods ...
MIN_NEIGHBOURHOODS = 10
#: ... and the pool holds so many disjoint pseudo-neighbourhoods to measure their spread with.
MIN_DISJOINT_NEIGHBOURHOODS = 60


def placebos_carry(n_neighbourhoods: int, programmes: int, neighbourhoods: int) -> bool:
    """Tell whether the placebo distribution rests on enough separate places.

    A programme of few neighbourhoods needs `MIN_DISJOINT_PROGRAMMES` programmes that share no
    area. The effect of a programme of many is a mean of nearly independent parts: its spread
    follows from theirs, and is known from the pseudo-neighbourhoods that share no area. Size
    under this rule is measured in `docs/validation/`.
    """
    if programmes >= MIN_DISJOINT_PROGRAMMES:
        return True
    return n_neighbourhoods >= MIN_NEIGHBOURHOODS and neighbourhoods >= MIN_DISJOINT_NEIGHBOURHOODS


def decide(
    interval: tuple[float, float],
    interval_90: tuple[float, float],
    threshold: tuple[float, float],
    better: str,
    *,
    carried: bool,
) -> Verdict:
    """Decide a verdict; the smallest effect that would be seen is no input.

    Parameters
    ----------
    interval : the 95% interval, adjusted for several findings.
    interval_90 : the unadjusted 90% interval (two one-sided tests).
    threshold : the range of effects too small to matter.
    better : 'lower' or 'higher'.
    carried : whether the placebos carry a verdict, see `placebos_carry`.
    """
    if not carried:
        return Verdict.CANNOT_TELL
    if threshold[0] < interval_90[0] and interval_90[1] < threshold[1]:
        return Verdict.LITTLE_DIFFERENCE
    if interval[1] < 0:
        return Verdict.BETTER if better == "lower" else Verdict.WORSE
    if interval[0] > 0:
        return Verdict.WORSE if better == "lower" else Verdict.BETTER
    return Verdict.CANNOT_TELL
