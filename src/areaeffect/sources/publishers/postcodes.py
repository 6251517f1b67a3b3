"""Directories of postcodes: which area each postcode lies in, of the columns that are wanted only.

The ONS Postcode Directory and the National Statistics Postcode Lookup are a zip with one CSV of the
whole country (1.5 GB) beside many others. It is read as it unpacks; nothing is written to the disk.
"""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

import duckdb
import pandas as pd

from areaeffect.disk import ZIP_FAULTS
from areaeffect.errors import DataError

#: Release whose file this is.
RELEASE = "postcodes"
#: What the publisher calls its columns, the newest name first.
POSTCODE, AREA = ("pcds", "pcd"), ("lsoa21cd", "lsoa21")
#: The CSV of the whole country; those of single postcode areas lie in folders below it.
_WHOLE = r"(?:Data/)?(?:ONSPD|NSPL(?:\d\d|_\d{4})?)_[A-Z]{3}_\d{4}_UK\.csv"
_SHOWN = 12
_BLOCK = 1 << 20
_DIRECTORY = """
SELECT {} FROM read_csv($pipe, columns = $columns, auto_detect = false, header = false, delim = ',',
    quote = '"', strict_mode = true, null_padding = false)
"""


def plain_postcode(text: str) -> str:
    """Return a postcode in capitals without spaces."""
    return "".join(text.split()).upper()


def read_directory(path: Path, choose: Callable[[Sequence[str]], Sequence[str]]) -> pd.DataFrame:
    """Read some columns of a directory of postcodes (a publisher's zip, or its CSV) as text.

    `choose` receives the header, and returns the columns that are wanted, at least one; they come in
    this order, '' where empty.

    Raises
    ------
    DataError
        No such CSV in the zip, a damaged file, a file that is no table.
    """
    try:
        with _opened(path) as file:
            header = file.readline().decode("utf-8-sig", "replace").strip()
            names = [name.strip().strip('"') for name in header.split(",")]
            return _read(file, names, choose(names))
    except (*ZIP_FAULTS, ValueError, duckdb.Error) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        what = f"the directory of postcodes cannot be read: {reason}."
        raise DataError(what, str(path), "Fetch or download it again.") from None


def _read(file: IO[bytes], names: Sequence[str], wanted: Sequence[str]) -> pd.DataFrame:
    """Read columns of a CSV without its header, which DuckDB takes through a pipe as it unpacks."""
    reads, writes = os.pipe()

    def feed() -> None:
        with suppress(BrokenPipeError), os.fdopen(writes, "wb") as out:
            shutil.copyfileobj(file, out, _BLOCK)

    with ThreadPoolExecutor(1) as pool, duckdb.connect() as engine:
        engine.execute("SET enable_progress_bar = false")
        fed = pool.submit(feed)
        try:
            columns = ", ".join(f'coalesce("{name}", \'\') AS "{name}"' for name in wanted)
            given = {"pipe": f"/dev/fd/{reads}", "columns": dict.fromkeys(names, "VARCHAR")}
            found: pd.DataFrame = engine.execute(_DIRECTORY.format(columns), given).df()
        finally:
            os.close(reads)
        fed.result()
    return found


@lru_cache(maxsize=1)
def placed_postcodes(path: Path) -> pd.DataFrame:
    """Return every postcode that has an LSOA, in use or not: columns `postcode` and `area`."""
    found = read_directory(path, lambda names: [column_of(path, names, c) for c in (POSTCODE, AREA)])
    found.columns = pd.Index(["postcode", "area"])
    found["postcode"] = found["postcode"].map(plain_postcode)
    return found[found["area"] != ""]


def column_of(path: Path, names: Sequence[str], known: Sequence[str]) -> str:
    """Return the column of a directory that has one of the known names; refuse it without."""
    found = next((n for k in known for n in names if n.lower() == k), None)
    if found is None:
        one = " or ".join(f"'{k}'" for k in known)
        there = ", ".join(f"'{n}'" for n in names[:_SHOWN])
        what = f"the publisher may have changed the directory of postcodes: it has no column {one}."
        raise DataError(what, str(path), f"It has {there}.")
    return found


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open the CSV of the whole country."""
    if path.suffix.lower() != ".zip" and not zipfile.is_zipfile(path):
        with path.open("rb") as plain:
            yield plain
        return
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        whole = [n for n in names if re.fullmatch(_WHOLE, n)]
        if len(whole) != 1:
            what = "the zip holds no single directory of postcodes of the whole country."
            raise DataError(what, str(path), f"It holds: {', '.join(names[:_SHOWN])}.")
        with archive.open(whole[0]) as member:
            yield member
