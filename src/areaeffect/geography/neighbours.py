"""Which areas touch, and which lie within a distance of each other.

What follows from outlines alone is kept for the last ones asked for: a server asks many questions
of the same areas.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from areaeffect.errors import DataError
from areaeffect.geography.boundaries import Boundaries
from areaeffect.panel import Graph
from areaeffect.results import Bools, Ints, Strings
from areaeffect.tables.user_table import read_user_table, rows_account

_TOUCH_METRES = 1.0  # shared borders drift by centimetres when outlines are generalised
#: Columns of a list of areas that touch.
_COLUMNS = ("area", "neighbour")
_CORNERS = 6  # of each outline that are compared before the outlines themselves


def contiguity(boundaries: Boundaries) -> Graph:
    """Return the areas that share a border or a corner."""
    return within(boundaries, _TOUCH_METRES)


@lru_cache(maxsize=4)
def within(boundaries: Boundaries, metres: float) -> Graph:
    """Return the areas whose outlines lie within a distance of each other."""
    import shapely

    outlines = boundaries.outlines
    left, right = _pairs(outlines, metres)
    near = _corners_near(outlines, left, right, metres)
    unsure = np.flatnonzero(~near)
    near[unsure] = shapely.dwithin(outlines[left[unsure]], outlines[right[unsure]], metres)
    left, right = left[near], right[near]
    both = np.concatenate([left, right]), np.concatenate([right, left])
    return graph_of(*both, len(outlines))


def _pairs(outlines: Any, metres: float) -> tuple[Ints, Ints]:
    """Return each pair of areas whose boxes lie within a distance, once."""
    import shapely

    west, south, east, north = shapely.bounds(outlines).T
    boxes = shapely.box(west - metres, south - metres, east + metres, north + metres)
    left, right = shapely.STRtree(outlines).query(boxes)
    once = left < right
    return left[once], right[once]


def _corners_near(outlines: Any, left: Ints, right: Ints, metres: float) -> Bools:
    """Tell which pairs lie within a distance by a few corners of each: far cheaper than outlines.

    Where it says no, outlines may still be that near.
    """
    import shapely

    count = shapely.get_num_coordinates(outlines)
    first = np.cumsum(count) - count
    every = shapely.get_coordinates(outlines)
    corners = [every[first + count * k // _CORNERS] for k in range(_CORNERS)]
    near = np.zeros(len(left), dtype=bool)
    for a, b in product(corners, corners):
        near |= ((a[left] - b[right]) ** 2).sum(axis=1) <= metres**2
    return near


def graph_of(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], n: int) -> Graph:
    """Build a graph from directed pairs of areas."""
    order = np.lexsort((right, left))
    left, right = left[order].astype(np.int64), right[order].astype(np.int64)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(left, minlength=n))]).astype(np.int64)
    return Graph(indptr, right)


@lru_cache(maxsize=2)
def bands(boundaries: Boundaries, edges: tuple[float, ...]) -> tuple[Graph, npt.NDArray[np.int8]]:
    """Return the areas within the last of some distances, and in which band each pair is, (n_pairs,).

    `edges` are ascending outer edges, metres; areas that touch are in band 0.
    """
    import shapely

    outlines = boundaries.outlines
    left, right = _pairs(outlines, edges[-1])
    apart = shapely.distance(outlines[left], outlines[right])
    near = apart <= edges[-1]
    left, right, apart = left[near], right[near], apart[near]
    band = np.searchsorted(np.asarray(edges), apart).astype(np.int8)
    both = (np.concatenate([left, right]), np.concatenate([right, left]))
    order = np.lexsort((both[1], both[0]))
    return graph_of(*both, len(outlines)), np.concatenate([band, band])[order]


def read_neighbours(path: Path, areas: Strings) -> tuple[Graph, tuple[str, ...]]:
    """Read a list of areas that touch, and remarks; refuse one that names no two areas of the study."""
    table = read_user_table(path, _COLUMNS, _COLUMNS)
    codes = f"`{'` and `'.join(_COLUMNS)}` are area codes, such as '{areas[0]}'."
    if not set(_COLUMNS) <= set(table.frame.columns):
        found = ", ".join(map(str, table.frame.columns))
        raise DataError(f"its columns are {found}.", str(path), codes)
    left, right = (pd.Index(areas).get_indexer(pd.Index(table.frame[column])) for column in _COLUMNS)
    known = (left >= 0) & (right >= 0)
    beside = known & (left != right)
    both = np.concatenate([left[beside], right[beside]]), np.concatenate([right[beside], left[beside]])
    first, second = np.unique(np.stack(both), axis=1)  # either order, and repeats, do no harm
    graph = graph_of(first, second, len(areas))
    if not len(graph.indices):
        raise DataError("no row names two areas of the study.", str(path), codes)
    lost, read = int((~known).sum()), len(known) + len(table.left_out)
    notes = [*table.notes, rows_account(path.name, read, len(known) - lost)]
    if lost:
        what = f"{lost:,} pairs of neighbours name an area that no table of the study has"
        notes.append(f"{path.name}: {what}.")
    return graph, tuple(notes)
