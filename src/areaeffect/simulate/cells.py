"""Small areas as polygons that share their borders exactly.

Areas are Voronoi cells around points. Every border between two cells is bent once, by the same
points for both, inside the two triangles it spans with the cells' own points: so borders never
cross, and neighbours share every vertex, also after rounding. The bending follows Patel (2010),
Polygonal map generation, 'noisy edges'.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from scipy.spatial import Voronoi

from areaeffect.simulate.noise import FloatArray, IntArray

PolygonArray = npt.NDArray[np.object_]

CENTRE_LON_LAT = (2.1, 54.55)  # the North Sea: nobody mistakes it for a real place
METRIC_CRS = "EPSG:32631"
DECIMALS = 5  # of a degree: about a metre
BEND_FROM_KM = (0.12, 0.5, 1.6)
SHORTEST_BORDER_KM = 0.005  # a corner is no border


def _diagram(points: FloatArray, radius: float) -> Voronoi:
    """Voronoi diagram; a ring of points far out at sea bounds every area's cell."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = 4 * radius * np.column_stack([np.cos(angle), np.sin(angle)])
    return Voronoi(np.concatenate([points, ring]))


def straight_cells(points: FloatArray, radius: float) -> PolygonArray:
    """Voronoi cells with straight borders; shape (n_areas,)."""
    diagram = _diagram(points, radius)
    regions = [diagram.regions[diagram.point_region[i]] for i in range(len(points))]
    return np.array([shapely.Polygon(diagram.vertices[region]) for region in regions], dtype=object)


def find_centroids(polygons: PolygonArray) -> FloatArray:
    """Centroids; shape (n_areas, 2)."""
    return np.asarray(shapely.get_coordinates(shapely.centroid(polygons)), dtype=np.float64)


def bend_cells(rng: np.random.Generator, points: FloatArray, radius: float) -> PolygonArray:
    """Voronoi cells whose borders are bent, once for both sides; shape (n_areas,)."""
    diagram = _diagram(points, radius)
    ridges = np.array([ridge if -1 not in ridge else (0, 0) for ridge in diagram.ridge_vertices])
    start, end = diagram.vertices[ridges[:, 0]], diagram.vertices[ridges[:, 1]]
    bent = bend_edges(rng, start, end, diagram.points[diagram.ridge_points[:, 0]])
    length = np.hypot(*(end - start).T)
    # a short border gets fewer bends: 0, 1, 3 or 7
    stride = np.array([8, 4, 2, 1])[np.searchsorted(BEND_FROM_KM, length)]

    cells: list[list[shapely.LineString]] = [[] for _ in range(len(points))]
    for k, owners in enumerate(diagram.ridge_points):
        line = shapely.LineString(bent[k, :: stride[k]])
        for owner in owners[owners < len(points)]:
            cells[owner].append(line)
    merged = [shapely.line_merge(shapely.MultiLineString(lines)) for lines in cells]
    return np.array([shapely.Polygon(line.coords) for line in merged], dtype=object)


