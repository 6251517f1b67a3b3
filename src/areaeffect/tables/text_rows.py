"""The rows of a text file or a workbook, read strictly: nothing is swallowed or replaced."""

from __future__ import annotations

import codecs
import csv
import math
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean

#: A row's first line in the file (or its number in the sheet), and its cells.
NumberedRow = tuple[int, list[str]]
_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright bars"}
_SAMPLE = 200
#: Bytes that tell the kind of a file, and those read together of one that is large.
_START, _BLOCK = 200, 1 << 20
_MOST_CHARACTERS = 1_000_000
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NUL = "It may be UTF-16 without its mark, or be cut: save it again as UTF-8."
#: What other kinds of file begin with, whatever they are called.
_OTHER_KINDS = (
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a rich text document"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<table", "a web page"),
    (b"[{", "JSON"),
    (b'{"', "JSON"),
    (b"<?xml", "an XML file"),
    (b"\x1f\x8b", "a gzip file"),
)

csv.field_size_limit(_MOST_CHARACTERS)


@dataclass(frozen=True, slots=True)
class TextRows:
    """The rows of a text file."""

    rows: list[NumberedRow]  # all that are not blank, with the line each begins in
    delimiter: str  # what separates the cells
    blank: list[int]  # lines that hold nothing, ascending
    notes: tuple[str, ...]  # how the file was read, where that is not plain


def read_text_rows(path: Path, header_has: Collection[str]) -> TextRows:
    """Read a text file as rows of cells.

    Parameters
    ----------
    path : the file: UTF-8, UTF-16 or Windows-1252; any line ends; commas, semicolons, tabs or
        upright bars between cells.
    header_has : names of which the header holds some, in lower case: they settle the delimiter.

    Raises
    ------
    DataError
        Another kind of file; bytes of no known encoding, NUL characters and quotes that do not
        close or that take in further rows, each by its line.
    """
    return text_rows(path.read_bytes(), path, header_has)


