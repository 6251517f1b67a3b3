"""Placebo programmes: made-up programmes of areas where nothing was done.

Each resembles the real programme in the number and size of its neighbourhoods, in their covariates
and levels before the start, in their start dates, and in how far apart they lie. Each goes through
the whole design and estimate. Neighbourhoods are contiguous where boundaries are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from areaeffect.design.programme import Cohort, Rules, design_programme
from areaeffect.estimate.counterfactual import N_PATH, N_TOTALS, Adjustment, Sums, totals
from areaeffect.panel import Graph
from areaeffect.results import Bools, Floats, Ints, Strings
from areaeffect.streams import OF_AREAS, Use, generator

_TRIES = 50
_QUICK_TRIES = 8
#: Packings of disjoint programmes that are tried, of which the fullest counts.
_PACKINGS = 4
#: Radii that are tried, as multiples of the real programme's spread.
_RADII = (0.5, 0.7, 1.0, 1.4, 2.0, np.inf)
_TRIALS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What may represent one real neighbourhood."""

    #: one entry for each contiguous piece of the neighbourhood (one, as a rule; one a treated area where
    #: areas are drawn one by one); each lists the groups of areas, as positions in the panel, that may
    #: represent that piece.
    pieces: tuple[tuple[Ints, ...], ...]


def draw_programme(
    banks: Sequence[Candidates],
    n_areas: int,
    taken: Bools | None,
    rng: np.random.Generator,
    spread: Spread | None = None,
    tries: int = _TRIES,
) -> list[Ints] | None:
    """Draw one placebo programme of disjoint pseudo-neighbourhoods; None where none fits.

    Parameters
    ----------
    taken : (n_areas,), areas that may not be used; None for none.
    spread : how far apart its neighbourhoods should lie; None for anywhere.
    """
    if spread is not None:  # propose until one lies as far apart as the real one; else the nearest to it
        best, least, made = None, np.inf, 0
        for _ in range(_TRIES):
            proposed = propose(banks, n_areas, taken, rng, spread)
            if proposed is None:
                continue
            made += 1
            off = spread.off_by(proposed)
            if off < least:
                best, least = proposed, off
            if off <= ALIKE_WITHIN or made == PROPOSALS:
                break
        return None if best is None else [b.pieces[0][i] for b, i in zip(banks, best, strict=True)]
    for _ in range(tries):
        used = np.zeros(n_areas, dtype=bool) if taken is None else taken.copy()
        drawn: list[Ints | None] = [None] * len(banks)
        for g in rng.permutation(len(banks)):
            picked = _pick(banks[g], used, rng)
            if picked is None:
                break
            used[picked] = True
            drawn[g] = picked
        if all(d is not None for d in drawn):
            return [d for d in drawn if d is not None]
    return None


def propose(
    banks: Sequence[Candidates], n_areas: int, taken: Bools | None, rng: np.random.Generator, spread: Spread
) -> list[int] | None:
    """Pick disjoint candidates within a radius of a first one; None where some bank has none.

    Every bank has one piece. Returned are positions in the banks.
    """
    used = np.zeros(n_areas, dtype=bool) if taken is None else taken.copy()
    drawn = [-1] * len(banks)
    first: Floats | None = None
    for g in rng.permutation(len(banks)):
        (options,), centres = banks[g].pieces, spread.centres[g]
        if first is None or not np.isfinite(spread.radius):
            near = np.arange(len(options))
        else:
            near = np.flatnonzero(((centres - first) ** 2).sum(axis=1) <= spread.radius**2)
        chosen = _free_position(options, near, used, rng)
        if chosen is None:
            return None
        used[options[chosen]] = True
        drawn[g] = chosen
        first = centres[chosen] if first is None else first
    return drawn


