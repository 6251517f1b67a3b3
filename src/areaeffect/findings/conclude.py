"""From totals to findings: effects, placebo inference, adjustment, verdicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.estimate.inference import MIN_PLACEBOS, PlaceboInference, infer
from areaeffect.estimate.multiplicity import max_t
from areaeffect.estimate.verdict import MIN_DISJOINT_PROGRAMMES, decide, placebos_carry
from areaeffect.findings.cohorts import starts_too_late
from areaeffect.findings.companions import companions
from areaeffect.findings.describe import (
    Case,
    Evidence,
    Group,
    benchmark_of,
    contrast_groups,
    filled,
    groups_of,
    neighbourhood_groups,
    subject,
)
from areaeffect.findings.families import families_without_outcome
from areaeffect.findings.grading import grade
from areaeffect.findings.plan import disjoint
from areaeffect.results import Finding, PlaceboDraws, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from areaeffect.findings.plan import Plan
    from areaeffect.results import Floats

#: Fewer events than this before the start carry no percentage.
FEW_EVENTS = 20
#: A finding on fewer treated areas is none.
FEWEST_AREAS = 2
#: Placebos that differ by less than this share of their size differ by rounding only.
_NO_SPREAD = 1e-9
_SEVERAL = 2


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A finding before the adjustment for several findings; None where not estimable."""

    finding: Finding
    case: Case
    inference: PlaceboInference | None = None
    placebos: Floats | None = None


def conclude(evidence: Evidence) -> tuple[tuple[Finding, ...], tuple[PlaceboDraws, ...]]:
    """Write every finding, and the placebo estimates behind it."""
    drafts = _adjust([draft_of(evidence, case) for case in cases_of(evidence)], _is_primary)
    places = [draft_of(evidence, case) for case in _neighbourhood_cases(evidence)]
    for position in range(len(evidence.study.outcome)):
        places = _adjust(places, partial(_is_of, position))
    findings = _with_verdicts(drafts)
    draws = tuple(
        PlaceboDraws(
            finding.group,
            finding.outcome,
            finding.claim,
            finding.form,
            tuple(
                float(np.expm1(x)) if draft.case.is_ratio else float(x) * draft.case.per
                for x in draft.placebos[np.isfinite(draft.placebos)]
            ),
        )
        for finding, draft in zip(findings, drafts, strict=True)
        if draft.placebos is not None
    )
    missing = families_without_outcome(evidence)
    return (*findings, *missing, *_with_verdicts(places)), draws


def further_findings(evidence: Evidence, cases: Sequence[Case]) -> tuple[Finding, ...]:
    """Estimate cases outside the primary set: each with its own interval, and a verdict from it."""
    drafts = [draft_of(evidence, case) for case in cases]
    drafts = [replace(d, finding=replace(d.finding, primary=False)) for d in drafts]
    return _with_verdicts(drafts)


def _is_primary(draft: Draft) -> bool:
    return draft.finding.primary


def _is_of(position: int, draft: Draft) -> bool:
    return draft.case.position == position


def cases_of(evidence: Evidence) -> list[Case]:
    """Return what is asked of every group, in the order of the findings."""
    units = evidence.plan.units
    cases = []
    for group in (*groups_of(units, evidence.plan.initiatives), *contrast_groups(units)):
        everyone = (*group.units, *group.against)
        apart = disjoint(evidence.plan, everyone) if everyone else (0, 0)
        for o, outcome in enumerate(evidence.study.outcome):
            if group.against and outcome.claim == "level":
                continue
            both = outcome.kind == "count" and not group.against
            forms = (True, False) if both else (outcome.kind == "count",)
            cases += [case_of(evidence, group, o, apart, is_ratio=r) for r in forms]
    return cases


