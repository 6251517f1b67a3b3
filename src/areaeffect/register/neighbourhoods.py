"""Rows to neighbourhoods: which areas, from when until when, each area in one only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

import numpy as np

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.geography.codes import counterparts
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind, Periods, kind_of, label, parse_period
from areaeffect.register.rows import AreaRow, grouped
from areaeffect.results import Floats, Ints, Strings
from areaeffect.study.initiative import Initiative
from areaeffect.study.parts import Window

_ONS_CODE = re.compile(r"[EWSN]\d{8}")
_SHOWN = 5
#: How a column of starts writes that there is none.
_NEVER = frozenset({"", "0", "nan", "NaN", "NA", "inf", "Inf", "never"})
_THROUGHOUT = (
    "are treated from their first period on, so there are no figures from before their start",
    "Begin the table earlier, or write treated_throughout = 'leave out': they are then neither "
    "treated nor benchmark areas.",
)


def neighbourhoods_of(
    rows: Sequence[AreaRow], path: Path, areas: Strings, window: Window, found: Sequence[Problem] = ()
) -> list[Neighbourhood]:
    """Group rows of areas into neighbourhoods, by programme and name.

    Raises
    ------
    DataError
        With all faults, those `found` before too: codes that the panel does not hold, an area in two
        neighbourhoods, starts that are missing, unreadable or outside the window, ends before them, two
        starts, ends or amounts for one neighbourhood.
    """
    if not rows and not found:
        raise DataError("the file lists no areas.", str(path), "Give one row for each area.")
    position = {str(code): i for i, code in enumerate(areas)}
    problems = [*_area_problems(rows, position, path), *date_problems(rows, window, path), *found]
    if problems:
        raise DataError(problems)
    return [
        _neighbourhood(own, position, window) for _, own in sorted(grouped(rows).items(), key=itemgetter(0))
    ]


def neighbourhoods_from_column(
    initiative: Initiative, treated: Floats, periods: Periods, areas: Strings, where: str
) -> tuple[list[Neighbourhood], Ints]:
    """Build neighbourhoods from a column, (n_areas, n_periods), that is 1 in treated area-periods.

    Areas that begin in the same period form one neighbourhood. Areas left out, because they are 1
    in all their periods, come with them.

    Raises
    ------
    DataError
        Where the column holds anything but 0 and 1, goes back to 0 in an area, is 1 from an
        area's first period on, or is never 1.
    """
    known = np.isfinite(treated)
    on = known & (treated == 1)
    off_again = (np.maximum.accumulate(on, axis=1) & known & ~on).any(axis=1)
    ever = on.any(axis=1)
    begin = on.argmax(axis=1)
    throughout = ever & (begin == known.argmax(axis=1))
    left_out = throughout & (initiative.treated_throughout == "leave out")
    wrong = (known & (treated != 0) & (treated != 1)).any(axis=1)
    problems = [
        Problem(f"{areas_named(areas[mask])} {what}.", where, fix)
        for mask, what, fix in (
            (wrong, "hold values other than 0 and 1", "Write 1 in treated area-periods, else 0."),
            (
                off_again & ~wrong,
                "go back to 0 after a 1",
                "It must be 0 before the start and 1 from it on: what lasts after the work "
                "ended is part of the effect. Correct the column, or leave these areas out.",
            ),
            (throughout & ~left_out & ~wrong, *_THROUGHOUT),
        )
        if mask.any()
    ]
    if not (ever & ~left_out).any():
        problems.append(Problem("no area is 1 after being 0.", where, "It marks treated area-periods."))
    if problems:
        raise DataError(problems)
    ever &= ~left_out
    starts = [(periods.first + int(begin[i]), int(i)) for i in np.flatnonzero(ever)]
    return _by_start(initiative, starts, periods.kind), np.flatnonzero(left_out).astype(np.int64)


def neighbourhoods_from_starts(
    initiative: Initiative, starts: Strings, periods: Periods, areas: Strings, where: str
) -> tuple[list[Neighbourhood], Ints]:
    """Build neighbourhoods from a column with the start of each area, as text.

    Areas that begin in the same period form one neighbourhood. A blank, 0 or a start after the
    last period leaves an area untreated. Areas left out, because they start before the first
    period, come with them.

    Raises
    ------
    DataError
        Where a start cannot be read, lies at or before the first period, or no area has one.
    """
    found: list[tuple[int, int]] = []
    unreadable, throughout = (np.zeros(len(starts), dtype=bool) for _ in range(2))
    for i, text in enumerate(starts):
        written = str(text).strip().removesuffix(".0")
        if written in _NEVER:
            continue
        ordinal = parse_period(written, periods.kind)
        if ordinal is None:
            unreadable[i] = True
        elif ordinal <= periods.first:
            throughout[i] = True
        elif ordinal < periods.first + periods.n:
            found.append((ordinal, i))
    problems = []
    if unreadable.any():
        own = ", ".join(sorted({f"'{t}'" for t in starts[unreadable]})[:_SHOWN])
        what = f"{own} ({areas_named(areas[unreadable])}) is not a {periods.kind}."
        fix = f"Write starts like the periods of the outcomes, such as '{periods.labels[0]}'."
        problems.append(Problem(what, where, fix))
    if throughout.any() and initiative.treated_throughout == "refuse":
        what = f"{areas_named(areas[throughout])} {_THROUGHOUT[0]}."
        problems.append(Problem(what, where, _THROUGHOUT[1]))
    if not found:
        problems.append(Problem("no area starts inside the periods of the outcomes.", where))
    if problems:
        raise DataError(problems)
    return _by_start(initiative, found, periods.kind), np.flatnonzero(throughout).astype(np.int64)


def _by_start(
    initiative: Initiative, starts: Sequence[tuple[int, int]], kind: PeriodKind
) -> list[Neighbourhood]:
    """Make one neighbourhood of the areas of each start; `starts` are (ordinal, area)."""
    ordinals = sorted({ordinal for ordinal, _ in starts})
    return [
        Neighbourhood(
            initiative=initiative.name,
            name=initiative.name if len(ordinals) == 1 else f"{initiative.name}, start {i + 1}",
            areas=np.array([area for own, area in starts if own == ordinal], dtype=np.int64),
            start=ordinal,
            start_kind=kind,
            resident_led=initiative.resident_led,
        )
        for i, ordinal in enumerate(ordinals)
    ]


def areas_named(codes: Strings) -> str:
    """Name some areas: 'areas A, B, C, D, E and 3 more'."""
    shown = ", ".join(map(str, codes[:_SHOWN]))
    more = f" and {len(codes) - _SHOWN} more" if len(codes) > _SHOWN else ""
    return f"area{'s' if len(codes) > 1 else ''} {shown}{more}"


def shared_attributes(parts: Sequence[Sequence[tuple[str, str]]]) -> dict[str, str]:
    """Return the attributes that every part has with the same value."""
    first, *others = (dict(p) for p in parts)
    return {k: v for k, v in first.items() if all(o.get(k) == v for o in others)}


def _neighbourhood(rows: list[AreaRow], position: dict[str, int], window: Window) -> Neighbourhood:
    first = rows[0]
    kind = start_kind(first.start, window)
    start = parse_period(first.start, kind)
    if start is None:  # `_start_problems` has refused it
        raise ValueError(first.start)
    amounts = {r.funding for r in rows if r.funding is not None}
    end = next((r.end for r in rows if r.end), "")
    return Neighbourhood(
        initiative=first.programme,
        name=first.neighbourhood,
        areas=np.array(sorted({position[r.area] for r in rows}), dtype=np.int64),
        start=start,
        start_kind=kind,
        resident_led=first.resident_led,
        attributes=shared_attributes([r.attributes for r in rows]),
        end=_end(end, kind, window) if end else None,
        funding=next(iter(amounts)) if amounts else None,
    )


def start_kind(text: str, window: Window) -> PeriodKind:
    """Return what a start or an end counts, by how it is written."""
    if window.kind is PeriodKind.NUMBER:
        return PeriodKind.NUMBER
    return kind_of(text) or PeriodKind.MONTH


def _end(text: str, kind: PeriodKind, window: Window) -> int | None:
    """Return the last period of work as an ordinal of the start's kind; None where unreadable."""
    own = start_kind(text, window)
    ordinal = parse_period(text, own)
    if ordinal is None or own is kind:
        return ordinal
    return kind.holding(own.first_month(ordinal + 1) - 1)


