"""Drawn boundaries: GeoJSON, GeoPackage or Shapefile, refused where they are not what they say.

Nothing is repaired: repairing a shape that crosses itself takes 42 s for 400 vertices, and
decides for its maker what was meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError, Problem, StudyError, did_you_mean
from areaeffect.geography.coordinates import fault_of_degrees

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from areaeffect.results import Bools

SUFFIXES = (".geojson", ".json", ".gpkg", ".shp")
#: Limits, checked before any geometry is looked at.
MAX_BYTES = 100_000_000
MAX_SHAPES = 5_000
MAX_VERTICES = 10_000
_SHOWN = 20
_NAMES = ("neighbourhood", "name", "area_name")


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Shapes somebody drew, in the metres of the study's boundaries.

    Parameters
    ----------
    places : (n,), where each stands: "feature 2 ('Harcourt')".
    values : (n,), what the file says of each, as text by property.
    shapes : (n,), valid polygons or multipolygons.
    notes : what a reader must know, such as holes.
    """

    places: tuple[str, ...]
    values: tuple[Mapping[str, str], ...]
    shapes: npt.NDArray[np.object_]
    notes: tuple[str, ...]


def read_drawn(path: Path, to_crs: str, claimed_crs: str | None = None) -> Drawn:
    """Read drawn boundaries.

    Parameters
    ----------
    path : GeoJSON, GeoPackage or Shapefile.
    to_crs : coordinate reference system of the study's boundaries, in metres.
    claimed_crs : the study's word for the file's own, where the file says nothing or the wrong
        thing.

    Raises
    ------
    StudyError
        No such file, another kind of file, a `crs` that does not exist.
    DataError
        With every shape that cannot be used, by its name: empty, not an area, too many vertices,
        crossing itself, coordinates that are not what the file says; several layers.
    """
    frame = _frame(path)
    if claimed_crs is not None:
        frame = _with_crs(frame, claimed_crs, path)
    places, values = _texts(frame)
    shapes = frame.geometry.to_numpy()
    problems = _problems(shapes, places, path)
    if not problems and (frame.crs is None or frame.crs.is_geographic):
        problems = _coordinate_problems(shapes, places, path, in_britain=to_crs == "EPSG:27700")
        frame = frame if frame.crs is not None else frame.set_crs(4326)
    if problems:
        raise DataError(_shortened(problems, path))
    projected = frame.to_crs(to_crs).geometry.to_numpy()
    return Drawn(places, values, projected, tuple(_hole_notes(projected, places, path)))


def _frame(path: Path) -> Any:
    import geopandas

    if not path.is_file():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*")])
        raise StudyError(Problem("there is no such file of boundaries.", str(path), near))
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(
            Problem(
                f"the file has {size / 1e6:,.0f} MB; {MAX_BYTES / 1e6:,.0f} MB are read.",
                str(path),
                "Leave out what is not the initiative's, or simplify the outlines.",
            )
        )
    try:
        layers = [
            str(name)
            for name, kind in geopandas.list_layers(path).itertuples(index=False)
            if isinstance(kind, str)  # a layer without outlines has none
        ]
        if len(layers) > 1:
            raise DataError(
                Problem(
                    f"the file holds {len(layers)} layers: {', '.join(layers)}.",
                    str(path),
                    "Save the one that is meant into a file of its own.",
                )
            )
        frame = geopandas.read_file(path)
    except (ValueError, OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(Problem(f"the boundaries cannot be read: {reason}", str(path))) from None
    if not hasattr(frame, "geometry") or not len(frame):
        raise DataError(Problem("the file holds no shapes.", str(path), "One shape a place."))
    if len(frame) > MAX_SHAPES:
        what = f"the file holds {len(frame):,} shapes; {MAX_SHAPES:,} are read."
        raise DataError(Problem(what, str(path), "One shape a neighbourhood, not a building."))
    return frame


def _with_crs(frame: Any, claimed: str, path: Path) -> Any:
    try:
        return frame.set_crs(claimed, allow_override=True)
    except RuntimeError:  # pyproj's CRSError
        fix = "Write 'EPSG:27700' (British National Grid) or 'EPSG:4326' (longitude, latitude)."
        raise StudyError(
            Problem(f"'{claimed}' is no coordinate reference system.", str(path), fix)
        ) from None


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


def _problems(
    shapes: npt.NDArray[np.object_], places: tuple[str, ...], path: Path
) -> list[Problem]:
    import shapely

    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    kinds = shapely.get_type_id(shapes)
    is_area: Bools = np.isin(kinds, (3, 6))  # polygon, multipolygon
    vertices = shapely.get_num_coordinates(shapes)
    is_huge = vertices > MAX_VERTICES
    problems = []
    for i, place in enumerate(places):
        where = f"{path}, {place}"
        if missing[i]:
            problems.append(Problem("the shape is empty.", where, "Draw it, or take it out."))
        elif not is_area[i]:
            kind = shapes[i].geom_type
            problems.append(Problem(f"a {kind} is not an area.", where, "Draw a polygon."))
        elif is_huge[i]:
            problems.append(
                Problem(
                    f"the shape has {vertices[i]:,} vertices; {MAX_VERTICES:,} are read.",
                    where,
                    "Simplify it: a metre here or there moves no area.",
                )
            )
        elif not shapely.is_valid(shapes[i]):
            problems.append(
                Problem(
                    f"the shape is not valid: {_reason(shapes[i])}.",
                    where,
                    "Draw it again there: it is not repaired, because that could only be guessed.",
                )
            )
    return problems


def _reason(shape: Any) -> str:
    """Return why a shape is not valid, in words: 'it crosses itself at 1.5, 54.2'."""
    import shapely

    text = str(shapely.is_valid_reason(shape))
    what, _, at = text.partition("[")
    place = ", ".join(at.rstrip("]").split())
    words = {
        "Self-intersection": "it crosses itself",
        "Ring Self-intersection": "it touches itself",
    }
    return words.get(what, what.lower()) + (f" at {place}" if place else "")


def _coordinate_problems(
    shapes: npt.NDArray[np.object_], places: tuple[str, ...], path: Path, *, in_britain: bool
) -> list[Problem]:
    import shapely

    bounds = shapely.bounds(shapes)
    problems = []
    for place, (west, south, east, north) in zip(places, bounds, strict=True):
        corners = np.array([[west, south], [east, north]])
        fault = fault_of_degrees(corners, in_britain=in_britain)
        if fault is not None:
            problems.append(Problem(f"the shape {fault[0]}.", f"{path}, {place}", fault[1]))
    return problems


def _shortened(problems: list[Problem], path: Path) -> list[Problem]:
    more = len(problems) - _SHOWN
    if more <= 0:
        return problems
    return [*problems[:_SHOWN], Problem(f"{more} more shapes cannot be used.", str(path))]


def _hole_notes(shapes: npt.NDArray[np.object_], places: tuple[str, ...], path: Path) -> list[str]:
    import shapely

    notes = []
    for place, shape in zip(places, shapes, strict=True):
        holes = int(shapely.get_num_interior_rings(shapely.get_parts(shape)).sum())
        if holes:
            what = "a hole" if holes == 1 else f"{holes} holes"
            notes.append(
                f"{path.name}, {place}: the shape has {what}; what lies inside is not part of it."
            )
    return notes
