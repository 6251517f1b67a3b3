"""Files that appear whole or not at all, and locks that one program holds at a time."""

from __future__ import annotations

import fcntl
import hashlib
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

STORE_VARIABLE = "AREAEFFECT_STORE"

ASIDE = ".*.aside"
"""Pattern of what a killed `write_file` leaves beside its file."""

_SYNCED_AT_ONCE = 8

ZIP_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError),
)
"""What opening and unpacking a damaged, encrypted or unknown zip can raise."""


def store_path(given: Path | None = None) -> Path:
    """Return the store's folder: the one given, else `AREAEFFECT_STORE`, else one of the user's own."""
    if given:
        return given
    if named := os.environ.get(STORE_VARIABLE):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "areaeffect" / "store"


def write_file(path: Path, text: str) -> None:
    """Write UTF-8 so that a reader finds the earlier file or the whole new one, after a cut too."""
    aside = path.with_name(f".{path.name.lstrip('.')}.aside")
    aside.write_bytes(text.encode("utf-8"))
    sync(aside)
    aside.replace(path)
    sync(path.parent)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until a file or folder has reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(paths: Iterable[Path]) -> None:
    """Wait until several have reached the disk, which takes them together."""
    with ThreadPoolExecutor(_SYNCED_AT_ONCE) as pool:
        list(pool.map(sync, paths))


def lock(path: Path, *, wait: bool) -> int | None:
    """Lock a file or folder that exists, until the number returned is closed (`os.close`).

    None where another program holds it, and `wait` is false.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


@contextmanager
def locked(path: Path, busy: Exception | None = None) -> Iterator[None]:
    """Hold the lock of a file or folder that exists.

    Parameters
    ----------
    busy : raised where another program holds the lock; None waits for it.
    """
    handle = lock(path, wait=busy is None)
    if handle is None:
        raise busy or BlockingIOError(path)
    try:
        yield
    finally:
        os.close(handle)
