"""Areas by place on the map: inside a drawn shape, or near a point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import Problem, StudyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.results import Floats, Ints


def inside(lon: Floats, lat: Floats, ring: Sequence[tuple[float, float]]) -> Ints:
    """Return the positions of areas whose middle lies inside a drawn ring.

    Parameters
    ----------
    lon, lat : (n_areas,), middles, degrees.
    ring : (longitude, latitude) of its corners; it is closed where it is not.

    Raises
    ------
    StudyError
        The ring crosses itself: the program does not repair it: that would be a guess.
    """
    import shapely

    shape = shapely.Polygon(ring)
    if not shape.is_valid:
        _, _, at = str(shapely.is_valid_reason(shape)).partition("[")
        raise StudyError(
            Problem(
                f"The shape crosses itself at {', '.join(at.rstrip(']').split())}."
                if at
                else "The shape is not an area.",
                "shape",
                "Draw it again there; the program does not repair it: that would be a guess.",
            )
        )
    west, south, east, north = shape.bounds
    near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    return np.asarray(near[shapely.contains_xy(shape, lon[near], lat[near])])


def within(x: Floats, y: Floats, position: int, kilometres: float) -> Ints:
    """Return the positions of areas whose middle lies that near the middle of one of them.

    Parameters
    ----------
    x, y : (n_areas,), middles, metres.
    position : the area in the middle; it is always among them.
    kilometres : as the crow flies.
    """
    apart = np.hypot(x - x[position], y - y[position])
    return np.flatnonzero(apart <= kilometres * 1000)
