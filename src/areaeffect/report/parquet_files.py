"""The tables of a result as Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.report.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from areaeffect.results import Column, Result

_TYPES = {"number": "float64", "boolean": "bool_", "integer": "int64"}  # all others are text


def write_parquet(result: Result, folder: Path) -> None:
    """Write every table of a result into a folder, `findings.parquet` and the others."""
    for name, spec in TABLES.items():
        _write(folder / f"{name}.parquet", spec.columns, list(spec.rows(result)))
    for annex in result.annexes:
        for table in annex.tables:
            _write(folder / f"{table.name}.parquet", table.columns, table.records())


def _write(path: Path, columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = [(c.name, getattr(pa, _TYPES.get(c.datatype, "string"))()) for c in columns]
    cells = {c.name: [_cell(row[c.name], c.datatype) for row in rows] for c in columns}
    parquet.write_table(pa.table(cells, schema=pa.schema(kinds)), path, compression="zstd")


def _cell(value: Any, datatype: str) -> Any:
    if value is None:
        return None
    if datatype not in _TYPES:
        return str(value)
    return float(value) if datatype == "number" else value
