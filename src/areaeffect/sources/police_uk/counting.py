"""The heavy step, incidents to counts: one SQL statement that every engine runs.

DuckDB counts month by month, so that memory does not grow with the number of months; Spark
counts everything in one job. Both give the same rows, and what is written is sorted,
so the same bytes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from areaeffect.errors import DataError, StudyError

if TYPE_CHECKING:
    import duckdb

    #: Makes the table `new_counts` of a month in a connection.
    Counter = Callable[[duckdb.DuckDBPyConnection, str], None]

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
# The files are counted as they are read: a table of incidents in between takes half as long again.
_COUNT_FILES = f"""
CREATE OR REPLACE TEMP TABLE new_counts AS
WITH incidents AS (FROM read_parquet($files, hive_partitioning = true, hive_types_autocast = false))
{COUNT_INCIDENTS}
"""
_FRESH = "SELECT force, area_code, category, has_point, area_name, n FROM new_counts WHERE month = $month"
_KEPT = """
UNION ALL BY NAME
SELECT force, area_code, category, has_point, area_name, n FROM read_parquet($old)
WHERE force NOT IN (SELECT unnest($forces::VARCHAR[]))
"""
_ORDER = "ORDER BY force, area_code NULLS FIRST, category, has_point"


def duckdb_counter(folder: Path) -> Counter:
    """Count incidents that lie in `folder/force=…/month=…/` with DuckDB."""

    def count(connection: duckdb.DuckDBPyConnection, month: str) -> None:
        files = sorted(str(p) for p in folder.glob(f"force=*/month={month}/part.parquet"))
        connection.execute(_COUNT_FILES, {"files": files})

    return count


def write_counts(
    connection: duckdb.DuckDBPyConnection, month: str, forces: Sequence[str], old: Path | None, path: Path
) -> None:
    """Write one month of `new_counts`, beside the other forces that are there already.

    `forces` are those whose counts are new, also where nothing of them was kept; `old` is the month as
    the store has it, None where it has none.
    """
    given: dict[str, str | list[str]] = {"month": month, "path": str(path)}
    query = _FRESH
    if old is not None:
        query, given = f"{_FRESH} {_KEPT}", {**given, "old": str(old), "forces": list(forces)}
    connection.execute(f"COPY ({query} {_ORDER}) TO $path ({_FORMAT})", given)


#: Spark guesses types of folder names by default: '2014' would become a number.
_SETTINGS = {
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def start_session() -> Any:
    """Return the Spark session that is running, else a new one."""
    require_spark()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("areaeffect")
    for key, value in _SETTINGS.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise DataError(
            f"Spark does not start: {str(error).splitlines()[0]}",
            "engine = 'spark'",
            "See docs/spark.md, or use the engine 'duckdb'.",
        ) from None


def require_spark() -> None:
    """Refuse, with what is missing, where PySpark or Java is not installed."""
    try:
        import pyspark  # noqa: F401  # an extra
    except ImportError:
        raise StudyError(
            "the engine 'spark' needs PySpark, which is not installed.",
            "engine = 'spark'",
            "Install `areaeffect[spark]` in an environment of its own (docs/spark.md), or use "
            "the engine 'duckdb', which needs nothing more.",
        ) from None
    home = os.environ.get("JAVA_HOME")
    has_java = (Path(home) / "bin" / "java").is_file() if home else shutil.which("java")
    if not has_java and "SPARK_REMOTE" not in os.environ:
        where = f"JAVA_HOME is {home}, without bin/java" if home else "there is no `java`"
        raise StudyError(
            f"the engine 'spark' needs Java 17 or later: {where}.",
            "engine = 'spark'",
            "Install it (Debian, Ubuntu: apt-get install openjdk-17-jre-headless), or use the "
            "engine 'duckdb'.",
        )


def count_lake(session: Any, address: str) -> Any:
    """Return the counts of incidents that lie under an address, as a Spark data frame.

    Driver and executors can read the address, with `force=…/month=…/part.parquet` below it as the
    store writes them: 'file:///…', 'hdfs://…', 's3a://bucket/…'.
    """
    session.read.parquet(address).createOrReplaceTempView("incidents")
    return session.sql(COUNT_INCIDENTS)


@contextmanager
def spark_counter(folder: Path) -> Iterator[Counter]:
    """Count incidents that lie in `folder/force=…/month=…/` with Spark, in one job."""
    require_spark()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    is_ours = SparkSession.getActiveSession() is None
    session = start_session()
    try:
        counts = count_lake(session, folder.resolve().as_uri()).cache()

        def count(connection: duckdb.DuckDBPyConnection, month: str) -> None:
            rows = counts.filter(counts.month == month).select(*KEYS, "area_name", "n").toArrow()
            connection.register("from_spark", rows)
            connection.execute("CREATE OR REPLACE TEMP TABLE new_counts AS SELECT * FROM from_spark")
            connection.unregister("from_spark")

        yield count
        counts.unpersist()
    except PySparkException as error:
        raise DataError(
            f"Spark could not count: {str(error).splitlines()[0]}",
            str(folder),
            "The executors must see this folder under the same path (docs/spark.md).",
        ) from None
    finally:
        if is_ours:
            session.stop()
