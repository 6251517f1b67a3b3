"""The fixed words of a report: verdicts with their symbols, and grades of evidence."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from areaeffect.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

VERDICT_SYMBOLS: dict[Verdict, str] = {
    Verdict.BETTER: "✓",
    Verdict.WORSE: "✗",
    Verdict.LITTLE_DIFFERENCE: "≈",
    Verdict.HIGHER: "↑",
    Verdict.LOWER: "↓",
    Verdict.ALIKE: "=",
    Verdict.CANNOT_TELL: "?",
    Verdict.DESCRIBED: "·",
    Verdict.NOT_ESTIMABLE: "–",
}

KEY = (
    "A claim about change asks what happened after the start; a claim about level only says how "
    "places differ; a contrast sets the changes of two kinds of initiative side by side. "
    "✓ better, ✗ worse, ≈ little difference (of levels: ↑ higher, ↓ lower, = alike), ? cannot "
    "tell, · described, – not estimable. ‘Cannot tell’ means that the data are too few or too "
    "noisy to say, whichever way it went. What is described has an estimate and an interval and "
    "is not judged: parts of a total, and single places of a programme of several."
)
CLAIMS = {
    "change": "A claim about change.",
    "level": "A claim about a difference in level.",
    "contrast": "A contrast between two kinds of initiative.",
}
_BESIDE = {  # what a verdict sets a finding beside, by claim
    "change": "what would have been expected",
    "level": "the benchmark areas",
    "contrast": "the other initiatives",
}
_MEANINGS: dict[Verdict, str] = {
    Verdict.BETTER: "better than {}",
    Verdict.WORSE: "worse than {}",
    Verdict.LITTLE_DIFFERENCE: "little difference from {}",
    Verdict.HIGHER: "higher than {}",
    Verdict.LOWER: "lower than {}",
    Verdict.ALIKE: "alike {}",
    Verdict.CANNOT_TELL: "the data cannot tell how it differs from {}",
    Verdict.DESCRIBED: "set beside {}, and not judged",
    Verdict.NOT_ESTIMABLE: "could not be estimated",
}

MARYLAND = {
    1: "a plain comparison of places, or of before and after",
    2: "a comparison with matched or adjusted places",
    3: "before and after, beside benchmark areas shown to be alike before the start",
    4: "credible outside variation in who was treated",
    5: "places chosen at random",
}


def verdict_words(verdict: Verdict, claim: str = "change") -> str:
    """Say what a verdict means, in words that stand beside its symbol."""
    return _MEANINGS[verdict].format(_BESIDE[claim])


def maryland_words(grade: int | None) -> str:
    """Write the strength of evidence, and by which scale."""
    if grade is None:
        return "Not graded on the Maryland scale."
    meaning = MARYLAND.get(grade, "")
    return f"{grade} of 5 on the Maryland scale (What Works Growth wording): {meaning}."


_TABLES = tomllib.loads(files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8"))

#: Every phrase under 'table.key'.
PHRASES: Mapping[str, str] = MappingProxyType(
    {f"{table}.{key}": words for table, own in _TABLES.items() for key, words in own.items()}
)
