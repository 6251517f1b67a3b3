"""What sources list for the data annex: coverage by force and month, rows that were rejected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from areaeffect.results import Annex

if TYPE_CHECKING:
    from areaeffect.pipeline.steps import Finished
    from areaeffect.results import DataTable


def source_tables_step(finished: Finished) -> Annex | None:
    """Return the sources' tables, those of one name joined; None where no source has any."""
    joined: dict[str, DataTable] = {}
    for table in finished.data.tables:
        earlier = joined.get(table.name)
        joined[table.name] = (
            replace(earlier, rows=(*earlier.rows, *table.rows)) if earlier else table
        )
    if not joined:
        return None
    values = {name: len(table.rows) for name, table in joined.items()}
    return Annex("sources", values, tuple(joined.values()))
