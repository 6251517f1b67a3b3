"""Office for National Statistics and Nomis: downloads and workbooks as they lay them out."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from areaeffect.disk import ZIP_FAULTS
from areaeffect.errors import DataError, did_you_mean
from areaeffect.sources.publishers.layouts import by_category, read_rows, renamed
from areaeffect.tables.user_table import read_user_table
from areaeffect.tables.workbooks import below_header, read_sheets

if TYPE_CHECKING:
    from areaeffect.sources.publishers.layouts import Laid
    from areaeffect.sources.publishers.releases import ReleaseFile

_MONTHS = {"Mar": "03", "Jun": "06", "Sep": "09", "Dec": "12"}


def read_vacant_homes(file: ReleaseFile, path: Path) -> Laid:
    """Read one sheet of 'Number of vacant and second homes': a row an area."""
    rows = read_sheets(path, [file.sheet])[file.sheet]
    frame = below_header(rows, file.area, f"{path}, sheet {file.sheet}")
    frame = frame.rename(columns={file.area: "area", file.name: "name"})
    frame = frame[frame["area"] != ""].reset_index(drop=True)
    return frame, len(frame)


def read_ranks_in_a_sheet(file: ReleaseFile, path: Path) -> Laid:
    """Read a sheet of a workbook of ranks: a row an area. Headers differ in case by edition."""
    rows = read_sheets(path, [file.sheet])[file.sheet]
    frame = below_header(rows, file.area, f"{path}, sheet {file.sheet}")
    named = {c: " ".join(str(c).split()).capitalize() for c in frame.columns if c != file.area}
    frame = frame.rename(columns=named)
    frame = frame[frame[file.area].astype(str).str.fullmatch(r"[EW]\d{8}")]
    return renamed(file, frame.reset_index(drop=True)), len(frame)


def read_sheet_a_year(file: ReleaseFile, path: Path) -> Laid:
    """Read estimates with a sheet a year, 'Mid-2024 LSOA 2021': a row an area and year."""
    parts = []
    for sheet, rows in read_sheets(path, file.sheet.split(" | ")).items():
        frame = below_header(rows, file.area, f"{path}, sheet {sheet}")
        frame = frame[frame[file.area].astype(str).str.fullmatch(r"[EW]\d{8}")]
        year = "".join(re.findall(r"\d{4}", sheet)[:1])
        parts.append(frame.assign(**{file.period: year}))
    frame = pd.concat(parts, ignore_index=True)
    return renamed(file, frame), len(frame)


def read_house_prices(file: ReleaseFile, path: Path) -> Laid:
    """Read a dataset of house prices, a workbook in a zip: a row an area and quarter.

    Headers are 'Year ending Dec 1995'; the period is the last month, '1995-12'.
    """

    def read(copy: Path) -> Laid:
        rows = read_sheets(copy, [file.sheet])[file.sheet]
        frame = below_header(rows, file.area, f"{path}, sheet {file.sheet}")
        ends = {
            c: f"{m[2]}-{_MONTHS[m[1]]}"
            for c in map(str, frame.columns)
            if (m := re.fullmatch(r"Year ending (Mar|Jun|Sep|Dec) (\d{4})", c))
        }
        frame = frame[frame[file.area].astype(str).str.fullmatch(r"[EW]\d{8}")]
        long = frame.melt([file.area, file.name], list(ends), var_name=file.period, value_name=file.value)
        long[file.period] = long[file.period].map(ends)
        return renamed(file, long), len(long)

    return _unzipped(path, r"\.(?:xlsx?|ods)$", read)


def read_census_zip(file: ReleaseFile, path: Path) -> Laid:
    """Read one CSV of a Census bulk download, a zip with a file a geography: a row an area."""
    return _unzipped(path, f"^{re.escape(file.sheet)}$", lambda copy: read_census_bulk(file, copy))


def read_census_bulk(file: ReleaseFile, path: Path) -> Laid:
    """Read a Census table as Nomis gives it whole: a row an area, a column a category.

    Headers are 'Variable: Category; measures: Value', and in some tables without the end; they
    come out as the category.
    """
    frame, n = read_rows(file, path)
    headers = {str(c): str(c).removesuffix("; measures: Value") for c in frame.columns}
    variables = {h.partition(": ")[0] for h in headers.values() if ": " in h}
    variable = f"{variables.pop()}: " if len(variables) == 1 else ""
    return frame.rename(columns={c: h.removeprefix(variable) for c, h in headers.items()}), n


def read_nomis(file: ReleaseFile, path: Path) -> Laid:
    """Read an answer of the Nomis interface: a row an area, period and, where named, category."""
    codes = [c for c in (file.area, file.period, file.category) if c]
    frame = read_user_table(path, None, codes).frame
    frame.columns = pd.Index([str(c).upper() for c in frame.columns])
    frame = renamed(file, frame)
    return (by_category(file, frame, path) if file.category else frame), len(frame)


def _unzipped(path: Path, member: str, read: Callable[[Path], Laid]) -> Laid:
    """Read the one member of a zip whose name matches."""
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            names = archive.namelist()
            found = [n for n in names if re.search(member, n)]
            if len(found) != 1:
                wanted = member.strip("^$").replace("\\", "")
                fix = did_you_mean(wanted, names) or f"It holds: {', '.join(names[:20])}."
                what = f"there is no single '{wanted}' in the zip."
                raise DataError(what, str(path), fix)
            copy = Path(folder) / f"member{Path(found[0]).suffix}"
            with archive.open(found[0]) as packed, copy.open("wb") as out:
                shutil.copyfileobj(packed, out)
            return read(copy)
    except ZIP_FAULTS as error:
        raise DataError(f"the zip cannot be read: {error}.", str(path)) from None
