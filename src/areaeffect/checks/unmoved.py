"""Outcomes that should not move: whether effects are found where none can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.checks.base import EFFECT, NO_FINDING, Check, Status, table

if TYPE_CHECKING:
    from areaeffect.checks.base import Answer, Ground, Subject

COLUMNS = {
    "estimate": ("number", f"effect on it: {EFFECT}"),
    "low": ("number", "95% placebo interval, lower end"),
    "high": ("number", "95% placebo interval, upper end"),
    "p_value": ("number", "two-sided placebo p-value"),
}


def unmoved_check(ground: Ground) -> Check:
    """Read the findings on outcomes that the study says the initiative cannot change."""
    asked = [s for s in ground.subjects if not s.case.outcome.should_move]
    answers = tuple(_answer(s) for s in asked)
    return Check(
        "unmoved",
        "Outcomes that should not move",
        "Is an effect found on outcomes that the initiative could not have changed?",
        answers,
        table(
            "unmoved",
            "Findings on outcomes that should not move",
            COLUMNS,
            [(a.group, a.outcome, *(a.numbers[n] for n in COLUMNS)) for a in answers if a.numbers],
        ),
        why="the study names no outcome that should not move (key should_move)",
    )


def _answer(s: Subject) -> Answer:
    f = s.finding
    if f.estimate is None:
        return s.silent(NO_FINDING)
    status = Status.WARNS if s.excludes_zero else Status.HOLDS
    return s.answer(status, estimate=f.estimate, low=f.low, high=f.high, p_value=f.p_value)
