"""A simulated county: small areas on a grid, outcomes and initiatives, with known effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from areaeffect.period_texts import parse_period
from areaeffect.periods import PeriodKind, label
from areaeffect.simulate.grid import describe_places, draw_map
from areaeffect.simulate.noise import FloatArray, IntArray
from areaeffect.simulate.outcomes import draw_levels, draw_monthly_counts, draw_yearly_indicators
from areaeffect.simulate.programmes import (
    Neighbourhood,
    Truth,
    measure_truth,
    place_programmes,
    spread_effects,
)
from areaeffect.simulate.spec import MONTHLY_COUNTS, YEARLY_INDICATORS, CountySpec, whole_years
from areaeffect.streams import Use, generator

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class County:
    """A simulated county; every table and array has its areas in the order of `areas`.

    Parameters
    ----------
    spec : its settings.
    areas : as `describe_places` returns them, sorted by code.
    polygons : area_code, area_name and geometry (EPSG:4326, 5 decimals).
    months : 'YYYY-MM'.
    counts : by outcome (n_areas, n_months): recorded crime, anti-social behaviour and criminal
        damage (part of crime), gap included.
    years : 'YYYY'.
    indicators : by outcome (n_areas, n_years): environment score (points), long-term empty homes
        (dwellings) and social relationships (per cent).
    membership : initiative, neighbourhood, area_code, start_date, resident_led; one row a treated
        area.
    truth : the realised effects.
    """

    spec: CountySpec
    areas: pd.DataFrame
    polygons: gpd.GeoDataFrame
    months: tuple[str, ...]
    counts: Mapping[str, IntArray | FloatArray]
    years: tuple[str, ...]
    indicators: Mapping[str, IntArray | FloatArray]
    membership: pd.DataFrame
    truth: Truth


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
    months = _months_between(spec.first_month, spec.last_month)
    years = tuple(str(year) for year in whole_years(spec.first_month, spec.last_month))
    periods = dict.fromkeys(MONTHLY_COUNTS, months) | dict.fromkeys(YEARLY_INDICATORS, years)
    effects = spread_effects(generator(Use.COUNTY_EFFECTS, spec.seed), spec, neighbourhoods, periods)
    places = draw_levels(generator(Use.COUNTY_LEVELS, spec.seed), areas, county_map)
    monthly = draw_monthly_counts(generator(Use.COUNTY_MONTHS, spec.seed), spec, months, places, effects)
    yearly = draw_yearly_indicators(generator(Use.COUNTY_YEARS, spec.seed), spec, years, places, effects)
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
        membership=_list_members(neighbourhoods, areas["area_code"]),
        truth=measure_truth({**monthly.expected, **yearly.expected}, neighbourhoods, periods),
    )


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
