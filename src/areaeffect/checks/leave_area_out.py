"""Leave one benchmark area out: whether a finding rests on a single area it is compared with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.checks.base import EFFECT, NO_FINDING, Check, Status, held_against, table
from areaeffect.checks.leave_out import turns
from areaeffect.checks.treated_benchmark import parts_of
from areaeffect.placebo.programmes import run_programme

if TYPE_CHECKING:
    from areaeffect.checks.base import Answer, Ground, Number, Subject
    from areaeffect.results import Floats

#: Benchmark areas that are left out in turn: those with the largest part in what is expected.
TRIED = 5

COLUMNS = {
    "area": ("string", "the benchmark area left out"),
    "share": ("number", "its share of what is expected"),
    "estimate": ("number", f"effect with other benchmark areas in its place: {EFFECT}"),
    "low": ("number", "95% placebo interval then, lower end"),
    "high": ("number", "95% placebo interval then, upper end"),
    "turns": ("boolean", "whether the finding would read otherwise"),
}


def leave_area_out_check(ground: Ground) -> Check:
    """Design again without each of the heaviest benchmark areas; the placebos stay as they are."""
    refits: dict[int, Floats] = {}
    made = [_answer(ground, s, refits) for s in ground.subjects]
    return Check(
        "leave_area_out",
        "Without each of the heaviest benchmark areas",
        "Does the finding rest on a single benchmark area, so that without it the sign, or whether "
        "the interval leaves zero out, would change?",
        tuple(answer for answer, _ in made),
        table(
            "leave_area_out",
            "Effects without each of the heaviest benchmark areas",
            COLUMNS,
            [row for _, rows in made for row in rows],
        ),
    )


def _without(ground: Ground, area: int, refits: dict[int, Floats]) -> Floats:
    """Return the totals of the study's own programme where one area may not serve."""
    if area not in refits:
        plan = ground.evidence.plan
        eligible = plan.machine.eligible.copy()
        eligible[area] = False
        machine = replace(plan.machine, eligible=eligible)
        refits[area] = run_programme(machine, [u.areas for u in plan.units])
    return refits[area]


def _answer(
    ground: Ground, s: Subject, refits: dict[int, Floats]
) -> tuple[Answer, list[tuple[Number, ...]]]:
    f, evidence = s.finding, ground.evidence
    if f.estimate is None or f.low is None or f.high is None:
        return s.silent(NO_FINDING), []
    parts = parts_of(ground, s)
    heaviest = np.argsort(-parts, kind="stable")[:TRIED]
    drawn = evidence.drawn[:, :, s.case.position]
    rows: list[tuple[Number, ...]] = []
    found = []
    names = ground.data.panel.names
    for area in heaviest[parts[heaviest] > 0]:
        real = _without(ground, int(area), refits)[:, s.case.position]
        inferred = held_against(s.case, real, drawn)
        if inferred is None:
            continue
        estimate, inference = inferred
        cell = tuple(s.case.printed(x) for x in (estimate, inference.low, inference.high))
        found.append(np.array(cell, dtype=float))
        rows.append((*s.row, str(names[area]), float(parts[area] / parts.sum()), *cell))
    if not found:
        return s.silent("without one of the heaviest areas there is no design"), []
    without = np.array(found)
    turned = turns(np.array([f.estimate, f.low, f.high]), without)
    shown = (
        int(np.argmax(turned))
        if turned.any()
        else int(np.argmax(np.abs(without[:, 0] - f.estimate)))
    )
    answer = s.answer(
        Status.WARNS if turned.any() else Status.HOLDS,
        areas=len(found),
        turning=int(turned.sum()),
        name=rows[shown][2],
        estimate=float(without[shown, 0]),
        smallest=float(without[:, 0].min()),
        largest=float(without[:, 0].max()),
    )
    return answer, [(*row, bool(t)) for row, t in zip(rows, turned, strict=True)]
