"""A chart with its companion table, and tables as CSV files that describe their columns."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from markupsafe import Markup

from areaeffect.errors import DataError
from areaeffect.records import Column, DataTable, Json, Row
from areaeffect.wording.numbers import known, number

T = TypeVar("T")
#: The headings of a table, each with what writes its cell of a record.
Columns = Mapping[str, Callable[[T], str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table in words: every cell is text already."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls, caption: str, records: Iterable[T], columns: Columns[T], numeric: Iterable[int] = ()
    ) -> Table:
        """Return a row a record."""
        rows = tuple(tuple(write(record) for write in columns.values()) for record in records)
        return cls(caption, tuple(columns), rows, frozenset(numeric))


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


METADATA = "-metadata.json"
DIGITS = 12  # of every number that is written (docs/rules.md, rule 8)
_FORMULA = re.compile(r"'*[=+\-@]")


def write_table(path: Path, title: str, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write a table beside its description, `NAME.csv` and `NAME.csv-metadata.json`."""
    write_text(path, table_text(columns, rows))
    description = _description(path.name, title, columns)
    write_text(path.with_name(path.name + METADATA), json_text(description, indent=1))


def table_text(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    """Return a table as CSV: numbers as they are, texts guarded, a gap as an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([_cell(rounded_number(row[c.name]), c.datatype) for c in columns])
    return buffer.getvalue()


def read_described(path: Path) -> DataTable:
    """Read a table with the description beside it.

    Raises
    ------
    DataError
        Where either file is missing or cannot be read.
    """
    try:
        described = json.loads(path.with_name(path.name + METADATA).read_text(encoding="utf-8"))
        columns = tuple(
            Column(c["name"], c["datatype"], c["dc:description"]) for c in described["tableSchema"]["columns"]
        )
        title = str(described["dc:title"])
    except (OSError, ValueError, KeyError, TypeError):
        what = "the description of the table is missing or cannot be read."
        raise DataError(what, str(path), "Evaluate the study again.") from None
    rows = tuple(tuple(row[c.name] for c in columns) for row in read_table(path, columns))
    return DataTable(path.stem, title, columns, rows)


def read_table(path: Path, columns: Sequence[Column]) -> list[Row]:
    """Read the rows of a table that `write_table` wrote.

    Raises
    ------
    DataError
        Where the file is missing or cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file, strict=True)
            named = [(c, head) for c, head in zip(columns, next(lines, []), strict=True)]
            kinds = {head: c.datatype for c, head in named if c.name == head}
            return [
                {c.name: _value(cell, kinds[c.name]) for c, cell in zip(columns, line, strict=True)}
                for line in lines
            ]
    except (OSError, ValueError, KeyError, csv.Error):
        raise DataError(
            "the table is missing or not whole.", str(path), "Evaluate the study again."
        ) from None


def rounded_number(value: Any) -> Any:
    """Return a number at 12 significant digits, None for what is not finite, else the value."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") + 0.0 if math.isfinite(value) else None
    return value


def json_text(content: Any, indent: int | None = None) -> str:
    """Write JSON that holds no NaN and ends with a line end."""
    separators = (",", ": ") if indent is not None else (",", ":")
    return (
        json.dumps(content, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators) + "\n"
    )


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with the line ends as they are."""
    path.write_bytes(text.encode("utf-8"))


def guard(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguard(text: str) -> str:
    """Take the apostrophe of `guard` away."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _cell(value: Any, datatype: str) -> str:
    if value is None:
        return ""
    if datatype == "boolean":
        return "true" if value else "false"
    return guard(str(value)) if datatype == "string" else repr(value)


def _value(text: str, datatype: str) -> Any:
    if datatype == "string":
        return unguard(text)
    if datatype == "boolean":
        return text == "true"
    if text == "":
        return None
    return int(text) if datatype == "integer" else float(text)


def _description(url: str, title: str, columns: Sequence[Column]) -> Json:
    """Describe a table in the words of CSV on the Web."""
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": url,
        "dc:title": title,
        "dialect": {"encoding": "utf-8", "header": True, "delimiter": ",", "lineTerminators": ["\n"]},
        "tableSchema": {
            "columns": [
                {
                    "name": c.name,
                    "titles": c.name,
                    "datatype": c.datatype,
                    "dc:title": c.title,
                    "dc:description": c.description,
                }
                for c in columns
            ]
        },
    }
