"""Files of incidents in pieces: lines, dates, categories and coordinates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.geography.shape_files import SUFFIXES, read_shape_file
from areaeffect.tables.cells import read_numbers
from areaeffect.tables.text_rows import NumberedRow, stream_text_rows
from areaeffect.tables.user_table import (
    HEADER_WITHIN,
    WORKBOOKS,
    Layout,
    columns_at,
    header_at,
    key_of,
    read_user_table,
    require_file,
)

if TYPE_CHECKING:
    from areaeffect.results import Floats, Ints
    from areaeffect.study.source_kinds import PointsSource

    Choose = Callable[[Sequence[str]], Sequence[str]]

#: Rows read, located and counted together: what bounds the memory.
ROWS_AT_ONCE = 200_000
DEGREES, GRID = "EPSG:4326", "EPSG:27700"
#: Names of columns with coordinates, the one to the east first, and their reference system.
_PAIRS = (
    ("longitude", "latitude", DEGREES),
    ("lon", "lat", DEGREES),
    ("lng", "lat", DEGREES),
    ("long", "lat", DEGREES),
    ("easting", "northing", GRID),
    ("eastings", "northings", GRID),
    ("x", "y", DEGREES),
)
_COMMA = re.compile(r"-?\d+,\d+")
_TWO_READINGS = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+")
_POINT = 0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Piece:
    """Some incidents of a file that follow each other."""

    lines: Ints  # (n,), line, row of a sheet, or number of a feature
    #: dates, categories: (n,), texts; categories '' where none are asked.
    dates: list[str]
    categories: list[str]
    #: x, y: (n,), as the file has them; NaN where there is none, infinite where it is no number.
    x: Floats
    y: Floats
    ragged: tuple[tuple[int, int], ...]  # line and number of fields of rows with too few or too many
    crs: str  # reference system of x and y
    notes: tuple[str, ...]  # how the file was read, where that is not plain


def pieces_of(path: Path, source: PointsSource, rows: int) -> Iterator[Piece]:
    """Yield the incidents of a file in its order, at most `rows` together.

    It is CSV, a workbook or Parquet; GeoJSON, GeoPackage, Shapefile or another file of shapes.
    """
    named = [source.date, *([source.category] if source.category else [])]
    if path.suffix.lower() in SUFFIXES:
        yield from _of_shapes(path, source, named, rows)
        return
    chosen: list[str] = []

    def choose(header: Sequence[str]) -> list[str]:
        chosen[:] = [*_require(named, header, path), *_pair_of(header, source, path)]
        return chosen

    names = [n for pair in _PAIRS for n in pair[:2]]
    layout = Layout((*named, *(source.coordinates or names)), source.header, source.sheet)
    for part in table_pieces(path, layout, choose, rows):
        x, y = (part.columns[c] for c in chosen[-2:])
        pair = next((p for p in _PAIRS if [n.lower() for n in chosen[-2:]] == list(p[:2])), None)
        crs = source.crs or (pair[2] if pair else DEGREES)
        yield Piece(
            lines=np.array(part.lines, dtype=np.int64),
            dates=part.columns[source.date],
            categories=part.columns[source.category] if source.category else [""] * len(x),
            x=_numbers(x, part, in_degrees=crs == DEGREES),
            y=_numbers(y, part, in_degrees=crs == DEGREES),
            ragged=part.ragged,
            crs=crs,
            notes=part.notes,
        )


def _require(named: Sequence[str], columns: Sequence[str], path: Path) -> list[str]:
    problems = [
        Problem(
            f"there is no column '{c}'.",
            str(path),
            did_you_mean(c, columns) or f"Columns: {', '.join(columns)}.",
        )
        for c in named
        if c not in columns
    ]
    if problems:
        raise DataError(problems)
    return list(named)


def _pair_of(columns: Sequence[str], source: PointsSource, path: Path) -> list[str]:
    """Return the columns of coordinates: those named, or the only pair that is named like one."""
    if source.coordinates is not None:
        return _require(source.coordinates, columns, path)
    held = {c.lower(): c for c in columns}
    found = [p for p in _PAIRS if p[0] in held and p[1] in held]
    found.sort(key=lambda p: p[2] != source.crs)
    if source.crs is None and len({p[2] for p in found}) > 1:
        what = "the file has longitude and latitude, and coordinates in metres."
        fix = f'Write coordinates = ["{held[found[0][0]]}", "{held[found[0][1]]}"].'
        raise DataError(what, str(path), fix)
    if not found:
        what = "no columns are named like coordinates."
        fix = "Name them in `coordinates`, the one to the east first."
        fix += f" Columns: {', '.join(columns)}."
        raise DataError(what, str(path), fix)
    return [held[name] for name in found[0][:2]]


def _numbers(texts: list[str], part: TablePiece, *, in_degrees: bool) -> Floats:
    """Return coordinates: NaN for a blank or a mark, infinite for what is no number."""
    try:
        values = np.array([float(t) if t else np.nan for t in texts])
    except ValueError:
        values = np.full(len(texts), np.nan)
        failed = []
        for i, text in enumerate(texts):
            try:
                values[i] = float(text)
            except ValueError:
                failed.append(i)
        plain = [texts[i].strip() for i in failed]
        if part.has_decimal_commas:
            plain = [_pointed(t, in_degrees=in_degrees) for t in plain]
        read = read_numbers(pd.Series(plain, dtype=object))
        values[failed] = np.where(read.wrong, np.inf, read.values)
    return values


def _pointed(text: str, *, in_degrees: bool) -> str:
    """Return a decimal comma as a point; in metres '456,123' may be two numbers, and is none."""
    if not in_degrees and _TWO_READINGS.fullmatch(text):
        return f"{text}?"
    return text.replace(",", ".") if _COMMA.fullmatch(text) else text


def _of_shapes(path: Path, source: PointsSource, named: Sequence[str], rows: int) -> Iterator[Piece]:
    import shapely

    frame = read_shape_file(path, "file of points", source.date, dates_as_text=True)
    columns = [c for c in frame.columns if c != frame.geometry.name]
    _require(named, columns, path)
    shapes = frame.geometry.to_numpy()
    shapes = np.where(shapely.get_num_geometries(shapes) == 1, shapely.get_geometry(shapes, 0), shapes)
    is_point = shapely.get_type_id(shapes) == _POINT
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    x, y = (
        np.where(is_point | empty, get(np.where(is_point, shapes, None)), np.inf)
        for get in (shapely.get_x, shapely.get_y)
    )
    crs = source.crs or (frame.crs.to_string() if frame.crs is not None else DEGREES)
    dates = _as_text(frame[source.date])
    categories = _as_text(frame[source.category]) if source.category else [""] * len(frame)
    lines = np.arange(1, len(frame) + 1)
    notes = (f"{path.name}: a row is named by the number of its feature.",)
    for begin in range(0, len(frame), rows):
        part = slice(begin, begin + rows)
        yield Piece(
            lines=lines[part],
            dates=dates[part],
            categories=categories[part],
            x=x[part],
            y=y[part],
            ragged=(),
            crs=crs,
            notes=notes,
        )


def _as_text(column: Any) -> list[str]:
    """Return a column of properties as text: dates as 2012-04-30, nothing as ''."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return ["" if pd.isna(v) else v.isoformat() for v in column]
    whole = pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all()
    return ["" if pd.isna(v) else str(int(v) if whole else v) for v in column]


