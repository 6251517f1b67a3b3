"""Files of shapes: each kind recognised by its content; no file that names others is read.

GDAL opens whatever a file turns out to be, also virtual formats that send requests or read other
files; so the kind is settled here, before GDAL sees the file.
"""

from __future__ import annotations

import json
import re
import sqlite3
import warnings
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.disk import ZIP_FAULTS
from areaeffect.errors import DataError, Problem, number_of
from areaeffect.tables.parquet import parquet_metadata, read_parquet, write_columns
from areaeffect.tables.user_table import require_file

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    Shapes = npt.NDArray[np.object_]

#: Suffixes of files of shapes; the content decides.
SUFFIXES = (
    ".geojson", ".json", ".topojson", ".gpkg", ".shp", ".kml", ".kmz", ".zip", ".geoparquet",
)  # fmt: skip
_KINDS = "GeoJSON, TopoJSON, GeoPackage, Shapefile (alone or in a zip), KML or GeoParquet"
_INSIDE = (".shp", ".gpkg", ".geojson", ".json", ".topojson", ".kml")
_SHAPEFILE, _PACKED, _DATABASE = b"\x00\x00\x27\x0a", b"PK\x03\x04", b"SQLite format 3\x00"
#: What a KML file names other files or addresses by.
_NAMES_OTHERS = (b"<!ENTITY", b"<!DOCTYPE", b"<NetworkLink")
_POLYGON, _MULTIPOLYGON = 3, 6
#: A shape is mended where that changes its surface by no more than this share.
_SAME_AREA = 1e-3
#: The reference system that a GeoJSON file names, at its beginning or its end.
_SYSTEM = re.compile(rb'"crs"\s*:\s*\{[^{}]*\{[^{}]*"(?:name|href)"\s*:\s*"([^"]*)"')
_ENDS = 1 << 16
_TOUCHES, _NESTED = "it touches itself", "a part of it lies inside another part"
_WORDS = {
    "Self-intersection": "it crosses itself",
    "Ring Self-intersection": _TOUCHES,
    "Nested shells": _NESTED,
}


def read_shape_file(
    path: Path, what: str = "file of boundaries", column: str = "", *, dates_as_text: bool = False
) -> Any:
    """Return the one layer of a file as a GeoDataFrame in two dimensions.

    Of several layers, the one is meant that alone has `column`. Dates are moved to one time zone, or
    kept as they are written. Another kind of file, above all a virtual one, is refused, as is a ring
    that is not closed, by its feature.
    """
    import shapely  # heavy

    require_file(path, what)
    if path.suffix.lower() in {".parquet", ".geoparquet"}:
        frame = _read_parquet(path)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what GDAL warns of is refused here, or looked at later
            frame = _read(_source(path), path, column, dates_as_text=dates_as_text)
    if not hasattr(frame, "geometry") or not len(frame):
        raise DataError("the file holds no shapes.", str(path), "Give one shape for each place.")
    frame.geometry = shapely.force_2d(frame.geometry.to_numpy())
    return frame


def _read_parquet(path: Path) -> Any:
    """Read GeoParquet: outlines as well-known bytes, and what the file says of them."""
    import duckdb
    import geopandas  # heavy: half a second
    import shapely

    try:
        frame, geo = read_parquet(path), json.loads(parquet_metadata(path).get("geo", "{}"))
        column = geo.get("primary_column", "geometry")
        system = geo.get("columns", {}).get(column, {}).get("crs", "OGC:CRS84")
        frame[column] = shapely.from_wkb([wkb and bytes(wkb) for wkb in frame[column]])
        return geopandas.GeoDataFrame(frame, geometry=column, crs=system)
    except KeyError:
        raise DataError(_unreadable(ValueError("it has no outlines"), path)) from None
    except (ValueError, TypeError, OSError, duckdb.Error, shapely.errors.ShapelyError) as error:
        raise DataError(_unreadable(error, path)) from None


