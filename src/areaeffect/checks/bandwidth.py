"""Other bandwidths: what the finding is with fewer or more places beyond the cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

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
)
from areaeffect.checks.discontinuity import has_rule
from areaeffect.checks.leave_out import turns
from areaeffect.placebo.programmes import run_programme
from areaeffect.records import described
from areaeffect.results import Floats
from areaeffect.wording.numbers import phrase

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
        return s.silent(phrase("check.no_finding"))
    drawn = inputs.evidence.drawn[:, :, s.case.position]
    rows = []
    for places, totals in real.items():
        inferred = held_against(s.case, totals[:, s.case.position], drawn)
        if inferred is None:
            return s.silent(phrase("check_bandwidth.no_design", places=places))
        ends = [s.case.printed(x) for x in (inferred[0], inferred[1].low, inferred[1].high)]
        turned = turns(np.array([f.estimate, f.low, f.high]), np.array([ends], dtype=float))
        rows.append(
            OtherBandwidth(places=places, estimate=ends[0], low=ends[1], high=ends[2], turns=bool(turned[0]))
        )
    status = CheckStatus.WARNS if any(row.turns for row in rows) else CheckStatus.HOLDS
    return s.answer(status, tuple(rows), *rows)


def _say(a: Found, n: tuple[OtherBandwidth, ...]) -> str:
    each = (
        phrase("check_bandwidth.each", effect=effect(row.estimate, a.finding.form), places=f"{row.places:,}")
        for row in n
    )
    reads = "differs" if a.status is CheckStatus.WARNS else "same"
    return phrase(f"check_bandwidth.{reads}", each=" and ".join(each))


def _named(row: OtherBandwidth) -> str:
    return f"{row.places:,} places"


BANDWIDTH = Check(
    name="bandwidth",
    row=OtherBandwidth,
    run=_run,
    say=_say,
    drawn=EstimatePlot(name=_named),
    concerns=has_rule,
    why="no_rule",
)
