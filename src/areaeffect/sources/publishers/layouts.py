"""How files are laid out: each layout a function, found by the name a release gives it."""

from __future__ import annotations

import csv
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from areaeffect.disk import ZIP_FAULTS, sha256_of
from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.results import Release
from areaeffect.sources.publishers.releases import CODE_PATTERNS, PublishedRelease, ReleaseFile, catalogue
from areaeffect.tables.text_rows import below_header, read_sheets
from areaeffect.tables.user_table import Layout, read_user_table

if TYPE_CHECKING:
    from areaeffect.results import Strings

    Laid = tuple[pd.DataFrame, int]

#: Layout of a file to the function that reads it: (file, path) → a table with a row an area or
#: area-period, columns `area`, `period`, `name` and the published headers; and the rows it was
#: made of. `releases.NO_TABLE` are not read as tables.
LAYOUTS = {
    "rows": "layouts:read_rows",
    "categories": "layouts:read_rows",
    "nomis": "layouts:read_nomis",
    "distinct": "layouts:read_distinct",
    "years_in_headers": "layouts:read_years_in_headers",
    "census_bulk": "layouts:read_census_bulk",
    "census_zip": "layouts:read_census_bulk",
    "sheets": "layouts:read_sheets_of_areas",
    "ranks_in_a_sheet": "layouts:read_ranks_in_a_sheet",
    "periods_in_headers": "layouts:read_periods_in_headers",
    "fly_tipping_csv": "layouts:read_fly_tipping_csv",
    "stat_xplore": "large_files:read_stat_xplore",
    "collisions": "large_files:read_collisions",
    "casualties": "large_files:read_casualties",
    "price_paid": "large_files:read_price_paid",
    "postcodes": "large_files:read_postcodes",
}
#: Headers shown in a message.
_SHOWN = 12
#: Key of a frame's `attrs`: rows of the file that its reader left out, because they lie nowhere.
LEFT_OUT = "left_out"
#: A code of an area: not of a county, a region or a country, whose rows are totals.
_AREA = "|".join(dict.fromkeys(CODE_PATTERNS.values()))
#: The sheets of one workbook name these three by the code before or after a boundary change that
#: moved almost nobody: one authority each (St Albans, Welwyn Hatfield, Stevenage).
_SAME_AUTHORITY = {"E07000100": "E07000240", "E07000104": "E07000241", "E07000101": "E07000243"}
#: A period as a header: a year, a day as text or as a workbook stores it, the months that a year ends with.
_PERIOD = re.compile(r"(?:\d{2}/\d{2}/)?(\d{4})(?:\.0|-\d{2}-\d{2}.*)?|Year ending (Mar|Jun|Sep|Dec) (\d{4})")
_MONTHS = {"Mar": "03", "Jun": "06", "Sep": "09", "Dec": "12"}


def layout(name: str) -> Callable[..., Laid]:
    """Return the function that reads a layout."""
    module, _, function = LAYOUTS[name].partition(":")
    reader: Callable[..., Laid] = getattr(import_module(f"{__package__}.{module}"), function)
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
    placed : each file, and where it lies.
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
            require(frame, headers, release.id)
        if file.layout == "categories":
            new = [str(c) for c in frame if c not in {*headers, *keys}]
            what = "The publisher has a new category: it needs a row in the table of columns."
            if problems := [Problem(f"'{c}' is a category without a column.", release.id, what) for c in new]:
                raise DataError(problems)
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
    require(joined, headers, release.id)
    return joined, tuple(records), notes


def read_rows(file: ReleaseFile, path: Path) -> Laid:
    """Read a CSV or Parquet file with a row an area, period and, where named, category."""
    codes = [c for c in (file.area, file.period, file.category) if c]
    return _by_category(file, read_user_table(path, None, codes, Layout((file.area,))).frame, path)


def read_nomis(file: ReleaseFile, path: Path) -> Laid:
    """Read an answer of the Nomis interface, whose headers may be in lower case, as `read_rows`."""
    codes = [c for c in (file.area, file.period, file.category) if c]
    return _by_category(file, read_user_table(path, None, codes).frame.rename(columns=str.upper), path)


def read_distinct(file: ReleaseFile, path: Path) -> Laid:
    """Read a lookup of smaller areas as one row for each of the areas that they make up."""
    frame = read_user_table(path, None, [file.area]).frame
    kept = renamed(file, frame)[["area", *(["name"] if file.name else []), *file.columns]]
    return kept.drop_duplicates().reset_index(drop=True), len(frame)


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


def _by_category(file: ReleaseFile, frame: pd.DataFrame, path: Path) -> Laid:
    """Give a table the names of every layout and, of a row an area, period and category, a column each."""
    frame = renamed(file, frame)
    if not file.category:
        return frame, len(frame)
    keys = [c for c in ("area", "period") if c in frame.columns]
    twice = frame.duplicated([*keys, file.category]).to_numpy()
    if twice.any():
        row = frame.iloc[int(twice.argmax())]
        raise DataError(f"{row['area']} has category '{row[file.category]}' twice.", str(path))
    wide = frame.pivot(index=keys, columns=file.category, values=file.value)
    wide.columns.name = None
    return wide.reset_index(), len(frame)