def _area_problems(rows: Sequence[AreaRow], position: dict[str, int], path: Path) -> list[Problem]:
    problems = []
    unknown = [r for r in rows if r.area not in position]
    for row in unknown[:_SHOWN]:
        if not _ONS_CODE.fullmatch(row.area):
            fix = did_you_mean(row.area, position) or "Check the code."
        elif here := [c for c in counterparts(row.area) if c in position]:
            fix = f"It is a code of another census; the panel has {', '.join(here)} in its place."
        else:
            fix = "It may be of another census vintage, or outside the table's territory."
        problems.append(Problem(f"area '{row.area}' is not in the panel.", f"{path}, {row.place}", fix))
    if len(unknown) > _SHOWN:
        problems.append(Problem(f"{len(unknown) - _SHOWN} more areas are not in the panel.", str(path)))
    seen: dict[str, AreaRow] = {}
    for row in rows:
        first = seen.setdefault(row.area, row)
        if first is not row:
            where = f"'{first.neighbourhood}' ({first.place}) and in '{row.neighbourhood}'"
            fix = "An area belongs to one neighbourhood."
            problems.append(Problem(f"area '{row.area}' is in {where}.", f"{path}, {row.place}", fix))
    return problems


def date_problems(rows: Sequence[AreaRow], window: Window, path: Path) -> list[Problem]:
    """Return what is wrong with the starts and ends of neighbourhoods, by the first row of each."""
    first = [own[0] for own in grouped(rows).values()]
    starts = [p for r in first for p in _start_problems(r, window, f"{path}, {r.place}")]
    ended = [own[0] for own in grouped(r for r in rows if r.end).values()]
    ends = [p for r in ended for p in _end_problems(r, window, f"{path}, {r.place}")]
    return [*_once_problems(rows, window, path), *starts, *ends]


