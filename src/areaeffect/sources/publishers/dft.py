"""Department for Transport: road collisions as it publishes them, a row a collision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from areaeffect.errors import DataError, Problem
from areaeffect.sources.publishers.releases import CODE_PATTERNS

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.sources.publishers.layouts import Laid
    from areaeffect.sources.publishers.releases import ReleaseFile


def read_collisions(file: ReleaseFile, path: Path) -> Laid:
    """Count collisions with an injury by area and month, in all and by severity.

    Rows outside England and Wales have no LSOA and are not counted. `file.area`, `file.period`
    (a date, day first) and `file.category` (1 fatal, 2 serious, 3 slight) are its headers.
    """
    query = f"""
        SELECT {file.area} AS area, strftime(day, '%Y-%m') AS period,
               count(*)::DOUBLE AS collisions,
               count(*) FILTER (severity = '1')::DOUBLE AS fatal,
               count(*) FILTER (severity = '2')::DOUBLE AS serious,
               count(*) FILTER (severity = '3')::DOUBLE AS slight,
               any_value(n) AS n, bool_or(day IS NULL OR severity NOT IN ('1', '2', '3')) AS bad
        FROM (SELECT *, strptime({file.period}, '%d/%m/%Y') AS day, count(*) OVER () AS n,
                     trim({file.category}) AS severity
              FROM read_csv($path, all_varchar = true, header = true, delim = ',', quote = '"'))
        WHERE regexp_full_match({file.area}, $pattern)
        GROUP BY ALL ORDER BY area, period"""
    with duckdb.connect() as connection:
        try:
            asked = {"path": str(path), "pattern": CODE_PATTERNS["lsoa21"]}
            frame = connection.execute(query, asked).df()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                Problem(f"the collisions cannot be read: {reason}", str(path))
            ) from None
    if frame.empty or frame["bad"].any():
        what = "a severity is not 1, 2 or 3" if len(frame) else "no row has an LSOA"
        raise DataError(Problem(f"{what}; the publisher may have changed the file.", str(path)))
    n = int(frame["n"].iloc[0])
    return frame.drop(columns=["n", "bad"]), n
