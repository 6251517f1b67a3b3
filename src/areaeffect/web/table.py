"""Figures of areas as pages print them: the table beside the map, standings, histories as rows and charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import numpy as np

from areaeffect.document import marks, svg
from areaeffect.document.svg import Frame
from areaeffect.periods import PeriodKind
from areaeffect.records import Row
from areaeffect.results import Floats
from areaeffect.web import limits
from areaeffect.web.atlas import Atlas, Layer
from areaeffect.wording.numbers import PHRASES, known, number, phrase

MISSING = "missing"
_EDGES = (0.02, 0.2, 0.8, 0.98)
FIFTHS = ("lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaTableRow:
    """One area of the table."""

    #: code, name, ward, authority: of the area
    code: str
    name: str
    ward: str
    authority: str
    value: str  # as printed; 'missing' where there is none.
    fifth: int | None  # its class of colour, 0 to 4; None where the value is missing.
    chosen: bool  # whether it is in the selection


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows: `number` of `pages`, of `total` rows."""

    rows: tuple[AreaTableRow, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the figure of a place lies among those of all areas of its map."""

    words: str
    #: the place and the larger ones it is beside; 0 is the lowest fiftieth of areas, 100 the highest.
    at: tuple[float, ...]
    middle: tuple[float, float]  # where the middle three fifths of areas begin and end, likewise


def standing_of(values: Floats, marks: Sequence[float], better: str) -> Standing | None:
    """Return where a figure lies; None where it is missing, or most areas have the same.

    Parameters
    ----------
    values : (n_areas,), of all areas; NaN is missing.
    marks : the place's own, and those of the larger places it is beside.
    better : 'lower', 'higher' or ''. An end is called so only outside the middle three fifths.
    """
    known = values[~np.isnan(values)]
    least, low, high, most = map(float, np.quantile(known, _EDGES)) if len(known) else (0, 0, 0, 0)
    if np.isnan(marks[0]) or most <= least:
        return None
    below, above = float((known < marks[0]).mean()), float((known > marks[0]).mean())
    side, share = ("higher", below) if below > above else ("lower", above)
    is_end = better and not low <= marks[0] <= high
    judged = f", which is {'better' if side == better else 'worse'}" if is_end else ""

    def at(value: float) -> float:
        return round(100 * min(max((value - least) / (most - least), 0.0), 1.0), 1)

    words = phrase("look.among", side=side, percent=min(99, round(100 * share)), judged=judged)
    return Standing(words, tuple(at(m) for m in marks if not np.isnan(m)), (at(low), at(high)))


def printed(value: float) -> str:
    """Write a value of a layer; a missing one says so."""
    if np.isnan(value):
        return MISSING
    size = abs(value)
    places = 0 if size >= 100 or float(value).is_integer() else 1 if size >= 10 else 2  # noqa: PLR2004
    text = f"{value:,.{places}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text.replace("-", "−")


def fifth_of(layer: Layer, value: float) -> int | None:
    """Return the class of a value; None where it is missing."""
    if np.isnan(value):
        return None
    return int(np.searchsorted(layer.breaks, value, side="right"))


def page_of(
    atlas: Atlas,
    layer: Layer,
    values: Floats,
    positions: Sequence[int],
    chosen: Sequence[str],
    sort: str,
    number: int,
) -> Page:
    """Return one page of the areas at some positions.

    Parameters
    ----------
    atlas, layer, values : what is shown, (n_areas,).
    positions : the areas.
    chosen : codes of the selection.
    sort : 'name', 'high' or 'low'; missing values come last.
    number : of the page, from 1; the last where there are fewer.
    """
    where = np.asarray(positions, dtype=np.int64)
    if sort == "name":
        where = where[np.argsort(atlas.table["name"][where].astype(str), kind="stable")]
    else:
        sign = -1.0 if sort == "high" else 1.0
        where = where[np.argsort(sign * values[where], kind="stable")]  # NaN sorts last
    pages = max(1, -(-len(where) // limits.ROWS_A_PAGE))
    number = min(number, pages)
    first = (number - 1) * limits.ROWS_A_PAGE
    own = set(chosen)
    table = atlas.table
    rows = tuple(
        AreaTableRow(
            code=str(table["code"][i]),
            name=str(table["name"][i]),
            ward=str(table["ward"][i]),
            authority=str(table["authority"][i]),
            value=printed(values[i]),
            fifth=fifth_of(layer, values[i]),
            chosen=str(table["code"][i]) in own,
        )
        for i in where[first : first + limits.ROWS_A_PAGE]
    )
    return Page(rows, number, pages, len(where))


def direction(layer: Layer) -> str:
    """Say in the legend which end of a layer is good."""
    if not layer.better:
        return PHRASES["look.neither"]
    return phrase("look.darker", good="worse" if layer.better == "lower" else "better")


def legend(layer: Layer) -> tuple[tuple[int, str], ...]:
    """Return (class, words) of each colour, lowest first."""
    edges = [printed(b) for b in layer.breaks]
    if not edges:
        return ()
    words = [f"under {edges[0]}", *(f"{a} to {b}" for a, b in pairwise(edges)), f"{edges[-1]} and over"]
    return tuple(enumerate(words))


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