def matched_spread(
    banks: Sequence[Candidates], n_areas: int, centres: Sequence[Floats], target: float
) -> Spread:
    """Find the radius with which proposed programmes come nearest to the spread of the real one.

    Parameters
    ----------
    banks : the candidates of each real neighbourhood, in one piece each.
    centres : for each bank, (n_candidates, 2).
    target : mean distance between the real neighbourhoods' centres.
    """
    best, least = np.inf, np.inf
    for step, factor in enumerate(_RADII):
        tried = Spread(tuple(centres), target, factor * target)
        rng = generator(Use.SPREAD, OF_AREAS, step)
        found = [propose(banks, n_areas, None, rng, tried) for _ in range(_TRIALS)]
        made = [tried.off_by(picked) for picked in found if picked is not None]
        if len(made) >= _TRIALS // 2 and float(np.median(made)) < least:
            best, least = tried.radius, float(np.median(made))
    return Spread(tuple(centres), target, best)


def _pick(bank: Candidates, used: Bools, rng: np.random.Generator) -> Ints | None:
    """Pick a free candidate for every piece; None where some piece has none left."""
    mine = used.copy() if len(bank.pieces) > 1 else used
    picked = []
    for options in bank.pieces:
        chosen = _free_position(options, np.arange(len(options)), mine, rng)
        if chosen is None:
            return None
        picked.append(options[chosen])
        if len(bank.pieces) > 1:
            mine[options[chosen]] = True
    return np.sort(np.concatenate(picked))


def _free_position(options: Sequence[Ints], among: Ints, used: Bools, rng: np.random.Generator) -> int | None:
    """Return the position of a candidate among some that shares no area with `used`."""
    if not len(among):
        return None
    for i in rng.integers(len(among), size=_QUICK_TRIES):
        if not used[options[among[i]]].any():
            return int(among[i])
    every = [options[i] for i in among.tolist()]
    sizes = np.fromiter(map(len, every), dtype=np.int64, count=len(every))
    cells = used[np.concatenate(every)]
    free = among[~np.logical_or.reduceat(cells, np.cumsum(sizes) - sizes)]
    return int(free[int(rng.integers(len(free)))]) if len(free) else None


def count_disjoint(banks: Sequence[Candidates], n_areas: int, most: int) -> tuple[int, int]:
    """Count placebo programmes, and places, that share no area: those of the fullest packing.

    Each packing is greedy in random order: a lower bound of the largest number. A place is a
    pseudo-neighbourhood, or one piece of a programme that is drawn piece by piece. Counting stops
    at `most` programmes.
    """
    fullest = (0, 0)
    for packing in range(_PACKINGS):
        rng = generator(Use.DISJOINT, OF_AREAS, packing)
        used = np.zeros(n_areas, dtype=bool)
        programmes = 0
        while programmes < most:
            drawn = draw_programme(banks, n_areas, used, rng, tries=_QUICK_TRIES)
            if drawn is None:
                break
            programmes += 1
            used[np.concatenate(drawn)] = True
        pieces = [options for bank in banks for options in bank.pieces]
        places = programmes * len(pieces)
        smallest = min(pieces, key=lambda options: len(options[0]) if options else 0)
        while places < most * len(pieces):
            chosen = _free_position(smallest, np.arange(len(smallest)), used, rng)
            if chosen is None:
                break
            places += 1
            used[smallest[chosen]] = True
        fullest = max(fullest, (programmes, places), key=sum)
        if fullest[0] == most:
            break
    return fullest


