"""Coverage of an incident source as a table: force × month, and whether it was published whole."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.periods import PeriodKind, label, parse_period
from areaeffect.sources.coverage import group_gaps

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A month of which more rows than this were rejected is not whole.
REJECTED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class ForceMonth:
    """What one force's file of one month holds.

    Parameters
    ----------
    source, force, month : whose and when.
    status : `complete`, `partial` (a residue, or many rows rejected) or `missing`.
    rows_kept, rows_rejected : of the file that counts now; 0 where there is none.
    not_located : rows kept that have no area.
    why : why it is not complete; empty where it is.
    """

    source: str
    force: str
    month: str
    status: str
    rows_kept: int
    rows_rejected: int
    not_located: int
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def force_months(manifest: Iterable[dict[str, Any]]) -> tuple[ForceMonth, ...]:
    """Derive the coverage table from the manifest's current files.

    A month that is absent between a force's first and last is missing; one under half of its
    trailing median is a residue.
    """
    held: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
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
        for month in range(first, last + 1):
            row = months.get(month, {})
            kept, rejected = row.get("rows_kept", 0), row.get("rows_rejected", 0)
            status, why = _status(bool(row), kept, rejected, bool(residue[month - first]))
            table.append(
                ForceMonth(
                    source,
                    force,
                    label(month, PeriodKind.MONTH),
                    status,
                    kept,
                    rejected,
                    row.get("not_located", 0),
                    why,
                )
            )
    return tuple(table)


def _status(is_held: bool, kept: int, rejected: int, is_residue: bool) -> tuple[str, str]:
    if not is_held:
        return "missing", "no file"
    if kept == 0:
        return "missing", "a file without a usable row"
    if rejected > REJECTED_SHARE * (kept + rejected):
        return "partial", f"{rejected} of {kept + rejected} rows were rejected"
    if is_residue:
        return "partial", "under half of the months before"
    return "complete", ""
