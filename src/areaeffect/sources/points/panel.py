"""Dated incidents as a panel: a zero only where the files cover the period whole."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from areaeffect.disk import sha256_of
from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.geography.boundaries import Boundaries, area_codes, read_boundaries
from areaeffect.geography.overlay import fault_of_degrees, fault_of_metres
from areaeffect.panel import REASONS
from areaeffect.periods import PeriodKind, Periods, kind_of, label, parse_period
from areaeffect.records import DataTable
from areaeffect.results import Release, Strings
from areaeffect.sources.coverage import (
    COVERAGE_COLUMNS,
    REJECTED_COLUMNS,
    SourceKind,
    SourceRequest,
    SourceTable,
    group_gaps,
)
from areaeffect.sources.points.account import PLACE, Account, CoordinateSigns, Reason, coordinate_notes
from areaeffect.sources.points.counting import NONE, SLACK, Counted, count_points
from areaeffect.sources.police_uk.force_coverage import REJECTED_SHARE
from areaeffect.sources.publishers.releases import named_file
from areaeffect.study.file import StudyFile
from areaeffect.study.parts import Window, resolve
from areaeffect.study.source_kinds import PointsSource

#: A file begins, or ends, inside a month where over a tenth of its days are cut off, although
#: a gap of that many days by chance has less than this probability.
_RARE = 0.001
_FEWEST_DAYS = 20
_MOST = 0.5
_SHOWN = 10
_CODE = {reason: np.uint8(i) for i, reason in enumerate(REASONS)}
_STATUS = {"complete": "", "partial": "partial_month", "missing": "not_published"}


@dataclass(frozen=True, slots=True)
class Month:
    """Whether a month of the window was covered: `complete`, `partial` or `missing`, and why."""

    status: str
    why: str = ""


def read_points(request: SourceRequest[PointsSource]) -> SourceTable:
    """Count a source's incidents into the areas of the study's boundaries."""
    name, source, file = request.name, request.source, request.file
    window, wanted, attributes = request.window, request.wanted, request.attributes
    codes, boundaries, column = _areas(name, file)
    _refuse(request, column)
    first, last = window.ordinals
    periods = Periods(window.kind, first, last - first + 1)
    paths = [resolve(p, file.folder) for p in source.paths]
    counted = count_points(paths, source, boundaries, periods)
    for crs, seen in sorted(counted.seen.items()):
        if fault := _fault(crs, seen):
            where = f"{', '.join(p.name for p in paths)}, source.{name}"
            raise DataError(f"the file {fault[0]}.", where, fault[1])
    _refuse_none(counted, window, paths)
    copied, is_mistake = counted.repeats.copied()
    if copied and is_mistake:
        what = f"every incident of {copied} is there several times."
        raise DataError(what, ", ".join(map(str, paths)), "Remove the copies.")
    months, notes = coverage_of(name, source, counted.account, periods)
    reasons = np.repeat(_reasons(months, periods)[None, :], len(codes), axis=0)
    where = f"source.{name}"
    values = {w: counted.of(w.category, len(codes), periods, where) for w in wanted}
    release, *more = _releases(name, source, paths, counted.account)
    return SourceTable(
        areas=codes,
        names=codes,
        periods=periods,
        measures={w: np.where(reasons == _CODE[""], v, np.nan) for w, v in values.items()},
        attributes=dict.fromkeys(attributes, codes),
        varying={},
        release=release,
        notes=(*_notes(counted, boundaries, paths), *counted.notes, *notes),
        more_releases=tuple(more),
        tables=_tables(name, months, counted.account, paths),
        reasons=dict.fromkeys(wanted, reasons),
    )


def _areas(name: str, file: StudyFile) -> tuple[Strings, Boundaries, str]:
    """Return the codes and outlines of the source's own boundaries, else the study's."""
    sources = file.study.source
    for one in (sources[name], *sources.values()):
        if one.boundaries is not None:
            path = named_file(one.boundaries, file.folder)
            column = one.boundaries_area or one.area
            codes = area_codes(path, column)
            return codes, read_boundaries(path, column, codes, one.boundaries_crs), column
    what = "incidents are counted into areas, and no source has `boundaries`."
    fix = 'Write boundaries = "areas.geojson" and the column of its codes: area = "…".'
    raise StudyError(what, file.where(f"source.{name}"), fix)


def _refuse(request: SourceRequest[PointsSource], column: str) -> None:
    """Refuse what points do not have: scores, numbers to add up, characteristics of areas."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    source, file = request.source, request.file
    where = file.where(f"source.{request.name}")
    problems = []
    if request.window.kind is PeriodKind.NUMBER:
        what = "incidents have dates, and the window is in numbers."
        problems.append(Problem(what, file.where("study.window"), "Write it like '2012-01'."))
    for w in request.wanted:
        if not w.is_count or w.value != "value":
            what = "points are counted: they have no score and no number to add up."
            problems.append(Problem(what, where, "Leave `value` out and write kind = 'count'."))
        if w.category and source.category is None:
            what = "outcomes pick categories, but `category` is not set."
            problems.append(Problem(what, where, "Name the column with the category."))
    problems += [
        Problem(f"points have no column '{a}' of areas.", where, f"They have '{column}' alone.")
        for a in request.attributes
        if a != column
    ]
    if len(set(source.paths)) < len(source.paths):
        what = "a file is named twice: its incidents would count twice."
        problems.append(Problem(what, where, "Name each file once."))
    if source.crs is not None:
        try:
            CRS.from_user_input(source.crs)
        except CRSError:
            what = f"'{source.crs}' is no reference system that is known."
            problems.append(Problem(what, f"{where}, crs", "Write it like 'EPSG:4326'."))
    if problems:
        raise StudyError(list(dict.fromkeys(problems)))


