"""Where the initiatives of a simulated county work: adjoining areas in deprived places."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from areaeffect.errors import Problem, StudyError
from areaeffect.simulate.noise import BoolArray, FloatArray, IntArray
from areaeffect.simulate.places import town_of
from areaeffect.simulate.spec import ProgrammeSpec

ELIGIBLE_SHARE = 0.4  # seeds lie in the most deprived two fifths
PULL_OF_DEPRIVATION = 0.8  # log odds of being a seed per standard deviation of deprivation
CROWDING_PENALTY = (
    12.0  # off the same log odds, times the share of the town's areas already in a neighbourhood
)
FEWEST_PER_FORCE = 2
MAX_ATTEMPTS = 60

QUARTERS = (
    "Eastfield", "Northgate", "Millbrook", "Quayside", "Ropewalk", "Hillside", "Abbey Road",
    "Canal Side", "Westmoor", "Castle Hill", "Foundry", "Larkspur", "Greenbank", "St Hild's",
    "Lowtown", "Priory Park", "Southwold Road", "Chapelfields", "Docklands", "Beckside",
    "Oakdene", "Whinmoor", "Gasworks Lane", "Tanyard", "Highfields", "Fairmead", "Kiln Lane",
    "Riverside", "Sandpits", "Trinity", "Windmill Hill", "Colliers Row", "Newlands",
    "Orchard Park", "Market Weir", "Station Road", "Garth End", "Langdale", "Mount Pleasant",
    "Bridgefoot",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The areas (indices, sorted) one partnership works in, and from when."""

    initiative: str
    name: str
    areas: tuple[int, ...]
    start: str
    resident_led: bool


def place_programmes(
    rng: np.random.Generator,
    programmes: tuple[ProgrammeSpec, ...],
    places: pd.DataFrame,
    pairs: IntArray,
) -> tuple[Neighbourhood, ...]:
    """Place neighbourhoods: each connected, none adjoining another, some in every police force.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    programmes : tuple of ProgrammeSpec
        The initiatives.
    places : DataFrame
        As `describe_places` returns it, plus `area_code`.
    pairs : (n_pairs, 2) int
        Areas with a common border, both directions.

    Returns
    -------
    tuple of Neighbourhood
        Programme by programme.
    """
    wanted = [(p, size) for p in programmes for size in _sizes(rng, p)]
    starts = [start for p in programmes for start in _starts(rng, p)]
    neighbours: dict[int, list[int]] = defaultdict(list)
    for here, there in pairs.tolist():
        neighbours[here].append(there)
    for _ in range(MAX_ATTEMPTS):
        groups = _place_groups(rng, [size for _, size in wanted], places, neighbours)
        if groups is not None:
            break
    else:
        n_areas = sum(size for _, size in wanted)
        problem = Problem(
            what=f"no room for {len(wanted)} separate neighbourhoods of {n_areas} areas in all.",
            where=f"county of {len(places)} areas",
            fix="Ask for more areas, or for fewer or smaller neighbourhoods.",
        )
        raise StudyError(problem)
    names = _name_neighbourhoods(rng, groups, places["area_name"].tolist())
    return tuple(
        Neighbourhood(p.name, name, tuple(group), start, p.resident_led)
        for (p, _), name, group, start in zip(wanted, names, groups, starts, strict=True)
    )


def _sizes(rng: np.random.Generator, programme: ProgrammeSpec) -> list[int]:
    """Every size equally often, so that the number of treated areas is the same for every seed."""
    low, high = programme.sizes
    sizes = np.resize(np.arange(low, high + 1), programme.n_neighbourhoods)
    return [int(size) for size in rng.permutation(sizes)]


def _starts(rng: np.random.Generator, programme: ProgrammeSpec) -> list[str]:
    """Every start date equally often, shuffled."""
    which = np.resize(np.arange(len(programme.starts)), programme.n_neighbourhoods)
    return [programme.starts[i] for i in rng.permutation(which)]


