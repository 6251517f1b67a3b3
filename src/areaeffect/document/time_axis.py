"""The positions of periods and starts on an axis of years."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from areaeffect.periods import PeriodKind, kind_of, parse_period

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_YEARS = 8


def kind(periods: Sequence[str]) -> PeriodKind | None:
    """Return what one period is, as its first is written."""
    return kind_of(periods[0]) if periods else None


def positions(periods: Sequence[str]) -> list[float]:
    """Return the middle of each period, in years (its own numbers: as they are)."""
    own = kind(periods)
    if own is None:
        return [float(i) for i in range(len(periods))]
    placed = [_position(p, own, middle=True) for p in periods]
    return [float(i) if p is None else p for i, p in enumerate(placed)]


def start_position(start: str, periods: Sequence[str]) -> float | None:
    """Return where a period begins on the axis of other periods; None where it is not one."""
    own = kind(periods)
    if own is PeriodKind.NUMBER:
        return _position(start, own, middle=False)
    own = kind_of(start)
    return None if own in {None, PeriodKind.NUMBER} else _position(start, own, middle=False)


def span(x: Sequence[float]) -> tuple[float, float]:
    """Return the edges of an axis over these middles."""
    half = (x[1] - x[0]) / 2 if len(x) > 1 else 0.5
    return (x[0] - half, x[-1] + half) if len(x) else (0.0, 1.0)


def ticks(x: Sequence[float], periods: Sequence[str]) -> tuple[list[float], list[str]]:
    """Return places and labels: years, or every so many of a table's own numbers."""
    if kind(periods) in {None, PeriodKind.NUMBER}:
        step = max(1, math.ceil(len(x) / MOST_YEARS))
        return list(x[::step]), list(periods[::step])
    left, right = span(x)
    first, last = math.ceil(left - 1e-9), math.floor(right + 1e-9)
    step = max(1, math.ceil((last - first) / (MOST_YEARS - 1)))
    centre = 0.5 if kind(periods) is PeriodKind.YEAR else 0.0
    years = [y for y in range(first, last + 1, step) if y + centre <= right]
    return [y + centre for y in years], [str(y) for y in years]


def _position(period: str, own: PeriodKind, *, middle: bool) -> float | None:
    ordinal = parse_period(period, own)
    if ordinal is None:
        return None
    if own is PeriodKind.NUMBER:
        return ordinal if middle else ordinal - 0.5
    return (own.first_month(ordinal) + (own.months / 2 if middle else 0.0)) / 12
