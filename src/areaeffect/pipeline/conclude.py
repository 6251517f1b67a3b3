"""From totals to findings: effects, placebo inference, adjustment, verdicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.inference import PlaceboInference, finite_pool_factor, infer
from areaeffect.estimate.linearised import linearised_ratio
from areaeffect.estimate.multiplicity import max_t
from areaeffect.estimate.verdict import decide, placebos_carry
from areaeffect.pipeline.plan import disjoint
from areaeffect.results import ALL_INITIATIVES, Finding, PlaceboDraws, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.panel import Measure, Neighbourhood
    from areaeffect.pipeline.plan import Plan
    from areaeffect.results import Companion, Floats
    from areaeffect.study import Outcome, Study

_MIN_PLACEBOS = 39
_FEW_EVENTS = 20
_LINEARISED_LEVEL = 0.9
_SEVERAL = 2


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Units that a finding speaks of: one initiative, or all."""

    name: str
    initiative: str
    units: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Draft:
    """A finding before the adjustment for several findings."""

    finding: Finding
    inference: PlaceboInference | None
    placebos: Floats
    is_ratio: bool


def groups_of(units: Sequence[Neighbourhood]) -> list[Group]:
    """One group an initiative, and one of all where there are several."""
    names = list(dict.fromkeys(u.initiative for u in units))
    groups = [
        Group(n, n, tuple(g for g, u in enumerate(units) if u.initiative == n)) for n in names
    ]
    if len(names) > 1:
        groups.append(Group(ALL_INITIATIVES, ALL_INITIATIVES, tuple(range(len(units)))))
    return groups


def conclude(
    study: Study, plan: Plan, measures: Sequence[Measure], real: Floats, drawn: Floats
) -> tuple[tuple[Finding, ...], tuple[PlaceboDraws, ...]]:
    """Write every finding.

    Parameters
    ----------
    study, plan, measures : the study, its sealed plan and its outcomes in order.
    real : (n_units, n_outcomes, N_TOTALS).
    drawn : (n_draws, n_units, n_outcomes, N_TOTALS).
    """
    drafts = []
    for group in groups_of(plan.units):
        separate = disjoint(plan, group.units)
        for o, outcome in enumerate(study.outcome):
            forms = ("ratio", "additive") if outcome.kind == "count" else ("additive",)
            for form in forms:
                drafts.append(
                    _draft(study, plan, measures, real, drawn, group, o, outcome, form, separate)
                )
    drafts = _adjust(drafts)
    findings = _with_verdicts(drafts)
    draws = tuple(
        PlaceboDraws(
            f.group,
            f.outcome,
            f.claim,
            f.form,
            tuple(float(x) for x in (np.expm1(d.placebos) if d.is_ratio else d.placebos)),
        )
        for f, d in zip(findings, drafts, strict=True)
        if d.inference is not None
    )
    return findings, draws


def _draft(
    study: Study,
    plan: Plan,
    measures: Sequence[Measure],
    real: Floats,
    drawn: Floats,
    group: Group,
    o: int,
    outcome: Outcome,
    form: str,
    separate: tuple[int, int],
) -> _Draft:
    units = [g for g in group.units if np.isfinite(real[g, o]).all()]
    bare = _bare(plan, group, outcome, form, units, measures[o])
    lost = len(group.units) - len(units)
    caveats = (
        [f"{lost} of {len(group.units)} neighbourhoods have too many gaps or no pool for this."]
        if lost
        else []
    )
    if not units:
        reason = "no neighbourhood has enough periods before and after its start without gaps"
        return _not_estimable(bare, reason)
    total = real[units, o].sum(axis=0)
    placebo_totals = drawn[:, units, o].sum(axis=1)
    is_ratio = form == "ratio"
    statistic = cf.log_ratio if is_ratio else cf.rate_difference
    estimate = float(statistic(total, outcome.claim))
    placebos = np.asarray(statistic(placebo_totals, outcome.claim))
    if outcome.kind == "count" and outcome.claim == "change":
        before = total[cf.OBSERVED_PRE]
        if is_ratio and before < _FEW_EVENTS:
            return _not_estimable(
                bare,
                f"only {before:.0f} {outcome.unit_title} before the start: too few for a percentage",
            )
    if not np.isfinite(estimate):
        return _not_estimable(bare, "a total is zero, so there is no ratio to take")
    good = np.isfinite(placebos)
    if good.sum() < _MIN_PLACEBOS:
        return _not_estimable(bare, "too few placebo programmes could be drawn from the pool")
    placebos = placebos[good]
    count_position = cf.OBSERVED_POST if outcome.claim == "level" else cf.OBSERVED_PRE
    counts = placebo_totals[good, count_position] if is_ratio else np.ones(good.sum())
    found = infer(
        estimate,
        placebos,
        counts,
        float(total[count_position]) if is_ratio else 1.0,
        outcome.better,
        finite_pool_factor(len(units), separate[1]) if separate[0] < _plenty() else 1.0,
    )
    finding = _filled(bare, outcome, total, estimate, found, is_ratio, len(placebos))
    finding = replace(
        finding,
        n_disjoint_placebos=separate[0],
        n_disjoint_neighbourhoods=separate[1],
        caveats=(*caveats, *_caveats(found, outcome, len(units), separate)),
        companions=_companions(study, plan, measures[o], outcome, units, form),
    )
    return _Draft(finding, found, placebos, is_ratio)