def read_census_bulk(file: ReleaseFile, path: Path) -> Laid:
    """Read a Census table as Nomis gives it whole: a row an area, a column a category.

    Headers are 'Variable: Category; measures: Value', and in some tables without the end; they
    come out as the category. Of a zip with a file a geography, `file.sheet` is read.
    """
    if file.layout == "census_zip":
        frame, n = _unzipped(path, f"^{re.escape(file.sheet)}$", lambda copy: read_rows(file, copy))
    else:
        frame, n = read_rows(file, path)
    headers = {str(c): str(c).removesuffix("; measures: Value") for c in frame.columns}
    variables = {h.partition(": ")[0] for h in headers.values() if ": " in h}
    variable = f"{variables.pop()}: " if len(variables) == 1 else ""
    return frame.rename(columns={c: h.removeprefix(variable) for c, h in headers.items()}), n


def _areas_below(file: ReleaseFile, rows: list[list[str]], where: str) -> pd.DataFrame:
    """Return the rows of areas below the header."""
    frame = below_header(rows, file.area, where)
    return frame[frame[file.area].astype(str).str.fullmatch(_AREA)].reset_index(drop=True)


def _sheets(file: ReleaseFile, path: Path) -> list[tuple[str, pd.DataFrame]]:
    """Return the sheets that `file.sheet` names, ' | ' between them, with their rows of areas."""
    found = read_sheets(path, file.sheet.split(" | ")).items()
    return [(sheet, _areas_below(file, rows, f"{file.path}, sheet {sheet}")) for sheet, rows in found]


def read_sheets_of_areas(file: ReleaseFile, path: Path) -> Laid:
    """Read sheets with a row an area or area and period; the period may be the year of a sheet's name."""
    parts = [
        frame.assign(**{file.period: "".join(re.findall(r"\d{4}", sheet)[:1])})
        if file.period and file.period not in frame.columns
        else frame
        for sheet, frame in _sheets(file, path)
    ]
    frame = renamed(file, pd.concat(parts, ignore_index=True))
    return frame, len(frame)


def read_ranks_in_a_sheet(file: ReleaseFile, path: Path) -> Laid:
    """Read a sheet of ranks: a row an area. Headers differ in case by edition."""
    frame, n = read_sheets_of_areas(file, path)
    return frame.rename(columns={c: str(c).capitalize() for c in frame.columns if c != "area"}), n


def read_periods_in_headers(file: ReleaseFile, path: Path) -> Laid:
    """Read sheets whose headers are periods, also of a workbook in a zip: a row an area and period.

    A sheet gives one column, `file.value` or by its own name; a year that ends with a month has
    this month for its period.
    """
    if path.suffix == ".zip":
        return _unzipped(path, r"\.(?:xlsx?|ods)$", lambda copy: read_periods_in_headers(file, copy))
    joined = pd.DataFrame()
    for sheet, read in _sheets(file, path):
        frame = read.rename(columns={file.area: "area", file.name: "name"})
        found = {c: m for c in frame.columns if (m := _PERIOD.fullmatch(str(c)))}
        periods = {c: m[1] or f"{m[3]}-{_MONTHS[m[2]]}" for c, m in found.items()}
        frame["area"] = frame["area"].replace(_SAME_AUTHORITY)
        long = frame.melt(["area", "name"], list(periods), var_name="period", value_name=file.value or sheet)
        long["period"] = long["period"].map(periods)
        if not joined.empty:
            long = joined.merge(long.drop(columns="name"), on=["area", "period"], how="outer", validate="1:1")
        joined = long
    joined["name"] = joined["name"].str.replace(r"(?:\s+UA)?\*?$", "", regex=True)
    return joined, len(joined)


def read_fly_tipping_csv(file: ReleaseFile, path: Path) -> Laid:
    """Read incidents as a CSV in Latin-1: a title, then the header; commas in thousands."""
    rows = list(csv.reader(path.read_text(encoding="latin-1").splitlines()))
    frame = _areas_below(file, rows, str(path))
    for column in frame.columns.difference([file.area, file.period, file.name]):
        frame[column] = frame[column].astype(str).str.replace(r"(?<=\d),(?=\d{3})", "", regex=True)
    return renamed(file, frame), len(frame)


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


def renamed(file: ReleaseFile, frame: pd.DataFrame) -> pd.DataFrame:
    """Give area, period and name the names that every layout uses."""
    wanted = {"area": file.area, "period": file.period, "name": file.name}
    wanted = {ours: theirs for ours, theirs in wanted.items() if theirs}
    asked = (*wanted.values(), *(c for c in (file.category, file.value) if c), *file.columns)
    require(frame, asked, file.path)
    return frame.rename(columns={theirs: ours for ours, theirs in wanted.items()})


def keys_of(file: ReleaseFile, path: Path) -> tuple[int, Strings]:
    """Return the rows of what is no table, and the codes of its areas; nothing else is read."""
    if file.layout == "postcodes":
        found, n = layout(file.layout)(file, path)
        codes = [c for c in found["area"].unique() if c.startswith(("E01", "W01"))]
        return n, np.array(codes, dtype=np.str_)
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
    require(frame, [c for c in (file.area, file.value, file.category) if c], file.path)
    return len(frame), frame[file.area].astype(str).drop_duplicates().to_numpy(dtype=str)


def require(frame: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    """Raise DataError, naming what is missing and what is new, for a file laid out otherwise."""
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
