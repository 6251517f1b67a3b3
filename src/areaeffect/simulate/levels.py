"""How the areas of a simulated county differ for good, and how they change over time together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from areaeffect.simulate.geography import Map
from areaeffect.simulate.noise import FloatArray, draw_field, standardise

# police.uk 2012 to 2023: about nine crimes and four of anti-social behaviour an LSOA and month
MEAN_CRIME, MEAN_ANTISOCIAL = 10.0, 4.0
DAMAGE_SHARE = 0.125  # of crime
EMPTY_HOMES_RATE = 0.0175  # of dwellings, long-term empty
MEAN_ENVIRONMENT, MEAN_SOCIAL = 50.0, 60.0  # points; per cent
AREAS_PER_CENTRE = 50  # one area in fifty is a town centre, where crime comes from elsewhere
CENTRE_EXCESS = (0.9, 1.7)  # log

# How far places one standard deviation of deprivation apart have drifted from each other.
DEPRIVATION_COURSE = {2012.0: 0.0, 2015.0: 0.15, 2020.0: 0.8, 2024.0: 1.0}


@dataclass(frozen=True, slots=True)
class Levels:
    """Lasting differences between areas, each (n_areas,).

    Parameters
    ----------
    crime, antisocial : log incidents a month
        Recorded crime and anti-social behaviour.
    damage_share : log share
        Criminal damage among crime.
    empty_homes : log rate
        Long-term empty among dwellings.
    environment : points
        Environment score.
    social : per cent
        People who say that neighbours pull together.
    """

    crime: FloatArray
    antisocial: FloatArray
    damage_share: FloatArray
    empty_homes: FloatArray
    environment: FloatArray
    social: FloatArray


def draw_levels(rng: np.random.Generator, places: pd.DataFrame, county_map: Map) -> Levels:
    """Draw how areas differ: by deprivation, with their neighbours, on their own, in town centres.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    places : DataFrame
        The areas, as `describe_places` returns them.
    county_map : Map
        Where they are.

    Returns
    -------
    Levels
    """
    deprived = standardise(places["deprivation"].to_numpy(dtype=np.float64))
    core = places["coreness"].to_numpy(dtype=np.float64)
    size = np.log(places["population"].to_numpy(dtype=np.float64))
    centre = _draw_town_centres(rng, county_map)

    def differ(length_km: float, shared_sd: float, own_sd: float) -> FloatArray:
        shared = shared_sd * draw_field(rng, county_map.xy_km, length_km)
        own = own_sd * rng.standard_normal(len(places))
        return np.asarray(shared + own, dtype=np.float64)

    residual = differ(2.5, 0.30, 0.26)
    crime = size + 0.42 * deprived + 0.35 * core + residual + centre
    antisocial = size + 0.45 * deprived + 0.30 * core + 0.7 * residual + 0.85 * centre
    antisocial = antisocial + differ(2.5, 0.22, 0.22)
    share = 0.10 * deprived - 0.45 * centre + differ(3.0, 0.10, 0.14)
    empty_homes = 0.32 * deprived + differ(3.0, 0.30, 0.25)
    environment = -5.5 * deprived - 2.5 * (core - core.mean()) + differ(2.0, 5.0, 4.5)
    social = -4.0 * deprived + differ(5.0, 3.0, 2.5)
    return Levels(
        crime=crime + np.log(MEAN_CRIME / np.exp(crime).mean()),
        antisocial=antisocial + np.log(MEAN_ANTISOCIAL / np.exp(antisocial).mean()),
        damage_share=np.log(DAMAGE_SHARE) + share - share.mean(),
        empty_homes=np.log(EMPTY_HOMES_RATE) + empty_homes,
        environment=MEAN_ENVIRONMENT + environment,
        social=MEAN_SOCIAL + social,
    )


def _draw_town_centres(rng: np.random.Generator, county_map: Map) -> FloatArray:
    """Extra log crime of town centres, 0 elsewhere; shape (n_areas,)."""
    extra = np.zeros(len(county_map.town))
    towns = county_map.towns
    for k, size in enumerate(towns.n_areas):
        offset = county_map.xy_km - towns.centre[k]
        inside = (county_map.town == k) & county_map.in_town
        distance = np.where(inside, np.hypot(offset[:, 0], offset[:, 1]), np.inf)
        nearest = np.argsort(distance, kind="stable")[: max(1, int(size) // AREAS_PER_CENTRE)]
        extra[nearest] = rng.uniform(*CENTRE_EXCESS, len(nearest))
    return extra


def deprivation_drift(places: pd.DataFrame, times: FloatArray, strength: float) -> FloatArray:
    """How far places have drifted apart by deprivation; shape (n_areas, n_periods).

    Parameters
    ----------
    places : DataFrame
        The areas.
    times : (n_periods,), years
        When.
    strength : float
        Multiplies the drift; 0 removes it.
    """
    deprived = standardise(places["deprivation"].to_numpy(dtype=np.float64))
    return strength * deprived[:, None] * follow_course(times, DEPRIVATION_COURSE)


def follow_course(times: FloatArray, course: Mapping[float, float]) -> FloatArray:
    """Value at each time: straight between the years given, level beyond; shape (n_times,)."""
    return np.asarray(np.interp(times, list(course), list(course.values())), dtype=np.float64)
