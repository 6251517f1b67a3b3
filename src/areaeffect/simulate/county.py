"""A simulated county: small areas on a grid, outcomes and initiatives, with known effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from areaeffect.simulate.grid import (
    FloatArray,
    IntArray,
    Map,
    describe_places,
    draw_ar1,
    draw_counts,
    draw_field,
    draw_map,
    draw_moving_field,
    standardise,
)
from areaeffect.simulate.programmes import (
    MONTHLY_COUNTS,
    YEARLY_INDICATORS,
    CountySpec,
    Expected,
    Truth,
    measure_truth,
    place_programmes,
    spread_effects,
    whole_years,
)
from areaeffect.streams import Use, generator

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class County:
    """A simulated county; every table and array has its areas in the order of `areas`."""

    spec: CountySpec  # its settings
    areas: pd.DataFrame  # as `describe_places` returns them, sorted by code
    polygons: gpd.GeoDataFrame  # area_code, area_name and geometry (EPSG:4326, 5 decimals)
    months: tuple[str, ...]  # 'YYYY-MM'
    #: by outcome (n_areas, n_months): recorded crime, anti-social behaviour and criminal damage (part of
    #: crime), gap included
    counts: Mapping[str, IntArray | FloatArray]
    years: tuple[str, ...]  # 'YYYY'
    #: by outcome (n_areas, n_years): environment score (points), long-term empty homes (dwellings) and social
    #: relationships (per cent)
    indicators: Mapping[str, IntArray | FloatArray]
    #: initiative, neighbourhood, area_code, start_date, resident_led; one row a treated area.
    membership: pd.DataFrame
    truth: Truth  # the realised effects


def simulate_county(spec: CountySpec) -> County:
    """Simulate a county: map, people, initiatives, then outcomes with and without them.

    The same spec gives the same county, bit for bit.

    Examples
    --------
    >>> county = simulate_county(CountySpec(n_areas=150, programmes=(), seed=1))
    >>> county.counts["crime"].shape
    (150, 144)
    """
    import geopandas as gpd

    county_map = draw_map(spec.n_areas)
    areas = describe_places(generator(Use.COUNTY_PEOPLE, spec.seed), county_map)
    neighbourhoods = place_programmes(
        generator(Use.COUNTY_PROGRAMMES, spec.seed), spec.programmes, areas, county_map.pairs
    )
    months = tuple(map(str, pd.period_range(spec.first_month, spec.last_month, freq="M")))
    years = tuple(str(year) for year in whole_years(spec.first_month, spec.last_month))
    periods = dict.fromkeys(MONTHLY_COUNTS, months) | dict.fromkeys(YEARLY_INDICATORS, years)
    effects = spread_effects(generator(Use.COUNTY_EFFECTS, spec.seed), spec, neighbourhoods, periods)
    places = draw_levels(generator(Use.COUNTY_LEVELS, spec.seed), areas, county_map)
    members = [
        (n.initiative, n.name, areas["area_code"][area], n.start, n.resident_led)
        for n in neighbourhoods
        for area in n.areas
    ]
    columns = ["initiative", "neighbourhood", "area_code", "start_date", "resident_led"]
    monthly = draw_monthly_counts(generator(Use.COUNTY_MONTHS, spec.seed), spec, months, places, effects)
    yearly = draw_yearly_indicators(generator(Use.COUNTY_YEARS, spec.seed), years, places, effects)
    return County(
        spec=spec,
        areas=areas,
        polygons=gpd.GeoDataFrame(
            areas[["area_code", "area_name"]], geometry=county_map.polygons, crs="EPSG:4326"
        ),
        months=months,
        counts=monthly.values,
        years=years,
        indicators=yearly.values,
        membership=pd.DataFrame(members, columns=columns),
        truth=measure_truth({**monthly.expected, **yearly.expected}, neighbourhoods, periods),
    )


# police.uk 2012 to 2023: about nine crimes and four of anti-social behaviour an LSOA and month
MEAN_CRIME, MEAN_ANTISOCIAL = 10.0, 4.0
DAMAGE_SHARE, DAMAGE_SHARE_RANGE = 0.125, (0.02, 0.35)  # of crime
EMPTY_HOMES_RATE = 0.0175  # of dwellings, long-term empty
MEAN_ENVIRONMENT, MEAN_SOCIAL = 50.0, 60.0  # points; per cent
CENTRE_EXCESS = 1.6  # log crime in the middle of a town, where it comes from elsewhere

# Common courses, log scale, by year: recorded crime in England rose from 2014 to 2018.
CRIME_COURSE = {2012.0: 0.06, 2014.0: -0.04, 2018.5: 0.22, 2021.5: 0.10, 2024.0: 0.13}
ANTISOCIAL_COURSE = {2012.0: 0.18, 2015.0: 0.02, 2019.5: -0.22, 2024.0: -0.5}
DAMAGE_COURSE = {2012.0: 0.12, 2016.0: 0.02, 2024.0: -0.2}
EMPTY_HOMES_COURSE = {2012.0: 0.12, 2016.0: -0.06, 2024.0: 0.16}

# How far places one standard deviation of deprivation apart have drifted from each other, and by
# the end of that course: log scale for counts and shares, points and per cent for the scores.
DEPRIVATION_COURSE = {2012.0: 0.0, 2015.0: 0.15, 2020.0: 0.8, 2024.0: 1.0}
CRIME_DRIFT, ANTISOCIAL_DRIFT, DAMAGE_DRIFT = -0.09, -0.12, -0.03
ENVIRONMENT_DRIFT, EMPTY_HOMES_DRIFT, SOCIAL_DRIFT = 1.5, -0.12, -1.0

SUMMER, SPRING = 7, 4  # months of the peak
CRIME_SEASON, ANTISOCIAL_SEASON, DAMAGE_SEASON = 0.05, 0.20, 0.05
OVERDISPERSION = 0.03  # counts have variance mean + overdispersion x mean²
#: Month-to-month correlation and standard deviation (log scale) of the noise of one area, of the slow
#: shocks that neighbours share, and of those a whole force shares, such as a change in recording.
AREA_RHO, AREA_SD, SPATIAL_RHO, SPATIAL_SD, FORCE_SD = 0.6, 0.12, 0.95, 0.08, 0.03
GAP_RESIDUE = 0.005  # share of the records that still appears during the gap
NEARBY_KM, WIDER_KM, FORCE_RHO = 1.5, 6.0, 0.97
YEARLY_RHO, YEARLY_KM, SHARED_BY_NEIGHBOURS = 0.7, 3.0, 0.4
ENVIRONMENT_SD, EMPTY_HOMES_SD, SOCIAL_SD = 2.0, 0.12, 1.5  # of a year's shock
ENVIRONMENT_ERROR_SD = 3.0  # points: a yearly inspection of a few streets
EMPTY_HOMES_OVERDISPERSION = 0.04
RESPONDENTS = (70, 131)  # people asked in an area each year, the second number excluded


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Values as published, (n_areas, n_periods) by outcome, and what was expected of them."""

    values: Mapping[str, IntArray | FloatArray]
    expected: Mapping[str, Expected]


