"""What in a user's table cannot be meant, looked for before anything is estimated from it.

Totals among the areas, marks for missing numbers left as numbers and cells a hundred times their
neighbours are refused; what is only unusual is named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from areaeffect.errors import DataError, Problem, first_few, number_of
from areaeffect.results import Bools, Floats, Ints, Strings
from areaeffect.sources.coverage import SourceTable
from areaeffect.sources.panel_periods import cut_off, equal_series, odd_periods, running_totals
from areaeffect.study.model import PanelSource

_MISSING_AS = (-1, -9, -77, -88, -98, -99, -777, -888, -998, -999, -9999, -99999, -999999)
_MISSING_AS_HIGH = (88, 99, 888, 997, 998, 999, 8888, 9998, 9999, 99999, 999999)
#: A value repeated this many times beyond all other numbers is a marker; one cell, `_TIMES_ALL`.
_TIMES_REPEATED, _TIMES_BELOW = 5.0, 2.0
#: A cell this multiple of its area's median, and this multiple of nearly every cell, is mistyped.
_TIMES_OWN, _TIMES_ALL = 100.0, 10.0
_FEWEST_PERIODS, _FEWEST_PARTS, _MOST_CANDIDATES = 6, 3, 300
_LARGE = 2.5
#: A run of areas is a sum where so few would be expected to equal one of the large areas by chance.
_BY_CHANCE = 1e-4
_FEWEST_AREAS = 10
#: A number this multiple of the next is in another unit; small ones only where the usual is large.
_TIMES_NEXT, _USUAL, _TIMES_SPREAD = 50.0, 100.0, 20.0
#: So near to all others together, in every period, is a total with rounded or unplaced counts.
_NEARLY_ALL = 0.05
#: So near to the mean of all others, in units of what areas move by themselves, is their mean.
_NEARLY_MEAN, _FEWEST_FOR_MEAN, _ROUNDED, _FEWEST_MOVES = 0.05, 8, 0.51, 2.0
#: Where nearly every area has a code of the Office for National Statistics, a bare name is none.
_MOSTLY_CODED = 0.9
#: Kinds of areas by how the Office for National Statistics codes them; those above are no small areas.
_ABOVE = ("counties", "regions", "countries")
_LEVELS = (
    (r"[EWS]00\d{6}", "output areas"),
    (r"[EWS]01\d{6}", "LSOAs"),
    (r"[EWS]02\d{6}", "MSOAs"),
    (r"E05\d{6}|W05\d{6}|S13\d{6}", "wards"),
    (r"E0[6-9]\d{6}|W06\d{6}|S12\d{6}", "local authorities"),
    (r"E10\d{6}", "counties"),
    (r"E12\d{6}", "regions"),
    (r"[EWSN]92\d{6}|K0[1-4]\d{6}", "countries"),
)


def screen(source: PanelSource, table: SourceTable) -> SourceTable:
    """Look through a user's table; return it with notes on what is unusual in it.

    Raises
    ------
    DataError
        With every area and period: totals, numbers that mark missing ones, outlying cells.
    """
    file = table.release.file
    level = _levels(table.areas, file)
    problems = [level] if level else []
    notes: list[str] = []
    measures = dict(table.measures)
    for wanted, values in table.measures.items():
        hidden = table.hidden.get(wanted)
        seen = values if hidden is None else np.where(hidden.cells, np.nan, values)
        name, is_count = wanted.value, wanted.is_count
        problems += _marks(seen, name, table, file)
        if "outlying cells" not in source.accept:
            problems += _outlying(seen, name, table, file, is_count=is_count)
        if is_count and "running totals" not in source.accept:
            problems += running_totals(seen, name, table)
        if "sums of areas" not in source.accept:
            problems += _sums(seen, name, table.areas, file) if is_count else []
            problems += _means(seen, name, table.areas, file, is_count=is_count)
        if is_count and "odd periods" not in source.accept:
            empty, faults, said = odd_periods(seen, name, table, source.absent_is_zero)
            measures[wanted] = np.where(empty, np.nan, values) if empty.any() else values
            problems, notes = problems + faults, notes + said
        if "equal series" not in source.accept:
            notes += equal_series(seen, name, table)
    for name, column in {**table.attributes, **table.varying}.items():
        if column.dtype.kind == "f":
            numbers = np.asarray(column, dtype=np.float64)
            problems += _marks(numbers, name, table, file)
            if "outlying cells" not in source.accept:
                problems += _other_units(numbers, name, table, file)
    if problems:
        raise DataError(list(dict.fromkeys(problems)))
    notes = list(dict.fromkeys([*table.notes, *notes, *cut_off(table)]))
    return replace(table, measures=measures, notes=tuple(notes))


#: Codes that a message lists, to be copied into a study.
_LISTED = 60


def _levels(areas: Strings, file: str) -> Problem | None:
    """Name areas of another level than most: districts among LSOAs hold them, as names may."""
    found: dict[str, list[str]] = {}
    for code in map(str, areas):
        level = next((name for p, name in _LEVELS if re.fullmatch(p, code)), "")
        named = level or ("codes of your own" if re.search(r"\d", code) else "no codes")
        found.setdefault(named, []).append(code)
    own = found.pop("codes of your own", [])
    if len(own) >= _MOSTLY_CODED * len(areas):
        found = {name: codes for name, codes in found.items() if name in _ABOVE} | {"areas of your own": own}
    most = max(found, key=lambda name: len(found[name]), default="")
    if len(found) < 2 or most == "no codes" or len(found[most]) < _MOSTLY_CODED * len(areas):  # noqa: PLR2004
        found.pop("no codes", None)
        most = max(found, key=lambda name: len(found[name]), default="")
    if len(found) < 2:  # noqa: PLR2004
        return None
    others = [f"{code} ({name})" for name, codes in found.items() if name != most for code in codes]
    out = [code for name, codes in found.items() if name != most for code in codes]
    how = f"write leave_out = {json.dumps(out)}" if len(out) <= _LISTED else "list them in `leave_out`"
    return Problem(
        f"the areas are {most}, but {len(others)} are of another kind: {first_few(others)}.",
        file,
        f"A study has areas of one level. Take the others out, or {how}.",
    )


def _marks(values: Floats, name: str, table: SourceTable, file: str) -> list[Problem]:
    """Name numbers such as -99 that mean a missing value."""
    finite = np.isfinite(values)
    below = finite & (values < 0)
    is_low = finite & np.isin(values, _MISSING_AS)
    rest = values[finite & ~below]
    if below.sum() > 1 and len(rest) and np.ptp(values[below]) == 0:
        is_low |= below & (-values >= np.median(rest))  # -99.9 and its like: one number far off
    others = values[finite & ~is_low]
    found, why = is_low, "every other number is 0 or more"
    if not (is_low.any() and len(others) and others.min() >= 0):
        found = np.zeros_like(finite)
        for mark in (*_MISSING_AS[1:], *_MISSING_AS_HIGH):
            here = finite & (values == mark)
            others = values[finite & ~here & ~is_low] if mark < 0 else values[finite & ~here]
            if not here.any() or not len(others):
                continue
            far = _TIMES_ALL if here.sum() == 1 else _TIMES_REPEATED if mark > 0 else _TIMES_BELOW
            if mark > 0 and others.max() < mark / far:
                found, why = here, f"no other is over {others.max():g}"
            elif mark < 0 and others.min() > mark / far:
                found, why = here, f"no other is under {others.min():g}"
            if found.any():
                break
    if not found.any():
        return []
    mark = values[found][0]
    cells = number_of(int(found.sum()), f"cell of '{name}' holds", f"cells of '{name}' hold")
    what = f"{cells} {mark:g}, and {why} ({first_few(list(_cells(found, table)))})."
    fix = f'Leave a missing number blank, or write missing = {{ "{mark:g}" = "not_published" }}.'
    return [Problem(what, file, fix)]


def _cells(here: Bools, table: SourceTable) -> Iterator[str]:
    """Yield 'area period' of each cell, or the area alone."""
    for where in np.argwhere(here):
        area = str(table.areas[where[0]])
        yield f"{area} {table.periods.labels[where[1]]}" if len(where) > 1 and table.periods else area


def _in_use(values: Floats) -> Floats:
    """Blank the zeros before an area's first event and after its last: its code may be new, or old.

    Where that leaves fewer than half of its periods, its zeros are kept: one cell may be mistyped.
    """
    positive = np.nan_to_num(values) > 0
    begun = np.logical_or.accumulate(positive, axis=1)
    not_over = np.logical_or.accumulate(positive[:, ::-1], axis=1)[:, ::-1]
    live = begun & not_over
    long = 2 * live.sum(axis=1, keepdims=True) >= values.shape[1]
    return np.where(live | ~long, values, np.nan)


def _outlying(values: Floats, name: str, table: SourceTable, file: str, *, is_count: bool) -> list[Problem]:
    """Name cells far beyond their area's other periods and nearly every other cell."""
    if values.shape[1] < _FEWEST_PERIODS or not np.isfinite(values).any():
        return []
    rows = np.isfinite(values).any(axis=1)
    middle = np.full(len(values), np.nan)
    if is_count:  # the lower quartile: an area may be mistyped in most of its periods
        middle[rows] = np.nanquantile(_in_use(values[rows]), 0.25, axis=1)
        own = np.maximum(middle, 1.0)[:, None]
        usual = np.nanquantile(values[rows], 0.75, axis=1)
        limit = _TIMES_ALL * max(1.0, float(np.quantile(usual, 0.9)))
        here = (values >= _TIMES_OWN * own) & (values > limit)
        what = f"are over {_TIMES_OWN:g} times their neighbours"
    else:  # a small area moves more than most: it is held to what it does itself
        middle[rows] = np.nanmedian(values[rows], axis=1)
        away = values - middle[:, None]
        spread = np.full(len(values), np.nanmedian(np.abs(away)))
        spread[rows] = np.maximum(spread[rows], np.nanmedian(np.abs(away[rows]), axis=1))
        limits = np.where(spread > 0, _TIMES_OWN * 1.4826 * spread, np.inf)
        here = np.abs(away) > limits[:, None]
        what = f"are over {_TIMES_OWN:g} times as far from their area's other periods as is usual"
    if not here.any():
        return []
    first = values[np.nonzero(here)][0]
    return [
        Problem(
            f"{number_of(int(here.sum()), 'cell', 'cells')} of '{name}' {what}: "
            f"{first_few(list(_cells(here, table)))} (the first holds {first:g}).",
            file,
            'Correct it or leave it blank; if it is right, write accept = ["outlying cells"].',
        )
    ]


