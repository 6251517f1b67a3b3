"""The periods of a user's table: of its rows or columns; and those that cannot be meant: totals, copies."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from areaeffect.errors import DataError, Problem, first_few, number_of
from areaeffect.periods import PeriodForm, PeriodKind, Periods, kind_of, label, read_periods, why_ambiguous
from areaeffect.results import Bools, Floats, Ints
from areaeffect.sources.coverage import SourceTable
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
    """Return columns without letters that all begin with: R writes 'X2012.01', others 'n_2012_01'."""

    def are_periods(texts: Sequence[str]) -> bool:
        return None not in read_periods(texts, source.periods, numbered=numbered).ordinals

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

    ordinals: Ints  # (n_rows,)
    kind: PeriodKind  # what one period is
    inside: Bools  # (n_rows,), whether a period lies wholly in the window
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

    Refused are periods that cannot be read, can be read in two ways, or lie too far apart to be
    meant, and a table without a row in the window.
    """
    ordinals, kind, note = _ordinals(frame, source, path, window)
    notes = [f"{path.name}: {note}."] if note else []
    inside = within(window, ordinals, kind)
    if not inside.any():
        runs = f"{label(int(ordinals.min()), kind)} to {label(int(ordinals.max()), kind)}"
        what = f"no row lies in the window {window.start} to {window.end}; the table runs from {runs}."
        raise DataError(what, str(path), "Change `study.window`.")
    if not inside.all():
        n, what = int((~inside).sum()), "cells" if is_wide else "rows"
        labels = [label(int(o), kind) for o in np.unique(ordinals[~inside])]
        verb = f"{what[:-1]} lies" if n == 1 else f"{what} lie"
        notes.append(f"{path.name}: {n:,} {verb} outside the window ({first_few(labels)}).")
    found = np.unique(ordinals[inside])
    n = int(found[-1] - found[0]) + 1
    if n > _MOST_GAPS * len(found) + _FEW:
        ends = f"{label(int(found[0]), kind)} to {label(int(found[-1]), kind)}"
        what = f"the table has {len(found)} periods, but {n:,} lie from {ends}."
        raise DataError(what, str(path), "Check how the periods are written.")
    return RowPeriods(ordinals, kind, inside, tuple(notes))


def within(window: Window, ordinals: Ints, kind: PeriodKind) -> Bools:
    """Tell which periods of a kind lie wholly inside the window."""
    begins, (first, over) = ordinals * kind.months + kind.first_month(0), window.months
    return np.asarray((begins >= first) & (begins + kind.months <= over))


def short_of_window(periods: Periods | None, window: Window, file: str) -> tuple[str, ...]:
    """Say where a table begins after the window, or ends before it."""
    if periods is None or periods.kind is not window.kind:
        return ()
    first, last = window.ordinals
    if (periods.first, periods.n) == (first, last - first + 1):
        return ()
    span = f"runs from {periods.labels[0]} to {periods.labels[-1]} only"
    return (f"{file}: the table {span}; the window is {window.start} to {window.end}.",)


def _ordinals(
    frame: pd.DataFrame, source: PanelSource, path: Path, window: Window
) -> tuple[Ints, PeriodKind, str]:
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


_FEWEST_PERIODS, _FEWEST_AREAS, _SHOWN = 6, 10, 5
#: Steps from which on it is no chance that none falls; a running total rises by so much a period,
#: and begins within this number of its steps from zero.
_FEWEST_STEPS, _FEWEST_UP, _STEPS_FROM_ZERO = 100, 5, 3.0
#: A period this far under or over its neighbours, with this number of incidents, is odd.
_PART_OF_USUAL, _TIMES_USUAL, _FEWEST_COUNTS, _MOST_ODD, _NEIGHBOURS = 0.5, 1.8, 100, 3, 6
#: A column that tells nearly every row apart names the incident; equal rows are rare below this number.
_MOSTLY_OWN, RARE = 0.9, 0.01
#: So many different rows do not all come twice by chance.
_FEWEST_ROWS = 20


