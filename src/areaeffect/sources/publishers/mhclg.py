"""Ministry of Housing, Communities and Local Government: workbooks as it lays them out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from areaeffect.tables.workbook import below_header, read_sheets

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from areaeffect.sources.publishers.layouts import Laid
    from areaeffect.sources.publishers.releases import ReleaseFile

#: Districts, unitary authorities, boroughs: not counties (E10, E11), regions or England.
_AUTHORITY = re.compile(r"E0[6-9]\d{6}")
#: The sheets of one workbook name these three by the code before or after a boundary change that
#: moved almost nobody: one authority each (St Albans, Welwyn Hatfield, Stevenage).
_SAME_AUTHORITY = {"E07000100": "E07000240", "E07000104": "E07000241", "E07000101": "E07000243"}
_YEAR = re.compile(r"(\d{4})(?:\.0)?")
#: A day as text, or as a workbook stores a date.
_DAY = re.compile(r"(?:\d{2}/\d{2}/)?(\d{4})(?:-\d{2}-\d{2}.*)?")


def read_live_table_615(file: ReleaseFile, path: Path) -> Laid:
    """Read live table 615 as an .xls, one sheet a tenure: a row an authority and year.

    `file.sheet` names the sheets, separated by ' | ', each a column; totals and counties are
    left out.
    """
    return _by_year(file, path, _YEAR)


def read_vacants_by_date(file: ReleaseFile, path: Path) -> Laid:
    """Read live table 615 as the .ods since 2026: its headers are days, '06/10/2025'."""
    return _by_year(file, path, _DAY)


def _by_year(file: ReleaseFile, path: Path, header: re.Pattern[str]) -> Laid:
    joined: pd.DataFrame | None = None
    for sheet, rows in read_sheets(path, file.sheet.split(" | ")).items():
        frame = below_header(rows, file.area, f"{path}, sheet {sheet}")
        is_authority = frame[file.area].astype(str).str.fullmatch(_AUTHORITY)
        frame = frame[is_authority].rename(columns={file.area: "area", file.name: "name"})
        frame["area"] = frame["area"].replace(_SAME_AUTHORITY)
        years = {c: m[1] for c in frame.columns if (m := header.fullmatch(str(c)))}
        long = frame.melt(
            id_vars=["area", "name"], value_vars=list(years), var_name="period", value_name=sheet
        )
        long["period"] = long["period"].map(years)
        if joined is None:
            joined = long
        else:
            long = long.drop(columns="name")
            joined = joined.merge(long, on=["area", "period"], how="outer", validate="1:1")
    if joined is None:
        raise AssertionError(file.path)  # a sheet is always named; a test holds it
    joined["name"] = joined["name"].str.replace(r"(?:\s+UA)?\*?$", "", regex=True)
    return joined, len(joined)
