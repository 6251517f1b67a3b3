"""The section 'Does it hold?': every attempt to break the findings, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from areaeffect import wording
from areaeffect.checks.charts import interval_chart, interval_rows
from areaeffect.checks.words import (
    HOLDS,
    INFORMATION,
    NOT_ESTIMABLE,
    SYMBOLS,
    WARNS,
    Checked,
    Tried,
    summary,
)
from areaeffect.document.blocks import Block, Data, Folded, Paragraph, Section
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.data_words import in_words
from areaeffect.document.svg import key_of
from areaeffect.results import ALL_INITIATIVES
from areaeffect.wording.numbers import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from areaeffect.results import Annex, DataTable, Result

ROWS_SHOWN = 40
LEAD = (
    "A finding is worth as much as the attempts to break it. The questions are the same in every "
    "study. A check that warns is a caveat of the finding it warns of; so many questions warn now "
    "and then of nothing, and one that holds has not shown that nothing is wrong."
)


def checks_section(result: Result, annex: Annex[Checked]) -> Section:
    """Print every check: its question, its answer in one sentence, its numbers."""
    checks = annex.found.checks
    count = {s: sum(c.status == s for c in checks) for s in SYMBOLS}
    said = (
        f"{plural(len(checks), 'check')}: {count[HOLDS]} hold, {count[WARNS]} warn of at least one "
        f"finding, {count[INFORMATION]} for information, {count[NOT_ESTIMABLE]} could not be made."
    )
    overview = Table(
        "Attempts to break the findings",
        ("Check", "Status", "What came of it"),
        tuple(
            (c.title, f"{SYMBOLS[c.status]} {c.status}", summary(c, example=False)) for c in checks
        ),
    )
    parts = tuple(_part(result, annex, check) for check in checks if check.status != NOT_ESTIMABLE)
    blocks = (Paragraph(said, lead=True), Paragraph(LEAD), Data(overview))
    return Section("does-it-hold", "Does it hold?", blocks, parts)


def _part(result: Result, annex: Annex[Checked], check: Tried) -> Section:
    table = annex.table(f"check_{check.name}")
    blocks: list[Block] = [Paragraph(check.question), Paragraph(summary(check))]
    figure = _figure(result, check, table)
    blocks += [figure] if figure is not None else []
    answers = Table(
        f"{check.title}: each finding",
        ("Finding", "Group", "Status", "What came of it"),
        tuple(
            (
                a.label,
                wording.group_title(a.group),
                f"{SYMBOLS[a.status]} {a.status}",
                a.reason,
            )
            for a in check.findings
        ),
    )
    inside: tuple[Block, ...] = (Data(answers),)
    if table.rows:
        inside = (*inside, Data(_first_rows(table), table.name))
    where = "Every finding, and the numbers: on the page of this report"
    where += f", and in data/{table.name}.csv." if table.rows else "."
    blocks.append(Folded("Every finding, and the numbers", inside, check.title, where))
    return Section(key_of("check", check.name), check.title, tuple(blocks))


def _first_rows(table: DataTable) -> Table:
    words = in_words(table)
    if len(words.rows) <= ROWS_SHOWN:
        return words
    caption = (
        f"{words.caption} (the first {ROWS_SHOWN} of {len(words.rows):,} rows; the file has all)"
    )
    return Table(caption, words.head, words.rows[:ROWS_SHOWN], words.numeric)


def _figure(result: Result, check: Tried, table: DataTable) -> Figure | None:
    if check.name not in NAMES:
        return None
    shown = NAMES[check.name]
    records = [r for r in table.records() if shown.keeps(r)]
    groups = list(dict.fromkeys(r["group"] for r in records))
    if not groups:
        return None
    group = ALL_INITIATIVES if ALL_INITIATIVES in groups else groups[0]
    findings = {
        f.outcome: f
        for f in reversed(result.findings)
        if f.group == group and f.neighbourhood is None
    }
    rows = [
        row
        for outcome in dict.fromkeys(r["outcome"] for r in records if r["group"] == group)
        for row in interval_rows(
            findings[outcome],
            [r for r in records if (r["group"], r["outcome"]) == (group, outcome)],
            shown.name,
        )
    ]
    title = f"{check.title}: {wording.group_title(group)}"
    key = key_of(check.name)
    chart = interval_chart(rows, key=key_of("chart", check.name), title=title, along=shown.along)
    note = f"Lines: {shown.interval}; orange: zero lies outside. Dashed: the finding itself."
    return Figure(chart, title, _drawn(table, group), table.name, note, key, tuple(rows))


def _drawn(table: DataTable, group: str) -> Table:
    """Return the rows that a chart shows."""
    words = in_words(table)
    rows = tuple(row for row in words.rows if row[0] == group)
    return Table("What the chart shows", words.head, rows, words.numeric)


def _ring(row: dict[str, Any]) -> str:
    return f"{row['from_km']:g}–{row['to_km']:g}"


@dataclass(frozen=True, slots=True)
class Shown:
    """How the rows of a check are drawn.

    Parameters
    ----------
    name : of each row.
    along : what goes from left to right.
    interval : what the intervals are.
    keeps : which rows are drawn.
    """

    name: Callable[[dict[str, Any]], str]
    along: str
    interval: str = "95% placebo intervals"
    keeps: Callable[[dict[str, Any]], bool] = lambda row: row["estimate"] is not None


#: Checks with a chart.
NAMES: dict[str, Shown] = {
    "leads": Shown(
        lambda r: f"{r['size']:g}",
        "drift after the start, times the largest before it",
        "95% intervals if the places had drifted on so far",
        keeps=lambda r: r["kind"] == "relative magnitude" and r["low"] is not None,
    ),
    "earlier": Shown(lambda r: str(r["spans_early"]), "how many years (spans) early"),
    "rings": Shown(_ring, "kilometres from the nearest treated area"),
    "leave_out": Shown(lambda r: r["neighbourhood"], "each neighbourhood left out in turn"),
    "leave_area_out": Shown(lambda r: r["area"], "each of the heaviest areas left out in turn"),
}
