"""Source kind `panel`: the user's own table of areas, or of areas and periods.

CSV or Parquet, long (a row an area and period) or wide (a row an area, a column a period).
A cell without a row is missing, never zero, unless the study says `absent_is_zero`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.periods import PeriodKind, Periods, kind_of, label, parse_period
from areaeffect.results import Release
from areaeffect.sources.base import SourceTable, Wanted, sha256_of
from areaeffect.sources.text_table import read_text_table
from areaeffect.sources.wide_table import lengthen

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from areaeffect.study.model import PanelSource, Window

_SHOWN = 5


def read(
    name: str,
    source: PanelSource,
    path: Path,
    window: Window,
    wanted: tuple[Wanted, ...],
    attributes: tuple[str, ...],
) -> SourceTable:
    """Read a user's table.

    Returns
    -------
    SourceTable
        Measures as (n_areas, n_periods) with NaN where the table has no row.

    Raises
    ------
    DataError
        Missing or empty file, missing columns (did you mean), values that are not numbers,
        negative or fractional counts, periods that cannot be read, duplicate area-periods.
    """
    frame, source, rows, notes = _load(name, source, path, wanted, attributes)
    area_of_row, labels = pd.factorize(frame[source.area], sort=True)
    areas = labels.to_numpy(dtype=str)
    release = Release(
        name, path.name, sha256_of(path), rows, rows, 0, source.licence, source.attribution
    )
    if source.period is None:
        _refuse_duplicates(frame, [source.area], path)
        order = np.argsort(area_of_row)
        fixed = {c: _number_or_text(frame[c])[order] for c in attributes}
        names = _names(frame, source, areas, area_of_row)
        return SourceTable(areas, names, None, {}, fixed, {}, release, notes)

    ordinals, kind = _ordinals(frame, source, path, window)
    inside = _in_window(ordinals, kind, window, path)
    if not inside.all():
        notes += (f"{path.name}: {(~inside).sum():,} rows lie outside the window.",)
    frame, ordinals, area_of_row = frame[inside], ordinals[inside], area_of_row[inside]
    first = int(ordinals.min())
    periods = Periods(kind, first, int(ordinals.max()) - first + 1)
    column_of_row = ordinals - first
    _refuse_duplicate_cells(frame, ordinals, source, path)
    shape = (len(areas), periods.n)
    measures = {
        w: _matrix(frame, w, source, path, area_of_row, column_of_row, shape) for w in wanted
    }
    fixed, varying = _attributes(frame, attributes, area_of_row, column_of_row, shape)
    names = _names(frame, source, areas, area_of_row)
    return SourceTable(areas, names, periods, measures, fixed, varying, release, notes)


def _load(
    name: str,
    source: PanelSource,
    path: Path,
    wanted: tuple[Wanted, ...],
    attributes: tuple[str, ...],
) -> tuple[pd.DataFrame, PanelSource, int, tuple[str, ...]]:
    """Return the rows asked for, long; the source as it is then, rows of the file, and notes."""
    only = None if source.layout == "wide" else _needed(source, wanted, attributes)
    codes = tuple(c for c in (source.area, source.period) if c)
    frame, notes = read_text_table(path, only, codes)
    if source.layout == "wide" and source.period is not None:
        raise DataError(
            Problem("a wide table has no period column.", f"source.{name}", "Drop `period`.")
        )
    rows = len(frame)
    if source.layout == "wide":
        frame = lengthen(frame, source, path)
        source = source.model_copy(update={"period": "period"})
    _require_columns(frame, source, path, wanted, attributes)
    for column, value in source.where.items():
        frame = frame[_equals(frame[column], value)]
    if len(frame) < rows and source.where:
        notes += (f"{path.name}: {rows - len(frame):,} rows are not what `where` asks for.",)
    if frame.empty:
        raise DataError(Problem("no rows are left.", str(path), "Check the file and `where`."))
    frame = frame.assign(**{source.area: frame[source.area].str.strip()})
    _refuse_blank(frame, source.area, path)
    return frame, source, rows, notes


def _equals(column: pd.Series, text: str) -> pd.Series:
    if column.dtype.kind != "f":
        return column == text
    number = pd.to_numeric(text, errors="coerce")
    return column == number


def _to_numbers(column: pd.Series) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return a column's numbers (NaN where it has none) and which cells are blank."""
    if column.dtype.kind == "f":
        values = column.to_numpy(dtype=np.float64)
        return values, np.isnan(values)
    text = column.str.strip()
    values = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    return values, (text == "").to_numpy()


def _needed(
    source: PanelSource, wanted: tuple[Wanted, ...], attributes: tuple[str, ...]
) -> list[str]:
    needed = [source.area, *attributes, *source.where, *(w.value for w in wanted)]
    needed += [c for c in (source.period, source.name, source.coverage_group) if c]
    needed += [n.column for n in source.not_covered]
    return needed + ([source.category] if source.category else [])


