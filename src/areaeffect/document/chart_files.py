"""Every chart as files of its own: SVG, PNG, and its rows as CSV with metadata."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from areaeffect.document import pdf
from areaeffect.document.blocks import figures
from areaeffect.document.csv_files import write_table, write_text
from areaeffect.results import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from areaeffect.document.blocks import Document

FOLDER = "charts"


def write_charts(document: Document, folder: Path) -> None:
    """Write the charts of a document into an existing folder, a name each.

    The CSV holds the rows that were drawn; a chart without rows of its own has none, and its
    numbers are in the table of the result that its figure names.
    """
    shown = list(figures(document))
    for figure, picture in zip(shown, pdf.pictures([f.chart for f in shown]), strict=True):
        write_text(folder / f"{figure.name}.svg", f"{figure.chart}\n")
        (folder / f"{figure.name}.png").write_bytes(picture)
        if figure.rows:
            rows = [
                {f.name: getattr(row, f.name) for f in fields(row)} if is_dataclass(row) else row
                for row in figure.rows
            ]
            columns = _columns(rows)
            write_table(folder / f"{figure.name}.csv", figure.title, columns, rows)


def _columns(rows: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Return the columns of rows with the narrowest type that holds every value."""
    return tuple(
        Column(name, _datatype([row[name] for row in rows]), name.replace("_", " "))
        for name in rows[0]
    )


def _datatype(values: Sequence[Any]) -> str:
    known = [value for value in values if value is not None]
    kinds = (("boolean", bool), ("integer", int), ("number", (int, float)))
    return next(
        (name for name, kind in kinds if known and all(isinstance(v, kind) for v in known)),
        "number" if not known else "string",
    )
