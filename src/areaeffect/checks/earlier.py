"""Placebo in time: what the design finds in earlier years, where it should find nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.checks.base import EFFECT, NO_FINDING, Check, Status, held_against, table
from areaeffect.checks.held_out import TOO_SHORT
from areaeffect.checks.refits import MOST_BACK
from areaeffect.findings.grading import ALPHA, held_out

if TYPE_CHECKING:
    from areaeffect.checks.base import Answer, Ground, Number, Subject
    from areaeffect.estimate.inference import PlaceboInference

COLUMNS = {
    "spans_early": (
        "integer",
        "how much earlier the start is pretended to be: years, or thirds of an undated history",
    ),
    "estimate": ("number", f"effect from the pretended start to the real one: {EFFECT}"),
    "low": ("number", "95% placebo interval, lower end"),
    "high": ("number", "95% placebo interval, upper end"),
    "p_value": ("number", "two-sided placebo p-value"),
}


def earlier_check(ground: Ground) -> Check:
    """Refit with starts one to three years early; one year early is the held-out refit."""
    answers, rows = [], []
    for s in ground.changes():
        found = _earlier(ground, s) if s.is_estimated else {}
        if not found:
            answers.append(s.silent(TOO_SHORT if s.is_estimated else NO_FINDING))
            continue
        answers.append(_answer(s, found))
        rows += [_row(s, back, *found[back]) for back in sorted(found)]
    return Check(
        "earlier",
        "Pretending an earlier start",
        "If the start is pretended to be one, two or three years earlier, is an effect found in "
        "years when nothing had been done?",
        tuple(answers),
        table("earlier", "Effects of starts that never were", COLUMNS, rows),
    )


def _earlier(ground: Ground, s: Subject) -> dict[int, tuple[float, PlaceboInference]]:
    found = {}
    held = held_out(ground.evidence, s.case)
    if held is not None:
        found[1] = (held.gap, held.inference)
    if ground.refits is None:
        return found
    for back in range(2, MOST_BACK + 1):
        inferred = held_against(s.case, *ground.refits.back(back, s.case))
        if inferred is not None:
            found[back] = inferred
    return found


def _answer(s: Subject, found: dict[int, tuple[float, PlaceboInference]]) -> Answer:
    """Warn where the smallest of several p-values is too small for so many (Bonferroni)."""
    worst = min(found, key=lambda back: found[back][1].p_value)
    p_value = min(1.0, found[worst][1].p_value * len(found))
    return s.answer(
        Status.WARNS if p_value <= ALPHA else Status.HOLDS,
        starts=len(found),
        dated=s.case.measure.periods.kind.per_year is not None,
        worst=worst,
        estimate=s.case.printed(found[worst][0]),
        p_value=found[worst][1].p_value,
        p_adjusted=p_value,
    )


def _row(s: Subject, back: int, estimate: float, found: PlaceboInference) -> tuple[Number, ...]:
    printed = s.case.printed
    ends = (printed(found.low), printed(found.high))
    return (*s.row, back, printed(estimate), *ends, found.p_value)
