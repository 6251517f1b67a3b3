"""The cut of a score: the jump there, what was known before, and whether scores pile up at it."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc

import numpy as np

from areaeffect.checks.base import EFFECT, Answer, Check, CheckInputs, Subject, effect, p_words, span
from areaeffect.design.cutoff import Ranked
from areaeffect.estimate.counterfactual import Sums
from areaeffect.estimate.discontinuity import FEWEST, bunching_at, jump_at
from areaeffect.records import described
from areaeffect.results import Bools, Floats, Ints
from areaeffect.study.model import Study
from areaeffect.wording.numbers import phrase, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class AtTheCut:
    """The jump of the change at the cut."""

    estimate: float | None = described(f"jump at the cut, bias taken off: {EFFECT}")
    low: float | None = described("robust 95% interval, lower end")
    high: float | None = described("robust 95% interval, upper end")
    bandwidth: float = described("largest distance from the cut, in the unit of the score")
    chosen: int = described("places of the programme within it")
    others: int = described("places beyond the cut within it")
    finding: float = described(f"the finding, for comparison: {EFFECT}")


OfJump = Answer[AtTheCut, AtTheCut]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Places that the score alone divides into chosen and not: the cap shuts none of them out."""

    rule: Ranked  # see there
    places: Ints  # (n,), positions in the rule
    distance: Floats  # (n,), how far the score lies on the chosen side of the cut

    def total(self, values: Floats) -> Floats:
        """Add up (n_areas,) values over each place."""
        return np.array([values[self.rule.places[p]].sum() for p in self.places])

    def mean(self, values: Floats) -> Floats:
        """Average (n_areas,) values over each place."""
        return np.array([values[self.rule.places[p]].mean() for p in self.places])

    @property
    def chosen(self) -> Bools:
        """(n,), whether a place is of the programme."""
        return np.asarray(self.distance >= 0)


def has_rule(study: Study) -> bool:
    """Whether a study says by which rule its places were chosen."""
    return study.design.score is not None


def line_of(inputs: CheckInputs) -> Line | None:
    """Return the places in line, the treated and those that may be compared; None without any."""
    plan = inputs.evidence.plan
    rule = plan.machine.rules.ranked
    if rule is None:
        return None
    mine = np.unique(rule.of_area[np.concatenate([u.areas for u in plan.units])])
    may = np.array([bool(plan.pool.eligible[areas].all()) for areas in rule.places])
    everyone = np.ones(len(may), dtype=bool)
    line = rule.in_line(everyone)
    after = line[(line > mine.max()) & may[line]]
    if not len(after):
        return None
    cut = (rule.score[mine.max()] + rule.score[after[0]]) / 2
    places = np.concatenate([mine, after])
    return Line(rule, places, cut - rule.score[places])


def sums_of(inputs: CheckInputs, s: Subject) -> Sums | None:
    """Return the sums of a finding's outcome; None where the places did not start together."""
    plan = inputs.evidence.plan
    together = len({(u.start, u.phase_in) for u in plan.units}) == 1
    if not together or len(s.case.units) < len(plan.units):
        return None
    return plan.leading.sums(0, plan.units[0].areas).get(s.case.position)


def _discontinuity_run(inputs: CheckInputs) -> list[OfJump]:
    """Estimate the jump of each change where the score passes the cut."""
    line = line_of(inputs)
    return (
        []
        if line is None
        else inputs.each(lambda s: _discontinuity_answer(inputs, line, s), inputs.changes())
    )


def _discontinuity_answer(inputs: CheckInputs, line: Line, s: Subject) -> OfJump:
    added = sums_of(inputs, s)
    if added is None:
        return s.silent(phrase("check_discontinuity.apart"))
    change, scale = _change(line, added, is_ratio=s.case.is_ratio)
    known = np.isfinite(change)
    jump = jump_at(line.distance[known], change[known])
    if jump is None or scale <= 0:
        return s.silent(phrase("check_discontinuity.too_few", n=FEWEST))
    row = AtTheCut(
        estimate=jump.corrected / scale,
        low=jump.low / scale,
        high=jump.high / scale,
        bandwidth=jump.bandwidth,
        chosen=jump.n_above,
        others=jump.n_below,
        finding=s.effect,
    )
    low, high = s.finding.low, s.finding.high
    apart = low is not None and high is not None and (jump.low / scale > high or jump.high / scale < low)
    return s.answer(row, row, warns=apart)


def _change(line: Line, added: Sums, *, is_ratio: bool) -> tuple[Floats, float]:
    """Return each place's change, and what a jump is divided by to be an effect.

    A count's is what came after less what its own past and the change of the places beyond the
    cut would have made of it; the jump is a share of that expectation in the places chosen.
    """
    pre, post = added.pre, added.post
    if not is_ratio:
        return line.mean(post - pre), 1.0
    before, after, chosen = line.total(pre), line.total(post), line.chosen
    good = np.isfinite(before) & np.isfinite(after)
    grown = float(after[~chosen & good].sum() / max(before[~chosen & good].sum(), 1.0))
    return after - grown * before, float(grown * before[chosen & good].mean())


