"""The rows of a text file or a workbook (xlsx, xls, ods), read strictly: nothing is swallowed or replaced."""

from __future__ import annotations

import codecs
import csv
import html
import math
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from itertools import chain, islice, repeat
from operator import add
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import pandas as pd

from areaeffect.disk import ZIP_FAULTS
from areaeffect.errors import DataError, Problem, did_you_mean, number_of

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

#: A row's first line in the file (or its number in the sheet), and its cells.
NumberedRow = tuple[int, Sequence[str]]
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright bars"}
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

    rows: Sequence[NumberedRow]  # all that are not blank, with the line each begins in
    delimiter: str  # what separates the cells
    blank: list[int]  # lines that hold nothing, ascending
    notes: tuple[str, ...]  # how the file was read, where that is not plain


def read_text_rows(path: Path, header_has: Collection[str]) -> TextRows:
    """Read a text file as rows of cells: UTF-8, UTF-16 or Windows-1252, with any line ends.

    Commas, semicolons, tabs or upright bars are between cells; names that the header has, in lower
    case, settle which. Another kind of file, other bytes, NUL characters and quotes that do not close
    or that take in further rows are refused by their line.
    """
    return text_rows(path.read_bytes(), path, header_has)


def text_rows(raw: bytes, path: PurePath, header_has: Collection[str]) -> TextRows:
    """Read the bytes of a text file as `read_text_rows` does; `path` is what messages call it."""
    _refuse_other_kinds(raw, path)
    text, notes = _decoded(raw, path)
    text = text.lstrip("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise DataError("there is a NUL byte.", f"{path}, line {line}", _NUL)
    lines = text.split("\n")
    delimiter = _delimiter(lines, header_has)
    blank = [i + 1 for i, line in enumerate(lines) if not line.strip()]
    same: dict[str, str] = {}  # a table repeats its texts: each is kept once
    # tuples: half the time, because the garbage collector need not walk a tuple of texts again
    rows = [(line, tuple(map(same.setdefault, row, row))) for line, row in _rows(lines, delimiter, path)]
    return TextRows(rows, delimiter, blank, notes)


@contextmanager
def stream_text_rows(
    path: Path, header_has: Collection[str]
) -> Iterator[tuple[Iterator[NumberedRow], str, tuple[str, ...]]]:
    """Open a text file whose rows need not fit into memory: its rows, delimiter and notes."""
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
            raise DataError(f"the file is {name}, not a table.", str(path), fix)


def _encoding(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the encoding of a file that is read block by block, and how it was read."""
    with path.open("rb") as file:
        start = file.read(_START)
    _refuse_other_kinds(start, path)
    if start.startswith(_UTF16):
        if (line := _line_not_in("utf-16", path)) is not None:
            what = "the file begins as UTF-16 but is not."
            raise DataError(what, f"{path}, line {line}", "Save it as UTF-8.")
        return "utf-16", (f"{path.name} is UTF-16; it was read as such.",)
    if _line_not_in("utf-8-sig", path) is None:
        return "utf-8-sig", ()
    line = _line_not_in("cp1252", path)
    if line is not None:
        what = "neither UTF-8 nor Windows-1252."
        raise DataError(what, f"{path}, line {line}", "Save it as UTF-8.")
    return "cp1252", (f"{path.name} is not UTF-8; it was read as Windows-1252.",)


def _line_not_in(encoding: str, path: Path) -> int | None:
    """Return the first line that is not of an encoding, None where all are; refuse a NUL byte."""
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    with path.open("rb") as file:
        block = b"not read yet"
        while block:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return line + block[: error.start].count(b"\n")
            if "\x00" in text:
                line += text[: text.index("\x00")].count("\n")
                what = "there is a NUL byte."
                raise DataError(what, f"{path}, line {line}", _NUL)
            line += text.count("\n")
    return None


def _decoded(raw: bytes, path: PurePath) -> tuple[str, tuple[str, ...]]:
    if raw.startswith(_UTF16):
        try:
            return raw.decode("utf-16"), (f"{path.name} is UTF-16; it was read as such.",)
        except UnicodeDecodeError:
            raise DataError("the file begins as UTF-16 but is not.", str(path), "Save it as UTF-8.") from None
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp1252"), (f"{path.name} is not UTF-8; it was read as Windows-1252.",)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(
            "neither UTF-8 nor Windows-1252.", f"{path}, line {line}", "Save it as UTF-8."
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

    return max(DELIMITERS, key=fit)


def _rows(lines: Iterable[str], delimiter: str, path: PurePath) -> Iterator[NumberedRow]:
    """Yield rows that are not blank; refuse quotes that do not mean what they say."""
    reader = csv.reader(map(add, lines, repeat("\n")), delimiter=delimiter, strict=True)
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


def _refuse_swallowed(row: Sequence[str], first: int, last: int, delimiter: str, path: PurePath) -> None:
    """Refuse a quoted cell over several lines of which one looks like a row of its own."""
    for cell in row:
        inner = cell.split("\n")[1:]
        if any(line.count(delimiter) >= max(1, len(row) - 1) for line in inner):
            what = f"a quote opens here and includes the rows to line {last}."
            fix = "Remove the quote, or close it in its own line."
            raise DataError(what, f"{path}, line {first}", fix)


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
