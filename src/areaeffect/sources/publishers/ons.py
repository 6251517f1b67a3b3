"""Office for National Statistics: workbooks and bulk downloads as it lays them out."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.sources.publishers.layouts import read_rows
from areaeffect.tables.workbook import below_header, read_sheets

if TYPE_CHECKING:
    from areaeffect.sources.publishers.layouts import Laid
    from areaeffect.sources.publishers.releases import ReleaseFile


def read_vacant_homes(file: ReleaseFile, path: Path) -> Laid:
    """Read one sheet of 'Number of vacant and second homes': a row an area."""
    rows = read_sheets(path, [file.sheet])[file.sheet]
    frame = below_header(rows, file.area, f"{path}, sheet {file.sheet}")
    frame = frame.rename(columns={file.area: "area", file.name: "name"})
    frame = frame[frame["area"] != ""].reset_index(drop=True)
    return frame, len(frame)


def read_zipped_rows(file: ReleaseFile, path: Path) -> Laid:
    """Read one CSV of a Census bulk download, a zip with a file a geography: a row an area."""
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            names = archive.namelist()
            if file.sheet not in names:
                near = did_you_mean(file.sheet, names)
                fix = near or f"It holds: {', '.join(names[:20])}."
                raise DataError(Problem(f"there is no '{file.sheet}' in the zip.", str(path), fix))
            copy = Path(folder) / "rows.csv"
            with archive.open(file.sheet) as member, copy.open("wb") as out:
                shutil.copyfileobj(member, out)
            return read_rows(file, copy)
    except (zipfile.BadZipFile, EOFError) as error:
        raise DataError(Problem(f"the zip cannot be read: {error}.", str(path))) from None
