"""Large files that DuckDB reads: postcodes, collisions, sales; and tables saved from Stat-Xplore.

A directory of postcodes is a zip with one CSV of the whole country (1.5 GB) beside many others. It is
read as it unpacks; nothing is written to the disk.
"""

from __future__ import annotations

import calendar
import csv
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

import duckdb
import pandas as pd

from areaeffect.disk import ZIP_FAULTS
from areaeffect.errors import DataError, Problem
from areaeffect.sources.publishers.layouts import LEFT_OUT, renamed
from areaeffect.sources.publishers.releases import CODE_PATTERNS, ReleaseFile, find_release

if TYPE_CHECKING:
    from areaeffect.sources.publishers.layouts import Laid

#: Release whose file this is.
RELEASE = "postcodes"
#: What the publisher calls its columns, the newest name first.
POSTCODE, AREA = ("pcds", "pcd"), ("lsoa21cd", "lsoa21")
#: The CSV of the whole country; those of single postcode areas lie in folders below it.
_WHOLE = r"(?:Data/)?(?:ONSPD|NSPL(?:\d\d|_\d{4})?)_[A-Z]{3}_\d{4}_UK\.csv"
_SHOWN = 12
_BLOCK = 1 << 20
_DIRECTORY = """
SELECT {} FROM read_csv($pipe, columns = $columns, auto_detect = false, header = false, delim = ',',
    quote = '"', strict_mode = true, null_padding = false)
"""


def plain_postcode(text: str) -> str:
    """Return a postcode in capitals without spaces."""
    return "".join(text.split()).upper()


def read_directory(path: Path, choose: Callable[[Sequence[str]], Sequence[str]]) -> pd.DataFrame:
    """Read some columns of a directory of postcodes (a publisher's zip, or its CSV) as text.

    `choose` receives the header, and returns the columns that are wanted, at least one; they come in
    this order, '' where empty.

    Raises
    ------
    DataError
        No such CSV in the zip, a damaged file, a file that is no table.
    """
    try:
        with _opened(path) as file:
            header = file.readline().decode("utf-8-sig", "replace").strip()
            names = [name.strip().strip('"') for name in header.split(",")]
            return _read(file, names, choose(names))
    except (*ZIP_FAULTS, ValueError, duckdb.Error) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        what = f"the directory of postcodes cannot be read: {reason}."
        raise DataError(what, str(path), "Fetch or download it again.") from None


def _read(file: IO[bytes], names: Sequence[str], wanted: Sequence[str]) -> pd.DataFrame:
    """Read columns of a CSV without its header, which DuckDB takes through a pipe as it unpacks."""
    reads, writes = os.pipe()

    def feed() -> None:
        with suppress(BrokenPipeError), os.fdopen(writes, "wb") as out:
            shutil.copyfileobj(file, out, _BLOCK)

    with ThreadPoolExecutor(1) as pool, duckdb.connect() as engine:
        engine.execute("SET enable_progress_bar = false")
        fed = pool.submit(feed)
        try:
            columns = ", ".join(f'coalesce("{name}", \'\') AS "{name}"' for name in wanted)
            given = {"pipe": f"/dev/fd/{reads}", "columns": dict.fromkeys(names, "VARCHAR")}
            found: pd.DataFrame = engine.execute(_DIRECTORY.format(columns), given).df()
        finally:
            os.close(reads)
        fed.result()
    return found


def read_postcodes(_file: ReleaseFile, path: Path) -> Laid:
    """Read which area each row of a directory of postcodes lies in."""
    found = read_directory(path, lambda names: [column_of(path, names, AREA)]).set_axis(["area"], axis=1)
    return found, len(found)


@lru_cache(maxsize=1)
def placed_postcodes(path: Path) -> pd.DataFrame:
    """Return every postcode that has an LSOA, in use or not: columns `postcode` and `area`."""
    found = read_directory(path, lambda names: [column_of(path, names, c) for c in (POSTCODE, AREA)])
    found.columns = pd.Index(["postcode", "area"])
    found["postcode"] = found["postcode"].map(plain_postcode)
    return found[found["area"] != ""]


