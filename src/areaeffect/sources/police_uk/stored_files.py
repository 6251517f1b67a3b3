"""Stored files as the manifest lists them: size, rows and checksum."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from areaeffect.disk import sha256_of

#: What to do about a damaged store.
AGAIN = "Remove the store with `areaeffect store remove`, then ingest again."
_ROWS = "SELECT file_name, num_rows FROM parquet_file_metadata($files)"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A Parquet file of the store, as the manifest lists it."""

    #: bytes, rows, sha256: its size, its rows, and the SHA-256 of its bytes
    bytes: int
    rows: int
    sha256: str


def measured(paths: Sequence[Path]) -> list[StoredFile]:
    """Measure Parquet files."""
    import duckdb

    if not paths:
        return []
    with ThreadPoolExecutor(2) as pool:
        digests = pool.map(sha256_of, paths)
        with duckdb.connect() as engine:  # not Arrow, which takes long to import
            rows = dict(engine.execute(_ROWS, {"files": [str(p) for p in paths]}).fetchall())
    return [StoredFile(p.stat().st_size, rows[str(p)], d) for p, d in zip(paths, digests, strict=True)]
