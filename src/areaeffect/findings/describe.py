"""What a finding says apart from its verdict: its subject, numbers and caveats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.assembly.change_claims import crossed_breaks
from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.inference import pool_share
from areaeffect.estimate.verdict import (
    MIN_DISJOINT_PROGRAMMES,
    MIN_NEIGHBOURHOODS,
    placebos_carry,
)
from areaeffect.outcomes import estimand
from areaeffect.results import ALL_INITIATIVES, RESIDENT_LED_CONTRAST, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.design.programme import Weighted
    from areaeffect.estimate.inference import PlaceboInference
    from areaeffect.findings.plan import Plan
    from areaeffect.panel import Measure, Neighbourhood
    from areaeffect.results import Floats
    from areaeffect.study.model import Outcome, Study

_PER = 1000.0
#: A programme that takes up this share of the pool is said to: its interval is wider by a tenth.
_MUCH_OF_THE_POOL = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Units that a finding speaks of: one initiative, all, or one neighbourhood of one.

    Where `against` names units too, the finding is the contrast between the two sides' effects.
    """

    name: str
    units: tuple[int, ...]
    neighbourhood: str | None = None
    against: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that findings are drawn from.

    Parameters
    ----------
    study, plan, measures : the study, its sealed plan and its outcomes in order.
    real : (n_units, n_outcomes, N_TOTALS).
    drawn : (n_draws, n_units, n_outcomes, N_TOTALS).
    """

    study: Study
    plan: Plan
    measures: Sequence[Measure]
    real: Floats
    drawn: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One finding to be made: whose, of what, in which form.

    Parameters
    ----------
    group : whose.
    position : of the outcome in the study.
    outcome, measure : what.
    is_ratio : ratio of totals, or additive.
    units, against : the group's units that can be estimated.
    disjoint : placebo programmes, and pseudo-neighbourhoods, that share no area.
    """

    group: Group
    position: int
    outcome: Outcome
    measure: Measure
    is_ratio: bool
    units: tuple[int, ...]
    disjoint: tuple[int, int]
    against: tuple[int, ...] = ()

    @property
    def per(self) -> float:
        """What additive rates are multiplied with for print."""
        has_exposure = self.measure.is_count and self.measure.exposure is not None
        return _PER if has_exposure and not self.is_ratio else 1.0

    @property
    def base(self) -> int:
        """Which treated total the standard error is predicted from."""
        return cf.OBSERVED_POST if self.outcome.claim == "level" else cf.OBSERVED_PRE

    @property
    def n_units(self) -> int:
        """Units on both sides."""
        return len(self.units) + len(self.against)

    @property
    def taken(self) -> float:
        """Share of the pool that the programme takes up; of a contrast none.

        The difference of two means of places drawn without replacement varies by
        S^2 (1 / G_1 + 1 / G_2) however few there are to draw from: what drawing from few takes
        from either mean's variance, their covariance of -S^2 / M gives back.
        """
        return 0.0 if self.group.against else pool_share(self.n_units, self.disjoint[1])

    @property
    def claim(self) -> str:
        """The outcome's claim, or 'contrast' between two sides."""
        return "contrast" if self.group.against else self.outcome.claim

    def statistic(self, totals: Floats) -> Floats:
        """Return the effect on the scale it is tested on.

        Parameters
        ----------
        totals : (..., n_units of the study, N_TOTALS), of one outcome.
        """
        form = cf.log_ratio if self.is_ratio else cf.rate_difference
        effect = form(totals[..., list(self.units), :].sum(axis=-2), self.outcome.claim)
        if not self.group.against:
            return effect
        other = totals[..., list(self.against), :].sum(axis=-2)
        return np.asarray(effect - form(other, self.outcome.claim))

    def counts(self, totals: Floats) -> Floats:
        """Return what the standard error is predicted from: events, or nothing for rates.

        Of a contrast, the harmonic sum of both sides: the rarer side rules.
        """
        if not self.is_ratio:
            return np.ones(totals.shape[:-2])
        events = totals[..., list(self.units), self.base].sum(axis=-1)
        if not self.group.against:
            return np.asarray(events)
        other = totals[..., list(self.against), self.base].sum(axis=-1)
        return np.asarray(events * other / np.maximum(events + other, 1.0))

    def printed(self, value: float) -> float | None:
        """Bring a number from the scale of the statistic onto that of the finding."""
        number = float(np.expm1(value)) if self.is_ratio else float(value) * self.per
        return number if np.isfinite(number) else None


