"""Source kind `panel`: the user's own table of areas, or of areas and periods.

CSV, workbook or Parquet, long (a row an area and period) or wide (a row an area, a column a
period).
A cell without a row is missing, never zero, unless the study says `absent_is_zero`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from areaeffect.disk import sha256_of
from areaeffect.errors import DataError, Faults, Problem, did_you_mean, number_of
from areaeffect.periods import PeriodKind
from areaeffect.results import Release
from areaeffect.sources.coverage import MeasureRequest, SourceKind, SourceRequest, SourceTable
from areaeffect.sources.panel_periods import (
    copied_rows,
    ended_categories,
    lengthen,
    row_periods,
    short_of_window,
)
from areaeffect.sources.panel_values import (
    Grid,
    attributes_of,
    matrix_of,
    number_or_text,
    numbers_of,
    rows_of,
)
from areaeffect.sources.panel_vintages import one_vintage, placed_by_name
from areaeffect.sources.screening import screen
from areaeffect.study.model import PanelSource
from areaeffect.study.parts import Window, resolve
from areaeffect.tables.cells import compared_text, lookalike, picked, read_codes
from areaeffect.tables.user_table import Layout, is_total, read_user_table


def read(
    name: str,
    source: PanelSource,
    path: Path,
    window: Window,
    wanted: tuple[MeasureRequest, ...],
    attributes: tuple[str, ...],
) -> SourceTable:
    """Read a user's table: measures as (n_areas, n_periods) with NaN where it has no number.

    Missing columns, values that are not numbers, infinite, negative or fractional counts, periods
    that cannot be read, duplicate area-periods and values that no row holds are refused together.
    """
    faults = Faults()
    loaded = _load(name, source, path, window, wanted, attributes, faults)
    frame, source, notes = loaded.frame, loaded.source, loaded.notes
    area_of_row, labels = pd.factorize(frame[source.area], sort=True)
    areas = labels.to_numpy(dtype=str)
    if source.period is None:
        return _one_row_an_area(name, loaded, path, attributes, faults)
    when = faults.attempt(row_periods, frame, source, path, window, is_wide=loaded.is_wide)
    if when is None:
        for w in wanted:
            faults.attempt(numbers_of, frame, w, source, path)
        return faults.stop()
    notes += when.notes
    if source.absent_is_zero and source.category is not None:  # a row an incident
        if "equal rows" not in source.accept:
            notes += copied_rows(frame, when.ordinals, when.kind, path)
        notes += ended_categories(frame[source.category], when.ordinals, when.kind, path)
    frame, area_of_row = frame[when.inside], area_of_row[when.inside]
    ordinals, periods = when.ordinals[when.inside], when.periods
    faults.attempt(_refuse_duplicate_cells, frame, ordinals, source, path)
    grid = Grid(area_of_row, ordinals - periods.first, (len(areas), periods.n))
    tried = {w: faults.attempt(matrix_of, frame, w, source, path, grid) for w in wanted}
    found = {w: measure for w, measure in tried.items() if measure is not None}
    known = faults.attempt(attributes_of, frame, attributes, source, path, grid)
    if faults.errors or known is None:
        return faults.stop()
    fixed, varying = known
    names = _names(frame, source, areas, area_of_row)
    kept = frame.index.nunique() if loaded.is_wide else len(frame)
    release = _release(name, source, path, loaded, kept)
    return SourceTable(
        areas=areas,
        names=names,
        periods=periods,
        measures={w: m.values for w, m in found.items()},
        attributes=fixed,
        varying=varying,
        release=release,
        notes=tuple(dict.fromkeys([*notes, *(n for m in found.values() for n in m.notes)])),
        reasons={w: m.reasons for w, m in found.items() if m.reasons is not None},
        hidden={w: m.hidden for w, m in found.items() if m.hidden is not None},
    )


def _one_row_an_area(
    name: str, loaded: _Loaded, path: Path, attributes: tuple[str, ...], faults: Faults
) -> SourceTable:
    """Return a table without periods: characteristics of areas."""
    frame, source = loaded.frame, loaded.source
    faults.attempt(_refuse_duplicates, frame, [source.area], path)
    columns = {c: faults.attempt(number_or_text, frame[c], source, path) for c in attributes}
    faults.raise_all()
    area_of_row, labels = pd.factorize(frame[source.area], sort=True)
    order, areas = np.argsort(area_of_row), labels.to_numpy(dtype=str)
    return SourceTable(
        areas=areas,
        names=_names(frame, source, areas, area_of_row),
        periods=None,
        measures={},
        attributes={c: values[order] for c, values in columns.items() if values is not None},
        varying={},
        release=_release(name, source, path, loaded, len(frame)),
        notes=loaded.notes,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """The rows asked for, long; the source as it is then; rows read in all; whether it was wide."""

    frame: pd.DataFrame
    source: PanelSource
    rows: int
    is_wide: bool
    notes: tuple[str, ...]


def _release(name: str, source: PanelSource, path: Path, loaded: _Loaded, kept: int) -> Release:
    return Release(
        source=name,
        file=path.name,
        sha256=sha256_of(path),
        rows_read=loaded.rows,
        rows_kept=kept,
        rows_rejected=loaded.rows - kept,
        licence=source.licence,
        attribution=source.attribution,
    )


def _load(
    name: str,
    source: PanelSource,
    path: Path,
    window: Window,
    wanted: tuple[MeasureRequest, ...],
    attributes: tuple[str, ...],
    faults: Faults,
) -> _Loaded:
    is_wide = source.layout == "wide"
    if is_wide and source.period is not None:
        raise DataError("a wide table has no period column.", f"source.{name}", "Drop `period`.")
    needed = _needed(source, wanted, attributes)
    codes = tuple(c for c in (source.area, source.period, source.category) if c)
    keys = [c for c in needed if c != "value"] if is_wide else needed
    where = Layout(keys, source.header, source.sheet, r".*\d.*" if is_wide else r"(?!)")
    whole = is_wide or source.absent_is_zero  # copies of incidents are equal in every column
    table = read_user_table(path, None if whole else needed, codes, where)
    frame, notes = table.frame, table.notes
    rows = len(frame) + len(table.left_out)
    if source.area in frame.columns and source.areas_by != "code":
        placed, more = placed_by_name(frame[source.area], source.areas_by, path)
        frame, notes = frame.assign(**{source.area: placed})[placed != ""], notes + more
    if source.area in frame.columns:
        frame, more = faults.attempt(_with_areas, frame, source, path) or (frame, ())
        notes += more
    if is_wide:
        numbered = window.kind is PeriodKind.NUMBER
        frame, more = lengthen(frame, source, keys, path, numbered=numbered)
        notes += more
        source = source.model_copy(update={"period": "period"})
    if any(w.category for w in wanted) and source.category is None:
        raise DataError("outcomes pick categories, but `category` is not set.", str(path))
    missing = sorted(set(_needed(source, wanted, attributes)) - set(frame.columns))
    if missing:
        there = f"Columns: {', '.join(frame.columns)}."
        fixes = {c: did_you_mean(c, frame.columns) or there for c in missing}
        raise DataError([Problem(f"there is no column '{c}'.", str(path), f) for c, f in fixes.items()])
    before = len(frame)
    for column, value in source.where.items():
        frame = frame[picked(frame[column], [value], column, f"{path.name}, `where`")]
    if len(frame) < before:
        notes += (f"{path.name}: {before - len(frame):,} rows outside the selection were not used.",)
    if frame.empty:
        raise DataError("no rows are left.", str(path), "Check the file and `where`.")
    return _Loaded(frame, source, rows, is_wide, notes)


def _with_areas(frame: pd.DataFrame, source: PanelSource, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table with its area codes as they are compared; refuse what is no area."""
    codes, notes = read_codes(frame[source.area])
    frame = frame.assign(**{source.area: codes})
    notes = tuple(f"{path.name}: {note}." for note in notes)
    left = {compared_text(t) for t in source.leave_out} - {compared_text(c) for c in frame.columns}
    if left:
        out = picked(codes, [t for t in source.leave_out if compared_text(t) in left], source.area,
                     f"{path.name}, `leave_out`")  # fmt: skip
        frame, codes = frame[~out], codes[~out]
        notes += (
            f"{path.name}: {number_of(int(out.sum()), 'row', 'rows')} named in `leave_out` were left out.",
        )
    headings = 'Give every row one. Headings and totals without a code: leave_out = [""].'
    blank = (codes == "").to_numpy()
    if blank.any():
        raise DataError(f"'{source.area}' is blank.", f"{path}, {rows_of(frame, blank)}", headings)
    every = set(codes)
    faults = []
    for code in sorted(every):
        if other := lookalike(code, every):
            what = f"'{code}' looks like '{other}' but holds a letter of another alphabet."
            fix = "Type the code again."
        elif is_total(code, every):
            what = f"'{code}' is a total, not an area."
            fix = f'Remove it, or write leave_out = ["{code}"].'
        else:
            continue
        at = f"{path}, {rows_of(frame, (codes == code).to_numpy())}" if code else ""
        faults.append(Problem(what, at, fix))
    if faults:
        raise DataError(faults)
    return frame, notes


