"""The parts of a finding other than its verdict: subject, numbers, strength of evidence, caveats.

Exact calibration on the whole history makes the gap before the start zero by construction, so that
gap is no test. A second design leaves the last year out and forecasts it. The forecast holds where
the 90% interval of its gap lies inside the smallest effect of interest (two one-sided tests at 5%:
Schuirmann 1987, doi 10.1007/BF01068419; for trends before a start: Hartman & Hidalgo 2018, doi
10.1111/ajps.12387). A gap that is merely not significant does not show this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.assembly.measures import crossed_breaks
from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.inference import MOST_TAKEN, TWO_ONE_SIDED, PlaceboInference, ReferencePlaces
from areaeffect.findings.case import Case, Evidence
from areaeffect.findings.plan import Plan
from areaeffect.findings.units import share
from areaeffect.outcomes import BEST_GRADE, estimand
from areaeffect.panel import Measure
from areaeffect.results import LEVEL, Finding, Floats, Form, Interval, IntervalKind, Verdict
from areaeffect.wording.numbers import PHRASES, phrase

_PER = 1000.0
#: A finding mentions growth of the exposure that differs by more than this log ratio.
_MUCH_GROWTH = 0.1
#: A finding mentions a programme with this share of the pool: its interval is a tenth wider.
_MUCH_OF_THE_POOL = 0.2
#: A finding mentions that it rests on fewer neighbourhoods than this.
_FEW_NEIGHBOURHOODS = 10


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
        estimand=estimand(case.claim, case.form, outcome.kind, phased=_is_phased(plan, case)),
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


def _is_phased(plan: Plan, case: Case) -> bool:
    return any(plan.units[g].phase_in for g in (*case.units, *case.against))


def in_rates(evidence: Evidence, case: Case, ratio: Finding) -> Finding:
    """Return the additive form of a finding on counts: every fraction times the expected rate.

    With theta on the log scale the additive effect is factor x (e^theta - 1), for the estimate
    and for every end alike: the two forms never disagree.
    """
    span = "year" if case.measure.periods.kind.per_year else "period"
    has_exposure = case.measure.exposure is not None
    unit = f"{case.outcome.unit_title} per {'1,000 a' if has_exposure else 'area and'} {span}"
    exposure = evidence.real[list(case.units), case.position, cf.EXPOSURE_POST].sum()
    factor = 1.0
    if ratio.estimate is not None and ratio.counterfactual is not None:
        factor = ratio.counterfactual / float(exposure) * (_PER if has_exposure else 1.0)

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * factor

    def moved(interval: Interval | None) -> Interval | None:
        return interval and interval.times(factor)

    phased = _is_phased(evidence.plan, case)
    return replace(
        ratio,
        form=Form.ADDITIVE,
        unit=unit,
        estimand=estimand(case.claim, Form.ADDITIVE, case.outcome.kind, phased=phased),
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


def with_amounts(about: Finding, case: Case, total: Floats, estimate: float) -> Finding:
    """Say what was observed, expected and avoided; nothing for a contrast.

    Parameters
    ----------
    total : (N_TOTALS,), added up over the group.
    estimate : on the scale of the statistic.
    """
    if case.group.against:  # its two sides have no common total
        return about
    if not case.is_ratio:
        mean = float(total[cf.OBSERVED_POST] / total[cf.EXPOSURE_POST])
        return replace(about, observed=mean, counterfactual=mean - estimate)
    observed, expected = float(total[cf.OBSERVED_POST]), cf.expected_total(total, case.outcome.claim)
    return replace(about, observed=observed, counterfactual=expected, avoided=expected - observed)


def held_back(evidence: Evidence, case: Case) -> tuple[str, tuple[str, ...]]:
    """Return why the verdict must be 'cannot tell', empty where it need not be, and its caveats."""
    if _is_without_geometry(evidence, case):
        return PHRASES["finding.study_does"], (PHRASES["finding.areas_touch"],)
    if name := _without_overlap(evidence, case):
        caveat = phrase("finding.whatever_their", name=name, no_overlap=f"{NO_OVERLAP:g}")
        return phrase("finding.untreated_areas", name=name), (caveat,)
    few, least = too_few_places(case.places), case.places.least_p
    caveats: tuple[str, ...] = ()
    if few and not case.is_inside:
        caveats = (phrase("finding.pool_holds", disjoint=case.places.disjoint, least_p=f"{least:.3f}"),)
    least = max(2 / (evidence.study.analysis.placebos + 1), least)
    if evidence.plan.look is not None and least > evidence.plan.look.error:
        error = share(evidence.plan.look.error)
        return phrase("finding.look_unreachable", least=share(least), error=error), caveats
    return few, caveats


def _is_without_geometry(evidence: Evidence, case: Case) -> bool:
    """Whether it is not known which areas touch; placebos of a single area need not know it."""
    units = (*case.units, *case.against)
    is_one_area = len(units) == 1 and len(evidence.plan.units[units[0]].areas) == 1
    return not evidence.has_geometry and not is_one_area


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


def too_few_places(places: ReferencePlaces) -> str:
    """Return why a pool has too few places to judge a programme; empty where it has enough."""
    if places.least_p > 1 - LEVEL:
        return phrase("finding.separate_places", disjoint=places.disjoint)
    if places.share > MOST_TAKEN:
        return f"its {places.programme} places are most of the pool's {places.disjoint}"
    return ""


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
    evidence: Evidence, found: PlaceboInference, case: Case, interval: Interval, why: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the caveats of a finding; `why` are those of a verdict that is held back."""
    caveats = [str(evidence.plan.look)] if evidence.plan.look else []
    caveats += why or _on_the_edge(case, interval.p_value or 0.0, found.n_draws, 1 - evidence.level)
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