def _place_groups(
    rng: np.random.Generator,
    sizes: list[int],
    places: pd.DataFrame,
    neighbours: dict[int, list[int]],
) -> list[list[int]] | None:
    """Try once to grow a group of each size; None where the county has no room left."""
    deprivation = places["deprivation"].to_numpy(dtype=np.float64)
    force = places["police_force"].to_numpy()
    eligible = deprivation >= np.quantile(deprivation, 1 - ELIGIBLE_SHARE)
    for name in np.unique(force.astype(str)):
        # a police force of well-off places still has its less well-off ones
        own = force == name
        eligible |= own & (deprivation >= np.quantile(deprivation[own], 1 - ELIGIBLE_SHARE / 2))
    pull = np.exp(PULL_OF_DEPRIVATION * (deprivation - deprivation.mean()) / deprivation.std())
    town = np.unique([town_of(name) for name in places["area_name"]], return_inverse=True)[1]
    town_size = np.bincount(town)
    taken = np.zeros(len(town_size))
    free = np.ones(len(places), dtype=bool)
    groups: list[list[int]] = []
    for size, quota in zip(sizes, _force_quotas(rng, len(sizes), force[eligible]), strict=True):
        allowed = free & (force == quota)
        weight = pull * np.exp(-CROWDING_PENALTY * taken / town_size)[town]
        group = _grow_group(
            rng, size, np.where(eligible & allowed, weight, 0.0), allowed, neighbours
        )
        if group is None:
            return None
        groups.append(group)
        np.add.at(taken, town[group], 1)
        free[group] = False
        for area in group:
            free[neighbours[area]] = False
    return groups


def _force_quotas(
    rng: np.random.Generator, n_groups: int, force_of_eligible: npt.NDArray[np.object_]
) -> list[str]:
    """Police force of each neighbourhood, by eligible areas, two in each if there are enough."""
    forces, count = np.unique(force_of_eligible.astype(str), return_counts=True)
    fewest = min(FEWEST_PER_FORCE, n_groups // len(forces))
    extra = (n_groups - fewest * len(forces)) * count / count.sum()
    quota = fewest + np.floor(extra).astype(np.int64)
    for k in np.argsort(np.floor(extra) - extra, kind="stable")[: n_groups - quota.sum()]:
        quota[k] += 1
    return [str(name) for name in rng.permutation(np.repeat(forces, quota))]


def _grow_group(
    rng: np.random.Generator,
    size: int,
    weight: FloatArray,
    allowed: BoolArray,
    neighbours: dict[int, list[int]],
) -> list[int] | None:
    """Grow a connected, compact group from a seed drawn by weight, one neighbour at a time."""
    if not weight.any():
        return None
    for seed in rng.choice(
        len(weight), size=min(30, int((weight > 0).sum())), replace=False, p=weight / weight.sum()
    ):
        group = [int(seed)]
        while len(group) < size:
            # an area listed twice borders two members and is twice as likely
            border = [
                a for member in group for a in neighbours[member] if allowed[a] and a not in group
            ]
            if not border:
                break
            group.append(border[int(rng.integers(len(border)))])
        if len(group) == size:
            return sorted(group)
    return None


def _name_neighbourhoods(
    rng: np.random.Generator, groups: list[list[int]], area_names: list[str]
) -> list[str]:
    """Name each after its town and a quarter, all different: 'Harrowby Eastfield'."""
    quarters = rng.permutation(np.array(QUARTERS)).tolist()
    used: set[str] = set()
    names = []
    for k, group in enumerate(groups):
        town = town_of(area_names[group[0]])
        turn = (quarters[(k + step) % len(quarters)] for step in range(len(quarters)))
        name = next(
            (f"{town} {q}" for q in turn if f"{town} {q}" not in used),
            f"{town} Neighbourhood {k + 1}",
        )
        used.add(name)
        names.append(name)
    return names
