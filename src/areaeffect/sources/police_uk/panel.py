"""Source kind `police_uk`: counts from the store as a panel of one census vintage.

A zero is written only where the area's own force published the month whole; every other cell
is missing with its reason. No incident is lost: those in the panel, without an area, at the
border and in irregular areas add up to what the store holds.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from areaeffect.disk import store_path
from areaeffect.errors import DataError, StudyError, did_you_mean, number_of
from areaeffect.geography.codes import ATTRIBUTION
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.records import DataTable
from areaeffect.results import Bools, Floats, Release
from areaeffect.sources.coverage import (
    COVERAGE_COLUMNS,
    REJECTED_COLUMNS,
    MeasureRequest,
    SourceKind,
    SourceRequest,
    SourceTable,
)
from areaeffect.sources.police_uk.categories import choose, read_categories
from areaeffect.sources.police_uk.files import of_other_police
from areaeffect.sources.police_uk.force_coverage import (
    CODE,
    ForceMonth,
    coverage_of,
    force_months,
    home_of,
    in_window,
    reasons_and_notes,
)
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.lake import Lake, has_store, open_lake
from areaeffect.sources.police_uk.panel_query import (
    Counts,
    Located,
    Placed,
    locate,
    place,
    read_counts,
    read_lookup,
    read_points,
)
from areaeffect.study.model import PoliceUkSource
from areaeffect.study.parts import Window, resolve
from areaeffect.tables.parquet import read_parquet

if TYPE_CHECKING:
    import numpy.typing as npt

    Codes = npt.NDArray[np.uint8]

_ATTRIBUTES = ("force", "district")


def read_police(
    name: str,
    source: PoliceUkSource,
    folder: Path,
    store: Path | None,
    window: Window,
    wanted: tuple[MeasureRequest, ...],
    attributes: tuple[str, ...],
) -> SourceTable:
    """Read a panel from the store, after ingesting the files that the study names.

    `store` is named on the command line; the study's own key comes first. A study that names files
    and no store has one of its own while it is read. Categories of `wanted`, none or 'all-crime', are
    all crime without anti-social behaviour; `attributes` are `force` or `district`.
    """
    if window.kind is not PeriodKind.MONTH:
        what = f"data.police.uk is by month, and the window is by {window.kind}."
        raise StudyError(what, "study.window", "Write it like '2023-01'.")
    unknown = [a for a in attributes if a not in _ATTRIBUTES]
    if unknown:
        near = did_you_mean(unknown[0], _ATTRIBUTES) or f"It has: {', '.join(_ATTRIBUTES)}."
        raise DataError(f"there is no '{unknown[0]}'.", f"source.{name}", near)
    with ExitStack() as stack:
        given = resolve(source.store, folder) if source.store else store
        if source.ingest and given is None:
            given = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "store"
        root = store_path(given)
        if source.ingest:
            files = [resolve(p, folder) for p in source.ingest]
            ingest_police_uk(files, root, engine=source.engine)
        lake = open_lake(root)
        try:
            return _read(name, source, folder, lake, window, wanted)
        except (duckdb.Error, OSError) as error:
            what = f"the store is damaged: {str(error).splitlines()[0]}"
            fix = "Remove it with `areaeffect store remove`, then ingest again."
            raise DataError(what, str(root), fix) from None


def _account(counts: Counts, located: Located, placed: Placed, every: Floats, ours: Bools) -> Account:
    """Return where all incidents are: `every` has those of each area, `ours` the areas of the panel."""
    return Account(
        total=int(counts.totals.sum()) + sum(row[2] for row in counts.not_located),
        in_panel=int(every[ours].sum()),
        at_border=int(every[~ours].sum()),
        n_border=int((~ours).sum()),
        left_out=located.left_out,
        not_located=counts.not_located,
        placed=int(placed.located.sum()),
    )


def _read(
    name: str,
    source: PoliceUkSource,
    folder: Path,
    lake: Lake,
    window: Window,
    wanted: tuple[MeasureRequest, ...],
) -> SourceTable:
    first, last = (parse_period(t, PeriodKind.MONTH) or 0 for t in (window.start, window.end))
    periods = Periods(PeriodKind.MONTH, first, last - first + 1)
    coverage, stopped = coverage_of(name, source, lake, periods)
    forces = tuple(sorted({c.force for c in coverage}))
    asked = [choose(w.category, f"source.{name}") for w in wanted]
    counts = read_counts(lake, forces, periods.labels, asked)
    lookup = read_lookup(source, folder)
    located = locate(counts.codes, counts.names, counts.totals, lookup)
    home = home_of(located.areas, forces)
    ours = home >= 0
    if not ours.any():
        what = f"the store holds no located incident from {window.start} to {window.end}."
        fix = "See what it holds with `areaeffect sources`."
        raise DataError(what, str(lake.root), fix)
    points = read_points(lake, counts, forces, periods.labels, sorted(located.several))
    everything = tuple(sorted({c.category for c in read_categories()}))
    placed = place(source, folder, located, lookup, points, [*asked, everything], periods.n)
    values = counts.by_area(located.area_of_code, len(located.areas))
    for counted, given in zip(values, placed.values, strict=True):
        np.add(counted, given, out=counted)
    incidents = counts.policed(located.pairs, (len(located.areas), len(forces)))[ours]
    reasons, reach = reasons_and_notes(incidents, home[ours], coverage, forces, periods, asked=asked)
    account = _account(counts, located, placed, values[-1], ours)
    rejected = rejected_rows(lake, forces, periods)
    used = [r for r in lake.manifest() if r.get("force") in forces and r.get("month") in periods.labels]
    release, *more_releases = releases_of(name, source, lake, forces, periods)
    notes = (*notes_of(account, forces, periods, rejected), *located.notes, *placed.notes)
    packaged = f"Which force polices an area, and how area codes changed: packaged. {ATTRIBUTION}"
    return SourceTable(
        areas=located.areas[ours],
        names=located.names[ours],
        periods=periods,
        # a cell that is missing for a reason is NaN
        measures={
            w: np.where(r == CODE[""], v[ours], np.nan)
            for w, v, r in zip(wanted, values, reasons, strict=False)
        },
        # districts are as in the names of LSOAs: 'Hartlepool 001A' lies in Hartlepool
        attributes={
            "force": np.array(forces, dtype=str)[home[ours]],
            "district": np.array([n.rpartition(" ")[0] for n in located.names[ours]], dtype=str),
        },
        varying={},
        release=release,
        notes=(*notes, *of_other_police(used), *stopped, *reach, packaged),
        more_releases=tuple(more_releases),
        tables=tables_of(name, coverage, forces, periods, rejected),
        reasons=dict(zip(wanted, reasons, strict=True)),
    )


def _describe(request: SourceRequest[PoliceUkSource]) -> str:
    """Say what the store holds of the study's window."""
    source, name, window = request.source, request.name, request.window
    root = resolve(source.store, request.file.folder) if source.store else request.store
    if source.ingest and root is None:
        return f"{name}: police_uk, ingested from {number_of(len(source.ingest), 'file', 'files')} named"
    root = store_path(root)
    months = force_months(open_lake(root).manifest()) if has_store(root) else ()
    held = [m for m in months if not source.forces or m.force in source.forces]
    return f"{name}: police_uk, {in_window(held, window.start, window.end)}"


