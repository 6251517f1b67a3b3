"""What sources list for the data annex: coverage by force and month, rows that were rejected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from areaeffect.document.blocks import Data, Paragraph, Place, Section
from areaeffect.document.chart_tables import Table, in_words
from areaeffect.results import Annex

if TYPE_CHECKING:
    from areaeffect.document.blocks import Block
    from areaeffect.findings.finished import Finished
    from areaeffect.records import DataTable
    from areaeffect.results import Result

_SHOWN = 20
_HEADINGS = (
    "Source",
    "Force",
    "Months complete",
    "Partial",
    "Missing",
    "Rows kept",
    "Rejected",
    "Without an area code",
    "Not complete",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """How many rows each table of the sources has."""

    rows: dict[str, int]


def sources_section(_result: Result, annex: Annex[Listed]) -> Section:
    """Return a row a force, and the first rejected rows; the files hold every month and row."""
    rejected = annex.table("rejected_rows")
    n = len(rejected.rows)
    blocks: list[Block] = [Data(_by_force(annex.table("source_coverage")), "source_coverage")]
    if n:
        shown = in_words(rejected)
        more = f" The first {_SHOWN} are shown; the file lists all." if n > _SHOWN else ""
        noun = "row was" if n == 1 else "rows were"
        blocks.append(Paragraph(f"{n:,} {noun} rejected and not used.{more}"))
        first = Table(shown.caption, shown.head, shown.rows[:_SHOWN], shown.numeric)
        blocks.append(Data(first, "rejected_rows"))
    else:
        blocks.append(Paragraph("No row was rejected."))
    return Section("sources", "What the sources reported", tuple(blocks), place=Place.DATA)


def _by_force(coverage: DataTable) -> Table:
    """Return a row a source and force, with its gaps as runs of months."""
    rows = []
    for (source, force), group in groupby(coverage.records(), key=lambda r: (r["source"], r["force"])):
        months = list(group)
        counted = [sum(m["status"] == s for m in months) for s in ("complete", "partial", "missing")]
        sums = [sum(m[k] for m in months) for k in ("rows_kept", "rows_rejected", "not_located")]
        cells = [f"{n:,}" for n in (*counted, *sums)]
        rows.append((source, force, *cells, _runs(months)))
    return Table("Coverage by force", _HEADINGS, tuple(rows), frozenset(range(2, 8)))


def _runs(months: list[dict[str, Any]]) -> str:
    runs = []
    for (status, why), group in groupby(months, key=lambda m: (m["status"], m["why"])):
        run = list(group)
        if status != "complete":
            last = run[-1]["month"]
            span = last if len(run) == 1 else f"{run[0]['month']} to {last}"
            runs.append(f"{span} {status} ({why})")
    return "; ".join(runs) or "none"


def source_tables_step(finished: Finished) -> Annex[Listed] | None:
    """Return the sources' tables, those of one name joined; None where no source has any."""
    joined: dict[str, DataTable] = {}
    for table in finished.data.tables:
        earlier = joined.get(table.name)
        joined[table.name] = replace(earlier, rows=(*earlier.rows, *table.rows)) if earlier else table
    if not joined:
        return None
    rows = {name: len(table.rows) for name, table in joined.items()}
    return Annex("sources", Listed(rows), tuple(joined.values()))
