"""Finds every number of a report's texts again in the files beside it; knows nothing of the writer.

A text is cut into clauses. The numbers of a clause must all stand, at the rounding and with the
sign they are printed with, in one record of what the text is about: a finding, a row of a table,
the values of an annex, or the count, least and most of the rows that share a name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

Record = tuple[float, ...]
LONGEST = 60  # numbers that one look can hold: longer texts are cut into clauses
MONEY_FIGURES = 3  # amounts of money are printed with three significant figures
#: Numbers that name a method, not a result: levels, power, scales, the limit of balance.
CONSTANTS = (
    r"\b(?:90|95)%(?= (?:placebo |posterior )?(?:interval|\w+ interval))",
    r"\b(?:95)%(?= (?:interval|placebo|of placebo|confidence|intervals))",
    r"\(95%(?=[,)])",
    r"\b95%(?=: )",
    r"(?<=with )80% power",
    r"\(80% power\)",
    r"(?<= )0 to 100\b",
    r"(?<=over )0\.1\b",
    r"(?<=limit )0\.1\b",
    r"(?<=for each )[£$€]1\b",
    r"(?<=exceeds )[£$€]1\b",
    r"(?:above 0\.99|below 0\.01)",
    r"counts from 1 to 7\b",
    r"(?<=\d) of 5 on the Maryland",
    r"\(20 are needed\)",
    r"(?<=Events: )\d+(?=: )|(?<=; )\d+(?=: )",  # the numbers of events on a chart
    r"research report 99\b|\bRR99\b",  # the name of a source
    r"\bper 1,000\b",
    r"\bsha256 [0-9a-f]{64}",
    r"SHA-256",
)
TOKEN = re.compile(
    r"(?<![\w.,])(?P<sign>[−+-]?)(?P<money>[£$€]?)(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)"
    r"(?P<unit>%| million| billion)?"
)


@dataclass
class Scope:
    """The records one kind of text may draw on, and the names of those that have one."""

    records: list[Record] = field(default_factory=list)
    named: list[tuple[str, Record]] = field(default_factory=list)

    @cached_property
    def flat(self) -> tuple[np.ndarray, np.ndarray]:
        """Every value of every record, and the number of its record."""
        lengths = [len(record) for record in self.records]
        values = np.array([v for record in self.records for v in record], dtype=float)
        return values, np.repeat(np.arange(len(lengths)), lengths)

    def add(self, *values: Any) -> Scope:
        """Add one record of every number in some values."""
        numbers = tuple(dict.fromkeys(n for value in values for n in numbers_of(value)))
        if numbers:
            self.records.append(numbers)
        return self

    def add_rows(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> Scope:
        """Add each row, and what rows with one name (or two) have in common."""
        for row in rows:
            self.add(row)
            numbers = tuple(numbers_of(row))
            self.named += [(v, numbers) for v in row.values() if _word(v)]
        text = names or [name for name in (rows[0] if rows else ()) if any(_word(row[name]) for row in rows)]
        keys: list[tuple[str, ...]] = [(), *((n,) for n in text), *combinations(text, 2)]
        for key in keys:
            parts: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
            for row in rows:
                parts.setdefault(tuple(str(row[n]) for n in key), []).append(row)
            self.records.append((float(len(parts)),))
            for part in parts.values():
                self.records.append(_together(part))
        return self

    def explains(self, tokens: Sequence[re.Match[str]]) -> bool:
        """Say whether one record holds all the numbers."""
        if len(tokens) >= LONGEST:
            return False
        values, owner = self.flat
        held = np.zeros(len(self.records), dtype=np.int64)
        for i, token in enumerate(tokens):
            held[owner[matches(token, values)]] |= 1 << i
        whole = (1 << len(tokens)) - 1
        return bool((held == whole).any())

    def lists(self, clause: str) -> bool:
        """Say whether a clause is a list with every number beside the name of its record."""
        items = [item for item in clause.split(", ") if TOKEN.search(item)]
        return len(items) > 2 and all(
            any(
                name.partition(", ")[0] in item
                and all(any(same(t, v) for v in record) for t in TOKEN.finditer(item))
                for name, record in self.named
            )
            for item in items
        )


def matches(token: re.Match[str], values: np.ndarray) -> np.ndarray:
    """Say which values a printed number may be, at its rounding and with its sign if it has one."""
    text = token["digits"].replace(",", "")
    printed, step = float(text), 10.0 ** -len(text.partition(".")[2])
    if token["money"] and printed:
        step = max(step, 10.0 ** (math.floor(math.log10(printed)) - MONEY_FIGURES + 1))
    scale = {"%": 100.0, " million": 1e-6, " billion": 1e-9}.get(token["unit"] or "", 1.0)
    found = np.zeros(len(values), dtype=bool)
    shown = np.abs(values) * scale
    found |= np.abs(printed - shown) <= 0.5 * step + 1e-9 * np.maximum(1.0, shown)
    if token["sign"] in {"−", "-"} and printed:
        found &= values < 0
    return found


def same(token: re.Match[str], value: float) -> bool:
    """Say whether a printed number is one value."""
    return bool(matches(token, np.array([value]))[0])


def unread(text: str, scope: Scope, literals: Iterable[str] = ()) -> list[str]:
    """Return the clauses of a text whose numbers are not found again."""
    for literal in sorted(literals, key=len, reverse=True):
        if literal in text:
            before = r"(?<![\w.,−-])" if literal[0].isalnum() else ""
            text = re.sub(rf"{before}{re.escape(literal)}(?![\w%-]|[.,]\d)", " ~ ", text)
    for constant in CONSTANTS:
        text = re.sub(constant, " ~ ", text)
    if _read(text, scope):
        return []
    clauses = re.split(r"(?<=[a-z%)\d’])[;:.](?: |$)|\. ", text)
    return [clause for clause in clauses if not _read(clause, scope)]


def _read(clause: str, scope: Scope) -> bool:
    tokens = list(TOKEN.finditer(clause))
    return not tokens or scope.explains(tokens) or scope.lists(clause)


def numbers_of(value: Any) -> Iterator[float]:
    """Return every number in a value, in texts too where that is all they are."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, (int, float)):
        if math.isfinite(value):
            yield float(value)
    elif isinstance(value, str):
        if re.fullmatch(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", value):
            yield float(value)
        elif re.fullmatch(r"\d{4}[\d/ to-]+", value):
            yield from (float(n) for n in re.findall(r"\d+", value))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from numbers_of(item)
    elif isinstance(value, (list, tuple)):
        yield float(len(value))
        for item in value:
            yield from numbers_of(item)


def _word(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not list(numbers_of(value))


def _together(rows: Sequence[Mapping[str, Any]]) -> Record:
    found: list[float] = [float(len(rows))]
    for name in rows[0]:
        own = [n for row in rows for n in numbers_of(row[name]) if not isinstance(row[name], list)]
        if own:
            found += [min(own), max(own), math.fsum(own)]
    return tuple(dict.fromkeys(found))
