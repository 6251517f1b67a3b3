"""The heavy steps: incidents to counts (one Ibis expression), counts to area × period.

The Ibis expression runs on any engine that Ibis speaks; DuckDB is the one used here. Reading a
panel back is static SQL on the counts: it is not heavy, and Ibis takes a second to import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from areaeffect.panel import Strings
    from areaeffect.results import Floats, Ints

KEYS = ("force", "month", "area_code", "category", "has_point")

_MERGE = """
SELECT force, area_code, category, has_point, area_name, n FROM new_counts WHERE month = $month
UNION ALL BY NAME
SELECT force, area_code, category, has_point, area_name, n FROM read_parquet($old)
WHERE force NOT IN (SELECT force FROM street_files WHERE month = $month)
ORDER BY force, area_code NULLS FIRST, category, has_point
"""
_FRESH = """
SELECT force, area_code, category, has_point, area_name, n FROM new_counts WHERE month = $month
ORDER BY force, area_code NULLS FIRST, category, has_point
"""
_TABLES = {
    "periods": """CREATE TABLE periods AS SELECT
        unnest($first::VARCHAR[]) AS month, unnest($second::INTEGER[]) AS period""",
    "forces": """CREATE TABLE forces AS SELECT
        unnest($first::VARCHAR[]) AS force, unnest($second::INTEGER[]) AS position""",
    "areas": """CREATE TABLE areas AS SELECT
        unnest($first::VARCHAR[]) AS area_code, unnest($second::INTEGER[]) AS area""",
    "asked": """CREATE TABLE asked AS SELECT
        unnest($first::VARCHAR[]) AS category, unnest($second::INTEGER[]) AS measure""",
    "sought": """CREATE TABLE sought AS SELECT
        unnest($first::VARCHAR[]) AS area_code, unnest($second::INTEGER[]) AS position""",
}
_OPEN = """
CREATE TEMP VIEW cells AS SELECT c.*, p.period FROM counts AS c
JOIN periods AS p ON p.month = c.month JOIN forces AS f ON f.force = c.force
"""
_PER_AREA = """
CREATE TABLE per_area AS
SELECT c.area_code, f.position, p.period, min(c.area_name) AS area_name, sum(c.n)::BIGINT AS n
FROM counts AS c JOIN periods AS p ON p.month = c.month JOIN forces AS f ON f.force = c.force
WHERE c.area_code IS NOT NULL GROUP BY c.area_code, f.position, p.period
"""
_CODES = """
SELECT area_code, min(area_name), sum(n)::BIGINT FROM per_area
GROUP BY area_code ORDER BY area_code
"""
_ALL = """
SELECT a.area, c.period, sum(c.n)::BIGINT FROM per_area AS c
JOIN areas AS a ON a.area_code = c.area_code GROUP BY a.area, c.period
"""
_NOT_LOCATED = """
SELECT force, period, sum(n)::BIGINT, coalesce(sum(n) FILTER (has_point), 0)::BIGINT FROM cells
WHERE area_code IS NULL GROUP BY force, period ORDER BY force, period
"""
_POLICED = """
SELECT a.area, c.position, count(DISTINCT c.period)::BIGINT, sum(c.n)::BIGINT FROM per_area AS c
JOIN areas AS a ON a.area_code = c.area_code
GROUP BY a.area, c.position ORDER BY a.area, c.position
"""
_SUMS = """
SELECT a.area, c.period, m.measure, sum(c.n)::BIGINT FROM cells AS c
JOIN areas AS a ON a.area_code = c.area_code JOIN asked AS m ON m.category = c.category
GROUP BY a.area, c.period, m.measure
"""
_HOLDING = """
SELECT DISTINCT force, month FROM cells
WHERE (area_code IS NULL AND has_point) OR area_code IN (SELECT area_code FROM sought)
ORDER BY force, month
"""
_POINTS = """
SELECT coalesce(i.area_code, ''), p.period, i.category, i.longitude, i.latitude,
    count(*)::BIGINT
FROM read_parquet($files, hive_partitioning = true, hive_types_autocast = false) AS i
JOIN periods AS p ON p.month = i.month
WHERE (i.area_code IS NULL AND i.longitude IS NOT NULL)
    OR i.area_code IN (SELECT area_code FROM sought)