def case_of(
    evidence: Evidence, group: Group, position: int, apart: tuple[int, int], *, is_ratio: bool
) -> Case:
    """Return the case of a group and an outcome, with the units that can be estimated."""
    outcome, measure = evidence.study.outcome[position], evidence.measures[position]
    units, against = (
        tuple(
            g
            for g in side
            if evidence.plan.units[g].is_whole and np.isfinite(evidence.real[g, position]).all()
        )
        for side in (group.units, group.against)
    )
    return Case(group, position, outcome, measure, is_ratio, units, apart, against)


def _neighbourhood_cases(evidence: Evidence) -> list[Case]:
    """One case a neighbourhood and outcome, in the leading form only."""
    cases = []
    for group in neighbourhood_groups(evidence.plan.units):
        apart = disjoint(evidence.plan, group.units, 2 * MIN_DISJOINT_PROGRAMMES)
        for o, outcome in enumerate(evidence.study.outcome):
            cases.append(case_of(evidence, group, o, apart, is_ratio=outcome.kind == "count"))
    return cases


def draft_of(evidence: Evidence, case: Case) -> Draft:
    """Estimate a case and hold it against its placebos; not yet adjusted, without a verdict."""
    bare = subject(evidence, case)
    reason = why_not(evidence, case)
    if reason:
        return Draft(replace(bare, caveats=(reason,)), case)
    real, drawn = evidence.real[:, case.position], evidence.drawn[:, :, case.position]
    estimate, placebos = float(case.statistic(real)), case.statistic(drawn)
    count = float(case.counts(real))
    better = case.outcome.better
    found = infer(estimate, placebos, case.counts(drawn), count, better, case.taken)
    total = real[list(case.units)].sum(axis=0)
    graded = grade(evidence, case)
    finding = filled(bare, case, total, estimate, found)
    finding = replace(
        finding,
        companions=companions(evidence, case, estimate),
        maryland=graded.maryland,
        held_out=graded.held_out,
        held_out_p=graded.held_out_p,
        caveats=(*finding.caveats, *graded.caveats, *evidence.plan.warnings),
    )
    return Draft(finding, case, found, placebos)


def why_not(evidence: Evidence, case: Case) -> str:
    """Return why a case cannot be estimated; empty where it can."""
    if not case.units or (case.group.against and not case.against):
        return _why_no_units(evidence, case)
    reason = _too_small_or_another(evidence.plan, case)
    if reason:
        return reason
    real, drawn = evidence.real[:, case.position], evidence.drawn[:, :, case.position]
    estimate, placebos = float(case.statistic(real)), case.statistic(drawn)
    count = float(case.counts(real))
    if case.is_ratio and count < FEW_EVENTS:
        side = "in the latest year" if case.outcome.claim == "level" else "before the start"
        what = f"only {count:.0f} {case.outcome.unit_title} {side}"
        return f"{what}: too few for a percentage"
    if not np.isfinite(estimate):
        return "a total is zero, so there is no ratio to take"
    placebos = placebos[np.isfinite(placebos)]
    if len(placebos) < MIN_PLACEBOS:
        return "too few placebo programmes could be drawn from the pool"
    if placebos.std() <= _NO_SPREAD * max(1.0, float(np.abs(placebos).max())):
        return "every placebo programme gives the same number: the outcome hardly varies"
    return ""


def _too_small_or_another(plan: Plan, case: Case) -> str:
    """Return why what can be used is too small, or is not what the study asks about."""
    sides = ((case.group.units, case.units), (case.group.against, case.against))
    for asked, used in sides[: 1 + bool(case.group.against)]:
        areas, named = sum(len(plan.units[g].areas) for g in used), _named(plan, asked)
        if areas < named / 2:
            return _lost(named - areas, named)
        if areas < FEWEST_AREAS:
            return (
                "only one treated area: a single address, or a change in where incidents are put, "
                "moves its number as an initiative might. Name the other areas that the work "
                "reached, or ask about several such places together"
            )
    return ""


def _lost(lost: int, named: int) -> str:
    return (
        f"{lost} of {named} treated areas cannot be used here (gaps, no exposure, a missing "
        "covariate or no benchmark areas: see the notes on data), and the others are not what the "
        "study asks about. Choose a window or an outcome that covers them, or take these areas "
        "out of the areas file to ask about the others"
    )