@dataclass(frozen=True, slots=True, eq=False)
class TablePiece:
    """Some rows of a table that follow each other."""

    lines: list[int]  # (n,), line of the file (row of the sheet) that each row begins in
    columns: Mapping[str, list[str]]  # (n,) texts each, by the name asked for
    ragged: tuple[tuple[int, int], ...]  # line and number of fields of rows that have too few or too many
    has_decimal_commas: bool  # whether a comma in a number is a decimal comma
    notes: tuple[str, ...]  # how the file was read, where that is not plain


def table_pieces(path: Path, layout: Layout, choose: Choose, rows: int) -> Iterator[TablePiece]:
    """Yield a table's rows in pieces; CSV is never held whole, workbook and Parquet are.

    `choose` returns the columns to read, given those of the file, and may refuse the file. A row
    with too few or too many fields is no error of a CSV: it is named in its piece.
    """
    require_file(path)
    with path.open("rb") as file:
        magic = file.read(4)
    if magic.startswith(WORKBOOKS) or magic == b"PAR1" or path.suffix.lower() == ".parquet":
        table = read_user_table(path, layout=layout)
        wanted = choose(list(table.frame.columns))
        for begin in range(0, len(table.frame), rows):
            part = table.frame.iloc[begin : begin + rows]
            columns = {c: ["" if v != v else str(v) for v in part[c]] for c in wanted}  # noqa: PLR0124
            yield TablePiece(part.index.tolist(), columns, (), False, table.notes)
        return
    with stream_text_rows(path, {key_of(n) for n in layout.header_has}) as (lines, delimiter, notes):
        first = list(islice(lines, HEADER_WITHIN))
        if not first:
            raise DataError("the file is empty.", str(path), "It needs a header and rows.")
        at = header_at(first, layout, path)
        line, header = first[at]
        header = [cell.strip() for cell in header]
        positions = columns_at(header, layout, None, line, path)
        wanted = choose(list(positions))
        at_column = {name: positions[name] for name in wanted}
        body = chain(first[at + 1 :], lines)
        is_comma = delimiter not in {",", "|"}
        while True:
            piece = _piece(islice(body, rows), len(header), at_column, is_comma, notes)
            if not piece.lines and not piece.ragged:
                return
            yield piece


def _piece(
    rows: Iterable[NumberedRow],
    width: int,
    at_column: Mapping[str, int],
    is_comma: bool,
    notes: tuple[str, ...],
) -> TablePiece:
    """Keep the cells wanted, one after the other: no list a row is held, which would cost time."""
    places = tuple(at_column.values())
    cells: list[str] = []
    lines: list[int] = []
    ragged: list[tuple[int, int]] = []
    for line, row in rows:
        if len(row) == width or (len(row) > width and not any(c.strip() for c in row[width:])):
            lines.append(line)
            cells += [row[i] for i in places]
        else:
            ragged.append((line, len(row)))
    columns = {name: cells[k :: len(places)] for k, name in enumerate(at_column)}
    return TablePiece(lines, columns, tuple(ragged), is_comma, notes)
