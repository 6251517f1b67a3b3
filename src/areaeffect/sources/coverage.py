"""Coverage: absence is not zero.

A file of events lists what happened; a recording gap looks like a fall. Two patterns are
found here from the numbers themselves: a group (police force) whose total drops far under its
own trailing median, and codes that all begin in the same period.
"""

from __future__ import annotations

import statistics

import numpy as np
import numpy.typing as npt

from areaeffect.records import Column
from areaeffect.results import Bools, Floats, Ints

#: Columns of the two tables in which a source of incidents says what it covers and rejects.
COVERAGE_COLUMNS = (
    Column("source", "string", "Name of the source in the study"),
    Column("force", "string", "Police force, as its files name it; 'all' for points"),
    Column("month", "string", "Month of the window"),
    Column("status", "string", "complete, partial or missing"),
    Column("rows_kept", "integer", "Rows used of the file that counts"),
    Column("rows_rejected", "integer", "Rows of that file that were rejected"),
    Column("not_located", "integer", "Rows used that have no area code"),
    Column("why", "string", "Why the month is not complete"),
)
REJECTED_COLUMNS = (
    Column("source", "string", "Name of the source in the study"),
    Column("force", "string", "Police force, as its files name it; 'all' for points"),
    Column("month", "string", "Month of the file"),
    Column("file", "string", "The file"),
    Column("line", "integer", "Its line"),
    Column("reason", "string", "Why the row is not used"),
    Column("row", "string", "Its text, shortened"),
)
#: A group-period under this share of its trailing median is a gap (docs/rules.md, rule 2).
GAP_SHARE = 0.5
#: Where a series has no past, a period under this share of its first two years is a residue.
RESIDUE_SHARE = 0.2
#: Periods that the trailing median looks back on.
TRAILING = 12
#: Below this many events in the median period a halving may be chance, and is left alone.
MIN_MEDIAN = 20.0
#: A group has a hole where this number of standard errors fewer of its areas have any event ...
HOLE_ERRORS = 4.0
#: ... and at least this share fewer.
HOLE_SHARE = 0.05
#: ... where areas with an event are the rule: of rare events a plain fall looks the same.
HOLE_REPORTING = 0.9
#: So many codes must begin in one period to be new codes rather than quiet areas.
MIN_NEW_CODES = 5
#: ... after at least this many leading zeros.
MIN_LEADING_ZEROS = 12
#: Codes that end where others begin need only this number of periods on either side.
MIN_AT_EDGE = 3


def group_gaps(totals: Floats, share: float = GAP_SHARE) -> Bools:
    """Flag the periods in which a group's total is far under its own trailing median.

    Parameters
    ----------
    totals : (n_groups, n_periods), events; NaN where nothing is known.
    share : of the median, under which a period is a gap.

    Returns
    -------
    (n_groups, n_periods), True where the group did not report fully. Flagged periods do not
    enter later medians, so a long gap stays a gap. The first periods, which have no past, are
    compared with the first periods that are no residue of the first two years.
    """
    n_groups, n_periods = totals.shape
    flagged = np.zeros((n_groups, n_periods), dtype=bool)
    for g in range(n_groups):
        good: list[float] = []
        start = _opening_level(totals[g])
        for t in range(n_periods):
            value = totals[g, t]
            if np.isnan(value):
                continue
            median = statistics.median(good[-TRAILING:]) if len(good) >= TRAILING else start
            if median >= MIN_MEDIAN and value < share * median:
                flagged[g, t] = True
            else:
                good.append(float(value))
    return flagged


def area_holes(values: Floats, group_of_area: Ints) -> Bools:
    """Flag the periods in which part of a group's areas did not report: holes in the map.

    A total hides them where few areas are missing; the number of areas with any event does not.

    Parameters
    ----------
    values : (n_areas, n_periods), events; NaN where nothing is known.
    group_of_area : (n_areas,), position of each area's group.

    Returns
    -------
    (n_groups, n_periods), True where fewer areas have any event than their other periods let
    expect, by `HOLE_ERRORS` standard errors and `HOLE_SHARE`.

    Notes
    -----
    Areas are taken as independent of each other, with one chance each of a period without an
    event. Groups in which fewer than `HOLE_REPORTING` of the areas have an event in a period
    are not looked at: there a real fall in events also empties areas.
    """
    n_groups = int(group_of_area.max(initial=-1)) + 1
    flagged = np.zeros((n_groups, values.shape[1]), dtype=bool)
    known, reports = ~np.isnan(values), np.nan_to_num(values) > 0
    for _ in range(3):  # periods found leave the chances of the next round
        use = known & ~flagged[group_of_area]
        chance = (reports & use).sum(axis=1) / np.maximum(use.sum(axis=1), 1)
        chances = np.where(known, chance[:, None], 0.0)
        seen = np.zeros(flagged.shape)
        expected, variance, areas = seen.copy(), seen.copy(), seen.copy()
        np.add.at(seen, group_of_area, reports.astype(float))
        np.add.at(expected, group_of_area, chances)
        np.add.at(variance, group_of_area, chances * (1 - chances))
        np.add.at(areas, group_of_area, known.astype(float))
        usual = np.median(seen / np.maximum(areas, 1), axis=1, keepdims=True)
        lost = np.where(usual >= HOLE_REPORTING, expected - seen, 0.0)
        again = (lost > HOLE_ERRORS * np.sqrt(variance + 1)) & (lost > HOLE_SHARE * expected)
        if (again == flagged).all():
            break
        flagged = again
    return flagged