def text_rows(raw: bytes, path: PurePath, header_has: Collection[str]) -> TextRows:
    """Read the bytes of a text file as rows of cells: `path` is what messages call it.

    Parameters
    ----------
    raw : the file.
    path, header_has : as in `read_text_rows`.

    Raises
    ------
    DataError
        As `read_text_rows`.
    """
    _refuse_other_kinds(raw, path)
    text, notes = _decoded(raw, path)
    text = text.lstrip("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise DataError(Problem("there is a NUL byte.", f"{path}, line {line}", _NUL))
    lines = text.split("\n")
    delimiter = _delimiter(lines, header_has)
    blank = [i + 1 for i, line in enumerate(lines) if not line.strip()]
    same: dict[str, str] = {}  # a table repeats its texts: each is kept once
    rows = [
        (line, [same.setdefault(cell, cell) for cell in row]) for line, row in _rows(lines, delimiter, path)
    ]
    return TextRows(rows, delimiter, blank, notes)


@contextmanager
def stream_text_rows(
    path: Path, header_has: Collection[str]
) -> Iterator[tuple[Iterator[NumberedRow], str, tuple[str, ...]]]:
    """Open a text file whose rows need not fit into memory: its rows, delimiter and notes.

    Parameters
    ----------
    path, header_has : as in `read_text_rows`.

    Raises
    ------
    DataError
        As `read_text_rows`.
    """
    encoding, notes = _encoding(path)
    with path.open(encoding=encoding) as file:
        lines = (line.removesuffix("\n") for line in file)
        first = list(islice(lines, _SAMPLE))
        delimiter = _delimiter(first, header_has)
        yield _rows(chain(first, lines), delimiter, path), delimiter, notes


def _refuse_other_kinds(raw: bytes, path: PurePath) -> None:
    start = raw[:_START].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, name in _OTHER_KINDS:
        if start.startswith(magic.lower()):
            fix = "Save the table as CSV or as a workbook."
            raise DataError(Problem(f"the file is {name}, not a table.", str(path), fix))


def _encoding(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the encoding of a file that is read block by block, and how it was read."""
    with path.open("rb") as file:
        start = file.read(_START)
    _refuse_other_kinds(start, path)
    if start.startswith(_UTF16):
        return "utf-16", (f"{path.name} is UTF-16; it was read as such.",)
    if _line_not_in("utf-8-sig", path) is None:
        return "utf-8-sig", ()
    line = _line_not_in("cp1252", path)
    if line is not None:
        what = "neither UTF-8 nor Windows-1252."
        raise DataError(Problem(what, f"{path}, line {line}", "Save it as UTF-8."))
    return "cp1252", (f"{path.name} is not UTF-8; it was read as Windows-1252.",)


def _line_not_in(encoding: str, path: Path) -> int | None:
    """Return the first line that is not of an encoding, None where all are; refuse a NUL byte."""
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return line + block[: error.start].count(b"\n")
            if b"\x00" in block:
                line += block[: block.index(b"\x00")].count(b"\n")
                what = "there is a NUL byte."
                raise DataError(Problem(what, f"{path}, line {line}", _NUL))
            line += block.count(b"\n")
    return None


def _decoded(raw: bytes, path: PurePath) -> tuple[str, tuple[str, ...]]:
    if raw.startswith(_UTF16):
        try:
            return raw.decode("utf-16"), (f"{path.name} is UTF-16; it was read as such.",)
        except UnicodeDecodeError:
            raise DataError(
                Problem("the file begins as UTF-16 but is not.", str(path), "Save it as UTF-8.")
            ) from None
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp1252"), (f"{path.name} is not UTF-8; it was read as Windows-1252.",)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(
            Problem("neither UTF-8 nor Windows-1252.", f"{path}, line {line}", "Save it as UTF-8.")
        ) from None


def _delimiter(lines: list[str], header_has: Collection[str]) -> str:
    """Return the delimiter under which most of the first lines are of one width.

    A first line that names it, 'sep=;', is blanked.
    """
    named = re.fullmatch(r'"?sep=(.)"?', lines[0].strip("\r ")) if lines else None
    if named:
        lines[0] = ""
        return named[1]

    def fit(delimiter: str) -> tuple[bool, int, int]:
        sample = islice((line for line in lines if line.strip()), _SAMPLE)
        try:
            rows = list(csv.reader(sample, delimiter=delimiter))
        except csv.Error:
            return False, 0, 0
        widths = [len(row) for row in rows]
        usual = max(set(widths), key=widths.count, default=1)
        names = any(cell.strip().lower() in header_has for row in rows for cell in row)
        return names, widths.count(usual) if usual > 1 else 0, usual

    return max(_DELIMITERS, key=fit)


def _rows(lines: Iterable[str], delimiter: str, path: PurePath) -> Iterator[NumberedRow]:
    """Yield rows that are not blank; refuse quotes that do not mean what they say."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True)
    first = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(_quote_problem(first, reader.line_num, str(error), path)) from None
        if reader.line_num > first:
            _refuse_swallowed(row, first, reader.line_num, delimiter, path)
        if row and (row[0].strip() or any(cell and not cell.isspace() for cell in row)):
            yield first, row
        first = reader.line_num + 1


def _quote_problem(first: int, last: int, error: str, path: PurePath) -> Problem:
    if "field larger" in error:
        what = f"a cell has more than {_MOST_CHARACTERS:,} characters; a quote may not be closed."
        return Problem(what, f"{path}, line {first}", "Close the quote, or shorten the cell.")
    if "end of data" in error:
        what = f"a quote opens here and is never closed (the file ends in line {last})."
        return Problem(what, f"{path}, line {first}", "Remove it, or close it.")
    what = "there is text after a closing quote."
    fix = 'Remove the quote, or double it inside quotes: "the ""old"" one".'
    return Problem(what, f"{path}, line {first}" + (f" to {last}" if last > first else ""), fix)


def _refuse_swallowed(row: list[str], first: int, last: int, delimiter: str, path: PurePath) -> None:
    """Refuse a quoted cell over several lines of which one looks like a row of its own."""
    for cell in row:
        inner = cell.split("\n")[1:]
        if any(line.count(delimiter) >= max(1, len(row) - 1) for line in inner):
            what = f"a quote opens here and includes the rows to line {last}."
            fix = "Remove the quote, or close it in its own line."
            raise DataError(Problem(what, f"{path}, line {first}", fix))


def delimiter_name(delimiter: str) -> str:
    """Return what a delimiter is called."""
    return _NAMES.get(delimiter, f"'{delimiter}'")


Row = list[Any]
_HEADER_WITHIN = 100


def read_sheets(path: Path, sheets: Sequence[str] | None) -> dict[str, list[Row]]:
    """Read sheets as lists of rows; an empty cell is the empty text.

    Parameters
    ----------
    path : the workbook.
    sheets : which, whatever their case, spaces and underscores; None for all.

    Raises
    ------
    DataError
        Not a workbook, or a sheet is missing.
    """
    import python_calamine  # only workbooks need it

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        alike = {_plain(s): s for s in book.sheet_names}
        wanted = book.sheet_names if sheets is None else list(sheets)
        named = {s: s if s in book.sheet_names else alike.get(_plain(s), "") for s in wanted}
        missing = [s for s, name in named.items() if not name]
        if not missing:
            return {s: book.get_sheet_by_name(n).to_python(skip_empty_area=False) for s, n in named.items()}
    except (python_calamine.CalamineError, OSError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0]
        raise DataError(Problem(f"the workbook cannot be read: {reason}", str(path))) from None
    near = did_you_mean(missing[0], book.sheet_names)
    fix = near or f"Sheets: {', '.join(book.sheet_names)}."
    raise DataError(Problem(f"there is no sheet '{missing[0]}'.", str(path), fix))


def _plain(sheet: str) -> str:
    return " ".join(sheet.replace("_", " ").casefold().split())


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
