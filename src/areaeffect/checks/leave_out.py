"""Leave one neighbourhood out: whether a finding rests on a single place."""

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
    CheckStatus,
    EstimatePlot,
    Subject,
    effect,
    held_against,
)
from areaeffect.estimate.inference import PlaceboInference
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


Found = Answer[Spread, WithoutOne]


def _run(inputs: CheckInputs) -> list[Found]:
    """Estimate without each neighbourhood: each has weights of its own, so none is refitted."""
    return [_answer(inputs, s) for s in inputs.subjects]


def _answer(inputs: CheckInputs, s: Subject) -> Found:
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
    return s.answer(CheckStatus.WARNS if turned.any() else CheckStatus.HOLDS, numbers, *rows)


def _say(a: Found, n: Spread) -> str:
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
        f"{table}.{'warns' if a.status is CheckStatus.WARNS else 'holds'}",
        of=of,
        low=effect(n.smallest, form),
        high=effect(n.largest, form),
        name=n.name,
        then=effect(n.estimate, form),
        more=phrase(f"{table}.more", n=n.turning - 1) if n.turning > 1 else "",
    )


def _named(row: WithoutOne) -> str:
    return row.neighbourhood


LEAVE_OUT = Check(name="leave_out", row=WithoutOne, run=_run, say=_say, drawn=EstimatePlot(name=_named))