def _discontinuity_say(a: OfJump, n: AtTheCut) -> str:
    form = a.finding.form
    return phrase(
        f"check_discontinuity.{a.status}",
        effect=effect(n.estimate, form),
        interval=span(n.low, n.high, form),
        chosen=plural(n.chosen, "place"),
        others=f"{n.others:,}",
    )


DISCONTINUITY = Check(
    name="discontinuity",
    row=AtTheCut,
    run=_discontinuity_run,
    say=_discontinuity_say,
    concerns=has_rule,
    why="no_rule",
)


_ALPHA = 0.05
_EVEN = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Density:
    """The density of the score on both sides of the cut."""

    chosen: float = described("density at the cut on the chosen side: share of places by unit")
    beyond: float = described("the same beyond the cut")
    bandwidth: float = described("largest distance from the cut that is read")
    p_value: float = described("two-sided p-value of equal densities")


OfBunching = Answer[Density, Density]


def _bunching_run(inputs: CheckInputs) -> list[OfBunching]:
    """Compare the density of the score on both sides of the cut, over all ranked places."""
    line = line_of(inputs)
    if line is None:
        return []
    cut = float(line.distance[0] + line.rule.score[line.places[0]])
    distance = cut - line.rule.score
    is_rank = evenly_spaced(line.rule.score)
    found = None if is_rank else bunching_at(distance)
    if found is None:
        why = phrase("check_bunching.rank") if is_rank else phrase("check_discontinuity.too_few", n=FEWEST)
        return [s.silent(why) for s in inputs.changes()]
    row = Density(chosen=found.above, beyond=found.below, bandwidth=found.bandwidth, p_value=found.p_value)
    warns = found.p_value <= _ALPHA and found.above > found.below
    return [s.answer(row, row, warns=warns) for s in inputs.changes()]


def evenly_spaced(score: Floats) -> bool:
    """Tell whether sorted scores are a rank: the same distance from each to the next."""
    gaps = np.diff(np.unique(score))
    return bool(len(gaps) and np.ptp(gaps) <= _EVEN * gaps.max())


def _bunching_say(a: OfBunching, n: Density) -> str:
    return phrase(f"check_bunching.{a.status}", p=p_words(n.p_value))


BUNCHING = Check(
    name="bunching", row=Density, run=_bunching_run, say=_bunching_say, concerns=has_rule, why="no_rule"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacteristicJump:
    """The jump of one characteristic at the cut."""

    characteristic: str = described("what was known before the start")
    jump: float = described("jump at the cut, in standard deviations of the places in line")
    p_value: float = described("two-sided p-value of no jump, robust to its bias")
    joint_p: float = described("the smallest of all, times their number")


@dataclass(frozen=True, slots=True)
class Largest:
    """The characteristic that jumps most clearly, and how many were tried."""

    of: CharacteristicJump
    tried: int


OfCutBalance = Answer[Largest, CharacteristicJump]


def _cut_balance_run(inputs: CheckInputs) -> list[OfCutBalance]:
    """Estimate the jump of every characteristic that the design is matched on."""
    line = line_of(inputs)
    if line is None:
        return []
    plan = inputs.evidence.plan
    features = plan.leading.cohort(0, plan.units[0].areas).features
    score = inputs.study.design.score
    is_score = [c.column == score for c in inputs.study.design.covariates]
    tried = {
        name: p
        for k, name in enumerate(features.names)
        if not (k < len(is_score) and is_score[k]) and (p := _jump(line, features.values[:, k])) is not None
    }
    if not tried:
        return [s.silent(phrase("check_discontinuity.too_few", n=FEWEST)) for s in inputs.changes()]
    joint = min(1.0, len(tried) * min(p for _, p in tried.values()))
    rows = tuple(
        CharacteristicJump(characteristic=name, jump=jump, p_value=p, joint_p=joint)
        for name, (jump, p) in tried.items()
    )
    first = Largest(min(rows, key=lambda row: row.p_value), len(rows))
    return [s.answer(first, *rows, warns=joint <= _ALPHA) for s in inputs.changes()]


def _jump(line: Line, values: Floats) -> tuple[float, float] | None:
    """Return the jump in standard deviations and its p-value; None where there is none."""
    mean = line.mean(values)
    known = np.isfinite(mean)
    spread = float(mean[known].std()) if known.any() else 0.0
    jump = jump_at(line.distance[known], mean[known]) if spread > 0 else None
    if jump is None or jump.robust_error <= 0:
        return None
    return jump.corrected / spread, float(erfc(abs(jump.corrected) / jump.robust_error / 2**0.5))


def _cut_balance_say(a: OfCutBalance, n: Largest) -> str:
    return phrase(
        f"check_cut_balance.{a.status}",
        tried=plural(n.tried, "characteristic"),
        name=n.of.characteristic,
        jump=f"{n.of.jump:.2f}",
        p=p_words(n.of.joint_p),
    )


CUT_BALANCE = Check(
    name="cut_balance",
    row=CharacteristicJump,
    run=_cut_balance_run,
    say=_cut_balance_say,
    concerns=has_rule,
    why="no_rule",
)
