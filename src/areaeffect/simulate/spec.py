"""What a simulated county should be: its size, its noise and its programmes' true effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from areaeffect.errors import Problem, StudyError

MONTHLY_COUNTS = ("crime", "antisocial_behaviour", "criminal_damage")
YEARLY_INDICATORS = ("environment_score", "empty_homes", "social_relationships")
OUTCOMES = MONTHLY_COUNTS + YEARLY_INDICATORS

ADDITIVE_OUTCOMES = ("environment_score", "social_relationships")
"""Their effect is added, in points; every other multiplies (a fraction: -0.12 = 12% fewer)."""

AREAS = (120, 5000)  # fewest and most
MIN_CRIME_TO_DAMAGE = 0.6
"""Criminal damage is part of crime: below this ratio the rest of crime could turn negative."""
MAX_EFFECT_SD = 0.1
"""A wider spread between neighbourhoods could push criminal damage above crime."""


def _refuse(where: str, problems: Iterable[str]) -> None:
    found = [Problem(what, where=where) for what in problems]
    if found:
        raise StudyError(found)


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
        object.__setattr__(self, "effects", MappingProxyType(dict(self.effects)))
        _refuse(f"programme '{self.name}'", _programme_problems(self))


def _is_date(text: str) -> bool:
    """Tell whether a text is written as 'YYYY-MM-DD', the one form that is compared as text."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _programme_problems(programme: ProgrammeSpec) -> Iterable[str]:
    """Say what is wrong with a programme, each with what is allowed."""
    unknown = sorted(set(programme.effects) - set(OUTCOMES))
    if unknown:
        yield f"unknown outcomes {unknown} in effects; allowed are {list(OUTCOMES)}"
    if programme.n_neighbourhoods < 1:
        yield f"n_neighbourhoods is {programme.n_neighbourhoods}; it must be at least 1"
    low, high = programme.sizes
    if not 1 <= low <= high:
        yield f"sizes is {programme.sizes}; give (fewest, most) with 1 <= fewest <= most"
    if not programme.starts:
        yield "starts is empty; give at least one date such as '2016-01-01'"
    for start in programme.starts:
        if not _is_date(start):
            yield f"start '{start}' is not a date; write it like '2016-01-01'"
    factor = {n: 1 + programme.effects.get(n, 0.0) for n in OUTCOMES if n not in ADDITIVE_OUTCOMES}
    if min(factor.values()) <= 0:
        yield "a multiplicative effect is -1 or below; nothing can fall by more than all of it"
    if factor["crime"] < MIN_CRIME_TO_DAMAGE * factor["criminal_damage"]:
        yield (
            "criminal damage is part of crime, so (1 + effect on crime) must be at least "
            f"{MIN_CRIME_TO_DAMAGE} x (1 + effect on criminal damage)"
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

    Parameters
    ----------
    n_areas : small areas of about 1,500 residents, between 120 and 5,000.
    seed : of the random numbers.
    first_month, last_month : window of the monthly counts, 'YYYY-MM'. Yearly indicators cover
        the whole years inside it.
    programmes : the initiatives; may be empty.
    effect_sd, effect_sd_points : standard deviation of the effect between neighbourhoods, log
        scale and points. An effect of exactly 0 stays 0 everywhere.
    overdispersion : counts have variance mean + overdispersion × mean².
    area_rho, area_sd : month-to-month correlation and standard deviation (log scale) of the
        noise of one area.
    spatial_rho, spatial_sd : the same of the slow shocks that neighbouring areas share.
    force_sd : the same of the shocks a whole police force shares, such as a change in recording.
    deprivation_trend : multiplies how differently deprived places change over time; 0 removes
        it, and with it most of the bias of a raw comparison.
    gap_months : first and last month in which the smallest force loses its records; None for no
        gap.
    gap_residue : share of the records that still appears during the gap.
    """

    n_areas: int = 1200
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
    gap_months: tuple[str, str] | None = ("2017-07", "2017-12")
    gap_residue: float = 0.005

    def __post_init__(self) -> None:
        months = (self.first_month, self.last_month, *(self.gap_months or ()))
        unread = [month for month in months if not _is_date(f"{month}-01")]
        if unread:
            _refuse("county", [f"{unread} are not months; write them like '2012-01'"])
        _refuse("county", _county_problems(self))


def _county_problems(spec: CountySpec) -> Iterable[str]:
    """Say what is wrong with a county, each with what is allowed."""
    if not AREAS[0] <= spec.n_areas <= AREAS[1]:
        yield f"n_areas is {spec.n_areas}; allowed are {AREAS[0]} to {AREAS[1]}"
    names = [programme.name for programme in spec.programmes]
    if len(set(names)) < len(names):
        yield f"programme names {names} are not unique"
    years = whole_years(spec.first_month, spec.last_month)
    if spec.first_month > spec.last_month:
        yield f"first_month {spec.first_month} is after last_month {spec.last_month}"
    elif not years:
        yield "the window holds no whole calendar year; yearly indicators need one"
    else:
        for programme in spec.programmes:
            for start in programme.starts:
                if start[:7] <= spec.first_month or first_full_year(start) > years[-1]:
                    yield (
                        f"programme '{programme.name}' starts on {start}; allowed is any month "
                        f"after {spec.first_month} that leaves the year {years[-1]} whole"
                    )
    most = {"effect_sd": MAX_EFFECT_SD, "gap_residue": 1.0, "area_rho": 0.999, "spatial_rho": 0.999}
    for name in (*most, "effect_sd_points", "overdispersion", "area_sd", "spatial_sd", "force_sd"):
        value, highest = getattr(spec, name), most.get(name, float("inf"))
        if not 0 <= value <= highest:
            yield f"{name} is {value}; allowed are 0 to {highest}"


def whole_years(first_month: str, last_month: str) -> tuple[int, ...]:
    """Calendar years that lie wholly inside a window of months."""
    first = int(first_month[:4]) + (first_month[5:7] != "01")
    last = int(last_month[:4]) - (last_month[5:7] != "12")
    return tuple(range(first, last + 1))


def first_full_year(start: str) -> int:
    """First calendar year that begins at or after the month of a start date."""
    return int(start[:4]) + (start[5:7] != "01")
