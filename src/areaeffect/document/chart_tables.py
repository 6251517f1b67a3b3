"""A chart with its companion: the same rows as a table of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from areaeffect.wording.numbers import known, number

if TYPE_CHECKING:
    from areaeffect.records import DataTable


@dataclass(frozen=True, slots=True)
class Table:
    """A table in words: every cell is text already."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with its table."""

    chart: str  # an SVG element with a text alternative, as `svg.accessible` writes it
    title: str  # what it shows, or what it found
    table: Table  # the same in words
    data: str  # name of the table of the result that holds its numbers
    note: str = ""  # what a reader must know to read it
    name: str = ""  # of its own files in `charts/`; empty: made from its section.
    rows: tuple[Any, ...] = ()  # what was drawn, a frozen record a row, for its CSV; empty: none.

    @property
    def svg(self) -> Markup:
        """The chart as markup: made by `svg.py`, which escapes every text in it."""
        return Markup(self.chart)


def cell(value: float | None, decimals: int = 1) -> str:
    """Write a number of a chart."""
    return "–" if known(value) is None else number(value, "additive", decimals)


NONE_GIVEN = "not given"


_NUMERIC = frozenset({"number", "integer"})


def in_words(table: DataTable, leave_out: frozenset[str] = frozenset()) -> Table:
    """Return a table with every cell as text, numbers at four significant digits.

    Columns named in `leave_out`, which people need not read, are for the file alone.
    """
    kept = [i for i, c in enumerate(table.columns) if c.name not in leave_out]
    columns = [table.columns[i] for i in kept]
    return Table(
        table.title,
        tuple(c.title for c in columns),
        tuple(tuple(_text(row[i]) for i in kept) for row in table.rows),
        frozenset(i for i, c in enumerate(columns) if c.datatype in _NUMERIC),
    )


def _text(cell: str | float | bool | None) -> str:
    if cell is None or cell == "":
        return NONE_GIVEN
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,.4g}" if isinstance(cell, float) else str(cell)
