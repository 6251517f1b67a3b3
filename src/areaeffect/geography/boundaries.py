"""Outlines of areas, in metres, and which areas touch or lie near each other by them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean, first_few, number_of
from areaeffect.geography.codes import centres_of, places
from areaeffect.geography.overlay import (
    BRITAIN,
    far_off,
    fault_of_degrees,
    fault_of_metres,
    projected,
    share_inside,
)
from areaeffect.geography.shape_files import mended, read_shape_file
from areaeffect.panel import Graph
from areaeffect.results import Bools, Ints, Shape, Strings
from areaeffect.tables.cells import compared_text, plain_code
from areaeffect.tables.user_table import read_user_table, rows_account

_BRITISH_NATIONAL_GRID = 27700
_SHOWN, _HALF = 20, 0.5
#: No area is called far from the others below this distance.
_FAR_METRES, _FAR_DEGREES = 500_000.0, 5.0
_APART_METRES, _APART_DEGREES = 30_000.0, 0.4
#: An outline lies where its code does, to a hundredth of a degree; or it is another area's.
_KM_A_DEGREE, _NEAR_KM, _FAR_KM = 111.2, 5.0, 50.0
#: Sea that Britain lies in with another sign, in degrees; so near an area of England or Wales is
#: land.
_IN_THE_SEA = (
    ((0.0, 51.2, 2.1, 56.0), (-1, 1), "longitudes"),
    ((-9.0, -61.5, 2.1, -49.0), (1, -1), "latitudes"),
    ((-2.1, -61.5, 9.0, -49.0), (-1, -1), "longitudes and latitudes"),
)
_NEAR_LAND = 0.2
_SIGN = "West of Greenwich a longitude is negative; in GeoJSON longitude comes first."
#: So few outlines, so far from the others, have the sign of their longitude wrong.
_FEW_MIRRORED, _MIRRORED_DEGREES = 0.05, 0.5
#: Square metres; the smallest output areas, one block of flats each, have some hundreds.
_LEAST_SURFACE = 1.0
#: Published outlines that are generalised may drop the hole around a single tower block.
_FEWEST_COVERED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Boundaries:
    """Outlines of the panel's areas."""

    outlines: npt.NDArray[np.object_]  # (n_areas,), shapely polygons in metres, in the panel's order
    crs: str = f"EPSG:{_BRITISH_NATIONAL_GRID}"  # their coordinate reference system; 'EPSG:27700' in Britain.
    notes: tuple[str, ...] = ()  # which outlines were mended

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """Centroid of each outline, (n_areas, 2), metres."""
        import shapely

        return np.asarray(shapely.get_coordinates(shapely.centroid(self.outlines)))

    def shapes(self, areas: Strings, tolerance: float) -> tuple[Shape, ...]:
        """Return simplified outer rings for a map; `tolerance` in metres."""
        return tuple(
            Shape(str(area), rings) for area, rings in zip(areas, _simplified(self, tolerance), strict=True)
        )


@lru_cache(maxsize=1)  # a server draws many maps of the same areas
def _simplified(boundaries: Boundaries, tolerance: float) -> tuple[tuple[npt.NDArray[np.float64], ...], ...]:
    import shapely

    # borders shared by two areas are simplified once, so that no slits open between them
    simple = shapely.coverage_simplify(boundaries.outlines, tolerance)
    found = []
    for outline in simple:
        parts = sorted(shapely.get_parts(outline), key=lambda part: -part.area)
        # what can be seen at this tolerance, and always the largest
        seen = [p for i, p in enumerate(parts) if i == 0 or p.area > tolerance**2]
        found.append(tuple(np.round(np.asarray(part.exterior.coords), 0) for part in seen))
    return tuple(found)


