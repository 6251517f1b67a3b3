"""From totals to findings: effects, placebo inference, adjustment, verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.estimate.inference import MIN_PLACEBOS, PlaceboInference
from areaeffect.estimate.multiplicity import max_t
from areaeffect.estimate.verdict import decide
from areaeffect.findings.cohorts import starts_too_late
from areaeffect.findings.companions import companions
from areaeffect.findings.describe import (
    Case,
    Evidence,
    Group,
    amounts_of,
    benchmark_of,
    caveats_of,
    contrast_groups,
    groups_of,
    held_back,
    in_rates,
    neighbourhood_groups,
    subject,
)
from areaeffect.findings.families import families_without_outcome
from areaeffect.findings.grading import grade
from areaeffect.findings.plan import disjoint
from areaeffect.results import Claim, Finding, IntervalKind, PlaceboDraws, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.estimate.multiplicity import Joint
    from areaeffect.findings.plan import Plan

#: Fewer events than this before the start carry no percentage.
FEW_EVENTS = 20
#: A finding on fewer treated areas is none.
FEWEST_AREAS = 2
#: Placebos that differ by less than this share of their size differ by rounding only.
_NO_SPREAD = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A case held against its placebos, before it is judged with others.

    Parameters
    ----------
    case : what the finding is about.
    reason : why it cannot be estimated; empty where it can.
    found : its placebo inference; None where not estimable.
    """

    case: Case
    reason: str
    found: PlaceboInference | None = None

    @property
    def family(self) -> tuple[object, ...]:
        """What it is judged together with: effects, or levels, of one group."""
        return self.case.group, self.case.claim is Claim.LEVEL


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What holds for one finding together with its family."""

    joint: Joint
    position: int
    n: int

    @property
    def critical(self) -> tuple[float, float]:
        """The critical values of T that the printed interval inverts."""
        return self.joint.critical(self.position)


def conclude(evidence: Evidence) -> tuple[tuple[Finding, ...], tuple[PlaceboDraws, ...]]:
    """Write every finding, and the placebo estimates behind those of whole groups."""
    drawn = [draw_case(evidence, case) for case in cases_of(evidence)]
    places = [draw_case(evidence, case) for case in _neighbourhood_cases(evidence)]
    findings = []
    for one, finding in zip(drawn, found := findings_of(evidence, drawn), strict=True):
        findings.append(finding)
        if one.case.is_ratio and not one.case.group.against:
            findings.append(in_rates(evidence, one.case, finding))
    draws = tuple(
        PlaceboDraws(f.group, f.outcome, f.claim, f.form, _printed_draws(evidence, d.case))
        for f, d in zip(found, drawn, strict=True)
        if d.found is not None
    )
    missing = families_without_outcome(evidence)
    return (*findings, *missing, *findings_of(evidence, places)), draws


def findings_of(evidence: Evidence, drawn: Sequence[Drawn]) -> tuple[Finding, ...]:
    """Judge each family together and write its findings."""
    judged = judge(drawn)
    return tuple(_finding(evidence, d, judged.get(k)) for k, d in enumerate(drawn))


def judge(drawn: Sequence[Drawn]) -> dict[int, Judged]:
    """Hold the primary findings of each family together, and every other one by itself.

    Returns
    -------
    By position in `drawn`; nothing for what cannot be estimated.
    """
    families: dict[tuple[object, ...], list[int]] = {}
    for k, d in enumerate(drawn):
        if d.found is not None:
            own = d.family if d.case.outcome_is_primary else (k,)
            families.setdefault(own, []).append(k)
    judged: dict[int, Judged] = {}
    for members in families.values():
        joint = max_t([x for k in members if (x := drawn[k].found) is not None])
        judged |= {k: Judged(joint, at, len(members)) for at, k in enumerate(members)}
    return judged


def _printed_draws(evidence: Evidence, case: Case) -> tuple[float, ...]:
    effects = case.statistic(evidence.drawn[:, :, case.position])
    effects = effects[np.isfinite(effects)]
    return tuple(float(x) for x in (np.expm1(effects) if case.is_ratio else effects))


def cases_of(evidence: Evidence) -> list[Case]:
    """Return what is asked of every group, in the order of the findings."""
    units = evidence.plan.units
    groups = (*groups_of(units, evidence.plan.initiatives), *contrast_groups(units))
    return [case for group in groups for case in cases_of_group(evidence, group)]


def cases_of_group(evidence: Evidence, group: Group) -> list[Case]:
    """Return what is asked of one group; a contrast of levels is not asked."""
    everyone = (*group.units, *group.against)
    apart = disjoint(evidence.plan, everyone) if everyone else (0, 0)
    return [
        case_of(evidence, group, o, apart)
        for o, outcome in enumerate(evidence.study.outcome)
        if not (group.against and outcome.claim == "level")
    ]


def case_of(evidence: Evidence, group: Group, position: int, apart: tuple[int, int]) -> Case:
    """Return the case of a group and an outcome, with the units that can be estimated."""
    plan, outcome = evidence.plan, evidence.study.outcome[position]
    units, against = (
        tuple(
            g
            for g in side
            if plan.units[g].is_whole and np.isfinite(evidence.real[g, position]).all()
        )
        for side in (group.units, group.against)
    )
    is_single = len(group.units) == 1 and not group.against
    initiative = plan.units[group.units[0]].initiative if group.units else ""
    is_inside = is_single and sum(u.initiative == initiative for u in plan.units) > 1
    return Case(
        group,
        position,
        outcome,
        evidence.measures[position],
        units,
        apart,
        against,
        n_places=sum(len(plan.machine.banks[g].pieces) for g in (*units, *against)),
        outcome_is_primary=plan.primary[position],
        is_inside=is_inside,
        is_one_place=is_single and not is_inside and evidence.is_place(group.units[0]),
    )


def _neighbourhood_cases(evidence: Evidence) -> list[Case]:
    """One case a neighbourhood and outcome."""
    groups = neighbourhood_groups(evidence.plan.units)
    return [case for group in groups for case in cases_of_group(evidence, group)]


def draw_case(evidence: Evidence, case: Case) -> Drawn:
    """Estimate a case and hold it against its placebos."""
    reason = why_not(evidence, case)
    if reason:
        return Drawn(case, reason)
    real, drawn = evidence.real[:, case.position], evidence.drawn[:, :, case.position]
    return Drawn(case, "", case.infer(real, drawn))


def _finding(evidence: Evidence, drawn: Drawn, judged: Judged | None) -> Finding:
    """Write one finding, whole."""
    case, found = drawn.case, drawn.found
    about = subject(evidence, case)
    if found is None or judged is None:
        return Finding(**about, verdict=Verdict.NOT_ESTIMABLE, caveats=(drawn.reason,))
    graded = grade(evidence, case)
    back = held_back(evidence, case)
    p_joint = float(judged.joint.p_adjusted[judged.position])
    interval = case.interval(IntervalKind.JOINT, found.ends(judged.critical), p_joint)
    total = evidence.real[list(case.units), case.position].sum(axis=0)
    verdict = decide(interval, case.measure.smallest, case.better, case.claim)
    if back:
        verdict = Verdict.CANNOT_TELL
    if not case.is_primary:
        verdict = Verdict.DESCRIBED
    return Finding(
        **about,
        **amounts_of(case, total, found.estimate),
        **_detectable(case, found, judged),
        verdict=verdict,
        held_back=back,
        estimate=case.printed(found.estimate),
        interval=interval,
        n_together=judged.n,
        single=case.interval(IntervalKind.SINGLE, (found.low, found.high), found.p_value),
        p_step_down=float(judged.joint.p_step_down[judged.position]),
        bias=case.printed(found.centre),
        bias_error=found.centre_error,
        estimate_centred=case.printed(found.estimate - found.centre),
        companions=companions(evidence, case, found.estimate),
        maryland=graded.maryland,
        held_out=graded.gap,
        held_out_interval=graded.interval,
        placebos=int(np.isfinite(found.statistics).sum()),
        n_disjoint_placebos=case.disjoint[0],
        n_disjoint_neighbourhoods=case.disjoint[1],
        caveats=(*caveats_of(evidence, found, case), *graded.caveats, *evidence.plan.warnings),
    )


def _detectable(case: Case, found: PlaceboInference, judged: Judged) -> dict[str, Any]:
    """Return the smallest effect that the verdict would find, and how estimates then exaggerate."""
    effect = found.detectable(case.better, judged.critical)
    mde = case.printed(effect)
    if mde is None or effect == 0:
        return {"mde": mde}
    return {"mde": mde, "exaggeration": found.exaggeration(effect, judged.critical)}


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
