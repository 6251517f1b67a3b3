"""Which cells of a police panel were published: by force and category, and across forces.

An area belongs to the force that polices it by the packaged table, whoever has incidents in it.
Where another force (British Transport Police, a neighbour) has a part of an area's incidents,
the months in which that force published nothing are missing there too: else a file that stops
would look like a fall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, did_you_mean, number_of
from areaeffect.geography.codes import WITHOUT_TERRITORY, force_of, territorial_forces
from areaeffect.panel import REASONS
from areaeffect.periods import PeriodKind, Periods, label, parse_period
from areaeffect.records import Json
from areaeffect.results import Strings
from areaeffect.sources.coverage import group_gaps
from areaeffect.sources.police_uk.categories import months_published

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.results import Bools, Ints
    from areaeffect.sources.police_uk.lake import Lake
    from areaeffect.study.model import PoliceUkSource

    Codes = npt.NDArray[np.uint8]

#: Another force has a part of an area from this share of its incidents a month.
PART_SHARE = 0.01
_SHOWN = 10
CODE = {reason: np.uint8(i) for i, reason in enumerate(REASONS)}
_REASON_OF_STATUS = {"complete": "", "partial": "partial_month", "missing": "not_published"}
#: A month of which more rows than this were rejected is not whole.
REJECTED_SHARE = 0.1
#: A month of which this share more rows than usual have no area is not whole, from so many rows on.
UNLOCATED_SHARE, _FEWEST_ROWS = 0.15, 200
#: A category under this share of its trailing median was not published; falls are seldom so deep.
CATEGORY_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceMonth:
    """What one force's file of one month holds."""

    #: source, force, month: whose and when
    source: str
    force: str
    month: str
    status: str  # `complete`, `partial` (a residue, or many rows rejected) or `missing`
    #: rows_kept, rows_rejected: of the file that counts now; 0 where there is none.
    rows_kept: int = 0
    rows_rejected: int = 0
    not_located: int = 0  # rows kept that have no area
    why: str = ""  # why it is not complete; empty where it is.
    is_low: bool = False  # whether it is partial for its number of rows alone, which may be a real fall
    #: categories that the force has in its other months and all but lacks in this one
    lacks: tuple[str, ...] = ()

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return asdict(self)


def force_months(manifest: Iterable[Json], *, by_point: bool = False) -> tuple[ForceMonth, ...]:
    """Derive the coverage table from the manifest's current files.

    A month that is absent between a force's first and last is missing; one under half of its
    trailing median is a residue; one that is whole but for a category lacks that category. One in
    which many more rows than usual have no area, or no point where rows are assigned `by_point`,
    is partial.
    """
    held: dict[tuple[str, str], dict[int, Json]] = {}
    for row in manifest:
        month = parse_period(str(row.get("month", "")), PeriodKind.MONTH)
        if row.get("status") == "current" and month is not None:
            held.setdefault((row["source"], row["force"]), {})[month] = row
    table = []
    for (source, force), months in sorted(held.items()):
        first, last = min(months), max(months)
        totals = np.full((1, last - first + 1), np.nan)
        for month, row in months.items():
            totals[0, month - first] = row["rows_kept"]
        residue = group_gaps(totals)[0]
        usual = float(np.quantile([_unlocated(row, by_point=by_point) for row in months.values()], 0.25))
        faults = {m: _fault(row) or _bare(row, usual, by_point=by_point) for m, row in months.items()}
        whole = {
            month: row for month, row in months.items() if not residue[month - first] and not faults[month]
        }
        gaps = _category_gaps(whole, first, last)
        for month in range(first, last + 1):
            row = months.get(month, {})
            status, why = faults.get(month, _fault(row)) or ("complete", "")
            is_low = status == "complete" and bool(residue[month - first])
            if is_low:
                status, why = "partial", "under half of the months before"
            lacks = tuple(c for c, flagged in gaps.items() if flagged[month - first])
            table.append(
                ForceMonth(
                    source=source,
                    force=force,
                    month=label(month, PeriodKind.MONTH),
                    status=status,
                    rows_kept=row.get("rows_kept", 0),
                    rows_rejected=row.get("rows_rejected", 0),
                    not_located=row.get("not_located", 0),
                    why=f"without {', '.join(lacks)}" if lacks else why,
                    is_low=is_low,
                    lacks=lacks,
                )
            )
    return tuple(table)