def running_totals(values: Floats, name: str, table: SourceTable) -> list[Problem]:
    """Name a column whose numbers never fall, but for a new start at one time of the year.

    What is in every area at least what it was in the period before, from near zero on, is counted
    from the start of the file or of each year.
    """
    steps = np.diff(values, axis=1)
    falls = (steps < 0).any(axis=0)
    total = np.nansum(values, axis=0)
    resets = np.flatnonzero(falls) + 1
    a_year = (table.periods.kind.per_year if table.periods else None) or len(total)
    up = np.nansum(steps[:, ~falls]) / max(1, int((~falls).sum()))
    starts = total[np.concatenate([[0], resets])]
    if (
        values.shape[1] < _FEWEST_PERIODS
        or np.isfinite(steps[:, ~falls]).sum() < _FEWEST_STEPS
        or up < _FEWEST_UP
        or (len(resets) > 0 and a_year == 1)  # a total of each year begins within a year
        or len(np.unique(resets % a_year)) > 1
        or (starts > _STEPS_FROM_ZERO * up).any()
    ):
        return []
    when = "of each year" if len(resets) else "of the file"
    what = f"the numbers of '{name}' never fall from one period to the next: they look like totals"
    fix = 'Give each period its own count; if they are right, write accept = ["running totals"].'
    return [Problem(f"{what} since the start {when}.", table.release.file, fix)]


def odd_periods(
    values: Floats, name: str, table: SourceTable, absent_is_zero: bool
) -> tuple[Bools, list[Problem], list[str]]:
    """Find periods in which every area has 0 among others that have many, and other odd ones.

    Where a table has no rows for zeros, such a period is missing; where it says 0, that is refused.
    Returned are the missing ones, (n_periods,), faults, and notes on periods far from those around.
    """
    file, whole = table.release.file, np.isfinite(values).all(axis=1)
    total = values[whole].sum(axis=0)
    n = len(total)
    none = np.zeros(n, dtype=bool)
    if not whole.any() or n < _FEWEST_PERIODS or table.periods is None:
        return none, [], []
    labels = table.periods.labels
    away = np.abs(np.arange(n) - np.arange(n)[:, None])
    near = np.argsort(away, axis=1, kind="stable")[:, 1 : _NEIGHBOURS + 1]
    usual = np.median(total[near], axis=1)
    seen = usual >= _FEWEST_COUNTS
    empty = seen & (total == 0)
    odd = seen & ~empty & ((total < _PART_OF_USUAL * usual) | (total > _TIMES_USUAL * usual))
    notes = [
        f"{file}: all areas together have {total[t]:,.0f} in '{name}' in {labels[t]}, and about "
        f"{usual[t]:,.0f} in the periods around it; that period may be incomplete or counted twice."
        for t in np.flatnonzero(odd)
        if odd.sum() <= _MOST_ODD
    ]
    if not empty.any():
        return none, [], notes
    some = first_few([labels[t] for t in np.flatnonzero(empty)])
    if absent_is_zero:
        notes.append(f"{file}: no area has a row for '{name}' in {some}: missing, not zero.")
        return empty, [], notes
    what = f"every area has 0 in '{name}' in {some}, unlike before and after."
    fix = 'Leave a missing number blank, or write accept = ["odd periods"].'
    return none, [Problem(what, file, fix)], notes


def equal_series(values: Floats, name: str, table: SourceTable) -> list[str]:
    """Name areas with the same series, and periods with the same numbers in every area."""
    notes = []
    for rows, what, labels in (
        (values, "areas", [str(a) for a in table.areas]),
        (values.T, "periods", list(table.periods.labels) if table.periods else []),
    ):
        whole = np.flatnonzero(np.isfinite(rows).all(axis=1))
        varied = np.array([len(np.unique(rows[i])) for i in whole])
        whole = whole[varied >= _FEWEST_PERIODS]
        if len(whole) < 2 or rows.shape[1] < _FEWEST_AREAS:  # noqa: PLR2004
            continue
        _, group, n = np.unique(rows[whole], axis=0, return_inverse=True, return_counts=True)
        for g in np.flatnonzero(n > 1):
            same = [labels[i] for i in whole[group.ravel() == g]]
            notes.append(
                f"{table.release.file}: {n[g]} {what} have the same numbers in '{name}' throughout "
                f"({first_few(same)}); one may be a copy."
            )
    return notes[:_SHOWN]


