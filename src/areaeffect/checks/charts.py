"""Charts of checks: effects with their intervals, one panel an outcome, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from areaeffect import wording
from areaeffect.document import marks, plot, svg
from areaeffect.document.axes import cut, printed, scaled
from areaeffect.document.plot import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from areaeffect.results import Finding

_PANEL, _HEAD, _FOOT = 92.0, 26.0, 40.0
_LETTERS = 40  # along one axis; where names need more, the table has them
_LEFT = 44.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRow:
    """One effect of one outcome in a chart, in print units, with the finding it belongs to."""

    outcome: str
    label: str
    form: str
    unit: str
    name: str
    estimate: float | None
    low: float | None
    high: float | None
    finding: float | None


def interval_rows(
    finding: Finding, rows: Iterable[Any], name: Callable[[Any], str]
) -> list[IntervalRow]:
    """Return one row an effect of one outcome, in print units.

    Parameters
    ----------
    finding : what the effects belong to.
    rows : of a check, with `estimate`, `low` and `high`.
    name : what an effect is called.
    """
    form = finding.form
    return [
        IntervalRow(
            outcome=finding.outcome,
            label=wording.name_of(finding),
            form=form,
            unit="%" if form == "ratio" else finding.unit,
            name=name(row),
            estimate=scaled(row.estimate, form),
            low=scaled(row.low, form),
            high=scaled(row.high, form),
            finding=scaled(finding.estimate, form),
        )
        for row in rows
    ]


def interval_chart(rows: Sequence[IntervalRow], *, key: str, title: str, along: str) -> str:
    """Draw the effects of every outcome from left to right, one outcome below the other.

    Parameters
    ----------
    rows : as `interval_rows` gives them, outcome by outcome.
    key, title : of the chart.
    along : what goes from left to right.
    """
    body, first, number = [], 0, 0
    for _, group in groupby(rows, key=lambda row: row.outcome):
        own = list(group)
        top = number * (_PANEL + _HEAD + _FOOT) + _HEAD
        body.append(_panel(own, first, (_LEFT, top, plot.WIDTH - _LEFT - 16, _PANEL), along))
        first, number = first + len(own), number + 1
    height = number * (_PANEL + _HEAD + _FOOT)
    text = "\n".join(body)
    return svg.accessible(text, f"0 0 {plot.WIDTH:g} {height:g}", key, title, describe(rows))


def _panel(
    rows: Sequence[IntervalRow], first: int, box: tuple[float, float, float, float], along: str
) -> str:
    own = rows[0].finding
    ends = [n for row in rows for n in (row.estimate, row.low, row.high) if n is not None]
    reach = [*ends, 0.0, *([] if own is None else [own])]
    pad = 0.06 * (max(reach) - min(reach) or 1.0)
    frame = Frame(*box, (-0.6, len(rows) - 0.4), (min(reach) - pad, max(reach) + pad))
    zero = frame.py(0.0)
    names = [row.name for row in rows]
    if len(names) * max(map(len, names)) > _LETTERS:
        names = []
    unit = cut(rows[0].unit, 20)
    heading = f"{cut(rows[0].label, 50 - len(unit))}, {unit}"
    parts = [
        plot.up_axis(frame, 3),
        plot.rule(frame.left, zero, frame.right, zero, svg.GREY),
        plot.foot_axis(frame, list(range(len(names))), names),
        plot.text(4, frame.top - 9, heading, size=11.5, bold=True),
    ]
    foot = frame.bottom + (31 if names else 15)
    middle = frame.left + frame.width / 2
    parts.append(plot.text(middle, foot, along, size=11.5, anchor="middle"))
    if own is not None:
        y = frame.py(own)
        parts.append(plot.rule(frame.left, y, frame.right, y, svg.TEAL, 1.6, "6 3"))
    for x, row in enumerate(rows):
        clear = leaves_zero_out(row)
        colour, mark = (svg.ORANGE, marks.diamond) if clear else (svg.BLUE, marks.dot)
        name = marks.up("low", "high")
        parts.append(marks.interval(frame, x, (row.low, row.high), name, colour=colour, width=2.2))
        parts.append(mark(frame, x, row.estimate, marks.up("estimate"), colour=colour))
    return frame.group(parts, (first, first + len(rows)))


def leaves_zero_out(row: IntervalRow) -> bool:
    """Say whether zero lies outside the interval of a row."""
    return (row.low or 0.0) > 0 or (row.high or 0.0) < 0


def describe(rows: Sequence[IntervalRow]) -> str:
    """Say in words what a chart shows."""
    parts = []
    for _, group in groupby(rows, key=lambda row: row.outcome):
        own = list(group)
        known = [row.estimate for row in own if row.estimate is not None]
        clear = sum(leaves_zero_out(row) for row in own)
        what = f"{len(own)} intervals, {clear} of them leave zero out"
        if known:
            ends = [printed(end(known), own[0].form) for end in (min, max)]
            what = f"{len(own)} effects from {ends[0]} to {ends[1]}, {clear} with an interval that "
            what += "leaves zero out"
        parts.append(f"{own[0].label}: {what}")
    return "; ".join(parts) + "."
