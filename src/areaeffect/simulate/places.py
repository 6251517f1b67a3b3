"""Who lives in the areas of a simulated county and what the areas are called."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import gamma

from areaeffect.simulate.geography import Map
from areaeffect.simulate.noise import BoolArray, FloatArray, IntArray, draw_field, standardise

TOWN_NAMES = (
    "Harrowby",
    "Thornsea",
    "Kelderby",
    "Marsholme",
    "Ellenthorpe",
    "Oxcliffe",
    "Brackenford",
    "Withernholm",
    "Skelbeck",
    "Aldermere",
    "Stonegarth",
    "Pennerwick",
    "Cawthwaite",
    "Saltholme End",
    "Wendlestow",
    "Fenwater",
)
DISTRICTS = ("Harrow Vale", "Kelder and Marsh", "Upper Wolds", "Saltings")
DISTRICT_SHARES = (0.36, 0.27, 0.22, 0.15)
SHARE_WEIGHTS = (1, 1, 1, 6)  # the last one is the force with the gap: its size matters most
FORCES = ("Harrow Vale Police", "Kelder and Wolds Police", "Saltings Constabulary")
FORCE_OF_DISTRICT = (0, 1, 1, 2)
RURAL = " Rural"
AREAS_PER_GROUP = 5  # an MSOA holds four to six LSOAs, which share its number: 'Harrowby 003B'

# English Indices of Deprivation 2010, LSOA score: mean 21.7, standard deviation 15.6, long tail
DEPRIVATION_SHAPE, DEPRIVATION_SCALE, DEPRIVATION_MAX = 1.95, 11.2, 80.0


def describe_places(rng: np.random.Generator, county_map: Map) -> pd.DataFrame:
    """Name the areas and say who lives there, one row an area in the map's order.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    county_map : Map
        The map.

    Returns
    -------
    DataFrame
        area_name, district, police_force, population (mid-2011), dwellings, deprivation (score,
        2011), share_renting (per cent, 2011), coreness (1 in the middle of a
        town, 0 in the country) and in_town.
    """
    n = len(county_map.polygons)
    district = assign_districts(county_map)
    coreness = _coreness(county_map)
    deprivation = draw_deprivation(rng, county_map, coreness)
    population = np.clip(np.round(1530 * np.exp(rng.normal(0, 0.17, n))), 1000, 3000).astype(
        np.int64
    )
    # smaller households in town cores
    household = np.clip(2.38 - 0.25 * coreness + rng.normal(0, 0.16, n), 1.6, 3.2)
    renting = (
        -1.0 + 0.75 * standardise(np.log(deprivation + 5)) + 0.5 * coreness + rng.normal(0, 0.4, n)
    )
    return pd.DataFrame(
        {
            "area_name": name_areas(county_map),
            "district": np.array(DISTRICTS)[district],
            "police_force": np.array(FORCES)[np.array(FORCE_OF_DISTRICT)[district]],
            "population": population,
            "dwellings": np.round(population / household).astype(np.int64),
            "deprivation": deprivation.round(2),
            "share_renting": (100 / (1 + np.exp(-renting))).round(1),
            "coreness": coreness,
            "in_town": county_map.in_town,
        }
    )


def _coreness(county_map: Map) -> FloatArray:
    """Nearness to the middle of the area's own town; 0 in the country."""
    towns = county_map.towns
    offset = county_map.xy_km - towns.centre[county_map.town]
    distance = np.hypot(offset[:, 0], offset[:, 1]) / towns.radius[county_map.town]
    return np.asarray(
        np.where(county_map.in_town, np.exp(-2.5 * distance**2), 0.0), dtype=np.float64
    )


def draw_deprivation(rng: np.random.Generator, county_map: Map, coreness: FloatArray) -> FloatArray:
    """Draw a deprivation score, 0 to 80, alike among neighbours, high in town cores; (n_areas,)."""
    xy = county_map.xy_km
    town_effect = 0.35 * rng.standard_normal(len(county_map.towns.radius))
    latent = (
        0.55 * draw_field(rng, xy, 7.0)
        + 0.75 * draw_field(rng, xy, 1.3)
        + 0.35 * rng.standard_normal(len(xy))
        + np.where(county_map.in_town, 0.5 + 1.0 * coreness + town_effect[county_map.town], 0.0)
    )
    rank = (np.argsort(np.argsort(latent)) + 0.5) / len(xy)
    ceiling = gamma.cdf(DEPRIVATION_MAX, DEPRIVATION_SHAPE, scale=DEPRIVATION_SCALE)
    return np.asarray(
        gamma.ppf(rank * ceiling, DEPRIVATION_SHAPE, scale=DEPRIVATION_SCALE), dtype=np.float64
    )


