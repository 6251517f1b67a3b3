"""The map of a simulated county: a coastline, towns and country, and its small areas."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from areaeffect.errors import Problem, StudyError
from areaeffect.simulate.cells import (
    PolygonArray,
    bend_cells,
    clip_cells,
    find_centroids,
    find_neighbours,
    is_coverage,
    straight_cells,
    to_longitude_latitude,
)
from areaeffect.simulate.noise import BoolArray, FloatArray, IntArray

COUNTY_RADIUS_KM = (
    31.0  # of 1,200 areas; together with the towns it gives rural areas of about 14 km²
)
MAX_RADIUS_KM = 33.0
URBAN_SHARE = 0.82  # England, Census 2011: 82% of residents live in urban areas
KM2_PER_TOWN_AREA = 0.42  # 1,500 residents at about 3,600 to the km²
TOWN_SIZE_EXPONENT = 0.9  # Zipf's law is 1
TOWN_EDGE = 1.15  # in radii: the country begins here
SHAPE_ORDERS = 5  # waves around the outline that give it its shape
MAX_ATTEMPTS = 20
LLOYD_STEPS = 2  # enough to remove slivers, too few to turn the map into a honeycomb


@dataclass(frozen=True, slots=True)
class Towns:
    """Centres (n_towns, 2) and radii (n_towns,) in km, and number of areas; largest first."""

    centre: FloatArray
    radius: FloatArray
    n_areas: IntArray


@dataclass(frozen=True, slots=True)
class Map:
    """Small areas and who touches whom.

    Parameters
    ----------
    polygons : (n_areas,) array of shapely.Polygon
        Longitude and latitude (EPSG:4326), rounded to 5 decimals.
    xy_km : (n_areas, 2), kilometres
        Centroids, from the middle of the county.
    area_km2 : (n_areas,), square kilometres
        Size.
    town : (n_areas,) int
        Town the area belongs to, or, in the country, the nearest.
    in_town : (n_areas,) bool
        False in the country.
    towns : Towns
        The towns.
    pairs : (n_pairs, 2) int
        Areas with a common border, both directions, sorted.
    """

    polygons: PolygonArray
    xy_km: FloatArray
    area_km2: FloatArray
    town: IntArray
    in_town: BoolArray
    towns: Towns
    pairs: IntArray


def draw_map(rng: np.random.Generator, n_areas: int, n_towns: int) -> Map:
    """Draw the county's map.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    n_areas, n_towns : int
        How many small areas and towns.

    Returns
    -------
    Map
    """
    for _ in range(MAX_ATTEMPTS):
        drawn = _attempt_map(rng, n_areas, n_towns)
        if drawn is not None:
            return drawn
    problem = Problem(
        what=f"no sound map of {n_areas} areas and {n_towns} towns was found.",
        where="county",
        fix="Take another seed.",
    )
    raise StudyError(problem)


def _attempt_map(rng: np.random.Generator, n_areas: int, n_towns: int) -> Map | None:
    """Draw a map; None where rounding a needle of land broke a polygon (about one map in forty)."""
    radius = min(COUNTY_RADIUS_KM * np.sqrt(n_areas / 1200), MAX_RADIUS_KM)
    outline = draw_outline(rng, radius)
    towns = draw_towns(rng, outline, radius, round(URBAN_SHARE * n_areas), n_towns)
    points, town = draw_points(rng, outline, towns, n_areas)
    for _ in range(LLOYD_STEPS):
        points = find_centroids(shapely.intersection(straight_cells(points, radius), outline))
    cells = clip_cells(bend_cells(rng, points, radius), outline)
    polygons = to_longitude_latitude(cells)
    if len(cells) < n_areas or not is_coverage(polygons):
        return None
    nearest = _relative_distance(points, towns).argmin(axis=1)
    return Map(
        polygons=polygons,
        xy_km=find_centroids(cells),
        area_km2=shapely.area(cells),
        town=np.where(town >= 0, town, nearest),
        in_town=town >= 0,
        towns=towns,
        pairs=find_neighbours(cells),
    )


def reorder_map(county_map: Map, order: IntArray) -> Map:
    """Put the areas of a map in another order; `order` (n_areas,) lists the old positions."""
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    pairs = position[county_map.pairs]
    return Map(
        polygons=county_map.polygons[order],
        xy_km=county_map.xy_km[order],
        area_km2=county_map.area_km2[order],
        town=county_map.town[order],
        in_town=county_map.in_town[order],
        towns=county_map.towns,
        pairs=pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))],
    )


def draw_outline(rng: np.random.Generator, radius: float) -> shapely.Polygon:
    """Draw a county outline (km): winding borders inland, a ragged coast and an estuary east."""
    angle = np.linspace(-np.pi, np.pi, 900, endpoint=False)
    order = np.arange(1, 120)
    # low orders give the county its shape, high ones its bays and headlands
    low = order <= SHAPE_ORDERS
    # the second set of waves pushes sideways, so that headlands lean
    amplitude = rng.normal(0, 1, (2, order.size)) * np.where(
        low, 0.15 / order**0.7, 0.16 / order**1.2
    )
    phase = rng.uniform(0, 2 * np.pi, (2, order.size))
    waves = amplitude[:, None] * np.cos(angle[:, None] * order + phase[:, None])
    coast = 0.5 + 0.5 / (1 + np.exp(-4 * np.cos(angle)))
    shape, ragged = waves[0][:, low].sum(axis=1), waves[0][:, ~low].sum(axis=1)
    sideways = waves[1][:, ~low].sum(axis=1)
    # bounded, because the county must stay inside its patch of sea
    distance = radius * (0.94 + 0.22 * np.tanh(shape / 0.22) + 0.1 * np.tanh(coast * ragged / 0.1))
    aside = radius * coast * sideways
    outline = np.column_stack(
        [
            distance * np.cos(angle) - aside * np.sin(angle),
            distance * np.sin(angle) + aside * np.cos(angle),
        ]
    )
    land = _largest_part(shapely.make_valid(shapely.Polygon(outline)))
    return _largest_part(land.difference(_draw_estuary(rng, radius)))


def _draw_estuary(rng: np.random.Generator, radius: float) -> shapely.Polygon:
    """Draw an estuary in the east: wide at the mouth, winding, narrow at its head inland."""
    towards = rng.uniform(-0.6, 0.6)
    along = np.linspace(1.4, 0.5, 40)
    sway = 0.09 * np.sin(along * rng.uniform(6, 9) + rng.uniform(0, 6)) * (1.6 - along)
    bend = towards + sway + rng.uniform(-0.25, 0.25) * (1 - along)
    course = radius * along[:, None] * np.column_stack([np.cos(bend), np.sin(bend)])
    width = radius * np.interp(along, [0.5, 0.8, 1.1], [0.006, 0.016, 0.06])
    reaches = shapely.buffer(shapely.points(course), width)
    hulls = shapely.convex_hull([shapely.union(here, there) for here, there in pairwise(reaches)])
    return shapely.union_all(hulls)


def _largest_part(shape: shapely.Geometry) -> shapely.Polygon:
    """Keep the mainland: the largest polygon of a shape, without lagoons."""
    parts = shapely.get_parts(shape)
    mainland: shapely.Polygon = parts[shapely.area(parts).argmax()]
    return shapely.Polygon(mainland.exterior)


def draw_towns(
    rng: np.random.Generator, outline: shapely.Polygon, radius: float, n_urban: int, n_towns: int
) -> Towns:
    """Place towns of very different size apart from each other; some end up on the coast."""
    weight = np.arange(1, n_towns + 1) ** -TOWN_SIZE_EXPONENT
    n_areas = np.maximum(np.round(n_urban * weight / weight.sum()).astype(np.int64), 3)
    town_radius = np.sqrt(n_areas * KM2_PER_TOWN_AREA / np.pi)
    centre = np.empty((n_towns, 2))
    for k in range(n_towns):
        centre[k] = _place_town(rng, outline, radius, centre[:k], town_radius[: k + 1])
    return Towns(centre, town_radius, n_areas)


def _place_town(
    rng: np.random.Generator,
    outline: shapely.Polygon,
    radius: float,
    others: FloatArray,
    radii: FloatArray,
) -> FloatArray:
    """Find a place inside the outline, clear of other towns; settle for less room if need be."""
    for room in (1.6, 1.35, 1.15, 1.0, 0.8, 0.5, 0.0):
        candidates = rng.uniform(-1.2 * radius, 1.2 * radius, (400, 2))
        inland = shapely.contains(outline.buffer(-0.75 * radii[-1]), shapely.points(candidates))
        gap = np.hypot(*(candidates[:, None] - others[None]).transpose(2, 0, 1)) - room * (
            radii[:-1] + radii[-1]
        )
        fits = candidates[inland & (gap > 0).all(axis=1)]
        if len(fits):
            return np.asarray(fits[0], dtype=np.float64)
    return np.zeros(2)


def draw_points(
    rng: np.random.Generator, outline: shapely.Polygon, towns: Towns, n_areas: int
) -> tuple[FloatArray, IntArray]:
    """Draw one point an area: crowded in town cores, thinning out, sparse in the country.

    Returns
    -------
    points : (n_areas, 2), kilometres
    town : (n_areas,) int
        Its town, -1 in the country.
    """
    shapely.prepare(outline)
    parts, labels = [], []
    for k, size in enumerate(towns.n_areas):
        wobble = rng.normal(0, 0.14, 4), rng.uniform(0, 2 * np.pi, 4)
        angle = rng.uniform(0, 2 * np.pi, 6 * size)
        lobes = 1 + (wobble[0] * np.cos(angle[:, None] * np.arange(1, 5) + wobble[1])).sum(axis=1)
        # the power above 1/2 crowds the core; the lognormal tail frays the edge
        distance = lobes * rng.random(angle.size) ** 0.64 * np.exp(rng.normal(0, 0.12, angle.size))
        offset = distance[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
        drawn = towns.centre[k] + towns.radius[k] * offset
        parts.append(drawn[shapely.contains_xy(outline, drawn)][:size])
        labels.append(np.full(len(parts[-1]), k))
    n_rural = n_areas - sum(len(part) for part in parts)
    parts.append(_draw_rural_points(rng, outline, towns, n_rural))
    labels.append(np.full(n_rural, -1))
    return np.concatenate(parts), np.concatenate(labels).astype(np.int64)


def _draw_rural_points(
    rng: np.random.Generator, outline: shapely.Polygon, towns: Towns, n_rural: int
) -> FloatArray:
    """Draw points outside the towns, more of them near towns, as villages are."""
    west, south, east, north = outline.bounds
    chosen = np.empty((0, 2))
    while len(chosen) < n_rural:
        drawn = np.column_stack([rng.uniform(west, east, 4000), rng.uniform(south, north, 4000)])
        distance = _relative_distance(drawn, towns).min(axis=1)
        keep = (distance > TOWN_EDGE) & (
            rng.random(4000) < 0.25 + 0.75 * np.exp(-(distance - TOWN_EDGE))
        )
        chosen = np.concatenate([chosen, drawn[keep & shapely.contains_xy(outline, drawn)]])
    return chosen[:n_rural]


def _relative_distance(points: FloatArray, towns: Towns) -> FloatArray:
    """Distance of points to towns in units of the town's radius; shape (n_points, n_towns)."""
    difference = points[:, None] - towns.centre[None]
    return np.asarray(
        np.hypot(difference[..., 0], difference[..., 1]) / towns.radius, dtype=np.float64
    )
