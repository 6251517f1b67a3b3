"""Other cuts: the finding with fewer or more places beyond the cut, and in the places next in line."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from areaeffect.checks.at_the_cut import has_rule
from areaeffect.checks.base import (
    EFFECT,
    Answer,
    Check,
    CheckInputs,
    CheckStatus,
    EstimatePlot,
    Subject,
    effect,
    held_against,
    p_words,
)
from areaeffect.checks.leave_out import turns
from areaeffect.placebo.programmes import run_programme
from areaeffect.records import described
from areaeffect.results import Floats
from areaeffect.wording.numbers import phrase, plural

#: Bandwidths that are tried, as multiples of the study's.
FACTORS = (0.5, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherBandwidth:
    """The effect with another number of places beyond the cut."""

    places: int = described("places in line beyond the cut that are compared with, at most")
    estimate: float | None = described(f"effect then: {EFFECT}")
    low: float | None = described("95% placebo interval then, lower end")
    high: float | None = described("95% placebo interval then, upper end")
    turns: bool = described("whether the finding would read otherwise")


OfBandwidth = Answer[tuple[OtherBandwidth, ...], OtherBandwidth]


def _bandwidth_run(inputs: CheckInputs) -> list[OfBandwidth]:
    """Design again with other bandwidths; the placebos stay as they are."""
    plan = inputs.evidence.plan
    rule = plan.machine.rules.ranked
    if rule is None:
        return []
    real: dict[int, Floats] = {}
    for factor in FACTORS:
        within = max(1, round(factor * rule.within))
        rules = replace(plan.machine.rules, ranked=replace(rule, within=within))
        machine = replace(plan.machine, rules=rules)
        real[within] = run_programme(machine, [u.areas for u in plan.units])
    return [_bandwidth_answer(inputs, s, real) for s in inputs.subjects]


def _bandwidth_answer(inputs: CheckInputs, s: Subject, real: dict[int, Floats]) -> OfBandwidth:
    f = s.finding
    if f.estimate is None or f.low is None or f.high is None:
        return s.silent(phrase("check.no_finding"))
    drawn = inputs.evidence.drawn[:, :, s.case.position]
    rows = []
    for places, totals in real.items():
        inferred = held_against(s.case, totals[:, s.case.position], drawn)
        if inferred is None:
            return s.silent(phrase("check_bandwidth.no_design", places=places))
        ends = s.ends(*inferred)
        turned = turns(np.array([f.estimate, f.low, f.high]), np.array([[*ends.values()]], dtype=float))
        rows.append(OtherBandwidth(places=places, **ends, turns=bool(turned[0])))
    return s.answer(tuple(rows), *rows, warns=any(row.turns for row in rows))


def _bandwidth_say(a: OfBandwidth, n: tuple[OtherBandwidth, ...]) -> str:
    each = (
        phrase("check_bandwidth.each", effect=effect(row.estimate, a.finding.form), places=f"{row.places:,}")
        for row in n
    )
    reads = "differs" if a.status is CheckStatus.WARNS else "same"
    return phrase(f"check_bandwidth.{reads}", each=" and ".join(each))


BANDWIDTH = Check(
    name="bandwidth",
    row=OtherBandwidth,
    run=_bandwidth_run,
    say=_bandwidth_say,
    drawn=EstimatePlot(name=lambda row: f"{row.places:,} places"),
    concerns=has_rule,
    why="no_rule",
)


#: Programmes that are placed one after the other beyond the real one.
MOST = 4
_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPlaces:
    """The effect found in places that were next in line."""

    first: int = described("rank of the first of them")
    last: int = described("rank of the last")
    estimate: float | None = described(f"effect found there: {EFFECT}")
    low: float | None = described("95% placebo interval, lower end")
    high: float | None = described("95% placebo interval, upper end")
    p_value: float = described("two-sided placebo p-value")
    adjusted: float = described("the smallest of all, times their number")


@dataclass(frozen=True, slots=True)
class OddestCut:
    """The shifted cut with the smallest p-value, and how many were tried."""

    of: NextPlaces
    tried: int


OfCuts = Answer[OddestCut, NextPlaces]
_Window = tuple[int, int, "Floats"]


def _shifted_cuts_run(inputs: CheckInputs) -> list[OfCuts]:
    """Pretend that the places next in line were chosen, then those after them."""
    plan = inputs.evidence.plan
    rule = plan.machine.rules.ranked
    if rule is None:
        return []
    counts = [len(bank.pieces) for bank in plan.machine.banks]
    may = np.array([bool(plan.pool.eligible[areas].all()) for areas in rule.places])
    windows: list[_Window] = []
    while len(windows) < MOST:
        taken = rule.taken(may, sum(counts))
        if len(taken) < sum(counts):
            break
        may[taken] = False
        totals = run_programme(plan.machine, rule.split(taken, counts))
        windows.append((int(taken[0]) + 1, int(taken[-1]) + 1, totals))
    return inputs.each(lambda s: _shifted_cuts_answer(inputs, s, windows), inputs.subjects)


def _shifted_cuts_answer(inputs: CheckInputs, s: Subject, windows: list[_Window]) -> OfCuts:
    drawn = inputs.evidence.drawn[:, :, s.case.position]
    found = [
        (first, last, inferred)
        for first, last, totals in windows
        if (inferred := s.case.infer(totals[:, s.case.position], drawn)) is not None
    ]
    if not found:
        return s.silent(phrase("check_shifted_cuts.too_few"))
    smallest = min(1.0, len(found) * min(i.p_value for *_, i in found))
    rows = tuple(
        NextPlaces(first=first, last=last, **s.ends(i.estimate, i), p_value=i.p_value, adjusted=smallest)
        for first, last, i in found
    )
    numbers = OddestCut(min(rows, key=lambda row: row.p_value), len(rows))
    return s.answer(numbers, *rows, warns=smallest <= _ALPHA)


def _shifted_cuts_say(a: OfCuts, n: OddestCut) -> str:
    return phrase(
        f"check_shifted_cuts.{a.status}",
        tried=plural(n.tried, "programme"),
        first=f"{n.of.first:,}",
        last=f"{n.of.last:,}",
        effect=effect(n.of.estimate, a.finding.form),
        p=p_words(n.of.adjusted),
    )


SHIFTED_CUTS = Check(
    name="shifted_cuts",
    row=NextPlaces,
    run=_shifted_cuts_run,
    say=_shifted_cuts_say,
    drawn=EstimatePlot(name=lambda row: f"ranks {row.first:,} to {row.last:,}"),
    concerns=has_rule,
    why="no_rule",
)
