"""What kind of numbers a file's coordinates are, whatever it says they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Bools, Floats

    Box = tuple[float, float, float, float]

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

    Returns
    -------
    (what, fix), or None where they may be what they say.
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
