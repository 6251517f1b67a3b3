"""Distance rings: whether places around gained or lost with the neighbourhoods (spill-over).

Areas in each ring around a programme are treated as if the programme were there, and compared
with benchmark areas of their own that lie outside all rings (Butts 2023, arXiv 2105.03737,
section 3). The rings of placebo programmes go through the same design.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from areaeffect.design.programme import Rules, design_programme
from areaeffect.estimate.counterfactual import totals
from areaeffect.falsify.placebo import programme_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.falsify.placebo import Machine
    from areaeffect.panel import Graph
    from areaeffect.results import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class RingJob:
    """Puts the rings of placebo programmes through design and estimate.

    Parameters
    ----------
    machine : the study's, with one arm, that of changes.
    near : areas within the outermost ring of each other.
    band : (n_pairs,), the ring that each pair of `near` is in.
    n_rings : rings, from the nearest.
    in_rings : (n_areas,), areas that may stand in a ring: eligible but for the buffer.
    """

    machine: Machine
    near: Graph
    band: npt.NDArray[np.int8]
    n_rings: int
    in_rings: Bools

    def prepare(self) -> None:
        """Make every cohort and sum, and search the nearest areas of all that may be asked for."""
        self.machine.prepare()
        every = np.flatnonzero(self.in_rings)
        for arm in self.machine.arms:
            for g, bank in enumerate(self.machine.banks):
                for areas in (a for options in bank.pieces for a in options):
                    cohort = arm.cohort(g, areas)
                    if cohort.nearest is not None:
                        cohort.nearest.of(every)

    def run(self, draws: npt.NDArray[np.int64]) -> Floats:
        """Return (n_draws, n_neighbourhoods, n_rings * n_outcomes, n_totals)."""
        machine = self.machine
        n_positions = self.n_rings * machine.n_outcomes
        found = np.full((len(draws), len(machine.banks), n_positions, machine.n_totals), np.nan)
        for d, number in enumerate(draws):
            programme = programme_of(machine, int(number))
            if programme is not None:
                found[d], _ = self.around(programme)
        return found

    def around(self, programme: Sequence[Ints]) -> tuple[Floats, tuple[tuple[int, ...], ...]]:
        """Design and add up the rings of one programme.

        Returns
        -------
        Totals as in `run`, for one draw, and how many areas each ring has of each neighbourhood.
        A neighbourhood without an area in a ring adds nothing to it; NaN where none has one.
        """
        machine, (arm,) = self.machine, self.machine.arms
        n = machine.n_outcomes
        found = np.full((len(programme), self.n_rings * n, machine.n_totals), np.nan)
        cohorts = [arm.cohort(g, areas) for g, areas in enumerate(programme)]
        rings, inside = rings_of(programme, self.near, self.band, self.n_rings)
        far = machine.eligible & ~inside
        rules = Rules(
            machine.rules.nearest, machine.rules.common_support, None, machine.rules.matching
        )
        sizes = []
        for r, ring in enumerate(rings):
            members = [
                areas[self.in_rings[areas] & cohort.usable[areas]]
                for areas, cohort in zip(ring, cohorts, strict=True)
            ]
            sizes.append(tuple(len(areas) for areas in members))
            there = [g for g, areas in enumerate(members) if len(areas)]
            if not there:
                continue
            found[:, r * n : (r + 1) * n] = 0.0
            designed = design_programme(
                [cohorts[g] for g in there], [members[g] for g in there], far, rules
            )
            for g, chosen in zip(there, designed, strict=True):
                found[g, r * n : (r + 1) * n] = np.nan
                for o, sums in arm.sums(g, programme[g]).items():
                    if chosen is not None:
                        found[g, r * n + o] = totals(sums, members[g], chosen.pool, chosen.weights)
        return found, tuple(sizes)


def rings_of(
    programme: Sequence[Ints], near: Graph, band: npt.NDArray[np.int8], n_rings: int
) -> tuple[list[list[Ints]], Bools]:
    """Share the areas around a programme out to rings and neighbourhoods.

    Parameters
    ----------
    programme : the areas of each neighbourhood.
    near, band, n_rings : see `RingJob`.

    Returns
    -------
    For each ring, the areas nearest to each neighbourhood (an area as near to two belongs to the
    first); and (n_areas,), whether an area is in the programme or in any ring.
    """
    n_areas = len(near.indptr) - 1
    nearest = np.full(n_areas, n_rings, dtype=np.int8)
    owner = np.full(n_areas, -1)
    for g, areas in enumerate(programme):
        pairs = np.concatenate([np.arange(near.indptr[a], near.indptr[a + 1]) for a in areas])
        closest = np.full(n_areas, n_rings, dtype=np.int8)
        np.minimum.at(closest, near.indices[pairs], band[pairs])
        closer = closest < nearest
        nearest[closer], owner[closer] = closest[closer], g
    every = np.concatenate(programme)
    inside = nearest < n_rings
    inside[every] = True
    nearest[every] = n_rings
    rings = [
        [np.flatnonzero((nearest == r) & (owner == g)) for g in range(len(programme))]
        for r in range(n_rings)
    ]
    return rings, inside