def _opening_level(totals: Floats) -> float:
    """Median of the first periods; a gap that the series opens with does not count.

    Only the first two years are looked at: what counts as a gap early in a series must not
    depend on outcomes after a later start (honesty rule 1).
    """
    opening = totals[: 2 * TRAILING]
    known = opening[~np.isnan(opening)]
    if not len(known):
        return 0.0
    high = np.quantile(known, 0.8)  # still a whole month where a gap takes 18 of the 24
    whole = known[known >= RESIDUE_SHARE * high]
    return float(np.median(whole[:TRAILING]))


def new_codes(values: Floats) -> tuple[Ints, int]:
    """Find areas whose codes all begin in one period: they did not exist before it.

    Parameters
    ----------
    values : (n_areas, n_periods), counts; NaN is missing.

    Returns
    -------
    areas, first
        Positions of the areas, and the period in which they begin. Empty where there are
        fewer than `MIN_NEW_CODES`, or fewer than a period before or after would bring by
        chance (three times as many). A code that was empty until then and begins later still
        is one of them that was quiet at first; an area with missing cells before its first
        event is none.
    """
    positive = np.nan_to_num(values) > 0
    n_periods = values.shape[1]
    first = np.where(positive.any(axis=1), positive.argmax(axis=1), 0)
    known = np.where(np.isnan(values).any(axis=1), np.isnan(values).argmax(axis=1), n_periods)
    first[known < first] = 0
    late = np.flatnonzero(first >= MIN_LEADING_ZEROS)
    if len(late) < MIN_NEW_CODES:
        return np.empty(0, dtype=np.int64), 0
    begin = np.bincount(first[late], minlength=n_periods + 1)
    mode = int(begin.argmax())
    beside = max(begin[mode - 1], begin[mode + 1])
    if begin[mode] < MIN_NEW_CODES or begin[mode] < 3 * beside:
        return np.empty(0, dtype=np.int64), 0
    return late[first[late] >= mode].astype(np.int64), mode


def codes_not_in_use(values: Floats) -> Bools:
    """Flag the periods before codes begin together, and after codes end together.

    Parameters
    ----------
    values : (n_areas, n_periods), counts; NaN is missing.

    Returns
    -------
    (n_areas, n_periods), True where a code was not in use. Where some codes end in the very
    period in which others begin, `MIN_NEW_CODES` on both sides are enough, however near the
    edge of the series.
    """
    unused = np.zeros(values.shape, dtype=bool)
    begun, first = new_codes(values)
    unused[begun, :first] = True
    ended, n_after = new_codes(values[:, ::-1])
    unused[ended, values.shape[1] - n_after :] = True
    positive = np.nan_to_num(values) > 0
    used = positive.any(axis=1) & ~np.isnan(values).any(axis=1)
    begin = np.where(used, positive.argmax(axis=1), 0)
    end = np.where(used, values.shape[1] - positive[:, ::-1].argmax(axis=1), values.shape[1])
    inside = range(MIN_AT_EDGE, values.shape[1] - MIN_AT_EDGE + 1)
    begins, ends = (np.bincount(x, minlength=values.shape[1] + 2) for x in (begin, end))
    for t in inside:
        if all(n[t] >= MIN_NEW_CODES and n[t] >= 3 * max(n[t - 1], n[t + 1]) for n in (begins, ends)):
            unused[begin == t, :t] = True
            unused[end == t, t:] = True
    return unused


def sum_by_group(values: Floats, groups: npt.NDArray[np.str_]) -> tuple[npt.NDArray[np.str_], Ints, Floats]:
    """Add areas up by group: group names, group of each area, (n_groups, n_periods) totals."""
    names, group_of_area = np.unique(groups, return_inverse=True)
    totals = np.zeros((len(names), values.shape[1]))
    np.add.at(totals, group_of_area, np.nan_to_num(values))
    totals[:, np.isnan(values).all(axis=0)] = np.nan
    return names, group_of_area.astype(np.int64), totals