def _plenty() -> int:
    from areaeffect.estimate.verdict import MIN_DISJOINT_PROGRAMMES  # noqa: PLC0415

    return MIN_DISJOINT_PROGRAMMES


def _bare(
    plan: Plan, group: Group, outcome: Outcome, form: str, units: list[int], measure: Measure
) -> Finding:
    arm = next(a for a in plan.machine.arms if measure.name in _names(a))
    index = plan.machine.arms.index(arm)
    chosen = [plan.chosen[index][g] for g in units]
    weight: dict[int, float] = {}
    for w in chosen:
        if w is not None:
            for area, value in zip(w.pool, w.weights, strict=True):
                if value > 0:
                    weight[int(area)] = weight.get(int(area), 0.0) + float(value)
    heavy = np.array(list(weight.values()) or [0.0])
    is_ratio = form == "ratio"
    threshold = outcome.smallest_effect_of_interest
    span = "year" if measure.periods.kind.per_year else "period"
    per = f"per 1,000 a {span}" if measure.exposure is not None else f"per area and {span}"
    return Finding(
        initiative=group.initiative,
        group=group.name,
        neighbourhood=None,
        family=outcome.family,
        outcome=outcome.name,
        label=outcome.title,
        claim=outcome.claim,
        form=form,
        estimand=_estimand(outcome, form),
        unit="fraction"
        if is_ratio
        else (outcome.unit_title if outcome.kind == "score" else f"{outcome.unit_title} {per}"),
        better=outcome.better,
        threshold=threshold,
        verdict=Verdict.NOT_ESTIMABLE,
        n_neighbourhoods=len(units),
        n_areas=int(sum(len(plan.units[g].areas) for g in units)),
        n_benchmark_areas=len(weight),
        n_effective=float(heavy.sum() ** 2 / (heavy**2).sum()) if weight else None,
        pre=_span(plan, measure, units, side=0),
        post=_span(plan, measure, units, side=1),
        primary=outcome.primary and (is_ratio or outcome.kind == "score"),
    )


def _names(arm: object) -> set[str]:
    from areaeffect.pipeline.cohorts import ClaimCohorts  # noqa: PLC0415

    if not isinstance(arm, ClaimCohorts):
        raise TypeError(arm)
    return {arm.measures[o].name for o in arm.outcomes}


def _estimand(outcome: Outcome, form: str) -> str:
    if outcome.claim == "level":
        return "difference from benchmark areas in the latest year, after weighting"
    kind = "ratio of totals" if form == "ratio" else "difference of changes in rates"
    if outcome.kind == "score":
        kind = "difference of changes in means"
    return f"realised effect on these neighbourhoods from their start on, {kind}"


def _span(plan: Plan, measure: Measure, units: Sequence[int], *, side: int) -> str:
    """First and last period on one side of the starts, over the units."""
    labels = measure.periods.labels
    first, last = len(labels), -1
    for g in units or range(len(plan.units)):
        unit = plan.units[g]
        part = measure.periods.split(unit.start, unit.start_kind)[side]
        if part.stop > part.start:
            first, last = min(first, part.start), max(last, part.stop - 1)
    if last < 0:
        return ""
    return labels[first] if first == last else f"{labels[first]} to {labels[last]}"


def _not_estimable(bare: Finding, reason: str) -> _Draft:
    return _Draft(replace(bare, caveats=(reason,)), None, np.empty(0), bare.form == "ratio")


