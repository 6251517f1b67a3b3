"""Leave one neighbourhood out: whether a finding rests on a single place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.checks.base import EFFECT, NO_FINDING, Check, Status, held_against, table

if TYPE_CHECKING:
    from areaeffect.checks.base import Answer, Ground, Number, Subject
    from areaeffect.estimate.inference import PlaceboInference
    from areaeffect.results import Bools, Floats


def turns(whole: Floats, without: Floats) -> Bools:
    """Tell without which neighbourhood a finding would read otherwise.

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


ONE_PLACE = "there is one neighbourhood, or one set of weights for all, so none can be left out"

COLUMNS = {
    "neighbourhood": ("string", "the one left out"),
    "estimate": ("number", f"effect without it: {EFFECT}"),
    "low": ("number", "95% placebo interval without it, lower end"),
    "high": ("number", "95% placebo interval without it, upper end"),
    "turns": ("boolean", "whether the finding would read otherwise"),
}


def leave_out_check(ground: Ground) -> Check:
    """Estimate without each neighbourhood: each has weights of its own, so none is refitted."""
    made = [_answer(ground, s) for s in ground.subjects]
    return Check(
        "leave_out",
        "Without each neighbourhood in turn",
        "Does the finding rest on a single neighbourhood, so that without it the sign, or "
        "whether the interval leaves zero out, would change?",
        tuple(answer for answer, _ in made),
        table(
            "leave_out",
            "Effects without each neighbourhood",
            COLUMNS,
            [row for _, rows in made for row in rows],
        ),
    )


def _answer(ground: Ground, s: Subject) -> tuple[Answer, list[tuple[Number, ...]]]:
    f, evidence = s.finding, ground.evidence
    own = f.single
    if f.estimate is None or own is None or own.low is None or own.high is None:
        return s.silent(NO_FINDING), []
    if len(s.case.units) == 1:
        return s.silent(ONE_PLACE), []
    real, drawn = evidence.real[:, s.case.position], evidence.drawn[:, :, s.case.position]
    found: dict[int, tuple[float, PlaceboInference]] = {}
    for g in s.case.units:
        rest = tuple(u for u in s.case.units if u != g)
        case = replace(s.case, units=rest, n_places=len(rest))
        inferred = held_against(case, real, drawn)
        if inferred is not None:
            found[g] = inferred
    if not found:
        return s.silent("without a neighbourhood there are too few placebo programmes"), []
    printed = s.case.printed
    cells = [(printed(e), printed(i.low), printed(i.high)) for e, i in found.values()]
    without = np.array(
        cells, dtype=float
    )  # an end that was not found is NaN: it leaves nothing out
    turned = turns(np.array([f.estimate, own.low, own.high]), without)
    named = [evidence.plan.units[g].name for g in found]
    rows: list[tuple[Number, ...]] = [
        (*s.row, name, *cell, bool(t)) for name, cell, t in zip(named, cells, turned, strict=True)
    ]
    far = int(np.argmax(np.abs(without[:, 0] - f.estimate)))
    shown = int(np.argmax(turned)) if turned.any() else far
    answer = s.answer(
        Status.WARNS if turned.any() else Status.HOLDS,
        neighbourhoods=len(found),
        turning=int(turned.sum()),
        name=named[shown],
        estimate=cells[shown][0],
        smallest=float(without[:, 0].min()),
        largest=float(without[:, 0].max()),
    )
    return answer, rows