def column_of(path: Path, names: Sequence[str], known: Sequence[str]) -> str:
    """Return the column of a directory that has one of the known names; refuse it without."""
    found = next((n for k in known for n in names if n.lower() == k), None)
    if found is None:
        one = " or ".join(f"'{k}'" for k in known)
        there = ", ".join(f"'{n}'" for n in names[:_SHOWN])
        what = f"the publisher may have changed the directory of postcodes: it has no column {one}."
        raise DataError(what, str(path), f"It has {there}.")
    return found


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open the CSV of the whole country."""
    if path.suffix.lower() != ".zip" and not zipfile.is_zipfile(path):
        with path.open("rb") as plain:
            yield plain
        return
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        whole = [n for n in names if re.fullmatch(_WHOLE, n)]
        if len(whole) != 1:
            what = "the zip holds no single directory of postcodes of the whole country."
            raise DataError(what, str(path), f"It holds: {', '.join(names[:_SHOWN])}.")
        with archive.open(whole[0]) as member:
            yield member


_NOTES = " - Annotations"
_MARK = re.compile(r"\s*\((?:p|r)\)$")  # provisional, revised
_MONTH = re.compile(r"(\w+) (\d{4})")
_MONTHS = {name: f"{i:02d}" for i, name in enumerate(calendar.month_name) if i}


def read_stat_xplore(file: ReleaseFile, path: Path) -> Laid:
    """Read a saved table: a row an area by name, a column a period, one of notes after each.

    The header is the row whose first cell is `file.period` ('Month', 'Year'); lines before it are
    about the table, rows of one cell are headings and notes. A row of totals is left out.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        raise DataError("the file is not UTF-8.", str(path), "Save it again.") from None
    start = next((i for i, r in enumerate(rows) if r and r[0].strip() == file.period), None)
    if start is None:
        what = f"no row begins with '{file.period}'."
        fix = "Save the table with areas in rows and time in columns, as CSV."
        raise DataError(what, str(path), fix)
    header = [cell.strip() for cell in rows[start]]
    periods = {
        i: _period(_MARK.sub("", cell), path)
        for i, cell in enumerate(header)
        if i and cell and not cell.endswith(_NOTES)
    }
    if not periods or len(set(periods.values())) != len(periods):
        raise DataError("its header names no periods, or one of them twice.", str(path))
    areas = [r for r in rows[start + 1 :] if len(r) > max(periods) and r[0].strip()]
    areas = [r for r in areas if r[0].strip().lower() != "total"]
    records = [(r[0].strip(), period, r[i].strip()) for r in areas for i, period in periods.items()]
    return pd.DataFrame(records, columns=["area", "period", file.value]), len(areas)


def _period(text: str, path: Path) -> str:
    """Read 'December 2021' as 2021-12 and '2014/15' as 2014-15."""
    if (match := _MONTH.fullmatch(text)) and match[1] in _MONTHS:
        return f"{match[2]}-{_MONTHS[match[1]]}"
    if match := re.fullmatch(r"(\d{4})/(\d{2})", text):
        return f"{match[1]}-{match[2]}"
    raise DataError(f"'{text}' in its header is neither a month nor a year.", str(path))


#: All rows and those of each severity (1, 2, 3) of an area and month, and whether one is none.
_BY_MONTH = """
SELECT area, strftime(day, '%Y-%m') AS period, count(*)::DOUBLE AS {0},
    count(*) FILTER (severity = '1')::DOUBLE AS {1},
    count(*) FILTER (severity = '2')::DOUBLE AS serious,
    count(*) FILTER (severity = '3')::DOUBLE AS slight,
    bool_or(day IS NULL OR severity NOT IN ('1', '2', '3')) AS bad
FROM ({2}) WHERE regexp_full_match(area, $pattern)
GROUP BY ALL ORDER BY area, period"""
_CSV = "read_csv({}, all_varchar = true, header = true, delim = ',', quote = '\"')"


def read_collisions(file: ReleaseFile, path: Path) -> Laid:
    """Count collisions with an injury by area and month, in all and by severity.

    Rows outside England and Wales have no LSOA and are not counted. `file.area`, `file.period`
    (a date, day first) and `file.category` (1 fatal, 2 serious, 3 slight) are its headers.
    """
    rows = f"""
        SELECT {file.area} AS area, strptime({file.period}, '%d/%m/%Y') AS day,
            trim({file.category}) AS severity
        FROM {_CSV.format("$path")}"""
    asked = {"path": str(path), "pattern": CODE_PATTERNS["lsoa21"]}
    return _counted(_BY_MONTH.format("collisions", "fatal", rows), file, asked, path)


def read_casualties(file: ReleaseFile, path: Path, places: Path | None = None) -> Laid:
    """Count people hurt or killed by area and month, in all and by severity.

    `file.area` is the header of the collision that both files have, `file.category` of the severity;
    `places` is the file of collisions, which says where and when; None checks and counts nothing.
    """
    of = find_release("road_collisions").files[0]
    known = f"SELECT {file.area}, {file.category} AS severity FROM {_CSV.format('$path')}"
    if places is None:
        severity = "severity IS NULL OR trim(severity) NOT IN ('1', '2', '3')"
        query = f"SELECT '' AS area, '' AS period, 1 AS casualties, {severity} AS bad FROM ({known})"
        return _counted(query, file, {"path": str(path)}, path)
    rows = f"""
        SELECT {of.area} AS area, strptime({of.period}, '%d/%m/%Y') AS day,
            trim(severity) AS severity
        FROM ({known}) JOIN {_CSV.format("$places")} USING ({file.area})"""
    asked = {"path": str(path), "places": str(places), "pattern": CODE_PATTERNS["lsoa21"]}
    return _counted(_BY_MONTH.format("casualties", "killed", rows), file, asked, path)