def _fault(row: Json) -> tuple[str, str] | None:
    """Return status and reason of a month whose file says itself that it is not whole."""
    if not row:
        return "missing", "no file"
    kept, rejected = row["rows_kept"], row["rows_rejected"]
    if kept == 0:
        return "missing", "a file without a usable row"
    if rejected > REJECTED_SHARE * (kept + rejected):
        return "partial", f"{rejected} of {kept + rejected} rows were rejected"
    return None


def _unlocated(row: Json, *, by_point: bool) -> float:
    """Return the share of a month's rows that belong to no area."""
    without = row.get("not_located", 0) - (row.get("with_point_only", 0) if by_point else 0)
    return float(without / max(row["rows_kept"], 1))


def _bare(row: Json, usual: float, *, by_point: bool) -> tuple[str, str] | None:
    """Return status and reason of a month in which too many rows belong to no area."""
    share = _unlocated(row, by_point=by_point)
    if row["rows_kept"] < _FEWEST_ROWS or share - usual <= UNLOCATED_SHARE:
        return None
    return "partial", f"{share:.0%} of its rows have no area, of others {usual:.0%}"


def _category_gaps(whole: Mapping[int, Json], first: int, last: int) -> dict[str, Bools]:
    """Return for each category the months, from the first on, in which it was not published."""
    found = {}
    labels = tuple(label(month, PeriodKind.MONTH) for month in range(first, last + 1))
    for category in sorted({c for row in whole.values() for c in row["categories"]}):
        published = months_published((category,), labels)
        totals = np.full((1, len(labels)), np.nan)
        for month, row in whole.items():
            if published[month - first]:
                totals[0, month - first] = row["categories"].get(category, 0)
        found[category] = group_gaps(totals, CATEGORY_SHARE)[0]
    return found


def gaps_in(months: Iterable[ForceMonth]) -> str:
    """Write runs of months that are not whole: 'missing 2014-03 to 2014-05', 'without drugs …'."""
    runs = []
    for status, cells in groupby(months, lambda c: c.why if c.lacks else c.status):
        run = list(cells)
        if status != "complete":
            span = run[0].month if len(run) == 1 else f"{run[0].month} to {run[-1].month}"
            runs.append(f"{status} {span}")
    return "; ".join(runs) or "none"


def in_window(held: Sequence[ForceMonth], start: str, end: str) -> str:
    """Compare the months of a store with those of a study: 'YYYY-MM' both."""
    said = []
    for force, cells in groupby(held, lambda c: c.force):
        months = list(cells)
        first, last = months[0].month, months[-1].month
        inside = [c for c in months if start <= c.month <= end]
        lacks = []
        if not inside:
            lacks.append("nothing of the window")
        else:
            lacks += [f"nothing before {first}"] if start < first else []
            lacks += [f"nothing after {last}"] if end > last else []
            lacks += [gaps_in(inside)] if gaps_in(inside) != "none" else []
        said.append(f"{force} {first} to {last} ({'; '.join(lacks) or 'whole in the window'})")
    return ", ".join(said) or "of which the store holds nothing"


