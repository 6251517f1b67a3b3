"""What a simulated county should be: its size, its programmes and their true effects, and where they work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import Problem, StudyError
from areaeffect.results import ALL_INITIATIVES, RESIDENT_LED_CONTRAST

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from areaeffect.simulate.grid import FloatArray, IntArray

MONTHLY_COUNTS = ("crime", "antisocial_behaviour", "criminal_damage")
YEARLY_INDICATORS = ("environment_score", "empty_homes", "social_relationships")
OUTCOMES = MONTHLY_COUNTS + YEARLY_INDICATORS
#: Their effect is added, in points; every other multiplies (a fraction: -0.12 = 12% fewer).
ADDITIVE_OUTCOMES = ("environment_score", "social_relationships")
AREAS = (120, 5000)  # fewest and most
#: Criminal damage is part of crime: below this ratio the rest of crime could turn negative.
MIN_CRIME_TO_DAMAGE = 0.6


def _refuse(where: str, tried: Iterable[tuple[bool, str]]) -> None:
    found = [Problem(what, where=where) for is_wrong, what in tried if is_wrong]
    if found:
        raise StudyError(found)


def _is_date(text: str) -> bool:
    """Tell whether a text is written as 'YYYY-MM-DD', the one form that is compared as text."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeSpec:
    """One initiative of the simulated county and its true effects."""

    name: str  # of the initiative
    resident_led: bool  # whether residents lead it
    n_neighbourhoods: int  # how many neighbourhoods it works in
    starts: tuple[str, ...]  # dates, 'YYYY-MM-DD'; the neighbourhoods are shared out evenly among them.
    #: true effect by outcome, from the month of the start on: a fraction for counts (-0.12 = 12% fewer),
    #: points for scores; 0 where left out. Yearly indicators move from the first full year.
    effects: Mapping[str, float] = field(default_factory=dict)
    sizes: tuple[int, int] = (3, 7)  # fewest and most areas in a neighbourhood

    def __post_init__(self) -> None:
        unknown = sorted(set(self.effects) - set(OUTCOMES))
        bad = [start for start in self.starts if not _is_date(start)]
        crime, damage = (1 + self.effects.get(name, 0.0) for name in ("crime", "criminal_damage"))
        _refuse(
            f"programme '{self.name}'",
            (
                (bool(unknown), f"unknown outcomes {unknown} in effects; allowed are {list(OUTCOMES)}"),
                (self.n_neighbourhoods < 1, "n_neighbourhoods must be at least 1"),
                (not 1 <= self.sizes[0] <= self.sizes[1], f"sizes is {self.sizes}; give (fewest, most)"),
                (not self.starts or bool(bad), f"starts are dates such as '2016-01-01', and {bad} are not"),
                (
                    crime < MIN_CRIME_TO_DAMAGE * damage,
                    "criminal damage is part of crime, so (1 + effect on crime) must be at least "
                    f"{MIN_CRIME_TO_DAMAGE} x (1 + effect on criminal damage)",
                ),
            ),
        )


RESIDENTS_FIRST = ProgrammeSpec(
    name="Residents First",
    resident_led=True,
    n_neighbourhoods=24,
    starts=("2016-01-01", "2017-01-01", "2018-01-01"),
    effects={
        "crime": -0.12,
        "antisocial_behaviour": -0.20,
        "criminal_damage": -0.18,
        "empty_homes": -0.25,
        "environment_score": 4.0,
    },
)

