"""What approximate areas do to an effect: how much of it a study by name would see.

The true areas of a programme are drawn, again and again, as they may be when an area was only found
by the name of a ward; an effect of known size is put where each draw has the programme; the study's
own areas and weights then look for it. What they see, over what was put in, is the share seen:
under one because treated areas are missed, areas without treatment are counted, and benchmark areas
are treated unknown to anyone (misclassification of exposure: Rothman, Greenland and Lash, Modern
Epidemiology, 3rd ed., ch. 19).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from areaeffect.panel import Graph
from areaeffect.results import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """One neighbourhood as the study has it."""

    areas: Ints  # (n,), positions
    wrong: float  # chance that the match is wrong in part
    people: float  # residents that the true area has; infinite where it is what was matched.


@dataclass(frozen=True, eq=False)
class Unlocated:
    """One place of the programme that could not be found."""

    areas: Ints  # (n,), positions where it may begin
    chance: Floats  # (n,), adding up to one
    people: float  # residents that it has

    @cached_property
    def up_to(self) -> Floats:
        """(n,), the chance of each area and those before it."""
        added_up = np.cumsum(self.chance)
        return np.asarray(added_up / added_up[-1])


def draw_true_areas(
    matched: Sequence[Matched],
    unlocated: Sequence[Unlocated],
    residents: Floats,
    touching: Graph,
    elsewhere: float,
    rng: np.random.Generator,
) -> Bools:
    """Draw where the programme truly was, once.

    A matched neighbourhood with more people than the true area has becomes a connected part of
    itself, from a random area on. One that is wrong in part keeps `1 - elsewhere` of its people
    and has the rest next to it. An unlocated place is a connected set of areas that begins in one
    of its own and is in no matched neighbourhood.

    Parameters
    ----------
    matched, unlocated : see there.
    residents : (n_areas,).
    touching : areas that touch.
    elsewhere : share of the people of a wrong match that live outside it.
    rng : of this draw.

    Returns
    -------
    (n_areas,).
    """
    mine = {area for place in matched for area in place.areas.tolist()}

    def is_free(area: int) -> bool:
        return area not in mine

    true: set[int] = set()
    for place in matched:
        inside = set(place.areas.tolist())
        whole = float(residents[place.areas].sum())
        target = min(whole, place.people)
        wrong = rng.random() < place.wrong
        kept = target * (1 - elsewhere) if wrong else target
        start = int(rng.choice(place.areas))
        part = grow([start], inside.__contains__, residents, touching, kept, rng)
        true.update(part)
        if wrong:
            true.update(grow(part, is_free, residents, touching, target, rng))
    for gone in unlocated:
        start = int(gone.areas[np.searchsorted(gone.up_to, rng.random(), side="right")])
        if is_free(start):
            true.update(grow([start], is_free, residents, touching, gone.people, rng))
    found = np.zeros(len(residents), dtype=np.bool_)
    found[list(true)] = True
    return found


def grow(
    begin: Sequence[int],
    may_take: Callable[[int], bool],
    residents: Floats,
    touching: Graph,
    people: float,
    rng: np.random.Generator,
) -> list[int]:
    """Grow a connected set of areas until it has a number of people.

    Parameters
    ----------
    begin : areas it starts from; kept whatever they hold.
    may_take : whether it may take an area.
    residents, touching : see `draw_true_areas`.
    people : to reach; the last area taken is the one that reaches at least half of what lacks.
    rng : picks the next area among those that touch.

    Returns
    -------
    Positions; fewer people than asked where nothing further touches.
    """
    taken = list(begin)
    held = float(residents[taken].sum())
    seen = set(taken)
    edge: list[int] = []

    def reach(area: int) -> None:
        for other in touching.of(area).tolist():
            if other not in seen and may_take(other):
                seen.add(other)
                edge.append(other)

    for area in taken:
        reach(area)
    while edge and held < people:
        at = int(rng.integers(len(edge)))
        edge[at], edge[-1] = edge[-1], edge[at]
        area = edge.pop()
        if held + residents[area] / 2 > people:
            break
        taken.append(area)
        held += float(residents[area])
        reach(area)
    return taken


def share_seen(true: Bools, own: Floats, expected: Floats, effect: float | None) -> Floats:
    """Return the share of an effect that a study would see, one number a draw.

    Additive: mean of d over the treated areas less its weighted mean over the benchmark areas.
    Ratio: log of the ratio of totals with y (1 + effect d), less that without, over
    log (1 + effect).

    Parameters
    ----------
    true : (n_draws, n_areas), d: where the programme was.
    own : (n_areas,), each area's part in the treated total (one a treated area if additive).
    expected : (n_areas,), its part in the expected total (its weight if additive).
    effect : a fraction (-0.1); None for additive effects, whose size does not matter.
    """
    inside = true @ own / own.sum()
    beside = true @ expected / expected.sum()
    if effect is None:
        return np.asarray(inside - beside)
    seen = np.log1p(effect * inside) - np.log1p(effect * beside)
    return np.asarray(seen / np.log1p(effect))