def groups_of(units: Sequence[Neighbourhood], initiatives: Sequence[str] = ()) -> list[Group]:
    """One group an initiative, and one of all where there are several.

    An initiative without a unit, because none of its areas is covered, has its group all the same.
    """
    names = list(dict.fromkeys([*initiatives, *(u.initiative for u in units)]))
    groups = [Group(n, tuple(g for g, u in enumerate(units) if u.initiative == n)) for n in names]
    if len(names) > 1:
        groups.append(Group(ALL_INITIATIVES, tuple(range(len(units)))))
    return groups


def contrast_groups(units: Sequence[Neighbourhood]) -> list[Group]:
    """Resident-led neighbourhoods against the others, where the study has both."""
    led = tuple(g for g, u in enumerate(units) if u.resident_led is True)
    other = tuple(g for g, u in enumerate(units) if u.resident_led is False)
    return [Group(RESIDENT_LED_CONTRAST, led, against=other)] if led and other else []


def neighbourhood_groups(units: Sequence[Neighbourhood]) -> list[Group]:
    """One group a neighbourhood, where there are several."""
    if len(units) == 1:
        return []
    return [Group(u.initiative, (g,), u.name) for g, u in enumerate(units)]


def benchmark_of(plan: Plan, position: int) -> tuple[Weighted | None, ...]:
    """Return the benchmark areas of every unit for the claim an outcome makes."""
    arm = next(i for i, a in enumerate(plan.machine.arms) if position in a.outcomes)
    return plan.chosen[arm]


def subject(evidence: Evidence, case: Case) -> Finding:
    """Write down what a finding is about; no number of an outcome is in it yet."""
    plan, outcome, measure = evidence.plan, case.outcome, case.measure
    weight: dict[int, float] = {}
    units = (*case.units, *case.against)
    for g in units:
        chosen = benchmark_of(plan, case.position)[g]
        if chosen is not None:
            for area, value in zip(chosen.pool, chosen.weights, strict=True):
                if value > 0:
                    weight[int(area)] = weight.get(int(area), 0.0) + float(value)
    heavy = np.array(list(weight.values()) or [0.0])
    return Finding(
        initiative=case.group.name,
        group=case.group.name,
        neighbourhood=case.group.neighbourhood,
        family=outcome.family,
        outcome=outcome.name,
        label=outcome.title,
        claim=case.claim,
        form="ratio" if case.is_ratio else "additive",
        estimand=estimand(
            case.claim,
            "ratio" if case.is_ratio else "additive",
            outcome.kind,
            phased=any(plan.units[g].phase_in for g in units),
        ),
        unit=_unit(case),
        better=outcome.better,
        threshold=measure.smallest,
        verdict=Verdict.NOT_ESTIMABLE,
        n_neighbourhoods=len(units),
        n_areas=int(sum(len(plan.units[g].areas) for g in units)),
        n_benchmark_areas=len(weight),
        n_effective=float(heavy.sum() ** 2 / (heavy**2).sum()) if weight else None,
        pre=_span(plan, measure, units, side=0, latest=False),
        post=_span(plan, measure, units, side=1, latest=outcome.claim == "level"),
        primary=outcome.primary
        and outcome.should_move
        and case.group.neighbourhood is None
        and (case.is_ratio or outcome.kind == "score"),
    )


def _unit(case: Case) -> str:
    if case.is_ratio:
        return case.outcome.unit_title
    if case.outcome.kind == "score":
        return case.outcome.unit_title
    span = "year" if case.measure.periods.kind.per_year else "period"
    per = f"per 1,000 a {span}" if case.measure.exposure is not None else f"per area and {span}"
    return f"{case.outcome.unit_title} {per}"


