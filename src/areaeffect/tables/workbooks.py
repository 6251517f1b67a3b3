"""The rows of a workbook (xlsx, xls, ods), cell by cell as text."""

from __future__ import annotations

import html
import math
import re
import zipfile
from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from areaeffect.disk import ZIP_FAULTS
from areaeffect.errors import DataError, did_you_mean, number_of
from areaeffect.tables.text_rows import NumberedRow

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

Row = list[Any]
_HEADER_WITHIN = 100


def read_sheets(path: Path, sheets: Sequence[str] | None) -> dict[str, list[Row]]:
    """Read sheets as rows: those named, whatever their case, spaces and underscores, or all."""
    import python_calamine  # only workbooks need it

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        alike = {_plain(s): s for s in book.sheet_names}
        wanted = book.sheet_names if sheets is None else list(sheets)
        named = {s: s if s in book.sheet_names else alike.get(_plain(s), "") for s in wanted}
        missing = [s for s, name in named.items() if not name]
        if not missing:
            return {s: _cells_of(book, name, path) for s, name in named.items()}
    except (python_calamine.CalamineError, LookupError, *ZIP_FAULTS) as error:
        reason = str(error).splitlines()[0]
        fix = "Open it in a spreadsheet program and save it again, without a password, or as CSV."
        raise DataError(f"the workbook cannot be read: {reason}.", str(path), fix) from None
    near = did_you_mean(missing[0], book.sheet_names)
    fix = near or f"Sheets: {', '.join(book.sheet_names)}."
    raise DataError(f"there is no sheet '{missing[0]}'.", str(path), fix)


def _plain(sheet: str) -> str:
    return " ".join(sheet.replace("_", " ").casefold().split())


#: A cell of a sheet whose value is an error, and one with a formula that was never calculated.
_ERROR = re.compile(
    rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>(?:(?!</c>).)*?<v>([^<]*)</v>', re.DOTALL
)
_FORMULA = re.compile(
    rb'<c\b(?![^>]*\bt=)[^>]*\br="([A-Z]+)(\d+)"[^>]*>\s*<f[^>]*>([^<]*)</f>\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)


def _cells_of(book: CalamineWorkbook, name: str, path: Path) -> list[Row]:
    """Return the cells of a sheet, errors and formulas without a value as text.

    A text or date merged over several rows of one column holds for each of them; a number may be
    meant once.
    """
    sheet = book.get_sheet_by_name(name)
    rows: list[Row] = sheet.to_python(skip_empty_area=False)
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        for row in rows[top + 1 : bottom + 1 if left == right else 0]:
            row[left] = row[left] or (rows[top][left] if isinstance(rows[top][left], str | date) else "")
    text = _sheet_text(path, name)
    if b't="e"' not in text and b"<f" not in text:
        return rows
    found = [(*at, error.decode()) for *at, error in _ERROR.findall(text)]
    found += [(*at, f"={html.unescape(formula.decode())}") for *at, formula in _FORMULA.findall(text)]
    for letters, line, said in found:
        at = reduce(lambda total, letter: 26 * total + letter - 64, letters, 0) - 1
        if int(line) <= len(rows) and at < len(rows[int(line) - 1]):
            rows[int(line) - 1][at] = said
    return rows


def _sheet_text(path: Path, name: str) -> bytes:
    """Return the XML of a sheet of an xlsx file; nothing of another kind of workbook."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return b""
    with zipfile.ZipFile(path) as book:
        if "xl/_rels/workbook.xml.rels" not in book.namelist():
            return b""
        sheets = re.findall(rb"<sheet\b[^>]*>", book.read("xl/workbook.xml"))
        named = [dict(re.findall(rb'(?:\w+:)?(\w+)="([^"]*)"', sheet)) for sheet in sheets]
        own = next((s[b"id"] for s in named if html.unescape(s[b"name"].decode()) == name), b"")
        links = re.findall(rb"<Relationship\b[^>]*>", book.read("xl/_rels/workbook.xml.rels"))
        mine = next((link for link in links if b'Id="%b"' % own in link), b"")
        target = re.search(rb'Target="/?(?:xl/)?([^"]+)"', mine)
        return book.read(f"xl/{target[1].decode()}") if target else b""


def _hidden(path: Path, sheet: str, rows: Sequence[NumberedRow]) -> tuple[str, ...]:
    """Say that a sheet, or rows or columns of it, are hidden: they are read as the others are."""
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    text, width = _sheet_text(path, sheet), max((len(cells) for _, cells in rows), default=0)
    lines = len(re.findall(rb'<row\b[^>]*\bhidden="(?:1|true)"[^>]*(?<!/)>\s*<c', text))
    columns = 0  # of those that hold anything: beyond them a sheet may hide every column there is
    for col in re.findall(rb'<col\b[^>]*\bhidden="(?:1|true)"[^>]*>', text):
        first, last = (int(re.findall(rb'\b%b="(\d+)"' % end, col)[0]) for end in (b"min", b"max"))
        columns += max(0, min(last, width) - first + 1)
    said = [number_of(lines, "hidden row was", "hidden rows were")] if lines else []
    said += [number_of(columns, "hidden column was", "hidden columns were")] if columns else []
    notes = [f"{what} read like the others; delete what is not meant" for what in said]
    for other in CalamineWorkbook.from_path(path).sheets_metadata:
        if other.name == sheet and other.visible != SheetVisibleEnum.Visible:
            notes.insert(0, "the sheet is hidden in the workbook, and was read")
    return (f"{path.name}, sheet '{sheet}': {'; '.join(notes)}.",) if notes else ()


def sheet_rows(
    path: Path, sheet: str | None, header_has: Collection[str]
) -> tuple[list[NumberedRow], tuple[str, ...]]:
    """Read the one sheet of a workbook that is meant, as rows of text, and say which it is.

    Without a name it is the only sheet whose header holds most of `header_has`, in lower case.
    """
    filled: dict[str, list[NumberedRow]] = {}
    for name, cells_of in read_sheets(path, None if sheet is None else [sheet]).items():
        rows = [(i, cells) for i, row in enumerate(cells_of, 1) if any(cells := [_text(v) for v in row])]
        if rows:  # without the columns on the left that are blank in all of them
            first = min(next(i for i, c in enumerate(cells) if c) for _, cells in rows)
            filled[name] = [(i, cells[first:]) for i, cells in rows]
    if len(filled) <= 1:
        name, only = next(iter(filled.items()), ("", []))
        return only, _hidden(path, name, only) if only else ()
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
            f"the workbook has {len(filled)} sheets, and any of {', '.join(best)} may be meant.",
            str(path),
            "Name it: sheet = '…' of a source, or save it as a file of its own.",
        )
    said = f"{path.name}: the sheet '{best[0]}' was read."
    return filled[best[0]], (said, *_hidden(path, best[0], filled[best[0]]))


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
    raise DataError(f"no row holds the header '{cell}'.", where, "The publisher may have changed it.")
