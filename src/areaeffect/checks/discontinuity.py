"""The jump at the cut: a local linear estimate beside the finding, from the places at the cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from areaeffect.checks.base import EFFECT, Answer, Check, CheckInputs, CheckStatus, Subject, effect, span
from areaeffect.design.cutoff import Ranked
from areaeffect.estimate.counterfactual import Sums
from areaeffect.estimate.discontinuity import FEWEST, jump_at
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


Found = Answer[AtTheCut, AtTheCut]


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


def _run(inputs: CheckInputs) -> list[Found]:
    """Estimate the jump of each change where the score passes the cut."""
    line = line_of(inputs)
    return [] if line is None else [_answer(inputs, line, s) for s in inputs.changes()]


def _answer(inputs: CheckInputs, line: Line, s: Subject) -> Found:
    added = sums_of(inputs, s)
    if s.finding.estimate is None or added is None:
        return s.silent(phrase("check.no_finding") if added else phrase("check_discontinuity.apart"))
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
        finding=s.finding.estimate,
    )
    low, high = s.finding.low, s.finding.high
    apart = low is not None and high is not None and (jump.low / scale > high or jump.high / scale < low)
    return s.answer(CheckStatus.WARNS if apart else CheckStatus.HOLDS, row, row)


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


def _say(a: Found, n: AtTheCut) -> str:
    form = a.finding.form
    return phrase(
        f"check_discontinuity.{'warns' if a.status is CheckStatus.WARNS else 'holds'}",
        effect=effect(n.estimate, form),
        interval=span(n.low, n.high, form),
        chosen=plural(n.chosen, "place"),
        others=f"{n.others:,}",
    )


DISCONTINUITY = Check(
    name="discontinuity", row=AtTheCut, run=_run, say=_say, concerns=has_rule, why="no_rule"
)