def assign_districts(county_map: Map) -> IntArray:
    """Divide the county into four connected districts of whole towns, near DISTRICT_SHARES.

    Towns are taken in their order around the middle of the county; of all ways to cut that ring in
    four, the one nearest to the shares is used whose districts hang together.

    Returns
    -------
    ndarray of shape (n_areas,), int
        Index into DISTRICTS.
    """
    n_towns = len(county_map.towns.radius)
    centre = county_map.towns.centre
    around = np.argsort(np.arctan2(centre[:, 1], centre[:, 0]))
    size = np.bincount(county_map.town, minlength=n_towns)[around] / len(county_map.town)
    cuts = np.array(list(combinations(range(n_towns - 1), len(DISTRICTS) - 1)))
    ways: list[tuple[float, int, int]] = []
    for turn in range(n_towns):
        running = np.cumsum(np.roll(size, -turn))
        share = np.diff(running[cuts], axis=1, prepend=0.0, append=1.0)
        miss = ((share - DISTRICT_SHARES) ** 2 * SHARE_WEIGHTS).sum(axis=1)
        ways += [(float(m), turn, k) for k, m in enumerate(miss)]

    meets = np.zeros((n_towns, n_towns), dtype=np.bool_)
    meets[county_map.town[county_map.pairs[:, 0]], county_map.town[county_map.pairs[:, 1]]] = True
    district = np.zeros(n_towns, dtype=np.int64)
    for _, turn, k in sorted(ways):
        district[np.roll(around, -turn)] = np.searchsorted(cuts[k], np.arange(n_towns))
        if all(_hang_together(meets, district == d) for d in range(len(DISTRICTS))):
            break
    return _join_strays(district[county_map.town], county_map.pairs)


def _hang_together(meets: BoolArray, member: BoolArray) -> bool:
    """Whether towns that meet connect all members."""
    return bool(connected_components(coo_array(meets[np.ix_(member, member)]))[0] == 1)


def _join_strays(district: IntArray, pairs: IntArray) -> IntArray:
    """Give pieces cut off from the main part of their district to the district around them."""
    district = district.copy()
    inside = pairs[district[pairs[:, 0]] == district[pairs[:, 1]]]
    n = len(district)
    _, part = connected_components(
        coo_array((np.ones(len(inside)), (inside[:, 0], inside[:, 1])), shape=(n, n))
    )
    size = np.bincount(part)
    for stray in np.argsort(-size, kind="stable"):
        member = part == stray
        own = district[member][0]
        if size[stray] == size[part[district == own]].max():
            continue
        around = pairs[member[pairs[:, 0]] & ~member[pairs[:, 1]], 1]
        district[member] = Counter(district[around].tolist()).most_common(1)[0][0]
    return district


def name_areas(county_map: Map) -> list[str]:
    """Name areas after town, a number about five neighbours share, and letter: 'Harrowby 003B'."""
    names = np.empty(len(county_map.town), dtype=object)
    for k in range(len(county_map.towns.radius)):
        for rural in (False, True):
            members = np.flatnonzero((county_map.town == k) & (county_map.in_town != rural))
            stem = f"{TOWN_NAMES[k]}{RURAL}" if rural else TOWN_NAMES[k]
            n_groups = max(1, round(len(members) / AREAS_PER_GROUP))
            for number, group in enumerate(
                _split_evenly(members, county_map.xy_km, n_groups), start=1
            ):
                ordered = group[np.argsort(-county_map.xy_km[group, 1])]
                names[ordered] = [f"{stem} {number:03d}{chr(65 + i)}" for i in range(len(ordered))]
    return [str(name) for name in names]


def town_of(area_name: str) -> str:
    """Town an area's name begins with: 'Harrowby' for 'Harrowby 003B' and 'Harrowby Rural 001A'."""
    return area_name.rsplit(" ", 1)[0].removesuffix(RURAL)


def _split_evenly(members: IntArray, xy_km: FloatArray, n_groups: int) -> list[IntArray]:
    """Split areas into compact groups of even size by halving along the longer side."""
    if n_groups == 1:
        return [members]
    spread = np.ptp(xy_km[members], axis=0)
    along = xy_km[members, 0] if spread[0] > spread[1] else -xy_km[members, 1]
    ordered = members[np.argsort(along)]
    first = n_groups // 2
    cut = round(len(members) * first / n_groups)
    return _split_evenly(ordered[:cut], xy_km, first) + _split_evenly(
        ordered[cut:], xy_km, n_groups - first
    )
