"""From a file's bytes to checked incidents: lines are numbered, then checked in one pass of DuckDB.

A row with a NUL byte or an open quote would swallow its neighbours: it is taken out before. The quote
character is stated: an engine that guesses it can shift rows without an error.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from areaeffect.errors import DataError, Problem, did_you_mean, repeated
from areaeffect.sources.police_uk.categories import read_categories

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
#: How a file of UTF-16 begins: with a mark, or with the C of the header.
_UTF16 = {
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"C\x00": "utf-16-le",
    b"\x00C": "utf-16-be",
}
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
    """Decode a file, check its header and number its rows."""
    text, note = _as_utf8(data, where)
    if not text or text.isspace():
        raise DataError("the file is empty.", where, "Download it again.")
    if _LONE_RETURN.search(text):
        text = text.replace(b"\r\n", b"\n")
        text = text.replace(b"\r", b"\n")
    else:
        text = text.replace(b"\r", b"")  # an eighth of the time of the general way
    rows = text.split(b"\n")
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
    for start, encoding in _UTF16.items():
        if data.startswith(start):
            try:
                return data.decode(encoding).encode(), "it was read as UTF-16"
            except UnicodeError:
                what = "the file begins as UTF-16 but is not."
                raise DataError(what, where, "Download it again.") from None
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
    for column in absent:
        near = did_you_mean(column, extra).removeprefix("Did you mean ").rstrip("?")
        others = f"Not the publisher's: {', '.join(map(repr, extra))}." if extra else ""
        fix = f"There is {near}, which is not the publisher's." if near else others
        problems.append(Problem(f"column '{column}' is missing.", place, fix))
    if not absent:
        problems += [Problem(f"column '{c}' is not one of the publisher's.", place) for c in extra]
    raise DataError(problems)


#: What the engine may hold; it goes to disk beyond (the target is 1.5 GB for the whole process).
MEMORY_LIMIT = "700MB"
#: Files written at the same time.
WRITERS = 2
_COLUMNS = {
    "file": "INTEGER",
    "line": "INTEGER",
    "crime_id": "VARCHAR",
    "month_in_row": "VARCHAR",
    "reported_by": "VARCHAR",
    "falls_within": "VARCHAR",
    "longitude": "DOUBLE",
    "latitude": "DOUBLE",
    "location": "VARCHAR",
    "area_code": "VARCHAR",
    "area_name": "VARCHAR",
    "crime_type": "VARCHAR",
    "last_outcome": "VARCHAR",
    "context": "VARCHAR",
}
_PREFIX = 2  # columns that `number_lines` put before the publisher's

# Lists instead of joins, so that rows stay in the order of the text, which is that of the files.
# The limits hold the United Kingdom with its sea: west, east, south, north.
_CHECK = """
CREATE OR REPLACE TABLE checked AS
SELECT
    r.* EXCLUDE (month_in_file),
    $categories[list_position($labels, r.crime_type)] AS category,
    CASE
        WHEN r.month_in_row = r.month_in_file AND r.crime_type IS NOT NULL
            AND r.longitude BETWEEN -9 AND 2.5 AND r.latitude BETWEEN 49 AND 61.5
            AND (r.area_code IS NULL OR regexp_full_match(r.area_code, '[EWS]01\\d{6}'))
            THEN NULL  -- most rows: what follows is not asked of them
        WHEN r.month_in_row IS NULL THEN 'the month is blank'
        WHEN r.month_in_row <> r.month_in_file AND NOT regexp_full_match(
            r.month_in_row, '\\d{4}-(0[1-9]|1[0-2])')
            THEN 'the month is not a month (''' || r.month_in_row || ''')'
        WHEN r.month_in_row <> r.month_in_file
            THEN 'the month is ' || r.month_in_row || ', the file is of ' || r.month_in_file
        WHEN r.longitude IS NULL AND r.latitude IS NOT NULL THEN 'the longitude is blank'
        WHEN r.longitude IS NOT NULL AND r.latitude IS NULL THEN 'the latitude is blank'
        WHEN r.longitude BETWEEN 49 AND 61.5 AND r.latitude BETWEEN -9 AND 2.5
            THEN 'longitude and latitude are swapped'
        WHEN r.longitude NOT BETWEEN -9 AND 2.5 OR r.latitude NOT BETWEEN 49 AND 61.5
            THEN 'the coordinates are outside the United Kingdom'
        WHEN r.area_code IS NOT NULL AND NOT regexp_full_match(
            r.area_code, '[EWS]01\\d{6}|95[A-Z]{2}\\d{2}[A-Z]\\d|N\\d{8}')
            THEN '''' || left(r.area_code, 20) || ''' is not an LSOA code'
        WHEN r.crime_type IS NULL THEN 'the crime type is blank'
    END AS reason
FROM (
    SELECT *, $months[list_position($numbers, file)] AS month_in_file
    FROM read_csv($path, header = false, auto_detect = false, delim = ',', quote = '"',
        escape = '"', new_line = '\\n', columns = $columns, store_rejects = true,
        rejects_limit = 0, parallel = false)
) AS r
"""
_UNKNOWN = """
SELECT crime_type, file, min(line), count(*) FROM checked
WHERE reason IS NULL AND category IS NULL
GROUP BY crime_type, file ORDER BY crime_type, file
"""
_REFUSED = """
SELECT file, line, reason,
    concat_ws(',', coalesce(crime_id, ''), coalesce(month_in_row, ''),
        coalesce(longitude::VARCHAR, ''), coalesce(latitude::VARCHAR, ''),
        coalesce(location, ''), coalesce(area_code, ''), coalesce(crime_type, ''))
