"""Placebo in time: what the design finds in earlier years, where it should find nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from areaeffect.checks.base import (
    EFFECT,
    NO_FINDING,
    Answer,
    Check,
    CheckInputs,
    Drawn,
    Status,
    Subject,
    effect,
    held_against,
    p_words,
)
from areaeffect.checks.held_out import TOO_SHORT
from areaeffect.checks.refits import MOST_BACK
from areaeffect.findings.grading import ALPHA, held_out
from areaeffect.records import described
from areaeffect.wording.numbers import plural

if TYPE_CHECKING:
    from areaeffect.estimate.inference import PlaceboInference


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
        silent = TOO_SHORT if s.is_estimated else NO_FINDING
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
    return s.answer(Status.WARNS if warns else Status.HOLDS, numbers, *rows)


def _say(a: Found, n: Earlier) -> str:
    spans = "year" if n.dated else "third of the history"
    early = plural(n.worst, spans) if n.dated else f"{n.worst} × a {spans}"
    found = effect(n.estimate, a.finding.form)
    if n.starts == 1:
        done = "in time when nothing was done"
        return f"a start pretended {early} early gives {found} {done} (p {p_words(n.p_value)})."
    return (
        f"of {plural(n.starts, 'pretended start')} the one {early} early stands out most: "
        f"{found} in years when nothing was done (placebo p {p_words(n.p_value)}, "
        f"{p_words(n.p_adjusted)} for all of them)."
    )


def _named(row: EarlierStart) -> str:
    return str(row.spans_early)


EARLIER = Check(
    name="earlier",
    title="Pretending an earlier start",
    question="If the start is pretended to be one, two or three years earlier, is an effect found "
    "in years when nothing had been done?",
    caption="Effects of starts that never were",
    row=EarlierStart,
    run=_run,
    say=_say,
    drawn=Drawn(name=_named, along="years, or spans, before the real start"),
)
