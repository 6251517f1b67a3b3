"""A power calculation as files: power.json, its table, a curve, and a page of one section."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from areaeffect.report import svg
from areaeffect.report.axes import plain, scaled
from areaeffect.report.chart_tables import Figure
from areaeffect.report.csv_files import json_text, rounded_number, write_table, write_text
from areaeffect.report.data_words import in_words
from areaeffect.report.document import Bullets, Data, Document, Folded, Paragraph, Place, Section
from areaeffect.report.files import write_whole
from areaeffect.report.page import to_html
from areaeffect.report.power_text import sentences, table, warnings

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.report.power_text import PowerReport, PowerRow
    from areaeffect.results import DataTable

POWER_FILE = "power.json"
PAGE_FILE = "power.html"
WIDTH, HEIGHT = 680.0, 300.0
_TABLE_FILE = "data/power.csv"


def write_power(report: PowerReport, folder: Path) -> None:
    """Write a power calculation into a folder that appears whole or not at all."""
    write_whole(folder, lambda aside: _write(report, aside), POWER_FILE)


def _write(report: PowerReport, folder: Path) -> None:
    rows = tuple(_rounded(row) for row in report.rows)
    report = replace(report, rows=rows)
    (folder / "data").mkdir()
    written = table(report)
    write_text(folder / POWER_FILE, json_text(report.to_dict(), indent=1))
    write_table(folder / _TABLE_FILE, written.title, written.columns, written.records())
    document = Document(
        title=report.title,
        kind="Power calculation",
        question="How small an effect could this study see?",
        language="en-GB",
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
        Figure(
            power_chart(report, outcome),
            f"Smallest effect that would be seen: {_label(report, outcome)}",
            in_words(_curve_table(report, written, outcome)),
            "power",
        )
        for outcome in dict.fromkeys(row.outcome for row in report.rows)
        if any(row.mde is not None for row in report.curve(outcome))
    ]
    blocks.append(Bullets(tuple(warnings(report)), "What to bear in mind"))
    blocks.append(Folded("Every number of neighbourhoods and length", (Data(in_words(written)),)))
    title = "What this study could see"
    return Section("power", title, tuple(blocks), place=Place.ANSWER)


def power_chart(report: PowerReport, outcome: str) -> str:
    """Draw the smallest effect against the number of neighbourhoods, both on log scales."""
    rows = [row for row in report.curve(outcome) if row.mde is not None]
    real = [r for r in report.real if r.outcome == outcome and r.mde is not None]
    unit = "%" if rows[0].form == "ratio" else "outcome's units"
    title = f"Smallest effect that would be seen: {rows[0].label}"
    with svg.canvas(WIDTH, HEIGHT) as figure:
        axes = figure.add_axes((0.1, 0.17, 0.86, 0.78))
        x, y = [r.n for r in rows], [_height(r) for r in rows]
        axes.plot(x, y, color=svg.BLUE, lw=2, marker="o", ms=5, mec="white")
        for row in real:
            axes.plot([row.n], [_height(row)], color=svg.PLUM, marker="D", ms=8, mec="white")
            axes.annotate(
                f"{row.group}: {_height(row):.3g}{unit if unit == '%' else ''}",
                (row.n, _height(row)), xytext=(8, 8), textcoords="offset points",
                color=svg.PLUM, fontsize=11.5,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xticks(x, [str(n) for n in x], minor=False)
        axes.set_xticks([], minor=True)
        axes.set_ylim(0, 1.15 * max([*y, *(_height(r) for r in real)]))
        axes.set_xlabel("neighbourhoods")
        axes.set_ylabel(f"smallest effect, {unit}")
        plain(axes, "y")
        words = "; ".join(f"{n} neighbourhoods: {v:.3g} {unit}" for n, v in zip(x, y, strict=True))
        return svg.to_svg(figure, svg.key_of("power", outcome), title, f"{title}. {words}.")


def _height(row: PowerRow) -> float:
    return abs(scaled(row.mde, row.form) or 0.0)


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
