"""Sheets of a workbook (xlsx, xls, ods) as plain rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Row = list[Any]


def read_sheets(path: Path, sheets: Sequence[str]) -> dict[str, list[Row]]:
    """Read sheets as lists of rows; an empty cell is the empty text.

    Raises
    ------
    DataError
        Not a workbook, or a sheet is missing.
    """
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        missing = [s for s in sheets if s not in book.sheet_names]
        if not missing:
            return {s: book.get_sheet_by_name(s).to_python(skip_empty_area=False) for s in sheets}
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(Problem(f"the workbook cannot be read: {reason}", str(path))) from None
    near = did_you_mean(missing[0], book.sheet_names)
    fix = near or f"Sheets: {', '.join(book.sheet_names)}."
    raise DataError(Problem(f"there is no sheet '{missing[0]}'.", str(path), fix))


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