class Cohorts(Protocol):
    """The cohorts and sums that one kind of claim needs, for real and placebo neighbourhoods."""

    draws: int | None

    @property
    def is_adjusted(self) -> bool:
        """Whether levels are adjusted for what weighting left unlike; changes always are."""

    def cohort(self, unit: int, areas: Ints) -> Cohort:
        """Return the cohort: the start of the real neighbourhood, the coverage of the areas."""

    def sums(self, unit: int, areas: Ints) -> Mapping[int, Sums]:
        """Return each outcome's sums for the same; an outcome with too many gaps is absent."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Machine:
    """Everything that all placebo draws have in common."""

    arms: tuple[Cohorts, ...]  # one a kind of claim
    banks: tuple[Candidates, ...]  # the candidates of each real neighbourhood
    #: eligible, rules: of the pool
    eligible: Bools
    rules: Rules
    n_outcomes: int  # outcomes of all arms
    seed: int  # of the study
    n_bins: int = 0  # event-time bins of every outcome
    #: how far apart the neighbourhoods of a programme should lie; None for anywhere.
    spread: Spread | None = None
    use: Use = Use.PLACEBO  # what the draws are for, and so which random numbers they take

    @property
    def n_totals(self) -> int:
        """Numbers that come back for each neighbourhood and outcome."""
        return N_TOTALS + N_PATH * self.n_bins

    def prepare(self) -> None:
        """Make every cohort and sum that a draw can ask for, once, before draws are shared out.

        Also the searches for nearest areas: the OpenMP they use does not survive a fork.
        """
        for arm in self.arms:
            asked: dict[int, tuple[Cohort, list[Ints]]] = {}
            for g, bank in enumerate(self.banks):
                for options in {id(some): some for some in bank.pieces}.values():
                    for areas in options:
                        cohort = arm.cohort(g, areas)
                        arm.sums(g, areas)
                        asked.setdefault(id(cohort), (cohort, []))[1].append(areas)
            for cohort, groups in asked.values():
                if cohort.nearest is not None:
                    cohort.nearest.of(np.unique(np.concatenate(groups)))

    def run(self, draws: npt.NDArray[np.int64]) -> Floats:
        """Design and add up placebo programmes.

        Each draw has its own random numbers, so that the result does not depend on how draws are
        shared between processes.

        Returns
        -------
        (n_draws, n_neighbourhoods, n_outcomes, n_totals); NaN where a pool was empty.
        """
        found = np.full((len(draws), len(self.banks), self.n_outcomes, self.n_totals), np.nan)
        for d, number in enumerate(draws):
            programme = programme_of(self, int(number))
            if programme is not None:
                found[d] = run_programme(self, programme, int(number))
        return found


def programme_of(machine: Machine, number: int) -> list[Ints] | None:
    """Return the placebo programme of one draw, which no other draw depends on; None for none."""
    rng = generator(machine.use, machine.seed, number)
    if machine.rules.ranked is not None:
        options, counts = machine.banks[0].pieces[0], [len(b.pieces) for b in machine.banks]
        return machine.rules.ranked.programme(options, counts, rng)
    return draw_programme(machine.banks, len(machine.eligible), None, rng, machine.spread)


def run_programme(machine: Machine, programme: Sequence[Ints], number: int = 0) -> Floats:
    """Design and add up one programme: (n_neighbourhoods, n_outcomes, n_totals).

    `number` is that of the draw: an arm that takes part in the first draws only leaves NaN in
    the later ones.
    """
    found = np.full((len(programme), machine.n_outcomes, machine.n_totals), np.nan)
    for arm in machine.arms:
        if arm.draws is not None and number >= arm.draws:
            continue
        cohorts = [arm.cohort(g, areas) for g, areas in enumerate(programme)]
        weighted = design_programme(cohorts, programme, machine.eligible, machine.rules)
        for g, chosen in enumerate(weighted):
            if chosen is None:
                continue
            members, pool, weights = programme[g], chosen.pool, chosen.weights
            scaled = cohorts[g].scaled
            by = Adjustment(scaled[members], scaled[pool], weights) if arm.is_adjusted else None
            left = None if chosen.exact else chosen.imbalance
            for o, sums_ in arm.sums(g, members).items():
                found[g, o] = totals(sums_, members, pool, weights, by, left)
    return found


#: Seeds whose pseudo-neighbourhoods are kept for each neighbourhood: those most alike it.
ALIKE = 200
#: Times each seed area is grown into a pseudo-neighbourhood of each size.
GROWTHS = 3
#: Seeds that are grown from at most: of more areas (output areas of a nation) this number at random.
MOST_SEEDS = 40_000


def grow(graph: Graph, allowed: Bools, size: int, rng: np.random.Generator) -> list[Ints]:
    """Grow contiguous pseudo-neighbourhoods of one size from every allowed area.

    A random area on the edge joins until the size is reached; seeds whose connected part is
    too small give none. Repeats are dropped. Of more than `MOST_SEEDS` seeds that number is drawn.
    """
    seeds = np.flatnonzero(graph.component_sizes(allowed) >= size)
    if len(seeds) > MOST_SEEDS:
        seeds = np.sort(rng.choice(seeds, MOST_SEEDS, replace=False))
    around = [
        [a for a in graph.of(area).tolist() if allowed[a]] if allowed[area] else []
        for area in range(len(allowed))
    ]
    found: dict[bytes, Ints] = {}
    for seed in seeds.tolist():
        for _ in range(GROWTHS):
            members = [seed]
            edge = set(around[seed])
            while len(members) < size:
                options = sorted(edge)
                joined = options[int(rng.integers(len(options)))]
                members.append(joined)
                edge.update(around[joined])
                edge.difference_update(members)
            areas = np.array(sorted(members), dtype=np.int64)
            found[areas.tobytes()] = areas
    return [found[key] for key in sorted(found)]


def grouped(groups: Strings, allowed: Bools, complete: Bools) -> list[Ints]:
    """Take given groups (boroughs, wards) whose covered areas may all be treated; (n_areas,) each."""
    found = []
    for group in np.unique(groups):
        inside = (groups == group) & complete
        if group and inside.any() and allowed[inside].all():
            found.append(np.flatnonzero(inside).astype(np.int64))
    return found


def mean_traits(candidates: Sequence[Ints], traits: Floats) -> Floats:
    """Return the mean of traits, (n_areas, q), of each candidate, (n_candidates, q)."""
    if not candidates:
        return np.empty((0, traits.shape[1]))
    sizes = np.fromiter(map(len, candidates), dtype=np.int64, count=len(candidates))
    starts = np.cumsum(sizes) - sizes
    return np.asarray(np.add.reduceat(traits[np.concatenate(candidates)], starts) / sizes[:, None])


def most_alike(candidates: Sequence[Ints], means: Floats, target: Floats, keep: int) -> list[Ints]:
    """Keep the candidates whose mean traits, (n_candidates, q), are nearest to a target's, (q,)."""
    if len(candidates) <= keep:
        return list(candidates)
    spread = means.std(axis=0)
    distance = (((means - target) / np.where(spread > 0, spread, 1.0)) ** 2).sum(axis=1)
    farthest = np.partition(distance, keep - 1)[keep - 1]
    nearer = np.flatnonzero(distance < farthest)
    level = np.flatnonzero(distance == farthest)[: keep - len(nearer)]
    return [candidates[i] for i in np.sort(np.concatenate([nearer, level]))]