@dataclass(frozen=True, slots=True, eq=False)
class CountyAreas:
    """The areas, where they are, and how they differ for good: log, points or per cent."""

    areas: pd.DataFrame
    map: Map
    deprived: FloatArray
    levels: Mapping[str, FloatArray]

    def drift(self, times: FloatArray) -> FloatArray:
        """How far places have drifted apart by deprivation, (n_areas, n_periods)."""
        return self.deprived[:, None] * _course(times, DEPRIVATION_COURSE)


def draw_levels(rng: np.random.Generator, areas: pd.DataFrame, county_map: Map) -> CountyAreas:
    """Draw how areas differ: by deprivation, with their neighbours, on their own, in the middle."""
    deprived = standardise(areas["deprivation"].to_numpy(dtype=np.float64))
    core = county_map.coreness
    size = np.log(areas["population"].to_numpy(dtype=np.float64))
    centre = CENTRE_EXCESS * (core > 0.9)  # noqa: PLR2004  # the few areas of a town centre

    def differ(length_km: float, shared_sd: float, own_sd: float) -> FloatArray:
        shared = shared_sd * draw_field(rng, county_map.xy_km, length_km)
        return np.asarray(shared + own_sd * rng.standard_normal(len(areas)))

    alike = differ(2.5, 0.30, 0.26)
    crime = size + 0.42 * deprived + 0.35 * core + alike + centre
    antisocial = size + 0.45 * deprived + 0.30 * core + 0.7 * alike + 0.85 * centre
    antisocial = antisocial + differ(2.5, 0.22, 0.22)
    share = 0.10 * deprived - 0.45 * centre + differ(3.0, 0.10, 0.14)
    environment = -5.5 * deprived - 2.5 * (core - core.mean()) + differ(2.0, 5.0, 4.5)
    levels = {
        "crime": crime + np.log(MEAN_CRIME / np.exp(crime).mean()),
        "antisocial_behaviour": antisocial + np.log(MEAN_ANTISOCIAL / np.exp(antisocial).mean()),
        "damage_share": np.log(DAMAGE_SHARE) + share - share.mean(),
        "environment_score": MEAN_ENVIRONMENT + environment,
        "empty_homes": np.log(EMPTY_HOMES_RATE) + 0.32 * deprived + differ(3.0, 0.30, 0.25),
        "social_relationships": MEAN_SOCIAL - 4.0 * deprived + differ(5.0, 3.0, 2.5),
    }
    return CountyAreas(areas, county_map, deprived, levels)


