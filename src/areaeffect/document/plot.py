"""Drawing without a plotting package: straight scales, axes and words as SVG.

What is drawn from a row carries the name of its column (`marks.py`); its frame says how values
become places (`data-x`, `data-y`: value, place, value, place) and which rows it draws
(`data-rows`: the first, and the one after the last), so that a chart can be read back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from areaeffect.document import svg

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    fill: str = svg.TEXT,
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


def hatched(frame: Frame, left: float, right: float, key: str, words: str = "gap") -> str:
    """Hatch the span between two values, with any word at its foot; needs `hatch_pattern`."""
    x, width = frame.px(left), frame.px(right) - frame.px(left)
    area = (
        f'<rect x="{unit(x)}" y="{unit(frame.top)}" width="{unit(width)}" '
        f'height="{unit(frame.height)}" fill="url(#{key}-hatch)"/>'
    )
    if not words:
        return area
    middle, foot = x + width / 2, frame.bottom - 6
    background = (
        f'<rect x="{unit(middle - 14)}" y="{unit(foot - 12)}" width="28" height="15" fill="#FFFFFF"/>'
    )
    return area + background + text(middle, foot, words, size=11.5, anchor="middle")


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
    made = [rule(frame.left, frame.bottom, frame.right, frame.bottom, svg.GREY, 0.9)]
    for value, label in zip(values, labels, strict=True):
        x = frame.px(value)
        made.append(rule(x, frame.bottom, x, frame.bottom + 4, svg.GREY, 0.9))
        made.append(text(x, frame.bottom + 17, label, size=12, anchor="middle"))
    return "\n".join(made)
