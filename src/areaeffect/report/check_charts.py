"""Charts of checks: effects with their intervals, one panel an outcome, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from areaeffect.report import svg
from areaeffect.report.axes import cut, plain, printed, scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

WIDTH = 680.0
_COLUMNS = 2
_PANEL, _HEAD, _FOOT = 150.0, 30.0, 52.0
_NAMED = 8  # more marks than this stand without names: the table has them
_LEFT, _GAP = 58.0, 78.0


@dataclass(frozen=True, slots=True)
class Mark:
    """One effect with its interval, on the finding's own scale."""

    name: str
    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Panel:
    """The marks of one outcome, and the finding they belong to as a dashed line."""

    title: str
    form: str
    unit: str
    finding: float | None
    marks: tuple[Mark, ...]


def interval_chart(panels: Sequence[Panel], *, key: str, title: str, along: str) -> str:
    """Draw the marks of every panel from left to right.

    Parameters
    ----------
    panels : one an outcome.
    key, title : of the chart.
    along : what goes from left to right.
    """
    rows = -(-len(panels) // _COLUMNS)
    height = rows * (_PANEL + _HEAD + _FOOT)
    width = (WIDTH - _LEFT - _GAP * (_COLUMNS - 1) - 12) / _COLUMNS
    with svg.canvas(WIDTH, height) as figure:
        for i, panel in enumerate(panels):
            row, column = divmod(i, _COLUMNS)
            left = _LEFT + column * (width + _GAP)
            bottom = height - (row + 1) * (_PANEL + _HEAD + _FOOT) + _FOOT
            axes = figure.add_axes((left / WIDTH, bottom / height, width / WIDTH, _PANEL / height))
            _draw(axes, panel, along)
        return svg.to_svg(figure, key, title, describe(panels))


def _draw(axes: Axes, panel: Panel, along: str) -> None:
    for x, mark in enumerate(panel.marks):
        centre = scaled(mark.estimate, panel.form) or 0.0
        low, high = (scaled(end, panel.form) for end in (mark.low, mark.high))
        clear = (low is not None and low > 0) or (high is not None and high < 0)
        colour = svg.ORANGE if clear else svg.BLUE
        axes.plot(
            [x, x], [low if low is not None else centre, high if high is not None else centre],
            color=colour, lw=2.2, solid_capstyle="butt",
        )  # fmt: skip
        axes.plot([x], [centre], color=colour, marker="D" if clear else "o", ms=7)
    axes.axhline(0, color=svg.GREY, lw=1)
    own = scaled(panel.finding, panel.form)
    if own is not None:
        axes.axhline(own, color=svg.TEAL, lw=1.6, ls=(0, (4, 2)))
    plain(axes, "y")
    axes.set_xlim(-0.6, len(panel.marks) - 0.4)
    axes.locator_params(axis="y", nbins=5)
    names = [mark.name for mark in panel.marks]
    if len(names) <= _NAMED:
        axes.set_xticks(range(len(names)), names, fontsize=11.5)
    else:
        axes.set_xticks([])
    axes.set_xlabel(along, fontsize=12)
    unit = "%" if panel.form == "ratio" else panel.unit
    axes.set_title(
        f"{cut(panel.title, 26)}, {cut(unit, 9)}", loc="left", fontsize=12.5, fontweight="bold"
    )


def describe(panels: Sequence[Panel]) -> str:
    """Say in words what a chart shows."""
    parts = []
    for panel in panels:
        marks = panel.marks
        clear = [m for m in marks if (m.low or 0.0) > 0 or (m.high or 0.0) < 0]
        least, most = (f(m.estimate for m in marks) for f in (min, max))
        ends = [printed(scaled(v, panel.form), panel.form) for v in (least, most)]
        parts.append(
            f"{panel.title}: {len(marks)} effects from {ends[0]} to {ends[1]}, "
            f"{len(clear)} with an interval that leaves zero out"
        )
    return "; ".join(parts) + "."