def draw_monthly_counts(
    rng: np.random.Generator,
    spec: CountySpec,
    months: tuple[str, ...],
    places: CountyAreas,
    effects: Mapping[str, FloatArray],
) -> Outcomes:
    """Draw recorded crime, anti-social behaviour and criminal damage by area and month.

    Parameters
    ----------
    rng, spec : the generator, and the county's settings.
    months : 'YYYY-MM'.
    places : as `draw_levels` returns them.
    effects : by outcome (n_areas, n_months), log rate ratios.

    Notes
    -----
    Criminal damage is a share of crime. Its effect is put on it, the effect on crime on the whole,
    and the rest of crime is what is left: so both hold exactly. In the gap only a residue of the
    smallest force's records is left.
    """
    shock_rng, count_rng, gap_rng = rng.spawn(3)
    crime, antisocial, share = _untreated(shock_rng, months, places)
    plain = {"crime": crime, "antisocial_behaviour": antisocial, "criminal_damage": crime * share}
    expected = {name: Expected(e * np.exp(effects[name]), e) for name, e in plain.items()}
    damage = expected["criminal_damage"].with_effect
    rest = expected["crime"].with_effect - damage
    damage_count, rest_count = draw_counts(count_rng, (damage, rest), OVERDISPERSION)
    (antisocial_count,) = draw_counts(
        count_rng, (expected["antisocial_behaviour"].with_effect,), OVERDISPERSION
    )
    if spec.gap_months is not None:
        first, last = spec.gap_months
        force = places.areas["police_force"]
        lost = (force == smallest_force(force)).to_numpy()
        cells = np.ix_(lost, np.array([first <= month <= last for month in months]))
        for count in (damage_count, rest_count, antisocial_count):
            count[cells] = gap_rng.binomial(count[cells], GAP_RESIDUE)
    values = {
        "crime": damage_count + rest_count,
        "antisocial_behaviour": antisocial_count,
        "criminal_damage": damage_count,
    }
    return Outcomes(values, expected)


