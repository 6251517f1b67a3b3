"""A simulated county: real-looking small areas, outcomes and initiatives, with known effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from areaeffect.periods import PeriodKind, label, parse_period
from areaeffect.simulate.effects import Truth, measure_truth, spread_effects
from areaeffect.simulate.geography import Map, draw_map, reorder_map
from areaeffect.simulate.levels import draw_levels
from areaeffect.simulate.monthly import draw_monthly_counts
from areaeffect.simulate.noise import FloatArray, IntArray
from areaeffect.simulate.placement import Neighbourhood, place_programmes
from areaeffect.simulate.places import describe_places
from areaeffect.simulate.spec import MONTHLY_COUNTS, YEARLY_INDICATORS, CountySpec, whole_years
from areaeffect.simulate.yearly import draw_yearly_indicators
from areaeffect.streams import Use, generator

FIRST_CODE = "S01"  # no real area: England's small areas begin with E01, Wales's with W01
AREA_COLUMNS = (
    "area_code", "area_name", "district", "police_force",
    "population", "dwellings", "deprivation", "share_renting",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class County:
    """A simulated county; every table and array has its areas in the order of `areas`.

    Parameters
    ----------
    spec : CountySpec
        What it was told to be.
    areas : DataFrame
        area_code, area_name, district, police_force, population, dwellings, deprivation and
        share_renting; sorted by code.
    polygons : GeoDataFrame
        area_code, area_name and geometry (EPSG:4326, 5 decimals).
    months : tuple of str
        'YYYY-MM'.
    counts : Mapping of outcome to (n_areas, n_months) int
        Recorded crime, anti-social behaviour and criminal damage (part of crime), gap included.
    years : tuple of str
        'YYYY'.
    indicators : Mapping of outcome to (n_areas, n_years)
        Environment score (points), long-term empty homes (dwellings) and social relationships
        (per cent).
    membership : DataFrame
        initiative, neighbourhood, area_code, start_date, resident_led; one row a treated area.
    truth : Truth
        The realised effects.
    """

    spec: CountySpec
    areas: pd.DataFrame
    polygons: gpd.GeoDataFrame
    months: tuple[str, ...]
    counts: Mapping[str, IntArray]
    years: tuple[str, ...]
    indicators: Mapping[str, IntArray | FloatArray]
    membership: pd.DataFrame
    truth: Truth


def simulate_county(spec: CountySpec) -> County:
    """Simulate a county: map, people, initiatives, then outcomes with and without them.

    Parameters
    ----------
    spec : CountySpec
        Every knob; the same spec gives the same county, bit for bit.

    Returns
    -------
    County

    Examples
    --------
    >>> county = simulate_county(CountySpec(n_areas=150, programmes=(), seed=1))
    >>> county.counts["crime"].shape
    (150, 144)
    """
    map_rng, place_rng, placement_rng, level_rng, effect_rng, month_rng, year_rng = (
        generator(use, spec.seed)
        for use in (
            Use.COUNTY_MAP,
            Use.COUNTY_PEOPLE,
            Use.COUNTY_PROGRAMMES,
            Use.COUNTY_LEVELS,
            Use.COUNTY_EFFECTS,
            Use.COUNTY_MONTHS,
            Use.COUNTY_YEARS,
        )
    )
    county_map, places = _draw_places(map_rng, place_rng, spec)
    neighbourhoods = place_programmes(placement_rng, spec.programmes, places, county_map.pairs)

    months = _months_between(spec.first_month, spec.last_month)
    years = tuple(str(year) for year in whole_years(spec.first_month, spec.last_month))
    periods = dict.fromkeys(MONTHLY_COUNTS, months) | dict.fromkeys(YEARLY_INDICATORS, years)
    effects = spread_effects(effect_rng, spec, neighbourhoods, spec.n_areas, periods)
    levels = draw_levels(level_rng, places, county_map)
    monthly = draw_monthly_counts(month_rng, spec, months, places, county_map, levels, effects)
    yearly = draw_yearly_indicators(year_rng, spec, years, places, county_map, levels, effects)

    areas = places[list(AREA_COLUMNS)]
    return County(
        spec=spec,
        areas=areas,
        polygons=gpd.GeoDataFrame(
            areas[["area_code", "area_name"]], geometry=county_map.polygons, crs="EPSG:4326"
        ),
        months=months,
        counts=monthly.counts,
        years=years,
        indicators=yearly.values,
        membership=_list_members(neighbourhoods, areas["area_code"]),
        truth=measure_truth(
            {**monthly.expected, **yearly.expected},
            neighbourhoods,
            periods,
            {programme.name: programme.resident_led for programme in spec.programmes},
        ),
    )


def _draw_places(
    map_rng: np.random.Generator, place_rng: np.random.Generator, spec: CountySpec
) -> tuple[Map, pd.DataFrame]:
    """Draw map and people; areas are sorted by district and name and coded in that order."""
    unsorted_map = draw_map(map_rng, spec.n_areas, spec.n_towns)
    unsorted = describe_places(place_rng, unsorted_map)
    order = np.lexsort(
        (unsorted["area_name"].to_numpy(dtype=str), unsorted["district"].to_numpy(dtype=str))
    )
    places = unsorted.iloc[order].reset_index(drop=True)
    places["area_code"] = [f"{FIRST_CODE}{i:06d}" for i in range(1, spec.n_areas + 1)]
    return reorder_map(unsorted_map, order.astype(np.int64)), places


def _months_between(first: str, last: str) -> tuple[str, ...]:
    """Every month from the first to the last, 'YYYY-MM'."""
    start, end = (parse_period(month, PeriodKind.MONTH) for month in (first, last))
    if start is None or end is None:  # the spec has refused it
        raise ValueError(first, last)
    return tuple(label(ordinal, PeriodKind.MONTH) for ordinal in range(start, end + 1))


def _list_members(neighbourhoods: tuple[Neighbourhood, ...], codes: pd.Series[str]) -> pd.DataFrame:
    """One row a treated area, by initiative in the order of the spec, neighbourhood and code."""
    rows = [
        (n.initiative, n.name, codes[area], n.start, n.resident_led)
        for n in neighbourhoods
        for area in n.areas
    ]
    columns = ["initiative", "neighbourhood", "area_code", "start_date", "resident_led"]
    return pd.DataFrame(rows, columns=columns)
