"""The fixed words of a report: verdicts with their symbols, and grades of evidence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from areaeffect.results import Verdict

_TABLES = tomllib.loads(files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8"))

#: Every phrase under 'table.key'.
PHRASES: Mapping[str, str] = MappingProxyType(
    {f"{table}.{key}": words for table, own in _TABLES.items() for key, words in own.items()}
)

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

_BESIDE = {  # what a verdict sets a finding beside, by claim
    "change": "what was expected",
    "level": "the benchmark areas",
    "contrast": "the other initiatives",
}
_MEANINGS: dict[Verdict, str] = {
    Verdict.BETTER: "better than {}",
    Verdict.WORSE: "worse than {}",
    Verdict.LITTLE_DIFFERENCE: "little difference from {}",
    Verdict.HIGHER: "higher than {}",
    Verdict.LOWER: "lower than {}",
    Verdict.ALIKE: "much as {}",
    Verdict.CANNOT_TELL: "the data cannot tell how it differs from {}",
    Verdict.DESCRIBED: "compared with {}, and not judged",
    Verdict.NOT_ESTIMABLE: "could not be estimated",
}


def verdict_words(verdict: Verdict, claim: str = "change") -> str:
    """Say what a verdict means, in the words printed with its symbol."""
    return _MEANINGS[verdict].format(_BESIDE[claim])


def maryland_words(grade: int | None) -> str:
    """Write the strength of evidence, and by which scale."""
    if grade is None:
        return PHRASES["strength.none"]
    return PHRASES["strength.graded"].format(grade=grade, meaning=grade_words(grade))


def grade_words(grade: int) -> str:
    """Return what a grade of the Maryland scale stands for."""
    return PHRASES[f"strength.grade_{grade}"]


def balance_words(over: int, among: int, limit: float) -> str:
    """Say how alike the benchmark areas are, from the figures; nothing without characteristics."""
    if not among:
        return ""
    key = "strength.unlike" if over else "strength.alike"
    return PHRASES[key].format(over=over, among=among, limit=f"{limit:g}")
