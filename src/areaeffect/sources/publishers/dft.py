"""Department for Transport: road collisions and casualties as it publishes them, a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from areaeffect.errors import DataError, Problem
from areaeffect.sources.publishers.layouts import LEFT_OUT, renamed
from areaeffect.sources.publishers.releases import CODE_PATTERNS, find_release

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.sources.publishers.layouts import Laid
    from areaeffect.sources.publishers.releases import ReleaseFile


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

    Parameters
    ----------
    file : `area` is the header of the collision that both files have, `category` of the severity.
    path : where it lies.
    places : the file of collisions, which says where and when; None checks the file and counts
        nothing.
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
            raise DataError(Problem(f"the file cannot be read: {reason}", str(path))) from None
    if frame.empty or frame["bad"].any():
        what = "a severity is not 1, 2 or 3" if len(frame) else "no row has an LSOA"
        raise DataError(Problem(f"{what}; the publisher may have changed the file.", str(path)))
    frame = frame.drop(columns="bad")
    frame.attrs[LEFT_OUT] = n - int(frame.iloc[:, 2].sum())  # the column of all rows
    return frame, n