def _counted(query: str, file: ReleaseFile, asked: dict[str, str], path: Path) -> Laid:
    """Run a query that counts rows of a file, and count those that it leaves out."""
    with duckdb.connect() as connection:
        try:
            given = {"path": str(path)}
            head = connection.execute(f"FROM {_CSV.format('$path')} LIMIT 0", given).df()
            renamed(file, head)
            every = f"SELECT count(*) FROM {_CSV.format('$path')}"
            ((n,),) = connection.execute(every, given).fetchall()
            frame = connection.execute(query, asked).df()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"the file cannot be read: {reason}", str(path)) from None
    if frame.empty or frame["bad"].any():
        what = "a severity is not 1, 2 or 3" if len(frame) else "no row has an LSOA"
        raise DataError(f"{what}; the publisher may have changed the file.", str(path))
    frame = frame.drop(columns="bad")
    frame.attrs[LEFT_OUT] = n - int(frame.iloc[:, 2].sum())  # the column of all rows
    return frame, n


#: The file has no header; the publisher's guidance names the sixteen columns.
_COLUMNS = (
    *("id", "price", "day", "postcode", "property", "new_build", "tenure", "house", "flat"),
    *("street", "locality", "town", "district", "county", "category", "record"),
)
_SALES = """
CREATE TEMP TABLE sales AS
SELECT TRY_CAST(price AS DOUBLE) AS price, TRY_CAST(left(day, 10) AS DATE) AS day,
    regexp_replace(upper(postcode), '\\s', '', 'g') AS postcode, property, category
FROM read_csv($path, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"',
    columns = $columns, nullstr = '')
"""
_STRANGE = """
SELECT count(*), count(*) FILTER (price IS NULL OR price <= 0), count(*) FILTER (day IS NULL),
    count(*) FILTER (year(day) <> $year),
    count(*) FILTER (property NOT IN ('D', 'S', 'T', 'F', 'O') OR category NOT IN ('A', 'B'))
FROM sales
"""
#: What `_STRANGE` counts.
_WRONG = (
    "a price that is no price",
    "a day that is no day",
    "a day that is not of {}",
    "a class of property or sale that is not known",
)
#: Sales at market value (category A) of homes: not repossessions, not lets, not other buildings.
_COUNTED = """
SELECT area, strftime(day, '%Y-%m') AS period, count(*)::DOUBLE AS sales,
    median(price) AS median_price
FROM sales JOIN places USING (postcode) WHERE category = 'A' AND property <> 'O'
GROUP BY ALL ORDER BY area, period
"""


def read_price_paid(file: ReleaseFile, path: Path, places: Path | None = None) -> Laid:
    """Count the sales of one year by area and month, with their median price.

    The name of `file` ends in its year, `pp-2016.csv`; `places` is the directory of postcodes; None
    checks the file and counts nothing.

    Raises
    ------
    DataError
        Not sixteen columns; prices, days or classes that are none; days of another year.
    """
    year = re.findall(r"\d{4}", file.path)[-1]
    with duckdb.connect() as connection:
        try:
            columns = dict.fromkeys(_COLUMNS, "VARCHAR")
            connection.execute(_SALES, {"path": str(path), "columns": columns})
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            what = f"the file is not sixteen columns without a header: {reason}"
            raise DataError(what, str(path)) from None
        ((n, *strange),) = connection.execute(_STRANGE, {"year": int(year)}).fetchall()
        wrong = [(k, what.format(year)) for k, what in zip(strange, _WRONG, strict=True) if k]
        if wrong:
            fix = "The publisher may have changed it."
            raise DataError([Problem(f"{k:,} of {n:,} rows have {w}.", str(path), fix) for k, w in wrong])
        if not n:
            raise DataError("the file holds no sales.", str(path), "Fetch it again.")
        if places is None:
            return pd.DataFrame(columns=["area", "period", "sales", "median_price"]), n
        connection.register("places", placed_postcodes(places))
        frame = connection.execute(_COUNTED).df()
    frame.attrs[LEFT_OUT] = n - int(frame["sales"].sum())
    return frame, n
