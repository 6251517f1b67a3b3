"""How bad things were before a start, and how much worse they had just become."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.findings.cohorts import ClaimCohorts
    from areaeffect.results import Bools, Floats, Ints

LEVEL, RISE = "level", "rise"


def scores_of(
    arm: ClaimCohorts, better: Sequence[str], unit: int, kind: str, places: Sequence[Ints]
) -> Floats:
    """Score places by their level before a start, or by their last year against the years before.

    Parameters
    ----------
    arm : of changes.
    better : for each outcome of the study, 'lower' or 'higher'.
    unit : the neighbourhood whose start and outcomes count.
    kind : LEVEL or RISE.
    places : areas of each.

    Returns
    -------
    (n_places, n_outcomes that the neighbourhood has): higher is worse; NaN where unknown. The
    rise of a count is in Poisson standard deviations, so that small places are not at a worst by
    chance alone.
    """
    used = arm.used(unit, arm.units[unit].areas)
    found = np.full((len(places), len(used)), np.nan)
    if not places or not used:
        return found
    sizes = np.array([len(p) for p in places])
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    every = np.concatenate(places)
    for k, (o, (pre, _)) in enumerate(used.items()):
        measure = arm.measure(o)
        sign = 1.0 if better[o] == "lower" else -1.0
        exposure = np.ones(len(measure.values))
        if measure.is_count and measure.exposure is not None:
            exposure = measure.exposure
        recent = _last_year(pre, measure.periods.kind.per_year)
        earlier = pre & ~recent

        def total(values: Floats) -> Floats:
            return np.asarray(np.add.reduceat(values[every], first))

        if kind == LEVEL:
            with np.errstate(divide="ignore", invalid="ignore"):  # no exposure: unknown
                found[:, k] = sign * total(measure.values[:, pre].mean(axis=1)) / total(exposure)
        elif earlier.any():
            now = total(measure.values[:, recent].mean(axis=1))
            then = total(measure.values[:, earlier].mean(axis=1))
            noise = np.sqrt(now + then + 1 / recent.sum()) if measure.is_count else sizes
            found[:, k] = sign * (now - then) / noise  # a count of few does not rise by much
    found[~np.isfinite(found)] = np.nan
    return found


def _last_year(pre: Bools, per_year: int | None) -> Bools:
    """Return the last year before a start, or the last third of an undated history."""
    known = np.flatnonzero(pre)
    length = per_year or max(1, len(known) // 3)
    recent = np.zeros_like(pre)
    recent[known[-length:]] = True
    return recent
