"""The parts of a finding other than its verdict: subject, numbers and caveats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

import numpy as np

from areaeffect.assembly.change_claims import crossed_breaks
from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.inference import MOST_TAKEN, PlaceboInference, ReferencePlaces
from areaeffect.findings.case import Case, Evidence
from areaeffect.findings.grading import NO_OVERLAP, worst_balance
from areaeffect.findings.plan import Plan
from areaeffect.findings.units import share
from areaeffect.outcomes import estimand
from areaeffect.panel import Measure
from areaeffect.results import LEVEL, Finding, Floats, Form, Interval, Verdict
from areaeffect.wording.numbers import PHRASES, phrase

_PER = 1000.0
#: A finding mentions growth of the exposure that differs by more than this log ratio.
_MUCH_GROWTH = 0.1
#: A finding mentions a programme with this share of the pool: its interval is a tenth wider.
_MUCH_OF_THE_POOL = 0.2
#: A finding mentions that it rests on fewer neighbourhoods than this.
_FEW_NEIGHBOURHOODS = 10


class Amounts(TypedDict, total=False):
    """The fields of a finding that say what was counted, expected and avoided."""

    observed: float
    counterfactual: float
    avoided: float


def subject(evidence: Evidence, case: Case) -> Finding:
    """Return a finding that says what it is about, and has no result yet."""
    plan, outcome, measure = evidence.plan, case.outcome, case.measure
    weight: dict[int, float] = {}
    units = (*case.units, *case.against)
    for g in units:
        chosen = plan.benchmark_of(case.position)[g]
        if chosen is not None:
            for area, value in zip(chosen.pool, chosen.weights, strict=True):
                if value > 0:
                    weight[int(area)] = weight.get(int(area), 0.0) + float(value)
    heavy = np.array(list(weight.values()) or [0.0])
    return Finding(
        initiative=case.group.initiative or case.group.name,
        group=case.group.name,
        neighbourhood=case.group.neighbourhood,
        family=outcome.family,
        outcome=outcome.name,
        label=outcome.title,
        claim=case.claim,
        form=case.form,
        estimand=_estimand(plan, case, case.form),
        unit=outcome.unit_title,
        better=case.better,
        threshold=measure.smallest,
        n_neighbourhoods=len(units),
        n_areas=int(sum(len(plan.units[g].areas) for g in units)),
        n_benchmark_areas=len(weight),
        n_effective=float(heavy.sum() ** 2 / (heavy**2).sum()) if weight else None,
        pre=_span(plan, measure, units, side=0, latest=False),
        post=_span(plan, measure, units, side=1, latest=outcome.claim == "level"),
        primary=case.is_primary,
        is_one_place=case.is_one_place,
        attribute=case.group.attribute,
        verdict=Verdict.NOT_ESTIMABLE,
    )


def _estimand(plan: Plan, case: Case, form: Form) -> str:
    phased = any(plan.units[g].phase_in for g in (*case.units, *case.against))
    return estimand(case.claim, form, case.outcome.kind, phased=phased)


def in_rates(evidence: Evidence, case: Case, ratio: Finding) -> Finding:
    """Return the additive form of a finding on counts: its ratio times the expected rate."""
    span = "year" if case.measure.periods.kind.per_year else "period"
    has_exposure = case.measure.exposure is not None
    unit = f"{case.outcome.unit_title} per {'1,000 a' if has_exposure else 'area and'} {span}"
    exposure = evidence.real[list(case.units), case.position, cf.EXPOSURE_POST].sum()
    factor = 1.0
    if ratio.estimate is not None and ratio.counterfactual is not None:
        factor = ratio.counterfactual / float(exposure) * (_PER if has_exposure else 1.0)
    return _in_units(ratio, factor, unit, _estimand(evidence.plan, case, Form.ADDITIVE))


def _span(plan: Plan, measure: Measure, units: Sequence[int], *, side: int, latest: bool) -> str:
    """Return the first and last period before or after the starts, or of the latest year."""
    labels = measure.periods.labels
    last_year = len(labels) - (measure.periods.kind.per_year or 1)
    first, last = len(labels), -1
    for g in units or range(len(plan.units)):
        unit = plan.units[g]
        begin = unit.counted_from if side else (unit.start, unit.start_kind)
        part = measure.periods.split(*begin)[side]
        if part.stop > part.start:
            earliest = max(part.start, last_year) if latest else part.start
            first, last = min(first, earliest), max(last, part.stop - 1)
    if last < 0:
        return ""
    return labels[first] if first == last else f"{labels[first]} to {labels[last]}"


def amounts_of(case: Case, total: Floats, estimate: float) -> Amounts:
    """Return what was observed, expected and avoided; nothing for a contrast."""
    if case.group.against:  # its two sides have no common total
        return {}
    if not case.is_ratio:
        mean = float(total[cf.OBSERVED_POST] / total[cf.EXPOSURE_POST])
        return {"observed": mean, "counterfactual": mean - estimate}
    observed = float(total[cf.OBSERVED_POST])
    expected = cf.expected_total(total, case.outcome.claim)
    return {"observed": observed, "counterfactual": expected, "avoided": expected - observed}


def held_back(evidence: Evidence, case: Case) -> str:
    """Return why the verdict of a case must be 'cannot tell'; empty where it need not be."""
    if not evidence.has_geometry and not _is_one_area(evidence, case):
        return PHRASES["finding.study_does"]
    name = _without_overlap(evidence, case)
    if name:
        return phrase("finding.untreated_areas", name=name)
    return _unreachable(evidence, case) or too_few_places(case.places)


def _unreachable(evidence: Evidence, case: Case) -> str:
    """Return why nothing can be concluded at a planned look; empty where something can."""
    least = max(2 / (evidence.study.analysis.placebos + 1), case.places.least_p)
    if evidence.plan.look is None or least <= evidence.plan.look.error:
        return ""
    error = share(evidence.plan.look.error)
    return phrase("finding.look_unreachable", least=share(least), error=error)


def _without_overlap(evidence: Evidence, case: Case) -> str:
    """Return in what no benchmark areas are like the places of a change; empty where some are.

    A score that chose the places sets them apart by what it is: checks at the cut speak of it.
    """
    score, panel = evidence.study.design.score, evidence.plan.leading.panel
    columns = [covariate.column for covariate in evidence.study.design.covariates]
    by = panel.covariate_names[columns.index(score)] if score else ""
    name, apart = worst_balance(evidence, case, but=by)
    is_change = case.outcome.claim == "change"
    return name.replace("_", " ") if is_change and apart > NO_OVERLAP else ""


def _is_one_area(evidence: Evidence, case: Case) -> bool:
    """Tell whether the programme is one area, so that its placebos are single areas too."""
    units = (*case.units, *case.against)
    return len(units) == 1 and len(evidence.plan.units[units[0]].areas) == 1


def too_few_places(places: ReferencePlaces) -> str:
    """Return why a pool has too few places to judge a programme; empty where it has enough."""
    if places.least_p > 1 - LEVEL:
        return phrase("finding.separate_places", disjoint=places.disjoint)
    if places.share > MOST_TAKEN:
        return f"its {places.programme} places are most of the pool's {places.disjoint}"
    return ""


def _why_held_back(evidence: Evidence, case: Case) -> tuple[str, ...]:
    if not evidence.has_geometry and not _is_one_area(evidence, case):
        return (PHRASES["finding.areas_touch"],)
    if name := _without_overlap(evidence, case):
        return (phrase("finding.whatever_their", name=name, no_overlap=f"{NO_OVERLAP:g}"),)
    if too_few_places(case.places) and not case.is_inside:
        return (
            phrase("finding.pool_holds", disjoint=case.places.disjoint, least_p=f"{case.places.least_p:.3f}"),
        )
    return ()


def _grown(evidence: Evidence, case: Case) -> list[str]:
    """Say where exposure grew differently in the treated and in the benchmark areas."""
    first, last = case.measure.exposure, case.measure.exposure_at_end
    if first is None or last is None:
        return []
    units, chosen = (*case.units, *case.against), evidence.plan.benchmark_of(case.position)
    treated = np.concatenate([evidence.plan.units[g].areas for g in units])
    pool = np.concatenate([w.pool for g in units if (w := chosen[g]) is not None])
    weights = np.concatenate([w.weights for g in units if (w := chosen[g]) is not None])
    own = np.nansum(last[treated]) / np.nansum(first[treated]) - 1
    other = np.nansum(weights * last[pool]) / np.nansum(weights * first[pool]) - 1
    if not abs(np.log((1 + own) / (1 + other))) > _MUCH_GROWTH:
        return []
    return [phrase("finding.first_period", own=f"{own:+.0%}", other=f"{other:+.0%}")]


def caveats_of(
    evidence: Evidence, found: PlaceboInference, case: Case, interval: Interval
) -> tuple[str, ...]:
    """Return the caveats of a finding."""
    caveats = [str(evidence.plan.look)] if evidence.plan.look else []
    caveats += _why_held_back(evidence, case) or _on_the_edge(
        case, interval.p_value or 0.0, found.n_draws, 1 - evidence.level
    )
    if None in {interval.low, interval.high} and case.places.least_p > 1 - evidence.level:
        caveats.append(phrase("finding.open_end", least_p=f"{case.places.least_p:.3f}"))
    lost = len(case.group.units) + len(case.group.against) - case.n_units
    if lost:
        caveats.append(phrase("finding.neighbourhoods_too", lost=lost, all=lost + case.n_units))
    if case.places.taken >= _MUCH_OF_THE_POOL:
        caveats.append(phrase("finding.places_many", n_places=case.n_places, disjoint=case.places.disjoint))
    if case.is_one_place:
        caveats.append(PHRASES["finding.one_place"])
    elif case.n_units < _FEW_NEIGHBOURHOODS:
        n, places = case.n_units, "place" if case.n_units == 1 else "places"
        caveats.append(phrase("finding.however_many", n=n, places=places))
    caveats += _grown(evidence, case)
    caveats += [
        phrase("finding.periods_run", month=b.month, reason=b.reason)
        for b in crossed_breaks(case.outcome, case.measure)
    ]
    if found.centre_is_off:
        caveats.append(PHRASES["finding.placebo_programmes"])
    if case.outcome.claim == "level":
        caveats.append(PHRASES["finding.difference_level"])
    return tuple(caveats)


def _on_the_edge(case: Case, p_value: float, n: int, alpha: float) -> list[str]:
    """Say where other draws of as many placebo programmes may well lie across the level.

    Two Monte Carlo errors of a two-sided p-value, 2 times a share of n draws.
    """
    known_within = 4 * float(np.sqrt(alpha / 2 * (1 - alpha / 2) / n))
    at_least = p_value <= case.places.least_p  # however many are drawn it is no smaller
    if not case.is_primary or at_least or abs(p_value - alpha) > known_within:
        return []
    return [
        f"The verdict is close: with {n} placebo programmes p is known to within {known_within:.1g}, and it "
        f"is {p_value:.3f}. Others could give another verdict; drawing more would settle it."
    ]


def _in_units(ratio: Finding, factor: float, unit: str, estimand: str) -> Finding:
    """Return a ratio in its additive form: every fraction times what was expected.

    With theta on the log scale the additive effect is factor x (e^theta - 1), for the estimate
    and for every end alike: the two forms never disagree.
    """

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * factor

    def moved(interval: Interval | None) -> Interval | None:
        return interval and interval.times(factor)

    return replace(
        ratio,
        form=Form.ADDITIVE,
        unit=unit,
        estimand=estimand,
        primary=False,
        threshold=ratio.threshold * factor,
        estimate=scaled(ratio.estimate),
        interval=moved(ratio.interval),
        single=moved(ratio.single),
        held_out_interval=moved(ratio.held_out_interval),
        companions=tuple(c.times(factor) for c in ratio.companions),
        bias=scaled(ratio.bias),
        bias_error=scaled(ratio.bias_error),
        estimate_centred=scaled(ratio.estimate_centred),
        mde=scaled(ratio.mde),
        held_out=scaled(ratio.held_out),
    )