def _fault(crs: str, seen: CoordinateSigns) -> tuple[str, str] | None:
    """Return why most coordinates are not what the source or the file says, and what to do."""
    from pyproj import CRS

    def most(kind: str) -> bool:
        return seen.odd[kind] > _MOST * seen.given

    is_degrees = bool(CRS.from_user_input(crs).is_geographic)
    if most("swapped"):
        pair = "longitude and latitude" if is_degrees else "easting and northing"
        fix = "`coordinates` names the one to the east first: ['Longitude', 'Latitude']."
        return f"has {pair} the wrong way round", fix
    if most("mirrored"):
        fix = "Check the sign: west of Greenwich a longitude is negative, south of the equator a "
        return "has coordinates of the wrong sign", fix + "latitude."
    fault = None
    if is_degrees and most("beyond"):
        fault = fault_of_degrees(seen.sample["beyond"], in_britain=False)
    if not is_degrees and most("small") and most("outside"):
        fault = fault_of_metres(seen.sample["small"])
    if fault is None:
        return None
    return fault[0], fault[1].replace("beside `areas`", "in the source")


def _refuse_none(counted: Counted, window: Window, paths: list[Path]) -> None:
    """Refuse files without an incident in an area and in the window, with the reasons."""
    account = counted.account
    rejected = sum(account.rejected.values())
    ambiguous = sum(n for (_, r), n in account.rejected.items() if r is Reason.AMBIGUOUS_DATE)
    where = ", ".join(str(p) for p in paths)
    if ambiguous > _MOST * (ambiguous + sum(account.of_month.values())):
        i = int(counted.dates.ambiguous.argmax())
        text = list(counted.dates.texts)[i]
        one, other = (label(int(m), PeriodKind.MONTH) for m in counted.dates.both[i])
        what = f"'{text}' may be {one} (day first) or {other} (month first)."
        raise DataError(what, where, "Write dates = 'day first' or 'month first'.")
    if not sum(account.kept.values()):
        what = f"no incident lies in an area and in the window {window.start} to {window.end}"
        reasons = _by_reason(account)
        shares = [f"{n:,} {reason.value}" for reason, n in reasons.items()]
        fix = "Check the window, the columns and the reference system (`crs`)."
        if Reason.UNREADABLE_DATE in reasons:
            some = next(
                t for t, m in zip(counted.dates.texts, counted.dates.months, strict=True) if t and m == NONE
            )
            fix = f"'{some}' is not read as a date: write it as 2020-01-31. {fix}"
        raise DataError(f"{what}: of {rejected:,} rows {', '.join(shares) or 'none'}.", where, fix)