def _other_units(values: Floats, name: str, table: SourceTable, file: str) -> list[Problem]:
    """Name numbers of a column far beyond all others: 1.5 thousand among people, or 1,500,000."""
    by_area = values if values.ndim == 1 else np.nanmax(np.where(values > 0, values, 0), axis=1)
    known = np.flatnonzero(np.isfinite(by_area) & (by_area > 0))
    few = len(known) // _FEWEST_AREAS
    if not few:
        return []
    order = known[np.argsort(by_area[known], kind="stable")]
    sorted_values = by_area[order]
    leaps = np.flatnonzero(sorted_values[1:] >= _TIMES_NEXT * sorted_values[:-1]) + 1
    usual = float(np.median(sorted_values))
    far = [
        order[i:] for i in leaps if i >= len(order) - few and sorted_values[i - 1] <= _TIMES_SPREAD * usual
    ]
    far += [
        order[:i] for i in leaps if i <= few and usual >= _USUAL and sorted_values[i] * _TIMES_SPREAD >= usual
    ]
    if not far:
        return []
    named = [f"{table.areas[i]} {by_area[i]:g}" for i in np.sort(np.concatenate(far))]
    what = (
        f"{number_of(len(named), 'area has', 'areas have')} a number in '{name}' that is over "
        f"{_TIMES_NEXT:g} times off"
    )
    fix = 'Correct it or leave it blank; if it is right, write accept = ["outlying cells"].'
    return [Problem(f"{what} from all others: {first_few(named)}.", file, fix)]


