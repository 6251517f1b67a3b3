"""Outcomes that should not move: whether effects are found where none can be."""

from __future__ import annotations

from dataclasses import dataclass

from areaeffect.checks.base import EFFECT, Answer, Check, CheckInputs, Subject, effect, p_words, span
from areaeffect.records import described
from areaeffect.wording.numbers import phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The effect on an outcome that should not move."""

    estimate: float = described(f"effect on it: {EFFECT}")
    low: float | None = described("95% placebo interval, lower end")
    high: float | None = described("95% placebo interval, upper end")
    p_value: float | None = described("two-sided placebo p-value")


Found = Answer[Effect, Effect]


def _run(inputs: CheckInputs) -> list[Found]:
    """Read the findings on outcomes that the study says the initiative cannot change."""
    return inputs.each(_answer, (s for s in inputs.subjects if not s.case.outcome.should_move))


def _answer(s: Subject) -> Found:
    f = s.finding
    found = Effect(estimate=s.effect, low=f.low, high=f.high, p_value=f.p_value)
    return s.answer(found, found, warns=s.excludes_zero)


def _say(a: Found, n: Effect) -> str:
    return phrase(
        f"check_unmoved.{a.status}",
        effect=effect(n.estimate, a.finding.form),
        interval=span(n.low, n.high, a.finding.form),
        p=p_words(n.p_value),
    )


UNMOVED = Check(name="unmoved", row=Effect, run=_run, say=_say, why="unmoved")
