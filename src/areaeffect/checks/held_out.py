"""Whether places had parted before the start, by a design that could not see it."""

from __future__ import annotations

from dataclasses import dataclass

from areaeffect.checks.base import (
    EFFECT,
    Answer,
    Check,
    CheckInputs,
    CheckStatus,
    Subject,
    effect,
    p_words,
    span,
)
from areaeffect.findings.grading import ALPHA, held_out
from areaeffect.records import described
from areaeffect.wording.numbers import phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutGap:
    """The gap in the part of the history that the design did not see."""

    gap: float | None = described(f"effect in the held-out span, by a design that does not see it: {EFFECT}")
    low: float | None = described("95% placebo interval, lower end")
    high: float | None = described("95% placebo interval, upper end")
    p_value: float = described("two-sided placebo p-value")
    neighbourhoods: int = described("neighbourhoods that have the span without gaps")


Found = Answer[HeldOutGap, HeldOutGap]


def _run(inputs: CheckInputs) -> list[Found]:
    """Show the held-out refit that also grades the findings."""
    return [_answer(inputs, s) for s in inputs.changes()]


def _answer(inputs: CheckInputs, s: Subject) -> Found:
    if not s.is_estimated:
        return s.silent(phrase("check.no_finding"))
    held = held_out(inputs.evidence, s.case)
    if held is None:
        return s.silent(phrase("check_held_out.too_short"))
    found = HeldOutGap(
        gap=s.case.printed(held.gap),
        low=s.case.printed(held.inference.low),
        high=s.case.printed(held.inference.high),
        p_value=held.inference.p_value,
        neighbourhoods=held.tested,
    )
    return s.answer(CheckStatus.WARNS if found.p_value <= ALPHA else CheckStatus.HOLDS, found, found)


def _say(a: Found, n: HeldOutGap) -> str:
    return phrase(
        f"check_held_out.{'warns' if a.status is CheckStatus.WARNS else 'holds'}",
        gap=effect(n.gap, a.finding.form),
        interval=span(n.low, n.high, a.finding.form),
        p=p_words(n.p_value),
    )


HELD_OUT = Check(name="held_out", row=HeldOutGap, run=_run, say=_say)
