"""Source kind `police_uk`: counts from the store as a panel of one census vintage.

A zero is written only where the area's own force published the month whole; every other cell
is missing with its reason. No incident is lost: those in the panel, without an area, at the
border and in irregular areas add up to what the store holds.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
from pyarrow import ArrowException

from areaeffect.errors import DataError, Problem, StudyError, did_you_mean
from areaeffect.panel import REASONS
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.sources.base import SourceTable, Wanted
from areaeffect.sources.police_uk.areas import locate, place, read_lookup
from areaeffect.sources.police_uk.categories import (
    ALL_CRIME,
    choose,
    months_published,
    read_categories,
)
from areaeffect.sources.police_uk.force_months import force_months
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.lake import open_lake, store_path
from areaeffect.sources.police_uk.notes import (
    Account,
    notes_of,
    rejected_rows,
    releases_of,
    tables_of,
)
from areaeffect.sources.police_uk.panel_query import read_counts, read_points
from areaeffect.study.model import resolve

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.panel import Strings
    from areaeffect.results import Bools, Floats, Ints
    from areaeffect.sources.police_uk.force_months import ForceMonth
    from areaeffect.sources.police_uk.lake import Lake
    from areaeffect.study.model import PoliceUkSource, Window

    Codes = npt.NDArray[np.uint8]

#: A force polices an area where it has incidents in at least this share of its months; fewer
#: are points at the border of another force's territory, whose own rows are not all here.
POLICED_SHARE = 0.5
_CODE = {reason: np.uint8(i) for i, reason in enumerate(REASONS)}
_REASON_OF_STATUS = {"complete": "", "partial": "partial_month", "missing": "not_published"}
_ATTRIBUTES = ("force", "district")


def read_police(
    name: str,
    source: PoliceUkSource,
    folder: Path,
    store: Path | None,
    window: Window,
    wanted: tuple[Wanted, ...],
    attributes: tuple[str, ...],
) -> SourceTable:
    """Read a panel from the store, after ingesting the files that the study names.

    Parameters
    ----------
    name, source : of the study.
    folder : where the study's relative paths start.
    store : the store named on the command line; the study's own key comes first. A study
        that names files and no store has one of its own while it is read.
    window : months of the panel.
    wanted : one a measure; its categories, none or 'all-crime' for all crime without
        anti-social behaviour.
    attributes : `force` or `district`.

    Raises
    ------
    DataError, StudyError
        No store, files that cannot be ingested, categories, forces or attributes that are
        unknown, a window that is not by month.
    """
    if window.kind is not PeriodKind.MONTH:
        what = f"data.police.uk is by month, and the window is by {window.kind}."
        raise StudyError(Problem(what, "study.window", "Write it like '2023-01'."))
    unknown = [a for a in attributes if a not in _ATTRIBUTES]
    if unknown:
        near = did_you_mean(unknown[0], _ATTRIBUTES) or f"It has: {', '.join(_ATTRIBUTES)}."
        raise DataError(Problem(f"there is no '{unknown[0]}'.", f"source.{name}", near))
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
        except (duckdb.Error, ArrowException, OSError) as error:
            what = f"the store is damaged: {str(error).splitlines()[0]}"
            fix = "Remove it with `areaeffect store remove`, then ingest again."
            raise DataError(Problem(what, str(root), fix)) from None


def _read(
    name: str,
    source: PoliceUkSource,
    folder: Path,
    lake: Lake,
    window: Window,
    wanted: tuple[Wanted, ...],
) -> SourceTable:
    first, last = (parse_period(t, PeriodKind.MONTH) or 0 for t in (window.start, window.end))
    periods = Periods(PeriodKind.MONTH, first, last - first + 1)
    coverage = _coverage(name, source, lake)
    forces = tuple(sorted({c.force for c in coverage}))
    asked = [choose(w.category, f"source.{name}") for w in wanted]
    counts = read_counts(lake.root, forces, periods.labels, asked)
    if not len(counts.codes):
        what = f"the store holds no located incident from {window.start} to {window.end}."
        fix = "See what it holds with `areaeffect sources`."
        raise DataError(Problem(what, str(lake.root), fix))
    lookup = read_lookup(source, folder)
    located = locate(source, counts.codes, counts.names, counts.totals, lookup)
    points = read_points(lake.root, counts, forces, periods.labels, sorted(located.several))
    everything = tuple(sorted({c.category for c in read_categories()}))
    placed = place(source, folder, located, lookup, points, [*asked, everything], periods.n)
    values = counts.by_area(located.area_of_code, len(located.areas))
    for counted, given in zip(values, placed.values, strict=True):
        np.add(counted, given, out=counted)
    status = _statuses(coverage, forces, periods)
    home, ours = _home(*counts.policed(located.pairs, (len(located.areas), len(forces))), status)
    reasons = [
        _reasons(status[home][ours], a, w, periods) for a, w in zip(asked, wanted, strict=True)
    ]
    account = Account(
        total=int(counts.totals.sum()) + sum(row[2] for row in counts.not_located),
        in_panel=int(values[-1][ours].sum()),
        at_border=int(values[-1][~ours].sum()),
        n_border=int((~ours).sum()),
        left_out=located.left_out,
        not_located=counts.not_located,
        placed=int(placed.located.sum()),
    )
    rejected = rejected_rows(lake, forces, periods)
    release, *more_releases = releases_of(name, source, lake, forces, periods)
    return SourceTable(
        areas=located.areas[ours],
        names=located.names[ours],
        periods=periods,
        measures=_measures(wanted, [v[ours] for v in values], reasons),
        attributes={
            "force": np.array(forces, dtype=str)[home[ours]],
            "district": _districts(located.names[ours]),
        },
        varying={},
        release=release,
        notes=(*notes_of(account, forces, periods, rejected), *placed.notes),
        more_releases=tuple(more_releases),
        tables=tables_of(name, coverage, forces, periods, rejected),
        reasons=dict(zip(wanted, reasons, strict=True)),
    )


def _measures(
    wanted: tuple[Wanted, ...], values: list[Floats], reasons: list[Codes]
) -> dict[Wanted, Floats]:
    """Return the counts, NaN where a cell is missing for a reason."""
    return {
        w: np.where(r == _CODE[""], v, np.nan)
        for w, v, r in zip(wanted, values, reasons, strict=False)
    }


def _districts(names: Strings) -> Strings:
    """Districts as in the names of LSOAs: 'Hartlepool 001A' lies in Hartlepool."""
    return np.array([name.rpartition(" ")[0] for name in names], dtype=str)


def _coverage(name: str, source: PoliceUkSource, lake: Lake) -> tuple[ForceMonth, ...]:
    """Coverage of the forces asked; refuse those that the store does not hold."""
    rows = [r for r in lake.manifest() if r["source"] == "police_uk" and r["status"] == "current"]
    held = sorted({r["force"] for r in rows})
    problems = [
        Problem(
            f"the store holds nothing of force '{force}'.",
            f"source.{name}.forces",
            did_you_mean(force, held) or f"It holds: {', '.join(held)}.",
        )
        for force in source.forces
        if force not in held
    ]
    if problems:
        raise DataError(problems)
    if not rows:
        raise DataError(
            Problem(
                "the store holds no street-level crime.",
                str(lake.root),
                "Ingest files with `areaeffect ingest police-uk`.",
            )
        )
    return force_months(r for r in rows if not source.forces or r["force"] in source.forces)


def _statuses(coverage: tuple[ForceMonth, ...], forces: tuple[str, ...], periods: Periods) -> Codes:
    """(n_forces, n_periods): why a force's month is missing; 0 where it is complete."""
    status = np.full((len(forces), periods.n), _CODE["not_published"])
    for cell in coverage:
        column = (parse_period(cell.month, PeriodKind.MONTH) or 0) - periods.first
        if 0 <= column < periods.n:
            reason = _REASON_OF_STATUS[cell.status]
            status[forces.index(cell.force), column] = _CODE[reason]
    return status


def _home(months: Ints, incidents: Ints, status: Codes) -> tuple[Ints, Bools]:
    """The force with most incidents in each area, and whether it polices it or only touches it."""
    published = np.maximum((status != _CODE["not_published"]).sum(axis=1), 1)
    home = incidents.argmax(axis=1).astype(np.int64)
    seen = months[np.arange(len(home)), home]
    return home, seen >= POLICED_SHARE * published[home]


def _reasons(status: Codes, categories: tuple[str, ...], wanted: Wanted, periods: Periods) -> Codes:
    """Add to the reasons of the force those months in which a category was not yet published."""
    if not wanted.category or ALL_CRIME in wanted.category:
        return status  # whatever crime was called, it is in the sum
    by_category = [months_published(c, periods.labels) for c in categories]
    whole = np.array([all(months) for months in zip(*by_category, strict=True)])
    return np.where(whole, status, _CODE["not_published"])
