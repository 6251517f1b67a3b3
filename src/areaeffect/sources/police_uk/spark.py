"""Counting on Apache Spark, for incidents that outgrow one machine (`areaeffect[spark]`).

Where Spark runs is Spark's own affair: the session takes `spark-defaults.conf`, `SPARK_HOME`,
`SPARK_REMOTE` and `PYSPARK_SUBMIT_ARGS` as they are, and runs on this machine without them.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.sources.police_uk.counting import COUNT_INCIDENTS, KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from areaeffect.sources.police_uk.counting import Counter

#: Spark guesses types of folder names by default: '2014' would become a number.
_SETTINGS = {
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def start_session() -> Any:
    """Return the Spark session that is running, else a new one.

    Raises
    ------
    StudyError
        PySpark or Java is not installed.
    DataError
        Spark does not start.
    """
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
            Problem(
                f"Spark does not start: {str(error).splitlines()[0]}",
                "engine = 'spark'",
                "See docs/spark.md, or use the engine 'duckdb'.",
            )
        ) from None


def require_spark() -> None:
    """Refuse, with what is missing, where PySpark or Java is not installed."""
    try:
        import pyspark  # noqa: F401  # an extra
    except ImportError:
        raise StudyError(
            Problem(
                "the engine 'spark' needs PySpark, which is not installed.",
                "engine = 'spark'",
                "Install `areaeffect[spark]` in an environment of its own (docs/spark.md), or use "
                "the engine 'duckdb', which needs nothing more.",
            )
        ) from None
    home = os.environ.get("JAVA_HOME")
    has_java = (Path(home) / "bin" / "java").is_file() if home else shutil.which("java")
    if not has_java and "SPARK_REMOTE" not in os.environ:
        where = f"JAVA_HOME is {home}, without bin/java" if home else "there is no `java`"
        raise StudyError(
            Problem(
                f"the engine 'spark' needs Java 17 or later: {where}.",
                "engine = 'spark'",
                "Install it (Debian, Ubuntu: apt-get install openjdk-17-jre-headless), or use the "
                "engine 'duckdb'.",
            )
        )


def count_lake(session: Any, address: str) -> Any:
    """Return the counts of incidents that lie under an address, as a Spark data frame.

    Parameters
    ----------
    session : Spark session.
    address : a folder that driver and executors can read, with `force=…/month=…/part.parquet`
        below it as the store writes them: 'file:///…', 'hdfs://…', 's3a://bucket/…'.
    """
    session.read.parquet(address).createOrReplaceTempView("incidents")
    return session.sql(COUNT_INCIDENTS)


@contextmanager
def spark_counter(connection: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Counter]:
    """Count incidents that lie in `folder/force=…/month=…/` with Spark, in one job.

    Parameters
    ----------
    connection : DuckDB, which writes the months that Spark counted.
    folder : on a file system that every executor sees under the same path.

    Raises
    ------
    StudyError, DataError
        As `start_session`; DataError also where the job fails.
    """
    require_spark()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    is_ours = SparkSession.getActiveSession() is None
    session = start_session()
    try:
        counts = count_lake(session, folder.resolve().as_uri()).cache()

        def count(month: str) -> None:
            rows = counts.filter(counts.month == month).select(*KEYS, "area_name", "n").toArrow()
            connection.register("from_spark", rows)
            connection.execute("CREATE OR REPLACE TABLE new_counts AS SELECT * FROM from_spark")
            connection.unregister("from_spark")

        yield count
        counts.unpersist()
    except PySparkException as error:
        raise DataError(
            Problem(
                f"Spark could not count: {str(error).splitlines()[0]}",
                str(folder),
                "The executors must see this folder under the same path (docs/spark.md).",
            )
        ) from None
    finally:
        if is_ours:
            session.stop()
