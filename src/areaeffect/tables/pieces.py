"""A user's table in pieces, so that a file of any length takes the memory of one piece."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem
from areaeffect.tables.text_rows import stream_text_rows
from areaeffect.tables.user_table import (
    HEADER_WITHIN,
    WORKBOOKS,
    columns_at,
    header_at,
    key_of,
    read_user_table,
    require_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from areaeffect.tables.text_rows import NumberedRow
    from areaeffect.tables.user_table import Layout

    #: The columns wanted of those that a file has, and of these the ones that are text throughout.
    Choose = Callable[[Sequence[str]], Sequence[str]]


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

    Parameters
    ----------
    path : CSV in any dialect, a workbook or Parquet; recognised by content.
    layout : what is known of the header.
    choose : returns the columns to read, given those of the file; may refuse the file.
    rows : of a piece, at most.

    Raises
    ------
    DataError
        As `read_user_table`; a row with too few or too many fields is no error of a CSV: it is
        named in its piece.
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
            raise DataError(Problem("the file is empty.", str(path), "It needs a header and rows."))
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
