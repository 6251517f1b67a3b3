"""From numbered lines to checked incidents, in DuckDB: one pass, every reject with its line.

The quote character is stated: an engine that guesses it can shift rows without an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.sources.police_uk.categories import read_categories
from areaeffect.sources.police_uk.text import HEADER, Rejected, shorten

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
    """Read numbered lines into the table `checked`, and return the rows it does not use.

    Parameters
    ----------
    connection : from `connect`.
    path : numbered lines of one or more files.
    files : (number, month) of each.
    where : their names in messages, in the same order.

    Returns
    -------
    dict
        Rejected rows by file number. Rows with a `reason` stay in `checked` and are not used.

    Raises
    ------
    DataError
        Crime types that the table of categories does not hold, each with its name.
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


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of the rows of the last batch."""
    connection.execute("DROP TABLE IF EXISTS checked")


def write_incidents(connection: duckdb.DuckDBPyConnection, paths: Mapping[int, Path]) -> None:
    """Write each file's incidents in its order; the same rows give the same bytes.

    Parameters
    ----------
    connection : holds the table `checked`.
    paths : file number to where its incidents go.
    """

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
