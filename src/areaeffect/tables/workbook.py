"""Sheets of a workbook (xlsx, xls, ods) as plain rows."""

from __future__ import annotations

import math
import zipfile
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from areaeffect.tables.text_rows import NumberedRow

Row = list[Any]
_HEADER_WITHIN = 100


def read_sheets(path: Path, sheets: Sequence[str] | None) -> dict[str, list[Row]]:
    """Read sheets as lists of rows; an empty cell is the empty text.

    Parameters
    ----------
    path : the workbook.
    sheets : which; None for all.

    Raises
    ------
    DataError
        Not a workbook, or a sheet is missing.
    """
    import python_calamine  # only workbooks need it

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        wanted = book.sheet_names if sheets is None else list(sheets)
        missing = [s for s in wanted if s not in book.sheet_names]
        if not missing:
            return {s: book.get_sheet_by_name(s).to_python(skip_empty_area=False) for s in wanted}
    except (python_calamine.CalamineError, OSError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0]
        raise DataError(Problem(f"the workbook cannot be read: {reason}", str(path))) from None
    near = did_you_mean(missing[0], book.sheet_names)
    fix = near or f"Sheets: {', '.join(book.sheet_names)}."
    raise DataError(Problem(f"there is no sheet '{missing[0]}'.", str(path), fix))


def sheet_rows(
    path: Path, sheet: str | None, header_has: Collection[str]
) -> tuple[list[NumberedRow], tuple[str, ...]]:
    """Read the one sheet of a workbook that is meant, as rows of text, and say which it is.

    Parameters
    ----------
    path : the workbook.
    sheet : its name; None for the only sheet whose header holds most of the names asked for.
    header_has : those names, in lower case.

    Raises
    ------
    DataError
        No such sheet, or several that may be meant.
    """
    sheets = {
        name: _from_first_column(
            [(i, cells) for i, row in enumerate(rows, 1) if any(cells := [_text(value) for value in row])]
        )
        for name, rows in read_sheets(path, None if sheet is None else [sheet]).items()
    }
    filled = {name: rows for name, rows in sheets.items() if rows}
    if len(filled) <= 1:
        return next(iter(filled.values()), []), ()
    held = {
        name: max(
            len({" ".join(c.split()).lower() for c in cells} & set(header_has))
            for _, cells in rows[:_HEADER_WITHIN]
        )
        for name, rows in filled.items()
    }
    best = [name for name, n in held.items() if n == max(held.values())]
    if len(best) > 1:
        raise DataError(
            Problem(
                f"the workbook has {len(filled)} sheets, and any of {', '.join(best)} may be meant.",
                str(path),
                "Name it: sheet = '…' of a source, or save it as a file of its own.",
            )
        )
    return filled[best[0]], (f"{path.name}: the sheet '{best[0]}' was read.",)


def _from_first_column(rows: list[NumberedRow]) -> list[NumberedRow]:
    """Return rows without the columns on the left that are blank in all of them."""
    first = min((next(i for i, c in enumerate(cells) if c) for _, cells in rows), default=0)
    return [(i, cells[first:]) for i, cells in rows] if first else rows


def _text(value: object) -> str:
    """Return a cell as text: whole numbers without a point, dates as 2012-04-30."""
    if isinstance(value, bool) or not isinstance(value, (int, float, date)):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat().replace("T00:00:00", "")
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


def below_header(rows: list[Row], cell: str, where: str) -> pd.DataFrame:
    """Return the rows under the header, which is the first row that holds `cell`.

    Headers are stripped; columns without one are dropped.
    """
    for i, row in enumerate(rows):
        header = [" ".join(str(v).split()) for v in row]
        if cell in header:
            frame = pd.DataFrame(rows[i + 1 :], columns=range(len(header)), dtype=object)
            kept = [k for k, name in enumerate(header) if name]
            frame = frame[kept]
            frame.columns = pd.Index([header[k] for k in kept])
            return frame
    raise DataError(
        Problem(f"no row holds the header '{cell}'.", where, "The publisher may have changed it.")
    )