def bend_edges(
    rng: np.random.Generator, start: FloatArray, end: FloatArray, point: FloatArray
) -> FloatArray:
    """Bend straight edges at seven places, by at most a third of the room there is.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    start, end : (n_edges, 2)
        Ends of each edge.
    point : (n_edges, 2)
        The point of one of the two cells. The other is its mirror image, so the room is the same
        on both sides.

    Returns
    -------
    ndarray of shape (n_edges, 9, 2)
        Nine points an edge, ends included.
    """
    along = end - start
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
    unit = along / length[:, None]
    normal = np.column_stack([-unit[:, 1], unit[:, 0]])
    apex = ((point - start) * unit).sum(axis=1)
    height = np.abs(((point - start) * normal).sum(axis=1))
    t = np.linspace(0, 1, 9)
    # slopes of the triangle's sides; a side that leans outwards leaves all the room
    with np.errstate(divide="ignore"):
        rise = np.where(apex > 0, height / np.maximum(apex, 1e-9), np.inf)
        fall = np.where(apex < length, height / np.maximum(length - apex, 1e-9), np.inf)
    with np.errstate(invalid="ignore"):
        room = np.fmin(rise[:, None] * t, fall[:, None] * (1 - t)) * length[:, None]
    room = np.where((t > 0) & (t < 1), np.minimum(room, 0.35 * length[:, None]), 0.0)
    # midpoint displacement: halves follow the bend of the whole, with less of their own
    middle = rng.uniform(-1, 1, len(start))
    quarters = rng.uniform(-0.6, 0.6, (len(start), 2)) + 0.5 * middle[:, None]
    eighths = rng.uniform(-0.4, 0.4, (len(start), 4)) + 0.5 * quarters[:, [0, 0, 1, 1]]
    shift = np.zeros((len(start), 9))
    shift[:, 4], shift[:, [2, 6]], shift[:, [1, 3, 5, 7]] = middle, quarters, eighths
    straight = start[:, None] + t[:, None] * along[:, None]
    straight[:, -1] = end
    bent = straight + (shift * room / 3)[..., None] * normal[:, None]
    return np.asarray(bent, dtype=np.float64)


def clip_cells(cells: PolygonArray, outline: shapely.Polygon) -> PolygonArray:
    """Clip cells to the outline; pieces the coast cuts off join the neighbour they touch most."""
    clipped = shapely.intersection(cells, outline)
    parts, owner = shapely.get_parts(clipped, return_index=True)
    size = shapely.area(parts)
    largest = np.zeros(len(parts), dtype=bool)
    order = np.lexsort((-size, owner))
    largest[order[np.unique(owner[order], return_index=True)[1]]] = True
    kept = parts[largest]
    for piece in parts[~largest & (size > 0)]:
        shared = shapely.length(shapely.intersection(kept, piece))
        taker = int(shared.argmax())
        kept[taker] = shapely.union(kept[taker], piece)
    return np.asarray(kept, dtype=object)


def find_neighbours(cells: PolygonArray) -> IntArray:
    """Pairs of areas with a common border, both directions, sorted; shape (n_pairs, 2)."""
    left, right = shapely.STRtree(cells).query(cells, predicate="intersects")
    left, right = left[left < right], right[left < right]
    border = shapely.length(shapely.intersection(cells[left], cells[right]))
    touching = border > SHORTEST_BORDER_KM
    pairs = np.column_stack([left[touching], right[touching]])
    both = np.concatenate([pairs, pairs[:, ::-1]])
    return np.asarray(both[np.lexsort((both[:, 1], both[:, 0]))], dtype=np.int64)


def to_longitude_latitude(cells: PolygonArray) -> PolygonArray:
    """Move polygons (km) to their place on Earth and round them; shared vertices stay shared."""
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", METRIC_CRS, always_xy=True)
    to_degrees = pyproj.Transformer.from_crs(METRIC_CRS, "EPSG:4326", always_xy=True)
    origin = np.array(to_metres.transform(*CENTRE_LON_LAT))

    def place(xy: FloatArray) -> FloatArray:
        # a shared vertex may differ in its last bit between two cells: rounding makes it one again
        metres = np.round(origin + 1000 * xy, 4)
        return np.round(np.column_stack(to_degrees.transform(metres[:, 0], metres[:, 1])), DECIMALS)

    placed = shapely.remove_repeated_points(shapely.transform(cells, place))
    return np.array([shapely.geometry.polygon.orient(polygon) for polygon in placed], dtype=object)


def is_coverage(polygons: PolygonArray) -> bool:
    """Whether valid polygons fill one outline without a gap or an overlap."""
    if not shapely.is_valid(polygons).all():
        return False
    whole = shapely.union_all(polygons)
    one_outline = shapely.get_type_id(whole) == shapely.GeometryType.POLYGON and not whole.interiors
    return bool(one_outline and np.isclose(whole.area, shapely.area(polygons).sum(), rtol=1e-9))
