"""Office for National Statistics: workbooks as it lays them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.sources.workbook import below_header, read_sheets

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from areaeffect.sources.releases import ReleaseFile


def read_vacant_homes(file: ReleaseFile, path: Path) -> pd.DataFrame:
    """Read one sheet of 'Number of vacant and second homes': a row an area."""
    rows = read_sheets(path, [file.sheet])[file.sheet]
    frame = below_header(rows, file.area, f"{path}, sheet {file.sheet}")
    frame = frame.rename(columns={file.area: "area", file.name: "name"})
    return frame[frame["area"] != ""].reset_index(drop=True)