def _needed(
    source: PanelSource, wanted: tuple[MeasureRequest, ...], attributes: tuple[str, ...]
) -> list[str]:
    needed = [source.area, *attributes, *source.where, *(w.value for w in wanted)]
    needed += [c for c in (source.period, source.name, source.coverage_group) if c]
    needed += [n.column for n in source.not_covered]
    return needed + ([source.category] if source.category else [])


def _refuse_duplicates(frame: pd.DataFrame, keys: list[str], path: Path) -> None:
    twice = frame.duplicated(keys).to_numpy()
    if twice.any():
        example = " ".join(str(v) for v in frame[keys].iloc[int(twice.argmax())])
        count = number_of(int(twice.sum()), "row repeats", "rows repeat")
        raise DataError(
            f"{count} the {' and '.join(keys)} of an earlier one, such as {example}.",
            f"{path}, {rows_of(frame, twice)}",
            "Keep one row each, or add them up.",
        )


def _refuse_duplicate_cells(
    frame: pd.DataFrame, ordinals: npt.NDArray[np.int64], source: PanelSource, path: Path
) -> None:
    if source.absent_is_zero and source.category is not None:
        return  # an event table may list a cell in parts: several forces, several files
    keys = [source.area, str(source.period)]
    # by what a period means: '2012-01' and '2012-01-01' are one month
    frame = frame.assign(**{keys[1]: frame.groupby(ordinals)[keys[1]].transform("first")})
    _refuse_duplicates(frame, [*keys, source.category] if source.category else keys, path)


def _names(
    frame: pd.DataFrame, source: PanelSource, areas: npt.NDArray[np.str_], area_of_row: npt.NDArray[np.int64]
) -> npt.NDArray[np.str_]:
    if source.name is None:
        return areas
    first = np.zeros(len(areas), dtype=np.int64)
    first[area_of_row] = np.arange(len(frame))
    bare = np.bincount(area_of_row, minlength=len(areas)) == 0
    names = frame[source.name].iloc[first].to_numpy(dtype=str)
    return np.where(bare | (names == ""), areas, names)


def _read_request(request: SourceRequest[PanelSource]) -> SourceTable:
    path = resolve(request.source.path, request.file.folder)
    table = read(request.name, request.source, path, request.window, request.wanted, request.attributes)
    short = short_of_window(table.periods, request.window, path.name)
    table = replace(table, notes=(*table.notes, *short))
    return screen(request.source, one_vintage(table, f"source.{request.name}"))


def _describe(request: SourceRequest[PanelSource]) -> str:
    return f"{request.name}: a table of your own"


SOURCE = SourceKind(model=PanelSource, read=_read_request, describe=_describe)
