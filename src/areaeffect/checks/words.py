"""Sentences about checks: what several of them say, and what a check says of all findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect import wording
from areaeffect.checks.base import Status
from areaeffect.wording.numbers import NOT_ESTIMABLE, known, number, plural

if TYPE_CHECKING:
    from areaeffect.checks.base import CheckedFinding, CheckSummary

SMALLEST_P = 0.001


def caveat(check: CheckSummary, finding: CheckedFinding) -> str:
    """Return the line that a finding carries where a check warns of it."""
    return f"{wording.CHECK_WARNS}‘{check.title}’ warns: {finding.reason}"


def summary(check: CheckSummary, *, example: bool = True) -> str:
    """Return one sentence on a check over all the findings it concerns, and an example of it."""
    if not check.findings:
        return f"Not estimable: {check.why}."
    tried = [a for a in check.findings if a.status is not Status.NOT_ESTIMABLE]
    warned = [a for a in tried if a.status is Status.WARNS]
    if not tried:
        reasons = dict.fromkeys(a.why for a in check.findings)
        return f"Not estimable: {'; '.join(reasons)}."
    weak = [a for a in tried if a.status is Status.INFORMATION]
    if weak and not warned:
        few = f"{len(weak)} of {plural(len(tried), 'finding')}"
        return f"No warning, but weak for {few}{_first(weak, example)}"
    if not warned:
        which = "the one finding" if len(tried) == 1 else f"all {len(tried)} findings"
        return f"Holds for {which} it could try{_first(tried, example)}"
    few = f"{len(warned)} of {plural(len(tried), 'finding')}"
    return f"Warns of {few}{_first(warned, example)}"


def effect(value: float | None, form: str) -> str:
    """Write an effect with its sign; finer scales get the decimals they need."""
    finite = known(value)
    if form == "ratio" or finite is None:
        return number(finite, form)
    decimals = 1 if abs(finite) >= 1 or finite == 0 else 3
    return number(finite, form, decimals)


def p_words(value: float | None) -> str:
    """Write a p-value."""
    if value is None:
        return NOT_ESTIMABLE
    return f"under {SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}"


def span(low: float | None, high: float | None, form: str) -> str:
    """Write an interval of an effect; an end that was not found is said to be so."""
    ends = ["no end found" if known(end) is None else effect(end, form) for end in (low, high)]
    return f"{ends[0]} to {ends[1]}"


def _first(findings: list[CheckedFinding], example: bool) -> str:
    if not example:
        return "."
    chosen = findings[0]
    lead = " For example" if len(findings) > 1 else " For"
    group = f", {chosen.group}" if len({f.group for f in findings}) > 1 else ""
    return f".{lead} {chosen.label}{group}: {chosen.reason}"