def read_boundaries(path: Path, column: str, areas: Strings, claimed_crs: str | None = None) -> Boundaries:
    """Read the outlines of the given areas, by a column of codes of a file of shapes.

    `claimed_crs` is the study's word for its coordinates, where the file says nothing or the wrong thing.
    Areas without an outline, outlines that are no areas or lie far from where they belong, and
    coordinates that are not what the file says are refused by area.
    """
    import shapely

    frame = _frame(path, column)
    read = len(frame)
    if claimed_crs is not None:
        frame = frame.set_crs(claimed_crs, allow_override=True)
    shapes = frame.geometry.to_numpy()
    frame = frame[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    meant = {compared_text(plain_code(a)): a for a in areas}
    codes = [meant.get(compared_text(plain_code(str(c))), str(c)) for c in frame[column]]
    frame = frame[["geometry"]].set_axis(codes)
    missing = [a for a in areas if a not in frame.index]
    if missing:
        what = f"{len(missing)} of {len(areas)} areas have no outline, such as {missing[0]}."
        fix = "Use boundaries of the same census vintage as the table."
        raise DataError(what, str(path), fix)
    frame = frame.loc[list(areas)]  # several rows an area drawn in several features
    account = rows_account(path.name, read, len(frame))
    shapes, notes, problems = mended(
        frame.geometry.to_numpy(), [f"area {code}" for code in frame.index], path
    )
    if not problems:
        in_britain = float(np.mean([bool(re.fullmatch(r"[EWS]\d{8}", str(a))) for a in areas])) > _HALF
        problems, said = _place_problems(shapes, frame, path, in_britain=in_britain)
        notes += [account, *said]
    if problems:
        raise DataError(problems[:_SHOWN])
    frame = frame.set_geometry(shapes, crs=frame.crs)
    if frame.index.duplicated().any():
        several = sorted(set(frame.index[frame.index.duplicated()]))
        what = f"{number_of(len(several), 'area is', 'areas are')} drawn in several features"
        notes.append(f"{path.name}: {what}, put together here ({', '.join(several[:5])}).")
        frame = frame.dissolve(frame.index).loc[list(areas)]
    frame = _in_metres(frame)
    if problems := _surface_problems(frame, path):
        raise DataError(problems[:_SHOWN])
    return Boundaries(frame.geometry.to_numpy(), frame.crs.to_string(), tuple(notes))


def _place_problems(
    shapes: npt.NDArray[np.object_], frame: Any, path: Path, *, in_britain: bool
) -> tuple[list[Problem], list[str]]:
    """Name coordinates that are not what the file says, and outlines far from where they belong."""
    import shapely

    corners = np.asarray(shapely.bounds(shapes)).reshape(-1, 2)
    is_metres = frame.crs is not None and frame.crs.is_projected
    if is_metres:
        fault = fault_of_metres(corners)
        if fault is None and in_britain:
            fault = fault_of_degrees(projected(corners, frame.crs, "EPSG:4326"), in_britain=True)
    else:
        swapped = share_inside(corners[:, ::-1], BRITAIN) == 1 and not share_inside(corners, BRITAIN)
        fault = fault_of_degrees(corners, in_britain=in_britain or swapped)
    if fault is not None:
        what = f"the file {fault[0].removeprefix('the file ')}."
        fix = fault[1].replace("crs =", "boundaries_crs =").replace("beside `areas`", "in the source")
        return [Problem(what, str(path), fix.replace("`crs`", "`boundaries_crs`"))], []
    centres = np.asarray(shapely.get_coordinates(shapely.centroid(shapes)))
    degrees = projected(centres, frame.crs, "EPSG:4326") if is_metres else centres
    misplaced, notes = _misplaced(degrees, frame.index.to_numpy(dtype=str), path)
    apart = far_off(centres, _APART_METRES if is_metres else _APART_DEGREES)
    if apart.any():
        what = f"{int(apart.sum())} outlines lie far apart from the others"
        notes.append(f"{path.name}: {what} ({first_few(frame.index[apart].tolist())}).")
    return misplaced or [
        Problem(
            f"area {frame.index[i]} lies far from all others (around {x:g}, {y:g}).",
            str(path),
            "Longitude and latitude may be the wrong way round in it, or its sign wrong.",
        )
        for i in np.flatnonzero(
            far_off(centres, _FAR_METRES) if is_metres else far_off(centres, _FAR_DEGREES) | _mirrored(shapes)
        )
        for x, y in [centres[i]]
    ], notes


def _misplaced(
    centres: npt.NDArray[np.float64], codes: Strings, path: Path
) -> tuple[list[Problem], list[str]]:
    """Hold outlines against where the Office for National Statistics has areas of their codes."""
    meant = centres_of(codes)
    known = np.flatnonzero(np.isfinite(meant).all(axis=1))
    if not len(known):
        for box, signs, which in _IN_THE_SEA:
            if share_inside(centres, box) == 1 and not _on_land(centres):
                what = f"the {which} have the wrong sign: the areas lie in the sea."
                return [Problem(what, str(path), _SIGN)] * _on_land(centres * signs), []
        return [], []

    def away(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        apart = (points[known] - meant[known]) * (1.0, 1.0)
        apart[:, 0] *= np.cos(np.radians(meant[known, 1]))
        return np.asarray(np.hypot(*apart.T) * _KM_A_DEGREE)

    found = away(centres)
    usual = float(np.median(found))
    if usual > _NEAR_KM:
        for points, what in (
            (centres * (-1, 1), "the longitudes have the wrong sign"),
            (centres * (1, -1), "the latitudes have the wrong sign"),
            (centres[:, ::-1], "longitude and latitude are the wrong way round"),
        ):
            if np.median(away(points)) <= _NEAR_KM:
                return [Problem(f"{what}.", str(path), _SIGN)], []
        where = "from where the Office for National Statistics has areas of these codes"
        return [], [f"{path.name}: the outlines lie about {usual:,.0f} km {where}."]
    fix = "Its outline, or its code, is another area's."
    return [
        Problem(f"area {codes[i]} is drawn {km:,.0f} km from where it lies.", str(path), fix)
        for i, km in zip(known, found, strict=True)
        if km > _FAR_KM
    ], []


def _on_land(centres: npt.NDArray[np.float64]) -> bool:
    """Tell whether every point lies near some area of England and Wales."""
    from scipy.spatial import cKDTree  # slow to import

    apart, _ = cKDTree(places().centre).query(centres)
    return bool((apart <= _NEAR_LAND).all())


def _mirrored(shapes: npt.NDArray[np.object_]) -> Bools:
    """Tell which outlines lie among the others once the sign of their longitude is turned."""
    import shapely

    centres = shapely.get_coordinates(shapely.centroid(shapes))
    side = centres[:, 0] < 0
    few = side if side.mean() < _HALF else ~side
    if not few.any() or few.mean() > _FEW_MIRRORED:
        return np.zeros(len(shapes), dtype=bool)
    west, south, east, north = shapely.total_bounds(shapes[~few])
    turned = centres * (-1, 1)
    among = (turned >= (west, south)).all(axis=1) & (turned <= (east, north)).all(axis=1)
    away = np.maximum(west - centres[:, 0], centres[:, 0] - east) > _MIRRORED_DEGREES
    return np.asarray(few & among & away)


def _surface_problems(frame: Any, path: Path) -> list[Problem]:
    """Name outlines without a surface to speak of, and outlines that cover other areas."""
    import shapely

    shapes = frame.geometry.to_numpy()
    problems = [
        Problem(
            f"the shape covers {shapes[i].area:.2g} square metres.",
            f"{path}, area {frame.index[i]}",
            "No area is that small. Draw it again.",
        )
        for i in np.flatnonzero(shapely.area(shapes) < _LEAST_SURFACE)
    ]
    inside, around = shapely.STRtree(shapes).query(shapely.point_on_surface(shapes), predicate="within")
    covered: dict[int, list[int]] = {}
    for i, j in zip(inside.tolist(), around.tolist(), strict=True):
        # generalised borders overlap by some metres
        if i != j and shapely.intersection(shapes[i], shapes[j]).area > shapes[i].area / 2:
            covered.setdefault(j, []).append(i)
    return problems + [
        Problem(
            f"the shape covers {len(under)} other areas, such as {frame.index[under[0]]}.",
            f"{path}, area {frame.index[j]}",
            "Areas of one level share borders only. Draw it again, or take the other out.",
        )
        for j, under in sorted(covered.items(), key=lambda item: (-len(item[1]), item[0]))
        if len(under) >= _FEWEST_COVERED or any(j in covered.get(i, ()) for i in under)
    ]


def area_codes(path: Path, column: str) -> Strings:
    """Return the codes of all areas that a file has outlines of, ascending."""
    return np.unique([plain_code(str(code)) for code in _frame(path, column)[column]])


def _frame(path: Path, column: str) -> Any:
    """Read a boundary file that has a column of codes."""
    frame = read_shape_file(path, "boundary file", column)
    if column not in frame.columns:
        columns = [c for c in frame.columns if c != "geometry"]
        what = f"there is no column '{column}' with area codes."
        fix = did_you_mean(column, columns) or f"Columns: {', '.join(columns)}."
        raise DataError(what, str(path), fix)
    return frame.rename_geometry("geometry") if frame.geometry.name != "geometry" else frame


def _in_metres(frame: Any) -> Any:
    """Project to British National Grid in Britain, else to the local UTM zone."""
    if frame.crs is None:
        frame = frame.set_crs(4326)
    if frame.crs.is_projected:
        return frame
    inside = share_inside(frame.total_bounds.reshape(2, 2), BRITAIN) == 1
    return frame.to_crs(_BRITISH_NATIONAL_GRID if inside else frame.estimate_utm_crs())


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


def graph_of(left: Ints, right: Ints, n: int) -> Graph:
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
    left, right, apart = (v[apart <= edges[-1]] for v in (left, right, apart))
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
