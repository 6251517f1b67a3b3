"""A power calculation as files: power.json, its table, a curve, and a page of one section."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from areaeffect.document import marks, plot, svg
from areaeffect.document.axes import scaled
from areaeffect.document.blocks import Bullets, Data, Document, Folded, Paragraph, Place, Section
from areaeffect.document.chart_tables import Figure
from areaeffect.document.csv_files import json_text, rounded_number, write_table, write_text
from areaeffect.document.data_words import in_words
from areaeffect.document.folders import write_whole
from areaeffect.document.page import to_html
from areaeffect.document.plot import Frame
from areaeffect.power.words import as_values, sentences, table, warnings
from areaeffect.wording.numbers import three_digits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from areaeffect.power.result import PowerReport, PowerRow
    from areaeffect.results import DataTable

POWER_FILE = "power.json"
PAGE_FILE = "power.html"
WIDTH, HEIGHT = 680.0, 300.0
_TABLE_FILE = "data/power.csv"


def write_power(report: PowerReport, folder: Path) -> None:
    """Write a power calculation into a folder that appears whole or not at all."""
    write_whole(folder, lambda aside: _write(report, aside))


def power_values(report: PowerReport) -> dict[str, Any]:
    """Return a power calculation as plain JSON values, numbers at 12 digits."""
    return as_values(replace(report, rows=tuple(_rounded(row) for row in report.rows)))


def _write(report: PowerReport, folder: Path) -> None:
    report = replace(report, rows=tuple(_rounded(row) for row in report.rows))
    (folder / "data").mkdir()
    written = table(report)
    write_text(folder / POWER_FILE, json_text(as_values(report), indent=1))
    write_table(folder / _TABLE_FILE, written.title, written.columns, written.records())
    document = Document(
        title=report.title,
        kind="Power calculation",
        question="How small an effect could this study see?",
        sections=(power_section(report),),
        footer="Made by areaeffect. Every number above is in the files beside this page.",
    )
    write_text(folder / PAGE_FILE, to_html(document, {"power": _TABLE_FILE}))


def _rounded(row: PowerRow) -> PowerRow:
    names = ("years", "mde", "deviation", "p_little", "growth")
    return replace(row, **{name: rounded_number(getattr(row, name)) for name in names})


def power_section(report: PowerReport) -> Section:
    """Return what a study could see: sentences, curves by outcome, and every number."""
    written = table(report)
    blocks: list[Any] = [Paragraph(text, lead=i == 0) for i, text in enumerate(sentences(report))]
    blocks += [
        power_figure(report, outcome)
        for outcome in dict.fromkeys(row.outcome for row in report.rows)
        if any(row.mde is not None for row in report.curve(outcome))
    ]
    blocks.append(Bullets(tuple(warnings(report)), "What to bear in mind"))
    blocks.append(Folded("Every number of neighbourhoods and length", (Data(in_words(written)),)))
    title = "What this study could see"
    return Section("power", title, tuple(blocks), place=Place.ANSWER)


def power_figure(report: PowerReport, outcome: str) -> Figure:
    """Return the curve of one outcome with its table and rows."""
    label = _label(report, outcome)
    title = f"Smallest effect that would be seen: {label}"
    rows = power_rows(report, outcome)
    chart = power_chart(rows, key=svg.key_of("power", outcome), title=title)
    shown = in_words(_curve_table(report, table(report), outcome))
    name = svg.key_of("power", outcome)
    return Figure(
        chart=chart, title=title, table=shown, data="power", note="", name=name, rows=tuple(rows)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerPoint:
    """A point of the curve, or of one of the study's own groups, in print units."""

    group: str
    neighbourhoods: int
    smallest_effect: float
    unit: str


def power_rows(report: PowerReport, outcome: str) -> list[PowerPoint]:
    """Return the rows drawn: the curve, then the study's own groups, in print units."""
    curve = [("", row) for row in report.curve(outcome)]
    own = [(row.group, row) for row in report.real if row.outcome == outcome]
    return [
        PowerPoint(
            group=group,
            neighbourhoods=row.n,
            smallest_effect=abs(size),
            unit="%" if row.form == "ratio" else "outcome's units",
        )
        for group, row in [*curve, *own]
        if (size := scaled(row.mde, row.form)) is not None
    ]


def power_chart(rows: Sequence[PowerPoint], *, key: str, title: str) -> str:
    """Draw the smallest effect against the number of neighbourhoods, which is on a log scale."""
    curve = [row for row in rows if not row.group]
    x = [math.log10(row.neighbourhoods) for row in rows]
    y = [row.smallest_effect for row in rows]
    unit = rows[0].unit
    pad = 0.06 * (max(x) - min(x) or 1.0)
    frame = Frame(
        62, 34, WIDTH - 88, HEIGHT - 84, (min(x) - pad, max(x) + pad), (0.0, 1.15 * max(y))
    )
    n = len(curve)
    name = marks.up("smallest_effect")
    axes = [
        plot.up_axis(frame),
        plot.foot_axis(frame, x[:n], [f"{row.neighbourhoods}" for row in curve]),
        plot.text(frame.left + frame.width / 2, HEIGHT - 8, "neighbourhoods", anchor="middle"),
        plot.text(6, 18, f"smallest effect, {unit}"),
        marks.line(frame, x[:n], y[:n], column="smallest_effect", colour=svg.BLUE, width=2),
        marks.dots(frame, x[:n], y[:n], colour=svg.BLUE),
    ]
    own = []
    for at, height, row in zip(x[n:], y[n:], rows[n:], strict=True):
        own.append(marks.diamond(frame, at, height, name, colour=svg.PLUM))
        words = f"{row.group}: {three_digits(height)}{unit if unit == '%' else ''}"
        place = (frame.px(at) + 9, frame.py(height) - 9)
        late = at > frame.x[0] + 0.7 * (frame.x[1] - frame.x[0])
        own.append(
            plot.text(
                place[0] - (18 if late else 0),
                place[1],
                words,
                size=11.5,
                fill=svg.PLUM,
                anchor="end" if late else "start",
            )
        )
    said = "; ".join(
        f"{row.neighbourhoods} neighbourhoods: {three_digits(row.smallest_effect)} {unit}"
        for row in curve
    )
    body = frame.group(axes, (0, n)) + "\n" + frame.group(own, (n, len(rows)))
    return svg.accessible(body, f"0 0 {WIDTH:g} {HEIGHT:g}", key, title, f"{title}. {said}.")


def _label(report: PowerReport, outcome: str) -> str:
    return next(row.label for row in report.rows if row.outcome == outcome)


def _curve_table(report: PowerReport, written: DataTable, outcome: str) -> DataTable:
    planned = [
        cells
        for row, cells in zip(report.rows, written.rows, strict=True)
        if row.outcome == outcome and row.as_planned
    ]
    kept = ("group", "neighbourhoods", "follow_up", "basis", "smallest_effect",
            "p_little_difference", "placebos")  # fmt: skip
    places = [i for i, c in enumerate(written.columns) if c.name in kept]
    return replace(
        written,
        columns=tuple(written.columns[i] for i in places),
        rows=tuple(tuple(cells[i] for i in places) for cells in planned),
    )