def cut_off(table: SourceTable) -> list[str]:
    """Say where only the last area lacks its last periods: the file may have been cut."""
    for wanted, values in table.measures.items():
        short = ~np.isfinite(values)
        if len(values) > 1 and short[-1, -1] and not short[:-1].any() and not short[-1].all():
            return [
                f"{table.release.file}: only the last area, {table.areas[-1]}, lacks the last "
                f"periods of '{wanted.value}'; the file may have been cut off."
            ]
    return []


def copied_rows(frame: pd.DataFrame, ordinals: Ints, kind: PeriodKind, path: Path) -> tuple[str, ...]:
    """Look for rows of an event table that are there more than once; return what is unusual.

    Two incidents may be equal in every column, but not where a column names the incident; and not
    every incident of a period has a twin: such copies are refused, by row or by period.
    """
    fix = 'Remove the copies, or write accept = ["equal rows"].'
    key = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    again = pd.Series(key).duplicated().to_numpy()
    if not again.any():
        return ()
    where = f"{path}, {rows_of(frame, again)}"
    named = [c for c in frame if frame[c].nunique() >= _MOSTLY_OWN * (~again).sum()]
    if named:
        what = (
            f"{number_of(int(again.sum()), 'row equals', 'rows equal')} an earlier one in "
            f"every column, '{named[0]}' too."
        )
        raise DataError(what, where, fix)
    if copied := periods_copied(key.view(np.int64), ordinals):
        labels = first_few([label(o, kind) for o in copied])
        raise DataError(f"every row of {labels} is there several times.", str(path), fix)
    if again.mean() > RARE:
        return ()
    what = (
        f"{number_of(int(again.sum()), 'row equals', 'rows equal')} an earlier one in every "
        "column and are counted"
    )
    return (f"{path.name}: {what} ({rows_of(frame, again)}).",)


def periods_copied(key: Ints, ordinals: Ints) -> list[int]:
    """Return the periods of which every row, by its key, is there the same number of times or a multiple."""
    order = np.lexsort((key, ordinals))
    key, ordinals = key[order], ordinals[order]
    is_other = np.r_[True, (np.diff(key) != 0) | (np.diff(ordinals) != 0)]
    firsts = np.flatnonzero(is_other)
    begins = np.flatnonzero(np.r_[True, np.diff(ordinals[firsts]) != 0])
    times = np.gcd.reduceat(np.diff(np.r_[firsts, len(key)]), begins)
    different = np.diff(np.r_[begins, len(firsts)])
    copied = (times > 1) & (different >= _FEWEST_ROWS)
    return [int(o) for o in ordinals[firsts[begins[copied]]]]


def ended_categories(column: pd.Series, ordinals: Ints, kind: PeriodKind, path: Path) -> tuple[str, ...]:
    """Name categories of an event table that have no row for whole periods, and many in others."""
    code, names = pd.factorize(column)
    first = int(ordinals.min())
    counts = np.zeros((len(names), int(ordinals.max()) - first + 1), dtype=np.int64)
    np.add.at(counts, (code, ordinals - first), 1)
    there = counts.sum(axis=0) > 0
    notes = []
    for name, own in zip(names, counts, strict=True):
        none = there & (own == 0)
        if none.any() and np.median(own[there & ~none]) >= _FEWEST_ROWS and none.sum() < there.sum():
            labels = [label(first + int(t), kind) for t in np.flatnonzero(none)]
            notes.append(
                f"{path.name}: '{name}' has no row in {first_few(labels)}, and about "
                f"{np.median(own[there & ~none]):,.0f} in each other period; these are zeros here."
            )
    return tuple(notes[:_SHOWN])
