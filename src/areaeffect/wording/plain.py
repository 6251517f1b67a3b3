"""What a page for residents says of one neighbourhood, in words of every day."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from areaeffect.results import Finding, Verdict
from areaeffect.wording.numbers import amounts, interval, known, noun, size, total
from areaeffect.wording.sentences import reason
from areaeffect.wording.short import when
from areaeffect.wording.terms import PHRASES

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


def in_short(findings: Sequence[Finding]) -> str:
    """Count what was looked at in one neighbourhood by verdict."""
    count = Counter(finding.verdict for finding in findings)
    parts = [f"{_SHORT[v]}: {count[v]}" for v in Verdict if count[v]]
    things = "1 thing" if len(findings) == 1 else f"{len(findings)} things"
    return PHRASES["place.looked"].format(things=things, counts="; ".join(parts).capitalize())


def plain_answer(finding: Finding) -> str:
    """Return what one neighbourhood's finding says, in two or three short sentences."""
    label = _capital(finding.label)
    if known(finding.estimate) is None:
        return PHRASES["place.no_answer"].format(label=label, reason=_capital(reason(finding)))
    why = f", because {finding.held_back}" if finding.held_back else ""
    said = PHRASES[f"place.{finding.verdict.name.lower()}"].format(label=label, why=why)
    return " ".join(part for part in (said, _counts(finding)) if part)


def how_sure(finding: Finding) -> str:
    """Return the range that fits the numbers, and the smallest change one place could show."""
    if known(finding.estimate) is None:
        return ""
    span = interval(finding.low, finding.high, finding)
    text = PHRASES["place.range"].format(label=_capital(finding.label), span=span)
    if known(finding.mde) is not None:
        text += PHRASES["place.missed"].format(mde=size(finding.mde, finding, unit=True))
    return text


def _counts(finding: Finding) -> str:
    both = amounts(finding)
    if both is None:
        return ""
    observed, expected = (total(v, finding) for v in both)
    key = "place.counts_level" if finding.claim == "level" else "place.counts_change"
    return _capital(
        PHRASES[key].format(when=when(finding.post), observed=observed, noun=noun(finding), expected=expected)
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
