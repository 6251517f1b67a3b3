"""Periods of a user's table that cannot be meant: running totals, empty months, copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import Problem, first_few

if TYPE_CHECKING:
    from areaeffect.results import Bools, Floats
    from areaeffect.sources.base import SourceTable

_FEWEST_PERIODS, _FEWEST_AREAS, _SHOWN = 6, 10, 5
#: Steps from which on it is no chance that none falls; a running total rises by so much a period,
#: and begins within so many of its steps from zero.
_FEWEST_STEPS, _FEWEST_UP, _STEPS_FROM_ZERO = 100, 5, 3.0
#: A period so far under or over its neighbours, of so many incidents, is odd; more are its nature.
_PART_OF_USUAL, _TIMES_USUAL, _FEWEST_COUNTS, _MOST_ODD, _NEIGHBOURS = 0.5, 2.0, 100, 3, 6


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
