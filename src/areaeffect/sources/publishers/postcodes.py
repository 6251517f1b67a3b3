"""Directories of postcodes: which area each postcode lies in, of the columns that are wanted only.

The ONS Postcode Directory and the National Statistics Postcode Lookup are a zip with one CSV of the
whole country (1.5 GB) beside many others. It is read as it unpacks; nothing is written to the disk.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from areaeffect.disk import ZIP_FAULTS
from areaeffect.errors import DataError, Problem

if TYPE_CHECKING:
    import pyarrow as pa

#: Release whose file this is.
RELEASE = "postcodes"
#: What the publisher calls its columns, the newest name first.
POSTCODE, AREA = ("pcds", "pcd"), ("lsoa21cd", "lsoa21")
#: The CSV of the whole country; those of single postcode areas lie in folders below it.
_WHOLE = r"(?:Data/)?(?:ONSPD|NSPL(?:\d\d|_\d{4})?)_[A-Z]{3}_\d{4}_UK\.csv"
_BLOCK = 8 << 20
_SHOWN = 12


def plain_postcodes(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return postcodes in capitals without spaces."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(pc.utf8_upper(texts), r"\s+", "")


def read_directory(path: Path, choose: Callable[[Sequence[str]], Sequence[str]]) -> pa.Table:
    """Read some columns of a directory of postcodes as text.

    Parameters
    ----------
    path : a zip of the publisher, or the CSV in it.
    choose : receives the header, and returns the columns that are wanted, at least one.

    Returns
    -------
    pyarrow.Table
        The columns, in the order of `choose` and of the file; '' where empty.

    Raises
    ------
    DataError
        No such CSV in the zip, a damaged file, a file that is no table.
    """
    import pyarrow as pa
    from pyarrow import csv

    try:
        with _opened(path) as file:
            header = file.readline().decode("utf-8-sig", "replace").strip()
            names = [name.strip().strip('"') for name in header.split(",")]
            wanted = list(choose(names))
            convert = csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.dictionary(pa.int32(), pa.string())),
                strings_can_be_null=False,
            )
            read = csv.ReadOptions(block_size=_BLOCK, column_names=names)
            with csv.open_csv(file, read_options=read, convert_options=convert) as rows:
                found = pa.Table.from_batches(list(rows), rows.schema)
    except (*ZIP_FAULTS, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        what = f"the directory of postcodes cannot be read: {reason}."
        raise DataError(Problem(what, str(path), "Fetch or download it again.")) from None
    return found.cast(pa.schema([(name, pa.string()) for name in wanted]))


@lru_cache(maxsize=1)
def placed_postcodes(path: Path) -> pa.Table:
    """Return every postcode that has an LSOA, in use or not: columns `postcode` and `area`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = read_directory(path, lambda names: [column_of(path, names, c) for c in (POSTCODE, AREA)])
    table = pa.table([plain_postcodes(found.column(0)), found.column(1)], ["postcode", "area"])
    return table.filter(pc.not_equal(table["area"], ""))


def column_of(path: Path, names: Sequence[str], known: Sequence[str]) -> str:
    """Return the column of a directory that has one of the known names; refuse it without."""
    found = next((n for k in known for n in names if n.lower() == k), None)
    if found is None:
        one = " or ".join(f"'{k}'" for k in known)
        there = ", ".join(f"'{n}'" for n in names[:_SHOWN])
        what = f"the publisher may have changed the directory of postcodes: it has no column {one}."
        raise DataError(Problem(what, str(path), f"It has {there}."))
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
            raise DataError(Problem(what, str(path), f"It holds: {', '.join(names[:_SHOWN])}."))
        with archive.open(whole[0]) as member:
            yield member
