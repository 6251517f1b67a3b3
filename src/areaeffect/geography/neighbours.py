"""Which areas touch, and which lie within a distance of each other.

What follows from outlines alone is kept for the last ones asked for: a server asks many questions
of the same areas.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from areaeffect.panel import Graph

if TYPE_CHECKING:
    from areaeffect.geography.boundaries import Boundaries

_TOUCH_METRES = 1.0  # shared borders drift by centimetres when outlines are generalised


def contiguity(boundaries: Boundaries) -> Graph:
    """Return the areas that share a border or a corner."""
    return within(boundaries, _TOUCH_METRES)


@lru_cache(maxsize=4)
def within(boundaries: Boundaries, metres: float) -> Graph:
    """Return the areas whose outlines lie within a distance of each other."""
    import shapely  # noqa: PLC0415  # heavy

    tree = shapely.STRtree(boundaries.outlines)
    left, right = tree.query(boundaries.outlines, predicate="dwithin", distance=metres)
    other = left != right
    return graph_of(left[other], right[other], len(boundaries.outlines))


def graph_of(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], n: int) -> Graph:
    """Build a graph from directed pairs of areas."""
    order = np.lexsort((right, left))
    left, right = left[order].astype(np.int64), right[order].astype(np.int64)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(left, minlength=n))]).astype(np.int64)
    return Graph(indptr, right)


@lru_cache(maxsize=2)
def bands(boundaries: Boundaries, edges: tuple[float, ...]) -> tuple[Graph, npt.NDArray[np.int8]]:
    """Return the areas within the last of some distances, and in which band each pair is.

    Parameters
    ----------
    boundaries : outlines in metres.
    edges : ascending outer edges of the bands, metres; areas that touch are in band 0.

    Returns
    -------
    The pairs, and (n_pairs,) the band of each in the order of `Graph.indices`.
    """
    import shapely  # noqa: PLC0415  # heavy

    outlines = boundaries.outlines
    west, south, east, north = shapely.bounds(outlines).T
    reach = edges[-1]  # boxes first: far cheaper than distances between outlines
    boxes = shapely.box(west - reach, south - reach, east + reach, north + reach)
    left, right = shapely.STRtree(outlines).query(boxes)
    once = left < right
    left, right = left[once], right[once]
    apart = shapely.distance(outlines[left], outlines[right])
    near = apart <= reach
    left, right, apart = left[near], right[near], apart[near]
    band = np.searchsorted(np.asarray(edges), apart).astype(np.int8)
    both = (np.concatenate([left, right]), np.concatenate([right, left]))
    order = np.lexsort((both[1], both[0]))
    return graph_of(*both, len(outlines)), np.concatenate([band, band])[order]
