"""Leave one out: whether a finding rests on a single neighbourhood, or on one benchmark area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from areaeffect.checks.base import (
    EFFECT,
    Answer,
    Check,
    CheckInputs,
    EstimatePlot,
    Subject,
    effect,
    held_against,
)
from areaeffect.checks.treated_benchmark import parts_of
from areaeffect.estimate.inference import PlaceboInference
from areaeffect.placebo.programmes import run_programme
from areaeffect.records import described
from areaeffect.results import Bools, Floats
from areaeffect.wording.numbers import phrase, plural


def turns(whole: Floats, without: Floats) -> Bools:
    """Tell without which neighbourhood the answer would change.

    Parameters
    ----------
    whole : (3,), estimate and ends of its interval.
    without : (n, 3), the same without each neighbourhood.

    Returns
    -------
    (n,): the estimate changes sign while either interval leaves zero out, or only one of both
    intervals leaves zero out. Two estimates on either side of zero whose intervals both hold it
    say the same.
    """
    before = bool(_leaves_out(whole))
    after = _leaves_out(without)
    flips = np.sign(without[:, 0]) != np.sign(whole[0])
    return np.asarray((after != before) | (flips & (after | before)))


def _leaves_out(rows: Floats) -> Bools:
    return np.asarray((rows[..., 1] > 0) | (rows[..., 2] < 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutOne:
    """The effect without one neighbourhood."""

    neighbourhood: str = described("the one left out")
    estimate: float | None = described(f"effect without it: {EFFECT}")
    low: float | None = described("95% placebo interval without it, lower end")
    high: float | None = described("95% placebo interval without it, upper end")
    turns: bool = described("whether the answer would change")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far the estimates without each of several spread, and the one that matters most."""

    tried: int
    turning: int
    name: str
    estimate: float | None
    smallest: float
    largest: float


Cells = tuple[float | None, float | None, float | None]


def spread_without(
    whole: Sequence[float], cells: Sequence[Cells], names: Sequence[str]
) -> tuple[Bools, Spread]:
    """Return without which the answer would change, (n,), and how far the estimates spread.

    Parameters
    ----------
    whole : estimate and ends of its interval.
    cells, names : the same without each of several, and what each is called.
    """
    without = np.array(cells, dtype=float)  # an end that was not found is NaN: it leaves nothing out
    turned = turns(np.array(whole), without)
    shown = int(np.argmax(turned if turned.any() else np.abs(without[:, 0] - whole[0])))
    numbers = Spread(
        tried=len(names),
        turning=int(turned.sum()),
        name=names[shown],
        estimate=cells[shown][0],
        smallest=float(without[:, 0].min()),
        largest=float(without[:, 0].max()),
    )
    return turned, numbers


OfPlaces = Answer[Spread, WithoutOne]


def _leave_out_run(inputs: CheckInputs) -> list[OfPlaces]:
    """Estimate without each neighbourhood: each has weights of its own, so none is refitted."""
    return [_leave_out_answer(inputs, s) for s in inputs.subjects]


def _leave_out_answer(inputs: CheckInputs, s: Subject) -> OfPlaces:
    f, evidence = s.finding, inputs.evidence
    own = f.single
    if f.estimate is None or own is None or own.low is None or own.high is None:
        return s.silent(phrase("check.no_finding"))
    if len(s.case.units) == 1:
        return s.silent(phrase("check_leave_out.one_place"))
    real, drawn = evidence.real[:, s.case.position], evidence.drawn[:, :, s.case.position]
    found: dict[int, tuple[float, PlaceboInference]] = {}
    for g in s.case.units:
        rest = tuple(u for u in s.case.units if u != g)
        case = replace(s.case, units=rest, n_places=len(rest))
        inferred = held_against(case, real, drawn)
        if inferred is not None:
            found[g] = inferred
    if not found:
        return s.silent(phrase("check_leave_out.few_draws"))
    printed = s.case.printed
    cells = [(printed(e), printed(i.low), printed(i.high)) for e, i in found.values()]
    named = [evidence.plan.units[g].name for g in found]
    turned, numbers = spread_without((f.estimate, own.low, own.high), cells, named)
    rows = [
        WithoutOne(neighbourhood=name, estimate=estimate, low=low, high=high, turns=bool(t))
        for name, (estimate, low, high), t in zip(named, cells, turned, strict=True)
    ]
    return s.answer(numbers, *rows, warns=turned.any())


def _leave_out_say(a: OfPlaces, n: Spread) -> str:
    return one_left_out("check_leave_out", a, n, of=plural(n.tried, "neighbourhood"))


def one_left_out(table: str, a: Answer[Any, Any], n: Any, of: str) -> str:
    """Say what an estimate becomes without each of several, from its `smallest` to its `largest`.

    Parameters
    ----------
    table : of the phrases.
    a, n : the answer and its numbers.
    of : what is left out, with how many of them there are.
    """
    form = a.finding.form
    return phrase(
        f"{table}.{a.status}",
        of=of,
        low=effect(n.smallest, form),
        high=effect(n.largest, form),
        name=n.name,
        then=effect(n.estimate, form),
        more=phrase(f"{table}.more", n=n.turning - 1) if n.turning > 1 else "",
    )


LEAVE_OUT = Check(
    name="leave_out",
    row=WithoutOne,
    run=_leave_out_run,
    say=_leave_out_say,
    drawn=EstimatePlot(name=lambda row: row.neighbourhood),
)


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


OfAreas = Answer[Spread, WithoutArea]


def _leave_area_out_run(inputs: CheckInputs) -> list[OfAreas]:
    """Design again without each of the heaviest benchmark areas; the placebos stay as they are."""
    refits: dict[int, Floats] = {}
    return [_leave_area_out_answer(inputs, s, refits) for s in inputs.subjects]


def _without(inputs: CheckInputs, area: int, refits: dict[int, Floats]) -> Floats:
    """Return the totals of the study's own programme where one area may not serve."""
    if area not in refits:
        plan = inputs.evidence.plan
        eligible = plan.machine.eligible.copy()
        eligible[area] = False
        machine = replace(plan.machine, eligible=eligible)
        refits[area] = run_programme(machine, [u.areas for u in plan.units])
    return refits[area]


def _leave_area_out_answer(inputs: CheckInputs, s: Subject, refits: dict[int, Floats]) -> OfAreas:
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
    return s.answer(numbers, *rows, warns=turned.any())


def _leave_area_out_say(a: OfAreas, n: Spread) -> str:
    return one_left_out("check_leave_area_out", a, n, of=plural(n.tried, "heaviest benchmark area"))


LEAVE_AREA_OUT = Check(
    name="leave_area_out",
    row=WithoutArea,
    run=_leave_area_out_run,
    say=_leave_area_out_say,
    drawn=EstimatePlot(name=lambda row: row.area),
)
