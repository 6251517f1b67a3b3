"""Other bandwidths: what the finding is with fewer or more places beyond the cut."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.checks.base import (
    EFFECT,
    NO_FINDING,
    Answer,
    Check,
    CheckInputs,
    Drawn,
    Status,
    Subject,
    effect,
    held_against,
)
from areaeffect.checks.discontinuity import NO_RULE, has_rule
from areaeffect.checks.leave_out import turns
from areaeffect.placebo.programmes import run_programme
from areaeffect.records import described

if TYPE_CHECKING:
    from areaeffect.results import Floats

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


Found = Answer[tuple[OtherBandwidth, ...], OtherBandwidth]


def _run(inputs: CheckInputs) -> list[Found]:
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
    return [_answer(inputs, s, real) for s in inputs.subjects]


def _answer(inputs: CheckInputs, s: Subject, real: dict[int, Floats]) -> Found:
    f = s.finding
    if f.estimate is None or f.low is None or f.high is None:
        return s.silent(NO_FINDING)
    drawn = inputs.evidence.drawn[:, :, s.case.position]
    rows = []
    for places, totals in real.items():
        inferred = held_against(s.case, totals[:, s.case.position], drawn)
        if inferred is None:
            return s.silent(f"with {places} places beyond the cut there is no design")
        ends = [s.case.printed(x) for x in (inferred[0], inferred[1].low, inferred[1].high)]
        turned = turns(np.array([f.estimate, f.low, f.high]), np.array([ends], dtype=float))
        rows.append(
            OtherBandwidth(places=places, estimate=ends[0], low=ends[1], high=ends[2], turns=bool(turned[0]))
        )
    status = Status.WARNS if any(row.turns for row in rows) else Status.HOLDS
    return s.answer(status, tuple(rows), *rows)


def _say(a: Found, n: tuple[OtherBandwidth, ...]) -> str:
    form = a.finding.form
    parts = " and ".join(
        f"{effect(row.estimate, form)} with {row.places:,} places beyond the cut" for row in n
    )
    reads = "it would read otherwise" if a.status is Status.WARNS else "it reads the same"
    return f"it is {parts}: {reads}."


def _named(row: OtherBandwidth) -> str:
    return f"{row.places:,} places"


BANDWIDTH = Check(
    name="bandwidth",
    title="Other bandwidths",
    question="Would the finding read otherwise with half or twice as many places beyond the cut?",
    caption="Effects with fewer and more places beyond the cut",
    row=OtherBandwidth,
    run=_run,
    say=_say,
    drawn=Drawn(name=_named, along="places beyond the cut that are compared with"),
    concerns=has_rule,
    why=NO_RULE,
)