def _named(plan: Plan, units: Sequence[int]) -> int:
    """Return how many treated areas the study names for some units.

    Of whole initiatives also those in neighbourhoods of which no area can be used.
    """
    whose = {plan.units[g].initiative for g in units}
    if {g for g, u in enumerate(plan.units) if u.initiative in whose} == set(units):
        return sum(plan.named[name] for name in whose)
    return sum(plan.units[g].n_named for g in units)


def _why_no_units(evidence: Evidence, case: Case) -> str:
    members = (*case.group.units, *case.group.against)
    if members and not any(evidence.plan.units[g].is_whole for g in members):
        named = _named(evidence.plan, members)
        return _lost(named - sum(len(evidence.plan.units[g].areas) for g in members), named)
    chosen = benchmark_of(evidence.plan, case.position)
    if members and all(chosen[g] is None for g in members):
        return (
            "no area of the comparison pool is covered and within the range of the treated areas "
            "before the start (`common_support = false` drops the range)"
        )
    units = evidence.plan.units
    if members and all(starts_too_late(case.measure.periods, units[g]) for g in members):
        return "the start is in the last period, and nothing that came after it is in the window"
    return "no neighbourhood has enough periods before and after its start without gaps"


def _adjust(drafts: list[Draft], is_in: Callable[[Draft], bool]) -> list[Draft]:
    """Widen the intervals of a family of findings so that they hold together (max-T).

    The primary findings are one family; the neighbourhoods of each outcome are another.
    """
    primary = [d for d in drafts if is_in(d) and d.inference is not None]
    if len(primary) < _SEVERAL:
        return drafts
    kept = [d.inference for d in primary if d.inference is not None]
    joint = max_t(
        [x.statistics for x in kept], [x.statistic for x in kept], [x.critical for x in kept]
    )
    widened = {}
    for k, (draft, found) in enumerate(zip(primary, kept, strict=True)):
        finding = replace(
            draft.finding,
            p_adjusted=float(max(joint.p_adjusted[k], found.p_value)),
            low_adjusted=draft.case.printed((found.statistic - joint.high[k]) * found.scale),
            high_adjusted=draft.case.printed((found.statistic - joint.low[k]) * found.scale),
        )
        widened[id(draft)] = replace(draft, finding=finding)
    return [widened.get(id(d), d) for d in drafts]


def _with_verdicts(drafts: Sequence[Draft]) -> tuple[Finding, ...]:
    """Decide each leading finding; the additive form beside a ratio carries its verdict."""
    verdicts = {
        (d.case.group, d.case.position): (verdict_of(d.finding), " ".join(d.finding.caveats[:1]))
        for d in drafts
        if d.case.is_ratio or not d.case.measure.is_count
    }
    return tuple(_decided(d, verdicts[d.case.group, d.case.position]) for d in drafts)


def _decided(draft: Draft, leading: tuple[Verdict, str]) -> Finding:
    verdict, reason = leading
    if draft.inference is None:
        return draft.finding
    caveats = draft.finding.caveats
    if verdict is Verdict.NOT_ESTIMABLE:
        caveats = (f"No verdict: as a ratio, {reason}.", *caveats)
    return replace(draft.finding, verdict=verdict, caveats=caveats)


def verdict_of(finding: Finding) -> Verdict:
    """Decide a finding from its intervals, widened for several findings where they are."""
    f = finding
    low = f.low_adjusted if f.low_adjusted is not None else f.low
    high = f.high_adjusted if f.high_adjusted is not None else f.high
    if low is None or high is None or f.low_90 is None or f.high_90 is None:
        return f.verdict
    carried = placebos_carry(
        f.n_neighbourhoods, f.n_disjoint_placebos or 0, f.n_disjoint_neighbourhoods or 0
    )
    threshold = (-f.threshold, f.threshold)
    return decide((low, high), (f.low_90, f.high_90), threshold, f.better, carried=carried)
