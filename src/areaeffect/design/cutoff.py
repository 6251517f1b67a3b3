"""Placement by a rank with a cap: who is chosen, who just missed, and who could be instead.

A programme takes the places with the lowest or highest score, and a limited number of one group.
That rule says who resembles the places chosen: those just beyond the cut, and those that the cap
shut out. It also says how a made-up programme is placed: by the same rule, among the places that
remain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from areaeffect.results import Bools, Floats, Ints

#: A programme is compared with this multiple of its number of places beyond its cut, and made-up ones
#: are placed among as many in line ...
WITHIN = 8
#: ... and at least this number.
FEWEST = 100
#: A made-up programme leaves out the places beyond a line across the map, at most this share ...
BEYOND_LINE = 0.7
#: ... and of the others this share at random; without a map, the second share alone.
LEFT_OUT, LEFT_OUT_WITHOUT_MAP = 0.2, 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ranked:
    """Places in the order in which a rule takes them."""

    places: tuple[Ints, ...]  # areas of each place, the first to be taken first
    score: Floats  # (n_places,), ascending: the score, or its negative where the highest are taken
    group: Ints  # (n_places,), of the cap
    at_most: int | None  # places of one group that are taken; None without a cap.
    within: int  # places beyond a cut that a programme is compared with
    reach: int  # places in line among which a made-up programme is placed
    of_area: Ints  # (n_areas,), position of each area's place; -1 for none.
    centres: Floats | None = None  # (n_places, 2); None without a map.

    def in_line(self, may: Bools) -> Ints:
        """Return, in order, the places that no cap shuts out if only these may be taken."""
        queue = np.flatnonzero(may)
        if self.at_most is None:
            return queue
        groups = pd.Series(self.group[queue])
        return queue[groups.groupby(groups).cumcount().to_numpy() < self.at_most]

    def taken(self, may: Bools, n: int) -> Ints:
        """Return the n places that the rule takes of some; fewer where they run out."""
        return self.in_line(may)[:n]

    def just_missed(self, members: Ints, may: Bools) -> Bools:
        """Tell which places resemble a programme: just beyond its cut, or shut out by its cap.

        Parameters
        ----------
        may : (n_places,), places that may be compared with.
        """
        cut, position = int(members.max()), np.arange(len(self.score))
        found = np.zeros(len(self.score), dtype=bool)
        found[np.flatnonzero(may & (position > cut))[: self.within]] = True
        if self.at_most is not None:
            last = np.full(int(self.group.max()) + 1, -1)
            np.maximum.at(last, self.group[members], members)
            full = np.bincount(self.group[members], minlength=len(last)) >= self.at_most
            after_own = position > last[self.group]
            found |= may & full[self.group] & after_own & (position < cut)
        found[members] = False
        return found

    def resembling(self, treated: Ints, may: Bools) -> Bools:
        """Tell which areas may be compared with a programme: those of `just_missed`.

        Parameters
        ----------
        may : (n_areas,), areas that may be compared with at all.
        """
        has = np.zeros(len(self.score) + 1, dtype=bool)
        has[self.of_area[may]] = True  # the last entry is of areas in no place
        members = np.unique(self.of_area[treated])
        found = self.just_missed(members[members >= 0], has[:-1])
        return np.asarray(np.append(found, [False])[self.of_area] & may)

    def programme(
        self, options: Sequence[Ints], counts: Sequence[int], rng: np.random.Generator
    ) -> list[Ints] | None:
        """Place a made-up programme by the same rule; None where too few places are left.

        Some places are left out, and the cut lies anywhere among the rest. The neediest places of
        all lie closer together than those after them, and share more of what happens there: so
        what is left out lies beyond a line across the map, at random.
        """
        drawn = np.array([self.of_area[areas[0]] for areas in options], dtype=np.int64)
        share = LEFT_OUT_WITHOUT_MAP
        if self.centres is not None and len(drawn):
            angle, share = rng.uniform(0, 2 * np.pi), LEFT_OUT
            along = self.centres[drawn] @ np.array([np.cos(angle), np.sin(angle)])
            drawn = drawn[along >= np.quantile(along, rng.uniform(0, BEYOND_LINE))]
        some = np.zeros(len(self.score), dtype=bool)
        some[drawn[rng.random(len(drawn)) >= share]] = True
        line, n = self.in_line(some), sum(counts)
        if len(line) < n:
            return None
        shift = int(rng.integers(len(line) - n + 1))
        return self.split(rng.permutation(line[shift : shift + n]), counts)

    def split(self, positions: Ints, counts: Sequence[int]) -> list[Ints]:
        """Return the areas of a number of places each."""
        parts = np.split(positions, np.cumsum(counts)[:-1])
        return [np.sort(np.concatenate([self.places[p] for p in part])) for part in parts]

    def drawable(self, may: Bools) -> list[Ints]:
        """List the places among which a made-up programme is placed: the next ones in line.

        Parameters
        ----------
        may : (n_areas,), areas that may be drawn; a place may where all its areas may.
        """
        whole = np.array([bool(may[areas].all()) for areas in self.places], dtype=bool)
        return [self.places[p] for p in self.in_line(whole)[: self.reach]]


def ranked(
    places: Sequence[Ints],
    *,
    score: Floats,
    group: Ints,
    at_most: int | None,
    first: Bools,
    n_areas: int,
    centres: Floats | None = None,
) -> Ranked:
    """Put places in order of their score.

    Parameters
    ----------
    first : (n_places,), the places chosen: of equal scores they come first.
    centres : (n_areas, 2); None without a map.
    """
    order = np.lexsort((np.arange(len(places)), ~first, score))
    of_area = np.full(n_areas, -1, dtype=np.int64)
    ordered = tuple(places[i] for i in order)
    for position, areas in enumerate(ordered):
        of_area[areas] = position
    reach = max(FEWEST, WITHIN * int(first.sum()))
    return Ranked(
        places=ordered,
        score=score[order],
        group=group[order],
        at_most=at_most,
        within=reach,
        reach=reach,
        of_area=of_area,
        centres=None if centres is None else np.array([centres[p].mean(axis=0) for p in ordered]),
    )
