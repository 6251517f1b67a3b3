"""A folder of tables and one page, of a command that makes no evaluation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from areaeffect.document.csv_files import json_text, rounded_number, write_table, write_text
from areaeffect.document.folders import RUN_FILE, write_whole
from areaeffect.document.page import to_html

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from areaeffect.document.blocks import Document
    from areaeffect.results import DataTable, Release


@dataclass(frozen=True, slots=True)
class SmallResult:
    """What is written: a page, its tables, and what it was made from."""

    document: Document
    tables: tuple[DataTable, ...]
    run: dict[str, Any]


def run_of(
    plan: dict[str, Any], releases: Sequence[Release], notes: Sequence[str]
) -> dict[str, Any]:
    """Return what a result was made from, as run.json has it."""
    return {"plan": plan, "releases": [asdict(r) for r in releases], "notes": list(notes)}


def as_dict(run: dict[str, Any], tables: Sequence[DataTable]) -> dict[str, Any]:
    """Return plain JSON values, numbers as the files have them: what it was made from, its rows."""
    rows = {
        table.name: [{k: rounded_number(v) for k, v in r.items()} for r in table.records()]
        for table in tables
    }
    return {**run, **rows}


def write_small(result: SmallResult, folder: Path, page: str) -> None:
    """Write NAME.csv with its metadata for each table, the page and run.json; whole or not."""

    def write(aside: Path) -> None:
        for table in result.tables:
            write_table(aside / f"{table.name}.csv", table.title, table.columns, table.records())
        files = {table.name: f"{table.name}.csv" for table in result.tables}
        write_text(aside / page, to_html(result.document, files))
        write_text(aside / RUN_FILE, json_text(result.run, indent=1))

    write_whole(folder, write)
