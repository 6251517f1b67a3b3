"""From totals to findings: effects, placebo inference, companions, verdicts, remarks on the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.design.programme import ROUNDING
from areaeffect.estimate.inference import MIN_PLACEBOS, PlaceboInference, decide, max_t
from areaeffect.estimate.linearised import (
    MIN_CLUSTERS,
    Compared,
    bootstrap,
    clustered_ratio,
    linearised_ratio,
)
from areaeffect.findings.case import Case, Evidence, Group, contrast_groups, groups_of, neighbourhood_groups
from areaeffect.findings.describe import caveats_of, grade, held_back, in_rates, subject, with_amounts
from areaeffect.findings.plan import Plan, disjoint
from areaeffect.findings.refusals import FEW_EVENTS, families_without_outcome, why_not_planned
from areaeffect.panel import Measure, Neighbourhood
from areaeffect.results import LEVEL, Claim, Finding, Interval, IntervalKind, Ints, PlaceboDraws, Verdict
from areaeffect.streams import Use, generator
from areaeffect.study.file import StudyFile
from areaeffect.wording.numbers import PHRASES, phrase


@dataclass(frozen=True, slots=True, eq=False)
class InferredCase:
    """A case with its placebo inference, before its family is judged."""

    case: Case  # what the finding is about
    reason: str  # why it cannot be estimated; empty where it can.
    found: PlaceboInference | None = None  # its placebo inference; None where not estimable.
    is_bare: bool = False  # whether there is an effect whose uncertainty cannot be measured

    @property
    def family(self) -> tuple[object, ...]:
        """The findings it is judged with: the effects, or the levels, of one group."""
        return self.case.group, self.case.claim is Claim.LEVEL


@dataclass(frozen=True, slots=True, eq=False)
class JointPlace:
    """The joint inference of one finding in its family."""

    p_value: float  # of the joint interval
    p_step_down: float
    critical: tuple[float, float]  # the values of T that the printed interval inverts
    n: int  # findings of the family


def conclude(evidence: Evidence) -> tuple[tuple[Finding, ...], tuple[PlaceboDraws, ...]]:
    """Return every finding, and the placebo estimates of whole groups."""
    drawn = [draw_case(evidence, case) for case in cases_of(evidence)]
    places = [
        draw_case(evidence, case)
        for group in neighbourhood_groups(evidence.plan.units)
        for case in cases_of_group(evidence, group)
    ]
    findings = []
    for one, finding in zip(drawn, found := findings_of(evidence, drawn), strict=True):
        findings.append(finding)
        if one.case.is_ratio and not one.case.group.against:
            findings.append(in_rates(evidence, one.case, finding))
    draws = []
    for f, d in zip(found, drawn, strict=True):
        if d.found is not None:
            effects = d.case.statistic(evidence.drawn[:, :, d.case.position])
            effects = effects[np.isfinite(effects)]
            printed = tuple(float(x) for x in (np.expm1(effects) if d.case.is_ratio else effects))
            draws.append(PlaceboDraws(f.group, f.outcome, f.claim, f.form, printed))
    missing = families_without_outcome(evidence)
    return (*findings, *missing, *findings_of(evidence, places)), tuple(draws)


def findings_of(evidence: Evidence, drawn: Sequence[InferredCase]) -> tuple[Finding, ...]:
    """Judge each family jointly and return its findings."""
    judged = judge(drawn, evidence.level)
    return tuple(_finding(evidence, d, judged.get(k)) for k, d in enumerate(drawn))


def judge(drawn: Sequence[InferredCase], level: float = LEVEL) -> dict[int, JointPlace]:
    """Judge the primary findings of each family jointly, and every other finding alone, at a level.

    By position in `drawn`, for what can be estimated.
    """
    families: dict[tuple[object, ...], list[int]] = {}
    for k, d in enumerate(drawn):
        if d.found is not None:
            own = d.family if d.case.outcome_is_primary else (k,)
            families.setdefault(own, []).append(k)
    judged: dict[int, JointPlace] = {}
    for members in families.values():
        joint = max_t([x for k in members if (x := drawn[k].found) is not None], level)
        for at, k in enumerate(members):
            p_values = float(joint.p_adjusted[at]), float(joint.p_step_down[at])
            judged[k] = JointPlace(*p_values, joint.critical(at), len(members))
    return judged


def cases_of(evidence: Evidence) -> list[Case]:
    """Return the cases of every group, in the order of the findings."""
    units = evidence.plan.units
    groups = (*groups_of(units, evidence.plan.initiatives), *contrast_groups(units))
    return [case for group in groups for case in cases_of_group(evidence, group)]


def cases_of_group(evidence: Evidence, group: Group) -> list[Case]:
    """Return the cases of one group; a contrast has none of levels."""
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
        tuple(g for g in side if plan.units[g].is_whole and np.isfinite(evidence.real[g, position]).all())
        for side in (group.units, group.against)
    )
    is_single = len(group.units) == 1 and not group.against
    initiative = plan.units[group.units[0]].initiative if group.units else ""
    is_inside = is_single and sum(u.initiative == initiative for u in plan.units) > 1
    return Case(
        group=group,
        position=position,
        outcome=outcome,
        measure=evidence.measures[position],
        units=units,
        disjoint=apart,
        against=against,
        n_places=sum(len(plan.machine.banks[g].pieces) for g in (*units, *against)),
        outcome_is_primary=plan.primary[position],
        is_inside=is_inside,
        is_one_place=is_single and not is_inside and evidence.is_place(group.units[0]),
    )


def draw_case(evidence: Evidence, case: Case) -> InferredCase:
    """Estimate a case and compare it with its placebos."""
    reason = why_not(evidence, case)
    if reason:
        return InferredCase(case, reason)
    bare = why_no_interval(evidence, case)
    if bare:
        return InferredCase(case, bare, is_bare=True)
    real, drawn = evidence.real[:, case.position], evidence.drawn[:, :, case.position]
    return InferredCase(case, "", case.infer(real, drawn))


def _finding(evidence: Evidence, drawn: InferredCase, judged: JointPlace | None) -> Finding:
    """Return one finding."""
    case, found = drawn.case, drawn.found
    about = subject(evidence, case)
    if drawn.is_bare:
        return _bare(evidence, drawn, about)
    if found is None or judged is None:
        return replace(about, caveats=(drawn.reason,))
    maryland, gap, gap_interval, remarks = grade(evidence, case)
    back, why = held_back(evidence, case)
    ends = found.ends(judged.critical, 1 - evidence.level)
    interval = case.interval(IntervalKind.JOINT, ends, judged.p_value, evidence.level)
    total = evidence.real[list(case.units), case.position].sum(axis=0)
    least = found.detectable(case.better, judged.critical)  # the smallest effect that the verdict would find
    mde = case.printed(least)
    verdict = decide(interval, case.measure.smallest, case.better, case.claim)
    if back:
        verdict = Verdict.CANNOT_TELL
    if not case.is_primary:
        verdict = Verdict.DESCRIBED
    return replace(
        with_amounts(about, case, total, found.estimate),
        mde=mde,
        exaggeration=None if mde is None or least == 0 else found.exaggeration(least, judged.critical),
        verdict=verdict,
        held_back=back,
        estimate=case.printed(found.estimate),
        interval=interval,
        n_together=judged.n,
        single=case.interval(IntervalKind.SINGLE, (found.low, found.high), found.p_value),
        p_step_down=judged.p_step_down,
        bias=case.printed(found.centre),
        bias_error=found.centre_error,
        estimate_centred=case.printed(found.estimate - found.centre),
        companions=companions(evidence, case, found.estimate),
        maryland=maryland,
        held_out=gap,
        held_out_interval=gap_interval,
        placebos=found.n_draws,
        n_disjoint_placebos=case.disjoint[0],
        n_disjoint_neighbourhoods=case.disjoint[1],
        caveats=(*caveats_of(evidence, found, case, interval, why), *remarks, *evidence.plan.warnings),
    )


def _bare(evidence: Evidence, drawn: InferredCase, about: Finding) -> Finding:
    """Return the finding of an effect that has no interval."""
    case = drawn.case
    real = evidence.real[:, case.position]
    estimate = float(case.statistic(real))
    return replace(
        with_amounts(about, case, real[list(case.units)].sum(axis=0), estimate),
        verdict=Verdict.CANNOT_TELL if case.is_primary else Verdict.DESCRIBED,
        held_back=drawn.reason,
        estimate=case.printed(estimate),
        caveats=(phrase("conclude.number_interval", reason=drawn.reason), *evidence.plan.warnings),
    )


def why_not(evidence: Evidence, case: Case) -> str:
    """Return why a case cannot be estimated; empty where it can."""
    sides = (case.group.units, *([case.group.against] if case.group.against else []))
    planned = why_not_planned(evidence.study, evidence.plan, case.measure, case.position, sides)
    if planned:
        return planned
    estimate = float(case.statistic(evidence.real[:, case.position]))
    count = float(case.counts(evidence.real[:, case.position]))
    if case.is_ratio and count < FEW_EVENTS:
        what = f"only {count:.0f} {case.outcome.unit_title} in the latest year"
        return f"{what}: too few for a percentage"
    return "" if np.isfinite(estimate) else PHRASES["conclude.total_zero"]


def why_no_interval(evidence: Evidence, case: Case) -> str:
    """Return why an effect that can be estimated has no interval; empty where it has one."""
    drawn = evidence.drawn[:, :, case.position]
    placebos = case.statistic(drawn)
    placebos = placebos[np.isfinite(placebos)]
    if len(placebos) < MIN_PLACEBOS:
        return PHRASES["conclude.too_few"]
    size = 1.0 if case.is_ratio else float(np.nanmax(np.abs(evidence.measures[case.position].values)))
    if placebos.std() <= ROUNDING * size:
        return PHRASES["conclude.every_placebo"]
    return ""


#: Of a study that says so of itself, first among its notes.
EXPLORATORY = PHRASES["notes.exploratory_outcomes"]


def method_notes(file: StudyFile, data: Assembled, plan: Plan) -> list[str]:
    """Return the remarks, in the order of reading; outcomes after a start may be in them."""
    panel, grouping = data.panel, file.study.analysis.placebo_neighbourhoods
    full = np.logical_and.reduce([m.observed.all(axis=1) for m in panel.measures.values()])
    notes = [
        *([EXPLORATORY] if file.study.study.exploratory else []),
        phrase("notes.areas_value", whole=f"{full.sum():,}", n=f"{len(panel.areas):,}"),
        *_raw_changes(data, plan),
    ]
    changes = [d for d in plan.designs if d.claim == "change"]
    if left := [d for d in changes if not d.exact]:
        most = f"{max(d.imbalance for d in left):.2f}"
        notes.append(phrase("notes.neighbourhoods_weights", n=len(left), n_2=len(changes), most=most))
    if len(plan.units) < MIN_CLUSTERS:
        notes.append(phrase("notes.cluster_robust", fewest=MIN_CLUSTERS, n_neighbourhoods=len(plan.units)))
    if grouping:
        n = len(plan.machine.banks[0].pieces[0])
        return [*notes, f"Placebo neighbourhoods are the {n} eligible groups of {grouping}."]
    if data.boundaries is None or file.study.design.unit == "programme":
        why = "The areas have no boundaries" if data.boundaries is None else "A programme is one unit"
        return [*notes, phrase("notes.placebo_programmes", why=why)]
    return [*notes, PHRASES["notes.placebo_neighbourhoods"]]


def _raw_changes(data: Assembled, plan: Plan) -> list[str]:
    """Say what leaving treated areas out does to the raw change of the first outcome."""
    measure = next(iter(data.panel.measures.values()))
    treated = np.concatenate([unit.areas for unit in plan.units])
    notes = []
    for place in data.neighbourhoods:
        kept = np.intersect1d(place.areas, treated)
        if len(kept) in (0, len(place.areas)):
            continue
        with_them, without = (_raw_change(measure, place, a) for a in (place.areas, kept))
        if with_them and without:
            notes.append(
                phrase(
                    "notes.raw_change",
                    group=place.name,
                    what=measure.name.replace("_", " "),
                    with_them=with_them,
                    without=without,
                )
            )
    return notes


def _raw_change(measure: Measure, place: Neighbourhood, areas: Ints) -> str:
    before, after = measure.periods.split(place.start, place.start_kind)
    cells = np.nan_to_num(measure.values[areas])
    pre = cells[:, before].sum() / max(1, before.stop - before.start)
    post = cells[:, after].sum() / max(1, after.stop - after.start)
    if pre == 0:
        return ""
    return f"{100 * (post / pre - 1):+.1f}%".replace("-", "\N{MINUS SIGN}")


_LINEARISED_LEVEL = 0.9


def companions(evidence: Evidence, case: Case, estimate: float) -> tuple[Interval, ...]:
    """Return the companions a study asks for and a finding can carry.

    Linearised, of any number of neighbourhoods, for ratios of change; from ten neighbourhoods on,
    cluster-robust for the same, and the bootstrap over neighbourhoods for every form. Where a kind
    is missing for want of neighbourhoods, a note says why.
    """
    asked = evidence.study.analysis
    found: list[Interval | None] = []
    is_change = case.is_ratio and case.claim is Claim.CHANGE
    parts = _parts(evidence, case) if asked.linearised and is_change else []
    if parts:
        found.append(linearised_ratio(parts, estimate, _LINEARISED_LEVEL, case.outcome.better))
    if is_change:
        found.append(clustered_ratio(evidence.real[list(case.units), case.position]))
    n, n_against = len(case.units), len(case.against)
    totals = evidence.real[[*case.units, *case.against], case.position]
    own = replace(case, units=tuple(range(n)), against=tuple(range(n, n + n_against)))
    sides = [n, n_against] if n_against else [n]
    rng = generator(Use.BOOTSTRAP, evidence.study.study.seed, case.position)
    found.append(bootstrap(totals, sides, own.statistic, case.printed, rng))
    return tuple(one for one in found if one is not None)


def _parts(evidence: Evidence, case: Case) -> list[Compared]:
    arm = evidence.plan.arm_of(case.position)
    values, found = case.measure.values, []
    for g in case.units:
        areas, chosen = evidence.plan.units[g].areas, evidence.plan.benchmark_of(case.position)[g]
        if chosen is None:
            return []
        used = np.flatnonzero(arm.used(g, areas)[case.position][1])
        found.append(
            Compared(
                members=areas,
                pool=chosen.pool,
                treated=values[np.ix_(areas, used)],
                outside=values[np.ix_(chosen.pool, used)],
                weights=chosen.weights,
                periods=used,
            )
        )
    return found