#: Largest standardised difference of a group from its benchmark areas for grade 3 (Stuart 2010,
#: doi 10.1214/09-STS313, section 4.1).
BALANCED = 0.25
#: A gap in the held-out span with a smaller p-value warns.
ALPHA = 0.05
#: Beyond this difference nothing untreated is like a group: a regression would have to be carried
#: further than the pool reaches.
NO_OVERLAP = 1.0
#: A finding mentions a larger imbalance than this after weighting, in standard deviations.
_LEFT_UNLIKE = 0.1
#: The held-out year is tested where at least this share of neighbourhoods has it without gaps.
_MOST = 0.75
_MATCHED, _BEFORE_AND_AFTER = BEST_GRADE["level"], BEST_GRADE["change"]


def grade(evidence: Evidence, case: Case) -> tuple[int, float | None, Interval | None, tuple[str, ...]]:
    """Grade a finding on the Maryland scale in What Works Growth's wording.

    Returns
    -------
    The grade, 2 or 3; the gap in the held-out year, on the finding's scale, and its 90% interval,
    None where not estimable; reasons for 2, and what was corrected.
    """
    if case.outcome.claim == "level":
        return _MATCHED, None, None, ()
    held = held_out(evidence, case)
    interval = held.interval(case) if held else None
    span = "year" if case.measure.periods.kind.per_year else "third of the history"
    reasons = [_why_not_held(case, interval, span)]
    name, worst = worst_balance(evidence, case)
    if worst > BALANCED:
        reasons.append(phrase("grading.places_still", what=name.replace("_", " "), worst=f"{worst:.2f}"))
    if case.is_one_place or case.is_inside:
        reasons.append("one place cannot say why it changed")
    caveats = [f"Graded 2 on the Maryland scale: {reason}." for reason in reasons if reason]
    maryland = _MATCHED if caveats else _BEFORE_AND_AFTER
    if held and held.tested < case.n_units:
        caveats.append(phrase("grading.held_out", span=span, tested=held.tested, n_units=case.n_units))
    chosen = evidence.plan.benchmark_of(case.position)
    weighted = [w for g in (*case.units, *case.against) if (w := chosen[g]) is not None]
    if max(float(np.abs(w.imbalance).max(initial=0.0)) for w in weighted) > _LEFT_UNLIKE:
        caveats.append(PHRASES["grading.weights_make"])
    return maryland, case.printed(held.gap) if held else None, interval, tuple(caveats)


def _why_not_held(case: Case, interval: Interval | None, span: str) -> str:
    """Return why the held-out year does not support grade 3; empty where it does."""
    if interval is None or interval.low is None or interval.high is None:
        return phrase("grading.history_too", span=span)
    limit = case.measure.smallest
    if -limit < interval.low and interval.high < limit:
        return ""
    if interval.p_value is not None and interval.p_value <= ALPHA:
        return phrase("grading.design_does_see", span=span, span_2=span)
    return phrase("grading.design_does", span=span)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """The held-out refit of one finding."""

    gap: float  # in the held-out span, on the scale of the statistic
    inference: PlaceboInference  # of the gap, from placebo programmes
    tested: int  # neighbourhoods that have the span without gaps

    def interval(self, case: Case) -> Interval:
        """Return the 90% interval of the gap, on the finding's scale."""
        found = self.inference
        ends = found.ends(found.critical_at(TWO_ONE_SIDED), 1 - TWO_ONE_SIDED)
        return case.interval(IntervalKind.SINGLE, ends, found.p_value, TWO_ONE_SIDED)


def held_out(evidence: Evidence, case: Case) -> HeldOut | None:
    """Estimate the gap in the held-out span; None where it cannot be tested."""
    position = evidence.held_out_at(case.position)
    real, drawn = evidence.real[:, position], evidence.drawn[:, :, position]
    tested = tested_on(case, real)
    found = tested.infer(real, drawn) if tested else None
    if tested is None or found is None:
        return None
    return HeldOut(found.estimate, found, tested.n_units)


def tested_on(case: Case, real: Floats) -> Case | None:
    """Keep the neighbourhoods that a refit could estimate; None where they are too few.

    Parameters
    ----------
    real : (n_units of the study, ...), NaN where a neighbourhood could not be estimated.
    """
    sides = [tuple(g for g in side if np.isfinite(real[g]).all()) for side in (case.units, case.against)]
    lost = case.n_units - len(sides[0]) - len(sides[1])
    tested = replace(case, units=sides[0], against=sides[1], n_places=max(1, case.n_places - lost))
    if tested.n_units < _MOST * case.n_units or not sides[0] or len(sides[1]) < bool(case.against):
        return None
    return tested


def worst_balance(evidence: Evidence, case: Case, but: str = "") -> tuple[str, float]:
    """Return the characteristic in which a group differs most from its benchmark areas.

    Neighbourhoods are weighted by their areas: what is too high in one and too low in another
    does not bias the group's effect. `but` is a characteristic that is not looked at.
    """
    size = {
        (evidence.plan.units[g].initiative, evidence.plan.units[g].name): len(evidence.plan.units[g].areas)
        for g in (*case.units, *case.against)
    }
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in evidence.plan.balance:
        n = size.get((row.initiative, row.neighbourhood), 0)
        if n and row.claim == case.outcome.claim and row.covariate != but:
            sums[row.covariate][0] += n * row.smd_after
            sums[row.covariate][1] += n
    total = sum(size.values())
    shares = {name: abs(s / total) for name, (s, _) in sums.items()}
    if not shares:
        return "", 0.0
    worst = max(sorted(shares), key=lambda name: shares[name])
    return worst, shares[worst]
