"""Cross-checks: library estimators beside the main findings, on the same benchmark areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.document.blocks import Bullets, Data, Paragraph, Section
from areaeffect.document.chart_tables import Table
from areaeffect.estimate.crosscheck import ESTIMATORS, CrossCheck, CrossPanel, cross_check
from areaeffect.findings.case import Evidence, Group, benchmark_of, groups_of
from areaeffect.findings.cross_panel import build_panel
from areaeffect.results import Annex, Column, DataTable, NotEstimable
from areaeffect.streams import Use, seed_for
from areaeffect.wording.numbers import number

if TYPE_CHECKING:
    from areaeffect.findings.finished import Finished
    from areaeffect.results import Finding, Result

LEAD = (
    "The same neighbourhoods and benchmark areas were given to estimators from well-kept "
    "libraries. They are checks beside the findings and never replace them: the placebo interval "
    "remains the test. Each cross-check prints an interval of its own kind, which is not that of "
    "the finding."
)


@dataclass(frozen=True, slots=True)
class Estimators:
    """The library estimators that were asked."""

    names: tuple[str, ...]


def crosscheck_section(result: Result, annex: Annex[Estimators]) -> Section:
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


COLUMNS = (
    Column("group", "string", "initiative"),
    Column("outcome", "string", "outcome"),
    Column("estimator", "string", "estimator"),
    Column("package", "string", "library that computed it"),
    Column("unit", "string", "unit of the estimates"),
    Column("estimate", "number", "its estimate: fraction of the counterfactual, or points"),
    Column("low", "number", "lower end of its own 95% interval"),
    Column("high", "number", "upper end of its own 95% interval"),
    Column("p_value", "number", "its own p-value"),
    Column("interval", "string", "kind of its interval, or why it is refused"),
    Column("main_estimate", "number", "the finding's estimate"),
    Column("main_low", "number", "lower end of the finding's 95% placebo interval"),
    Column("main_high", "number", "upper end of the finding's 95% placebo interval"),
    Column("assumes", "string", "what the estimator assumes"),
    Column("differs", "string", "why it may differ from the finding"),
)


def crosscheck_step(finished: Finished) -> Annex[Estimators] | None:
    """Run the estimators that the study names beside `counterfactual`."""
    evidence = finished.evidence
    names = [n for n in evidence.study.analysis.estimators if n in ESTIMATORS]
    if not names:
        return None
    finished.tell("cross-checks", 0, len(names))
    rows = []
    for finding in _leading(finished):
        position = next(
            i for i, o in enumerate(evidence.study.outcome) if o.name == finding.outcome
        )
        group = next(g for g in groups_of(evidence.plan.units) if g.name == finding.group)
        panel = panel_of(evidence, position, group)
        for name in names:
            found = _checked(name, panel, finding)
            rows.append(_row(name, found, finding))
    finished.tell("cross-checks", len(names), len(names))
    table = DataTable("crosscheck", "Cross-checks by other estimators", COLUMNS, tuple(rows))
    return Annex("crosscheck", Estimators(tuple(names)), (table,))


def _leading(finished: Finished) -> list[Finding]:
    """Findings of change for whole groups in their leading form: what a cross-check can answer."""
    outcomes = {o.name: o for o in finished.evidence.study.outcome}
    groups = {g.name for g in groups_of(finished.evidence.plan.units)}
    return [
        f
        for f in finished.result.findings
        if f.claim == "change"
        and f.neighbourhood is None
        and f.group in groups
        and f.outcome in outcomes
        and (f.form == "ratio" or outcomes[f.outcome].kind == "score")
    ]


def _checked(
    name: str, panel: CrossPanel | NotEstimable, finding: Finding
) -> CrossCheck | NotEstimable:
    if isinstance(panel, NotEstimable):
        return panel
    if finding.estimate is None:
        return NotEstimable(finding.caveats[0] if finding.caveats else "the finding has none")
    return cross_check(name, panel)


def _row(
    name: str, found: CrossCheck | NotEstimable, finding: Finding
) -> tuple[str | float | None, ...]:
    about = ESTIMATORS[name]
    if isinstance(found, NotEstimable):
        numbers: tuple[float | None, ...] = (None, None, None, None)
        interval = f"not estimable: {found.reason}"
    else:
        numbers = (found.estimate, found.low, found.high, found.p_value)
        interval = found.refused or f"95%, {found.kind}"
    return (
        finding.group,
        finding.outcome,
        about.title,
        about.package,
        "fraction" if finding.form == "ratio" else finding.unit,
        *numbers,
        interval,
        finding.estimate,
        finding.low,
        finding.high,
        about.assumes,
        about.differs,
    )


def panel_of(evidence: Evidence, position: int, group: Group) -> CrossPanel | NotEstimable:
    """Return a group's treated and benchmark areas of one outcome in blocks of time."""
    units = [g for g in group.units if np.isfinite(evidence.real[g, position]).all()]
    if any(evidence.plan.units[g].phase_in for g in units):
        return NotEstimable("these estimators know no phase between the start and the work")
    chosen = benchmark_of(evidence.plan, position)
    places = [evidence.plan.units[g] for g in units]
    return build_panel(
        evidence.measures[position],
        places,
        [p.areas for p in places],
        [chosen[g] for g in units],
        seed_for(Use.CROSS_CHECK, evidence.study.study.seed),
    )