def _require_columns(
    frame: pd.DataFrame,
    source: PanelSource,
    path: Path,
    wanted: tuple[Wanted, ...],
    attributes: tuple[str, ...],
) -> None:
    if any(w.category for w in wanted) and source.category is None:
        raise DataError(Problem("outcomes pick categories, but `category` is not set.", str(path)))
    needed = _needed(source, wanted, attributes)
    missing = sorted({c for c in needed if c not in frame.columns})
    if missing:
        raise DataError(
            [
                Problem(
                    f"there is no column '{c}'.",
                    str(path),
                    did_you_mean(c, frame.columns) or f"Columns: {', '.join(frame.columns)}.",
                )
                for c in missing
            ]
        )


def _rows(frame: pd.DataFrame, bad: npt.NDArray[np.bool_]) -> str:
    """Name the first rows that are bad, as a spreadsheet numbers them."""
    numbers = [str(i + 2) for i in frame.index[bad].unique()]
    more = len(numbers) - _SHOWN
    return f"row {', '.join(numbers[:_SHOWN])}" + (f" and {more} more" if more > 0 else "")


def _refuse_blank(frame: pd.DataFrame, column: str, path: Path) -> None:
    blank = (frame[column] == "").to_numpy()
    if blank.any():
        raise DataError(
            Problem(
                f"'{column}' is blank.", f"{path}, {_rows(frame, blank)}", "Give every row one."
            )
        )


