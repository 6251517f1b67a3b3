"""A power calculation as files: power.json, its table, a curve, and a page of one section."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from areaeffect.document import marks, svg
from areaeffect.document.blocks import (
    Beside,
    Block,
    Bullets,
    Data,
    Document,
    Folded,
    Paragraph,
    Section,
    SectionPlace,
)
from areaeffect.document.chart_tables import Figure, Table, in_words, json_text, write_table, write_text
from areaeffect.document.folders import write_whole
from areaeffect.document.page import to_html
from areaeffect.document.svg import Frame, scaled
from areaeffect.power.calculation import PowerReport, PowerRow
from areaeffect.records import Column, DataTable, Json
from areaeffect.wording.numbers import PHRASES, fine_decimals, known, number, phrase, three_digits

POWER_FILE = "power.json"
PAGE_FILE = "power.html"
LETTER, LINE = 8.0, 13.0  # room that a digit of a chart takes, across and up
_TABLE_FILE = "data/power.csv"
_FOR_THE_FILE = frozenset({"family", "form", "as_planned", "deviation", "growth", "growth_is_fitted"})


def write_power(report: PowerReport, folder: Path) -> None:
    """Write a power calculation into a folder that appears whole or not at all."""

    def write(aside: Path) -> None:
        (aside / "data").mkdir()
        written = table(report)
        write_text(aside / POWER_FILE, json_text(as_values(report), indent=1))
        write_table(aside / _TABLE_FILE, written.title, written.columns, written.records())
        document = Document(
            title=report.title,
            kind="Power calculation",
            question="How small an effect could this study see?",
            sections=(power_section(report),),
            footer=PHRASES["page.footer"],
        )
        write_text(aside / PAGE_FILE, to_html(document, {"power": _TABLE_FILE}))

    write_whole(folder, write)


def power_section(report: PowerReport) -> Section:
    """Return what a study could see: sentences, curves by outcome, and every number."""
    drawn = tuple(
        power_figure(report, outcome)
        for outcome in dict.fromkeys(row.outcome for row in report.rows)
        if any(row.mde is not None for row in report.curve(outcome))
    )
    refused = tuple(_sentence(report, row) for row in report.real if row.mde is None)
    blocks: list[Block] = [Paragraph(PHRASES["power.lead"], lead=True)]
    blocks += [Data(_brief(report), "power")] if len(refused) < len(report.real) else []
    blocks += [Bullets(refused, PHRASES["power.refused"])] if refused else []
    if drawn:
        blocks.append(Beside((replace(drawn[0], note=PHRASES["power.read"]), *drawn[1:])))
    blocks.append(Bullets(tuple(warnings(report)), PHRASES["power.care"]))
    blocks.append(Folded(PHRASES["power.numbers"], (Data(in_words(table(report), _FOR_THE_FILE)),)))
    return Section("power", PHRASES["power.title"], tuple(blocks), place=SectionPlace.ANSWER)


def _brief(report: PowerReport) -> Table:
    """Return one row for each initiative and outcome: what it could see, and what it would take."""
    rows = [r for r in report.real if r.mde is not None]
    body = tuple(
        (
            row.group,
            row.label,
            f"{row.n:,}",
            _seen(row) + (" (extrapolated)" if row.basis == "extrapolated" else ""),
            _needed_words(report, row),
            "–" if row.p_little is None or row.threshold <= 0 else f"{row.p_little:.2f}",
        )
        for row in rows
    )
    head = tuple(PHRASES[f"power.head_{name}"] for name in ("who", "what", "places", "mde", "need", "little"))
    return Table(PHRASES["power.caption"], head, body, frozenset({2, 5}))


def power_figure(report: PowerReport, outcome: str) -> Figure:
    """Return the curve of one outcome with its table and rows."""
    label = next(row.label for row in report.rows if row.outcome == outcome)
    title, name = f"Smallest effect that would be seen: {label}", svg.key_of("power", outcome)
    rows = power_rows(report, outcome)
    planned = tuple(row for row in report.rows if row.outcome == outcome and row.as_planned)
    shown = in_words(table(replace(report, rows=planned)), _FOR_THE_FILE | {"outcome", "claim"})
    chart = power_chart(rows, key=name, title=title)
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
    n, foot = len(curve), 40.0 + 15.0 * (len(rows) - len(curve))
    frame = Frame(42, 34, svg.WIDTH - 60, 150, x=(min(x) - pad, max(x) + pad), y=(0.0, 1.15 * max(y)))
    axes = [
        svg.up_axis(frame, 4),
        svg.foot_axis(frame, *_ticks(curve, frame)),
        svg.text(frame.left + frame.width / 2, frame.bottom + 32, "neighbourhoods", anchor="middle"),
        svg.text(4, 14, f"smallest effect, {unit}", size=11.5, fill=svg.GREY),
        marks.line(frame, x[:n], y[:n], column="smallest_effect", colour=svg.BLUE, width=2),
        marks.dots(frame, x[:n], y[:n], colour=svg.BLUE),
    ]
    own: list[str] = []
    taken: list[tuple[float, float]] = []
    for i, (at, height, row) in enumerate(zip(x[n:], y[n:], rows[n:], strict=True), 1):
        place = (frame.px(at), frame.py(height) - 8)
        while any(abs(place[0] - px) < LETTER and abs(place[1] - py) < LINE for px, py in taken):
            place = (place[0], place[1] - 2)
        taken.append(place)
        own.append(marks.diamond(frame, at, height, marks.up("smallest_effect"), colour=svg.PLUM))
        own.append(svg.with_halo(svg.text(*place, str(i), size=11.5, fill=svg.PLUM, anchor="middle"), 3))
        size = f"{three_digits(height)}{unit if unit == '%' else ''}"
        words = svg.cut(f"{i}: {row.group}", 50 - len(size)) + f", {size}"
        own.append(svg.text(4, frame.bottom + 35 + 15 * i, words, size=11.5, fill=svg.PLUM))
    said = "; ".join(
        f"{row.neighbourhoods} neighbourhoods: {three_digits(row.smallest_effect)} {unit}" for row in curve
    )
    body = frame.group(axes, (0, n)) + "\n" + frame.group(own, (n, len(rows)))
    view = f"0 0 {svg.WIDTH:g} {frame.bottom + foot:g}"
    return svg.accessible(body, view, key, title, f"{title}. {said}.")


def _ticks(curve: Sequence[PowerPoint], frame: Frame) -> tuple[list[float], list[str]]:
    """Return the numbers of neighbourhoods that the axis names, as many as do not touch."""
    values: list[float] = []
    names: list[str] = []
    for row in curve:
        at, name = math.log10(row.neighbourhoods), f"{row.neighbourhoods:,}"
        apart = 4 + LETTER / 2 * (len(name) + len(names[-1] if names else ""))
        if not values or frame.px(at) - frame.px(values[-1]) >= apart:
            values, names = [*values, at], [*names, name]
    return values, names


#: The effects on a ratio for which the number of neighbourhoods needed is printed.
TARGETS = (0.2, 0.1)


def sentences(report: PowerReport) -> list[str]:
    """Say for each initiative and outcome what it could see, and what it would take to see more."""
    return [_sentence(report, row) for row in report.real]


def _sentence(report: PowerReport, row: PowerRow) -> str:
    if row.mde is None:
        why = PHRASES["conclude.too_few"]
        if not report.measured and row.claim == "change":
            unit = _steps(report, report.history)
            why = phrase("power.history_holds", history=report.history, unit=unit)
        return f"{row.group}, {row.label}: not estimable, because {why}."
    said = f"{row.group}, {row.label}: with "
    said += "this 1 neighbourhood" if row.n == 1 else f"these {row.n} neighbourhoods"
    if row.years is not None:
        length = f"{row.years:.1f}".removesuffix(".0")
        said += f", followed for {length} {_steps(report, row.years)} on average,"
    said += f" you would see {_seen(row)} or more"
    said += " (extrapolated)" if row.basis == "extrapolated" else ""
    if row.p_little is not None and row.threshold > 0:
        sure = f"{row.p_little:.2f}"
        little = phrase("power.if_nothing", threshold=_size(row.threshold, row), p_little=sure)
    else:
        little = ""
    return f"{said}; {_needed_words(report, row)}{little}."


def in_brief(report: PowerReport) -> list[str]:
    """Say for each initiative and outcome the smallest effect alone, and the draws behind it."""
    said = []
    for row in report.real:
        far = ", extrapolated to the whole follow-up" if row.basis == "extrapolated" else ""
        drawn = f"{row.draws} placebo programmes before the start{far}"
        brief = f"{row.group}, {row.label}: {_seen(row)} or more ({drawn})"
        said.append(_sentence(report, row) if row.mde is None else brief)
    return said


def _needed_words(report: PowerReport, row: PowerRow) -> str:
    said = [_needed_for(report, row, t) for t in (TARGETS if row.form == "ratio" else (row.threshold,))]
    return ", ".join([said[0], *(text.replace(" are needed", "") for text in said[1:])])


def _needed_for(report: PowerReport, row: PowerRow, target: float) -> str:
    need, beyond = needed(report.curve(row.outcome), target)
    goal = f"to see {_size(target, row)}"
    if need is None:
        return f"how many are needed {goal} is not known"
    if need <= 1:
        return f"one neighbourhood is enough {goal}"
    return f"about {need} are needed {goal}" + (" (more than were drawn)" if beyond else "")


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
    steps, left = _steps(report, report.history), report.history - report.measured
    if not report.measured:
        found.append(phrase("power.history_holds_whole", history=report.history, steps=steps))
    else:
        found.append(
            phrase(
                "power.measured_starts",
                measured=report.measured,
                unit=_steps(report, report.measured),
                left=f"{left} {_steps(report, left)}",
                history=report.history,
            )
        )
    if 0 < report.measured < report.planned:
        rows = [r for r in report.rows if r.basis == "extrapolated"]
        fitted = {r.growth_is_fitted for r in rows}
        rule = PHRASES["power.power_fitted" if fitted == {True} else "power.power_found"]
        found.append(
            phrase(
                "power.follow_up", measured=report.measured, unit=_steps(report, report.measured), rule=rule
            )
        )
    if report.rises_from is not None:
        found.append(phrase("power.rises", n=report.rises_from))
    if report.left_out:
        found.append(phrase("power.pool_holds", counts=", ".join(map(str, report.left_out))))
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


def _seen(row: PowerRow) -> str:
    """Return what would be seen, such as 'a fall of 22%'."""
    move = "a fall" if row.better == "lower" else "a rise"
    return f"{'a difference' if row.claim == 'level' else move} of {_size(row.mde or 0.0, row)}"


def _size(value: float, row: PowerRow) -> str:
    if row.form == "ratio":
        return number(abs(value), row.form, 0 if abs(value) >= TARGETS[-1] else 1)
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
