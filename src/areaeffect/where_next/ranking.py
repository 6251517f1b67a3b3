"""Where next: the places there are, ranked by likeness or need, and how sure a rank is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from areaeffect.document.page import as_dict, run_of
from areaeffect.panel import Graph
from areaeffect.records import Column, DataTable, Json
from areaeffect.results import Bools, Floats, Ints, Release, Shape, Strings

TITLE = "Where next: places like those that benefited"
#: Redrawn worlds that the interval of a rank is taken from.
DRAWS = 400
LEVEL = 0.9
#: Standard deviation of the logarithm of a weight: most are moved by up to a quarter.
WEIGHT_NOISE = 0.25


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ranking:
    """How places compare, in their own order."""

    value: Floats  # (n_places,), distance to what they should be like, or need with its sign turned round
    rank: Ints  # (n_places,), from 1
    #: low, high: (n_places,), 90% interval of the rank over redrawn worlds
    low: Ints
    high: Ints
    share_first: Floats  # (n_places,), share of these worlds in which it is among the first `first`
    nearest: Ints  # (n_places,), which of the places that benefited is most like it; 0 for need

    def reordered(self, order: Ints) -> Ranking:
        """Return the ranking of the same places in another order."""
        return Ranking(**{f.name: getattr(self, f.name)[order] for f in fields(self)})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WhereNext:
    """A ranked list of places."""

    plan: Json  # what was asked, and counts
    areas: Strings  # (n_areas,), codes
    #: places, names: in the order of the list; positions of areas, and names.
    places: tuple[Ints, ...]
    names: tuple[str, ...]
    #: like, need: their ranking by likeness, which orders the list, and by need; None where not asked.
    like: Ranking
    need: Ranking | None
    models: tuple[str, ...]  # names of the studied places, which `like.nearest` counts
    #: taken, near: positions of areas that have an initiative, and of areas within the buffer
    taken: Ints
    near: Ints
    shapes: tuple[Shape, ...]  # outlines; empty without.
    #: releases, notes: files read, and remarks
    releases: tuple[Release, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> Json:
        """Return plain JSON values: plan, releases, notes and the rows of every table."""
        return as_dict(run_of(self.plan, self.releases, self.notes), self.tables())

    def tables(self) -> tuple[DataTable, ...]:
        """Return the places in order, and the areas of each."""
        place = Column("place", "integer", "Number of the place, in the order of the list")
        columns = [place, Column("name", "string", "Its name"), Column("areas", "integer", "Number of areas")]
        cells: list[Sequence[str | float | int]] = [
            range(1, len(self.places) + 1),
            self.names,
            [len(p) for p in self.places],
        ]
        for kind, ranking, what, sign in (
            ("like", self.like, "distance to the nearest place that benefited", 1.0),
            ("need", self.need, "score", -1.0),
        ):
            if ranking is None:
                continue
            columns += [
                Column(f"{kind}_value", "number", f"Its {what}"),
                Column(f"{kind}_rank", "integer", "Rank on it, 1 is first"),
                Column(f"{kind}_rank_low", "integer", "Low end of the rank's 90% interval"),
                Column(f"{kind}_rank_high", "integer", "High end of the rank's 90% interval"),
                Column(f"{kind}_share_first", "number", "Share of simulations near the top"),
            ]
            found = (sign * ranking.value, ranking.rank, ranking.low, ranking.high, ranking.share_first)
            cells += [values.tolist() for values in found]
        columns.append(Column("most_like", "string", "The studied place it is most like"))
        cells.append([self.models[k] for k in self.like.nearest])
        members = tuple((k, str(self.areas[a])) for k, p in enumerate(self.places, 1) for a in p)
        of = (place, Column("area_code", "string", "Area"))
        return (
            DataTable("where_next", TITLE, tuple(columns), tuple(zip(*cells, strict=True))),
            DataTable("where_next_areas", "Areas of each place", of, members),
        )


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
    return _ranking(value, drawn, first, nearest=nearest)


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


def _ranking(value: Floats, drawn: Floats, first: int, *, nearest: Ints | None = None) -> Ranking:
    """Rank places by their value, or, if compared with models, by their mean rank over the worlds."""
    from scipy.stats import rankdata

    ranks = rankdata(drawn, method="min", axis=1)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(ranks, [tail, 1 - tail], axis=0, method="nearest").astype(np.int64)
    return Ranking(
        value=value,
        rank=rankdata(value if nearest is None else ranks.mean(axis=0), method="min").astype(np.int64),
        low=low,
        high=high,
        share_first=(ranks <= first).mean(axis=0),
        nearest=np.zeros(len(value), dtype=np.int64) if nearest is None else nearest,
    )