def _sums(values: Floats, name: str, areas: Strings, file: str) -> list[Problem]:
    """Name areas that are the sum of others: all of them, or a run of them in order of code.

    Candidates are found by one weighted total an area, and then held period by period: many runs
    share a weighted total by chance.
    """
    whole = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(whole) <= _FEWEST_PARTS:
        return []
    counts = values[whole].astype(np.int64)
    total = counts.sum(axis=1)
    weights = np.arange(1, counts.shape[1] + 1) * 40_503 % 2**18 + 1  # far from any pattern
    key = counts @ weights
    large = np.flatnonzero((total >= _LARGE * np.median(total)) & (total > 0))
    large = large[np.argsort(total[large], kind="stable")][-_MOST_CANDIDATES:]
    is_sum = np.zeros(len(whole), dtype=bool)
    chance = _chance(counts) * len(whole) * len(large)
    found = []
    for candidate in large:
        parts = (total < total[candidate]) & ~is_sum
        run = np.concatenate([[0], np.cumsum(key[parts])])
        if parts.sum() < _FEWEST_PARTS:
            continue
        spans = [(0, int(parts.sum()))] if run[-1] == key[candidate] else []
        if not spans and counts.shape[1] >= _FEWEST_PERIODS and chance[candidate] < _BY_CHANCE:
            last = np.searchsorted(run, run + key[candidate])
            hit = np.flatnonzero(run[np.minimum(last, len(run) - 1)] == run + key[candidate])
            spans = [(int(i), int(last[i])) for i in hit]
        rows = np.flatnonzero(parts)
        exact = (b - a for a, b in spans if (counts[rows[a:b]].sum(axis=0) == counts[candidate]).all())
        n = max(exact, default=0)
        if n >= _FEWEST_PARTS:
            is_sum[candidate] = True
            found.append(f"{areas[whole[candidate]]} (of {n} areas)")
    what = f"{number_of(len(found), 'area is', 'areas are')} the sum of others in all of '{name}'"
    if not found and len(whole) > _FEWEST_AREAS and counts.shape[1] >= _FEWEST_PERIODS:
        largest = int(total.argmax())
        rest = counts.sum(axis=0) - counts[largest]
        if (rest > 0).all() and (np.abs(counts[largest] - rest) <= _NEARLY_ALL * rest).all():
            found = [str(areas[whole[largest]])]
            what = f"1 area is nearly the sum of all others in every period of '{name}'"
    if not found:
        return []
    fix = "They are totals, not areas: take them out or list them in `leave_out`."
    return [Problem(f"{what}: {first_few(found)}.", file, fix)]