#: A programme whose spread is within this factor of the real one's is taken at once ...
ALIKE_WITHIN = 1.15
#: ... and after this number of proposals the one that came nearest is.
PROPOSALS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How placebo programmes are kept as far apart as the real one."""

    #: for each neighbourhood, (n_candidates, 2), the centres of what may represent it
    centres: tuple[Floats, ...]
    target: float  # mean distance between the real neighbourhoods' centres, metres
    radius: float  # neighbourhoods are looked for within it of a first place; infinite for anywhere.

    def off_by(self, picked: Sequence[int]) -> float:
        """Return how far a programme's spread is from the real one's, as a factor of 1 or more."""
        found = mean_distance(np.array([c[i] for c, i in zip(self.centres, picked, strict=True)]))
        if found <= 0 or self.target <= 0:
            return 1.0 if found == self.target else np.inf
        return float(np.exp(np.abs(np.log(found / self.target))))


def mean_distance(points: Floats) -> float:
    """Return the mean distance between pairs of points, (n, 2) with n of 2 or more."""
    apart = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))
    n = len(points)
    return float(apart.sum() / (n * (n - 1)))


def centre_of(groups: Sequence[Ints], centres: Floats) -> Floats:
    """Return the mean of the centres of each group's areas, (n_groups, 2)."""
    return np.array([centres[areas].mean(axis=0) for areas in groups]).reshape(-1, 2)
