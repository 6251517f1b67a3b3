"""Charts as SVG: scales, axes, words and the palette, accessible and several to a page."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from html import escape, unescape

from areaeffect.periods import PeriodKind, kind_of, parse_period
from areaeffect.wording.numbers import NOT_ESTIMABLE, known, number

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


def scaled(value: float | None, form: str) -> float | None:
    """Return a value in print units: fractions in per cent."""
    finite = known(value)
    return None if finite is None else finite * (100.0 if form == "ratio" else 1.0)


def printed(value: float | None, form: str) -> str:
    """Write a value that is in print units already."""
    if value is None:
        return NOT_ESTIMABLE
    return number(value / 100 if form == "ratio" else value, form)


def both_ends(low: float | None, high: float | None, form: str) -> str:
    """Write an interval of values in print units, of which one end may be open."""
    if low is None and high is None:
        return "–"
    return " to ".join("no end found" if end is None else printed(end, form) for end in (low, high))


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
    """Return places and labels: years, or at regular steps of a table's own numbers."""
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


#: Width of every chart in units of its viewBox: the pixels of a phone, so that its words can be
#: read there. Wider screens and print set charts side by side.
WIDTH = 360.0
DASHED = "9 4"
GRID = "#E4E7EA"
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Frame:
    """The rectangle a chart is drawn in, and the values at its edges."""

    #: left, top, width, height: in units of the viewBox
    left: float
    top: float
    width: float
    height: float
    _: KW_ONLY
    #: x, y: values at the left and right edge, and at the bottom and top edge
    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def right(self) -> float:
        """Right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Bottom edge."""
        return self.top + self.height

    def px(self, value: float) -> float:
        """Return the place of a value across."""
        first, last = self.x
        return self.left + (value - first) / (last - first) * self.width

    def py(self, value: float) -> float:
        """Return the place of a value up."""
        first, last = self.y
        return self.bottom - (value - first) / (last - first) * self.height

    def group(self, parts: Sequence[str], rows: tuple[int, int]) -> str:
        """Wrap what is drawn in the frame, with the scales and rows to read it back by."""
        across = f"{self.x[0]:.12g} {self.left:.12g} {self.x[1]:.12g} {self.right:.12g}"
        up = f"{self.y[0]:.12g} {self.bottom:.12g} {self.y[1]:.12g} {self.top:.12g}"
        body = "\n".join(part for part in parts if part)
        own = f"{rows[0]} {rows[1]}"
        return f'<g data-x="{across}" data-y="{up}" data-rows="{own}">\n{body}\n</g>'


def unit(value: float) -> str:
    """Write a place with two decimals at most."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def text(  # the order of SVG
    x: float,
    y: float,
    words: str,
    *,
    size: float = 12.5,
    anchor: str = "start",
    fill: str = TEXT,
    bold: bool = False,
) -> str:
    """Write words with their baseline at a place; `anchor` is start, middle or end."""
    look = f'font-size="{size:g}" text-anchor="{anchor}" fill="{fill}"'
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{unit(x)}" y="{unit(y)}" {look}{weight}>{escape(words)}</text>'


def with_halo(words: str, width: float = 4.0) -> str:
    """Return words that `text` wrote, with a white edge that parts them from lines behind them."""
    edge = f'stroke="#FFFFFF" stroke-width="{width:g}" paint-order="stroke"'
    return words.replace("<text ", f"<text {edge} ", 1)


def rule(  # the order of SVG
    x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0, dash: str = ""
) -> str:
    """Draw a straight line between two places."""
    ends = f"M{unit(x1)} {unit(y1)}L{unit(x2)} {unit(y2)}"
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{ends}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashes}/>'


def hatched(frame: Frame, left: float, right: float, key: str) -> str:
    """Hatch the span between two values; needs `hatch_pattern`."""
    x, width = frame.px(left), frame.px(right) - frame.px(left)
    return (
        f'<rect x="{unit(x)}" y="{unit(frame.top)}" width="{unit(width)}" '
        f'height="{unit(frame.height)}" fill="url(#{key}-hatch)"/>'
    )


def hatch_pattern(key: str) -> str:
    """Return the pattern `hatched` fills with."""
    return (
        f'<defs><pattern id="{key}-hatch" width="8" height="8" patternUnits="userSpaceOnUse">'
        '<rect width="8" height="8" fill="#F3F2F1"/>'
        '<path d="M0 8L8 0M-2 2L2 -2M6 10L10 6" stroke="#8A8A8A" stroke-width="0.9"/>'
        "</pattern></defs>"
    )


def nice(low: float, high: float, most: int) -> list[float]:
    """Return round values inside a range, at most about `most` of them."""
    if not high > low:
        return [low]
    raw = (high - low) / max(1, most)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * n for n in _NICE if size * n >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def written(values: Sequence[float]) -> list[str]:
    """Write round values with as many decimals as they need, with a true minus sign."""
    places = max((len(f"{v:.6f}".rstrip("0").partition(".")[2]) for v in values), default=0)
    return [f"{v:,.{places}f}".replace("-", "−") for v in values]


def up_axis(frame: Frame, most: int = 6) -> str:
    """Draw a light grid with round values at the left edge."""
    values = nice(*frame.y, most)
    lines = [rule(frame.left, frame.py(v), frame.right, frame.py(v), GRID, 0.8) for v in values]
    words = [
        text(frame.left - 6, frame.py(v) + 4, label, size=12, anchor="end")
        for v, label in zip(values, written(values), strict=True)
    ]
    return "\n".join([*lines, *words])


def across_grid(frame: Frame, values: Sequence[float]) -> str:
    """Draw light upright lines at round values."""
    lines = (rule(frame.px(v), frame.top, frame.px(v), frame.bottom, GRID, 0.8) for v in values)
    return "\n".join(lines)


def foot_axis(frame: Frame, values: Sequence[float], labels: Sequence[str]) -> str:
    """Draw the line at the foot with labelled ticks."""
    made = [rule(frame.left, frame.bottom, frame.right, frame.bottom, GREY, 0.9)]
    for value, label in zip(values, labels, strict=True):
        x = frame.px(value)
        made.append(rule(x, frame.bottom, x, frame.bottom + 4, GREY, 0.9))
        half = 3.6 * len(label)  # letters of the axis are about so wide
        near = min(max(x, half), WIDTH - half)  # nothing is drawn beyond the picture
        made.append(text(near, frame.bottom + 17, label, size=12, anchor="middle"))
    return "\n".join(made)
