"""The section 'Does it hold?': every attempt to break the findings, and what came of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from areaeffect import wording
from areaeffect.checks.base import Status
from areaeffect.checks.charts import interval_chart, interval_rows
from areaeffect.checks.registry import CHECKS
from areaeffect.checks.words import summary
from areaeffect.document.blocks import Block, Data, Folded, Paragraph, Section
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.data_words import in_words
from areaeffect.document.svg import key_of
from areaeffect.records import rows_of
from areaeffect.results import ALL_INITIATIVES
from areaeffect.wording.numbers import plural

if TYPE_CHECKING:
    from areaeffect.checks.base import Checked, CheckSummary
    from areaeffect.results import Annex, DataTable, Result

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
