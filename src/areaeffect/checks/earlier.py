"""Placebo in time: what the design finds in earlier years, where it should find nothing."""

from __future__ import annotations

from dataclasses import dataclass

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
    p_words,
)
from areaeffect.checks.refits import MOST_BACK
from areaeffect.estimate.inference import PlaceboInference
from areaeffect.findings.grading import ALPHA, held_out
from areaeffect.records import described
from areaeffect.wording.numbers import phrase, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierStart:
    """The effect of a start that is pretended to be earlier."""

    spans_early: int = described(
        "how much earlier the start is pretended to be: years, or thirds of an undated history"
    )
    estimate: float | None = described(f"effect from the pretended start to the real one: {EFFECT}")
    low: float | None = described("95% placebo interval, lower end")
    high: float | None = described("95% placebo interval, upper end")
    p_value: float = described("two-sided placebo p-value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The pretended start that stands out most, among how many, in years where `dated`."""

    starts: int
    dated: bool
    worst: int
    estimate: float | None
    p_value: float
    p_adjusted: float


Found = Answer[Earlier, EarlierStart]


def _run(inputs: CheckInputs) -> list[Found]:
    """Refit with starts one to three years early; one year early is the held-out refit."""
    answers: list[Found] = []
    for s in inputs.changes():
        found = _earlier(inputs, s) if s.is_estimated else {}
        silent = phrase("check_held_out.too_short") if s.is_estimated else phrase("check.no_finding")
        answers.append(_answer(s, found) if found else s.silent(silent))
    return answers


def _earlier(inputs: CheckInputs, s: Subject) -> dict[int, tuple[float, PlaceboInference]]:
    found = {}
    held = held_out(inputs.evidence, s.case)
    if held is not None:
        found[1] = (held.gap, held.inference)
    if inputs.refits is None:
        return found
    for back in range(2, MOST_BACK + 1):
        inferred = held_against(s.case, *inputs.refits.back(back, s.case))
        if inferred is not None:
            found[back] = inferred
    return found


def _answer(s: Subject, found: dict[int, tuple[float, PlaceboInference]]) -> Found:
    """Warn where the smallest of several p-values is too small for their number (Bonferroni)."""
    printed = s.case.printed
    rows = [
        EarlierStart(
            spans_early=back,
            estimate=printed(estimate),
            low=printed(inferred.low),
            high=printed(inferred.high),
            p_value=inferred.p_value,
        )
        for back, (estimate, inferred) in sorted(found.items())
    ]
    worst = min(rows, key=lambda row: row.p_value)
    numbers = Earlier(
        starts=len(rows),
        dated=s.case.measure.periods.kind.per_year is not None,
        worst=worst.spans_early,
        estimate=worst.estimate,
        p_value=worst.p_value,
        p_adjusted=min(1.0, worst.p_value * len(rows)),
    )
    warns = numbers.p_adjusted <= ALPHA
    return s.answer(CheckStatus.WARNS if warns else CheckStatus.HOLDS, numbers, *rows)


def _say(a: Found, n: Earlier) -> str:
    dated = plural(n.worst, "year")
    early = dated if n.dated else phrase("check_earlier.undated", n=n.worst)
    return phrase(
        f"check_earlier.{'one' if n.starts == 1 else 'several'}",
        starts=plural(n.starts, "earlier start"),
        early=early,
        effect=effect(n.estimate, a.finding.form),
        p=p_words(n.p_value),
        all=p_words(n.p_adjusted),
    )


def _named(row: EarlierStart) -> str:
    return str(row.spans_early)


EARLIER = Check(name="earlier", row=EarlierStart, run=_run, say=_say, drawn=EstimatePlot(name=_named))
