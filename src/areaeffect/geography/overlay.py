"""Points and drawn shapes over areas: whether coordinates are what a file says, and what lies in what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError, Problem, StudyError, number_of
from areaeffect.geography.shape_files import mended, read_shape_file
from areaeffect.tables.user_table import require_file

if TYPE_CHECKING:
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
    """Return which of a few outlines is nearest to each of (n, 2) points, in metres; mostly it lies in it."""
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
    """Return what is wrong with points given as longitude and latitude, (n, 2), and what to do.

    They are as the file has them: first coordinate, second coordinate.
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
    """Tell which points lie far from all others, and over `least`, as one with swapped coordinates does."""
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


#: Limits, checked before any geometry is looked at.
MAX_BYTES = 100_000_000
MAX_SHAPES = 5_000
MAX_VERTICES = 10_000
_SHOWN = 20
_NAMES = ("neighbourhood", "name", "area_name")


@dataclass(frozen=True, slots=True, eq=False)
class DrawnShapes:
    """Shapes somebody drew, in the metres of the study's boundaries."""

    places: tuple[str, ...]  # (n,), the position of each: "feature 2 ('Harcourt')"
    values: tuple[Mapping[str, str], ...]  # (n,), what the file says of each, as text by property
    shapes: npt.NDArray[np.object_]  # (n,), valid polygons or multipolygons
    notes: tuple[str, ...]  # what a reader must know, such as holes


def read_drawn(path: Path, to_crs: str, claimed_crs: str | None = None) -> DrawnShapes:
    """Read drawn boundaries in the coordinates of the study's, metres.

    `claimed_crs` is the study's word for the file's own, where it says nothing or the wrong thing. Every
    shape that is empty, no area, too large, crosses itself or is not where the file says is refused.
    """
    import shapely  # heavy

    frame = _frame(path, claimed_crs)
    places, values = _texts(frame)
    shapes = frame.geometry.to_numpy()
    vertices = shapely.get_num_coordinates(shapes)
    problems = [
        Problem(
            f"the shape has {vertices[i]:,} vertices; {MAX_VERTICES:,} are read.",
            f"{path}, {places[i]}",
            "Simplify it: a difference of a metre changes no area.",
        )
        for i in np.flatnonzero(vertices > MAX_VERTICES)
    ]
    notes: list[str] = []
    if not problems:
        shapes, notes, problems = mended(shapes, places, path)
    corners = shapely.bounds(shapes).reshape(-1, 2, 2)  # south-west and north-east of each
    if not problems and (frame.crs is None or frame.crs.is_geographic):
        in_britain = to_crs == "EPSG:27700"
        faults = [
            (p, fault_of_degrees(c, in_britain=in_britain)) for p, c in zip(places, corners, strict=True)
        ]
        problems = [Problem(f"the shape {f[0]}.", f"{path}, {p}", f[1]) for p, f in faults if f]
        frame = frame if frame.crs is not None else frame.set_crs(4326)
    elif not problems and (fault := fault_of_metres(corners.reshape(-1, 2))):
        problems = [Problem(f"the file {fault[0]}.", str(path), fault[1])]
    if (more := len(problems) - _SHOWN) > 0:
        problems[_SHOWN:] = [Problem(f"{more} more shapes cannot be used.", str(path))]
    if problems:
        raise DataError(problems)
    projected = frame.set_geometry(shapes, crs=frame.crs).to_crs(to_crs).geometry.to_numpy()
    for place, shape in zip(places, projected, strict=True):
        if holes := int(shapely.get_num_interior_rings(shapely.get_parts(shape)).sum()):
            what = "a hole" if holes == 1 else f"{holes} holes"
            notes.append(f"{path.name}, {place}: the shape has {what}; what lies inside is not part of it.")
    return DrawnShapes(places, values, projected, tuple(notes))


def _frame(path: Path, claimed_crs: str | None) -> Any:
    try:
        require_file(path, "file of boundaries", "")
    except DataError as error:
        raise StudyError(error.problems) from None
    size = path.stat().st_size
    if size > MAX_BYTES:
        what = f"the file has {size / 1e6:,.0f} MB; {MAX_BYTES / 1e6:,.0f} MB are read."
        fix = "Remove what does not belong to the initiative, or simplify the outlines."
        raise DataError(what, str(path), fix)
    frame = read_shape_file(path)
    if len(frame) > MAX_SHAPES:
        what = f"the file holds {number_of(len(frame), 'shape', 'shapes')}; {MAX_SHAPES:,} are read."
        raise DataError(what, str(path), "Give one shape for each neighbourhood, not for each building.")
    if claimed_crs is None:
        return frame
    try:
        return frame.set_crs(claimed_crs, allow_override=True)
    except RuntimeError:  # pyproj's CRSError
        fix = "Write 'EPSG:27700' (British National Grid) or 'EPSG:4326' (longitude, latitude)."
        raise StudyError(f"'{claimed_crs}' is not a coordinate reference system.", str(path), fix) from None


