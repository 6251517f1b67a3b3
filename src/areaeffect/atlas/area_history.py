"""A place's figures over time beside its authority and its country: rows and charts."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from areaeffect.document import marks, svg
from areaeffect.document.svg import Frame
from areaeffect.periods import PeriodKind
from areaeffect.records import Row
from areaeffect.wording.numbers import known, number

#: A wide chart has its labels at the ends of the lines, one for a phone has them on top.
WIDTH, NARROW, HEIGHT = 680.0, 340.0, 300.0
MONTHS = 12
LEAST_FOR_MEANS = 24  # months; a shorter series is drawn as it is
LABEL_ROOM, LABEL_STEP = 170.0, 16.0
MEAN = "_mean_12"
#: The area, then the larger places: colour of the line, of its words, and dash.
LOOKS = ((svg.BLUE, svg.BLUE, ""), (svg.ORANGE, "#A33A08", "9 4"), (svg.GREY, svg.GREY, "2 4"))


def history_rows(
    periods: Sequence[str], names: Sequence[str], series: Sequence[Sequence[float]]
) -> list[Row]:
    """Return one row a period: the value of each place, and where monthly its 12-month mean.

    Parameters
    ----------
    periods : as written.
    names : column of each place, the area first.
    series : (n_places, n_periods); NaN is missing. A mean needs all its twelve months.
    """
    rows: list[Row] = []
    smooth = svg.kind(periods) is PeriodKind.MONTH and len(periods) >= LEAST_FOR_MEANS
    values = [[known(v) for v in line] for line in series]
    for i, period in enumerate(periods):
        row: Row = {"period": period}
        row |= {name: line[i] for name, line in zip(names, values, strict=True)}
        if smooth:
            for name, line in zip(names, values, strict=True):
                year = [v for v in line[max(0, i - MONTHS + 1) : i + 1] if v is not None]
                row[name + MEAN] = fmean(year) if len(year) == MONTHS else None
        rows.append(row)
    return rows


def history_chart(
    rows: Sequence[Row], labels: Sequence[str], *, key: str, title: str, unit: str, is_narrow: bool = False
) -> str:
    """Draw a place (solid) beside larger ones (dashed, dotted); gaps of the place hatched.

    Parameters
    ----------
    rows : of `history_rows`; each place is drawn as its 12-month mean where there is one.
    labels : what each line is called at its end, in the order of the columns.
    key, title, unit : prefix of ids; the picture's title; what is counted, per what.
    is_narrow : whether it is drawn for a phone.
    """
    periods = [str(row["period"]) for row in rows]
    x = svg.positions(periods)
    names = [c for c in rows[0] if c != "period" and not c.endswith(MEAN)]
    smooth = any(c.endswith(MEAN) for c in rows[0])
    shown = [name + MEAN if smooth else name for name in names]
    frame = _frame(rows, [names[0], *shown], svg.span(x), len(labels) if is_narrow else 0)
    width = (x[1] - x[0]) / 2 if len(x) > 1 else 0.5
    gaps = [
        svg.hatched(frame, a - width, b + width, key, "gap" if b - a > 4 * width else "")
        for a, b in _runs([row[names[0]] is None for row in rows], x)
    ]
    parts = [svg.hatch_pattern(key), svg.up_axis(frame), *gaps, svg.foot_axis(frame, *svg.ticks(x, periods))]
    if smooth:
        raw = [row[names[0]] for row in rows]
        parts.append(marks.line(frame, x, raw, column=names[0], colour=svg.BLUE, width=0.8, opacity=0.5))
    ends = []
    for column, label, (colour, words, dash) in zip(shown, labels, LOOKS, strict=False):
        line = [row[column] for row in rows]
        parts.append(marks.line(frame, x, line, column=column, colour=colour, dash=dash))
        if len(rows) <= MONTHS:
            parts.append(marks.dots(frame, x, line, colour=colour))
        last = next((v for v in reversed(line) if v is not None), None)
        if last is not None:
            ends.append((frame.py(last), label, words))
    parts += _labels_on_top(labels) if is_narrow else _labels(frame, ends)
    parts.append(svg.text(6, 16, unit + (", and its 12-month mean" if smooth else "")))
    text = "; ".join(_in_words(c, n, rows) for c, n in zip(shown, labels, strict=False))
    note = _note(smooth=smooth, missing=sum(row[names[0]] is None for row in rows), of=len(rows))
    return svg.accessible(
        frame.group(parts, (0, len(rows))),
        f"0 0 {NARROW if is_narrow else WIDTH:g} {frame.bottom + _FOOT:g}",
        key,
        title,
        f"{text}.{note}",
    )


_FOOT = 30.0


def _frame(rows: Sequence[Row], drawn: Sequence[str], span: tuple[float, float], on_top: int) -> Frame:
    """Room for every value drawn, and zero; and for a number of labels on top."""
    values = [v for row in rows for c in drawn if (v := row[c]) is not None]
    low, high = min([0.0, *values]), max([0.0, *values]) or 1.0
    height, values_shown = HEIGHT - 34 - _FOOT, (low * 1.05, high * 1.05)
    if on_top:
        return Frame(44, 34 + on_top * LABEL_STEP, NARROW - 52, height, x=span, y=values_shown)
    return Frame(52, 34, WIDTH - 52 - LABEL_ROOM, height, x=span, y=values_shown)


def _note(*, smooth: bool, missing: int, of: int) -> str:
    note = " The mean of twelve months is drawn." if smooth else ""
    if missing:
        note += f" {missing} of {of} periods are missing, and hatched."
    return note


def _in_words(column: str, label: str, rows: Sequence[Row]) -> str:
    line = [(row["period"], row[column]) for row in rows if row[column] is not None]
    if not line:
        return f"{label}: missing"
    (first, start), (last, end) = line[0], line[-1]
    return f"{label}: {number(start, 'additive')} in {first}, {number(end, 'additive')} in {last}"


def _runs(flags: Sequence[bool], x: Sequence[float]) -> list[tuple[float, float]]:
    runs: list[tuple[float, float]] = []
    previous = False
    for flag, place in zip(flags, x, strict=True):
        if flag:
            runs = [*runs[:-1], (runs[-1][0], place)] if previous else [*runs, (place, place)]
        previous = flag
    return runs


def _labels(frame: Frame, ends: Sequence[tuple[float, str, str]]) -> list[str]:
    """Write each line's name at its end, moved apart where two would touch."""
    made = []
    lowest = frame.top - LABEL_STEP
    for at, label, colour in sorted(ends):
        lowest = max(at, lowest + LABEL_STEP)
        made.append(svg.text(frame.right + 6, lowest + 4, _short(label), size=12.5, fill=colour, bold=True))
    return made


def _labels_on_top(labels: Sequence[str]) -> list[str]:
    """Write each line's look and name under each other, above the drawing."""
    made = []
    for i, (label, (colour, words, dash)) in enumerate(zip(labels, LOOKS, strict=False)):
        y = 34 + i * LABEL_STEP
        made.append(svg.rule(6, y - 4, 38, y - 4, colour, 2.5, dash))
        made.append(svg.text(44, y, _short(label, 40), size=12.5, fill=words, bold=True))
    return made


def _short(label: str, most: int = 24) -> str:
    return label if len(label) <= most else label[: most - 1].rstrip() + "…"