def coverage_of(
    name: str, source: PoliceUkSource, lake: Lake, periods: Periods
) -> tuple[tuple[ForceMonth, ...], tuple[str, ...]]:
    """Return the coverage of the forces asked, with the falls that the study keeps, and notes.

    A force that polices no area (British Transport Police) and did not publish every period
    whole is left out throughout, unless the source names it in `forces`.
    """
    rows = [r for r in lake.manifest() if r["source"] == "police_uk" and r["status"] == "current"]
    if not rows:
        what = "the store holds no street-level crime."
        fix = "Ingest files with `areaeffect ingest police-uk`."
        raise DataError(what, str(lake.root), fix)
    held = sorted({r["force"] for r in rows})
    problems = [
        Problem(
            f"the store holds nothing of force '{force}'.",
            f"source.{name}.{key}",
            did_you_mean(force, held) or f"It holds: {', '.join(held)}.",
        )
        for key in ("forces", "without_forces")
        for force in getattr(source, key)
        if force not in held
    ]
    asked = {f for f in source.forces or held if f not in source.without_forces}
    territorial = territorial_forces()
    problems += [
        Problem(
            f"force '{force}' polices no known area.",
            f"source.{name}",
            did_you_mean(force, territorial) or f"Forces: {', '.join(territorial)}.",
        )
        for force in sorted(asked - {*territorial, *WITHOUT_TERRITORY})
    ]
    if not problems and asked <= set(WITHOUT_TERRITORY):
        what = f"{' and '.join(sorted(asked)) or 'no force'}: none of them polices an area."
        problems = [Problem(what, f"source.{name}.forces", "Name a territorial force.")]
    if problems:
        raise DataError(problems)
    by_point = source.boundaries is not None
    table = force_months((r for r in rows if r["force"] in asked), by_point=by_point)
    return _without_stopped(_with_falls(name, source, table), source, periods)


def _without_stopped(
    coverage: tuple[ForceMonth, ...], source: PoliceUkSource, periods: Periods
) -> tuple[tuple[ForceMonth, ...], tuple[str, ...]]:
    """Leave out the forces without territory that did not publish every period whole."""
    notes = []
    for force in sorted({c.force for c in coverage} & set(WITHOUT_TERRITORY) - set(source.forces)):
        inside = [c for c in coverage if c.force == force and c.month in periods.labels]
        n = sum(c.status == "complete" and not c.lacks for c in inside)
        if n < periods.n:
            coverage = tuple(c for c in coverage if c.force != force)
            notes.append(
                f"{force} published {n} of {periods.n} months in full. Its "
                f"{sum(c.rows_kept for c in inside):,} incidents are left out of every month, "
                "because a month without its files would look like a fall. Name it in `forces` to "
                "treat its missing months as missing in every area where it has incidents."
            )
    low = [
        f"{c.force} {c.month} ({c.why})"
        for c in coverage
        if c.month in periods.labels and (c.status == "partial" or c.lacks)
    ]
    if low:
        more = f" and {len(low) - _SHOWN} more" if len(low) > _SHOWN else ""
        notes.append(
            f"These months look like gaps of recording and are missing: {'; '.join(low[:_SHOWN])}"
            f"{more}. Where a fall is real, keep it with `real_falls`."
        )
    return coverage, tuple(notes)


def _with_falls(
    name: str, source: PoliceUkSource, coverage: tuple[ForceMonth, ...]
) -> tuple[ForceMonth, ...]:
    """Take months that the study calls real falls as complete; refuse what keeps nothing."""
    months = list(coverage)
    for i, rule in enumerate(source.real_falls):
        where = f"source.{name}.real_falls.{i}"
        if rule.column != "force":
            raise DataError(f"gaps are not looked for in '{rule.column}'.", where, "Write 'force'.")
        kept = [
            j
            for j, cell in enumerate(months)
            if cell.force in rule.values
            and rule.from_period <= cell.month <= rule.to_period
            and (cell.is_low or cell.lacks)
        ]
        if not kept:
            low = sorted({f"{c.force} {c.month}" for c in coverage if c.is_low or c.lacks})
            raise DataError(
                f"nothing there looks like a gap: {rule.text()}.",
                where,
                f"What does: {', '.join(low) or 'nothing'}.",
            )
        for j in kept:
            months[j] = replace(
                months[j], status="complete", is_low=False, lacks=(), why=f"kept as a real fall: {rule.why}"
            )
    return tuple(months)


