"""The map of a simulated county, square areas on a grid, and the random fields on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

SIDE_KM = 0.65  # of an area: 1,500 residents at about 3,600 to the km²
MIDDLE = (2.1, 54.55)  # longitude and latitude: in the North Sea
KM_PER_DEGREE = 111.32
DECIMALS = 5

DISTRICTS = ("Harrow Vale", "Kelder and Marsh", "Upper Wolds", "Saltings")
DISTRICT_SHARES = (0.36, 0.27, 0.22, 0.15)
FORCES = ("Harrow Vale Police", "Kelder and Wolds Police", "Saltings Constabulary")
FORCE_OF_DISTRICT = (0, 1, 1, 2)
TOWNS = (
    ("Harrowby", "Oxcliffe", "Brackenford", "Withernholm"),
    ("Kelderby", "Marsholme", "Skelbeck", "Aldermere"),
    ("Stonegarth", "Pennerwick", "Cawthwaite", "Wendlestow"),
    ("Thornsea", "Saltholme", "Ellenthorpe", "Fenwater"),
)
AREAS_PER_NUMBER = 5  # about five neighbours share a number: 'Harrowby 003B'

# English Indices of Deprivation 2010, LSOA score: mean 21.7, standard deviation 15.6, long tail
DEPRIVATION_SHAPE, DEPRIVATION_SCALE, DEPRIVATION_MAX = 1.95, 11.2, 80.0


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Square areas and who has a side in common with whom."""

    polygons: FloatArray  # (n_areas,) shapely polygons, longitude and latitude (EPSG:4326)
    xy_km: FloatArray  # (n_areas, 2), middles
    town: IntArray  # (n_areas,), number of the area's town
    coreness: FloatArray  # (n_areas,), 1 in the middle of its town, towards 0 at its edge
    pairs: IntArray  # (n_pairs, 2), areas with a side in common, both directions


def draw_map(n_areas: int) -> Map:
    """Lay out the areas column by column, each district a run of columns cut into four towns."""
    height = round(np.sqrt(n_areas))
    column, row = np.divmod(np.arange(n_areas), height)
    district = district_of(n_areas)
    band = row * len(TOWNS[0]) // height
    town = district * len(TOWNS[0]) + band
    order = np.lexsort((column, -row, town))  # as one reads a map, town by town
    column, row, town = column[order], row[order], town[order]
    xy = SIDE_KM * np.column_stack([column, row]).astype(float)
    core = np.empty(n_areas)
    for k in np.unique(town):
        own = town == k
        offset = ((xy[own] - xy[own].mean(axis=0)) ** 2).sum(axis=1)
        core[own] = np.exp(-2.5 * np.pi * offset / (own.sum() * SIDE_KM**2))
    return Map(_squares(column, row), xy, town, core, _neighbours(column, row))


def district_of(n_areas: int) -> IntArray:
    """District of each place in a county laid out column by column; (n_areas,)."""
    rank = (np.arange(n_areas) + 0.5) / n_areas
    return np.searchsorted(np.cumsum(DISTRICT_SHARES)[:-1], rank)


def _squares(column: IntArray, row: IntArray) -> FloatArray:
    """Squares that share their corners to the last digit; counter-clockwise."""
    import shapely

    lon = MIDDLE[0] + SIDE_KM / (KM_PER_DEGREE * np.cos(np.radians(MIDDLE[1]))) * (
        np.arange(column.max() + 2) - column.max() / 2
    )
    lat = MIDDLE[1] + SIDE_KM / KM_PER_DEGREE * (np.arange(row.max() + 2) - row.max() / 2)
    lon, lat = lon.round(DECIMALS), lat.round(DECIMALS)
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    rings = np.array([np.column_stack([lon[column + c], lat[row + r]]) for c, r in corners])
    return np.asarray(shapely.polygons(rings.transpose(1, 0, 2)))


def _neighbours(column: IntArray, row: IntArray) -> IntArray:
    at = {place: i for i, place in enumerate(zip(column.tolist(), row.tolist(), strict=True))}
    steps = ((-1, 0), (0, -1), (0, 1), (1, 0))
    pairs = [
        (i, at[c + dc, r + dr]) for (c, r), i in at.items() for dc, dr in steps if (c + dc, r + dr) in at
    ]
    return np.array(pairs, dtype=np.int64)


