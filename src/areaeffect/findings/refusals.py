"""What cannot be estimated, as far as the plan tells, and families without an outcome.

`check`, `power` and `evaluate` ask the same function, so that none promises what another refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.errors import NothingEstimableError, first_few
from areaeffect.findings.case import Evidence, groups_of
from areaeffect.findings.cohorts import starts_too_late
from areaeffect.findings.plan import Plan
from areaeffect.outcomes import FAMILIES, estimand
from areaeffect.panel import REASONS, Measure
from areaeffect.periods import label
from areaeffect.results import ALL_INITIATIVES, Claim, Finding, Form, Verdict
from areaeffect.sources.publishers.releases import find_release
from areaeffect.study.model import Study

#: Why what a model predicts is no outcome.
MODELLED = (
    "these figures are predicted from the kind of area, on which benchmark areas are matched too, "
    "so nothing that is done in an area can change them"
)
#: Fewer events than this before the start carry no percentage.
FEW_EVENTS = 20
#: A finding on fewer treated areas is none, ...
FEWEST_AREAS = 2
#: ... unless the area is so large that no single address moves it: a city, a state.
MANY_EVENTS = 2_000


@dataclass(frozen=True, slots=True)
class Refused:
    """An outcome of an initiative that cannot be estimated, and why.

    `is_early` where later data will change that: none after the start are here yet.
    """

    group: str
    outcome: str
    label: str
    reason: str
    is_early: bool = False

    def __str__(self) -> str:
        return f"{self.group}, {self.label}: {self.reason}."


def refused(study: Study, plan: Plan, measures: Sequence[Measure]) -> tuple[Refused, ...]:
    """Return every outcome of every initiative that cannot be estimated."""
    return tuple(
        Refused(
            group.name, outcome.name, outcome.title, reason,
            is_early=bool(not_yet(plan, measures[o], group.units)),
        )
        for group in groups_of(plan.units, plan.initiatives)
        for o, outcome in enumerate(study.outcome)
        if (reason := why_not_planned(study, plan, measures[o], o, (group.units,)))
    )  # fmt: skip


def refuse_everything_refused(study: Study, plan: Plan, found: Sequence[Refused], where: str) -> None:
    """Raise NothingEstimableError where nothing that a study asks can ever be estimated."""
    found = [one for one in found if not one.is_early]
    if len(found) < len(study.outcome) * len(groups_of(plan.units, plan.initiatives)):
        return
    reasons = dict.fromkeys(one.reason for one in found)
    what = f"nothing in this study can be estimated: {'; '.join(reasons)}."
    raise NothingEstimableError(what, where)


def refuse_before_data(study: Study, plan: Plan, measures: Sequence[Measure], where: str) -> None:
    """Raise NothingEstimableError where no outcome has a value after any start yet."""
    if plan.look is not None and not plan.look.number:
        what = f"nothing in '{study.study.title}' can be estimated yet: the first planned look is on data to "
        raise NothingEstimableError(
            f"{what}{plan.look.period}.", where, "Evaluate when data up to then are here."
        )
    units = range(len(plan.units))
    reasons = dict.fromkeys(not_yet(plan, measure, units) for measure in measures)
    if "" in reasons:
        return
    what = f"nothing in '{study.study.title}' can be estimated yet: {'; '.join(reasons)}."
    fix = "`areaeffect design` and `areaeffect power` work now. Evaluate when later data are here."
    raise NothingEstimableError(what, where, fix)


def not_yet(plan: Plan, measure: Measure, members: Sequence[int]) -> str:
    """Return why an outcome of some neighbourhoods waits for data; empty where some are there."""
    seen = np.flatnonzero(measure.observed.any(axis=0))
    if not len(seen) or not len(members):
        return ""
    units = [plan.units[g] for g in members]
    if any(measure.periods.split(*unit.counted_from)[1].start <= seen[-1] for unit in units):
        return ""
    start = min(units, key=lambda u: u.counted_from[1].first_month(u.counted_from[0])).counted_from
    return (
        f"{measure.name.replace('_', ' ')} is known to {measure.periods.labels[seen[-1]]}, and "
        f"what counts as after the start begins in {label(*start)}"
    )


def why_not_planned(
    study: Study, plan: Plan, measure: Measure, position: int, sides: Sequence[Sequence[int]]
) -> str:
    """Return why an outcome of some neighbourhoods cannot be estimated; empty where it may be.

    Nothing after a start is read.
    """
    outcome = study.outcome[position]
    source = study.source[outcome.source]
    if source.from_release and find_release(source.from_release).modelled:
        return MODELLED
    arm = plan.arm_of(position)
    chosen = plan.benchmark_of(position)
    for asked in sides:
        used = [
            g
            for g in asked
            if plan.units[g].is_whole
            and chosen[g] is not None
            and position in arm.used(g, plan.units[g].areas)
        ]
        if not used:
            return _why_no_units(plan, measure, position, asked)
        areas, named = sum(len(plan.units[g].areas) for g in used), _named(plan, asked)
        if areas < named / 2:
            return _lost(named - areas, named)
        if outcome.kind != "count":
            continue
        before = outcome.claim == "change"
        seen = {g: arm.used(g, plan.units[g].areas)[position][0] for g in used}
        events = sum(
            float(measure.values[np.ix_(plan.units[g].areas, np.flatnonzero(mask))].sum())
            for g, mask in seen.items()
        )
        if before and events < FEW_EVENTS:
            return f"only {events:.0f} {outcome.unit_title} before the start: too few for a percentage"
        if areas < FEWEST_AREAS and (not before or events < MANY_EVENTS):
            return (
                "only one treated area: a single address, or a change in where incidents are put, "
                "moves its number as an initiative might. Name the other areas that the work "
                "reached, or ask about several such places together"
            )
    return ""


def _why_no_units(plan: Plan, measure: Measure, position: int, members: Sequence[int]) -> str:
    if members and not any(plan.units[g].is_whole for g in members):
        named = _named(plan, members)
        return _lost(named - sum(len(plan.units[g].areas) for g in members), named)
    chosen = plan.benchmark_of(position)
    if members and all(chosen[g] is None for g in members):
        return (
            "no area of the comparison pool is covered and within the range of the treated areas "
            "before the start (`common_support = false` drops the range)"
        )
    if reason := not_yet(plan, measure, members):
        return reason
    if members and all(starts_too_late(measure.periods, plan.units[g]) for g in members):
        return "the start is in the last period, and nothing that came after it is in the window"
    held = np.flatnonzero(measure.observed.any(axis=0))
    starts = [measure.periods.split(*plan.units[g].counted_from)[0].stop for g in members]
    if len(held) and starts and max(starts) <= held[0]:
        return (
            f"the data begin in {measure.periods.labels[held[0]]}, after every start: a change is "
            "measured from before it, and no period before a start is here"
        )
    reason = "no neighbourhood has enough periods before and after its start without gaps"
    partial = (measure.reasons == REASONS.index("partial_month")).any(axis=0)
    if partial.any():
        months = [measure.periods.labels[i] for i in np.flatnonzero(partial)]
        reason += (
            f" (records look incomplete in {first_few(months)}; where events really fell, keep "
            "these periods with `real_falls` in the source)"
        )
    return reason


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


def families_without_outcome(evidence: Evidence) -> tuple[Finding, ...]:
    """Return a finding for each missing family, about all neighbourhoods, without an outcome."""
    names, units = evidence.plan.initiatives, evidence.plan.units
    group = names[0] if len(names) == 1 else ALL_INITIATIVES
    found = []
    for key in missing_families([o.family for o in evidence.study.outcome]):
        family = FAMILIES[key]
        claim = family.published_claim
        found.append(
            Finding(
                initiative=group,
                group=group,
                neighbourhood=None,
                family=key,
                outcome="",
                label=family.title.lower(),
                claim=Claim(claim),
                form=Form.RATIO,
                estimand=estimand(claim, "ratio", "count"),
                unit="",
                better=None,
                threshold=0.0,
                verdict=Verdict.NOT_ESTIMABLE,
                n_neighbourhoods=len(units),
                n_areas=sum(len(u.areas) for u in units),
                primary=False,
                caveats=(
                    f"the study has no outcome of this family; a {claim} claim needs "
                    f"{family.data_for(claim)}",
                ),
            )
        )
    return tuple(found)


def missing_families(families: Sequence[str]) -> tuple[str, ...]:
    """Return the families that no outcome belongs to, in the order of the published study."""
    return tuple(key for key in FAMILIES if key not in families)
