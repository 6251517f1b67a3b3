"""A power calculation as files: power.json, its table, a curve, and a page of one section."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from areaeffect.document import marks, svg
from areaeffect.document.blocks import Bullets, Data, Document, Folded, Paragraph, Place, Section
from areaeffect.document.chart_tables import (
    Figure,
    in_words,
    json_text,
    rounded_number,
    write_table,
    write_text,
)
from areaeffect.document.folders import write_whole
from areaeffect.document.page import to_html
from areaeffect.document.svg import Frame, scaled
from areaeffect.power.result import PowerReport, PowerRow
from areaeffect.records import Column, DataTable, Json
from areaeffect.wording.numbers import fine_decimals, known, number, three_digits

POWER_FILE = "power.json"
PAGE_FILE = "power.html"
WIDTH, HEIGHT = 680.0, 300.0
_TABLE_FILE = "data/power.csv"


def write_power(report: PowerReport, folder: Path) -> None:
    """Write a power calculation into a folder that appears whole or not at all."""
    write_whole(folder, lambda aside: _write(report, aside))


def power_values(report: PowerReport) -> Json:
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
    return Figure(chart=chart, title=title, table=shown, data="power", note="", name=name, rows=tuple(rows))


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
    frame = Frame(62, 34, WIDTH - 88, HEIGHT - 84, (min(x) - pad, max(x) + pad), (0.0, 1.15 * max(y)))
    n = len(curve)
    name = marks.up("smallest_effect")
    axes = [
        svg.up_axis(frame),
        svg.foot_axis(frame, x[:n], [f"{row.neighbourhoods}" for row in curve]),
        svg.text(frame.left + frame.width / 2, HEIGHT - 8, "neighbourhoods", anchor="middle"),
        svg.text(6, 18, f"smallest effect, {unit}"),
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
            svg.text(
                place[0] - (18 if late else 0),
                place[1],
                words,
                size=11.5,
                fill=svg.PLUM,
                anchor="end" if late else "start",
            )
        )
    said = "; ".join(
        f"{row.neighbourhoods} neighbourhoods: {three_digits(row.smallest_effect)} {unit}" for row in curve
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


#: The effect on a ratio for which the number of neighbourhoods needed is printed.
TARGET = 0.1


def sentences(report: PowerReport) -> list[str]:
    """Say for each initiative and outcome what it could see, and what it would take to see more."""
    return [_sentence(report, row) for row in report.real]


def _sentence(report: PowerReport, row: PowerRow) -> str:
    places = "this 1 neighbourhood" if row.n == 1 else f"these {row.n} neighbourhoods"
    if row.mde is None:
        why = (
            f"the history holds only {report.history} whole {_steps(report, report.history)} "
            "before the start, too little to try the design on"
            if not report.measured and row.claim == "change"
            else "too few placebo programmes could be drawn from the pool"
        )
        return f"{row.group}, {row.label}: not estimable, because {why}."
    what = "a difference" if row.claim == "level" else _move(row.better)
    said = (
        f"{row.group}, {row.label}: with {places}{_followed(report, row)} you would see {what} "
        f"of {_size(row.mde, row)} or more"
    )
    said += " (extrapolated)" if row.basis == "extrapolated" else ""
    return f"{said}; {_needed_words(report, row)}{_little_words(row)}."


def in_brief(report: PowerReport) -> list[str]:
    """Say for each initiative and outcome the smallest effect alone, and the draws behind it."""
    said = []
    for row in report.real:
        if row.mde is None:
            said.append(_sentence(report, row))
            continue
        what = "a difference" if row.claim == "level" else _move(row.better)
        drawn = f"{row.draws} placebo programmes before the start"
        far = ", extrapolated to the whole follow-up" if row.basis == "extrapolated" else ""
        said.append(f"{row.group}, {row.label}: {what} of {_size(row.mde, row)} or more ({drawn}{far})")
    return said


def _followed(report: PowerReport, row: PowerRow) -> str:
    if row.years is None:
        return ""
    length = f"{row.years:.1f}".removesuffix(".0")
    return f", followed for {length} {_steps(report, row.years)} on average,"


def _needed_words(report: PowerReport, row: PowerRow) -> str:
    target = TARGET if row.form == "ratio" else row.threshold
    need, beyond = needed(report.curve(row.outcome), target)
    goal = f"to see {_size(target, row)}"
    if need is None:
        return f"how many it takes {goal} cannot be said"
    if need <= 1:
        return f"{goal} one neighbourhood is enough"
    return f"{goal} you need about {need}" + (" (beyond what was drawn)" if beyond else "")


def _little_words(row: PowerRow) -> str:
    if row.p_little is None or row.threshold <= 0:
        return ""
    return (
        f"; if nothing had changed, the verdict would be 'little difference' (within "
        f"{_size(row.threshold, row)}) with probability {row.p_little:.2f}"
    )


def needed(curve: Sequence[PowerRow], target: float) -> tuple[int | None, bool]:
    """Return how many neighbourhoods see an effect of the target's size, and if extrapolated.

    Between the curve's points by straight lines on logarithms of both; beyond the last by
    1 / sqrt(n), the law of independent places.
    """
    known_rows = [(r.n, abs(r.mde)) for r in curve if r.mde is not None and known(r.mde)]
    if not known_rows or target <= 0:
        return None, False
    n = np.log([k for k, _ in known_rows])
    mde = np.minimum.accumulate(np.log([m for _, m in known_rows]))
    goal = np.log(target)
    if mde[0] <= goal:
        return int(known_rows[0][0]), False
    if mde[-1] > goal:
        return int(np.ceil(np.exp(n[-1] + 2 * (mde[-1] - goal)) - 1e-9)), True
    return int(np.ceil(np.exp(np.interp(-goal, -mde, n)) - 1e-9)), False


def warnings(report: PowerReport) -> list[str]:
    """Say what the numbers do not rest on."""
    found = [f"Cannot be estimated: {text}" for text in report.refused]
    steps = _steps(report, report.history)
    if not report.measured:
        found.append(
            f"The history holds {report.history} whole {steps} before the first start: too short "
            "to try the design on an earlier start, so no change can be judged beforehand."
        )
    else:
        found.append(
            f"Measured with starts moved {report.measured} {_steps(report, report.measured)} back, "
            f"so by designs with {report.history - report.measured} {steps} of history where the "
            f"study has {report.history}: a longer history sees no less, as a rule."
        )
    if 0 < report.measured < report.planned:
        rows = [r for r in report.rows if r.basis == "extrapolated"]
        fitted = {r.growth_is_fitted for r in rows}
        rule = (
            "by a power fitted on the lengths that fit" if fitted == {True}
            else "by the power 0.37 found on London, since one length fits only"
        )  # fmt: skip
        found.append(
            f"Follow-up of more than {report.measured} {_steps(report, report.measured)} does not "
            f"fit before the start: it is extrapolated, the deviation growing with length {rule}."
        )
    if report.left_out:
        counts = ", ".join(str(n) for n in report.left_out)
        found.append(f"The pool holds too few placebo programmes of {counts} neighbourhoods.")
    return found


def table(report: PowerReport) -> DataTable:
    """Return every row, as written."""
    columns = (
        Column("outcome", "string", "short name of the outcome"),
        Column("family", "string", "family of the outcome"),
        Column("claim", "string", "change or level"),
        Column("form", "string", "ratio: fractions; additive: the outcome's unit"),
        Column("group", "string", "initiative whose own neighbourhoods these are; empty: curve"),
        Column("neighbourhoods", "integer", "number of neighbourhoods"),
        Column("follow_up", "number", f"length of follow-up ({report.step}s); empty for a level"),
        Column("as_planned", "boolean", "each place followed as long as the study follows it"),
        Column("basis", "string", "measured, extrapolated or not estimable"),
        Column("smallest_effect", "number", "seen in 80% of studies at 5%, signed"),
        Column("deviation", "number", "standard deviation of placebo effects (log for ratios)"),
        Column("p_little_difference", "number", "probability of that verdict without a change"),
        Column("placebos", "integer", "placebo programmes behind the row"),
        Column("growth", "number", "power by which the deviation grows with the follow-up"),
        Column("growth_is_fitted", "boolean", "fitted here, or assumed"),
    )
    rows = tuple(
        (
            r.outcome, r.family, r.claim, r.form, r.group, r.n, r.years, r.as_planned, r.basis,
            r.mde, r.deviation, r.p_little, r.draws, r.growth, r.growth_is_fitted,
        )
        for r in report.rows
    )  # fmt: skip
    return DataTable("power", "Smallest effects that would be seen", columns, rows)


def _move(better: str) -> str:
    return "a fall" if better == "lower" else "a rise"


def _size(value: float, row: PowerRow) -> str:
    if row.form == "ratio":
        return number(abs(value), row.form, 0 if abs(value) >= TARGET else 1)
    sizes = [x for x in (row.threshold, abs(value)) if x > 0]
    return number(abs(value), row.form, fine_decimals(min(sizes, default=1.0)))


def _steps(report: PowerReport, n: float) -> str:
    """Name the steps: years, a table's own periods, or steps of several of them."""
    if report.step in ("year", "period"):
        return report.step if n == 1 else f"{report.step}s"
    return f"step{'' if n == 1 else 's'} of {report.step}"


def as_values(report: PowerReport) -> Json:
    """Return a power calculation as plain JSON values, its sentences with it."""
    return asdict(report) | {"sentences": sentences(report), "warnings": warnings(report)}


def as_text(report: PowerReport) -> str:
    """Return a power calculation as lines to read."""
    lines = [f"{report.title}: what this study could see.", ""]
    lines += [f"  {s}" for s in sentences(report)]
    if warnings(report):
        lines += ["", "Look at:", *(f"  {w}" for w in warnings(report))]
    return "\n".join(lines)