def _refuse_duplicates(frame: pd.DataFrame, keys: list[str], path: Path) -> None:
    twice = frame.duplicated(keys).to_numpy()
    if twice.any():
        example = " ".join(str(v) for v in frame[keys].iloc[int(twice.argmax())])
        count = "1 row repeats" if twice.sum() == 1 else f"{int(twice.sum())} rows repeat"
        raise DataError(
            Problem(
                f"{count} the {' and '.join(keys)} of an earlier one, such as {example}.",
                f"{path}, {_rows(frame, twice)}",
                "Keep one row each, or add them up.",
            )
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


def _ordinals(
    frame: pd.DataFrame, source: PanelSource, path: Path, window: Window
) -> tuple[npt.NDArray[np.int64], PeriodKind]:
    """Read the period of each row; the kind is that of most, and all must share it."""
    column = frame[str(source.period)].str.strip().str.replace(r"[ T]00:00:00.*$", "", regex=True)
    row_text, unique = pd.factorize(column, sort=True)
    texts = unique.to_numpy(dtype=str)
    kind = PeriodKind.NUMBER if window.kind is PeriodKind.NUMBER else _kind_of_most(texts)
    parsed = [parse_period(str(t), kind) if kind else None for t in texts]
    bad = np.array([p is None for p in parsed])
    if bad.any() or kind is None:
        rows = bad[row_text]
        raise DataError(
            Problem(
                f"'{texts[bad][0]}' in '{source.period}' is not a period"
                + (f" like {texts[~bad][0]}" if (~bad).any() else "")
                + ".",
                f"{path}, {_rows(frame, rows)}",
                "Write months '2012-04', quarters '2012-Q2', years '2012'.",
            )
        )
    if (kind is PeriodKind.NUMBER) != (window.kind is PeriodKind.NUMBER):
        raise DataError(
            Problem(
                f"'{source.period}' holds {kind}s, but the window is given in {window.kind}s.",
                str(path),
                "Write `study.window` like the table.",
            )
        )
    return np.array(parsed, dtype=np.int64)[row_text], kind


def _kind_of_most(texts: npt.NDArray[np.str_]) -> PeriodKind | None:
    kinds = [kind_of(str(t)) for t in texts]
    most = max(PeriodKind, key=kinds.count)
    return most if most in kinds else None


def _in_window(
    ordinals: npt.NDArray[np.int64], kind: PeriodKind, window: Window, path: Path
) -> npt.NDArray[np.bool_]:
    """Tell which periods lie wholly inside the window; refuse a table of which none does."""
    first, last = (parse_period(t, window.kind) or 0 for t in (window.start, window.end))
    # Numbered periods have no length: both are then counted as they are.
    numbered = kind is PeriodKind.NUMBER
    table_months = 1 if numbered else 12 // (kind.per_year or 1)
    window_months = 1 if numbered else 12 // (window.kind.per_year or 1)
    begins, ends = ordinals * table_months, (ordinals + 1) * table_months
    inside = np.asarray((begins >= first * window_months) & (ends <= (last + 1) * window_months))
    if inside.any():
        return inside
    runs = f"{label(int(ordinals.min()), kind)} to {label(int(ordinals.max()), kind)}"
    what = f"no row lies in the window {window.start} to {window.end}; the table runs from {runs}."
    raise DataError(Problem(what, str(path), "Change `study.window`."))


def _matrix(
    frame: pd.DataFrame,
    wanted: Wanted,
    source: PanelSource,
    path: Path,
    area_of_row: npt.NDArray[np.int64],
    column_of_row: npt.NDArray[np.int64],
    shape: tuple[int, int],
) -> npt.NDArray[np.float64]:
    values, blank = _to_numbers(frame[wanted.value])
    _refuse_values(frame, wanted, path, values, blank)
    asked = np.ones(len(frame), dtype=bool)
    if wanted.category:
        categories = frame[str(source.category)]
        known = set(categories)
        unknown = [c for c in wanted.category if c not in known]
        if unknown:
            raise DataError(
                [
                    Problem(
                        f"there is no category '{c}' in '{source.category}'.",
                        str(path),
                        did_you_mean(c, known) or f"It holds: {', '.join(sorted(known)[:20])}.",
                    )
                    for c in unknown
                ]
            )
        asked = categories.isin(wanted.category).to_numpy()
    used, empty = asked & ~blank, asked & blank
    cells = (area_of_row[used], column_of_row[used])
    matrix = np.zeros(shape)
    np.add.at(matrix, cells, values[used])
    if not source.absent_is_zero:
        there = np.zeros(shape, dtype=np.int64)
        np.add.at(there, cells, 1)
        matrix[there < max(1, len(set(wanted.category)))] = np.nan  # a part is not the sum
    matrix[area_of_row[empty], column_of_row[empty]] = np.nan
    return matrix


def _refuse_values(
    frame: pd.DataFrame,
    wanted: Wanted,
    path: Path,
    values: npt.NDArray[np.float64],
    blank: npt.NDArray[np.bool_],
) -> None:
    faults = [(~np.isfinite(values) & ~blank, "is not a number", "Leave a missing value blank.")]
    if wanted.is_count:
        with np.errstate(invalid="ignore"):
            faults += [
                (values < 0, "is a negative count", "Counts are 0 or more."),
                (
                    values != np.floor(values),
                    "is not a whole number",
                    'Set kind = "score" for means.',
                ),
            ]
    problems = [
        Problem(
            f"'{frame[wanted.value].iloc[int(np.argmax(bad))]}' in '{wanted.value}' {what}.",
            f"{path}, {_rows(frame, bad)}",
            fix,
        )
        for bad, what, fix in faults
        for bad in [bad & ~blank & (np.isfinite(values) | (what == "is not a number"))]
        if bad.any()
    ]
    if problems:
        raise DataError(problems)


def _number_or_text(column: pd.Series) -> npt.NDArray[np.float64] | npt.NDArray[np.str_]:
    values, blank = _to_numbers(column)
    is_text = (np.isnan(values) & ~blank).any()
    return column.to_numpy(dtype=str) if is_text else values


def _attributes(
    frame: pd.DataFrame,
    attributes: tuple[str, ...],
    area_of_row: npt.NDArray[np.int64],
    column_of_row: npt.NDArray[np.int64],
    shape: tuple[int, int],
) -> tuple[
    dict[str, npt.NDArray[np.float64] | npt.NDArray[np.str_]], dict[str, npt.NDArray[np.float64]]
]:
    """Split attributes into those fixed inside each area and those that vary over periods.

    An area without a row in the window has NaN or the empty text.
    """
    bare = np.bincount(area_of_row, minlength=shape[0]) == 0
    fixed: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.str_]] = {}
    varying: dict[str, npt.NDArray[np.float64]] = {}
    for column in attributes:
        codes, _ = pd.factorize(frame[column])
        by_area = np.full(shape[0], -1)
        by_area[area_of_row] = codes
        if (by_area[area_of_row] == codes).all():
            first = np.zeros(shape[0], dtype=np.int64)
            first[area_of_row] = np.arange(len(frame))
            values = _number_or_text(frame[column])[first]
            values[bare] = np.nan if values.dtype.kind == "f" else ""
            fixed[column] = values
            continue
        matrix = np.full(shape, np.nan)
        matrix[area_of_row, column_of_row] = _to_numbers(frame[column])[0]
        varying[column] = matrix
    return fixed, varying


def _names(
    frame: pd.DataFrame,
    source: PanelSource,
    areas: npt.NDArray[np.str_],
    area_of_row: npt.NDArray[np.int64],
) -> npt.NDArray[np.str_]:
    if source.name is None:
        return areas
    first = np.zeros(len(areas), dtype=np.int64)
    first[area_of_row] = np.arange(len(frame))
    bare = np.bincount(area_of_row, minlength=len(areas)) == 0
    names = frame[source.name].iloc[first].to_numpy(dtype=str)
    return np.where(bare | (names == ""), areas, names)
