"""Where next: the places there are, ranked by likeness or need, and how sure a rank is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.errors import DataError, Problem
from areaeffect.geography.boundaries import Boundaries
from areaeffect.geography.neighbours import contiguity
from areaeffect.panel import Graph, Strings
from areaeffect.register.other_initiatives import notes_on, read_register
from areaeffect.register.places import vintage_of
from areaeffect.results import Bools, Floats, Ints, Release
from areaeffect.study.file import StudyFile

#: Redrawn worlds that the interval of a rank is taken from.
DRAWS = 400
LEVEL = 0.9
#: Standard deviation of the logarithm of a weight: most are moved by up to a quarter.
WEIGHT_NOISE = 0.25


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ranking:
    """How places compare (`areaeffect where-next`), in their own order."""

    value: Floats  # (n_places,), distance to what they should be like, or need with its sign turned round
    rank: Ints  # (n_places,), from 1
    #: low, high: (n_places,), 90% interval of the rank over redrawn worlds
    low: Ints
    high: Ints
    share_first: Floats  # (n_places,), share of these worlds in which it is among the first `first`
    #: (n_places,), which of the places that benefited is most like it; None for need.
    nearest: Ints | None = None


def compact(graph: Graph, centres: Floats, allowed: Bools, size: int) -> list[Ints]:
    """One contiguous place of `size` areas around every allowed area: the nearest that join.

    Parameters
    ----------
    graph : areas that touch.
    centres : (n_areas, 2), metres.
    allowed : (n_areas,), areas that may be in a place.
    size : areas a place; areas whose connected part is smaller give none.
    """
    room = graph.component_sizes(allowed) >= size
    found: dict[bytes, Ints] = {}
    for seed in np.flatnonzero(room).tolist():
        members = [seed]
        edge = {int(a) for a in graph.of(seed) if allowed[a]}
        while len(members) < size:
            options = np.array(sorted(edge))
            apart = ((centres[options] - centres[seed]) ** 2).sum(axis=1)
            joined = int(options[apart.argmin()])
            members.append(joined)
            edge |= {int(a) for a in graph.of(joined) if allowed[a]}
            edge -= set(members)
        areas = np.array(sorted(members), dtype=np.int64)
        found.setdefault(areas.tobytes(), areas)
    return list(found.values())


def without_overlap(order: Ints, places: Sequence[Ints], n_areas: int) -> Ints:
    """Go down an order and keep each place that shares no area with one before it."""
    taken = np.zeros(n_areas, dtype=bool)
    kept = []
    for place in order.tolist():
        if not taken[places[place]].any():
            taken[places[place]] = True
            kept.append(place)
    return np.array(kept, dtype=np.int64)


def means(places: Sequence[Ints], traits: Floats, noise: Floats | None = None) -> Floats:
    """Mean traits of each place, (n_places, n_traits).

    Parameters
    ----------
    places : positions of areas.
    traits : (n_areas, n_traits).
    noise : (sum of sizes,), a weight for each area of each place in turn; None: all equal.
    """
    flat = np.concatenate(places)
    starts = np.concatenate([[0], np.cumsum([len(p) for p in places])[:-1]]).astype(np.int64)
    weight = np.ones(len(flat)) if noise is None else noise
    sums = np.add.reduceat(traits[flat] * weight[:, None], starts, axis=0)
    return np.asarray(sums / np.add.reduceat(weight, starts)[:, None])


def distances(places: Floats, models: Floats, weights: Floats) -> Floats:
    """Weighted distance of each place to each model, (n_places, n_models).

    Parameters
    ----------
    places, models : (n, n_traits), scaled alike.
    weights : (n_traits,), adding up to 1.
    """
    left, right = places * np.sqrt(weights), models * np.sqrt(weights)
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2 * left @ right.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def apart(places: Sequence[Ints], models: Sequence[Ints], traits: Floats) -> Floats:
    """Distance of each place to the nearest model, all traits alike, (n_places,)."""
    flat = np.full(traits.shape[1], 1.0 / traits.shape[1])
    found = distances(means(places, traits), means(models, traits), flat).min(axis=1)
    return np.asarray(found)


def scaled(traits: Floats, over: Bools) -> Floats:
    """Bring traits to mean 0 and standard deviation 1 over some areas."""
    spread = traits[over].std(axis=0)
    centred = traits - traits[over].mean(axis=0)
    return np.asarray(centred / np.where(spread > 0, spread, 1.0))


def most_like(
    places: Sequence[Ints],
    models: Sequence[Ints],
    traits: Floats,
    effects: Floats,
    errors: Floats,
    first: int,
    rng: np.random.Generator,
) -> Ranking:
    """Rank places by their distance to the nearest place that benefited.

    Parameters
    ----------
    places, models : positions of areas; `models` are the studied places.
    traits : (n_areas, n_traits), scaled alike.
    effects : (n_models,), effect of each, positive for the better; NaN where not estimated.
    errors : (n_models,), its standard error.
    first : how many places the list is about.
    rng : for the redrawn worlds.

    Notes
    -----
    The smallest of many distances is often small by chance, so places are ranked by their mean rank
    over redrawn worlds. A redrawn world draws which studied places benefited (each effect from a
    normal distribution), the traits with replacement, their weights, and drops one area of every
    place: its outline might have been drawn a little otherwise. It knows nothing of traits that
    nobody measured.
    """
    n_traits = traits.shape[1]
    flat = np.full(n_traits, 1.0 / n_traits)
    own, theirs = means(places, traits), means(models, traits)
    found = np.flatnonzero(np.nan_to_num(effects) > 0)
    to_each = distances(own, theirs[found], flat)
    value, nearest = to_each.min(axis=1), found[to_each.argmin(axis=1)]
    drawn = np.empty((DRAWS, len(places)))
    for d in range(DRAWS):
        moved = effects + errors * rng.standard_normal(len(effects))
        good = np.flatnonzero(np.nan_to_num(moved) > 0)
        good = good if len(good) else found
        weights = _weights(flat, rng)
        left = means(places, traits, _one_left_out(places, rng))
        right = means(models, traits, _one_left_out(models, rng))
        drawn[d] = distances(left, right[good], weights).min(axis=1)
    return _ranking(value, drawn, first, nearest=nearest, steady=True)


def most_in_need(
    places: Sequence[Ints], indicators: Floats, weights: Floats, first: int, rng: np.random.Generator
) -> Ranking:
    """Rank places by the mean score of an index, the worst first.

    Parameters
    ----------
    places : positions of areas.
    indicators : (n_areas, n_indicators), standardised, high is worse.
    weights : (n_indicators,).
    first : how many places the list is about.
    rng : for the redrawn worlds: indicators with replacement, their weights, and one area of
        every place left out.
    """
    weights = weights / weights.sum()
    value = -(means(places, indicators) @ weights)
    drawn = np.empty((DRAWS, len(places)))
    for d in range(DRAWS):
        moved = _weights(weights, rng)
        drawn[d] = -(means(places, indicators, _one_left_out(places, rng)) @ moved)
    return _ranking(value, drawn, first)


def _one_left_out(places: Sequence[Ints], rng: np.random.Generator) -> Floats:
    """Weigh the areas of every place in turn: one of each counts nothing, if it has others."""
    sizes = np.array([len(p) for p in places])
    starts = np.cumsum(sizes) - sizes
    weight = np.ones(int(sizes.sum()))
    out = starts + rng.integers(sizes)
    weight[out[sizes > 1]] = 0.0
    return weight


def _weights(weights: Floats, rng: np.random.Generator) -> Floats:
    """Draw traits with replacement and move their weights."""
    n = len(weights)
    times = rng.multinomial(n, np.full(n, 1.0 / n))
    drawn = weights * times * np.exp(WEIGHT_NOISE * rng.standard_normal(n))
    return np.asarray(drawn / drawn.sum())


def _ranking(
    value: Floats, drawn: Floats, first: int, *, nearest: Ints | None = None, steady: bool = False
) -> Ranking:
    """Rank places by their value, or, if steady, by their mean rank over the redrawn worlds."""
    from scipy.stats import rankdata

    ranks = rankdata(drawn, method="min", axis=1)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(ranks, [tail, 1 - tail], axis=0, method="nearest")
    on = ranks.mean(axis=0) if steady else value
    return Ranking(
        value=value,
        rank=rankdata(on, method="min").astype(np.int64),
        low=low.astype(np.int64),
        high=high.astype(np.int64),
        share_first=(ranks <= first).mean(axis=0),
        nearest=nearest,
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AreaMap:
    """The map of areas that places are made of, and who is on it already."""

    areas: Strings
    names: Strings
    taken: Ints
    near: Ints
    buffer_km: float | None
    graph: Graph | None
    boundaries: Boundaries | None
    releases: tuple[Release, ...]
    notes: tuple[str, ...]


def map_of_study(file: StudyFile, data: Assembled, others: Sequence[Path], lookup: str | None) -> AreaMap:
    """Return the map of a study: its panel, everything its register names, and the buffer.

    An initiative that ended before the study's window, or begins after it, takes its areas too.
    """
    panel = data.panel
    lookup = lookup or file.study.register_.lookup
    further, notes = taken_by(others, lookup, file.folder, data.boundaries, panel.areas)
    named = [c for e in data.registered.known.entries for c in e.areas]
    known = np.flatnonzero(np.isin(panel.areas, np.array(named, dtype=np.str_)))
    treated = [n.areas for n in data.neighbourhoods]
    taken = np.unique(np.concatenate([*treated, known, further]))
    near = panel.near.of_any(taken) if panel.near is not None else np.empty(0, np.int64)
    return AreaMap(
        areas=panel.areas,
        names=panel.names,
        taken=taken,
        near=near,
        buffer_km=file.study.register_.buffer_km if panel.near is not None else None,
        graph=contiguity(data.boundaries) if data.boundaries else None,
        boundaries=data.boundaries,
        releases=panel.releases,
        notes=(*data.registered.known.notes, *notes),
    )


def taken_by(
    files: Sequence[Path], lookup: str | None, folder: Path, boundaries: Boundaries | None, areas: Strings
) -> tuple[Ints, tuple[str, ...]]:
    """Return the areas (positions) that files of initiatives name in whatever way, and notes."""
    vintage = vintage_of(areas, folder) if files else None
    entries, notes = read_register(files, lookup, folder, vintage, boundaries, areas, None)
    codes = np.array([c for e in entries for c in e.areas], dtype=np.str_)
    here = np.flatnonzero(np.isin(areas, codes)).astype(np.int64)
    return here, (*notes, *notes_on(entries, areas))


def _allowed(area_map: AreaMap, known: Bools) -> Bools:
    allowed = known.copy()
    allowed[area_map.taken] = False
    allowed[area_map.near] = False
    return allowed


def contiguous_places(area_map: AreaMap, known: Bools, size: int) -> tuple[list[Ints], list[str]]:
    """Return contiguous places of the study's usual size; single areas without outlines."""
    allowed = _allowed(area_map, known)
    if area_map.graph is None or area_map.boundaries is None or size == 1:
        places = [np.array([a], dtype=np.int64) for a in np.flatnonzero(allowed)]
        names = [str(area_map.names[p[0]]) for p in places]
    else:
        places = compact(area_map.graph, area_map.boundaries.centres, allowed, size)
        centres = area_map.boundaries.centres
        names = [f"around {area_map.names[_middle(p, centres)]}" for p in places]
    _refuse_none(places)
    return places, names


def given_places(
    area_map: AreaMap, known: Bools, group: Strings, title: Strings
) -> tuple[list[Ints], list[str]]:
    """Return given groups of areas, those with a taken or near area left out."""
    allowed = _allowed(area_map, known)
    codes, place = np.unique(group, return_inverse=True)
    order = np.argsort(place, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(place))[:-1])
    whole = [
        (p, str(title[p[0]]) or str(c)) for c, p in zip(codes, parts, strict=True) if c and allowed[p].all()
    ]
    _refuse_none(whole)
    return [p.astype(np.int64) for p, _ in whole], [n for _, n in whole]


def _refuse_none(places: Sequence[Any]) -> None:
    if not places:
        raise DataError(
            Problem(
                "no place is left: all are in the register, near it, or lack a figure.",
                "",
                "Shorten `buffer_km`, or use figures that cover more areas.",
            )
        )


def _middle(place: Ints, centres: Floats) -> int:
    """Return the area nearest to the middle of a place."""
    apart = ((centres[place] - centres[place].mean(axis=0)) ** 2).sum(axis=1)
    return int(place[apart.argmin()])