def home_of(areas: Strings, forces: tuple[str, ...]) -> Ints:
    """Return the position of the force that polices each area; -1 where it is none of them."""
    position = {force: i for i, force in enumerate(forces)}
    return np.array([position.get(f, -1) for f in force_of(areas).tolist()], dtype=np.int64)


def reasons_and_notes(
    incidents: Ints,
    home: Ints,
    coverage: tuple[ForceMonth, ...],
    forces: tuple[str, ...],
    periods: Periods,
    *,
    asked: Sequence[tuple[str, ...]],
) -> tuple[list[Codes], tuple[str, ...]]:
    """Return why cells are missing, (n_areas, n_periods) for each sum of categories, and notes.

    Parameters
    ----------
    incidents : (n_areas, n_forces), of all categories in the periods.
    home : (n_areas,), from `home_of`; none -1.
    asked : categories of each sum.
    """
    parts = _parts_of(incidents, home, coverage, forces, periods)
    status = [_statuses(coverage, forces, periods, categories) for categories in asked]
    notes = dict.fromkeys(n for s in status for n in _notes_on_parts(parts, home, s, forces))
    return [_reasons_of(s, home, parts) for s in status], tuple(notes)


def _statuses(
    coverage: tuple[ForceMonth, ...], forces: tuple[str, ...], periods: Periods, categories: tuple[str, ...]
) -> Codes:
    """(n_forces, n_periods): why the sum of some categories is missing; 0 where it is whole."""
    status = np.full((len(forces), periods.n), CODE["not_published"])
    for cell in coverage:
        column = (parse_period(cell.month, PeriodKind.MONTH) or 0) - periods.first
        if 0 <= column < periods.n:
            reason = _REASON_OF_STATUS[cell.status]
            if not reason and set(cell.lacks) & set(categories):
                reason = "partial_month"
            status[forces.index(cell.force), column] = CODE[reason]
    return np.where(months_published(categories, periods.labels), status, CODE["not_published"])


def _parts_of(
    incidents: Ints, home: Ints, coverage: tuple[ForceMonth, ...], forces: tuple[str, ...], periods: Periods
) -> Bools:
    """(n_areas, n_forces): whether a force that is not the area's own has a part of it.

    Incidents are compared with the months in which each force published anything, so that a file
    that soon stops has no smaller part.
    """
    months = np.zeros(len(forces))
    for cell in coverage:
        column = (parse_period(cell.month, PeriodKind.MONTH) or 0) - periods.first
        if 0 <= column < periods.n and cell.rows_kept:
            months[forces.index(cell.force)] += 1
    pace = incidents / np.maximum(months, 1)
    own = pace[np.arange(len(home)), home]
    parts = pace >= PART_SHARE * (pace + own[:, None])
    parts &= incidents > 0
    parts[np.arange(len(home)), home] = False
    return np.asarray(parts)


def _reasons_of(status: Codes, home: Ints, parts: Bools) -> Codes:
    """(n_areas, n_periods): the reasons of the own force, and those of others with a part."""
    reasons = status[home]
    for force in np.flatnonzero(parts.any(axis=0)):
        here = parts[:, force]
        reasons[here] = np.where(reasons[here] == 0, status[force], reasons[here])
    return reasons


def _notes_on_parts(parts: Bools, home: Ints, status: Codes, forces: tuple[str, ...]) -> tuple[str, ...]:
    """Say whose missing months reached areas of other forces, and how to leave that force out."""
    notes = []
    for force in np.flatnonzero(parts.any(axis=0)):
        lost = (status[force] != 0) & (status[home[parts[:, force]]] == 0)
        n = int(lost.any(axis=1).sum())
        if n:
            fix = f' Write without_forces = ["{forces[force]}"] to leave it out throughout.'
            notes.append(
                f"{forces[force]} did not publish every month: in {number_of(n, 'area', 'areas')} "
                "of other forces, "
                f"where it has {100 * PART_SHARE:g}% or more of the incidents, those months are "
                f"missing.{fix if forces[force] in WITHOUT_TERRITORY else ''}"
            )
    return tuple(notes)
