"""What a store holds: sources, forces, periods and gaps, to read and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from areaeffect.store.force_months import ForceMonth, force_months
from areaeffect.store.lake import open_lake, remove_store, store_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["StoreListing", "describe_store", "remove_store", "store_path"]

_HEADINGS = ("source", "force", "first", "last", "months", "rows", "no area", "rejected", "gaps")


@dataclass(frozen=True, slots=True)
class StoreListing:
    """What a store holds.

    Parameters
    ----------
    files : files read, and those passed over, by status.
    coverage : source × force × month.
    """

    files: dict[str, int]
    coverage: tuple[ForceMonth, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"files": self.files, "coverage": [c.to_dict() for c in self.coverage]}

    def text(self) -> str:
        """Return a table, a row a force, with its gaps."""
        rows = [_HEADINGS]
        for (source, force), cells in groupby(self.coverage, lambda c: (c.source, c.force)):
            months = list(cells)
            kept = sum(c.rows_kept for c in months)
            bare = sum(c.not_located for c in months)
            rows.append(
                (
                    source,
                    force,
                    months[0].month,
                    months[-1].month,
                    str(sum(c.status != "missing" for c in months)),
                    f"{kept:,}",
                    f"{100 * bare / max(kept, 1):.1f} %",
                    f"{sum(c.rows_rejected for c in months):,}",
                    _gaps(months),
                )
            )
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADINGS))]
        lines = [
            "  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows
        ]
        counted = ", ".join(f"{n:,} {status}" for status, n in sorted(self.files.items()))
        return "\n".join([*lines, "", f"Files: {counted}."])


def describe_store(root: Path) -> StoreListing:
    """Read a store's manifest and coverage.

    Raises
    ------
    DataError
        There is no store, or it is of another format.
    """
    manifest = open_lake(root).manifest()
    files: dict[str, int] = {}
    for row in manifest:
        files[row["status"]] = files.get(row["status"], 0) + 1
    return StoreListing(files, force_months(manifest))


def _gaps(months: list[ForceMonth]) -> str:
    """Write runs of months that are not complete: 'missing 2014-03 to 2014-05'."""
    runs = []
    for status, cells in groupby(months, lambda c: c.status):
        run = list(cells)
        if status != "complete":
            span = run[0].month if len(run) == 1 else f"{run[0].month} to {run[-1].month}"
            runs.append(f"{status} {span}")
    return "; ".join(runs) or "none"
