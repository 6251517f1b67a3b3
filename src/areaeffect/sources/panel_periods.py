"""The periods of a user's table: of its rows, or of its columns, which become rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from areaeffect.errors import DataError, first_few, number_of
from areaeffect.periods import (
    PeriodForm,
    PeriodKind,
    Periods,
    kind_of,
    label,
    parse_period,
    read_periods,
    why_ambiguous,
)
from areaeffect.sources.panel_values import other_periods, rows_of
from areaeffect.study.model import PanelSource
from areaeffect.study.parts import Window

#: Periods without a row for each with one, from which on one must be mistyped.
_MOST_GAPS, _FEW = 24, 120
_ANNOTATIONS = re.compile(r"(.+ - )?annotations?(\.\d+)?", re.IGNORECASE)


def lengthen(
    frame: pd.DataFrame, source: PanelSource, keys: Collection[str], path: Path, *, numbered: bool
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a wide table with a row for each area and period, and the result for its columns.

    Every column is a period, a column that the study names (a key), a column whose name holds no
    figure and that is left out by name, or refused.

    Raises
    ------
    DataError
        No column is named like a period; a column with figures in its name is none.
    """
    others = [c for c in frame.columns if c not in keys and not _ANNOTATIONS.fullmatch(c)]
    others = [c for c in others if c not in source.leave_out]
    notes = []
    dated = [c for c in others if re.search(r"\d", c) and not _is_text(frame[c])]
    bare = _without_prefix(dated, source, numbered=numbered)
    if bare:
        notes.append(f"{path.name}: '{dated[0]}' is taken as '{bare[dated[0]]}'.")
        frame = frame.rename(columns=bare)
        others, dated = [bare.get(c, c) for c in others], list(bare.values())
    values = _periods(dated, source, path, numbered=numbered)
    if left := [c for c in others if c not in dated]:
        some = ", ".join(f"'{c}'" for c in left)
        notes.append(f"{path.name}: columns that are not periods were left out: {some}.")
    kept = [c for c in frame.columns if c in keys]
    numbers = [c for c in values if frame[c].dtype.kind == "f"]
    if len(numbers) < len(values):  # a Parquet file with numbers in one column, text in another
        texts = {c: frame[c].map(lambda x: "" if x != x else f"{x:.17g}") for c in numbers}  # noqa: PLR0124
        frame = frame.assign(**texts)
    long = frame.melt(  # the index stays that of the file, for messages
        id_vars=kept, value_vars=values, var_name="period", value_name="value", ignore_index=False
    )
    return long, tuple(notes)


def _is_text(column: pd.Series) -> bool:
    """Tell whether a column whose name is no period holds words alone, as Nomis's names of areas."""
    if column.dtype.kind == "f" or kind_of(str(column.name)) or why_ambiguous(str(column.name)):
        return False
    return not column.str.contains(r"^\W*\d|^\W*$|^.{1,4}$", regex=True).any()


def _without_prefix(columns: Sequence[str], source: PanelSource, *, numbered: bool) -> dict[str, str]:
    """Return columns without letters that all begin with, where they are periods only then.

    R writes 'X2012.01' for '2012-01', and other programs 'n_2012_01'.
    """

    def are_periods(texts: Sequence[str]) -> bool:
        read = read_periods(texts, source.periods, numbered=numbered)
        return None not in read.ordinals

    starts = {re.split(r"\d", c, maxsplit=1)[0] for c in columns}
    if len(starts) != 1 or not (start := starts.pop()) or are_periods(columns):
        return {}
    bare = {c: c.removeprefix(start).replace("_", "-") for c in columns}
    return bare if are_periods(list(bare.values())) else {}


def _periods(columns: Sequence[str], source: PanelSource, path: Path, *, numbered: bool) -> Sequence[str]:
    """Return the columns that are periods: all that hold a figure in their name."""
    read = read_periods(columns, source.periods, numbered=numbered) if columns else None
    if read is not None and read.fault:  # said of the column of periods that they become
        return columns
    found = dict(zip(columns, read.ordinals, strict=True)) if read is not None else {}
    periods = [c for c, ordinal in found.items() if ordinal is not None]
    if not periods:
        what, fix = "no column is named like a period.", "Name them '2012-04', '2012' or '7'."
        fix += f" Found: {first_few(list(columns))}." if columns else ""
        raise DataError(what, str(path), fix)
    if bad := [f"'{c}'" for c in columns if c not in periods]:
        what = (
            f"{number_of(len(bad), 'column is', 'columns are')} not periods like "
            f"'{periods[0]}': {first_few(bad)}."
        )
        fix = "Write every period alike, or list what is not a period: leave_out = [...]."
        raise DataError(what, str(path), fix)
    column_of = {ordinal: c for c, ordinal in found.items()}
    if twice := [c for c, ordinal in found.items() if column_of[ordinal] != c]:
        other = column_of[found[twice[0]]]
        what = f"columns '{twice[0]}' and '{other}' are the same period."
        raise DataError(what, str(path), "Keep one, or add them up.")
    return periods


