"""Nearest-neighbour matching: each treated area's most alike areas, each counting the same.

Matching leaves standardised differences of about 0.2 where calibration leaves none; it is the
design whose benchmark areas can be read out one by one (Stuart 2010, doi 10.1214/09-STS313,
section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Bools, Floats, Ints

#: Neighbours looked up for each match, so that exclusions and the reuse limit leave enough.
_PER_MATCH = 12


@dataclass(frozen=True, slots=True)
class Matching:
    """How benchmark areas are weighted, once the pool is known.

    Parameters
    ----------
    calibration : 'chi-square', 'entropy', or 'none' for matched areas only.
    caliper : largest distance of a benchmark area from a treated one, in standard deviations
        (root mean square over the characteristics); None for no limit.
    ratio : matches of each treated area, where calibration is none.
    reuse : treated areas of one neighbourhood that an area may be matched with; None for all.
    """

    calibration: str = "chi-square"
    caliper: float | None = None
    ratio: int = 5
    reuse: int | None = None

    def depth(self, nearest: int) -> int:
        """Return how many nearest areas of each area must be known; 0 for none."""
        return max(nearest, _PER_MATCH * self.ratio) if self.calibration == "none" else nearest


def match(order: Ints, apart: Floats, allowed: Bools, rule: Matching) -> tuple[Ints, Floats] | None:
    """Match every treated area of a neighbourhood with its most alike areas.

    Parameters
    ----------
    order : (n_treated, k), areas in order of distance from each treated one.
    apart : (n_treated, k), those distances, in standard deviations.
    allowed : (n_areas,), areas that may be matched.
    rule : ratio, reuse limit and caliper.

    Returns
    -------
    Matched areas (m,), ascending, and their weights, which add up to the number of treated
    areas: each treated area's matches share one. None where a treated area has no match, since
    leaving it out would change who the finding is about.
    """
    may = allowed[order]
    if rule.caliper is not None:
        may &= apart <= rule.caliper
    if rule.reuse is None:
        take = may & (np.cumsum(may, axis=1) <= rule.ratio)
    else:
        take = _greedy(order, apart, may, rule.ratio, rule.reuse)
    found = take.sum(axis=1)
    if (found == 0).any():
        return None
    weights = np.zeros(len(allowed))
    np.add.at(weights, order[take], np.repeat(1.0 / found, found))
    pool = np.flatnonzero(weights)
    return pool, weights[pool]


def _greedy(order: Ints, apart: Floats, may: Bools, ratio: int, reuse: int) -> Bools:
    """Take pairs in order of distance while both sides are free; ties by position."""
    take = np.zeros_like(may)
    rows, places = np.nonzero(may)
    given = np.zeros(len(order), dtype=np.int64)
    used: dict[int, int] = {}
    for pair in np.argsort(apart[rows, places], kind="stable"):
        row, place = rows[pair], places[pair]
        area = int(order[row, place])
        if given[row] < ratio and used.get(area, 0) < reuse:
            take[row, place] = True
            given[row] += 1
            used[area] = used.get(area, 0) + 1
    return take


def within_caliper(scaled: Floats, areas: Ints, pool: Ints, caliper: float) -> Bools:
    """Tell which pool areas lie within the caliper of any of the treated areas, (m,)."""
    from scipy.spatial.distance import cdist

    if scaled.shape[1] == 0:
        return np.ones(len(pool), dtype=bool)
    apart = cdist(scaled[pool], scaled[areas]).min(axis=1)
    return np.asarray(apart <= caliper * np.sqrt(scaled.shape[1]))
