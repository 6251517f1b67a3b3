"""Which builder prints which annex of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.report.chart_tables import Table
from areaeffect.report.crosscheck import crosscheck_section
from areaeffect.report.document import Data, Section
from areaeffect.report.event_time import event_time_section
from areaeffect.report.plan_text import NONE_GIVEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from areaeffect.results import Annex, DataTable, Result

#: One line an annex, in the order of the report; an annex without a builder prints its tables.
BUILDERS: Mapping[str, Callable[[Result, Annex], Section]] = {
    "event_time": event_time_section,
    "crosscheck": crosscheck_section,
}

_NUMERIC = frozenset({"number", "integer"})


def annex_sections(result: Result) -> list[Section]:
    """Return the sections of all annexes, in the order of the registry."""
    order = {name: i for i, name in enumerate(BUILDERS)}
    annexes = sorted(result.annexes, key=lambda a: (order.get(a.name, len(order)), a.name))
    return [BUILDERS.get(a.name, _plain)(result, a) for a in annexes]


def annex_files(result: Result) -> dict[str, str]:
    """Return where each table of the annexes can be downloaded, relative to the page."""
    return {t.name: f"data/{t.name}.csv" for a in result.annexes for t in a.tables}


def in_words(table: DataTable) -> Table:
    """Return a table with every cell as text, numbers at four significant digits."""
    return Table(
        table.title,
        tuple(c.title for c in table.columns),
        tuple(tuple(_text(cell) for cell in row) for row in table.rows),
        frozenset(i for i, c in enumerate(table.columns) if c.datatype in _NUMERIC),
    )


def _plain(_result: Result, annex: Annex) -> Section:
    key = annex.name.replace("_", "-")
    title = annex.name.replace("_", " ").capitalize()
    return Section(key, title, tuple(Data(in_words(t), t.name) for t in annex.tables))


def _text(cell: str | float | bool | None) -> str:
    if cell is None or cell == "":
        return NONE_GIVEN
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,.4g}" if isinstance(cell, float) else str(cell)
