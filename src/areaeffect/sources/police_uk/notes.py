"""What the data annex says of incidents: releases, rows rejected, and where each incident went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from areaeffect.results import DataTable, Release
from areaeffect.sources.coverage import COVERAGE_COLUMNS, REJECTED_COLUMNS
from areaeffect.sources.police_uk.force_months import ForceMonth

if TYPE_CHECKING:
    from areaeffect.periods import Periods
    from areaeffect.sources.police_uk.lake import Lake
    from areaeffect.study.model import PoliceUkSource

_SHOWN = 20
_REJECTED_ROWS = "police_uk/rejected"
_SHOWN_CODES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where every incident of the window went; the parts add up to the total.

    Parameters
    ----------
    total : incidents of the forces and months asked.
    in_panel : on areas of the panel, in months whole or not.
    at_border, n_border : on areas that another force polices, and how many these are.
    left_out : irregular and unknown codes, with their incidents.
    not_located : (force, period, without an area, of these with a point).
    placed : without an area code, but inside an outline by their point.
    """

    total: int
    in_panel: int
    at_border: int
    n_border: int
    left_out: dict[str, int]
    not_located: tuple[tuple[str, int, int, int], ...]
    placed: int

    @property
    def n_not_located(self) -> int:
        """Incidents without an area, after those found by their point."""
        return sum(n for _, _, n, _ in self.not_located) - self.placed

    @property
    def is_whole(self) -> bool:
        """Whether every incident is accounted for, to the last one."""
        parts = self.in_panel + self.at_border + sum(self.left_out.values()) + self.n_not_located
        return parts == self.total


def notes_of(
    account: Account,
    forces: tuple[str, ...],
    periods: Periods,
    rejected: list[dict[str, str | int]],
) -> tuple[str, ...]:
    """Return sentences on where incidents went and which rows were rejected."""
    if not account.is_whole:
        raise AssertionError(account)  # a total that is not conserved is a fault of ours
    notes = [
        f"{account.total:,} incidents from {periods.labels[0]} to {periods.labels[-1]}: "
        f"{account.in_panel:,} on areas of the panel, {account.at_border:,} on {account.n_border} "
        f"areas at the border that another force polices, {sum(account.left_out.values()):,} on "
        f"irregular or unknown area codes, {account.n_not_located:,} without an area."
    ]
    if account.left_out:
        codes = sorted(account.left_out)
        more = f" and {len(codes) - _SHOWN_CODES} more" if len(codes) > _SHOWN_CODES else ""
        notes.append(f"Left out, irregular or unknown: {', '.join(codes[:_SHOWN_CODES])}{more}.")
    for force in forces:
        months = [
            f"{periods.labels[period]} {n}" for f, period, n, _ in account.not_located if f == force
        ]
        if months:
            notes.append(f"Without an area, {force}: {', '.join(months)}.")
    return (*notes, *_rejected(rejected))


def rejected_rows(
    lake: Lake, forces: tuple[str, ...], periods: Periods
) -> list[dict[str, str | int]]:
    """Return every rejected row of the forces and months: force, month, file, line, reason, row."""
    import pyarrow.parquet as pq

    held = set(lake.names(_REJECTED_ROWS))
    found = []
    for force in forces:
        for month in periods.labels:
            name = f"{_REJECTED_ROWS}/force={force}/month={month}/part.parquet"
            if name in held:
                rows = pq.read_table(lake.verified(name), partitioning=None).to_pylist()
                found += [{"force": force, "month": month, **row} for row in rows]
    return found


def _rejected(rows: list[dict[str, str | int]]) -> list[str]:
    if not rows:
        return ["No row was rejected."]
    shown = [f"{r['file']}, line {r['line']}: {r['reason']}" for r in rows[:_SHOWN]]
    more = f" The first {_SHOWN}:" if len(rows) > _SHOWN else ""
    return [f"{len(rows)} rows were rejected.{more} {'; '.join(shown)}."]


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
            c = held.get(
                (force, month),
                ForceMonth(source="", force=force, month=month, status="missing", why="no file"),
            )
            row = (c.status, c.rows_kept, c.rows_rejected, c.not_located, c.why)
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
