"""How files are laid out: each layout a function, found by the name a release gives it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.tables.user_table import Layout, read_user_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from areaeffect.sources.publishers.releases import ReleaseFile

    Laid = tuple[pd.DataFrame, int]

#: Layout of a file to the function that reads it: (file, path) → a table with a row an area or
#: area-period, columns `area`, `period`, `name` and the published headers; and the rows it was
#: made of. 'file' is not read as a table.
LAYOUTS = {
    "rows": "areaeffect.sources.publishers.layouts:read_rows",
    "categories": "areaeffect.sources.publishers.layouts:read_categories",
    "vacant_homes": "areaeffect.sources.publishers.ons:read_vacant_homes",
    "zipped_rows": "areaeffect.sources.publishers.ons:read_zipped_rows",
    "live_table_615": "areaeffect.sources.publishers.mhclg:read_live_table_615",
    "fly_tipping": "areaeffect.sources.publishers.defra:read_fly_tipping",
}


def layout(name: str) -> Callable[[ReleaseFile, Path], Laid]:
    """Return the function that reads a layout."""
    module, _, function = LAYOUTS[name].partition(":")
    reader: Callable[[ReleaseFile, Path], Laid] = getattr(import_module(module), function)
    return reader


def read_rows(file: ReleaseFile, path: Path) -> Laid:
    """Read a CSV or Parquet file with a row an area, or an area and period."""
    codes = [c for c in (file.area, file.period) if c]
    frame = read_user_table(path, None, codes, Layout((file.area,))).frame
    return _renamed(file, frame, path), len(frame)


def read_categories(file: ReleaseFile, path: Path) -> Laid:
    """Read a file with a row an area, (period) and category: one column a category comes out."""
    codes = [c for c in (file.area, file.period, file.category) if c]
    frame = read_user_table(path, None, codes, Layout((file.area,))).frame
    frame = _renamed(file, frame, path)
    keys = [c for c in ("area", "period") if c in frame.columns]
    twice = frame.duplicated([*keys, file.category]).to_numpy()
    if twice.any():
        row = frame.iloc[int(twice.argmax())]
        raise DataError(
            Problem(f"{row['area']} has category '{row[file.category]}' twice.", str(path))
        )
    wide = frame.pivot(index=keys, columns=file.category, values=file.value)
    wide.columns.name = None
    return wide.reset_index(), len(frame)


def _renamed(file: ReleaseFile, frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    wanted = {"area": file.area, "period": file.period, "name": file.name}
    wanted = {ours: theirs for ours, theirs in wanted.items() if theirs}
    asked = (*wanted.values(), *(c for c in (file.category, file.value) if c))
    require(frame, asked, str(path))
    return frame.rename(columns={theirs: ours for ours, theirs in wanted.items()})


def require(frame: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    """Raise DataError, with what there is, for columns that a file lacks."""
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        there = [str(c) for c in frame.columns]
        raise DataError(
            [
                Problem(
                    f"there is no column '{c}'; the publisher may have changed the file.",
                    where,
                    did_you_mean(c, there) or f"Columns: {', '.join(there[:20])}.",
                )
                for c in missing
            ]
        )
