"""The rows of a text file, read strictly: nothing is swallowed or replaced."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice, repeat
from operator import add
from pathlib import Path, PurePath

from areaeffect.errors import DataError, Problem

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