COUNCIL_PARTNERSHIP = ProgrammeSpec(
    name="Council Partnership",
    resident_led=False,
    n_neighbourhoods=12,
    starts=("2016-01-01", "2018-01-01"),
    effects={
        "antisocial_behaviour": -0.10,
        "criminal_damage": -0.05,
        "empty_homes": -0.10,
        "environment_score": 1.0,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountySpec:
    """Every setting of a simulated county.

    Map, placement, shocks and counts draw from separate streams of the seed: two specs that
    differ in their effects only share areas, neighbourhoods and shocks.
    """

    n_areas: int = 1200  # small areas of about 1,500 residents
    seed: int = 20231219
    #: first_month, last_month: window of the monthly counts, 'YYYY-MM'. Yearly indicators cover the
    #: whole years inside it.
    first_month: str = "2012-01"
    last_month: str = "2023-12"
    programmes: tuple[ProgrammeSpec, ...] = (RESIDENTS_FIRST, COUNCIL_PARTNERSHIP)
    #: effect_sd, effect_sd_points: standard deviation of the effect between neighbourhoods, log scale
    #: and points. An effect of exactly 0 stays 0 everywhere.
    effect_sd: float = 0.03
    effect_sd_points: float = 0.5
    #: first and last month in which the smallest force loses its records; None for no gap.
    gap_months: tuple[str, str] | None = ("2017-07", "2017-12")

    def __post_init__(self) -> None:
        months = (self.first_month, self.last_month, *(self.gap_months or ()))
        unread = [month for month in months if not _is_date(f"{month}-01")]
        _refuse("county", [(bool(unread), f"{unread} are not months; write them like '2012-01'")])
        names = [programme.name for programme in self.programmes]
        years = whole_years(self.first_month, self.last_month)
        starts = [start for programme in self.programmes for start in programme.starts]
        outside = [
            s for s in starts if years and (s[:7] <= self.first_month or first_full_year(s) > years[-1])
        ]
        _refuse(
            "county",
            (
                (
                    not AREAS[0] <= self.n_areas <= AREAS[1],
                    f"n_areas is {self.n_areas}; allowed are {AREAS[0]} to {AREAS[1]}",
                ),
                (len(set(names)) < len(names), f"programme names {names} are not unique"),
                (not years, "the window holds no whole calendar year; yearly indicators need one"),
                (
                    bool(outside),
                    f"programmes start on {outside}; allowed is any month after {self.first_month} that "
                    "leaves a whole year",
                ),
            ),
        )


def whole_years(first_month: str, last_month: str) -> tuple[int, ...]:
    """Calendar years that lie wholly inside a window of months."""
    first = int(first_month[:4]) + (first_month[5:7] != "01")
    last = int(last_month[:4]) - (last_month[5:7] != "12")
    return tuple(range(first, last + 1))


def first_full_year(start: str) -> int:
    """First calendar year that begins at or after the month of a start date."""
    return int(start[:4]) + (start[5:7] != "01")


ELIGIBLE_SHARE = 0.4  # neighbourhoods begin in the most deprived two fifths of a police force
PULL_OF_DEPRIVATION = 0.8  # log odds of being chosen per standard deviation of deprivation
FEWEST_PER_FORCE = 2
MAX_ATTEMPTS = 60
QUARTERS = (
    "Eastfield", "Northgate", "Millbrook", "Quayside", "Hillside", "Abbey Road", "Westmoor",
    "Foundry", "Greenbank", "Chapelfields", "Riverside", "Orchard Park",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The areas (indices, sorted) one partnership works in, and from when."""

    initiative: str
    name: str
    areas: tuple[int, ...]
    start: str
    resident_led: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected with the initiatives and without them; both (n_areas, n_periods)."""

    with_effect: FloatArray
    without: FloatArray


@dataclass(frozen=True, slots=True)
class Truth:
    """Realised effects on what is expected, by initiative and by neighbourhood, then by outcome.

    Counts: a fraction (-0.12 = 12% fewer): the total expected with the initiative over the total
    expected without it, less one, over treated areas from their start on. Scores: the mean
    difference in points over the same cells.
    """

    initiatives: Mapping[str, Mapping[str, float]]
    neighbourhoods: Mapping[str, Mapping[str, float]]


def place_programmes(
    rng: np.random.Generator, programmes: tuple[ProgrammeSpec, ...], places: pd.DataFrame, pairs: IntArray
) -> tuple[Neighbourhood, ...]:
    """Place neighbourhoods: each connected, none adjoining another, some in every police force.

    `places` are those of `describe_places`; `pairs` (n_pairs, 2) have a side in common.
    """
    sizes = [int(s) for p in programmes for s in _evenly(rng, range(p.sizes[0], p.sizes[1] + 1), p)]
    starts = [str(start) for p in programmes for start in _evenly(rng, p.starts, p)]
    neighbours: list[list[int]] = [[] for _ in range(len(places))]
    for here, there in pairs.tolist():
        neighbours[here].append(there)
    for _ in range(MAX_ATTEMPTS):
        groups = _place_groups(rng, sizes, places, neighbours)
        if groups is not None:
            break
    else:
        problem = Problem(
            what=f"no room for {len(sizes)} separate neighbourhoods of {sum(sizes)} areas in all.",
            where=f"county of {len(places)} areas",
            fix="Ask for more areas, or for fewer or smaller neighbourhoods.",
        )
        raise StudyError(problem)
    names = _name_neighbourhoods(groups, places["area_name"].tolist())
    of = [p for p in programmes for _ in range(p.n_neighbourhoods)]
    return tuple(
        Neighbourhood(p.name, name, tuple(group), start, p.resident_led)
        for p, name, group, start in zip(of, names, groups, starts, strict=True)
    )


def _evenly(
    rng: np.random.Generator, values: Iterable[object], programme: ProgrammeSpec
) -> npt.NDArray[np.generic]:
    """Each value equally often, shuffled: the number of treated areas does not hang on the seed."""
    return rng.permutation(np.resize(np.array(list(values)), programme.n_neighbourhoods))


def _place_groups(
    rng: np.random.Generator, sizes: list[int], places: pd.DataFrame, neighbours: list[list[int]]
) -> list[list[int]] | None:
    """Try once to grow a group of each size; None where the county has no room left."""
    deprivation = places["deprivation"].to_numpy(dtype=np.float64)
    force = places["police_force"].to_numpy(dtype=str)
    least = places.groupby("police_force")["deprivation"].transform("quantile", 1 - ELIGIBLE_SHARE)
    pull = np.exp(PULL_OF_DEPRIVATION * (deprivation - deprivation.mean()) / deprivation.std())
    pull[deprivation < least.to_numpy()] = 0.0
    free = np.ones(len(places), dtype=bool)
    groups: list[list[int]] = []
    for size, own in zip(sizes, _force_quotas(rng, len(sizes), force), strict=True):
        allowed = free & (force == own)
        group = _grow_group(rng, size, np.where(allowed, pull, 0.0), allowed, neighbours)
        if group is None:
            return None
        groups.append(group)
        free[group] = False
        for area in group:
            free[neighbours[area]] = False
    return groups


def _force_quotas(rng: np.random.Generator, n_groups: int, force: npt.NDArray[np.str_]) -> list[str]:
    """Police force of each neighbourhood: by areas, and two in each where there are enough."""
    forces, count = np.unique(force, return_counts=True)
    fewest = min(FEWEST_PER_FORCE, n_groups // len(forces))
    extra = (n_groups - fewest * len(forces)) * count / count.sum()
    quota = fewest + np.floor(extra).astype(np.int64)
    quota[np.argsort(np.floor(extra) - extra, kind="stable")[: n_groups - quota.sum()]] += 1
    return [str(name) for name in rng.permutation(np.repeat(forces, quota))]


def _grow_group(
    rng: np.random.Generator,
    size: int,
    weight: FloatArray,
    allowed: npt.NDArray[np.bool_],
    neighbours: list[list[int]],
) -> list[int] | None:
    """Grow a connected group from an area drawn by weight, one neighbour at a time."""
    tries = min(30, int((weight > 0).sum()))
    if not tries:
        return None
    for first in rng.choice(len(weight), tries, replace=False, p=weight / weight.sum()):
        group = [int(first)]
        while len(group) < size:
            # an area listed twice borders two members and is twice as likely
            border = [a for m in group for a in neighbours[m] if allowed[a] and a not in group]
            if not border:
                break
            group.append(border[int(rng.integers(len(border)))])
        if len(group) == size:
            return sorted(group)
    return None


def _name_neighbourhoods(groups: list[list[int]], area_names: list[str]) -> list[str]:
    """Name each after its town and a quarter, all different: 'Harrowby Eastfield'."""
    names: list[str] = []
    for k, group in enumerate(groups):
        town = area_names[group[0]].rsplit(" ", 1)[0]
        turn = k % len(QUARTERS)
        options = [f"{town} {quarter}" for quarter in QUARTERS[turn:] + QUARTERS[:turn]]
        names.append(next((n for n in options if n not in names), f"{town} {k + 1}"))
    return names


def first_treated_period(outcome: str, start: str, periods: tuple[str, ...]) -> int:
    """Position of the first treated period: the month of the start, or the first full year."""
    first = str(first_full_year(start)) if outcome in YEARLY_INDICATORS else start[:7]
    return sum(period < first for period in periods)


def spread_effects(
    rng: np.random.Generator,
    spec: CountySpec,
    neighbourhoods: tuple[Neighbourhood, ...],
    periods: Mapping[str, tuple[str, ...]],
) -> dict[str, FloatArray]:
    """Give every treated cell its effect: log rate ratio for counts, points for scores.

    By outcome (n_areas, n_periods); 0 where nothing is treated.
    """
    programmes = {programme.name: programme for programme in spec.programmes}
    surface = {name: np.zeros((spec.n_areas, len(periods[name]))) for name in OUTCOMES}
    # drawn whether used or not: so no draw depends on whether another effect is zero
    deviation = rng.standard_normal((len(neighbourhoods), len(OUTCOMES)))
    cells = product(enumerate(neighbourhoods), enumerate(OUTCOMES))
    for (g, neighbourhood), (k, name) in cells:
        effect = programmes[neighbourhood.initiative].effects.get(name, 0.0)
        if effect == 0:
            continue
        if name in ADDITIVE_OUTCOMES:
            value = effect + spec.effect_sd_points * deviation[g, k]
        else:
            # the mean of a lognormal exceeds its median: without the last term so would effects
            value = np.log1p(effect) + spec.effect_sd * deviation[g, k] - spec.effect_sd**2 / 2
        first = first_treated_period(name, neighbourhood.start, periods[name])
        surface[name][list(neighbourhood.areas), first:] = value
    return surface


def measure_truth(
    expected: Mapping[str, Expected],
    neighbourhoods: tuple[Neighbourhood, ...],
    periods: Mapping[str, tuple[str, ...]],
) -> Truth:
    """Add up what the effects came to: by initiative, for all together and by neighbourhood.

    Where some initiatives are resident-led and others not, the contrast between the two sides is
    given too: the ratio of the two ratios less one, or the difference of the two means.
    """
    members: dict[str, list[Neighbourhood]] = {}
    for neighbourhood in neighbourhoods:
        members.setdefault(neighbourhood.initiative, []).append(neighbourhood)
    if neighbourhoods:
        members[ALL_INITIATIVES] = list(neighbourhoods)

    def measure(group: list[Neighbourhood]) -> dict[str, float]:
        return {name: _realised_effect(name, expected[name], group, periods[name]) for name in OUTCOMES}

    effects = {name: measure(group) for name, group in members.items()}
    sides = [[n for n in neighbourhoods if n.resident_led is side] for side in (True, False)]
    if all(sides):
        ours, others = measure(sides[0]), measure(sides[1])
        effects[RESIDENT_LED_CONTRAST] = {
            name: ours[name] - others[name]
            if name in ADDITIVE_OUTCOMES
            else (1 + ours[name]) / (1 + others[name]) - 1
            for name in OUTCOMES
        }
    return Truth(effects, {n.name: measure([n]) for n in neighbourhoods})


def _realised_effect(
    outcome: str, expected: Expected, group: Iterable[Neighbourhood], periods: tuple[str, ...]
) -> float:
    """Effect over all treated cells of a group: ratio of totals less one, or mean difference."""
    treated = np.zeros(expected.without.shape, dtype=bool)
    for neighbourhood in group:
        first = first_treated_period(outcome, neighbourhood.start, periods)
        treated[list(neighbourhood.areas), first:] = True
    with_effect = float(expected.with_effect[treated].sum())
    without = float(expected.without[treated].sum())
    if outcome in ADDITIVE_OUTCOMES:
        return (with_effect - without) / int(treated.sum())
    return with_effect / without - 1
