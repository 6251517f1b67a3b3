"""Department for Environment, Food and Rural Affairs: workbooks as it lays them out."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from areaeffect.sources.publishers.layouts import renamed
from areaeffect.tables.workbook import below_header, read_sheets

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.sources.publishers.layouts import Laid
    from areaeffect.sources.publishers.releases import ReleaseFile

_TOTAL = "*Total"  # rows of regions and of England


def read_fly_tipping(file: ReleaseFile, path: Path) -> Laid:
    """Read fly-tipping incidents: a row an authority and financial year; totals left out."""
    rows = read_sheets(path, [file.sheet])[file.sheet]
    frame = below_header(rows, file.area, f"{path}, sheet {file.sheet}")
    frame = frame.rename(columns={file.area: "area", file.period: "period", file.name: "name"})
    is_authority = (frame["area"] != _TOTAL) & (frame["area"] != "")
    frame = frame[is_authority].reset_index(drop=True)
    return frame, len(frame)


def read_fly_tipping_csv(file: ReleaseFile, path: Path) -> Laid:
    """Read incidents as a CSV in Latin-1: a title, then the header; commas in thousands."""
    rows = list(csv.reader(path.read_text(encoding="latin-1").splitlines()))
    frame = below_header(rows, file.area, str(path))
    frame = frame[frame[file.area].astype(str).str.match("E0")].reset_index(drop=True)
    for column in frame.columns.difference([file.area, file.period, file.name]):
        frame[column] = frame[column].astype(str).str.replace(r"(?<=\d),(?=\d{3})", "", regex=True)
    return renamed(file, frame), len(frame)