def describe_places(rng: np.random.Generator, county_map: Map) -> pd.DataFrame:
    """Name the areas and say who lives there, one row an area.

    Returns
    -------
    DataFrame
        area_code, area_name, district, police_force, population (mid-2011), dwellings,
        deprivation (score, 2011) and share_renting (per cent, 2011).
    """
    n = len(county_map.town)
    core = county_map.coreness
    district = county_map.town // len(TOWNS[0])
    deprivation = _draw_deprivation(rng, county_map)
    population = np.clip(np.round(1530 * np.exp(rng.normal(0, 0.17, n))), 1000, 3000)
    # smaller households in the middle of towns
    household = np.clip(2.38 - 0.25 * core + rng.normal(0, 0.16, n), 1.6, 3.2)
    renting = 0.75 * standardise(np.log(deprivation + 5)) + 0.5 * core + rng.normal(0, 0.4, n) - 1
    return pd.DataFrame(
        {
            # no real area: England's small areas begin with E01, Wales's with W01
            "area_code": [f"S01{i:06d}" for i in range(1, n + 1)],
            "area_name": _names(county_map.town),
            "district": np.array(DISTRICTS)[district],
            "police_force": np.array(FORCES)[np.array(FORCE_OF_DISTRICT)[district]],
            "population": population.astype(np.int64),
            "dwellings": np.round(population / household).astype(np.int64),
            "deprivation": deprivation.round(2),
            "share_renting": (100 / (1 + np.exp(-renting))).round(1),
        }
    )


def _draw_deprivation(rng: np.random.Generator, county_map: Map) -> FloatArray:
    """Draw a score, 0 to 80, alike among neighbours and high in the middle of towns; (n_areas,)."""
    from scipy.stats import gamma

    xy = county_map.xy_km
    of_town = 0.35 * rng.standard_normal(county_map.town.max() + 1)
    latent = (
        0.55 * draw_field(rng, xy, 7.0)
        + 0.75 * draw_field(rng, xy, 1.3)
        + 0.35 * rng.standard_normal(len(xy))
        + county_map.coreness
        + of_town[county_map.town]
    )
    rank = (np.argsort(np.argsort(latent)) + 0.5) / len(xy)
    ceiling = gamma.cdf(DEPRIVATION_MAX, DEPRIVATION_SHAPE, scale=DEPRIVATION_SCALE)
    return np.asarray(gamma.ppf(rank * ceiling, DEPRIVATION_SHAPE, scale=DEPRIVATION_SCALE))


def _names(town: IntArray) -> list[str]:
    """Town, a number that five neighbours share, and a letter: 'Harrowby 003B'."""
    first = np.searchsorted(town, town)  # areas are in the order of their towns
    number, letter = np.divmod(np.arange(len(town)) - first, AREAS_PER_NUMBER)
    names = [name for towns in TOWNS for name in towns]
    return [
        f"{names[k]} {i + 1:03d}{chr(ord('A') + j)}" for k, i, j in zip(town, number, letter, strict=True)
    ]


FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FEATURES = 64


def draw_ar1(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> FloatArray:
    """Draw stationary first-order autoregressions of unit variance; (n_series, n_periods)."""
    series = rng.standard_normal(shape)
    innovation = np.sqrt(1 - rho**2)
    for t in range(1, shape[1]):
        series[:, t] = rho * series[:, t - 1] + innovation * series[:, t]
    return series


def draw_field(rng: np.random.Generator, xy_km: FloatArray, length_km: float) -> FloatArray:
    """Draw one smooth field over space, standardised; (n_areas,)."""
    return standardise(draw_moving_field(rng, xy_km, length_km, 1, 0.0)[:, 0])


def draw_moving_field(
    rng: np.random.Generator, xy_km: FloatArray, length_km: float, n_periods: int, rho: float
) -> FloatArray:
    """Draw a smooth field of unit variance that drifts over time.

    Parameters
    ----------
    rng : the generator.
    xy_km : (n_areas, 2), where the areas are.
    length_km : distance over which places stay alike.
    n_periods, rho : periods, and the correlation of one with the next.

    Returns
    -------
    (n_areas, n_periods).

    References
    ----------
    Rahimi and Recht (2007), Random features for large-scale kernel machines, algorithm 1.
    """
    frequency = rng.standard_normal((2, FEATURES)) / length_km
    phase = rng.uniform(0, 2 * np.pi, FEATURES)
    angle = xy_km[:, :1] * frequency[0] + xy_km[:, 1:] * frequency[1] + phase
    waves = np.cos(angle) * np.sqrt(2 / FEATURES)
    weights = draw_ar1(rng, (FEATURES, n_periods), rho)
    return np.asarray(np.einsum("af,ft->at", waves, weights, optimize=False), dtype=np.float64)


def draw_counts(
    rng: np.random.Generator, expected: tuple[FloatArray, ...], overdispersion: float
) -> list[IntArray]:
    """Draw negative binomial counts that share their gamma noise, so that their sum is one too.

    A count has variance mean + overdispersion × mean²; `expected` are arrays of one shape.
    """
    noise = rng.gamma(1 / overdispersion, overdispersion, expected[0].shape)
    return [rng.poisson(noise * mean) for mean in expected]


def standardise(values: FloatArray) -> FloatArray:
    """Scale to mean 0 and standard deviation 1."""
    return np.asarray((values - values.mean()) / values.std(), dtype=np.float64)
