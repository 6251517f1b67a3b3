"""Tables of numbers as tables of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.document.chart_tables import NONE_GIVEN, Table

if TYPE_CHECKING:
    from areaeffect.results import DataTable

_NUMERIC = frozenset({"number", "integer"})


def in_words(table: DataTable) -> Table:
    """Return a table with every cell as text, numbers at four significant digits."""
    return Table(
        table.title,
        tuple(c.title for c in table.columns),
        tuple(tuple(_text(cell) for cell in row) for row in table.rows),
        frozenset(i for i, c in enumerate(table.columns) if c.datatype in _NUMERIC),
    )


def _text(cell: str | float | bool | None) -> str:
    if cell is None or cell == "":
        return NONE_GIVEN
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,.4g}" if isinstance(cell, float) else str(cell)
