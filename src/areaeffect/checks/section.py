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
from areaeffect.wording.phrases import PHRASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.checks.base import Checked, CheckSummary
    from areaeffect.results import Annex, DataTable, Result

SYMBOLS = {
    Status.WARNS: "▲",
    Status.INFORMATION: "○",
    Status.HOLDS: "●",
    Status.NOT_ESTIMABLE: "–",
}
ROWS_SHOWN = 40


def checks_section(result: Result, annex: Annex[Checked]) -> Section:
    """Print every check: its question, its answer in one sentence, its numbers."""
    checks = annex.found.checks
    count = Counter(c.status for c in checks)
    text = PHRASES["checks.counts"].format(
        checks=plural(len(checks), "check"),
        hold=count[Status.HOLDS],
        warn=count[Status.WARNS],
        information=count[Status.INFORMATION],
        none=count[Status.NOT_ESTIMABLE],
    )
    overview = Table(
        "Attempts to break the findings",
        ("Check", "What it asks", "Result", "In words"),
        tuple((c.title, c.question, _marked(c.status), summary(c, example=False)) for c in checks),
    )
    tried = tuple(
        _part(result, check, table)
        for check, table in zip(checks, annex.tables, strict=True)
        if check.status is not Status.NOT_ESTIMABLE
    )
    blocks = (Paragraph(text), Paragraph(PHRASES["checks.lead"]), Data(overview))
    warned = _warnings(checks)
    blocks = (*blocks, Data(warned)) if warned.rows else blocks
    return Section("does-it-hold", PHRASES["checks.title"], (*blocks, *tried))


def _warnings(checks: Sequence[CheckSummary]) -> Table:
    """Return what each check that warns says, once for all findings that it says the same of."""
    rows: dict[tuple[str, str], list[str]] = {}
    for check in checks:
        for f in check.findings:
            if f.status is Status.WARNS:
                whose = f"{f.label} ({wording.group_title(f.group)})"
                rows.setdefault((check.title, f.reason), []).append(whose)
    body = tuple((title, "; ".join(own), reason) for (title, reason), own in rows.items())
    return Table("Findings that a check warns of", ("Check", "Findings", "Why"), body)


def _marked(status: Status) -> str:
    return f"{SYMBOLS[status]} {status}"


def _part(result: Result, check: CheckSummary, table: DataTable) -> Folded:
    """Return one check in full, which print leaves out: the tables before it have its answer."""
    figure = _figure(result, check, table)
    answers = Table(
        f"{check.title}: each finding",
        ("Finding", "Group", "Result", "In words"),
        tuple(
            (f.label, wording.group_title(f.group), _marked(f.status), f.reason)
            for f in check.findings
        ),
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
