"""Cases: one for each finding, with the units and the placebos behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.document.blocks import Section
from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.inference import MIN_PLACEBOS, PlaceboInference, ReferencePlaces, infer
from areaeffect.findings.plan import Plan
from areaeffect.panel import Measure, Neighbourhood
from areaeffect.periods import label
from areaeffect.results import (
    ALL_INITIATIVES,
    LEVEL,
    RESIDENT_LED_CONTRAST,
    Annex,
    Better,
    Claim,
    Floats,
    Form,
    Found,
    Interval,
    IntervalKind,
    Result,
)
from areaeffect.study.file import StudyFile
from areaeffect.study.initiative import Limits, NamedGroup
from areaeffect.study.model import Outcome, Study


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Group:
    """The units that a finding is about: an initiative, all of them, or one neighbourhood."""

    name: str  # of the group
    units: tuple[int, ...]  # positions in the plan
    neighbourhood: str | None = None  # its name, where the group is one neighbourhood
    #: units on the other side; the finding is then the contrast of the two effects.
    against: tuple[int, ...] = ()
    initiative: str = ""  # name of the initiative where the group has another
    attribute: str = ""  # the attribute that a group shares, where one defines it


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Everything that findings are computed from."""

    #: study, plan, measures: the study, its sealed plan and its outcomes in order
    study: Study
    plan: Plan
    measures: Sequence[Measure]
    real: Floats  # (n_units, n_outcomes, N_TOTALS)
    drawn: Floats  # (n_draws, n_units, n_outcomes, N_TOTALS)

    @property
    def level(self) -> float:
        """Level of printed intervals: what the planned look leaves, else 95%."""
        return 1.0 - self.plan.look.error if self.plan.look else LEVEL

    @property
    def has_geometry(self) -> bool:
        """Whether it is known which areas touch, so that placebos can be contiguous places."""
        named = bool(self.study.analysis.placebo_neighbourhoods)
        return named or self.plan.leading.panel.contiguity is not None

    def held_out_at(self, position: int) -> int:
        """Return the position in totals of an outcome's last year before the start, held out."""
        return len(self.measures) + position

    def is_place(self, unit: int) -> bool:
        """Whether a unit is one place: a neighbourhood, or a programme in one piece."""
        graph = self.plan.leading.panel.contiguity
        areas = self.plan.units[unit].areas
        if self.study.design.unit == "neighbourhood" or graph is None:
            return self.study.design.unit == "neighbourhood"
        return len(graph.pieces(areas)) == 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Case:
    """One finding before it is computed: its group and its outcome."""

    group: Group
    position: int
    outcome: Outcome
    measure: Measure
    units: tuple[int, ...]
    disjoint: tuple[int, int]  # placebo programmes, and places, that share no area
    against: tuple[int, ...] = ()
    n_places: int = 0  # its units, or the pieces that they are drawn in
    outcome_is_primary: bool = True
    is_inside: bool = False  # whether the group is a single place of a programme of several
    is_one_place: bool = False  # whether the programme is one place

    @property
    def is_primary(self) -> bool:
        """Whether the finding gets a verdict."""
        return self.outcome_is_primary and not self.is_inside

    @property
    def is_ratio(self) -> bool:
        """Whether the effect is a ratio of totals, as it is for counts and not for scores."""
        return self.outcome.kind == "count"

    @property
    def form(self) -> Form:
        """How the effect is written."""
        return Form.RATIO if self.is_ratio else Form.ADDITIVE

    @property
    def base(self) -> int:
        """Which treated total the standard error is predicted from."""
        if not self.is_ratio:
            return cf.SIZE
        return cf.OBSERVED_POST if self.outcome.claim == "level" else cf.OBSERVED_PRE

    @property
    def n_units(self) -> int:
        """Units on both sides."""
        return len(self.units) + len(self.against)

    @property
    def places(self) -> ReferencePlaces:
        """How many separate places the placebos of this finding rest on."""
        return ReferencePlaces(self.n_places, self.disjoint[1], bool(self.group.against))

    @property
    def claim(self) -> Claim:
        """The outcome's claim, or a contrast between two sides."""
        return Claim.CONTRAST if self.group.against else Claim(self.outcome.claim)

    @property
    def better(self) -> Better:
        """Which direction is an improvement."""
        return Better(self.outcome.better)

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
        """Return what predicts the standard error: events, or exposure for scores.

        For a contrast it is the harmonic sum of both sides, which the rarer side dominates.
        """
        events = totals[..., list(self.units), self.base].sum(axis=-1)
        if not self.group.against:
            return np.asarray(events)
        other = totals[..., list(self.against), self.base].sum(axis=-1)
        return np.asarray(events * other / np.maximum(events + other, 1.0))

    def infer(self, real: Floats, drawn: Floats) -> PlaceboInference | None:
        """Compare the effect in some totals with the effects of placebo programmes.

        Parameters
        ----------
        real, drawn : (n_units, N_TOTALS) and (n_draws, n_units, N_TOTALS), of one outcome.

        Returns
        -------
        None where the effect cannot be computed or there are too few placebos.
        """
        estimate, placebos = float(self.statistic(real)), self.statistic(drawn)
        if not np.isfinite(estimate) or np.isfinite(placebos).sum() < MIN_PLACEBOS:
            return None
        return infer(estimate, placebos, self.counts(drawn), float(self.counts(real)), self.places)

    def printed(self, value: float) -> float | None:
        """Convert a number from the scale of the statistic to the scale of the finding.

        An open end is None, also where a ratio cannot fall under -1.
        """
        number = float(np.expm1(value)) if self.is_ratio else float(value)
        return number if np.isfinite([value, number]).all() else None

    def interval(
        self, kind: IntervalKind, ends: tuple[float, float], p_value: float, level: float = LEVEL
    ) -> Interval:
        """Return an interval on the scale of the finding."""
        low, high = (self.printed(end) for end in ends)
        return Interval(kind=kind, level=level, low=low, high=high, p_value=p_value)