def _untreated(
    rng: np.random.Generator, months: tuple[str, ...], places: CountyAreas
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Expect crime, anti-social behaviour and the share of damage; (n_areas, n_months)."""
    times = np.array([int(month[:4]) + (int(month[5:]) - 0.5) / 12 for month in months])
    drift = places.drift(times)
    days = pd.PeriodIndex(months, freq="M").days_in_month.to_numpy(dtype=np.float64)
    shared, *own = (_monthly_shocks(rng, places, len(months)) for _ in range(3))

    def log_count(
        name: str, course: Mapping[float, float], season: float, drifted: float, shocks: FloatArray
    ) -> FloatArray:
        common = _course(times, course) + _season(months, season, SUMMER) + np.log(days / 30.44)
        level = places.levels[name][:, None]
        return np.asarray(level + common + drifted * drift + np.sqrt(0.5) * (shared + shocks))

    crime = log_count("crime", CRIME_COURSE, CRIME_SEASON, CRIME_DRIFT, own[0])
    antisocial = log_count(
        "antisocial_behaviour", ANTISOCIAL_COURSE, ANTISOCIAL_SEASON, ANTISOCIAL_DRIFT, own[1]
    )
    share = (
        places.levels["damage_share"][:, None]
        + _course(times, DAMAGE_COURSE)
        + _season(months, DAMAGE_SEASON, SPRING)
        + DAMAGE_DRIFT * drift
        + 0.6 * AREA_SD * draw_ar1(rng, drift.shape, AREA_RHO)
    )
    return np.exp(crime), np.exp(antisocial), np.clip(np.exp(share), *DAMAGE_SHARE_RANGE)


def _monthly_shocks(rng: np.random.Generator, places: CountyAreas, n_months: int) -> FloatArray:
    """Draw shocks that neighbours share, that a force shares, and an area's own; log scale."""
    force = np.unique(places.areas["police_force"].to_numpy(dtype=str), return_inverse=True)[1]
    xy = places.map.xy_km
    # half of what neighbours share is very local: benchmark areas across town miss it, as in life
    nearby = draw_moving_field(rng, xy, NEARBY_KM, n_months, SPATIAL_RHO)
    wider = draw_moving_field(rng, xy, WIDER_KM, n_months, SPATIAL_RHO)
    of_force = draw_ar1(rng, (force.max() + 1, n_months), FORCE_RHO)[force]
    own = draw_ar1(rng, (len(xy), n_months), AREA_RHO)
    spatial = SPATIAL_SD * np.sqrt(0.5) * (nearby + wider)
    return np.asarray(spatial + FORCE_SD * of_force + AREA_SD * own)


def draw_yearly_indicators(
    rng: np.random.Generator, years: tuple[str, ...], places: CountyAreas, effects: Mapping[str, FloatArray]
) -> Outcomes:
    """Draw environment score, long-term empty homes and social relationships by area and year.

    Parameters
    ----------
    years : 'YYYY'.
    places : as `draw_levels` returns them.
    effects : by outcome (n_areas, n_years), log rate ratios for empty homes, else points.

    Returns
    -------
    Score (0 to 100), count of dwellings and per cent of those asked.
    """
    shock_rng, measure_rng = rng.spawn(2)
    times = np.array([int(year) + 0.5 for year in years])
    drift = places.drift(times)
    own, near = np.sqrt(1 - SHARED_BY_NEIGHBOURS), np.sqrt(SHARED_BY_NEIGHBOURS)

    def vary(name: str, drifted: float, sd: float) -> FloatArray:
        xy = places.map.xy_km
        shock = near * draw_moving_field(shock_rng, xy, YEARLY_KM, len(years), YEARLY_RHO)
        shock = shock + own * draw_ar1(shock_rng, drift.shape, YEARLY_RHO)
        return np.asarray(places.levels[name][:, None] + drifted * drift + sd * shock)

    environment = vary("environment_score", ENVIRONMENT_DRIFT, ENVIRONMENT_SD)
    log_rate = vary("empty_homes", EMPTY_HOMES_DRIFT, EMPTY_HOMES_SD)
    social = vary("social_relationships", SOCIAL_DRIFT, SOCIAL_SD)
    dwellings = places.areas["dwellings"].to_numpy(dtype=np.float64)[:, None]
    empty = dwellings * np.exp(log_rate + _course(times, EMPTY_HOMES_COURSE))
    expected = {
        "environment_score": Expected(environment + effects["environment_score"], environment),
        "empty_homes": Expected(empty * np.exp(effects["empty_homes"]), empty),
        "social_relationships": Expected(social + effects["social_relationships"], social),
    }
    # published with the error of an inspection, a count and a survey
    (homes,) = draw_counts(measure_rng, (expected["empty_homes"].with_effect,), EMPTY_HOMES_OVERDISPERSION)
    agreeing = np.clip(expected["social_relationships"].with_effect / 100, 0.05, 0.95)
    asked = measure_rng.integers(*RESPONDENTS, size=agreeing.shape)
    score = measure_rng.normal(expected["environment_score"].with_effect, ENVIRONMENT_ERROR_SD)
    values: dict[str, IntArray | FloatArray] = {
        "environment_score": np.clip(score, 0, 100).round(1),
        "empty_homes": homes,
        "social_relationships": (100 * measure_rng.binomial(asked, agreeing) / asked).round(1),
    }
    return Outcomes(values, expected)


def smallest_force(force: pd.Series[str]) -> str:
    """Name of the police force with the fewest areas: the one that loses its records."""
    names, count = np.unique(force.to_numpy(dtype=str), return_counts=True)
    return str(names[count.argmin()])


def _course(times: FloatArray, course: Mapping[float, float]) -> FloatArray:
    """Value at each time: straight between the years given, level beyond; (n_times,)."""
    return np.asarray(np.interp(times, list(course), list(course.values())))


def _season(months: tuple[str, ...], height: float, peak: int) -> FloatArray:
    """Yearly wave on the log scale that peaks in a month; (n_months,)."""
    number = np.array([int(month[5:]) for month in months])
    return np.asarray(height * np.cos(2 * np.pi * (number - peak) / 12))