def _by_reason(account: Account) -> dict[Reason, int]:
    """Return rejected rows by reason, in the order in which reasons are looked for."""
    counts = {r: sum(n for (_, reason), n in account.rejected.items() if reason is r) for r in Reason}
    return {reason: n for reason, n in counts.items() if n}


def coverage_of(
    name: str, source: PointsSource, account: Account, periods: Periods
) -> tuple[dict[int, Month], tuple[str, ...]]:
    """Return for each month of the window whether the files cover it whole, and remarks."""
    held = sorted(account.of_month)
    begin, end = (held[0], held[-1]) if source.covers is None else source.covers.months
    low = _low_months(name, source, account, begin, end)
    edges = {} if source.covers is not None else _edges(account)
    months = {}
    for month in range(
        periods.kind.first_month(periods.first), periods.kind.first_month(periods.first + periods.n)
    ):
        if not begin <= month <= end:
            side = "before the first" if month < begin else "after the last"
            why = f"{side} incident" if source.covers is None else "`covers` leaves it out"
            months[month] = Month("missing", why)
        elif month in low:
            months[month] = Month(*low[month])
        elif month in edges:
            months[month] = Month("partial", edges[month])
        else:
            months[month] = Month("complete")
    odd = [f"{label(m, PeriodKind.MONTH)} ({c.why})" for m, c in months.items() if c.status == "partial"]
    notes = []
    if odd:
        more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
        notes.append(
            f"These months look like gaps of recording and are missing: {'; '.join(odd[:_SHOWN])}"
            f"{more}. Where the fall is real, keep it with `real_falls`."
        )
    notes += [
        f"{rule.from_period} to {rule.to_period} look like a gap of recording and are kept as a "
        f"real fall: {rule.why}."
        for rule in source.real_falls
    ]
    return months, tuple(notes)


def _low_months(
    name: str, source: PointsSource, account: Account, begin: int, end: int
) -> dict[int, tuple[str, str]]:
    """Return months under half of their trailing median, less the falls that are kept."""
    totals = np.array([[account.of_month.get(m, 0) for m in range(begin, end + 1)]], dtype=float)
    gaps = group_gaps(totals)[0]
    for i, rule in enumerate(source.real_falls):
        spans = [(kind_of(t), t) for t in (rule.from_period, rule.to_period)]
        since, until = (
            0 if kind is None else kind.first_month((parse_period(text, kind) or 0) + step)
            for (kind, text), step in zip(spans, (0, 1), strict=True)
        )
        kept = (np.arange(begin, end + 1) >= since) & (np.arange(begin, end + 1) < until)
        if not (gaps & kept).any():
            low = [label(begin + int(m), PeriodKind.MONTH) for m in np.flatnonzero(gaps)]
            what = f"nothing looks like a gap from {rule.from_period} to {rule.to_period}."
            fix = f"What does: {', '.join(low) or 'nothing'}."
            raise DataError(what, f"source.{name}.real_falls.{i}", fix)
        gaps &= ~kept
    return {begin + int(m): ("partial", "under half of the months before") for m in np.flatnonzero(gaps)}


