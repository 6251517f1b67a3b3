"""The effect by time since the start: rows drawn, the chart, and its section of the report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from areaeffect import wording
from areaeffect.document import marks, svg
from areaeffect.document.blocks import Beside, Block, Folded, Paragraph, Section
from areaeffect.document.chart_tables import Columns, Figure, Table
from areaeffect.document.svg import Frame, both_ends, printed, scaled
from areaeffect.further.event_time import EventTimeRow, OverTime
from areaeffect.records import rows_of
from areaeffect.results import ALL_INITIATIVES, Annex, Result
from areaeffect.wording.numbers import PHRASES, plural

HEIGHT = 220.0
_MATCHED = ("matched on", "matched on in part")
_YEAR = 12
_WHOLE = 0.995  # a bin with more than this of its periods is printed as whole


def event_time_rows(annex: Annex[OverTime], group: str, outcome: str) -> list[EventTimeRow]:
    """Return the rows of one group's outcome; effects in print units (per cent for ratios)."""
    return [
        replace(
            row,
            estimate=scaled(row.estimate, row.form),
            low=scaled(row.low, row.form),
            high=scaled(row.high, row.form),
            low_together=scaled(row.low_together, row.form),
            high_together=scaled(row.high_together, row.form),
        )
        for row in rows_of(annex.table("event_time"), EventTimeRow)
        if (row.group, row.outcome) == (group, outcome)
    ]


def event_time_chart(rows: Sequence[EventTimeRow], *, key: str, title: str) -> str:
    """Draw the effect by event time with both bands; what was matched on as open marks."""
    unit = "per cent" if rows[0].form == "ratio" else rows[0].unit
    known = [v for row in rows for v in _drawn(row) if v is not None]
    reach = [*known, 0.0]
    pad = 0.06 * (max(reach) - min(reach) or 1.0)
    places = [_x(row.bin) for row in rows]
    across = (min(places) - 0.7, max(places) + 0.7)
    frame = Frame(46, 24, svg.WIDTH - 60, HEIGHT - 72, x=across, y=(min(reach) - pad, max(reach) + pad))
    every = max(1, -(-len(rows) // 12))
    labels = [f"{row.bin:+d}".replace("-", "−") for row in rows]
    zero, start = frame.py(0.0), frame.px(0.0)
    parts = [
        svg.up_axis(frame, 4),
        svg.rule(frame.left, zero, frame.right, zero, svg.GREY),
        svg.rule(start, frame.top, start, frame.bottom, svg.PLUM, 1.4, "5 3"),
        *(mark for x, row in zip(places, rows, strict=True) for mark in _marks(frame, x, row)),
        svg.foot_axis(frame, places[::every], labels[::every]),
        svg.text(4, 13, f"effect, {unit}", size=11.5),
        svg.text(
            frame.left + frame.width / 2,
            HEIGHT - 8,
            f"{_step(rows)} {PHRASES['event_time.axis']}",
            size=11.5,
            anchor="middle",
        ),
    ]
    body = frame.group(parts, (0, len(rows)))
    return svg.accessible(body, f"0 0 {svg.WIDTH:g} {HEIGHT:g}", key, title, _description(rows))


def _step(rows: Sequence[EventTimeRow]) -> str:
    """Say what one step along the axis is, from the words of a bin: 'months 1 to 12 after'."""
    unit, first, last = re.findall(r"^(\w+?)s? (\d+)(?: to (\d+))?", rows[0].when)[0]
    size = int(last or first) - int(first) + 1
    if unit == "month" and size == _YEAR:
        return "years"
    return f"{unit}s" if size == 1 else f"steps of {size} {unit}s"


def _drawn(row: EventTimeRow) -> tuple[float | None, ...]:
    return row.estimate, row.low, row.high, row.low_together, row.high_together


def _x(b: int) -> float:
    return b + 0.5 if b < 0 else b - 0.5


def _marks(frame: Frame, x: float, row: EventTimeRow) -> list[str]:
    made = []
    for names, ends, width in (
        (("low_together", "high_together"), (row.low_together, row.high_together), 1.2),
        (("low", "high"), (row.low, row.high), 4.5),
    ):
        name = marks.up(*names)
        made.append(marks.interval(frame, x, ends, name, colour=svg.BLUE, width=width))
    hollow = row.part in _MATCHED
    name = marks.up("estimate")
    made.append(marks.dot(frame, x, row.estimate, name, colour=svg.BLUE, hollow=hollow))
    return made


def _description(rows: Sequence[EventTimeRow]) -> str:
    parts = []
    for row in rows:
        text = f"{row.when} ({row.part}): {printed(row.estimate, row.form)}"
        if row.low is not None or row.high is not None:
            text += f", {both_ends(row.low, row.high, row.form)}"
        parts.append(text)
    return "; ".join(parts) + "."


def event_time_table(rows: Sequence[EventTimeRow]) -> Table:
    """Return the rows of one chart as a table of text."""
    columns: Columns[EventTimeRow] = {
        "When": _when,
        "Part": lambda row: row.part,
        "Neighbourhoods": lambda row: str(row.neighbourhoods),
        "Observed": lambda row: _plain_number(row.observed),
        "Expected": lambda row: _plain_number(row.expected),
        "Estimate": lambda row: printed(row.estimate, row.form),
        "95% interval": lambda row: both_ends(row.low, row.high, row.form),
        "All bins together": lambda row: both_ends(row.low_together, row.high_together, row.form),
    }
    return Table.of("What the chart shows", rows, columns, range(2, len(columns)))


def _when(row: EventTimeRow) -> str:
    part = "" if row.share > _WHOLE else f" ({row.share:.0%} of it)"
    return f"{row.when}{part}"


def _plain_number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


def event_time_section(_result: Result, annex: Annex[OverTime]) -> Section:
    """Return the section: what is drawn, how to read it, one chart an outcome and group."""
    every = rows_of(annex.table("event_time"), EventTimeRow)
    pairs = list(dict.fromkeys((r.group, r.outcome) for r in every))
    leads = next((g for g, _ in pairs if g == ALL_INITIATIVES), pairs[0][0] if pairs else "")
    drawn: dict[str, list[Figure]] = {}
    for i, (group, outcome) in enumerate(pairs):
        rows = event_time_rows(annex, group, outcome)
        title, name = rows[0].label[:1].upper() + rows[0].label[1:], f"event-time-{i}"
        figure = Figure(
            chart=event_time_chart(rows, key=name, title=title),
            title=title,
            table=event_time_table(rows),
            data="event_time",
            name=name,
            rows=tuple(rows),
        )
        drawn.setdefault(group, []).append(figure)
    blocks: list[Block] = [Paragraph(PHRASES["event_time.lead"])]
    blocks.append(Paragraph(PHRASES["event_time.read"], note=True))
    blocks += [Paragraph(f"Not estimable: {text}") for text in annex.found.not_estimable]
    uneven = _note(every)
    blocks += [Paragraph(uneven, note=True)] if uneven else []
    if leads:
        blocks.append(Beside(tuple(drawn.pop(leads))))
    about = PHRASES["event_time.title"]
    blocks += [
        Folded(wording.group_title(group), (Beside(tuple(own)),), about, in_print="")
        for group, own in drawn.items()
    ]
    return Section("event-time", about, tuple(blocks))


def _note(rows: Sequence[EventTimeRow]) -> str:
    numbers = {row.neighbourhoods for row in rows if row.part not in _MATCHED}
    if len(numbers) < 2:  # noqa: PLR2004
        return ""
    return PHRASES["event_time.uneven"].format(
        fewest=min(numbers), most=plural(max(numbers), "neighbourhood")
    )
