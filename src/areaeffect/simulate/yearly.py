"""Environment score, empty homes and social relationships of a simulated county, by year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from areaeffect.simulate.effects import Expected
from areaeffect.simulate.geography import Map
from areaeffect.simulate.levels import Levels, deprivation_drift, follow_course
from areaeffect.simulate.noise import (
    FloatArray,
    IntArray,
    draw_ar1,
    draw_counts,
    draw_moving_field,
)
from areaeffect.simulate.spec import CountySpec

EMPTY_HOMES_COURSE = {2012.0: 0.12, 2016.0: -0.06, 2024.0: 0.16}  # log scale

# By the end of the course, for one standard deviation more of deprivation: points, log, per cent.
ENVIRONMENT_DRIFT, EMPTY_HOMES_DRIFT, SOCIAL_DRIFT = 1.5, -0.12, -1.0

YEARLY_RHO = 0.7
SHARED_BY_NEIGHBOURS = 0.4  # of the variance of a year's shock
SHOCK_LENGTH_KM = 3.0
ENVIRONMENT_SHOCK_SD, EMPTY_HOMES_SHOCK_SD, SOCIAL_SHOCK_SD = 2.0, 0.12, 1.5
ENVIRONMENT_COMMON_SD, EMPTY_HOMES_COMMON_SD, SOCIAL_COMMON_SD = 0.8, 0.03, 0.6

ENVIRONMENT_ERROR_SD = 3.0  # points: a yearly inspection of a few streets
EMPTY_HOMES_OVERDISPERSION = 0.04
RESPONDENTS = (70, 131)  # people asked in an area each year, the second number excluded
AGREEING_RANGE = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class YearlyIndicators:
    """Values as published, (n_areas, n_years) by outcome, and what was expected of them."""

    values: Mapping[str, IntArray | FloatArray]
    expected: Mapping[str, Expected]


def draw_yearly_indicators(
    rng: np.random.Generator,
    spec: CountySpec,
    years: tuple[str, ...],
    places: pd.DataFrame,
    county_map: Map,
    levels: Levels,
    effects: Mapping[str, FloatArray],
) -> YearlyIndicators:
    """Draw environment score, long-term empty homes and social relationships by area and year.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    spec : CountySpec
        Its knobs.
    years : 'YYYY'
    places, county_map, levels : the areas, where they are and how they differ
    effects : Mapping of outcome to (n_areas, n_years)
        Log rate ratios for empty homes, points for the other two.

    Returns
    -------
    YearlyIndicators
        Score (0 to 100), count of dwellings and per cent of those asked.
    """
    shock_rng, measure_rng = rng.spawn(2)
    shape = (len(places), len(years))
    times = np.array([int(year) + 0.5 for year in years])
    drift = deprivation_drift(places, times, spec.deprivation_trend)
    common = draw_ar1(shock_rng, (3, len(years)), YEARLY_RHO)
    shocks = [_draw_shocks(shock_rng, county_map, shape) for _ in range(3)]

    environment = (
        levels.environment[:, None]
        + ENVIRONMENT_COMMON_SD * common[0]
        + ENVIRONMENT_DRIFT * drift
        + ENVIRONMENT_SHOCK_SD * shocks[0]
    )
    log_rate = (
        levels.empty_homes[:, None]
        + follow_course(times, EMPTY_HOMES_COURSE)
        + EMPTY_HOMES_COMMON_SD * common[1]
        + EMPTY_HOMES_DRIFT * drift
        + EMPTY_HOMES_SHOCK_SD * shocks[1]
    )
    empty = places["dwellings"].to_numpy(dtype=np.float64)[:, None] * np.exp(log_rate)
    social = (
        levels.social[:, None]
        + SOCIAL_COMMON_SD * common[2]
        + SOCIAL_DRIFT * drift
        + SOCIAL_SHOCK_SD * shocks[2]
    )
    expected = {
        "environment_score": Expected(environment + effects["environment_score"], environment),
        "empty_homes": Expected(empty * np.exp(effects["empty_homes"]), empty),
        "social_relationships": Expected(social + effects["social_relationships"], social),
    }
    return YearlyIndicators(_measure(measure_rng, expected), expected)


def _draw_shocks(rng: np.random.Generator, county_map: Map, shape: tuple[int, int]) -> FloatArray:
    """Draw shocks of unit variance that neighbours partly share; shape (n_areas, n_years)."""
    spatial = draw_moving_field(rng, county_map.xy_km, SHOCK_LENGTH_KM, shape[1], YEARLY_RHO)
    own = draw_ar1(rng, shape, YEARLY_RHO)
    mixed = np.sqrt(SHARED_BY_NEIGHBOURS) * spatial + np.sqrt(1 - SHARED_BY_NEIGHBOURS) * own
    return np.asarray(mixed, dtype=np.float64)


def _measure(
    rng: np.random.Generator, expected: Mapping[str, Expected]
) -> dict[str, IntArray | FloatArray]:
    """Publish what was expected, with the error of an inspection, a count and a survey."""
    score = expected["environment_score"].with_effect
    (empty,) = draw_counts(rng, (expected["empty_homes"].with_effect,), EMPTY_HOMES_OVERDISPERSION)
    agreeing = np.clip(expected["social_relationships"].with_effect / 100, *AGREEING_RANGE)
    asked = rng.integers(*RESPONDENTS, size=agreeing.shape)
    return {
        "environment_score": np.clip(rng.normal(score, ENVIRONMENT_ERROR_SD), 0, 100).round(1),
        "empty_homes": empty,
        "social_relationships": (100 * rng.binomial(asked, agreeing) / asked).round(1),
    }
