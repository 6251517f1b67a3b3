"""What the charts share: rows, print units, plain axes and short labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.report.numbers import NOT_ESTIMABLE, known, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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


def plain(axes: Axes, grid: str) -> None:
    """Give axes a light grid in one direction and small ticks."""
    axes.grid(visible=True, axis=grid, color="#E4E7EA", lw=0.8)  # type: ignore[arg-type]  # a name
    axes.set_axisbelow(True)
    axes.tick_params(axis="both", length=3, labelsize=12)


def cut(text: str, most: int) -> str:
    """Shorten a label that would run into the chart."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
