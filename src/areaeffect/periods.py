"""Periods: the time axis of a panel, by month, quarter, year or a table's own numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

_PATTERNS = {
    "month": re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?"),
    "quarter": re.compile(r"(\d{4})-?Q([1-4])"),
    "year": re.compile(r"(1[89]\d{2}|2\d{3})"),
    "number": re.compile(r"(-?\d{1,9})"),
}


class PeriodKind(StrEnum):
    """What one step of the time axis is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    NUMBER = "number"

    @property
    def months(self) -> int:
        """Months in one period; 12 for a table's own numbers, which are never mixed with others."""
        return 12 // (self.per_year or 1)

    @property
    def per_year(self) -> int | None:
        """Periods in twelve months; None for a table's own numbers."""
        return {"month": 12, "quarter": 4, "year": 1}.get(self.value)


def parse_period(text: str, kind: PeriodKind) -> int | None:
    """Return the ordinal of a period written as text, or None where it is not one.

    Months count from year 0 (2012-04 is 2012 * 12 + 3); a day of the month is dropped.
    """
    match = _PATTERNS[kind.value].fullmatch(text.strip())
    if match is None:
        return None
    first = int(match[1])
    if kind is PeriodKind.MONTH:
        return first * 12 + int(match[2]) - 1
    if kind is PeriodKind.QUARTER:
        return first * 4 + int(match[2]) - 1
    return first


def kind_of(text: str) -> PeriodKind | None:
    """Guess the kind of a period from how it is written (`2012-04`, `2012-Q2`, `2012`, `7`)."""
    for kind in PeriodKind:
        if parse_period(text, kind) is not None:
            return kind
    return None


@dataclass(frozen=True, slots=True)
class Periods:
    """A run of consecutive periods.

    Parameters
    ----------
    kind : what one period is.
    first : ordinal of the first period.
    n : number of periods.
    """

    kind: PeriodKind
    first: int
    n: int

    @property
    def ordinals(self) -> npt.NDArray[np.int64]:
        """Ordinals, (n,)."""
        return np.arange(self.first, self.first + self.n, dtype=np.int64)

    @property
    def labels(self) -> tuple[str, ...]:
        """How each period is written."""
        return tuple(label(int(o), self.kind) for o in self.ordinals)

    @property
    def years_per_period(self) -> float:
        """Length of one period in years; 1 for a table's own numbers."""
        return 1.0 / (self.kind.per_year or 1)

    def split(self, start: int, start_kind: PeriodKind) -> tuple[slice, slice]:
        """Return the periods wholly before a start and those wholly from it on.

        A coarser period that the start falls inside belongs to neither side: a year
        that is treated from June is not a year before, nor a treated year.
        """
        if self.kind is PeriodKind.NUMBER or start_kind is PeriodKind.NUMBER:
            if self.kind is not start_kind:
                msg = f"a start given as a {start_kind} cannot split periods of kind {self.kind}"
                raise ValueError(msg)
            cut = int(np.clip(start - self.first, 0, self.n))
            return slice(0, cut), slice(cut, self.n)
        months = 12 // (self.kind.per_year or 1)
        start_month = start * (12 // (start_kind.per_year or 1))
        pre = int(np.clip(start_month // months - self.first, 0, self.n))
        post = int(np.clip(-(-start_month // months) - self.first, 0, self.n))
        return slice(0, pre), slice(post, self.n)


def label(ordinal: int, kind: PeriodKind) -> str:
    """Write one period: `2012-04`, `2012-Q2`, `2012` or the number itself."""
    if kind is PeriodKind.MONTH:
        return f"{ordinal // 12:04d}-{ordinal % 12 + 1:02d}"
    if kind is PeriodKind.QUARTER:
        return f"{ordinal // 4:04d}-Q{ordinal % 4 + 1}"
    return str(ordinal)
