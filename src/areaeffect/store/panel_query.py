"""The heavy steps as Ibis expressions: incidents to counts, counts to area × period.

The same expressions run on any engine that Ibis speaks; DuckDB is the one used here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

KEYS = ("force", "month", "area_code", "category", "has_point")

_MERGE = """
SELECT force, area_code, category, has_point, n FROM new_counts WHERE month = $month
UNION ALL BY NAME
SELECT force, area_code, category, has_point, n FROM read_parquet($old)
WHERE force NOT IN (SELECT force FROM street_files WHERE month = $month)
ORDER BY force, area_code NULLS FIRST, category, has_point
"""
_FRESH = """
SELECT force, area_code, category, has_point, n FROM new_counts WHERE month = $month
ORDER BY force, area_code NULLS FIRST, category, has_point
"""


def count_incidents(incidents: Any) -> Any:
    """Incidents to area × month × category × force, as one Ibis expression.

    Parameters
    ----------
    incidents : Ibis table with the columns of `KEYS` and `reason`; rows with a reason are
        rejected ones and are not counted.
    """
    used = incidents.filter(incidents.reason.isnull())
    return used.group_by(list(KEYS)).agg(n=used.count())


def sum_by_area(counts: Any, months: tuple[str, ...], categories: tuple[str, ...]) -> Any:
    """Counts to force × area × month for the categories asked, as one Ibis expression."""
    asked = counts.filter(counts.month.isin(months) & counts.category.isin(categories))
    return asked.group_by(["force", "month", "area_code", "has_point"]).agg(n=asked.n.sum())


def make_counts(connection: duckdb.DuckDBPyConnection) -> None:
    """Count the incidents of the table `checked` into the table `new_counts`."""
    import ibis  # noqa: PLC0415  # heavy: over a second

    schema = {**dict.fromkeys(KEYS, "string"), "has_point": "boolean", "reason": "string"}
    expression = count_incidents(ibis.table(schema, name="checked"))
    connection.execute("DROP TABLE IF EXISTS new_counts")
    _run(connection, expression).create("new_counts")


def _run(connection: duckdb.DuckDBPyConnection, expression: Any) -> duckdb.DuckDBPyRelation:
    """Hand an Ibis expression to DuckDB."""
    import ibis  # noqa: PLC0415  # heavy: over a second

    return connection.sql(str(ibis.to_sql(expression, dialect="duckdb")))


def write_counts(
    connection: duckdb.DuckDBPyConnection, month: str, old: Path | None, path: Path
) -> None:
    """Write one month's counts: the new forces' beside those of other forces already there."""
    if old is None:
        relation = connection.sql(_FRESH, params={"month": month})
    else:
        relation = connection.sql(_MERGE, params={"month": month, "old": str(old)})
    relation.write_parquet(str(path), compression="zstd", row_group_size=122_880)
