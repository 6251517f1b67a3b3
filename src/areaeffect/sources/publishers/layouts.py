"""How files are laid out: each layout a function, found by the name a release gives it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from areaeffect.disk import sha256_of
from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.results import Release
from areaeffect.sources.publishers.releases import PublishedRelease, ReleaseFile, catalogue
from areaeffect.tables.user_table import Layout, read_user_table

if TYPE_CHECKING:
    from areaeffect.panel import Strings

    Laid = tuple[pd.DataFrame, int]

#: Layout of a file to the function that reads it: (file, path) → a table with a row an area or
#: area-period, columns `area`, `period`, `name` and the published headers; and the rows it was
#: made of. `releases.NO_TABLE` are not read as tables.
LAYOUTS = {
    "rows": "areaeffect.sources.publishers.layouts:read_rows",
    "categories": "areaeffect.sources.publishers.layouts:read_categories",
    "distinct": "areaeffect.sources.publishers.layouts:read_distinct",
    "years_in_headers": "areaeffect.sources.publishers.layouts:read_years_in_headers",
    "census_zip": "areaeffect.sources.publishers.ons:read_census_zip",
    "census_bulk": "areaeffect.sources.publishers.ons:read_census_bulk",
    "nomis": "areaeffect.sources.publishers.ons:read_nomis",
    "vacant_homes": "areaeffect.sources.publishers.ons:read_vacant_homes",
    "sheet_a_year": "areaeffect.sources.publishers.ons:read_sheet_a_year",
    "house_prices": "areaeffect.sources.publishers.ons:read_house_prices",
    "live_table_615": "areaeffect.sources.publishers.departments:read_live_table_615",
    "vacants_by_date": "areaeffect.sources.publishers.departments:read_vacants_by_date",
    "fly_tipping": "areaeffect.sources.publishers.departments:read_fly_tipping",
    "fly_tipping_csv": "areaeffect.sources.publishers.departments:read_fly_tipping_csv",
    "stat_xplore": "areaeffect.sources.publishers.departments:read_stat_xplore",
    "collisions": "areaeffect.sources.publishers.departments:read_collisions",
    "casualties": "areaeffect.sources.publishers.departments:read_casualties",
    "price_paid": "areaeffect.sources.publishers.departments:read_price_paid",
    "ranks_in_a_sheet": "areaeffect.sources.publishers.ons:read_ranks_in_a_sheet",
}
#: Headers shown in a message.
_SHOWN = 12
#: Key of a frame's `attrs`: rows of the file that its reader left out, because they lie nowhere.
LEFT_OUT = "left_out"


def layout(name: str) -> Callable[..., Laid]:
    """Return the function that reads a layout."""
    module, _, function = LAYOUTS[name].partition(":")
    reader: Callable[..., Laid] = getattr(import_module(module), function)
    return reader


def read_files(
    release: PublishedRelease,
    placed: Sequence[tuple[ReleaseFile, Path]],
    headers: Sequence[str],
    places: Path | None = None,
) -> tuple[pd.DataFrame, tuple[Release, ...], list[str]]:
    """Read every file of a release, and join them: on area and period, or a year after a year.

    Parameters
    ----------
    release, placed : the release; each file of it, and where it lies.
    headers : the columns that must be there.
    places : the file that says where its rows lie, where `release.placed_by` names one.
    """
    joined: pd.DataFrame | None = None
    records, notes = [], []
    for file, path in placed:
        digest = sha256_of(path)
        if file.sha256 and digest != file.sha256:
            notes.append(f"{path.name} is not the file on record (sha256 {digest[:12]}…).")
        frame, n = layout(file.layout)(file, path, *([places] if release.placed_by else []))
        left_out = frame.attrs.get(LEFT_OUT, 0)
        records.append(
            Release(
                source=release.id,
                file=path.name,
                sha256=digest,
                rows_read=n,
                rows_kept=n - left_out,
                rows_rejected=left_out,
                licence=release.licence,
                attribution=release.attribution,
            )
        )
        keys = [c for c in ("area", "period") if c in frame.columns]
        if len(placed) == 1:
            require(frame, headers, release)
        if file.layout == "categories":
            _refuse_new_categories(release, [str(c) for c in frame if c not in {*headers, *keys}])
        frame = frame[[c for c in frame.columns if c in headers or c in (*keys, "name")]]
        if joined is None:
            joined = frame
        elif list(frame.columns) == list(joined.columns):
            joined = pd.concat([joined, frame], ignore_index=True)
        else:
            repeated = [c for c in frame.columns if c in joined.columns and c not in keys]
            frame = frame.drop(columns=repeated)
            joined = joined.merge(frame, on=keys, how="outer", validate="1:1")
    if joined is None:
        raise AssertionError(release.id)  # every release has a file; a test holds it
    require(joined, headers, release)
    return joined, tuple(records), notes


def _refuse_new_categories(release: PublishedRelease, unknown: Sequence[str]) -> None:
    if unknown:
        raise DataError(
            [
                Problem(
                    f"'{c}' is a category without a column.",
                    release.id,
                    "The publisher has a new category: it needs a row in the table of columns.",
                )
                for c in unknown
            ]
        )


def read_rows(file: ReleaseFile, path: Path) -> Laid:
    """Read a CSV or Parquet file with a row an area, or an area and period."""
    codes = [c for c in (file.area, file.period) if c]
    frame = read_user_table(path, None, codes, Layout((file.area,))).frame
    return renamed(file, frame), len(frame)


def read_categories(file: ReleaseFile, path: Path) -> Laid:
    """Read a file with a row an area, (period) and category: one column a category comes out."""
    codes = [c for c in (file.area, file.period, file.category) if c]
    frame = read_user_table(path, None, codes, Layout((file.area,))).frame
    return by_category(file, renamed(file, frame), path), len(frame)


def read_distinct(file: ReleaseFile, path: Path) -> Laid:
    """Read a lookup of smaller areas as one row for each of the areas that they make up."""
    frame = read_user_table(path, None, [file.area]).frame
    frame = renamed(file, frame)
    kept = frame[["area", *(["name"] if file.name else []), *file.columns]].drop_duplicates()
    return kept.reset_index(drop=True), len(frame)


def read_years_in_headers(file: ReleaseFile, path: Path) -> Laid:
    """Read a row an area whose headers are `measure.YYYY`: a row an area and year comes out."""
    frame, n = read_rows(file, path)
    years: dict[str, dict[str, str]] = {}
    for header in map(str, frame.columns):
        if match := re.fullmatch(r"(.+)\.(\d{4})", header):
            years.setdefault(match[2], {})[header] = match[1]
    if not years:
        raise DataError("no header ends in a year, such as 'name.2019'.", str(path))
    parts = [
        frame[["area", *named]].rename(columns=named).assign(period=year)
        for year, named in sorted(years.items())
    ]
    return pd.concat(parts, ignore_index=True), n


def by_category(file: ReleaseFile, frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Turn a row an area, period and category into a column a category."""
    keys = [c for c in ("area", "period") if c in frame.columns]
    twice = frame.duplicated([*keys, file.category]).to_numpy()
    if twice.any():
        row = frame.iloc[int(twice.argmax())]
        raise DataError(f"{row['area']} has category '{row[file.category]}' twice.", str(path))
    wide = frame.pivot(index=keys, columns=file.category, values=file.value)
    wide.columns.name = None
    return wide.reset_index()


