"""Points to areas: which outline a coordinate lies in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.results import Floats, Ints

    Outlines = npt.NDArray[np.object_]

#: Points looked for together: what bounds the memory.
_AT_ONCE = 100_000
_DEGREES, _NATIONAL_GRID = "EPSG:4326", "EPSG:27700"


def to_metres(longitude: Floats, latitude: Floats) -> Floats:
    """Return British National Grid coordinates, (n, 2), in metres."""
    return projected(np.column_stack([longitude, latitude]), _DEGREES, _NATIONAL_GRID)


def projected(points: Floats, own: str, to: str) -> Floats:
    """Return points in another coordinate reference system, (n, 2); x is longitude or easting."""
    from pyproj import Transformer

    if own == to:
        return points
    moved = Transformer.from_crs(own, to, always_xy=True).transform(points[:, 0], points[:, 1])
    return np.column_stack(moved)


class Locator:
    """Outlines with a spatial index: which of them points lie in.

    Parameters
    ----------
    outlines : (n_areas,), in metres.
    slack : metres. A point in no outline belongs to one within so little of it: published
        coordinates are rounded, and an outer border moves a little when it is projected.
    """

    def __init__(self, outlines: Outlines, slack: float = 0.0) -> None:
        import shapely

        self._outlines, self._slack = outlines, slack
        self._tree = shapely.STRtree(outlines)
        shapely.prepare(outlines)

    def areas(self, points: Floats) -> Ints:
        """Return the position of the outline that each point lies in; -1 where in none.

        On a shared border the lower position is taken, also of those within `slack`.

        Parameters
        ----------
        points : (n, 2), metres.
        """
        found = np.full(len(points), -1, dtype=np.int64)
        for begin in range(0, len(points), _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            found[part] = self._areas(points[part])
        return found

    def _areas(self, points: Floats) -> Ints:
        import shapely

        n = len(self._outlines)
        found = np.full(len(points), n, dtype=np.int64)
        shapes = shapely.points(points)
        point, area = self._tree.query(shapes)  # by the boxes; each outline is prepared once
        order = np.argsort(area, kind="stable")  # an outline's points together, in the cache
        point, area = point[order], area[order]
        x, y = points[point].T
        inside = shapely.intersects_xy(self._outlines[area], x, y)
        np.minimum.at(found, point[inside], area[inside])
        outside = np.flatnonzero(found == n)
        if self._slack and len(outside):
            near = self._tree.query(shapes[outside], predicate="dwithin", distance=self._slack)
            np.minimum.at(found, outside[near[0]], near[1])
        return np.where(found == n, -1, found)


def area_of_points(points: Floats, outlines: Outlines) -> Ints:
    """Return the position of the outline each point lies in; -1 where in none.

    Parameters
    ----------
    points : (n, 2), metres.
    outlines : (n_areas,), in metres. On a shared border the lower position is taken.
    """
    return Locator(outlines).areas(points)


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