def _filled(
    bare: Finding,
    outcome: Outcome,
    total: Floats,
    estimate: float,
    found: PlaceboInference,
    is_ratio: bool,  # noqa: FBT001  # which scale the numbers are on
    n_placebos: int,
) -> Finding:
    def shown(value: float) -> float | None:
        number = float(np.expm1(value)) if is_ratio else float(value)
        return number if np.isfinite(number) else None

    per = 1000.0 if "per 1,000" in bare.unit else 1.0

    def scaled(value: float) -> float | None:
        number = shown(value)
        return None if number is None else number * per

    counts = outcome.kind == "count"
    expected = cf.expected_total(total, outcome.claim) if counts else None
    observed = float(total[cf.OBSERVED_POST]) if counts else None
    if not counts:
        observed = float(total[cf.OBSERVED_POST] / total[cf.EXPOSURE_POST])
        expected = observed - estimate
    return replace(
        bare,
        estimate=scaled(estimate),
        low=scaled(found.low),
        high=scaled(found.high),
        low_90=scaled(found.low_90),
        high_90=scaled(found.high_90),
        p_value=found.p_value,
        p_one_sided=found.p_one_sided,
        bias=scaled(found.centre),
        bias_error=found.centre_error * per,
        estimate_centred=scaled(estimate - found.centre),
        mde=scaled(found.mde),
        observed=observed,
        counterfactual=expected,
        avoided=None if not counts or expected is None or observed is None else expected - observed,
        placebos=n_placebos,
        maryland=2,
    )


def _caveats(
    found: PlaceboInference, outcome: Outcome, n: int, separate: tuple[int, int]
) -> list[str]:
    caveats = []
    if not placebos_carry(n, *separate):
        caveats.append(
            f"Only {separate[0]} placebo programmes of this size share no area (20 are needed), "
            f"so no verdict is given."
        )
    if found.centre_is_off:
        caveats.append(
            "The placebo programmes are not centred on zero, so the design itself may lean."
        )
    if outcome.claim == "level":
        caveats.append(
            "A difference in level is not an effect: the areas may have differed before."
        )
    else:
        caveats.append(
            "Graded 2 on the Maryland scale: the gap in the last year before the start, which "
            "grade 3 asks for, has not been tested on a design that leaves it out."
        )
    return caveats


def _companions(
    study: Study, plan: Plan, measure: Measure, outcome: Outcome, units: list[int], form: str
) -> tuple[Companion, ...]:
    if not study.analysis.linearised or form != "ratio" or len(units) != 1:
        return ()
    if outcome.claim != "change":
        return ()
    index = next(i for i, a in enumerate(plan.machine.arms) if measure.name in _names(a))
    chosen = plan.chosen[index][units[0]]
    unit = plan.units[units[0]]
    _, after = measure.periods.split(unit.start, unit.start_kind)
    if chosen is None:
        return ()
    return (
        linearised_ratio(
            measure.values[unit.areas, after],
            measure.values[chosen.pool, after],
            chosen.weights,
            _LINEARISED_LEVEL,
            outcome.better,
        ),
    )


def _adjust(drafts: list[_Draft]) -> list[_Draft]:
    """Widen the primary findings' intervals so that they hold together (max-T)."""
    primary = [i for i, d in enumerate(drafts) if d.inference is not None and d.finding.primary]
    if len(primary) < _SEVERAL:
        return drafts
    inferences = [drafts[i].inference for i in primary]
    kept = [x for x in inferences if x is not None]
    length = min(len(x.statistics) for x in kept)
    joint = max_t(
        [x.statistics[:length] for x in kept],
        [x.statistic for x in kept],
        [x.critical for x in kept],
    )
    adjusted = list(drafts)
    for k, (i, found) in enumerate(zip(primary, kept, strict=True)):
        draft = drafts[i]
        low = (found.statistic - joint.high[k]) * found.scale
        high = (found.statistic - joint.low[k]) * found.scale
        if draft.is_ratio:
            low, high = float(np.expm1(low)), float(np.expm1(high))
        per = 1000.0 if "per 1,000" in draft.finding.unit else 1.0
        finding = replace(
            draft.finding,
            p_adjusted=float(max(joint.p_adjusted[k], found.p_value)),
            low_adjusted=low * per,
            high_adjusted=high * per,
        )
        adjusted[i] = replace(draft, finding=finding)
    return adjusted


def _with_verdicts(drafts: Sequence[_Draft]) -> tuple[Finding, ...]:
    """Decide each leading finding; the additive form beside a ratio carries its verdict."""
    verdicts = {
        (d.finding.group, d.finding.outcome): _verdict(d)
        for d in drafts
        if d.is_ratio or d.finding.unit.find(" per ") < 0
    }
    return tuple(
        d.finding
        if d.inference is None
        else replace(d.finding, verdict=verdicts[d.finding.group, d.finding.outcome])
        for d in drafts
    )


def _verdict(draft: _Draft) -> Verdict:
    f = draft.finding
    low = f.low_adjusted if f.low_adjusted is not None else f.low
    high = f.high_adjusted if f.high_adjusted is not None else f.high
    if low is None or high is None or f.low_90 is None or f.high_90 is None:
        return f.verdict
    carried = placebos_carry(
        f.n_neighbourhoods, f.n_disjoint_placebos or 0, f.n_disjoint_neighbourhoods or 0
    )
    threshold = (-f.threshold, f.threshold)
    return decide((low, high), (f.low_90, f.high_90), threshold, f.better, carried=carried)
