"""Numbers as they are printed: sizes, signs, intervals and counts of a finding."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from importlib.resources import files
from types import MappingProxyType

from areaeffect.results import LEVEL, Finding, Verdict

FINE_SCALE = 1.0  # a threshold below this belongs to a scale that one decimal would flatten
FINE_RATE = 0.1  # a tenth of a rate's interval below this does
MOST_DECIMALS = 15
_THREE_DIGITS = 100
_NEARLY_ALL = 0.9999
NOT_ESTIMABLE = "not estimable"
POINTS = "percentage points"  # the unit of a difference of shares; a share itself is in per cent
NO_NOUN = frozenset({"", "fraction", POINTS})  # units that do not say what an amount counts


def known(value: float | None) -> float | None:
    """Return a finite number, or None where there is none (None, NaN, infinity)."""
    return float(value) if value is not None and math.isfinite(value) else None


def number(value: float | None, form: str, decimals: int = 1) -> str:
    """Write a number with its sign.

    Parameters
    ----------
    value : the number; None, NaN and infinity print as 'not estimable'.
    form : 'ratio' (a fraction, printed in per cent), 'count' (thousands commas, no
        decimals) or 'additive' (a score or rate).
    decimals : decimals of per cents and scores.

    Examples
    --------
    >>> number(-0.201, "ratio"), number(5270.4, "count"), number(3.94, "additive")
    ('−20.1%', '5,270', '3.9')
    """
    finite = known(value)
    if finite is None:
        return NOT_ESTIMABLE
    places = 0 if form == "count" else decimals
    text = f"{abs(finite) * 100 if form == 'ratio' else abs(finite):,.{places}f}"
    minus = "−" if finite < 0 and text.strip("0.,") else ""
    return f"{minus}{text}{'%' if form == 'ratio' else ''}"


def three_digits(value: float) -> str:
    """Write a number whole or by its first three digits, without exponent: '5,823', '0.0123'."""
    if abs(value) >= _THREE_DIGITS:
        return f"{value:,.0f}".replace("-", "−")
    rounded = Decimal(repr(float(f"{value:.3g}")))
    return format(rounded, "f").removesuffix(".0").replace("-", "−")


def decimals_of(finding: Finding) -> int:
    """Return the decimals a finding is printed with: one, more on a fine scale.

    A score has two digits of its smallest effect of interest: two decimals where that is 0.1. For
    a rate beside a ratio, whose threshold is a fraction, a tenth of its own interval counts.
    """
    if finding.form == "ratio":
        return 1
    scale, fine = finding.threshold, FINE_SCALE
    if " per " in finding.unit:
        ends = (known(v) for v in (finding.estimate, finding.low, finding.high))
        scale = max((abs(v) for v in ends if v is not None), default=1.0) / 10
        fine = FINE_RATE
    return fine_decimals(scale, fine)


def fine_decimals(scale: float, fine: float = FINE_SCALE) -> int:
    """Return the decimals that show two digits of numbers of some size; one from `fine` on."""
    if scale >= fine or scale <= 0:
        return 1
    return min(math.ceil(-math.log10(scale)) + 1, MOST_DECIMALS)


def signed(value: float | None, finding: Finding) -> str:
    """Write one of a finding's effects with its sign, as tables do."""
    return number(value, finding.form, decimals_of(finding))


def size(value: float | None, finding: Finding, *, unit: bool = False) -> str:
    """Write the size of one of a finding's effects, without its sign."""
    finite = known(value)
    text = number(None if finite is None else abs(finite), finding.form, decimals_of(finding))
    return f"{text} {finding.unit}" if unit and finding.form == "additive" and finding.unit else text


def total(value: float | None, finding: Finding) -> str:
    """Write an observed or expected amount: a count, or a mean, share or rate."""
    text = number(value, "count" if is_count(finding) else "additive", decimals_of(finding))
    is_share = finding.unit == POINTS and text != NOT_ESTIMABLE
    return f"{text}%" if is_share else text


def is_count(finding: Finding) -> bool:
    """Say whether observed and expected amounts are numbers of incidents."""
    return finding.form == "ratio" and " per " not in finding.unit


def noun(finding: Finding) -> str:
    """Return what observed and expected amounts count, with a space before it, or nothing."""
    return "" if finding.unit in NO_NOUN else f" {finding.unit}"


def amounts(finding: Finding) -> tuple[float, float] | None:
    """Return the observed and the expected amount, where they belong to the estimate.

    An additive estimate is a difference of the two; where it is not (totals are printed with a
    difference in rates), printing them in its unit would mislead.
    """
    observed, expected = known(finding.observed), known(finding.counterfactual)
    estimate = known(finding.estimate)
    if observed is None or expected is None or estimate is None:
        return None
    tolerance = 1e-6 * max(1.0, abs(observed), abs(expected))
    if finding.form != "ratio" and abs(observed - expected - estimate) > tolerance:
        return None
    return observed, expected


def direction(value: float | None, finding: Finding) -> str:
    """Return 'lower' or 'higher'; empty where the printed size is zero or there is none."""
    text = signed(value, finding)
    if known(value) is None or not text.strip("−0.,%"):
        return ""
    return "lower" if text.startswith("−") else "higher"


def interval(low: float | None, high: float | None, finding: Finding) -> str:
    """Write an interval: 'from 28.3% to 11.0% lower', 'from 4.0% lower to 1.6% higher'."""
    below, above = known(low), known(high)
    if below is None and above is None:
        return NOT_ESTIMABLE
    first, last = (_direction(v, finding) for v in (below, above))
    values = {"low_word": first, "high_word": last, "word": first or last}
    values |= {"low": _brief(below, finding), "high": _brief(above, finding)}
    if below is None:
        kind = "no_low"
    elif above is None:
        kind = "no_high"
    elif first == last or not first or not last:
        kind = "one_side"
        values["low"] = size(below, finding)
    else:
        kind = "across"
    text = PHRASES[f"interval.{kind}"].format(**values)
    return text.replace(" ,", ",").replace("  ", " ").rstrip()


def _direction(value: float | None, finding: Finding) -> str:
    word = direction(value, finding)
    return PHRASES[f"word.{word}"] if word else ""


def signed_interval(low: float | None, high: float | None, finding: Finding) -> str:
    """Write an interval for a table: '−28.3% to −11.0%'."""
    if known(low) is None and known(high) is None:
        return NOT_ESTIMABLE
    ends = [signed(v, finding) if known(v) is not None else "no end found" for v in (low, high)]
    return f"{ends[0]} to {ends[1]}"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun: '1 area', '1,204 areas'."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percent(level: float) -> str:
    """Write the level of an interval: 95%; that of an early look is 'over 99.99%'."""
    return f"{100 * level:.4g}%" if level <= _NEARLY_ALL else f"over {_NEARLY_ALL:.2%}"


def interval_head(findings: Iterable[Finding]) -> str:
    """Write the heading of a column of printed intervals: '95% interval'."""
    return f"{percent(next((f.level for f in findings if f.interval), LEVEL))} interval"


def _brief(value: float | None, finding: Finding) -> str:
    """Write a size with its unit where that is one word, as in an interval."""
    return size(value, finding, unit=" " not in finding.unit)


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
