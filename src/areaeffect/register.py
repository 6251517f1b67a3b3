"""The register: every initiative known, its neighbourhoods and areas, each area in one only."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, StudyError, did_you_mean
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind, kind_of, label, parse_period

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.panel import Strings
    from areaeffect.results import Floats, Ints
    from areaeffect.study import Initiative, Window

_ONS_CODE = re.compile(r"[EWSN]\d{8}")
_SHOWN = 5
_TRUE, _FALSE = {"true", "yes", "1"}, {"false", "no", "0"}


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    area: str
    neighbourhood: str
    start: str
    resident_led: bool | None


def read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Read a small CSV as text with line numbers; UTF-8 (with or without BOM) or Windows-1252."""
    if not path.is_file():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*")])
        raise StudyError(Problem("there is no such file of areas.", str(path), near))
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    reader = csv.DictReader(io.StringIO(text))
    if "area_code" not in (reader.fieldnames or ()):
        columns = list(reader.fieldnames or ())
        raise DataError(
            Problem(
                "there is no column 'area_code'.",
                f"{path}, line 1",
                did_you_mean("area_code", columns) or f"Columns: {', '.join(columns) or 'none'}.",
            )
        )
    return [
        (reader.line_num, {k: (v or "").strip() for k, v in row.items() if k}) for row in reader
    ]


def neighbourhoods_from_file(
    initiative: Initiative, path: Path, areas: Strings, window: Window
) -> list[Neighbourhood]:
    """Read an initiative's areas: columns area_code, neighbourhood, start_date, resident_led.

    Parameters
    ----------
    initiative : its entry in the study.
    path : the CSV file.
    areas : (n_areas,), the panel's codes in ascending order.
    window : the study's window.

    Raises
    ------
    DataError
        With all faults: codes that the panel does not hold, an area in two neighbourhoods,
        starts that are missing, unreadable or outside the window.
    """
    lines = read_rows(path)
    unclear = [
        Problem(
            f"'{row['resident_led']}' in resident_led is neither true nor false.",
            f"{path}, line {line}",
            "Write true, false or nothing.",
        )
        for line, row in lines
        if row.get("resident_led", "").lower() not in _TRUE | _FALSE | {""}
    ]
    rows = [
        _Row(
            line,
            row["area_code"],
            row.get("neighbourhood") or initiative.name,
            row.get("start_date") or initiative.start or "",
            _truth(row.get("resident_led", ""), initiative.resident_led),
        )
        for line, row in lines
    ]
    if not rows:
        raise DataError(Problem("the file lists no areas.", str(path), "One row an area."))
    position = {str(code): i for i, code in enumerate(areas)}
    problems = _area_problems(rows, position, path)
    problems += _start_problems(rows, window, path) + unclear
    if problems:
        raise DataError(problems)
    grouped: dict[str, list[_Row]] = {}
    for row in rows:
        grouped.setdefault(row.neighbourhood, []).append(row)
    return [
        _neighbourhood(initiative, name, members, position, window)
        for name, members in sorted(grouped.items())
    ]


def neighbourhood_from_column(
    initiative: Initiative, treated: Floats, first_ordinal: int, kind: PeriodKind
) -> list[Neighbourhood]:
    """Build neighbourhoods from a column that is 1 in treated area-periods.

    Areas that begin in the same period form one neighbourhood.
    """
    ever = (np.nan_to_num(treated) > 0).any(axis=1)
    begin = (np.nan_to_num(treated) > 0).argmax(axis=1)
    starts = np.unique(begin[ever])
    return [
        Neighbourhood(
            initiative.name,
            initiative.name if len(starts) == 1 else f"{initiative.name}, start {i + 1}",
            np.flatnonzero(ever & (begin == s)).astype(np.int64),
            first_ordinal + int(s),
            kind,
            initiative.resident_led,
        )
        for i, s in enumerate(starts)
    ]


def other_areas(path: Path, areas: Strings) -> tuple[Ints, str]:
    """Read the areas of another initiative: positions in the panel, and a note."""
    rows = read_rows(path)
    position = {str(code): i for i, code in enumerate(areas)}
    found = sorted({position[r["area_code"]] for _, r in rows if r["area_code"] in position})
    note = f"{path.name}: {len(rows)} rows of other initiatives, {len(found)} areas in the panel."
    return np.array(found, dtype=np.int64), note


