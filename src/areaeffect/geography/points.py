"""Points to areas: which outline a coordinate lies in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.results import Floats, Ints

    Outlines = npt.NDArray[np.object_]

_DEGREES, _NATIONAL_GRID = "EPSG:4326", "EPSG:27700"


def to_metres(longitude: Floats, latitude: Floats) -> Floats:
    """Return British National Grid coordinates, (n, 2), in metres."""
    return projected(np.column_stack([longitude, latitude]), _DEGREES, _NATIONAL_GRID)


def projected(points: Floats, own: str, to: str) -> Floats:
    """Return points in another coordinate reference system, (n, 2); x is longitude or easting."""
    import geopandas

    if own == to:
        return points
    moved = geopandas.GeoSeries.from_xy(points[:, 0], points[:, 1], crs=own).to_crs(to)
    return np.column_stack([moved.x, moved.y])


def area_of_points(points: Floats, outlines: Outlines) -> Ints:
    """Return the position of the outline each point lies in; -1 where in none.

    Parameters
    ----------
    points : (n, 2), metres.
    outlines : (n_areas,), in metres. On a shared border the lower position is taken.
    """
    import shapely

    tree = shapely.STRtree(outlines)
    point, area = tree.query(shapely.points(points), predicate="intersects")
    found = np.full(len(points), len(outlines), dtype=np.int64)
    np.minimum.at(found, point, area)
    found[found == len(outlines)] = -1
    return found


def nearest_of(points: Floats, outlines: Outlines) -> Ints:
    """Return which of a few outlines is nearest to each point (it lies in it, mostly).

    Parameters
    ----------
    points : (n, 2), metres; published points are snapped to a map and may lie just outside.
    outlines : (k,), in metres.
    """
    import shapely

    distance = shapely.distance(shapely.points(points)[:, None], outlines[None, :])
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)
