"""Contamination: what the register knows to have happened in or near the benchmark areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from areaeffect.checks.base import Answer, Check, CheckInputs, Subject
from areaeffect.records import described
from areaeffect.results import Bools, Floats
from areaeffect.wording.numbers import phrase, plural

#: A larger share of weight in or next to other initiatives is warned of.
LIMIT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A benchmark area in, near or next to another initiative."""

    area: str = described("code of the benchmark area")
    weight_share: float = described("its share of all benchmark weight of the finding")
    in_other: bool = described("whether it belongs to another initiative, at whatever time")
    within_buffer: bool = described("whether it lies within the buffer of another initiative")
    touches_other: bool = described("whether it shares a border with another initiative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contaminated:
    """How many benchmark areas other initiatives reach, and with which share of the weight."""

    known: int
    reached: int
    share: float
    with_boundaries: bool


OfContamination = Answer[Contaminated, Reached]


def _run(inputs: CheckInputs) -> list[OfContamination]:
    """List benchmark areas in, near or next to other initiatives, with their share of weight."""
    others = np.zeros(len(inputs.data.panel.areas), dtype=bool)
    others[inputs.data.others] = True
    marks = _marks(inputs, others)
    return inputs.each(lambda s: _answer(inputs, s, others, marks), inputs.subjects)


def _marks(inputs: CheckInputs, others: Bools) -> Bools:
    """Return (n_areas, 3): in another initiative, within the buffer of one, touching one."""
    panel, elsewhere = inputs.data.panel, np.flatnonzero(others)
    marks = np.zeros((len(others), 3), dtype=bool)
    marks[:, 0] = others
    for column, graph in ((1, panel.near), (2, panel.contiguity)):
        if graph is not None and len(elsewhere):
            marks[graph.of_any(elsewhere), column] = True
    return marks


def _answer(inputs: CheckInputs, s: Subject, others: Bools, marks: Bools) -> OfContamination:
    if not inputs.study.register_.others:
        return s.silent(phrase("check_contamination.no_others"))
    weight = _weight(inputs, s, len(others))
    share = weight / weight.sum()
    marked = np.flatnonzero((weight > 0) & marks.any(axis=1))
    rows = [
        Reached(
            area=str(inputs.data.panel.areas[i]),
            weight_share=float(share[i]),
            in_other=bool(marks[i, 0]),
            within_buffer=bool(marks[i, 1]),
            touches_other=bool(marks[i, 2]),
        )
        for i in marked[np.argsort(-share[marked], kind="stable")]
    ]
    numbers = Contaminated(
        known=int(others.sum()),
        reached=len(marked),
        share=float(share[marked].sum()),
        with_boundaries=inputs.data.panel.contiguity is not None,
    )
    return s.answer(numbers, *rows, warns=numbers.share > LIMIT)


def _weight(inputs: CheckInputs, s: Subject, n_areas: int) -> Floats:
    weight = np.zeros(n_areas)
    for g in s.case.units:
        chosen = inputs.evidence.plan.benchmark_of(s.case.position)[g]
        if chosen is not None:
            weight[chosen.pool] += chosen.weights
    return weight


def _say(_a: OfContamination, n: Contaminated) -> str:
    return phrase(
        f"check_contamination.{'near' if n.with_boundaries else 'inside'}",
        areas=plural(n.reached, "benchmark area"),
        share=f"{100 * n.share:.1f}%",
        known=plural(n.known, "area"),
    )


CONTAMINATION = Check(name="contamination", row=Reached, run=_run, say=_say)