def _neighbourhood(
    initiative: Initiative,
    name: str,
    rows: list[_Row],
    position: dict[str, int],
    window: Window,
) -> Neighbourhood:
    kind = _start_kind(rows[0].start, window)
    start = parse_period(rows[0].start, kind)
    if start is None:  # `_start_problems` has refused it
        raise ValueError(rows[0].start)
    members = np.array(sorted(position[r.area] for r in rows), dtype=np.int64)
    return Neighbourhood(initiative.name, name, members, start, kind, rows[0].resident_led)


def _start_kind(text: str, window: Window) -> PeriodKind:
    if window.kind is PeriodKind.NUMBER:
        return PeriodKind.NUMBER
    return kind_of(text) or PeriodKind.MONTH


def _truth(text: str, default: bool | None) -> bool | None:  # a parsed value
    word = text.lower()
    if word in _TRUE:
        return True
    return False if word in _FALSE else default


def _area_problems(rows: list[_Row], position: dict[str, int], path: Path) -> list[Problem]:
    problems = []
    unknown = [r for r in rows if r.area not in position]
    for row in unknown[:_SHOWN]:
        near = did_you_mean(row.area, position) if not _ONS_CODE.fullmatch(row.area) else ""
        vintage = (
            "It may be of another census vintage, or outside the table's territory."
            if _ONS_CODE.fullmatch(row.area)
            else near or "Check the code."
        )
        problems.append(
            Problem(f"area '{row.area}' is not in the panel.", f"{path}, line {row.line}", vintage)
        )
    if len(unknown) > _SHOWN:
        problems.append(
            Problem(f"{len(unknown) - _SHOWN} more areas are not in the panel.", str(path))
        )
    seen: dict[str, _Row] = {}
    for row in rows:
        first = seen.setdefault(row.area, row)
        if first is not row:
            problems.append(
                Problem(
                    f"area '{row.area}' stands in '{first.neighbourhood}' (line {first.line}) and "
                    f"in '{row.neighbourhood}'.",
                    f"{path}, line {row.line}",
                    "An area belongs to one neighbourhood.",
                )
            )
    return problems


def _start_problems(rows: list[_Row], window: Window, path: Path) -> list[Problem]:
    problems = []
    first = parse_period(window.start, window.kind) or 0
    last = parse_period(window.end, window.kind) or 0
    first_rows = {r.neighbourhood: r for r in reversed(rows)}
    for row in sorted(first_rows.values(), key=lambda r: r.line):
        where = f"{path}, line {row.line}"
        start = parse_period(row.start, _start_kind(row.start, window)) if row.start else None
        if start is None:
            what = f"'{row.start}' is not a start" if row.start else "there is no start_date"
            fix = "Write '2016-01-01', '2016-01' or, for numbered periods, the number."
            problems.append(Problem(f"{what} (neighbourhood '{row.neighbourhood}').", where, fix))
            continue
        scale = 12 // (_start_kind(row.start, window).per_year or 12)
        window_scale = 12 // (window.kind.per_year or 12)
        inside = first * window_scale < start * scale < (last + 1) * window_scale
        if not inside:
            problems.append(
                Problem(
                    f"'{row.neighbourhood}' starts at {row.start}, outside the window "
                    f"{window.start} to {window.end}.",
                    where,
                    "The window needs periods before and after every start.",
                )
            )
    starts: dict[str, set[str]] = {}
    for row in rows:
        kind = _start_kind(row.start, window)
        ordinal = parse_period(row.start, kind)
        written = row.start if ordinal is None else label(ordinal, kind)
        starts.setdefault(row.neighbourhood, set()).add(written)
    several = [
        Problem(
            f"neighbourhood '{name}' has {len(given)} start dates: {', '.join(sorted(given))}.",
            str(path),
            "A neighbourhood starts once; split it where parts began at different times.",
        )
        for name, given in starts.items()
        if len(given) > 1
    ]
    return several + problems