def _chance(counts: Ints) -> Floats:
    """Return how likely others of the same total have an area's numbers in every period.

    That of a multinomial over the periods: of few incidents many runs of areas have the same.
    """
    from scipy.special import gammaln  # slow to import

    total = counts.sum(axis=1, keepdims=True)
    share = np.maximum(counts.sum(axis=0) / max(counts.sum(), 1), 1e-12)
    terms = counts * np.log(share) - gammaln(counts + 1.0)
    return np.asarray(np.exp(gammaln(total[:, 0] + 1.0) + terms.sum(axis=1)))


def _means(values: Floats, name: str, areas: Strings, file: str, *, is_count: bool) -> list[Problem]:
    """Name an area that is the mean of all others in every period, as an 'Average' row is.

    A mean of counts may be rounded; it is one where areas move by much more than that.
    """
    whole = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(whole) <= _FEWEST_AREAS or values.shape[1] < _FEWEST_FOR_MEAN:
        return []
    scores = values[whole]
    away = scores - (scores.sum(axis=0) - scores) / (len(whole) - 1)
    moves = float(np.median(np.abs(away - np.median(away, axis=1, keepdims=True))))
    near = _NEARLY_MEAN * moves + (_ROUNDED if is_count and moves >= _FEWEST_MOVES else 0.0)
    found = whole[(np.abs(away).max(axis=1) <= near) & (moves > 0)]
    if not len(found):
        return []
    what = (
        f"{number_of(len(found), 'area is', 'areas are')} the mean of all others in every period of '{name}'"
    )
    fix = "They are averages, not areas: take them out or list them in `leave_out`."
    return [Problem(f"{what}: {first_few([str(areas[i]) for i in found])}.", file, fix)]
