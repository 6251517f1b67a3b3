"""Periods: the time axis of a panel, by month, quarter, year or a table's own numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class PeriodKind(StrEnum):
    """What one step of the time axis is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    FINANCIAL_YEAR = "financial year"
    NUMBER = "number"

    @property
    def per_year(self) -> int | None:
        """Periods in twelve months; None for a table's own numbers."""
        return {"month": 12, "quarter": 4, "year": 1, "financial year": 1}.get(self.value)

    @property
    def months(self) -> int:
        """Length in months; 1 for a table's own numbers."""
        return 12 // (self.per_year or 12)

    def first_month(self, ordinal: int) -> int:
        """Return the month, counted from year 0, that a period begins in.

        A financial year is named by its first calendar year and begins in April.
        """
        april = 3 if self is PeriodKind.FINANCIAL_YEAR else 0
        return ordinal * self.months + april

    def holding(self, month: int) -> int:
        """Return the period of this kind that a month, counted from year 0, lies in."""
        return (month - self.first_month(0)) // self.months


@dataclass(frozen=True, slots=True)
class Periods:
    """A run of consecutive periods."""

    kind: PeriodKind  # what one period is
    first: int  # ordinal of the first period
    n: int  # number of periods

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
        months = start_kind.first_month(start) - self.kind.first_month(self.first)
        pre = int(np.clip(months // self.kind.months, 0, self.n))
        post = int(np.clip(-(-months // self.kind.months), 0, self.n))
        return slice(0, pre), slice(post, self.n)


def label(ordinal: int, kind: PeriodKind) -> str:
    """Write one period: `2012-04`, `2012-Q2`, `2012`, `2012/13` or the number itself."""
    if kind is PeriodKind.FINANCIAL_YEAR:
        return f"{ordinal:04d}/{(ordinal + 1) % 100:02d}"
    if kind is PeriodKind.MONTH:
        return f"{ordinal // 12:04d}-{ordinal % 12 + 1:02d}"
    if kind is PeriodKind.QUARTER:
        return f"{ordinal // 4:04d}-Q{ordinal % 4 + 1}"
    return str(ordinal)
