"""The section 'Does it hold?': every attempt to break the findings, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from areaeffect import wording
from areaeffect.checks.base import Status, summary
from areaeffect.checks.registry import CHECKS
from areaeffect.document import marks, plot, svg
from areaeffect.document.blocks import Block, Data, Folded, Paragraph, Section
from areaeffect.document.chart_tables import Figure, Table, in_words
from areaeffect.document.plot import Frame
from areaeffect.document.svg import cut, key_of, printed, scaled
from areaeffect.records import rows_of
from areaeffect.results import ALL_INITIATIVES
from areaeffect.wording.numbers import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from areaeffect.checks.base import Checked, CheckSummary
    from areaeffect.results import Annex, DataTable, Finding, Result

SYMBOLS = {
    Status.WARNS: "▲",
    Status.INFORMATION: "○",
    Status.HOLDS: "●",
    Status.NOT_ESTIMABLE: "–",
}
ROWS_SHOWN = 40
LEAD = (
    "A finding is worth as much as the attempts to break it. The questions are the same in every "
    "study. A check that warns is a caveat of the finding it warns of; so many questions warn now "
    "and then of nothing, and one that holds has not shown that nothing is wrong."
)


def checks_section(result: Result, annex: Annex[Checked]) -> Section:
    """Print every check: its question, its answer in one sentence, its numbers."""
    checks = annex.found.checks
    count = Counter(c.status for c in checks)
    text = (
        f"{plural(len(checks), 'check')}: {count[Status.HOLDS]} hold, {count[Status.WARNS]} warn "
        f"of at least one finding, {count[Status.INFORMATION]} for information, "
        f"{count[Status.NOT_ESTIMABLE]} could not be made."
    )
    overview = Table(
        "Attempts to break the findings",
        ("Check", "Status", "What came of it"),
        tuple((c.title, _marked(c.status), summary(c, example=False)) for c in checks),
    )
    parts = tuple(
        _part(result, check, table)
        for check, table in zip(checks, annex.tables, strict=True)
        if check.status is not Status.NOT_ESTIMABLE
    )
    blocks = (Paragraph(text, lead=True), Paragraph(LEAD), Data(overview))
    return Section("does-it-hold", "Does it hold?", blocks, parts)


def _marked(status: Status) -> str:
    return f"{SYMBOLS[status]} {status}"


def _part(result: Result, check: CheckSummary, table: DataTable) -> Section:
    figure = _figure(result, check, table)
    answers = Table(
        f"{check.title}: each finding",
        ("Finding", "Group", "Status", "What came of it"),
        tuple(
            (
                f.label,
                wording.group_title(f.group),
                _marked(f.status),
                f.reason,
            )
            for f in check.findings
        ),
    )
    inside: tuple[Block, ...] = (Data(answers),)
    if table.rows:
        inside = (*inside, Data(_first_rows(table), table.name))
    where = "Every finding, and the numbers: on the page of this report"
    where += f", and in data/{table.name}.csv." if table.rows else "."
    blocks: tuple[Block, ...] = (
        Paragraph(check.question),
        Paragraph(summary(check)),
        *([figure] if figure is not None else []),
        Folded("Every finding, and the numbers", inside, check.title, where),
    )
    return Section(key_of("check", check.name), check.title, blocks)


def _first_rows(table: DataTable) -> Table:
    words = in_words(table)
    if len(words.rows) <= ROWS_SHOWN:
        return words
    caption = (
        f"{words.caption} (the first {ROWS_SHOWN} of {len(words.rows):,} rows; the file has all)"
    )
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
        f.outcome: f
        for f in reversed(result.findings)
        if f.group == group and f.neighbourhood is None
    }
    rows = [
        row
        for (of, outcome), own in drawn.items()
        if of == group
        for row in interval_rows(findings[outcome], own, shown.name)
    ]
    title = f"{check.title}: {wording.group_title(group)}"
    key = key_of(check.name)
    chart = interval_chart(rows, key=key_of("chart", check.name), title=title, along=shown.along)
    note = f"Lines: {shown.interval}; orange: zero lies outside. Dashed: the finding itself."
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


WIDTH = 680.0
_COLUMNS = 2
_PANEL, _HEAD, _FOOT = 150.0, 30.0, 52.0
_NAMED = 8  # more marks than this stand without names: the table has them
_LEFT, _GAP = 58.0, 78.0


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


def interval_rows(
    finding: Finding, rows: Iterable[Any], name: Callable[[Any], str]
) -> list[IntervalRow]:
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
    """Draw the effects of every outcome from left to right.

    Parameters
    ----------
    rows : as `interval_rows` gives them, outcome by outcome.
    key, title : of the chart.
    along : what goes from left to right.
    """
    width = (WIDTH - _LEFT - _GAP * (_COLUMNS - 1) - 12) / _COLUMNS
    body, first, number = [], 0, 0
    for _, group in groupby(rows, key=lambda row: row.outcome):
        own = list(group)
        down, column = divmod(number, _COLUMNS)
        left = _LEFT + column * (width + _GAP)
        top = down * (_PANEL + _HEAD + _FOOT) + _HEAD
        body.append(_panel(own, first, (left, top, width, _PANEL), along))
        first, number = first + len(own), number + 1
    height = -(-number // _COLUMNS) * (_PANEL + _HEAD + _FOOT)
    text = "\n".join(body)
    return svg.accessible(text, f"0 0 {WIDTH:g} {height:g}", key, title, describe(rows))


def _panel(
    rows: Sequence[IntervalRow], first: int, box: tuple[float, float, float, float], along: str
) -> str:
    own = rows[0].finding
    ends = [n for row in rows for n in (row.estimate, row.low, row.high) if n is not None]
    reach = [*ends, 0.0, *([] if own is None else [own])]
    pad = 0.06 * (max(reach) - min(reach) or 1.0)
    frame = Frame(*box, (-0.6, len(rows) - 0.4), (min(reach) - pad, max(reach) + pad))
    zero = frame.py(0.0)
    names = [row.name for row in rows] if len(rows) <= _NAMED else []
    heading = f"{cut(rows[0].label, 22)}, {cut(rows[0].unit, 9)}"
    parts = [
        plot.up_axis(frame, 5),
        plot.rule(frame.left, zero, frame.right, zero, svg.GREY),
        plot.foot_axis(frame, list(range(len(names))), names),
        plot.text(frame.left + frame.width / 2, frame.bottom + 36, along, size=12, anchor="middle"),
        plot.text(frame.left, frame.top - 10, heading, bold=True),
    ]
    if own is not None:
        y = frame.py(own)
        parts.append(plot.rule(frame.left, y, frame.right, y, svg.TEAL, 1.6, "6 3"))
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