def _edges(account: Account) -> dict[int, str]:
    """Return the first and last month where the file begins after, or ends before, their ends."""
    if len(account.days) < _FEWEST_DAYS:
        return {}
    first, last = min(account.days), max(account.days)
    empty = 1 - len(account.days) / (last - first + 2)  # the chance of a day without an incident
    begins, ends = date.fromordinal(first), date.fromordinal(last)
    found = {}
    for day, cut_off, which in (
        (begins, begins.day - 1, "first"),
        (ends, monthrange(ends.year, ends.month)[1] - ends.day, "last"),
    ):
        length = monthrange(day.year, day.month)[1]
        if cut_off > REJECTED_SHARE * length and empty**cut_off < _RARE:
            month = day.year * 12 + day.month - 1
            found[month] = f"the {which} incident is of {day.isoformat()}"
    return found


def _reasons(months: dict[int, Month], periods: Periods) -> npt.NDArray[np.uint8]:
    """(n_periods,): why a period is missing; one of which a month is missing is not whole."""
    found = np.zeros(periods.n, dtype=np.uint8)
    for i, ordinal in enumerate(periods.ordinals):
        begin = periods.kind.first_month(int(ordinal))
        held = {months[m].status for m in range(begin, begin + periods.kind.months)}
        status = held.pop() if len(held) == 1 else "partial"
        found[i] = _CODE[_STATUS[status]]
    return found


def _notes(counted: Counted, boundaries: Boundaries, paths: list[Path]) -> tuple[str, ...]:
    account = counted.account
    kept, rejected = sum(account.kept.values()), sum(account.rejected.values())
    by_reason = "; ".join(f"{r.value} {n:,}" for r, n in _by_reason(account).items())
    notes = [
        f"{', '.join(p.name for p in paths)}: {kept + rejected:,} rows read, {kept:,} counted, "
        f"{rejected:,} not" + (f" ({by_reason})." if by_reason else "."),
        "A point on a border belongs to the area whose code comes first; one outside all areas "
        f"but within {SLACK:g} metre of one belongs to it.",
    ]
    if counted.dates.note:
        notes.append(f"{paths[0].name}: {counted.dates.note}")
    notes += [*counted.repeats.notes(), *coordinate_notes(counted.seen, account.by_month, boundaries)]
    return tuple(notes)


def _releases(name: str, source: PointsSource, paths: list[Path], account: Account) -> tuple[Release, ...]:
    rejected = [sum(n for (file, _), n in account.rejected.items() if file == i) for i in range(len(paths))]
    return tuple(
        Release(
            source=name,
            file=path.name,
            sha256=sha256_of(path),
            rows_read=account.kept[i] + rejected[i],
            rows_kept=account.kept[i],
            rows_rejected=rejected[i],
            licence=source.licence,
            attribution=source.attribution,
        )
        for i, path in enumerate(paths)
    )  # fmt: skip


def _tables(
    name: str, months: dict[int, Month], account: Account, paths: list[Path]
) -> tuple[DataTable, DataTable]:
    """Return coverage by month of the window, and the rows that were rejected."""
    cells = []
    for month, held in months.items():
        of = {place: n for (m, place), n in account.by_month.items() if m == month}
        kept = of.get(0, 0)
        row = (held.status, kept, sum(of.values()) - kept, of.get(PLACE[Reason.NO_COORDINATES], 0))
        cells.append((name, "all", label(month, PeriodKind.MONTH), *row, held.why))
    rows = [
        (name, "all", month, paths[file].name, line, reason.value, text)
        for file, line, month, text, reason in account.listed()
    ]
    return (
        DataTable("source_coverage", "Coverage by force and month", COVERAGE_COLUMNS, tuple(cells)),
        DataTable("rejected_rows", "Rows that were rejected", REJECTED_COLUMNS, tuple(rows)),
    )


SOURCE = SourceKind(
    model=PointsSource,
    read=read_points,
    describe=lambda r: f"{r.name}: incidents of your own, from {', '.join(r.source.paths)}",
)