GROUP BY ALL ORDER BY ALL
"""


def count_incidents(incidents: Any) -> Any:
    """Incidents to area × month × category × force, as one Ibis expression.

    Parameters
    ----------
    incidents : Ibis table with the columns of `KEYS`, `area_name` and `reason`; rows with a
        reason are rejected ones and are not counted.
    """
    used = incidents.filter(incidents.reason.isnull())
    return used.group_by(list(KEYS)).agg(area_name=used.area_name.min(), n=used.count())


def warm_up() -> None:
    """Import what `make_counts` needs."""
    import ibis  # noqa: F401, PLC0415  # heavy: over a second


def make_counts(connection: duckdb.DuckDBPyConnection) -> None:
    """Count the incidents of the table `checked` into the table `new_counts`."""
    import ibis  # noqa: PLC0415  # heavy: over a second

    texts = dict.fromkeys((*KEYS, "area_name", "reason"), "string")
    expression = count_incidents(ibis.table({**texts, "has_point": "boolean"}, name="checked"))
    connection.execute("DROP TABLE IF EXISTS new_counts")
    connection.sql(str(ibis.to_sql(expression, dialect="duckdb"))).create("new_counts")


def write_counts(
    connection: duckdb.DuckDBPyConnection, month: str, old: Path | None, path: Path
) -> None:
    """Write one month's counts: the new forces' beside those of other forces already there."""
    if old is None:
        relation = connection.sql(_FRESH, params={"month": month})
    else:
        relation = connection.sql(_MERGE, params={"month": month, "old": str(old)})
    relation.write_parquet(str(path), compression="zstd", row_group_size=122_880)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Incidents that share code, month, category and place.

    Parameters
    ----------
    codes : (n,), area codes as published; '' where there is none.
    periods : (n,), positions in the months asked.
    categories : (n,).
    longitude, latitude : (n,), degrees; NaN where there is none.
    counts : (n,), incidents.
    """

    codes: Strings
    periods: Ints
    categories: Strings
    longitude: Floats
    latitude: Floats
    counts: Floats


class Counts:
    """The counts of some forces and months, open for questions.

    Parameters
    ----------
    root : the store's folder.
    forces, months : those asked; months in order.
    """

    def __init__(self, root: Path, forces: Sequence[str], months: Sequence[str]) -> None:
        import duckdb  # noqa: PLC0415  # heavy

        self._root = root
        self._engine = duckdb.connect()
        files = [root / "police_uk" / "counts" / f"month={m}" / "part.parquet" for m in months]
        here = [str(f) for f in files if f.is_file()]
        if not here:  # nothing in these months: any file gives the columns
            here = [str(f) for f in sorted(root.glob("police_uk/counts/*/part.parquet"))[:1]]
        self._fill("periods", months, range(len(months)))
        self._fill("forces", forces, range(len(forces)))
        self._engine.read_parquet(here, hive_partitioning=True).create_view("counts")
        self._engine.execute(_OPEN)
        self._engine.execute(_PER_AREA)

    def _fill(self, name: str, first: Sequence[str], second: Sequence[int] = ()) -> None:
        self._engine.execute(_TABLES[name], {"first": list(first), "second": list(second)})

    def codes(self) -> tuple[Strings, Strings, Ints]:
        """Return area codes as published, names, and the incidents of each."""
        rows = self._engine.execute(_CODES).fetchall()
        return (
            np.array([r[0] for r in rows], dtype=str),
            np.array([r[1] or r[0] for r in rows], dtype=str),
            np.array([r[2] for r in rows], dtype=np.int64),
        )

    def not_located(self) -> list[tuple[str, int, int, int]]:
        """Return (force, period, incidents without an area, of these with a point)."""
        rows: list[tuple[str, int, int, int]] = self._engine.execute(_NOT_LOCATED).fetchall()
        return rows

    def set_areas(self, code_to_area: Mapping[str, int]) -> None:
        """Say which published code stands for which area of the panel."""
        self._fill("areas", list(code_to_area), list(code_to_area.values()))

    def policed(self, shape: tuple[int, int]) -> tuple[Ints, Ints]:
        """Return (n_areas, n_forces) each: months with an incident of the force, and incidents."""
        area, force, n_months, n = self._arrays(_POLICED)
        months, incidents = np.zeros((2, *shape), dtype=np.int64)
        months[area, force], incidents[area, force] = n_months, n
        return months, incidents

    def sums(self, asked: Sequence[Sequence[str]], shape: tuple[int, int]) -> list[Floats]:
        """Return (n_areas, n_periods) incidents for each set of categories; 0 without a row."""
        pairs = [(c, i) for i, categories in enumerate(asked) for c in categories]
        self._fill("asked", [c for c, _ in pairs], [i for _, i in pairs])
        area, period, measure, n = self._arrays(_SUMS)
        found = np.zeros((len(asked), *shape))
        found[measure, area, period] = n
        return list(found)

    def everything(self, shape: tuple[int, int]) -> Floats:
        """Return (n_areas, n_periods) incidents of every category; 0 without a row."""
        area, period, n = self._arrays(_ALL)
        found = np.zeros(shape)
        found[area, period] = n
        return found

    def points(self, codes: Sequence[str]) -> Points:
        """Return the places of incidents with one of the codes, or with none."""
        self._fill("sought", codes, range(len(codes)))
        held = self._engine.execute(_HOLDING).fetchall()
        folder = self._root / "police_uk" / "incidents"
        files = [str(folder / f"force={f}" / f"month={m}" / "part.parquet") for f, m in held]
        rows = self._engine.execute(_POINTS, {"files": files}).fetchall() if files else []
        columns = list(zip(*rows, strict=True)) or [()] * 6
        return Points(
            np.array(columns[0], dtype=str),
            np.array(columns[1], dtype=np.int64),
            np.array(columns[2], dtype=str),
            np.array(columns[3], dtype=np.float64),
            np.array(columns[4], dtype=np.float64),
            np.array(columns[5], dtype=np.float64),
        )

    def _arrays(self, query: str) -> list[Any]:
        return list(self._engine.execute(query).fetchnumpy().values())
