"""Contamination: what the register knows to have happened in or near the benchmark areas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.checks.base import NO_FINDING, Check, Status, table
from areaeffect.findings.case import benchmark_of

if TYPE_CHECKING:
    from areaeffect.checks.base import Answer, Ground, Number, Subject
    from areaeffect.results import Bools, Floats

#: A larger share of weight in or next to other initiatives is warned of.
LIMIT = 0.1
NO_OTHERS = "the register names no other initiative: list those that are known"

COLUMNS = {
    "area": ("string", "code of the benchmark area"),
    "weight_share": ("number", "its share of all benchmark weight of the finding"),
    "in_other": ("boolean", "whether it belongs to another initiative, at whatever time"),
    "within_buffer": ("boolean", "whether it lies within the buffer of another initiative"),
    "touches_other": ("boolean", "whether it shares a border with another initiative"),
}


def contamination_check(ground: Ground) -> Check:
    """List benchmark areas in, near or next to other initiatives, with their share of weight."""
    others = np.zeros(len(ground.data.panel.areas), dtype=bool)
    others[ground.data.others] = True
    marks = _marks(ground, others)
    made = [_answer(ground, s, others, marks) for s in ground.subjects]
    return Check(
        "contamination",
        "Other initiatives near the benchmark areas",
        "Did other initiatives of the register, at any time, reach the benchmark areas or the "
        "places next to them?",
        tuple(answer for answer, _ in made),
        table(
            "contamination",
            "Benchmark areas in, near or next to another initiative",
            COLUMNS,
            [row for _, rows in made for row in rows],
        ),
    )


def _marks(ground: Ground, others: Bools) -> Bools:
    """Return (n_areas, 3): in another initiative, within the buffer of one, touching one."""
    panel, elsewhere = ground.data.panel, np.flatnonzero(others)
    marks = np.zeros((len(others), 3), dtype=bool)
    marks[:, 0] = others
    for column, graph in ((1, panel.near), (2, panel.contiguity)):
        if graph is not None and len(elsewhere):
            marks[graph.of_any(elsewhere), column] = True
    return marks


def _answer(
    ground: Ground, s: Subject, others: Bools, marks: Bools
) -> tuple[Answer, list[tuple[Number, ...]]]:
    if not s.is_estimated:
        return s.silent(NO_FINDING), []
    if not ground.study.register_.others:
        return s.silent(NO_OTHERS), []
    weight = _weight(ground, s, len(others))
    share = weight / weight.sum()
    marked = np.flatnonzero((weight > 0) & marks.any(axis=1))
    rows: list[tuple[Number, ...]] = [
        (*s.row, str(ground.data.panel.areas[i]), float(share[i]), *(bool(m) for m in marks[i]))
        for i in marked[np.argsort(-share[marked], kind="stable")]
    ]
    reached = float(share[marked].sum())
    answer = s.answer(
        Status.WARNS if reached > LIMIT else Status.HOLDS,
        known=int(others.sum()),
        reached=len(marked),
        share=reached,
        with_boundaries=ground.data.panel.contiguity is not None,
    )
    return answer, rows


def _weight(ground: Ground, s: Subject, n_areas: int) -> Floats:
    weight = np.zeros(n_areas)
    for g in s.case.units:
        chosen = benchmark_of(ground.evidence.plan, s.case.position)[g]
        if chosen is not None:
            weight[chosen.pool] += chosen.weights
    return weight
