"""The section on cross-checks: other estimators beside the findings, and why they may differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.report.chart_tables import Table
from areaeffect.report.document import Bullets, Data, Paragraph, Section
from areaeffect.report.numbers import number

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result

LEAD = (
    "The same neighbourhoods and benchmark areas were given to estimators from well-kept "
    "libraries. They are checks beside the findings and never replace them: the placebo interval "
    "remains the test. Each cross-check prints an interval of its own kind, which is not that of "
    "the finding."
)


def crosscheck_section(result: Result, annex: Annex) -> Section:
    """Print every cross-check beside its finding, and what each estimator assumes."""
    rows = annex.table("crosscheck").records()
    labels = {f.outcome: f.label for f in result.findings}
    head = (
        "Outcome",
        "Initiative",
        "Estimator",
        "Its estimate",
        "Its own interval",
        "Kind of that interval",
        "The finding",
        "The finding's placebo interval",
    )
    body = tuple(
        (
            labels.get(row["outcome"], row["outcome"]),
            row["group"],
            row["estimator"],
            _printed(row, "estimate"),
            _ends(row, "low", "high"),
            row["interval"],
            _printed(row, "main_estimate"),
            _ends(row, "main_low", "main_high"),
        )
        for row in rows
    )
    table = Table("Cross-checks beside the findings", head, body, frozenset({3, 6}))
    about = {row["estimator"]: row for row in rows}
    assumed = tuple(
        f"{name} ({row['package']}). It assumes: {_low(row['assumes'])} Why it may differ: "
        f"{_low(row['differs'])}"
        for name, row in about.items()
    )
    return Section(
        "cross-checks",
        "Cross-checks by other estimators",
        (Paragraph(LEAD, lead=True), Data(table, "crosscheck"), Bullets(assumed)),
    )


def _form(row: dict[str, Any]) -> str:
    return "ratio" if row["unit"] == "fraction" else "additive"


def _printed(row: dict[str, Any], name: str) -> str:
    return number(row[name], _form(row))


def _ends(row: dict[str, Any], low: str, high: str) -> str:
    if row[low] is None and row[high] is None:
        return "none"
    return " to ".join(
        "no end found" if row[end] is None else number(row[end], _form(row)) for end in (low, high)
    )


def _low(text: str) -> str:
    return text[:1].lower() + text[1:]
