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


def phrase(key: str, **values: object) -> str:
    """Return a phrase with the values that its braces ask for."""
    return PHRASES[key].format(**values)


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


def verdict_words(verdict: Verdict, claim: str = "change") -> str:
    """Say what a verdict means, in the words printed with its symbol."""
    beside = PHRASES[f"meaning.beside_{claim}"]
    return phrase(f"meaning.{verdict.value.replace(' ', '_')}", beside=beside)


def maryland_words(grade: int | None) -> str:
    """Write the strength of evidence, and by which scale."""
    if grade is None:
        return PHRASES["strength.none"]
    return PHRASES["strength.graded"].format(grade=grade, meaning=grade_words(grade))


def grade_words(grade: int) -> str:
    """Return what a grade of the Maryland scale stands for."""
    return PHRASES[f"strength.grade_{grade}"]


def maryland_of(grades: Mapping[int | None, int]) -> str:
    """Write the strength of evidence of so many outcomes of each grade, the best first."""
    if len(grades) == 1:
        return maryland_words(next(iter(grades)))
    ordered = sorted(grades.items(), key=lambda item: -(item[0] or 0))
    said = [
        phrase("strength.some", n=n, grade=grade, meaning=grade_words(grade))
        if grade is not None
        else phrase("strength.some_none", n=n)
        for grade, n in ordered
    ]
    return phrase("strength.several", all=sum(grades.values()), grades="; ".join(said))
