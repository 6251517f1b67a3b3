"""The section 'Does it hold?': every attempt to break the findings, and what came of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from areaeffect import wording
from areaeffect.checks.base import Checked, CheckStatus, CheckSummary, summary
from areaeffect.checks.registry import CHECKS
from areaeffect.document import marks, svg
from areaeffect.document.blocks import Block, Data, Folded, Paragraph, Section
from areaeffect.document.chart_tables import Figure, Table, in_words
from areaeffect.document.svg import Frame, cut, key_of, printed, scaled
from areaeffect.records import DataTable, rows_of
from areaeffect.results import ALL_INITIATIVES, Annex, AreaStatus, Finding, Result
from areaeffect.wording.numbers import PHRASES, phrase, plural

SYMBOLS = {
    CheckStatus.WARNS: "▲",
    CheckStatus.INFORMATION: "○",
    CheckStatus.HOLDS: "●",
    CheckStatus.NOT_ESTIMABLE: "–",
}
_COUNTED = {
    CheckStatus.HOLDS: "hold",
    CheckStatus.WARNS: "warn",
    CheckStatus.INFORMATION: "information",
    CheckStatus.NOT_ESTIMABLE: "none",
}
ROWS_SHOWN = 40
WARNINGS_SHOWN = 3  # of one check: more say much the same


def checks_section(result: Result, annex: Annex[Checked]) -> Section:
    """Print every check: its question, its answer in one sentence, its numbers."""
    checks = tuple(_by_name(c, result.areas) for c in annex.found.checks)
    count = Counter(c.status for c in checks)
    parts = [
        phrase(f"checks.{key}_{'one' if count[status] == 1 else 'many'}", n=count[status])
        for status, key in _COUNTED.items()
        if count[status]
    ]
    text = phrase(
        "checks.counts", checks=plural(len(checks), "check"), parts=wording.listed(parts or ["none"])
    )
    overview = Table(
        "Attempts to break the findings",
        ("Check", "What it asks", "Result", "In words"),
        tuple((c.title, c.question, _marked(c.status), summary(c, example=False)) for c in checks),
    )
    tried = tuple(
        _part(result, check, table)
        for check, table in zip(checks, annex.tables, strict=True)
        if check.status is not CheckStatus.NOT_ESTIMABLE
    )
    blocks: list[Block] = [Paragraph(text), Paragraph(PHRASES["checks.lead"]), Data(overview)]
    warned = _warnings(checks)
    blocks += [Data(warned)] if warned.rows else []
    return Section("does-it-hold", PHRASES["checks.title"], (*blocks, *tried))


def _by_name(check: CheckSummary, areas: Iterable[AreaStatus]) -> CheckSummary:
    """Return a check whose sentences call areas by their names, which people know."""
    names = {a.area: a.name for a in areas if a.name}

    def called(text: str) -> str:
        return re.sub(r"\b[A-Z]\w{5,}\b", lambda m: names.get(m[0], m[0]), text)

    return replace(check, findings=tuple(replace(f, reason=called(f.reason)) for f in check.findings))


def _warnings(checks: Sequence[CheckSummary]) -> Table:
    """Return what each check that warns says, once for all findings that it says the same of."""
    rows: dict[tuple[str, str], list[str]] = {}
    for check in checks:
        for f in check.findings:
            if f.status is CheckStatus.WARNS:
                whose = f"{f.label} ({wording.group_title(f.group)})"
                rows.setdefault((check.title, f.reason), []).append(whose)
    body: list[tuple[str, str, str]] = []
    for title, group in groupby(rows.items(), key=lambda item: item[0][0]):
        own = list(group)
        body += [(title, "; ".join(whose), reason) for (_, reason), whose in own[:WARNINGS_SHOWN]]
        more = sum(len(whose) for _, whose in own[WARNINGS_SHOWN:])
        body += [(title, "", phrase("checks.more", n=more))] if more else []
    return Table("Findings that a check warns of", ("Check", "Findings", "Why"), tuple(body))


def _marked(status: CheckStatus) -> str:
    return f"{SYMBOLS[status]} {status}"


def _part(result: Result, check: CheckSummary, table: DataTable) -> Folded:
    """Return one check in full, which print leaves out: the tables before it have its answer."""
    figure = _figure(result, check, table)
    answers = Table(
        f"{check.title}: each finding",
        ("Finding", "Group", "Result", "In words"),
        tuple((f.label, wording.group_title(f.group), _marked(f.status), f.reason) for f in check.findings),
    )
    blocks: tuple[Block, ...] = (
        Paragraph(check.question),
        Paragraph(summary(check)),
        *([figure] if figure is not None else []),
        Data(answers),
        *([Data(_first_rows(table), table.name)] if table.rows else []),
    )
    return Folded(f"{_marked(check.status)}: {check.title}", blocks, in_print="")


def _first_rows(table: DataTable) -> Table:
    words = in_words(table)
    if len(words.rows) <= ROWS_SHOWN:
        return words
    caption = f"{words.caption} (the first {ROWS_SHOWN} of {len(words.rows):,} rows; the file has all)"
    return Table(caption, words.head, words.rows[:ROWS_SHOWN], words.numeric)


def _figure(result: Result, check: CheckSummary, table: DataTable) -> Figure | None:
    known = next((c for c in CHECKS if c.name == check.name), None)
    if known is None or known.drawn is None:
        return None
    shown = known.drawn
    keeps = shown.keeps or (lambda row: row.estimate is not None)
    drawn: dict[tuple[str, str], list[Any]] = {}
    for (of, outcome, *_), row in zip(table.rows, rows_of(table, known.row), strict=True):
        if keeps(row):
            drawn.setdefault((str(of), str(outcome)), []).append(row)
    groups = dict.fromkeys(group for group, _ in drawn)
    if not groups:
        return None
    group = ALL_INITIATIVES if ALL_INITIATIVES in groups else next(iter(groups))
    findings = {
        f.outcome: f for f in reversed(result.findings) if f.group == group and f.neighbourhood is None
    }
    rows = [
        row
        for (of, outcome), own in drawn.items()
        if of == group
        for row in interval_rows(findings[outcome], own, shown.name)
    ]
    title = f"{check.title}: {wording.group_title(group)}"
    key = key_of(check.name)
    chart = interval_chart(rows, key=key_of("chart", check.name), title=title, along=known.words("along"))
    note = PHRASES[f"check.read_{'drift' if known.name == 'leads' else 'placebo'}"]
    return Figure(
        chart=chart,
        title=title,
        table=_table_of(table, group),
        data=table.name,
        note=note,
        name=key,
        rows=tuple(rows),
    )


def _table_of(table: DataTable, group: str) -> Table:
    """Return the rows that a chart shows."""
    words = in_words(table)
    rows = tuple(row for row in words.rows if row[0] == group)
    return Table("What the chart shows", words.head, rows, words.numeric)


_PANEL, _HEAD, _FOOT = 92.0, 26.0, 40.0
_LETTERS = 40  # along one axis; where names need more, the table has them
_LEFT = 44.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRow:
    """One effect of one outcome in a chart, in print units, with the finding it belongs to."""

    outcome: str
    label: str
    form: str
    unit: str
    name: str
    estimate: float | None
    low: float | None
    high: float | None
    finding: float | None


def interval_rows(finding: Finding, rows: Iterable[Any], name: Callable[[Any], str]) -> list[IntervalRow]:
    """Return one row an effect of one outcome, in print units.

    Parameters
    ----------
    finding : what the effects belong to.
    rows : of a check, with `estimate`, `low` and `high`.
    name : what an effect is called.
    """
    form = finding.form
    return [
        IntervalRow(
            outcome=finding.outcome,
            label=wording.name_of(finding),
            form=form,
            unit="%" if form == "ratio" else finding.unit,
            name=name(row),
            estimate=scaled(row.estimate, form),
            low=scaled(row.low, form),
            high=scaled(row.high, form),
            finding=scaled(finding.estimate, form),
        )
        for row in rows
    ]


def interval_chart(rows: Sequence[IntervalRow], *, key: str, title: str, along: str) -> str:
    """Draw the effects of every outcome from left to right, one outcome below the other.

    Parameters
    ----------
    rows : as `interval_rows` gives them, outcome by outcome.
    key, title : of the chart.
    along : what goes from left to right.
    """
    body, first, number = [], 0, 0
    for _, group in groupby(rows, key=lambda row: row.outcome):
        own = list(group)
        top = number * (_PANEL + _HEAD + _FOOT) + _HEAD
        body.append(_panel(own, first, (_LEFT, top, svg.WIDTH - _LEFT - 16, _PANEL), along))
        first, number = first + len(own), number + 1
    height = number * (_PANEL + _HEAD + _FOOT)
    text = "\n".join(body)
    return svg.accessible(text, f"0 0 {svg.WIDTH:g} {height:g}", key, title, describe(rows))


def _panel(
    rows: Sequence[IntervalRow], first: int, box: tuple[float, float, float, float], along: str
) -> str:
    own = rows[0].finding
    ends = [n for row in rows for n in (row.estimate, row.low, row.high) if n is not None]
    reach = [*ends, 0.0, *([] if own is None else [own])]
    pad = 0.06 * (max(reach) - min(reach) or 1.0)
    frame = Frame(*box, x=(-0.6, len(rows) - 0.4), y=(min(reach) - pad, max(reach) + pad))
    zero = frame.py(0.0)
    names = [row.name for row in rows]
    if len(names) * max(map(len, names)) > _LETTERS:
        names = []
    unit = cut(rows[0].unit, 20)
    heading = f"{cut(rows[0].label, 50 - len(unit))}, {unit}"
    parts = [
        svg.up_axis(frame, 3),
        svg.rule(frame.left, zero, frame.right, zero, svg.GREY),
        svg.foot_axis(frame, list(range(len(names))), names),
        svg.text(4, frame.top - 9, heading, size=11.5, bold=True),
    ]
    foot = frame.bottom + (31 if names else 15)
    middle = frame.left + frame.width / 2
    parts.append(svg.text(middle, foot, along, size=11.5, anchor="middle"))
    if own is not None:
        y = frame.py(own)
        parts.append(svg.rule(frame.left, y, frame.right, y, svg.TEAL, 1.6, "6 3"))
    for x, row in enumerate(rows):
        clear = leaves_zero_out(row)
        colour, mark = (svg.ORANGE, marks.diamond) if clear else (svg.BLUE, marks.dot)
        name = marks.up("low", "high")
        parts.append(marks.interval(frame, x, (row.low, row.high), name, colour=colour, width=2.2))
        parts.append(mark(frame, x, row.estimate, marks.up("estimate"), colour=colour))
    return frame.group(parts, (first, first + len(rows)))


def leaves_zero_out(row: IntervalRow) -> bool:
    """Say whether zero lies outside the interval of a row."""
    return (row.low or 0.0) > 0 or (row.high or 0.0) < 0


def describe(rows: Sequence[IntervalRow]) -> str:
    """Say in words what a chart shows."""
    parts = []
    for _, group in groupby(rows, key=lambda row: row.outcome):
        own = list(group)
        known = [row.estimate for row in own if row.estimate is not None]
        clear = sum(leaves_zero_out(row) for row in own)
        what = f"{len(own)} intervals, {clear} of them leave zero out"
        if known:
            ends = [printed(end(known), own[0].form) for end in (min, max)]
            what = f"{len(own)} effects from {ends[0]} to {ends[1]}, {clear} with an interval that "
            what += "leaves zero out"
        parts.append(f"{own[0].label}: {what}")
    return "; ".join(parts) + "."