def _span(plan: Plan, measure: Measure, units: Sequence[int], *, side: int, latest: bool) -> str:
    """First and last period on one side of the starts over the units, or of its latest year."""
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


def filled(
    bare: Finding, case: Case, total: Floats, estimate: float, found: PlaceboInference
) -> Finding:
    """Put an estimate and its placebo inference into a finding.

    Parameters
    ----------
    bare : from `subject`.
    case : what the finding is about.
    total : (N_TOTALS,), added up over the group (of a contrast, over its first side).
    estimate : on the scale of the statistic.
    found : from `infer`.
    """
    if case.measure.is_count:
        observed: float | None = float(total[cf.OBSERVED_POST])
        expected = cf.expected_total(total, case.outcome.claim)
        has_expected = bool(np.isfinite(expected))
    else:
        observed = float(total[cf.OBSERVED_POST] / total[cf.EXPOSURE_POST])
        expected = float(total[cf.OBSERVED_POST] / total[cf.EXPOSURE_POST]) - estimate
        has_expected = True
    if case.group.against:  # two sides have no one total
        observed, expected, has_expected = None, 0.0, False
    return replace(
        bare,
        estimate=case.printed(estimate),
        low=case.printed(found.low),
        high=case.printed(found.high),
        low_90=case.printed(found.low_90),
        high_90=case.printed(found.high_90),
        p_value=found.p_value,
        p_one_sided=found.p_one_sided,
        bias=case.printed(found.centre),
        bias_error=found.centre_error * case.per,
        estimate_centred=case.printed(estimate - found.centre),
        mde=case.printed(found.mde),
        observed=observed,
        counterfactual=expected if has_expected else None,
        avoided=expected - observed
        if case.measure.is_count and has_expected and observed is not None
        else None,
        placebos=int(np.isfinite(found.statistics).sum()),
        n_disjoint_placebos=case.disjoint[0],
        n_disjoint_neighbourhoods=case.disjoint[1],
        caveats=_caveats(found, case),
    )


def _caveats(found: PlaceboInference, case: Case) -> tuple[str, ...]:
    caveats = []
    lost = len(case.group.units) + len(case.group.against) - case.n_units
    if lost:
        caveats.append(
            f"{lost} of {lost + case.n_units} neighbourhoods have too many gaps or no pool here."
        )
    crowded = pool_caveat(case.n_units, case.disjoint, case.taken)
    if crowded:
        caveats.append(crowded)
    if case.n_units < MIN_NEIGHBOURHOODS:
        n, places = case.n_units, "place" if case.n_units == 1 else "places"
        caveats.append(
            f"However many areas it holds, this is evidence from {n} {places}: what else happened "
            "there in the same years cannot be told from the initiative."
        )
    caveats += [
        f"The periods run across {b.month}, which the study accepts: {b.reason}."
        for b in crossed_breaks(case.outcome, case.measure)
    ]
    if found.centre_is_off:
        caveats.append(
            "The placebo programmes are not centred on zero, so the design itself may lean."
        )
    if case.outcome.claim == "level":
        caveats.append(
            "A difference in level is not an effect: the areas may have differed before."
        )
    return tuple(caveats)


def pool_caveat(n_neighbourhoods: int, apart: tuple[int, int], taken: float) -> str:
    """Say where a programme is large for its pool; empty where it is not.

    Parameters
    ----------
    n_neighbourhoods : of the programme.
    apart : placebo programmes, and pseudo-neighbourhoods, that share no area.
    taken : share of the pool that counts in the interval, see `Case.taken`.
    """
    programmes, places = apart
    if not placebos_carry(n_neighbourhoods, programmes, places):
        return (
            f"Only {programmes} placebo programmes of this size share no area "
            f"({MIN_DISJOINT_PROGRAMMES} are needed), so no verdict is given."
        )
    if taken >= _MUCH_OF_THE_POOL:
        return (
            f"{n_neighbourhoods} neighbourhoods are many for a pool that holds {places} such "
            "places: placebo programmes of this size repeat each other. The interval is widened "
            "for it."
        )
    return ""
