"""Stored files as the manifest lists them: size, rows and checksum."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: What to do about a damaged store.
AGAIN = "Remove the store with `areaeffect store remove`, then ingest again."


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A Parquet file of the store, as the manifest lists it.

    Parameters
    ----------
    bytes, rows, sha256 : its size, its rows, and the SHA-256 of its bytes.
    """

    bytes: int
    rows: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> StoredFile:
        """Measure a file."""
        import pyarrow.parquet as pq

        return cls(path.stat().st_size, pq.read_metadata(path).num_rows, digest_of(path))


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
