"""The heavy step, incidents to counts: one SQL statement that every engine runs.

DuckDB counts month by month, so that memory does not grow with the number of months; Spark
(`spark.py`) counts everything in one job. Both give the same rows, and what is written is sorted,
so the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import duckdb

    #: Fills the table `new_counts` with the counts of one month.
    Counter = Callable[[str], None]

Engine = Literal["duckdb", "spark"]

#: Rows that are read or passed over together: few enough that one force needs little more.
ROWS_OF_GROUP = 65_536
# Texts are dictionaries throughout: panels are read three times as fast.
_FORMAT = (
    f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_OF_GROUP}, "
    f"DICTIONARY_SIZE_LIMIT {ROWS_OF_GROUP}, STRING_DICTIONARY_PAGE_SIZE_LIMIT {8 << 20}"
)

KEYS = ("force", "month", "area_code", "category", "has_point")
#: Incidents to force × month × area × category, over a table called `incidents`, a row an incident.
#: Those without an area code are counted too, with and without a point.
COUNT_INCIDENTS = """
SELECT force, month, area_code, category, longitude IS NOT NULL AS has_point,
    min(area_name) AS area_name, count(*) AS n
FROM incidents
GROUP BY force, month, area_code, category, longitude IS NOT NULL
"""
_INCIDENTS = """
CREATE OR REPLACE TEMP TABLE incidents AS
SELECT force, month, area_code, area_name, category, longitude
FROM read_parquet($files, hive_partitioning = true, hive_types_autocast = false)
"""
_MERGE = """
SELECT force, area_code, category, has_point, area_name, n FROM new_counts WHERE month = $month
UNION ALL BY NAME
SELECT force, area_code, category, has_point, area_name, n FROM read_parquet($old)
WHERE force NOT IN (SELECT unnest($forces::VARCHAR[]))
ORDER BY force, area_code NULLS FIRST, category, has_point
"""
_FRESH = """
SELECT force, area_code, category, has_point, area_name, n FROM new_counts WHERE month = $month
ORDER BY force, area_code NULLS FIRST, category, has_point
"""


def duckdb_counter(connection: duckdb.DuckDBPyConnection, folder: Path) -> Counter:
    """Count incidents that lie in `folder/force=…/month=…/` with DuckDB."""

    def count(month: str) -> None:
        files = sorted(str(p) for p in folder.glob(f"force=*/month={month}/part.parquet"))
        connection.execute(_INCIDENTS, {"files": files})
        connection.execute("DROP TABLE IF EXISTS new_counts")
        connection.sql(COUNT_INCIDENTS).create("new_counts")

    return count


def write_counts(
    connection: duckdb.DuckDBPyConnection, month: str, forces: Sequence[str], old: Path | None, path: Path
) -> None:
    """Write one month of `new_counts`, beside the other forces that are there already.

    Parameters
    ----------
    forces : those whose counts are new, also where nothing of them was kept.
    old : the month as the store has it; None where it has none.
    path : where to write.
    """
    given: dict[str, str | list[str]] = {"month": month, "path": str(path)}
    query = _FRESH
    if old is not None:
        query, given = _MERGE, {**given, "old": str(old), "forces": list(forces)}
    connection.execute(f"COPY ({query}) TO $path ({_FORMAT})", given)