def write_outlines(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write outlines and their columns as GeoParquet."""
    own = frame.geometry.name
    about = {"encoding": "WKB", "geometry_types": [], "crs": frame.crs and frame.crs.to_json_dict()}
    geo = {"version": "1.0.0", "primary_column": own, "columns": {own: about}}
    columns = frame.drop(columns=own).assign(**{own: frame.geometry.to_wkb()})
    write_columns(path, columns, geo=json.dumps(geo))


def _read(source: str, path: Path, column: str, *, dates_as_text: bool) -> Any:
    import geopandas
    import shapely
    from pyogrio import read_info

    _refuse_unknown_system(path)
    try:
        layers = [
            str(name)
            for name, kind in geopandas.list_layers(source).itertuples(index=False)
            if isinstance(kind, str)  # a layer without outlines has none
        ]
        if len(layers) > 1 and column:
            having = [n for n in layers if column in read_info(source, layer=n)["fields"]]
            layers = having if len(having) == 1 else layers
        if len(layers) > 1:
            what = f"the file holds {len(layers)} layers: {', '.join(layers)}."
            raise DataError(what, str(path), "Save the layer you need as a separate file.")
        options = {"datetime_as_string": True} if dates_as_text else {}
        return geopandas.read_file(source, layer=layers[0] if layers else None, **options)
    except (ValueError, OSError, RuntimeError) as error:
        raise DataError(_unreadable(error, path)) from None
    except shapely.errors.ShapelyError:
        frame = geopandas.read_file(source, layer=layers[0] if layers else None, on_invalid="ignore")
    what = "a ring of the shape is not closed, or has too few corners."
    raise DataError(
        [
            Problem(what, f"{path}, feature {i + 1}", "Its last corner must be its first.")
            for i in np.flatnonzero(frame.geometry.isna())[:20]
        ]
    )


def _refuse_unknown_system(path: Path) -> None:
    """Refuse a GeoJSON file whose reference system is not known: it would be read as degrees."""
    with path.open("rb") as file:
        start = file.read(_ENDS)
        file.seek(max(0, path.stat().st_size - _ENDS))
        text = start + file.read(_ENDS)
    named = _SYSTEM.search(text) if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else None
    if named is None:
        return
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        CRS.from_user_input(named[1].decode("utf-8", "replace"))
    except CRSError:
        what = f"'{named[1].decode('utf-8', 'replace')}' is no reference system that is known."
        fix = "Write it like 'EPSG:27700', or save the file as longitude and latitude without one."
        raise DataError(what, f"{path}, crs", fix) from None


def _unreadable(error: Exception, path: Path) -> Problem:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Problem(f"the boundaries cannot be read: {reason}", str(path))


def _source(path: Path) -> str:
    """Return what GDAL is to open, once the content is of a kind that is named."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(_PACKED):
        return _member(path)
    if not _is_named(start, path.read_bytes) or (start.startswith(_DATABASE) and _has_virtual_tables(path)):
        what = f"the file is not one of these: {_KINDS}."
        fix = "Virtual files, which name other files or addresses, are not read."
        raise DataError(what, str(path), fix)
    return str(path)


def _is_named(start: bytes, whole: Callable[[], bytes]) -> bool:
    """Tell whether a content is of a kind that is named; a KML file may name others."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{") or start.startswith((_SHAPEFILE, _DATABASE)):
        return True
    return b"<kml" in text[:1000] and not any(word in whole() for word in _NAMES_OTHERS)


def _has_virtual_tables(path: Path) -> bool:
    """Tell whether a database holds virtual tables other than its own spatial index."""
    query = (
        "SELECT count(*) FROM sqlite_master WHERE upper(sql) LIKE '%CREATE VIRTUAL TABLE%' "
        "AND lower(sql) NOT LIKE '%using rtree%'"
    )
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            return bool(database.execute(query).fetchone()[0])
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise DataError(_unreadable(error, path)) from None


def _member(path: Path) -> str:
    """Return the address of the one file of shapes in a zip."""
    try:
        with zipfile.ZipFile(path) as packed:
            names = [n for n in packed.namelist() if n.lower().endswith(_INSIDE)]
            names = [n for n in names if not PurePosixPath(n).name.startswith("._")]  # a Mac's own notes
            is_named = all(_is_named(packed.open(n).read(4096), partial(packed.read, n)) for n in names)
    except ZIP_FAULTS as error:
        raise DataError(_unreadable(error, path)) from None
    if len(names) != 1:
        some = f" ({', '.join(names)})" if names else ""
        what = f"the zip holds {number_of(len(names), 'file', 'files')} of shapes{some}."
        raise DataError(what, str(path), f"Pack one: {_KINDS}.")
    (name,) = names
    if not is_named:
        raise DataError(f"'{name}' in the zip is not the kind of file that its name says.", str(path))
    return f"/vsizip/{path}/{name}"


def mended(shapes: Shapes, places: Sequence[str], path: Path) -> tuple[Shapes, list[str], list[Problem]]:
    """Return shapes that are areas; what was mended, by name; and what cannot be used.

    A shape that touches itself, or whose parts meet, is mended where its surface stays as it is. A
    part inside another part is a hole where other areas fill it, and else counted once. A shape
    that crosses itself, a point, a line and a shape without surface cannot be used.
    """
    import shapely  # heavy

    area, is_valid = shapely.area(shapes), shapely.is_valid(shapes)
    is_area = np.isin(shapely.get_type_id(shapes), (_POLYGON, _MULTIPOLYGON))
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    kept = shapes.copy()
    notes: list[str] = []
    problems: list[Problem] = []
    for i in map(int, np.flatnonzero(missing | ~is_area | ~is_valid | ~(area > 0))):
        what, fix = "the shape is empty.", "Draw it, or remove it."
        if not missing[i] and not is_area[i]:
            what, fix = f"a {shapes[i].geom_type} is not an area.", "Draw a polygon."
        elif not missing[i] and not np.isfinite(shapely.get_coordinates(shapes[i])).all():
            what, fix = "a corner is not a number.", "Draw it again."
        elif not missing[i] and is_valid[i]:
            what, fix = "the shape has no area.", "Draw a polygon."
        elif not missing[i]:
            kind, _, at = str(shapely.is_valid_reason(shapes[i])).partition("[")
            place = ", ".join(f"{float(value):.6g}" for value in at.rstrip("]").split())
            reason = _WORDS.get(kind, kind.lower()) + (f" at {place}" if place else "")
            # mending one that crosses itself is a guess, and can take a minute
            whole = shapely.make_valid(shapes[i]) if reason.startswith(_TOUCHES) else None
            parts = shapely.get_parts(shapes[i])
            if whole is None and len(parts) > 1 and shapely.is_valid(parts).all():
                whole = shapely.union_all(parts)  # parts that meet along a line
            if reason.startswith(_NESTED):
                whole = _unnested(shapes, i, is_valid)
            same = whole is not None and abs(whole.area - area[i]) <= _SAME_AREA * area[i]
            if whole is not None and (same or reason.startswith(_NESTED)):
                kept[i] = whole
                notes.append(f"{path.name}, {places[i]}: {reason}; repaired.")
                continue
            what = f"the shape is not valid: {reason}."
            fix = "Draw it again there: the program does not repair it: that would be a guess."
        problems.append(Problem(what, f"{path}, {places[i]}", fix))
    return kept, notes, problems


def _unnested(shapes: Shapes, i: int, is_valid: Any) -> Any:
    """Return a shape without parts inside its parts.

    Such a part is a hole where other areas of the file fill it, as in the published outlines of
    England; else it belongs to the area, and is counted once.
    """
    import shapely  # heavy

    once = shapely.union_all(shapely.get_parts(shapes[i]))
    pierced = shapely.make_valid(shapes[i])
    inside = shapely.difference(once, pierced)
    near = is_valid & shapely.intersects(shapes, inside)
    near[i] = False
    filled = shapely.intersection(shapely.union_all(shapes[near]), inside).area
    return pierced if filled >= (1 - _SAME_AREA) * inside.area else once
