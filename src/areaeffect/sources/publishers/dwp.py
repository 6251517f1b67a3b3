"""Department for Work and Pensions: tables of Stat-Xplore as it lets them be saved."""

from __future__ import annotations

import calendar
import csv
import re
from typing import TYPE_CHECKING

import pandas as pd

from areaeffect.errors import DataError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.sources.publishers.layouts import Laid
    from areaeffect.sources.publishers.releases import ReleaseFile

_NOTES = " - Annotations"
_MARK = re.compile(r"\s*\((?:p|r)\)$")  # provisional, revised
_MONTH = re.compile(r"(\w+) (\d{4})")
_MONTHS = {name: f"{i:02d}" for i, name in enumerate(calendar.month_name) if i}


def read_stat_xplore(file: ReleaseFile, path: Path) -> Laid:
    """Read a saved table: a row an area by name, a column a period, one of notes after each.

    The header is the row whose first cell is `file.period` ('Month', 'Year'); lines before it are
    about the table, rows of one cell are headings and notes. A row of totals is left out.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        raise DataError(Problem("the file is not UTF-8.", str(path), "Save it again.")) from None
    start = next((i for i, r in enumerate(rows) if r and r[0].strip() == file.period), None)
    if start is None:
        raise DataError(
            Problem(
                f"no row begins with '{file.period}'.",
                str(path),
                "Save the table with areas in rows and time in columns, as CSV.",
            )
        )
    header = [cell.strip() for cell in rows[start]]
    periods = {
        i: _period(_MARK.sub("", cell), path)
        for i, cell in enumerate(header)
        if i and cell and not cell.endswith(_NOTES)
    }
    if not periods or len(set(periods.values())) != len(periods):
        raise DataError(Problem("its header names no periods, or one of them twice.", str(path)))
    areas = [r for r in rows[start + 1 :] if len(r) > max(periods) and r[0].strip()]
    areas = [r for r in areas if r[0].strip().lower() != "total"]
    records = [(r[0].strip(), period, r[i].strip()) for r in areas for i, period in periods.items()]
    return pd.DataFrame(records, columns=["area", "period", file.value]), len(areas)


def _period(text: str, path: Path) -> str:
    """Read 'December 2021' as 2021-12 and '2014/15' as 2014-15."""
    if (match := _MONTH.fullmatch(text)) and match[1] in _MONTHS:
        return f"{match[2]}-{_MONTHS[match[1]]}"
    if match := re.fullmatch(r"(\d{4})/(\d{2})", text):
        return f"{match[1]}-{match[2]}"
    raise DataError(Problem(f"'{text}' in its header is neither a month nor a year.", str(path)))
