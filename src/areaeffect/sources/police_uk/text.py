"""From a file's bytes to numbered lines: encoding, header, and rows no CSV reader should see.

Each row is prefixed with the number of its file and its line, so that a rejected row can always
be named. A row with a NUL byte or an unclosed quote would swallow its neighbours: it is
rejected here and a mark put in its place.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from areaeffect.errors import DataError, Problem, did_you_mean, repeated

#: The publisher's header, in its order.
HEADER = (
    "Crime ID",
    "Month",
    "Reported by",
    "Falls within",
    "Longitude",
    "Latitude",
    "Location",
    "LSOA code",
    "LSOA name",
    "Crime type",
    "Last outcome category",
    "Context",
)
_MARKS_OF_OTHERS = {"Outcome type": "an outcomes file", "Object of search": "a stop-and-search file"}
_TEXT_LIMIT = 300
#: How a row begins whose Crime ID is blank.
_NO_ID = (b",", b'"",')
_LONE_RETURN = re.compile(rb"\r(?!\n)")
#: Line numbers as text, as far as a file has reached.
_LINES: list[bytes] = []
REPEATED = "the same record is there again under the same Crime ID"


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that is not used: its line, the reason, and its text."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """A file's rows ready for the CSV reader."""

    lines: bytes  # rows to parse, as `file,line,<the row>`; UTF-8, one a line.
    n_rows: int  # rows with anything in them, the header left out
    rejected: tuple[Rejected, ...]  # rows taken out here
    note: str  # remark on the encoding; empty for plain UTF-8.


def number_lines(data: bytes, file: int, where: str) -> Numbered:
    """Decode a file, check its header and number its rows.

    Parameters
    ----------
    data : the file as found.
    file : its number.
    where : its name in messages.

    Raises
    ------
    DataError
        Empty, of unknown encoding, or without the publisher's header.
    """
    text, note = _as_utf8(data, where)
    if not text or text.isspace():
        raise DataError("the file is empty.", where, "Download it again.")
    rows = _with_line_feeds(text).split(b"\n")
    _check_header(rows[0], where)
    if len(rows) > 1 and rows[-1].strip() and rows[-1].count(b",") < len(HEADER) - 1:
        what = "the file ends within a row: it is cut short."
        raise DataError(what, f"{where}, line {len(rows)}", "Download it again.")
    rejected = _unreadable(rows) if b'"' in text or b"\x00" in text else {}
    rejected |= _repeated(rows[1:])
    if not rows[-1]:
        rows.pop()  # what follows the last line feed
    lines: Sequence[int] = range(2, len(rows) + 1)
    if rejected or not all(rows):
        lines = [i for i in lines if rows[i - 1] and i not in rejected]
    found = tuple(
        Rejected(line, reason, shorten(rows[line - 1].decode("utf-8"))) for line, reason in rejected.items()
    )
    return Numbered(_prefix(file, lines, rows), len(lines) + len(found), found, note)


def _with_line_feeds(text: bytes) -> bytes:
    """Return text whose lines end with one line feed, whatever they ended with."""
    if _LONE_RETURN.search(text):
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.replace(b"\r", b"")  # an eighth of the time of the general way


def _prefix(file: int, lines: Sequence[int], rows: list[bytes]) -> bytes:
    """Return `file,line,row` for some lines; the three alternate in one join."""
    if not lines:
        return b""
    while len(_LINES) <= lines[-1]:  # written once for all files
        _LINES.append(b"%d," % len(_LINES))
    is_all = len(lines) == len(rows) - 1
    parts = [b"\n%d," % file] * (3 * len(lines))
    parts[1::3] = _LINES[2 : len(rows) + 1] if is_all else [_LINES[line] for line in lines]
    parts[2::3] = rows[1:] if is_all else [rows[line - 1] for line in lines]
    return b"".join(parts)[1:] + b"\n"


