"""Leave one benchmark area out: whether a finding rests on a single area it is compared with."""

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
    held_against,
)
from areaeffect.checks.leave_out import Cells, Spread, one_left_out, spread_without
from areaeffect.checks.treated_benchmark import parts_of
from areaeffect.placebo.programmes import run_programme
from areaeffect.records import described
from areaeffect.results import Floats
from areaeffect.wording.numbers import phrase, plural

#: Benchmark areas that are left out in turn: those with the largest part in what is expected.
TRIED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutArea:
    """The effect without one benchmark area."""

    area: str = described("the benchmark area left out")
    share: float = described("its share of what is expected")
    estimate: float | None = described(f"effect with other benchmark areas in its place: {EFFECT}")
    low: float | None = described("95% placebo interval then, lower end")
    high: float | None = described("95% placebo interval then, upper end")
    turns: bool = described("whether the answer would change")


Found = Answer[Spread, WithoutArea]


def _run(inputs: CheckInputs) -> list[Found]:
    """Design again without each of the heaviest benchmark areas; the placebos stay as they are."""
    refits: dict[int, Floats] = {}
    return [_answer(inputs, s, refits) for s in inputs.subjects]


def _without(inputs: CheckInputs, area: int, refits: dict[int, Floats]) -> Floats:
    """Return the totals of the study's own programme where one area may not serve."""
    if area not in refits:
        plan = inputs.evidence.plan
        eligible = plan.machine.eligible.copy()
        eligible[area] = False
        machine = replace(plan.machine, eligible=eligible)
        refits[area] = run_programme(machine, [u.areas for u in plan.units])
    return refits[area]


def _answer(inputs: CheckInputs, s: Subject, refits: dict[int, Floats]) -> Found:
    f, evidence = s.finding, inputs.evidence
    if f.estimate is None or f.low is None or f.high is None:
        return s.silent(phrase("check.no_finding"))
    parts = parts_of(inputs, s)
    heaviest = np.argsort(-parts, kind="stable")[:TRIED]
    drawn = evidence.drawn[:, :, s.case.position]
    cells: dict[int, Cells] = {}
    for area in heaviest[parts[heaviest] > 0]:
        real = _without(inputs, int(area), refits)[:, s.case.position]
        inferred = held_against(s.case, real, drawn)
        if inferred is not None:
            estimate, inference = inferred
            printed = s.case.printed
            cells[int(area)] = (printed(estimate), printed(inference.low), printed(inference.high))
    if not cells:
        return s.silent(phrase("check_leave_area_out.no_design"))
    named = [str(inputs.data.panel.names[area]) for area in cells]
    turned, numbers = spread_without((f.estimate, f.low, f.high), list(cells.values()), named)
    rows = [
        WithoutArea(
            area=name,
            share=float(parts[area] / parts.sum()),
            estimate=estimate,
            low=low,
            high=high,
            turns=bool(t),
        )
        for name, (area, (estimate, low, high)), t in zip(named, cells.items(), turned, strict=True)
    ]
    return s.answer(CheckStatus.WARNS if turned.any() else CheckStatus.HOLDS, numbers, *rows)


def _say(a: Found, n: Spread) -> str:
    return one_left_out("check_leave_area_out", a, n, of=plural(n.tried, "heaviest benchmark area"))


def _named(row: WithoutArea) -> str:
    return row.area


LEAVE_AREA_OUT = Check(
    name="leave_area_out", row=WithoutArea, run=_run, say=_say, drawn=EstimatePlot(name=_named)
)
