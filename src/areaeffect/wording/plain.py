"""What a page for residents says of one neighbourhood, in words of every day."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from areaeffect.results import Finding, Verdict
from areaeffect.wording.numbers import amounts, interval, is_count, known, noun, size, total
from areaeffect.wording.sentences import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHORT = {
    Verdict.BETTER: "better",
    Verdict.WORSE: "worse",
    Verdict.LITTLE_DIFFERENCE: "much the same",
    Verdict.HIGHER: "higher",
    Verdict.LOWER: "lower",
    Verdict.ALIKE: "much the same level",
    Verdict.CANNOT_TELL: "cannot tell",
    Verdict.DESCRIBED: "shown, not judged",
    Verdict.NOT_ESTIMABLE: "no answer",
}

CLAIMS = {"change": "how it changed", "level": "how it stands"}
WHAT_IT_IS = (
    "This page is about one place. It sets the place beside areas that were like it before the "
    "work began. We call them benchmark areas. They show how things may have gone without the work."
)
ON_ONE_PLACE = (
    "One place is small. Its numbers go up and down by chance. What else went on here in these "
    "years and what the work did are one and the same number. So a place that is one of several "
    "is shown here and not judged. That does not mean that nothing changed. The report on all the "
    "places together can see more."
)
CHARTS = (
    "The blue line is this place. The dashed line is its benchmark areas. The upright line is the "
    "start. If the two lines part after the start, something may have changed. The shaded part "
    "shows how far chance alone could move the dashed line."
)
TO_DO = (
    "Ask if it fits. Do the charts match what you see and hear where you live?",
    "Ask what else went on here at the time. A new road or a shop that shut can move the numbers.",
    "Look at the map. Are the benchmark areas like yours? If not, tell the people who did this.",
    "Do not rank places by these numbers. The top and the bottom are often there by luck.",
    "Use the full report when you ask for money or write to the press. It says how sure we are.",
)


def in_short(findings: Sequence[Finding]) -> str:
    """Count what was looked at in one neighbourhood by verdict."""
    count = Counter(finding.verdict for finding in findings)
    parts = [f"{_SHORT[v]}: {count[v]}" for v in Verdict if count[v]]
    things = "1 thing" if len(findings) == 1 else f"{len(findings)} things"
    return f"We looked at {things} here. {'; '.join(parts).capitalize()}."


def plain_answer(finding: Finding) -> str:
    """Return what one neighbourhood's finding says, in two or three short sentences."""
    label = finding.label[:1].upper() + finding.label[1:]
    if known(finding.estimate) is None:
        return f"{label}: there is no answer. {_capital(reason(finding))}."
    told = {
        Verdict.BETTER: "this place did better than places like it. One place cannot say why.",
        Verdict.WORSE: "this place did worse than places like it. One place cannot say why.",
        Verdict.LITTLE_DIFFERENCE: "this is much the same as in the benchmark areas.",
        Verdict.HIGHER: "this is higher than in the benchmark areas.",
        Verdict.LOWER: "this is lower than in the benchmark areas.",
        Verdict.ALIKE: "this is much the same as in the benchmark areas.",
        Verdict.CANNOT_TELL: "we cannot tell.",
        Verdict.DESCRIBED: "here are the numbers. One place alone is not judged.",
    }[finding.verdict]
    return " ".join(part for part in (f"{label}: {told}", _counts(finding)) if part)


def how_sure(finding: Finding) -> str:
    """Return the range that fits the numbers, and the smallest change one place could show."""
    if known(finding.estimate) is None:
        return ""
    span = interval(finding.low, finding.high, finding)
    label = finding.label[:1].upper() + finding.label[1:]
    text = f"{label}: the truth may lie anywhere {span}."
    if known(finding.mde) is not None:
        text += f" A change of less than {size(finding.mde, finding, unit=True)} could be missed."
    return text


def _counts(finding: Finding) -> str:
    both = amounts(finding)
    if both is None:
        return ""
    observed, expected = (total(v, finding) for v in both)
    if finding.claim == "level":
        return f"Here: {observed}{noun(finding)}. Benchmark areas: {expected}."
    if is_count(finding):
        return f"There were {observed}{noun(finding)}. We would have guessed {expected}."
    return f"It came to {observed}. We would have guessed {expected}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