def renamed(file: ReleaseFile, frame: pd.DataFrame) -> pd.DataFrame:
    """Give area, period and name the names that every layout uses."""
    wanted = {"area": file.area, "period": file.period, "name": file.name}
    wanted = {ours: theirs for ours, theirs in wanted.items() if theirs}
    asked = (*wanted.values(), *(c for c in (file.category, file.value) if c), *file.columns)
    _require(frame, asked, file.path)
    return frame.rename(columns={theirs: ours for ours, theirs in wanted.items()})


def keys_of(file: ReleaseFile, path: Path) -> tuple[int, Strings]:
    """Return the rows of what is no table, and the codes of its areas; nothing else is read."""
    if file.layout == "postcodes":
        from areaeffect.sources.publishers.postcodes import AREA, column_of, read_directory

        found = read_directory(path, lambda names: [column_of(path, names, AREA)])
        codes = [c for c in found.iloc[:, 0].unique() if c.startswith(("E01", "W01"))]
        return len(found), np.array(codes, dtype=np.str_)
    if file.layout == "outlines" and path.suffix != ".parquet":
        import geopandas

        try:
            frame = geopandas.read_file(path, ignore_geometry=True)
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                f"the outlines cannot be read: {reason}", str(path), "Fetch them again."
            ) from None
    else:
        frame = read_user_table(path, None, [file.area]).frame
    _require(frame, [c for c in (file.area, file.value, file.category) if c], file.path)
    return len(frame), frame[file.area].astype(str).drop_duplicates().to_numpy(dtype=str)


def require(frame: pd.DataFrame, columns: Sequence[str], release: PublishedRelease) -> None:
    """Raise DataError, naming what is missing and what is new, for a file laid out otherwise."""
    _require(frame, columns, release.id)


def _require(frame: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    there = [str(c) for c in frame.columns]
    missing = [c for c in columns if c not in there]
    if not missing:
        return
    if other := _other_release(there, where):
        what = f"this is the file of '{other}': it has the columns of that release."
        raise DataError(what, where, f"Put it where `{other}` belongs.")
    new = [c for c in there if c not in {*columns, "area", "period", "name"}]
    near = did_you_mean(missing[0], new) if len(missing) == 1 else ""
    has = f"It has instead: {_quoted(new)}." if new else "It has no others."
    raise DataError(
        f"the publisher may have changed the file: there is no column {_quoted(missing)}.", where, near or has
    )


def _quoted(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{n}'" for n in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _other_release(there: Sequence[str], where: str) -> str:
    """Return the release of one file whose headers, three at least, are all there."""
    best, most = "", 2
    for release in catalogue().values():
        headers = {c.published for c in release.columns if c.published}
        file = release.files[0] if len(release.files) == 1 and release.is_table else None
        if file is None or where in {release.id, file.path} or not file.area:
            continue
        if most < len(headers) and {*headers, file.area} <= set(there):
            best, most = release.id, len(headers)
    return best