SOURCE = SourceKind(
    model=PoliceUkSource,
    read=lambda r: read_police(r.name, r.source, r.file.folder, r.store, r.window, r.wanted, r.attributes),
    describe=_describe,
    categories=choose,
)


_SHOWN = 20
_REJECTED_ROWS = "police_uk/rejected"
_SHOWN_CODES = 5
_NO_FILE = ("missing", 0, 0, 0, "no file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where every incident of the window went; the parts add up to the total."""

    total: int  # incidents of the forces and months asked
    in_panel: int  # on areas of the panel, in months whole or not
    #: at_border, n_border: on areas that another force polices, and how many these are
    at_border: int
    n_border: int
    left_out: dict[str, int]  # irregular and unknown codes, with their incidents
    #: (force, period, without an area, of these with a point)
    not_located: tuple[tuple[str, int, int, int], ...]
    placed: int  # without an area code, but inside an outline by their point


def notes_of(
    account: Account, forces: tuple[str, ...], periods: Periods, rejected: list[dict[str, str | int]]
) -> tuple[str, ...]:
    """Return sentences on where incidents went and which rows were rejected."""
    left_out = sum(account.left_out.values())
    nowhere = sum(n for _, _, n, _ in account.not_located) - account.placed
    if account.in_panel + account.at_border + left_out + nowhere != account.total:
        raise AssertionError(account)  # a total that is not conserved is a fault of ours
    notes = [
        f"{account.total:,} incidents from {periods.labels[0]} to {periods.labels[-1]}: "
        f"{account.in_panel:,} on areas of the panel, {account.at_border:,} on {account.n_border} "
        f"areas at the border that another force polices, {left_out:,} on "
        f"irregular or unknown area codes, {nowhere:,} without an area."
    ]
    if account.left_out:
        codes = sorted(account.left_out)
        more = f" and {len(codes) - _SHOWN_CODES} more" if len(codes) > _SHOWN_CODES else ""
        notes.append(f"Left out, irregular or unknown: {', '.join(codes[:_SHOWN_CODES])}{more}.")
    for force in forces:
        months = [f"{periods.labels[period]} {n}" for f, period, n, _ in account.not_located if f == force]
        if months:
            notes.append(f"Without an area, {force}: {', '.join(months)}.")
    shown = [f"{r['file']}, line {r['line']}: {r['reason']}" for r in rejected[:_SHOWN]]
    more = f" The first {_SHOWN}:" if len(rejected) > _SHOWN else ""
    said = f"{number_of(len(rejected), 'row was', 'rows were')} rejected.{more} {'; '.join(shown)}."
    return (*notes, said if rejected else "No row was rejected.")


def rejected_rows(lake: Lake, forces: tuple[str, ...], periods: Periods) -> list[dict[str, str | int]]:
    """Return every rejected row of the forces and months: force, month, file, line, reason, row."""
    held = set(lake.names(_REJECTED_ROWS))
    found = []
    for force in forces:
        for month in periods.labels:
            name = f"{_REJECTED_ROWS}/force={force}/month={month}/part.parquet"
            if name in held:
                rows = read_parquet(lake.verified(name)).to_dict("records")
                found += [{"force": force, "month": month, **{str(k): v for k, v in r.items()}} for r in rows]
    return found


def tables_of(
    name: str,
    coverage: tuple[ForceMonth, ...],
    forces: tuple[str, ...],
    periods: Periods,
    rejected: list[dict[str, str | int]],
) -> tuple[DataTable, DataTable]:
    """Return coverage by force and month of the window, and every row that was rejected."""
    held = {(c.force, c.month): c for c in coverage}
    cells = []
    for force in forces:
        for month in periods.labels:
            c = held.get((force, month))
            row = (c.status, c.rows_kept, c.rows_rejected, c.not_located, c.why) if c else _NO_FILE
            cells.append((name, force, month, *row))
    keys = ("force", "month", "file", "line", "reason", "row")
    return (
        DataTable("source_coverage", "Coverage by force and month", COVERAGE_COLUMNS, tuple(cells)),
        DataTable(
            "rejected_rows",
            "Rows that were rejected",
            REJECTED_COLUMNS,
            tuple((name, *(row[k] for k in keys)) for row in rejected),
        ),
    )


def releases_of(
    name: str, source: PoliceUkSource, lake: Lake, forces: tuple[str, ...], periods: Periods
) -> tuple[Release, ...]:
    """Return the downloads that the panel rests on, each with its rows of these months."""
    months = set(periods.labels)
    found: dict[tuple[str, str], list[int]] = {}
    for row in lake.manifest():
        if row["status"] == "current" and row["force"] in forces and row["month"] in months:
            sums = found.setdefault((row["release"], row["release_sha256"]), [0, 0, 0])
            for i, key in enumerate(("rows_read", "rows_kept", "rows_rejected")):
                sums[i] += row[key]
    return tuple(
        Release(
            source=name,
            file=file,
            sha256=sha256,
            rows_read=read,
            rows_kept=kept,
            rows_rejected=rejected,
            licence=source.licence,
            attribution=source.attribution,
        )
        for (file, sha256), (read, kept, rejected) in sorted(found.items())
    )
