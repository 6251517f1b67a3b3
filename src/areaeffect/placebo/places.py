"""Places that may represent a neighbourhood, and how far apart those of a programme lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.panel import Graph
from areaeffect.results import Bools, Floats, Ints, Strings

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
    """Take given groups (boroughs, wards) as pseudo-neighbourhoods.

    Parameters
    ----------
    groups : (n_areas,), the group of each area.
    allowed : (n_areas,), areas that may be pseudo-treated.
    complete : (n_areas,), areas that are covered; a group counts where all of these are allowed.
    """
    found = []
    for group in np.unique(groups):
        inside = (groups == group) & complete
        if group and inside.any() and allowed[inside].all():
            found.append(np.flatnonzero(inside).astype(np.int64))
    return found


def mean_traits(candidates: Sequence[Ints], traits: Floats) -> Floats:
    """Return the mean traits of each candidate, (n_candidates, q).

    Parameters
    ----------
    traits : (n_areas, q), scaled covariates and levels before the start.
    """
    if not candidates:
        return np.empty((0, traits.shape[1]))
    sizes = np.fromiter(map(len, candidates), dtype=np.int64, count=len(candidates))
    starts = np.cumsum(sizes) - sizes
    return np.asarray(np.add.reduceat(traits[np.concatenate(candidates)], starts) / sizes[:, None])


def most_alike(candidates: Sequence[Ints], means: Floats, target: Floats, keep: int) -> list[Ints]:
    """Keep the candidates whose mean traits are nearest to the target's.

    Parameters
    ----------
    means : (n_candidates, q), from `mean_traits`.
    target : (q,), the mean of the real neighbourhood.
    """
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