def groups_of(units: Sequence[Neighbourhood], initiatives: Sequence[str] = ()) -> list[Group]:
    """Return a group for each initiative, and one for all of them where there are several.

    An initiative with no unit, because none of its areas is covered, still has a group.
    """
    names = list(dict.fromkeys([*initiatives, *(u.initiative for u in units)]))
    groups = [Group(name=n, units=tuple(g for g, u in enumerate(units) if u.initiative == n)) for n in names]
    if len(names) > 1:
        groups.append(Group(name=ALL_INITIATIVES, units=tuple(range(len(units)))))
    return groups


def contrast_groups(units: Sequence[Neighbourhood]) -> list[Group]:
    """Return the contrast of resident-led neighbourhoods with others, where there are both."""
    led = tuple(g for g, u in enumerate(units) if u.resident_led is True)
    other = tuple(g for g, u in enumerate(units) if u.resident_led is False)
    return [Group(name=RESIDENT_LED_CONTRAST, units=led, against=other)] if led and other else []


def neighbourhood_groups(units: Sequence[Neighbourhood]) -> list[Group]:
    """Return a group for each neighbourhood, where there are several."""
    if len(units) == 1:
        return []
    return [Group(name=u.initiative, units=(g,), neighbourhood=u.name) for g, u in enumerate(units)]


NOT_GIVEN = "not given"


def named_group(units: Sequence[Neighbourhood], asked: NamedGroup) -> Group | None:
    """Return the neighbourhoods that meet one of the group's sets of conditions; None if none."""

    def meets(unit: Neighbourhood, key: str, wanted: tuple[str, ...] | Limits) -> bool:
        value = value_of(unit, key)
        return value in wanted if isinstance(wanted, tuple) else wanted.hold(value)

    members = tuple(
        g
        for g, unit in enumerate(units)
        if any(all(meets(unit, *each) for each in conditions.items()) for conditions in asked.where)
    )
    return Group(name=asked.name, units=members) if members else None


def value_of(unit: Neighbourhood, key: str) -> str:
    """Return a neighbourhood's value of an attribute."""
    if key == "start":
        return label(unit.start, unit.start_kind)
    if key == "initiative":
        return unit.initiative
    if key == "resident_led":
        return {True: "yes", False: "no", None: NOT_GIVEN}[unit.resident_led]
    return unit.attributes.get(key) or NOT_GIVEN


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Finished:
    """The data, evidence and findings that a further step may read."""

    #: file, data: the study and its panel
    file: StudyFile
    data: Assembled
    evidence: Evidence  # the sealed plan, real and placebo totals
    result: Result  # the findings, and the annexes of the steps before
    threads: int  # worker processes it may use
    tell: Callable[[str, int, int], None]  # called with (step, done, of) as the work goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Further(Generic[Found]):
    """A further question of a study: one row of the registry."""

    name: str  # of its annex, lower case and underscores
    found: type[Found]  # the record that its step returns and its section prints
    section: Callable[[Result, Annex[Found]], Section]  # its part of the report
    #: answers the question, or returns None where the study does not ask it. A question without a step has a
    #: command of its own.
    step: Callable[[Finished], Annex[Found] | None] | None = None
    #: reads, before the long work begins, what the step will read, and refuses what the step could not read.
    #: Without data, which then have faults of their own, it checks what it can. Returns remarks.
    check: Callable[[StudyFile, Assembled | None], tuple[str, ...]] | None = None
