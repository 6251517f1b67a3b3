"""Cross-checks: library estimators beside the main findings, on the same benchmark areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from areaeffect.document.blocks import Bullets, Data, Paragraph, Section
from areaeffect.document.chart_tables import Columns, Table
from areaeffect.estimate.crosscheck import ESTIMATORS, CrossCheck, CrossPanel, cross_check
from areaeffect.findings.case import Evidence, Finished, Group, groups_of
from areaeffect.findings.series import build_panel
from areaeffect.records import described, rows_of, table_of
from areaeffect.results import Annex, Finding, NotEstimable, Result
from areaeffect.streams import Use, seed_for
from areaeffect.wording.numbers import PHRASES, number

LEAD = PHRASES["crosscheck.same_neighbourhoods"]


@dataclass(frozen=True, slots=True)
class Estimators:
    """The library estimators that were asked."""

    names: tuple[str, ...]


def crosscheck_section(result: Result, annex: Annex[Estimators]) -> Section:
    """Print every cross-check beside its finding, and what each estimator assumes."""
    rows = rows_of(annex.table("crosscheck"), CrossCheckRow)
    labels = {f.outcome: f.label for f in result.findings}
    columns: Columns[CrossCheckRow] = {
        "Outcome": lambda row: labels.get(row.outcome, row.outcome),
        "Initiative": lambda row: row.group,
        "Estimator": lambda row: row.estimator,
        "Its estimate": lambda row: number(row.estimate, _form(row)),
        "Its own interval": lambda row: _ends(row.low, row.high, _form(row)),
        "Kind of that interval": lambda row: row.interval,
        "The finding": lambda row: number(row.main_estimate, _form(row)),
        "The finding's placebo interval": lambda row: _ends(row.main_low, row.main_high, _form(row)),
    }
    table = Table.of("Cross-checks beside the findings", rows, columns, {3, 6})
    about = {row.estimator: row for row in rows}
    assumed = tuple(
        f"{name} ({row.package}). It assumes: {_low(row.assumes)} Why it may differ: {_low(row.differs)}"
        for name, row in about.items()
    )
    return Section(
        "cross-checks",
        "Cross-checks by other estimators",
        (Paragraph(LEAD, lead=True), Data(table, "crosscheck"), Bullets(assumed)),
    )


def _form(row: CrossCheckRow) -> str:
    return "ratio" if row.unit == "fraction" else "additive"


def _ends(low: float | None, high: float | None, form: str) -> str:
    if low is None and high is None:
        return "none"
    return " to ".join("no end found" if end is None else number(end, form) for end in (low, high))


def _low(text: str) -> str:
    return text[:1].lower() + text[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheckRow:
    """An estimator's answer beside its finding."""

    group: str = described("initiative")
    outcome: str = described("outcome")
    estimator: str = described("estimator")
    package: str = described("library that computed it")
    unit: str = described("unit of the estimates")
    estimate: float | None = described("its estimate: fraction of the counterfactual, or points", None)
    low: float | None = described("lower end of its own 95% interval", None)
    high: float | None = described("upper end of its own 95% interval", None)
    p_value: float | None = described("its own p-value", None)
    interval: str = described("kind of its interval, or why it is refused")
    main_estimate: float | None = described("the finding's estimate", None)
    main_low: float | None = described("lower end of the finding's printed interval", None)
    main_high: float | None = described("upper end of the finding's printed interval", None)
    assumes: str = described("what the estimator assumes")
    differs: str = described("why it may differ from the finding")


def crosscheck_step(finished: Finished) -> Annex[Estimators] | None:
    """Run the estimators that the study names beside `counterfactual`."""
    evidence = finished.evidence
    names = [n for n in evidence.study.analysis.estimators if n in ESTIMATORS]
    if not names:
        return None
    finished.tell("cross-checks", 0, len(names))
    rows = []
    for finding in _leading(finished):
        position = next(i for i, o in enumerate(evidence.study.outcome) if o.name == finding.outcome)
        group = next(g for g in groups_of(evidence.plan.units) if g.name == finding.group)
        panel = panel_of(evidence, position, group)
        for name in names:
            found = _checked(name, panel, finding)
            rows.append(_row(name, found, finding))
    finished.tell("cross-checks", len(names), len(names))
    table = table_of("crosscheck", "Cross-checks by other estimators", CrossCheckRow, rows)
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


def _checked(name: str, panel: CrossPanel | NotEstimable, finding: Finding) -> CrossCheck | NotEstimable:
    if isinstance(panel, NotEstimable):
        return panel
    if finding.estimate is None:
        return NotEstimable(finding.caveats[0] if finding.caveats else "the finding has none")
    return cross_check(name, panel)


def _row(name: str, found: CrossCheck | NotEstimable, finding: Finding) -> CrossCheckRow:
    about = ESTIMATORS[name]
    own = None if isinstance(found, NotEstimable) else found
    if isinstance(found, NotEstimable):
        interval = f"not estimable: {found.reason}"
    else:
        interval = found.refused or f"95%, {found.kind}"
    return CrossCheckRow(
        group=finding.group,
        outcome=finding.outcome,
        estimator=about.title,
        package=about.package,
        unit="fraction" if finding.form == "ratio" else finding.unit,
        estimate=None if own is None else own.estimate,
        low=None if own is None else own.low,
        high=None if own is None else own.high,
        p_value=None if own is None else own.p_value,
        interval=interval,
        main_estimate=finding.estimate,
        main_low=finding.low,
        main_high=finding.high,
        assumes=about.assumes,
        differs=about.differs,
    )


def panel_of(evidence: Evidence, position: int, group: Group) -> CrossPanel | NotEstimable:
    """Return a group's treated and benchmark areas of one outcome in blocks of time."""
    units = [g for g in group.units if np.isfinite(evidence.real[g, position]).all()]
    if any(evidence.plan.units[g].phase_in for g in units):
        return NotEstimable(PHRASES["crosscheck.estimators_know"])
    chosen = evidence.plan.benchmark_of(position)
    places = [evidence.plan.units[g] for g in units]
    return build_panel(
        evidence.measures[position],
        places,
        [p.areas for p in places],
        [chosen[g] for g in units],
        seed_for(Use.CROSS_CHECK, evidence.study.study.seed),
    )