FROM checked WHERE reason IS NOT NULL ORDER BY file, line
"""
_UNPARSED = """
SELECT csv_line, error_type::VARCHAR, column_name, column_idx FROM reject_errors
ORDER BY csv_line, column_idx
"""
_KEPT = """
SELECT file, count(*), count(*) FILTER (area_code IS NULL),
    count(*) FILTER (area_code IS NULL AND longitude IS NOT NULL), histogram(category),
    coalesce(mode(falls_within), '')
FROM checked WHERE reason IS NULL GROUP BY file
"""
# The fastest level: half of the bytes are identities that no level makes smaller.
_INCIDENTS = """
COPY (SELECT line, crime_id, reported_by, falls_within, longitude, latitude, location,
    area_code, area_name, crime_type, category, last_outcome, context
FROM checked WHERE file = $file AND reason IS NULL)
TO $path (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880)
"""
_REASONS = {
    "MISSING COLUMNS": "the row has too few fields",
    "TOO MANY COLUMNS": "the row has too many fields",
    "UNQUOTED VALUE": "a quote is in the wrong place",
    "LINE SIZE OVER MAXIMUM": "the row is too long",
    "INVALID ENCODING": "the text is not UTF-8",
}


@dataclass(frozen=True, slots=True)
class RowsUsed:
    """Rows of one file that are used."""

    rows: int  # all
    #: not_located, with_point_only: those without an area, and of these those with a point
    not_located: int
    with_point_only: int
    categories: dict[str, int]  # rows of each category
    police: str  # who most of them fall within, as the file says it: 'Cleveland Police'


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open an engine that spills into `folder` and keeps rows in order."""
    connection = duckdb.connect()
    connection.execute("SET memory_limit = $limit", {"limit": MEMORY_LIMIT})
    connection.execute("SET temp_directory = $folder", {"folder": str(folder)})
    connection.execute("SET preserve_insertion_order = true")  # the order of rows rests on it
    connection.execute("SET enable_progress_bar = false")  # the command shows its own
    return connection


def load(
    connection: duckdb.DuckDBPyConnection, path: Path, files: Sequence[tuple[int, str]], where: Sequence[str]
) -> dict[int, list[Rejected]]:
    """Read numbered lines into the table `checked`, and return the rows it does not use, by file number.

    `files` are number and month of each, `where` their names in messages. Rows with a `reason` stay in
    `checked` and are not used; crime types that the table of categories does not hold are refused.
    """
    connection.execute("DROP TABLE IF EXISTS reject_errors")
    connection.execute("DROP TABLE IF EXISTS reject_scans")
    known = read_categories()
    given = {
        "path": str(path),
        "columns": _COLUMNS,
        "numbers": [number for number, _ in files],
        "months": [month for _, month in files],
        "labels": [c.label for c in known],
        "categories": [c.category for c in known],
    }
    connection.execute(_CHECK, given)
    name_of = {number: name for (number, _), name in zip(files, where, strict=True)}
    _refuse_unknown(connection.execute(_UNKNOWN).fetchall(), name_of)
    rejected: dict[int, list[Rejected]] = {}
    for file, line, reason, text in connection.execute(_REFUSED).fetchall():
        rejected.setdefault(file, []).append(Rejected(line, reason, shorten(text)))
    for file, found in _unparsed(connection.execute(_UNPARSED).fetchall()):
        rejected.setdefault(file, []).append(found)
    return rejected


def kept(connection: duckdb.DuckDBPyConnection) -> dict[int, RowsUsed]:
    """Return by file number what is used of its rows."""
    return {file: RowsUsed(*counts) for file, *counts in connection.execute(_KEPT).fetchall()}


def write_incidents(connection: duckdb.DuckDBPyConnection, paths: Mapping[int, Path]) -> None:
    """Write each file's incidents in its order; the same rows give the same bytes."""

    def write(item: tuple[int, Path]) -> None:
        number, path = item
        connection.cursor().execute(_INCIDENTS, {"file": number, "path": str(path)})

    with ThreadPoolExecutor(WRITERS) as pool:  # one file is too small to keep the engine busy
        list(pool.map(write, paths.items()))


def _refuse_unknown(rows: Iterable[tuple[str, int, int, int]], name_of: dict[int, str]) -> None:
    labels = [c.label for c in read_categories()]
    seen: set[str] = set()
    problems = []
    for label, file, line, count in rows:
        if label not in seen:
            seen.add(label)
            near = did_you_mean(label, labels)
            problems.append(
                Problem(
                    f"crime type '{label}' is unknown ({count} rows).",
                    f"{name_of[file]}, line {line}",
                    f"{near} Known types are in categories.csv of the source.".strip(),
                )
            )
    if problems:
        raise DataError(problems)


def _unparsed(rows: Iterable[tuple[str, str, str | None, int]]) -> list[tuple[int, Rejected]]:
    """Rows that are no row: the first error of each, with the line it was numbered with."""
    found: dict[tuple[int, int], Rejected] = {}
    for text, kind, column, index in rows:
        file, line, row = (*text.rstrip("\n").split(",", _PREFIX), "")[:3]
        reason = _REASONS.get(kind, "the row cannot be read")
        if kind == "CAST":
            name = HEADER[index - 1 - _PREFIX] if index > _PREFIX else str(column)
            reason = f"{name.lower()} is not a number"
        key = (int(file), int(line))
        found.setdefault(key, Rejected(key[1], reason, shorten(row)))
    return [(file, rejected) for (file, _), rejected in sorted(found.items())]