@dataclass(frozen=True, slots=True, eq=False)
class RowPeriods:
    """The period of each row."""

    ordinals: npt.NDArray[np.int64]  # (n_rows,)
    kind: PeriodKind  # what one period is
    inside: npt.NDArray[np.bool_]  # (n_rows,), whether a period lies wholly in the window
    notes: tuple[str, ...]  # what periods were taken as, and what of the table or the window is left out

    @property
    def periods(self) -> Periods:
        """From the first to the last period inside the window."""
        found = self.ordinals[self.inside]
        return Periods(self.kind, int(found.min()), int(found.max() - found.min()) + 1)


def row_periods(
    frame: pd.DataFrame, source: PanelSource, path: Path, window: Window, *, is_wide: bool
) -> RowPeriods:
    """Read the period of each row, and hold it against the window.

    Raises
    ------
    DataError
        Periods that cannot be read, can be read in two ways, or lie too far apart to be meant; a
        table without a row in the window.
    """
    ordinals, kind, note = _ordinals(frame, source, path, window)
    notes = [f"{path.name}: {note}."] if note else []
    inside = _in_window(ordinals, kind, window, path)
    if not inside.all():
        n, what = int((~inside).sum()), "cells" if is_wide else "rows"
        labels = [label(int(o), kind) for o in np.unique(ordinals[~inside])]
        verb = f"{what[:-1]} lies" if n == 1 else f"{what} lie"
        notes.append(f"{path.name}: {n:,} {verb} outside the window ({first_few(labels)}).")
    _refuse_long_axis(ordinals[inside], kind, path)
    return RowPeriods(ordinals, kind, inside, tuple(notes))


def short_of_window(periods: Periods | None, window: Window, file: str) -> tuple[str, ...]:
    """Say where a table begins after the window, or ends before it."""
    if periods is None or periods.kind is not window.kind:
        return ()
    ends = periods.labels[0], periods.labels[-1]
    first, last = (parse_period(t, window.kind) or 0 for t in (window.start, window.end))
    if (periods.first, periods.n) == (first, last - first + 1):
        return ()
    span = f"runs from {ends[0]} to {ends[1]} only"
    return (f"{file}: the table {span}; the window is {window.start} to {window.end}.",)


def _ordinals(
    frame: pd.DataFrame, source: PanelSource, path: Path, window: Window
) -> tuple[npt.NDArray[np.int64], PeriodKind, str]:
    """Read the period of each row, as a whole column; return what it was taken as, too."""
    row_text, unique = pd.factorize(frame[str(source.period)].str.strip(), sort=True)
    texts = unique.tolist()
    read = read_periods(texts, source.periods, numbered=window.kind is PeriodKind.NUMBER)
    if read.fault:
        forms = ", ".join(f"'{f}'" for f in PeriodForm)
        raise DataError(f"{read.fault}.", str(path), f"Say which: periods = … ({forms}).")
    bad = np.array([o is None for o in read.ordinals])
    if bad.any() or read.kind is None:
        like = next((t for t, o in zip(texts, read.ordinals, strict=True) if o is not None), None)
        raise DataError(
            f"'{texts[int(bad.argmax())]}' in '{source.period}' is not a period"
            + (f" like {like}" if like else "")
            + ".",
            f"{path}, {rows_of(frame, bad[row_text])}",
            "Write months '2012-04', quarters '2012-Q2', years '2012'.",
        )
    if (read.kind is PeriodKind.NUMBER) != (window.kind is PeriodKind.NUMBER):
        raise DataError(
            f"'{source.period}' holds {read.kind}s, but the window is given in {window.kind}s.",
            str(path),
            other_periods(texts),
        )
    return np.array(read.ordinals, dtype=np.int64)[row_text], read.kind, read.note


def _refuse_long_axis(ordinals: npt.NDArray[np.int64], kind: PeriodKind, path: Path) -> None:
    """Refuse periods so far apart that one of them must be mistyped."""
    found = np.unique(ordinals)
    n = int(found[-1] - found[0]) + 1
    if n > _MOST_GAPS * len(found) + _FEW:
        ends = f"{label(int(found[0]), kind)} to {label(int(found[-1]), kind)}"
        what = f"the table has {len(found)} periods, but {n:,} lie from {ends}."
        raise DataError(what, str(path), "Check how the periods are written.")


def _in_window(
    ordinals: npt.NDArray[np.int64], kind: PeriodKind, window: Window, path: Path
) -> npt.NDArray[np.bool_]:
    """Tell which periods lie wholly inside the window; refuse a table of which none does."""
    first, last = (parse_period(t, window.kind) or 0 for t in (window.start, window.end))
    begins = ordinals * kind.months + kind.first_month(0)
    inside = np.asarray(begins >= window.kind.first_month(first))
    inside &= begins + kind.months <= window.kind.first_month(last + 1)
    if inside.any():
        return inside
    runs = f"{label(int(ordinals.min()), kind)} to {label(int(ordinals.max()), kind)}"
    what = f"no row lies in the window {window.start} to {window.end}; the table runs from {runs}."
    raise DataError(what, str(path), "Change `study.window`.")
