"""SVG elements that are accessible, several to a page, and the palette."""

from __future__ import annotations

import hashlib
import math
import re
from html import escape, unescape
from typing import TYPE_CHECKING, Any

from areaeffect.period_texts import kind_of, parse_period
from areaeffect.periods import PeriodKind
from areaeffect.wording.numbers import NOT_ESTIMABLE, known, number

if TYPE_CHECKING:
    from collections.abc import Sequence

# Government Analysis Function palette (via afcharts 1.2.0); at most four in one chart
BLUE, TEAL, PLUM, ORANGE, GREY, LILAC = ("#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1")
TEXT, FAINT = "#0B0C0C", "#BFBFBF"

LONGEST_KEY = 80
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def accessible(body: str, view_box: str, key: str, title: str, description: str) -> str:
    """Wrap drawing elements into an `svg` that scales and has a text alternative."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{view_box}" role="img" aria-labelledby="{key}-title {key}-desc" '
        f'stroke-linejoin="round" font-family="{FONTS}">\n'
        f'<title id="{key}-title">{escape(title)}</title>\n'
        f'<desc id="{key}-desc">{escape(description)}</desc>\n{body}\n</svg>'
    )


def title_of(chart: str) -> str:
    """Return the title of a chart that `accessible` wrote."""
    found = re.search(r"<title\b[^>]*>(.*?)</title>", chart, flags=re.DOTALL)
    return unescape(found[1]) if found else ""


def alternative(chart: str) -> str:
    """Return title and description of a chart that `accessible` wrote, as one text."""
    parts = re.findall(r"<(title|desc)\b[^>]*>(.*?)</\1>", chart, flags=re.DOTALL)
    return unescape(" ".join(text if text[-1:] in ".!?" else f"{text}." for _, text in parts))


def key_of(*parts: str) -> str:
    """Make an id from names: lower-case ASCII letters, digits and hyphens.

    Names that lose signs or length on the way get part of their hash, so that two of them stay
    apart.
    """
    whole = "-".join(parts)
    key = re.sub(r"[^a-z0-9]+", "-", whole.lower()).strip("-")[:LONGEST_KEY].rstrip("-")
    if re.search(r"[^A-Za-z0-9 _-]", whole) or len(whole) > LONGEST_KEY:
        key = f"{key}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}".strip("-")
    return key or "chart"


Row = dict[str, Any]


def scaled(value: float | None, form: str) -> float | None:
    """Return a value in print units: fractions in per cent."""
    finite = known(value)
    return None if finite is None else finite * (100.0 if form == "ratio" else 1.0)


def printed(value: float | None, form: str) -> str:
    """Write a value that is in print units already."""
    if value is None:
        return NOT_ESTIMABLE
    return number(value / 100 if form == "ratio" else value, form)


def cut(text: str, most: int) -> str:
    """Shorten a label that would run into the chart."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


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
