"""The numbers of a user's table on its areas and periods, with why a cell holds none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from areaeffect.errors import DataError, Problem, number_of
from areaeffect.panel import REASONS, Hidden
from areaeffect.results import Bools, Floats, Ints
from areaeffect.sources.coverage import MeasureRequest
from areaeffect.study.model import PanelSource
from areaeffect.tables.cells import Numbers, picked, read_numbers

_SHOWN = 5
_SUPPRESSED, _NO_ROW = np.uint8(REASONS.index("suppressed")), np.uint8(REASONS.index("no_row"))
#: No publisher hides larger counts than this for being small.
_MOST_HIDDEN = 20
#: The largest count that the usual rules of publishers hide.
_USUAL = 9
#: A count is not hidden for being small where those of its area are so many times the bound.
_FAR_LARGER = 4
#: Where more of a table is hidden than this, an estimate would rest on what was put in place of it.
_MOST_SHARE = 0.5
_TRUE_FALSE = {"true": "1", "yes": "1", "y": "1", "false": "0", "no": "0", "n": "0"}
#: A spreadsheet's numbers of the days from 1927 to 2064; days from one month to the next.
_SPREADSHEET_DAYS, _MONTHS_IN_DAYS = (10_000, 60_000), {28, 29, 30, 31}
_YEARS = (1900, 2100)


#: What people write for numbers, and what to do about it.
_NOT_NUMBERS = (
    (r"=.*", "The formula was never calculated: open the workbook in a spreadsheet program and save it."),
    (r"#.+[!?]", "It is a spreadsheet's error: correct the formula, or leave the cell blank."),
    (r"[^\w\s.+-]?\d+,\d+", "Write decimals with a point."),
    (r"['£$€]\s*\d.*|\d.*[%£€]", "Write the number alone, without a sign."),
)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where each row of a table belongs: its area and its period."""

    #: area_of_row, column_of_row: (n_rows,), positions
    area_of_row: Ints
    column_of_row: Ints
    shape: tuple[int, int]  # (n_areas, n_periods)


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """One measure."""

    values: Floats  # (n_areas, n_periods), NaN where there is no number
    #: why there is none; None where every missing cell has no row or is blank.
    reasons: npt.NDArray[np.uint8] | None
    hidden: Hidden | None  # small counts hidden within bounds; their `values` are the middle.
    notes: tuple[str, ...]  # what marks were taken as what


def rows_of(frame: pd.DataFrame | pd.Series, bad: npt.NDArray[np.bool_]) -> str:
    """Name the first rows that are bad, as a spreadsheet numbers them."""
    numbers = [str(i) for i in frame.index[bad].unique()]
    more = len(numbers) - _SHOWN
    return f"row {', '.join(numbers[:_SHOWN])}" + (f" and {more} more" if more > 0 else "")


def declared(source: PanelSource) -> Mapping[str, str]:
    """Return the marks for missing numbers that a study declares, as they are compared."""
    return {" ".join(mark.split()).lower(): reason for mark, reason in source.missing.items()}


def infinite(column: pd.Series, bad: npt.NDArray[np.bool_], path: Path) -> Problem:
    """Return the fault of a column that holds infinite numbers."""
    rows = f"{path}, {rows_of(column, bad)}"
    text = column[bad].iloc[0]
    return Problem(f"'{text}' in '{column.name}' is infinite.", rows, "Leave a missing value blank.")


def changing_numbers(column: pd.Series, source: PanelSource, path: Path) -> Floats:
    """Return a column that changes inside areas as numbers; true and yes are 1, false and no are 0."""
    if column.dtype.kind != "f":
        plain = column.str.strip().str.lower()
        if plain.isin([*_TRUE_FALSE, ""]).all():
            column = plain.replace(_TRUE_FALSE)
    read = read_numbers(column, declared(source))
    if np.isinf(read.values).any():
        raise DataError(infinite(column, np.isinf(read.values), path))
    if read.wrong.any():
        text, rows = column[read.wrong].iloc[0], rows_of(column, read.wrong)
        what = f"'{text}' in '{column.name}', which changes inside areas, is not a number."
        raise DataError(what, f"{path}, {rows}", "Leave a missing value blank.")
    return read.values


