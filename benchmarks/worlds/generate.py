"""Draw worlds: counts of crime over a map of Voronoi cells, and places in which nothing was done.

Nothing here is shared with `areaeffect.simulate`. The law of area i, month t and outcome o:

    count_iot ~ Poisson(population_i base_o exp(level_io + noise_iot) g_iot)

- level: deprivation, a part of its own, and hot spots (one area in thirty has three to six times
  the rate);
- g: gamma of mean 1, so that counts are negative binomial;
- noise: a season; AR(1) of each area; a field that neighbours share, AR(1) in time; AR(1) of each
  police force and one lasting step of it; a trend of each area that is smooth over the map, and a
  trend that follows deprivation. A part of each is shared by the outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.signal import lfilter
from scipy.spatial import Voronoi, cKDTree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from areaeffect.results import Floats, Ints

#: Mean distance between the centres of neighbouring areas, in kilometres.
SPACING = 0.6
#: Cells whose centres lie further apart than this, in spacings, touch outside the map only.
_TOUCH = 2.5
#: 'The most deprived': the extreme itself, where areas like the treated ones run out.
LAWS = (
    "random", "high level", "recent rise", "most deprived", "the most deprived", "one borough",
    "high last year",
)  # fmt: skip
SMALLEST = 0.05  # effect that a study is interested in
_EXTREME = 0.1  # of places: where the laws of extremes choose
_SEEDS = 2000  # places are grown from so many areas at most, or twenty for each one wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Knobs of a world; standard deviations are on the log scale.

    Parameters
    ----------
    areas, months : of the map and of the window.
    boroughs, forces : parts of the map; a force is made of boroughs.
    places, size : how many places are treated, of how many areas each.
    starts : months from the beginning of the window at which work begins, in turn.
    law : how the places are chosen, one of `LAWS`.
    outcomes : how many, each with its own base rate.
    per_month : mean count of an area and month, of the first outcome; the others have 0.6 of it.
    covariates : how many characteristics the study knows; the first is deprivation.
    clumping : variance of the gamma of each cell.
    area, field, force, step : of the noise of an area, of what neighbours share, of a force, and of
        its one lasting change.
    trend : of the smooth trend, a year.
    lean : trend a year for each standard deviation of deprivation.
    reach : of what neighbours share, in kilometres.
    gap : months of the last force that were not published, (first, after the last); None for none.
    smallest : effect that the study of the world is interested in.
    """

    areas: int = 400
    months: int = 72
    boroughs: int = 12
    forces: int = 4
    places: int = 6
    size: int = 3
    starts: tuple[int, ...] = (36, 42, 48)
    law: str = "random"
    outcomes: int = 3
    per_month: float = 6.0
    covariates: int = 2
    clumping: float = 0.15
    area: float = 0.12
    field: float = 0.08
    force: float = 0.04
    step: float = 0.04
    trend: float = 0.02
    lean: float = 0.0
    reach: float = 1.5
    gap: tuple[int, int] | None = None
    smallest: float = SMALLEST


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One world.

    Parameters
    ----------
    centres : (n_areas, 2), kilometres.
    touching : (n_pairs, 2), cells that share a border, each pair once.
    borough, force : (n_areas,).
    population : (n_areas,).
    covariates : (n_areas, k), deprivation first.
    mean : (n_outcomes, n_areas, n_months), what counts are Poisson around when nothing is done.
    counts : the same shape, as they come out; NaN where not published.
    places : areas of each treated place.
    starts : month of each place's start.
    """

    centres: Floats
    touching: Ints
    borough: Ints
    force: Ints
    population: Floats
    covariates: Floats
    mean: Floats
    counts: Floats
    places: tuple[Ints, ...]
    starts: tuple[int, ...]


class CannotPlace(Exception):
    """The law finds too few places that share no area."""


def draw(world: World, seed: int) -> Drawn:
    """Draw one world; the same seed draws the same map and counts whatever the law of placement."""
    rng = np.random.default_rng([seed, world.areas])
    centres = _centres(rng, world.areas)
    touching = _touching(centres)
    borough = _parts(rng, centres, world.boroughs)
    middles = np.array([centres[borough == b].mean(axis=0) for b in range(borough.max() + 1)])
    force = _parts(rng, middles, world.forces)[borough]
    deprivation = _standard(_fields(rng, centres, 4.0, 1)[0] + 0.8 * rng.standard_normal(world.areas))
    population = np.round(np.exp(rng.normal(7.3, 0.25, world.areas)))
    others = [
        _standard(_fields(rng, centres, 3.0, 1)[0] + rng.standard_normal(world.areas))
        for _ in range(world.covariates - 1)
    ]
    mean = _means(rng, world, centres, force, deprivation, population)
    counts = rng.poisson(mean).astype(float)
    if world.gap is not None:
        counts[:, force == force.max(), slice(*world.gap)] = np.nan
    starts = tuple(world.starts[g % len(world.starts)] for g in range(world.places))
    known = np.column_stack([deprivation, *others])
    adjacent = adjacency(touching, world.areas)
    chosen = np.random.default_rng([seed, world.areas, LAWS.index(world.law), world.places])
    seeds = chosen.permutation(world.areas)[: max(_SEEDS, 20 * world.places)]
    options = grown(chosen, adjacent, seeds.tolist(), world.size)
    past = np.nan_to_num(counts[0][:, : min(world.starts)])
    traits = traits_of(past, population, known[:, 0])
    places = place(chosen, world.law, world.places, options, adjacent, borough, traits)
    return Drawn(
        centres, touching, borough, force, population, known, mean, counts, places, starts
    )  # fmt: skip


def changed(drawn: Drawn, outcome: int, ratios: Floats, rng: np.random.Generator) -> Floats:
    """Return one outcome's counts, (n_areas, n_months), had each place changed it by a ratio.

    Falls thin the counts, rises add to them, so that they stay Poisson around the mean.
    """
    counts = drawn.counts[outcome].copy()
    for areas, start, ratio in zip(drawn.places, drawn.starts, ratios, strict=True):
        cells = np.ix_(areas, np.arange(start, counts.shape[1]))
        before = np.nan_to_num(counts[cells]).astype(np.int64)
        after = (
            rng.binomial(before, ratio)
            if ratio <= 1
            else before + rng.poisson(drawn.mean[outcome][cells] * (ratio - 1))
        )
        counts[cells] = np.where(np.isnan(counts[cells]), np.nan, after)
    return counts


def _centres(rng: np.random.Generator, n: int) -> Floats:
    """Points of a shaken grid, drawn together towards a few towns."""
    across = int(np.ceil(np.sqrt(n)))
    xy = np.column_stack(np.divmod(np.arange(n), across)) + rng.uniform(-0.35, 0.35, (n, 2))
    xy = xy.astype(float) * SPACING
    for town in rng.uniform(0, across * SPACING, (3, 2)):
        apart = xy - town
        pull = 0.35 * np.exp(-(apart**2).sum(axis=1) / (2 * 3.0**2))
        xy -= pull[:, None] * apart
    return np.asarray(xy)


def _touching(centres: Floats) -> Ints:
    pairs = np.sort(Voronoi(centres).ridge_points, axis=1).astype(np.int64)
    apart = np.sqrt(((centres[pairs[:, 0]] - centres[pairs[:, 1]]) ** 2).sum(axis=1))
    return pairs[apart <= _TOUCH * SPACING]


def _parts(rng: np.random.Generator, xy: Floats, n: int) -> Ints:
    """Cut a map into n parts, each around one of its points."""
    seeds = xy[rng.choice(len(xy), min(n, len(xy)), replace=False)]
    return np.unique(cKDTree(seeds).query(xy)[1], return_inverse=True)[1].astype(np.int64)


def _fields(rng: np.random.Generator, xy: Floats, reach: float, n: int, rho: float = 0.0) -> Floats:
    """Draw n smooth fields of unit variance, (n, n_areas), AR(1) from one to the next."""
    cell = reach / 2
    low = xy.min(axis=0) - 4 * reach
    shape = np.ceil((xy.max(axis=0) + 4 * reach - low) / cell).astype(int) + 1
    at = ((xy - low) / cell).T
    found = np.empty((n, len(xy)))
    for t in range(n):
        grid = gaussian_filter(rng.standard_normal(shape), reach / cell / np.sqrt(2), mode="wrap")
        found[t] = map_coordinates(grid / grid.std(), at, order=1, mode="nearest")
    return _ar1(found.T, rho).T if rho else found


def _ar1(shocks: Floats, rho: float) -> Floats:
    """Turn shocks of unit variance into AR(1) of unit variance along the last axis."""
    scaled = np.sqrt(1 - rho**2) * shocks
    scaled[..., 0] = shocks[..., 0]
    return np.asarray(lfilter([1.0], [1.0, -rho], scaled, axis=-1))


def _standard(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / values.std())


def _means(
    rng: np.random.Generator, world: World, xy: Floats, force: Ints, deprivation: Floats, population: Floats
) -> Floats:
    n, months = world.areas, world.months
    hot = np.where(rng.random(n) < 1 / 30, rng.uniform(np.log(3), np.log(6), n), 0.0)
    level = 0.35 * deprivation + 0.25 * rng.standard_normal(n) + hot
    years = np.arange(months) / 12
    shared = _noise(rng, world, xy, force)
    trend = world.trend * _fields(rng, xy, 2 * world.reach, 1)[0] + world.lean * deprivation
    means = np.empty((world.outcomes, n, months))
    for o in range(world.outcomes):
        own = _noise(rng, world, xy, force)
        season = 0.1 * np.cos(2 * np.pi * (years - 0.5 * o))
        log = level + 0.2 * rng.standard_normal(n)
        noise = np.sqrt(0.5) * (shared + own) + season + trend[:, None] * years
        lumps = rng.gamma(1 / world.clumping, world.clumping, (n, months))
        base = world.per_month * (1.0 if o == 0 else 0.6) / population.mean()
        means[o] = population[:, None] * base * np.exp(log[:, None] + noise) * lumps
    return means


def _noise(rng: np.random.Generator, world: World, xy: Floats, force: Ints) -> Floats:
    """Draw what is neither level, season nor trend, (n_areas, n_months)."""
    n, months = world.areas, world.months
    own = _ar1(rng.standard_normal((n, months)), 0.8)
    near = _fields(rng, xy, world.reach, months, 0.9).T
    forces = int(force.max()) + 1
    of_force = world.force * _ar1(rng.standard_normal((forces, months)), 0.95)
    since = np.arange(months) >= rng.integers(months // 4, months, forces)[:, None]
    of_force += world.step * rng.standard_normal((forces, 1)) * since
    return np.asarray(world.area * own + world.field * near + of_force[force])


def adjacency(touching: Ints, n: int) -> list[list[int]]:
    """Return the neighbours of each area."""
    found: list[list[int]] = [[] for _ in range(n)]
    for a, b in touching.tolist():
        found[a].append(b)
        found[b].append(a)
    return found


def traits_of(past: Floats, population: Floats, deprivation: Floats) -> dict[str, Floats]:
    """Return what the laws of extremes look at, of every area: level, rise, deprivation.

    Parameters
    ----------
    past : (n_areas, n_months), counts before the first start.
    population, deprivation : (n_areas,).
    """
    last = past[:, -12:].sum(axis=1) + 0.5
    earlier = past[:, :-12].sum(axis=1) / max(past.shape[1] / 12 - 1, 1) + 0.5
    return {
        "high level": past.sum(axis=1) / population,
        "recent rise": last / earlier,
        "high last year": last / population,
        "most deprived": deprivation,
    }


def grown(rng: np.random.Generator, adjacent: list[list[int]], seeds: Iterable[int], size: int) -> list[Ints]:
    """Grow a place of so many touching areas from each seed where there is room for it."""
    found = (_grow(rng, adjacent, seed, size) for seed in seeds)
    return [place for place in found if place is not None]


def place(
    rng: np.random.Generator,
    law: str,
    n: int,
    options: list[Ints],
    adjacent: list[list[int]],
    borough: Ints,
    traits: dict[str, Floats],
) -> tuple[Ints, ...]:
    """Choose n places by a law, which share no area and do not touch.

    Parameters
    ----------
    rng, law, n : see `World`.
    options : places to choose from, in random order.
    adjacent, borough : of the areas.
    traits : (n_areas,) by law: what the law of an extreme looks at.

    Raises
    ------
    CannotPlace
        Where there are too few.
    """
    if law in traits and options:
        mean = np.array([traits[law][p].mean() for p in options])
        kept: Iterable[list[Ints]] = (
            [options[i] for i in np.flatnonzero(mean >= np.quantile(mean, 1 - k * _EXTREME))]
            for k in (1, 2, 3)
        )
    elif law == "the most deprived":
        mean = np.array([traits["most deprived"][p].mean() for p in options])
        kept = [[options[i] for i in np.argsort(-mean)]]
    elif law == "one borough":
        parts = rng.permutation(int(borough.max()) + 1)
        kept = ([p for p in options if (borough[p] == b).all()] for b in parts)
    else:
        kept = [options]
    for some in kept:
        found = _disjoint(some, adjacent, n)
        if found:
            return found
    raise CannotPlace(law)


def _grow(rng: np.random.Generator, adjacent: list[list[int]], seed: int, size: int) -> Ints | None:
    members = [seed]
    while len(members) < size:
        edge = sorted({b for a in members for b in adjacent[a]} - set(members))
        if not edge:
            return None
        members.append(int(rng.choice(edge)))
    return np.array(sorted(members))


def _disjoint(options: list[Ints], adjacent: list[list[int]], n: int) -> tuple[Ints, ...] | None:
    """Take places in the order given, leaving out those that touch one that is taken."""
    closed: set[int] = set()
    found: list[Ints] = []
    for place in options:
        if len(found) == n:
            break
        if closed.isdisjoint(place.tolist()):
            found.append(place)
            closed.update(place.tolist(), *(adjacent[a] for a in place.tolist()))
    return tuple(found) if len(found) == n else None
