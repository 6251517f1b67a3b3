"""Cross-checks: library estimators beside the main findings, on the same benchmark areas."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.document.blocks import Bullets, Data, Paragraph, Section
from areaeffect.document.chart_tables import Table
from areaeffect.estimate.crosscheck import ESTIMATORS, CrossCheck, CrossPanel, cross_check
from areaeffect.findings.describe import Evidence, Group, benchmark_of, groups_of
from areaeffect.results import Annex, Column, DataTable, NotEstimable
from areaeffect.wording.numbers import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.design.programme import Weighted
    from areaeffect.further.registry import Finished
    from areaeffect.panel import Measure, Neighbourhood
    from areaeffect.results import Bools, Finding, Floats, Ints, Result

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


#: Months that one block of time adds up: half a year, or whole years of yearly figures.
_BLOCK_MONTHS = 6
#: Fewer events than this before the start carry no percentage (METHODS section 7).
_FEW_EVENTS = 20

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


def crosscheck_step(finished: Finished) -> Annex | None:
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
    return Annex("crosscheck", {"estimators": names}, (table,))


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
        evidence.study.study.seed,
    )


def build_panel(
    measure: Measure,
    places: Sequence[Neighbourhood],
    members: Sequence[Ints],
    chosen: Sequence[Weighted | None],
    seed: int,
) -> CrossPanel | NotEstimable:
    """Put treated areas (real, or a placebo programme's) and their benchmark areas together.

    Parameters
    ----------
    measure : the outcome.
    places : the real neighbourhoods, for their starts.
    members : the treated areas of each, real or made up.
    chosen : the benchmark areas of each.
    seed : of a library's own draws.
    """
    weight = np.zeros(len(measure.values))
    for found in chosen:
        if found is not None:
            weight[found.pool] += found.weights
    if not places or not weight.any():
        return NotEstimable("no neighbourhood has enough periods or benchmark areas")
    outside = np.flatnonzero(weight > 0)
    areas = np.concatenate([*members, outside])
    cluster = np.concatenate(
        [*(np.full(len(m), g) for g, m in enumerate(members)), len(members) + outside]
    )
    before = [measure.periods.split(p.start, p.start_kind)[0].stop for p in places]
    after = [measure.periods.split(p.start, p.start_kind)[1].start for p in places]
    edges = _edges(measure, min(after))
    outcome, kept = _blocks(measure, areas, edges)
    if measure.is_count:
        inside = np.isfinite(measure.values[np.concatenate(members), : min(before)])
        cells = measure.values[np.concatenate(members), : min(before)]
        if cells[inside].sum() < _FEW_EVENTS:
            return NotEstimable(f"under {_FEW_EVENTS} events before the start")
    lows = edges[:-1][kept]
    first = np.array([int((lows < a).sum()) for a in after])
    if (first >= len(lows)).any():
        return NotEstimable("a neighbourhood has no whole block of time after its start")
    ends = edges[1:][kept]
    cut = [f > 0 and ends[f - 1] > b for f, b in zip(first, before, strict=True)]
    sizes = [len(m) for m in members]
    return CrossPanel(
        outcome,
        np.concatenate([np.repeat(first, sizes), np.full(len(outside), -1)]),
        np.concatenate([np.repeat(np.array(cut, dtype=bool), sizes), np.zeros(len(outside), bool)]),
        np.concatenate([np.ones(sum(sizes)), weight[outside]]),
        cluster,
        measure.is_count,
        seed,
    )


def _edges(measure: Measure, first_after: int) -> Ints:
    """Return where blocks begin and end, (n_blocks + 1,): whole ones, counted from a start."""
    per_year = measure.periods.kind.per_year
    length = 1 if per_year is None else max(1, per_year * _BLOCK_MONTHS // 12)
    return np.arange(first_after % length, measure.periods.n + 1, length)


def _blocks(measure: Measure, areas: Ints, edges: Ints) -> tuple[Floats, Bools]:
    """Add up each block over the periods that every area has, as a yearly rate or a mean.

    Returns
    -------
    (n_areas, n_kept), and which blocks are kept: one that some area lacks altogether is not.
    """
    values = measure.values[areas]
    common: Bools = np.asarray(np.isfinite(values).all(axis=0))
    columns, kept = [], np.zeros(len(edges) - 1, dtype=bool)
    for b, (low, high) in enumerate(pairwise(edges)):
        periods = np.arange(low, high)[common[low:high]]
        if len(periods):
            kept[b] = True
            mean = values[:, periods].mean(axis=1)
            columns.append(mean / measure.periods.years_per_period if measure.is_count else mean)
    return np.column_stack(columns) if columns else np.empty((len(areas), 0)), kept
