"""Whether places had parted before the start, by a design that could not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.checks.base import EFFECT, NO_FINDING, Check, Status, table
from areaeffect.findings.grading import ALPHA, held_out

if TYPE_CHECKING:
    from areaeffect.checks.base import Answer, Ground, Subject

TOO_SHORT = "the history is too short, or has too many gaps, to leave its last part out"

COLUMNS = {
    "gap": ("number", f"effect in the held-out span, by a design that does not see it: {EFFECT}"),
    "low": ("number", "95% placebo interval, lower end"),
    "high": ("number", "95% placebo interval, upper end"),
    "p_value": ("number", "two-sided placebo p-value"),
    "neighbourhoods": ("integer", "neighbourhoods that have the span without gaps"),
}


def held_out_check(ground: Ground) -> Check:
    """Show the held-out refit that also grades the findings."""
    answers = tuple(_answer(ground, s) for s in ground.changes())
    rows = [
        (a.group, a.outcome, *(a.numbers[name] for name in COLUMNS)) for a in answers if a.numbers
    ]
    return Check(
        "held_out",
        "The last year before the start, held out",
        "If the design does not see the last stretch before the start, do the places part from "
        "their benchmark areas in it, before anything was done?",
        answers,
        table("held_out", "Gaps in the held-out span", COLUMNS, rows),
    )


def _answer(ground: Ground, s: Subject) -> Answer:
    if not s.is_estimated:
        return s.silent(NO_FINDING)
    held = held_out(ground.evidence, s.case)
    if held is None:
        return s.silent(TOO_SHORT)
    found = held.inference
    return s.answer(
        Status.WARNS if found.p_value <= ALPHA else Status.HOLDS,
        gap=s.case.printed(held.gap),
        low=s.case.printed(found.low),
        high=s.case.printed(found.high),
        p_value=found.p_value,
        neighbourhoods=held.tested,
    )