def _texts(frame: Any) -> tuple[tuple[str, ...], tuple[dict[str, str], ...]]:
    """Return the place and the properties of each feature, as text."""
    columns = [c for c in frame.columns if c != frame.geometry.name]
    values = tuple(
        {str(c): _text(v) for c, v in zip(columns, row, strict=True)}
        for row in frame[columns].itertuples(index=False, name=None)
    )
    places = []
    for i, own in enumerate(values):
        name = next((own[k] for k in _NAMES if own.get(k)), "")
        places.append(f"feature {i + 1}" + (f" ('{name}')" if name else ""))
    return tuple(places), values


def _text(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124  # NaN and NaT
        return ""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (float, np.floating)):
        return f"{value:.15g}"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())[:10]
    return str(value).strip()


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Pairs of a shape and an area that overlap."""

    #: shape, area: (n_pairs,), positions, in ascending order of (shape, area)
    shape: Ints
    area: Ints
    #: (n_pairs,), share of the area inside the shape, 0 to 1; NaN where the area's own outline crosses
    #: itself, so that its share is unknown.
    share: Floats
    size: Floats  # (n_areas,), surface in square metres, or people, of each area
    whole: Floats  # (n_shapes,), the same of each shape, whether in an area or not


def area_shares(shapes: Outlines, outlines: Outlines) -> Shares:
    """Return the share of each area's surface inside each shape; an invalid outline has none."""
    import shapely

    tree = shapely.STRtree(outlines)
    shape, area = tree.query(shapes)  # bounding boxes: also of outlines that are not valid
    found, place = np.unique(area, return_inverse=True)
    valid = shapely.is_valid(outlines[found])[place]
    shapely.prepare(shapes)
    inside = np.zeros(len(shape), dtype=bool)
    inside[valid] = shapely.contains_properly(shapes[shape[valid]], outlines[area[valid]])
    size = shapely.area(outlines)
    common = np.where(inside, size[area], np.nan)
    cut = ~inside & valid
    common[cut] = shapely.area(shapely.intersection(shapes[shape[cut]], outlines[area[cut]]))
    touched = ~valid | (common > 0)
    shape, area, common = shape[touched], area[touched], common[touched]
    return _sorted(shape, area, common, size, shapely.area(shapes))


def population_shares(shapes: Outlines, outlines: Outlines, points: Floats, people: Floats) -> Shares:
    """Return the share of each area's people inside each shape, by points with residents, in metres."""
    import shapely

    places = shapely.points(points)
    tree = shapely.STRtree(places)
    of_area, in_area = tree.query(outlines, predicate="intersects")
    area_of_point = np.full(len(points), len(outlines), dtype=np.int64)
    np.minimum.at(area_of_point, in_area, of_area)  # on a shared border: the lower position
    known = area_of_point < len(outlines)
    total = np.bincount(area_of_point[known], people[known], len(outlines)).astype(np.float64)
    of_shape, in_shape = tree.query(shapes, predicate="intersects")
    drawn = np.bincount(of_shape, people[in_shape], len(shapes)).astype(np.float64)
    here = known[in_shape]
    of_shape, in_shape = of_shape[here], in_shape[here]
    key = of_shape * np.int64(len(outlines)) + area_of_point[in_shape]
    pairs, place = np.unique(key, return_inverse=True)
    common = np.bincount(place, people[in_shape], len(pairs)).astype(np.float64)
    shape, area = pairs // len(outlines), pairs % len(outlines)
    return _sorted(shape, area, common, total, drawn)


def _sorted(shape: Ints, area: Ints, common: Floats, size: Floats, whole: Floats) -> Shares:
    order = np.lexsort((area, shape))
    shape, area, common = shape[order], area[order], common[order]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(size[area] > 0, common / size[area], np.nan)
    return Shares(shape, area, share, size, whole)