def shorten(row: str) -> str:
    """Return a row as it is listed: printable and not too long."""
    clean = row.replace("\x00", "\\0")
    return clean if len(clean) <= _TEXT_LIMIT else clean[: _TEXT_LIMIT - 1] + "…"


def _unreadable(rows: list[bytes]) -> dict[int, str]:
    found = {}
    for line, row in enumerate(rows[1:], 2):
        if b"\x00" in row:
            found[line] = "there is a NUL byte"
        elif row.count(b'"') % 2:
            found[line] = "a quote is not closed"
    return found


def _repeated(rows: list[bytes]) -> dict[int, str]:
    """Find records, from line 2 on, that are there again, field by field, under one Crime ID.

    Without an ID (anti-social behaviour) identical rows are different incidents.
    """
    with_id = [row for row in rows if row >= b"-" or row < b","]  # not a comma first, in half the time
    if len(set(with_id)) == len(with_id):
        return {}
    found: dict[int, str] = {}
    seen: set[bytes] = set()
    for line, row in enumerate(rows, 2):
        is_record = row.count(b",") >= len(HEADER) - 1
        if is_record and not row.startswith(_NO_ID):
            if row in seen:
                found[line] = REPEATED
            seen.add(row)
    return found


def _as_utf8(data: bytes, where: str) -> tuple[bytes, str]:
    """Bring bytes to UTF-8 without a mark; say so where they were something else."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _utf16(data, "utf-16", where)
    if data[:1] == b"C" and data[1:2] == b"\x00":
        return _utf16(data, "utf-16-le", where)
    if data[:1] == b"\x00" and data[1:2] == b"C":
        return _utf16(data, "utf-16-be", where)
    if data.isascii():
        return data, ""
    note = ""
    if data.startswith(codecs.BOM_UTF8):
        data, note = data[len(codecs.BOM_UTF8) :], "it begins with a byte-order mark"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return data, note
    try:
        return data.decode("cp1252").encode(), "it was read as Windows-1252"
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            "the text is neither UTF-8 nor Windows-1252.", f"{where}, line {line}", "Download the file again."
        ) from None


def _utf16(data: bytes, encoding: str, where: str) -> tuple[bytes, str]:
    try:
        return data.decode(encoding).encode(), "it was read as UTF-16"
    except UnicodeError:
        raise DataError("the file begins as UTF-16 but is not.", where, "Download it again.") from None


def _check_header(line: bytes, where: str) -> None:
    place = f"{where}, line 1"
    if b"\x00" in line:
        raise DataError("there is a NUL byte.", place, "Download the file again.")
    found = next(csv.reader([line.decode("utf-8")]), [])
    if tuple(found) == HEADER:
        return
    for column, what in _MARKS_OF_OTHERS.items():
        if column in found:
            raise DataError(f"this is {what}, not street-level crime.", place, "Give street files.")
    known = set(found) & set(HEADER)
    if len(known) < len(HEADER) // 3:
        raise DataError("the header is missing.", place, f"It must be: {','.join(HEADER)}.")
    if sorted(found) == sorted(HEADER):
        raise DataError("the columns are in another order.", place, f"It is: {','.join(HEADER)}.")
    absent = [c for c in HEADER if c not in found]
    extra = [c for c in found if c not in HEADER]
    problems = [Problem(f"column '{c}' appears twice.", place) for c in repeated(found)]
    problems += [Problem(f"column '{c}' is missing.", place, _instead(c, extra)) for c in absent]
    if not absent:
        problems += [Problem(f"column '{c}' is not one of the publisher's.", place) for c in extra]
    raise DataError(problems)


def _instead(column: str, extra: list[str]) -> str:
    near = did_you_mean(column, extra).removeprefix("Did you mean ").rstrip("?")
    if near:
        return f"There is {near}, which is not the publisher's."
    return f"Not the publisher's: {', '.join(map(repr, extra))}." if extra else ""