def other_periods(texts: list[str]) -> str:
    """Say what to do about periods that are numbers, where the window is in months or years."""
    numbers = pd.to_numeric(pd.Series(texts), errors="coerce").dropna().sort_values()
    steps = set(numbers.diff().dropna())
    if steps and numbers.between(*_SPREADSHEET_DAYS).all() and steps <= _MONTHS_IN_DAYS:
        first = pd.Timestamp("1899-12-30") + pd.Timedelta(days=int(numbers.iloc[0]))
        return (
            f"They look like a spreadsheet's dates ({numbers.iloc[0]:g} is {first:%Y-%m-%d}): "
            "format the column as a date and save it again."
        )
    if steps and (numbers // 10_000).between(*_YEARS).all():
        return f"Write months '2012-04' and years '2012', not '{texts[0]}'."
    return "Write `study.window` like the table."


def matrix_of(
    frame: pd.DataFrame, wanted: MeasureRequest, source: PanelSource, path: Path, grid: Grid
) -> Matrix:
    """Add up a measure's rows on areas and periods; refuse a category that no row holds."""
    numbers = numbers_of(frame, wanted, source, path)
    asked = np.ones(len(frame), dtype=bool)
    if wanted.category:
        column = str(source.category)
        asked = picked(frame[column], wanted.category, column, str(path))
    used, empty = asked & ~numbers.missing, asked & numbers.missing
    area, column_of_row = grid.area_of_row, grid.column_of_row
    matrix = np.zeros(grid.shape)
    np.add.at(matrix, (area[used], column_of_row[used]), numbers.values[used])
    if not source.absent_is_zero:
        there = np.zeros(grid.shape, dtype=np.int64)
        np.add.at(there, (area[used], column_of_row[used]), 1)
        matrix[there < max(1, len(set(wanted.category)))] = np.nan  # a part is not the sum
    matrix[area[empty], column_of_row[empty]] = np.nan
    notes = tuple(
        f"{path.name}: {n:,} cells of '{wanted.value}' hold '{mark}', no number and no zero."
        for mark, n in numbers.marks.items()
    )
    if not notes:
        return Matrix(matrix, None, None, ())
    reasons = np.where(np.isnan(matrix), _NO_ROW, 0).astype(np.uint8)
    reasons[area[empty], column_of_row[empty]] = numbers.reasons[empty]
    hidden = None
    if wanted.is_count:
        most = numbers.most[empty & np.isfinite(numbers.most)]
        hidden, said = hidden_counts(
            matrix,
            reasons,
            source.hidden,
            most=int(most.max()) if len(most) else None,
            parts=len(set(wanted.category)),
        )
        notes += (f"{path.name}: {said}",) if said else ()
    return Matrix(matrix, reasons, hidden, notes)


def numbers_of(frame: pd.DataFrame, wanted: MeasureRequest, source: PanelSource, path: Path) -> Numbers:
    """Read the numbers of a measure; refuse no numbers, infinite, negative and fractional counts, by row."""
    numbers = read_numbers(frame[wanted.value], declared(source))
    values = numbers.values
    with np.errstate(invalid="ignore"):
        faults = [
            (numbers.wrong, "is not a number", "Leave a missing value blank."),
            (np.isinf(values), "is infinite", "Leave a missing value blank."),
        ]
        if wanted.is_count:
            faults += [
                (np.isfinite(values) & (values < 0), "is a negative count", "Counts are 0 or more."),
                (
                    np.isfinite(values) & (values != np.floor(values)),
                    "is not a whole number",
                    'Set kind = "score" for means.',
                ),
            ]
    problems = []
    for bad, what, fix in faults:
        if not bad.any():
            continue
        text = str(frame[wanted.value].iloc[int(np.argmax(bad))]).strip()
        mark = f', or declare the mark: missing = {{ "{text}" = "suppressed" }}.'
        done = fix if any(c.isdigit() for c in text) or text.isalnum() else fix.rstrip(".") + mark
        for kind, meant in _NOT_NUMBERS:
            done = meant if re.fullmatch(kind, text) else done
        if re.fullmatch(r"[1-9]\d{0,2}(\.\d{3})+", text):
            done = f"It may be {text.replace('.', '')}: take separators of thousands out. {fix}"
        where = f"{path}, {rows_of(frame, bad)}"
        problems.append(Problem(f"'{text}' in '{wanted.value}' {what}.", where, done))
    if problems:
        raise DataError(problems)
    return numbers


def hidden_counts(
    matrix: Floats,
    reasons: npt.NDArray[np.uint8],
    bounds: tuple[int, ...] | None,
    *,
    most: int | None = None,
    parts: int = 1,
    same: Bools | None = None,
) -> tuple[Hidden | None, str]:
    """Put the middle of what they can be in place of small counts that are hidden.

    Where nothing says a bound, hidden counts are less than the least one that is shown: that is
    how small numbers are hidden. Where counts as small are shown too, the usual rules bound those
    of areas that have such counts.

    Parameters
    ----------
    matrix, reasons : (n_areas, n_periods), counts and why there is none; both are changed.
    bounds : least and most that the study or the publisher states.
    most : the most that the cells themselves state.
    parts : how many counts each is the sum of.
    same : (n_areas,), areas whose boundaries are those that the count was hidden for.

    Returns
    -------
    tuple
        The counts that have a bound now, None where none has; and what was done, in words.
    """
    cells = reasons == _SUPPRESSED
    n = int(cells.sum())
    if not n:
        return None, ""
    unknown = "nothing says how large they can be"
    unknown += "" if same is not None else "; write hidden = [least, most] in the source"
    if bounds:
        (least, largest), why = bounds, "stated for this source"
    elif most is not None:
        least, largest, why = 0, most, "the cells say so"
    else:
        cells, least, largest, why = _bounds_shown(matrix, cells)
    if parts > 1:
        cells, unknown = np.zeros_like(cells), "each is one part of a sum of several categories"
    elif n > _MOST_SHARE * matrix.size:
        cells, unknown = np.zeros_like(cells), f"they are over {_MOST_SHARE:.0%} of all, too many to guess"
    elif same is not None and (cells & ~same[:, None]).any():
        cells, unknown = cells & same[:, None], "they were hidden for areas of other boundaries"
    notes = []
    if bounded := int(cells.sum()):
        notes.append(
            f"{number_of(bounded, 'hidden count is', 'hidden counts are')} taken as "
            f"{(least + largest) / 2:g}, the middle of {least} to {largest} ({why}); "
            "the report gives the estimate at both ends."
        )
    if bounded < n:
        left = number_of(n - bounded, "hidden count is", "hidden counts are")
        notes.append(f"{left} missing, because {unknown}.")
    hidden = Hidden(cells, least, largest) if bounded else None
    if hidden is not None:
        matrix[cells], reasons[cells] = hidden.middle, 0
    return hidden, " ".join(notes)


def _bounds_shown(matrix: Floats, is_hidden: Bools) -> tuple[Bools, int, int, str]:
    """Return which hidden counts the counts that are shown bound, least, most, and why."""
    shown = matrix[matrix > 0]
    least = 1 if (matrix == 0).any() else 0
    most = int(shown.min()) - 1 if len(shown) else 0
    usual = pd.DataFrame(matrix).median(axis=1)
    if max(least, 1) <= most <= _MOST_HIDDEN:
        small = (usual.fillna(0) <= _FAR_LARGER * (most + 1)).to_numpy()
        return is_hidden & small[:, None], least, most, f"the least count shown is {most + 1}"
    why = "nothing says their bounds; publishers hide counts under 5 or under 10"
    return is_hidden & (usual <= _USUAL).to_numpy()[:, None], least, _USUAL, why


def number_or_text(
    column: pd.Series, source: PanelSource, path: Path
) -> npt.NDArray[np.float64] | npt.NDArray[np.str_]:
    """Return a column as numbers where every cell is one or marks a missing one; else as text."""
    read = read_numbers(column, declared(source))
    if np.isinf(read.values).any() and not read.wrong.any():
        raise DataError(infinite(column, np.isinf(read.values), path))
    is_text = column.dtype.kind != "f" and (read.wrong.any() or not np.isfinite(read.values).any())
    return column.str.strip().to_numpy(dtype=str) if is_text else read.values


def attributes_of(
    frame: pd.DataFrame, attributes: tuple[str, ...], source: PanelSource, path: Path, grid: Grid
) -> tuple[dict[str, npt.NDArray[np.float64] | npt.NDArray[np.str_]], dict[str, npt.NDArray[np.float64]]]:
    """Split attributes into those fixed inside each area and those that vary over periods.

    An area without a row in the window has NaN or the empty text.
    """
    area_of_row, shape = grid.area_of_row, grid.shape
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
            values = number_or_text(frame[column], source, path)[first]
            values[bare] = np.nan if values.dtype.kind == "f" else ""
            fixed[column] = values
            continue
        matrix = np.full(shape, np.nan)
        matrix[area_of_row, grid.column_of_row] = changing_numbers(frame[column], source, path)
        varying[column] = matrix
    return fixed, varying
