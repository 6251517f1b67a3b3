"""What kind of coordinates a file holds, and which outline a point lies in."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyproj

    from areaeffect.results import Bools, Floats, Ints

    Outlines = npt.NDArray[np.object_]
    Box = tuple[float, float, float, float]

#: Points looked for together: what bounds the memory.
_AT_ONCE = 100_000


def projected(points: Floats, own: str, to: str) -> Floats:
    """Return points in another coordinate reference system, (n, 2); x is longitude or easting."""
    if own == to:
        return points
    return np.column_stack(_transformer(own, to).transform(points[:, 0], points[:, 1]))


@cache
def _transformer(own: str, to: str) -> pyproj.Transformer:
    """Return what moves points; to make it takes longer than to move thousands."""
    import pyproj

    return pyproj.Transformer.from_crs(own, to, always_xy=True)


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
        """Return the position of the outline that each of (n, 2) points lies in; -1 where in none.

        On a shared border the lower position is taken, also of those within `slack`.
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


#: West, south, east, north of Britain in degrees, and of its National Grid in metres.
BRITAIN = (-9.0, 49.0, 2.1, 61.5)
_GRID = (0.0, 0.0, 700_000.0, 1_300_000.0)
MOST_DEGREES = (180.0, 90.0)
_MOST = 0.5
#: Times the distance that half of all lie within: England's farthest lies at 6 times that.
_FAR = 20.0


def fault_of_degrees(points: Floats, *, in_britain: bool) -> tuple[str, str] | None:
    """Return what is wrong with points given as longitude and latitude, and what to do.

    Parameters
    ----------
    points : (n, 2), as the file has them: first coordinate, second coordinate.
    in_britain : whether the areas of the study lie in Britain.
    """
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return "holds no coordinates", "Draw it again."
    beyond = (np.abs(points) > MOST_DEGREES).any(axis=1)
    if beyond.any():
        if share_inside(points, _GRID) > _MOST:
            return (
                "looks like British National Grid (metres), but the file says longitude and "
                "latitude, or nothing",
                'Write crs = "EPSG:27700" beside `areas`, or save it as longitude and latitude.',
            )
        x, y = points[int(beyond.argmax())]
        return (
            f"has the coordinates {x:g}, {y:g}, which are not longitude and latitude",
            "Save it as longitude and latitude (EPSG:4326), or name its `crs`.",
        )
    if in_britain and share_inside(points, BRITAIN) == 0.0:
        if share_inside(points[:, ::-1], BRITAIN) > _MOST:
            return (
                "has longitude and latitude the wrong way round",
                "In GeoJSON longitude comes first: [-1.23, 54.57].",
            )
        x, y = points.mean(axis=0)
        return (
            f"is outside Britain (around longitude {x:.2f}, latitude {y:.2f}); the study's areas "
            "lie in Britain",
            "Check the sign of the longitude: west of Greenwich it is negative.",
        )
    return None


def fault_of_metres(points: Floats) -> tuple[str, str] | None:
    """Return what is wrong with points given in metres, and what to do; None where nothing is."""
    if (np.abs(points) > MOST_DEGREES).any():
        return None
    return (
        "says its coordinates are metres, but they look like longitude and latitude",
        'Write the `crs` they are in ("EPSG:4326"), or save the file again with it.',
    )


def far_off(points: Floats, least: float) -> Bools:
    """Tell which points lie far from all the others, as one with its coordinates swapped does.

    Parameters
    ----------
    points : (n, 2), in one system of coordinates.
    least : nothing nearer than this is far.
    """
    middle = np.median(points, axis=0)
    distance = np.hypot(*(points - middle).T)
    return np.asarray(distance > max(_FAR * float(np.median(distance)), least))


def share_inside(points: Floats, box: Box) -> float:
    """Return the share of points inside a box of west, south, east and north."""
    return float(within_box(points, box).mean())


def within_box(points: Floats, box: Box) -> Bools:
    """Tell which points lie inside a box of west, south, east and north."""
    west, south, east, north = box
    return np.asarray((points >= (west, south)).all(axis=1) & (points <= (east, north)).all(axis=1))
