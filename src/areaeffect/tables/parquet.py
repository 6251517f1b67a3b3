"""Parquet files of our own, by DuckDB: columns in, columns out."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def read_parquet(path: Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Return the columns of a file (all where none is named), in the order of its rows.

    Outlines are read as well-known bytes. Errors are FileNotFoundError and duckdb.Error.
    """
    import duckdb

    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with duckdb.connect() as engine:
        engine.execute("SET enable_geoparquet_conversion = false")
        found = engine.read_parquet(str(path))
        frame: pd.DataFrame = found.select(*map(duckdb.ColumnExpression, columns or found.columns)).df()
    return frame


def read_arrays(path: Path, columns: Sequence[str]) -> list[Any]:
    """Return columns as arrays, masked where a value is missing; pandas is not imported."""
    import duckdb

    with duckdb.connect() as engine:
        found = engine.read_parquet(str(path)).select(*map(duckdb.ColumnExpression, columns)).fetchnumpy()
    return [found[c] for c in columns]


def parquet_metadata(path: Path) -> dict[str, str]:
    """Return what a file says of itself, beside its columns."""
    import duckdb

    with duckdb.connect() as engine:
        query = "SELECT key, value FROM parquet_kv_metadata($path)"
        rows = engine.execute(query, {"path": str(path)}).fetchall()
    return {key.decode(): value.decode("utf-8", "replace") for key, value in rows}


def write_columns(path: Path, columns: Mapping[str, Any] | pd.DataFrame, **metadata: str) -> None:
    """Write columns, and what the file says of itself; equal columns give equal bytes.

    None and NaN are written as missing.
    """
    import duckdb
    import pandas as pd

    frame = pd.DataFrame(columns)
    with duckdb.connect(config={"threads": 1}) as engine:  # in a forked process no thread can be ended
        engine.execute(f"SET pandas_analyze_sample = {len(frame)}")  # a kind holds for every row
        engine.register("given", frame)
        said = f", KV_METADATA {{{', '.join(f'{key}: ?' for key in metadata)}}}" if metadata else ""
        to = str(path).replace("'", "''")
        engine.execute(
            f"COPY given TO '{to}' (FORMAT parquet, COMPRESSION zstd{said})", list(metadata.values())
        )
