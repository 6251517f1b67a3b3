"""Drawn boundaries, refused where they are not what they say, and the areas that match a shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError, Problem, StudyError, number_of
from areaeffect.geography.points import fault_of_degrees, fault_of_metres
from areaeffect.geography.shape_files import mended, read_shape_file
from areaeffect.tables.user_table import require_file

if TYPE_CHECKING:
    from areaeffect.results import Floats, Ints

    Outlines = npt.NDArray[np.object_]


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

    `claimed_crs` is the study's word for the file's own, where it says nothing or the wrong thing.

    Raises
    ------
    StudyError, DataError
        No such file, another kind of file, a `crs` that does not exist, several layers; every shape
        that is empty, no area, too large, crosses itself or is not where the file says, by name.
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