def _start_problems(row: AreaRow, window: Window, where: str) -> list[Problem]:
    first, last = (parse_period(t, window.kind) or 0 for t in (window.start, window.end))
    kind = start_kind(row.start, window)
    start = parse_period(row.start, kind) if row.start else None
    if start is None or kind is PeriodKind.NUMBER is not window.kind:
        what = f"'{row.start}' is not a start" if row.start else "there is no start_date"
        fix = "Write '2016-01-01', '2016-01' or, for numbered periods, the number."
        if re.fullmatch(r"[34]\d{4}", row.start):
            fix = "It looks like a spreadsheet's date: format the column as a date and save it."
        return [Problem(f"{what} (neighbourhood '{row.neighbourhood}').", where, fix)]
    if window.kind.first_month(first) < kind.first_month(start) < window.kind.first_month(last + 1):
        return []
    what = f"'{row.neighbourhood}' starts at {row.start}, outside the window {window.start} to {window.end}."
    return [Problem(what, where, "The window needs periods before and after every start.")]


def _end_problems(row: AreaRow, window: Window, where: str) -> list[Problem]:
    kind = start_kind(row.start, window)
    start, end = parse_period(row.start, kind), _end(row.end, kind, window)
    if end is None:
        what = f"'{row.end}' is not an end (neighbourhood '{row.neighbourhood}')."
        return [Problem(what, where, "Write it like the start, or leave it blank.")]
    are_days = len(row.start) == len(row.end) == len("2016-01-01")
    if start is not None and (end < start or (are_days and row.end < row.start)):
        what = f"'{row.neighbourhood}' ends ({row.end}) before it starts ({row.start})."
        return [Problem(what, where, "Correct one of the two dates.")]
    return []


def _once_problems(rows: Sequence[AreaRow], window: Window, path: Path) -> list[Problem]:
    """Name neighbourhoods with two starts, two ends, two amounts, or led by residents and not."""
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    for row in rows:
        kind = start_kind(row.start, window)
        ordinal = parse_period(row.start, kind)
        said = {
            "start dates": row.start if ordinal is None else label(ordinal, kind),
            "end dates": row.end,
            "amounts of funding": "" if row.funding is None else f"{row.funding:,.0f}",
            "values of resident_led": "" if row.resident_led is None else str(row.resident_led),
        }
        given = found.setdefault((row.programme, row.neighbourhood), {})
        for what, value in said.items():
            if value or what == "start dates":
                given.setdefault(what, set()).add(value)
    return [
        Problem(
            f"neighbourhood '{name}' has {len(values)} {what}: {', '.join(sorted(values))}.",
            str(path),
            "A neighbourhood starts once; split it where parts began at different times."
            if what == "start dates"
            else "Write the same value in every row of a neighbourhood.",
        )
        for (_, name), given in found.items()
        for what, values in given.items()
        if len(values) > 1
    ]
