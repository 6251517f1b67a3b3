"""Periods of a user's table that cannot be meant: running totals, empty months, copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from areaeffect.errors import DataError, Problem, first_few, number_of
from areaeffect.periods import PeriodKind, label
from areaeffect.results import Bools, Floats, Ints
from areaeffect.sources.coverage import SourceTable
from areaeffect.sources.panel_values import rows_of

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

    Returns
    -------
    (n_periods,), those that are missing; faults; notes on periods far from those around them.
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
    every incident of a period has a twin.

    Parameters
    ----------
    frame : every column of the file.
    ordinals, kind : (n,), the period of each row.

    Raises
    ------
    DataError
        Copies, by row or by period.
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
    """Return the periods of which every row is there the same number of times, or a multiple.

    Parameters
    ----------
    key, ordinals : (n,), what tells different rows apart, and the period of each.
    """
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
