"""Shifted cuts: what is found in the places that would have been next, in whom nothing was done."""

from __future__ import annotations

from dataclasses import dataclass

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
    p_words,
)
from areaeffect.checks.discontinuity import has_rule
from areaeffect.placebo.programmes import run_programme
from areaeffect.records import described
from areaeffect.results import Floats
from areaeffect.wording.numbers import phrase, plural

#: Programmes that are placed one after the other beyond the real one.
MOST = 4
_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPlaces:
    """The effect found in places that were next in line."""

    first: int = described("rank of the first of them")
    last: int = described("rank of the last")
    estimate: float | None = described(f"effect found there: {EFFECT}")
    low: float | None = described("95% placebo interval, lower end")
    high: float | None = described("95% placebo interval, upper end")
    p_value: float = described("two-sided placebo p-value")
    adjusted: float = described("the smallest of all, times their number")


@dataclass(frozen=True, slots=True)
class OddestCut:
    """The shifted cut with the smallest p-value, and how many were tried."""

    of: NextPlaces
    tried: int


Found = Answer[OddestCut, NextPlaces]
_Window = tuple[int, int, "Floats"]


def _run(inputs: CheckInputs) -> list[Found]:
    """Pretend that the places next in line were chosen, then those after them."""
    plan = inputs.evidence.plan
    rule = plan.machine.rules.ranked
    if rule is None:
        return []
    counts = [len(bank.pieces) for bank in plan.machine.banks]
    may = np.array([bool(plan.pool.eligible[areas].all()) for areas in rule.places])
    windows: list[_Window] = []
    while len(windows) < MOST:
        taken = rule.taken(may, sum(counts))
        if len(taken) < sum(counts):
            break
        may[taken] = False
        totals = run_programme(plan.machine, rule.split(taken, counts))
        windows.append((int(taken[0]) + 1, int(taken[-1]) + 1, totals))
    return [_answer(inputs, s, windows) for s in inputs.subjects]


def _answer(inputs: CheckInputs, s: Subject, windows: list[_Window]) -> Found:
    if s.finding.estimate is None:
        return s.silent(phrase("check.no_finding"))
    drawn = inputs.evidence.drawn[:, :, s.case.position]
    found = [
        (first, last, inferred)
        for first, last, totals in windows
        if (inferred := s.case.infer(totals[:, s.case.position], drawn)) is not None
    ]
    if not found:
        return s.silent(phrase("check_shifted_cuts.too_few"))
    smallest = min(1.0, len(found) * min(i.p_value for *_, i in found))
    rows = tuple(
        NextPlaces(
            first=first, last=last, estimate=s.case.printed(i.estimate),
            low=s.case.printed(i.low), high=s.case.printed(i.high),
            p_value=i.p_value, adjusted=smallest,
        )
        for first, last, i in found
    )  # fmt: skip
    numbers = OddestCut(min(rows, key=lambda row: row.p_value), len(rows))
    return s.answer(CheckStatus.WARNS if smallest <= _ALPHA else CheckStatus.HOLDS, numbers, *rows)


def _say(a: Found, n: OddestCut) -> str:
    return phrase(
        f"check_shifted_cuts.{'warns' if a.status is CheckStatus.WARNS else 'holds'}",
        tried=plural(n.tried, "programme"),
        first=f"{n.of.first:,}",
        last=f"{n.of.last:,}",
        effect=effect(n.of.estimate, a.finding.form),
        p=p_words(n.of.adjusted),
    )


def _named(row: NextPlaces) -> str:
    return f"ranks {row.first:,} to {row.last:,}"


SHIFTED_CUTS = Check(
    name="shifted_cuts",
    row=NextPlaces,
    run=_run,
    say=_say,
    drawn=EstimatePlot(name=_named),
    concerns=has_rule,
    why="no_rule",
)
