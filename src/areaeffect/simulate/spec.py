"""What a simulated county is told to be: its size, its noise and its programmes' true effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from areaeffect.errors import Problem, StudyError
from areaeffect.periods import PeriodKind, parse_period

MONTHLY_COUNTS = ("crime", "antisocial_behaviour", "criminal_damage")
YEARLY_INDICATORS = ("environment_score", "empty_homes", "social_relationships")
OUTCOMES = MONTHLY_COUNTS + YEARLY_INDICATORS

ADDITIVE_OUTCOMES = ("environment_score", "social_relationships")
"""Their effect is added, in points; every other multiplies (a fraction: -0.12 = 12% fewer)."""

MIN_AREAS, MAX_AREAS = 120, 5000
MIN_TOWNS, MAX_TOWNS = 4, 16

MIN_CRIME_TO_DAMAGE = 0.6
"""Criminal damage is part of crime: below this ratio the rest of crime could turn negative."""

MAX_EFFECT_SD = 0.1
"""A wider spread between neighbourhoods could push criminal damage above crime."""


@dataclass(frozen=True, slots=True)
class ProgrammeSpec:
    """One initiative of the simulated county and its true effects.

    Parameters
    ----------
    name : str
        Name of the initiative.
    resident_led : bool
        Whether residents lead it.
    n_neighbourhoods : int
        How many neighbourhoods it works in.
    starts : tuple of str
        Start dates, 'YYYY-MM-DD'; the neighbourhoods are shared out evenly among them.
    effects : Mapping of str to float
        True effect by outcome, from the month of the start on: a fraction for counts (-0.12 =
        12% fewer), points for scores. An outcome left out has effect 0. Yearly indicators move
        from the first full year.
    sizes : (int, int)
        Fewest and most areas in a neighbourhood.
    """

    name: str
    resident_led: bool
    n_neighbourhoods: int
    starts: tuple[str, ...]
    effects: Mapping[str, float] = field(default_factory=dict)
    sizes: tuple[int, int] = (3, 7)

    def __post_init__(self) -> None:
        object.__setattr__(self, "effects", MappingProxyType(dict(self.effects)))
        problems = _programme_problems(self)
        if problems:
            raise StudyError([Problem(what, where=f"programme '{self.name}'") for what in problems])


def _programme_problems(programme: ProgrammeSpec) -> list[str]:
    """List what is wrong with a programme, each with what is allowed."""
    problems = []
    unknown = sorted(set(programme.effects) - set(OUTCOMES))
    if unknown:
        problems.append(f"unknown outcomes {unknown} in effects; allowed are {list(OUTCOMES)}")
    if programme.n_neighbourhoods < 1:
        problems.append(f"n_neighbourhoods is {programme.n_neighbourhoods}; it must be at least 1")
    low, high = programme.sizes
    if not 1 <= low <= high:
        problems.append(f"sizes is {programme.sizes}; give (fewest, most) with 1 <= fewest <= most")
    if not programme.starts:
        problems.append("starts is empty; give at least one date such as '2016-01-01'")
    for start in programme.starts:
        if parse_period(start, PeriodKind.MONTH) is None:
            problems.append(f"start '{start}' is not a date; write it like '2016-01-01'")
    if any(
        1 + programme.effects.get(name, 0.0) <= 0
        for name in OUTCOMES
        if name not in ADDITIVE_OUTCOMES
    ):
        problems.append(
            "a multiplicative effect is -1 or below; nothing can fall by more than all of it"
        )
    crime, damage = (1 + programme.effects.get(name, 0.0) for name in ("crime", "criminal_damage"))
    if crime < MIN_CRIME_TO_DAMAGE * damage:
        problems.append(
            "criminal damage is part of crime, so (1 + effect on crime) must be at least "
            f"{MIN_CRIME_TO_DAMAGE} x (1 + effect on criminal damage)"
        )
    return problems


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
        "social_relationships": 0.0,
    },
)

COUNCIL_PARTNERSHIP = ProgrammeSpec(
    name="Council Partnership",
    resident_led=False,
    n_neighbourhoods=12,
    starts=("2016-01-01", "2018-01-01"),
    effects={
        "crime": 0.0,
        "antisocial_behaviour": -0.10,
        "criminal_damage": -0.05,
        "empty_homes": -0.10,
        "environment_score": 1.0,
        "social_relationships": 0.0,
    },
)


@dataclass(frozen=True, slots=True)
class CountySpec:
    """Every knob of a simulated county.

    Geography, placement, shocks and counts draw from separate streams of the seed: two specs that
    differ in their effects only share map, neighbourhoods and shocks.

    Parameters
    ----------
    n_areas : int
        Small areas of about 1,500 residents, between 120 and 5,000.
    n_towns : int
        Towns, between 4 and 16; the largest holds about a quarter of the areas.
    seed : int
        Seed of the random generator.
    first_month, last_month : str
        Window of the monthly counts, 'YYYY-MM'. Yearly indicators cover the whole years inside it.
    programmes : tuple of ProgrammeSpec
        The initiatives; may be empty.
    effect_sd : float
        Standard deviation of the effect between neighbourhoods, log scale. An effect of exactly 0
        stays 0 everywhere.
    effect_sd_points : float
        The same for effects in points.
    overdispersion : float
        Variance of the gamma noise of a cell: counts have variance mean + overdispersion x mean².
    area_rho, area_sd : float
        Month-to-month correlation and standard deviation (log scale) of the noise of one area.
    spatial_sd : float
        Standard deviation (log scale) of the slow shocks that neighbouring areas share.
    spatial_rho : float
        Month-to-month correlation of those shocks.
    force_sd : float
        Standard deviation (log scale) of the shocks a whole police force shares, such as a change
        in recording.
    deprivation_trend : float
        Multiplies how differently deprived places change over time; 0 removes it, and with it
        most of the bias of a raw comparison.
    gap : bool
        Whether the smallest force loses its records for a while.
    gap_months : (str, str)
        First and last month of that gap.
    gap_residue : float
        Share of the records that still appears during the gap.
    """

    n_areas: int = 1200
    n_towns: int = 12
    seed: int = 20231219
    first_month: str = "2012-01"
    last_month: str = "2023-12"
    programmes: tuple[ProgrammeSpec, ...] = (RESIDENTS_FIRST, COUNCIL_PARTNERSHIP)
    effect_sd: float = 0.03
    effect_sd_points: float = 0.5
    overdispersion: float = 0.03
    area_rho: float = 0.6
    area_sd: float = 0.12
    spatial_sd: float = 0.08
    spatial_rho: float = 0.95
    force_sd: float = 0.03
    deprivation_trend: float = 1.0
    gap: bool = True
    gap_months: tuple[str, str] = ("2017-07", "2017-12")
    gap_residue: float = 0.005

    def __post_init__(self) -> None:
        problems = _county_problems(self)
        if problems:
            raise StudyError([Problem(what, where="county") for what in problems])


def _county_problems(spec: CountySpec) -> list[str]:
    """List what is wrong with a county, each with what is allowed."""
    problems = []
    badly_written = [
        month
        for month in (spec.first_month, spec.last_month, *spec.gap_months)
        if parse_period(month, PeriodKind.MONTH) is None
    ]
    if badly_written:
        problems.append(f"{badly_written} are not months; write them like '2012-01'")
        return problems
    if not MIN_AREAS <= spec.n_areas <= MAX_AREAS:
        problems.append(f"n_areas is {spec.n_areas}; allowed are {MIN_AREAS} to {MAX_AREAS}")
    if not MIN_TOWNS <= spec.n_towns <= MAX_TOWNS:
        problems.append(f"n_towns is {spec.n_towns}; allowed are {MIN_TOWNS} to {MAX_TOWNS}")
    if spec.first_month > spec.last_month:
        problems.append(f"first_month {spec.first_month} is after last_month {spec.last_month}")
    elif not whole_years(spec.first_month, spec.last_month):
        problems.append("the window holds no whole calendar year; yearly indicators need one")
    else:
        problems += _start_problems(spec)
    names = [programme.name for programme in spec.programmes]
    if len(set(names)) < len(names):
        problems.append(f"programme names {names} are not unique")
    return problems + _noise_problems(spec)


def _noise_problems(spec: CountySpec) -> list[str]:
    """List the sizes of shocks and noise that cannot be."""
    problems = []
    if not 0 <= spec.effect_sd <= MAX_EFFECT_SD:
        problems.append(f"effect_sd is {spec.effect_sd}; allowed are 0 to {MAX_EFFECT_SD}")
    for name in ("effect_sd_points", "overdispersion", "area_sd", "spatial_sd", "force_sd"):
        if getattr(spec, name) < 0:
            problems.append(f"{name} is {getattr(spec, name)}; it must not be negative")
    for name in ("area_rho", "spatial_rho"):
        if not 0 <= getattr(spec, name) < 1:
            problems.append(f"{name} is {getattr(spec, name)}; it must be at least 0 and under 1")
    if not 0 <= spec.gap_residue <= 1:
        problems.append(f"gap_residue is {spec.gap_residue}; it must be between 0 and 1")
    return problems


def _start_problems(spec: CountySpec) -> list[str]:
    """List the starts that leave no month before them, or no whole year after."""
    last_year = whole_years(spec.first_month, spec.last_month)[-1]
    return [
        f"programme '{programme.name}' starts on {start}; allowed is any month after "
        f"{spec.first_month} that leaves the year {last_year} whole"
        for programme in spec.programmes
        for start in programme.starts
        if start[:7] <= spec.first_month or first_full_year(start) > last_year
    ]


def whole_years(first_month: str, last_month: str) -> tuple[int, ...]:
    """Calendar years that lie wholly inside a window of months."""
    first = int(first_month[:4]) + (first_month[5:7] != "01")
    last = int(last_month[:4]) - (last_month[5:7] != "12")
    return tuple(range(first, last + 1))


def first_full_year(start: str) -> int:
    """First calendar year that begins at or after the month of a start date."""
    return int(start[:4]) + (start[5:7] != "01")
