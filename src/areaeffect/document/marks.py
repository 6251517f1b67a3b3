"""Marks of a chart: lines, dots, intervals, bands and bars, each of which can be read back.

A mark that is drawn from a row carries the name of its column, as `data-column` where its value
goes up and as `data-across` where it goes from left to right. An interval carries two names.
"""

from __future__ import annotations

from collections.abc import Sequence

from areaeffect.document.svg import Frame, unit

Value = float | None


def line(
    frame: Frame,
    xs: Sequence[float],
    ys: Sequence[Value],
    *,
    column: str,
    colour: str,
    width: float = 2.6,
    dash: str = "",
    opacity: float = 1.0,
) -> str:
    """Draw the known values in order, broken where one is missing."""
    runs: list[list[str]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if y is None:
            runs.append([])
        else:
            runs[-1].append(f"{unit(frame.px(x))} {unit(frame.py(y))}")
    path = "".join(f"M{'L'.join(run)}{'h0' if len(run) == 1 else ''}" for run in runs if run)
    if not path:
        return ""
    look = f'fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"'
    look += ' stroke-linecap="round"' if "h0" in path else ""  # a lone value is a dot
    look += f' stroke-dasharray="{dash}"' if dash else ""
    look += f' stroke-opacity="{opacity:g}"' if opacity < 1 else ""
    return f'<path data-column="{column}" d="{path}" {look}/>'


def dots(frame: Frame, xs: Sequence[float], ys: Sequence[Value], *, colour: str, radius: float = 3.0) -> str:
    """Draw the known values of a line as dots, without a name of their own."""
    places = ((frame.px(x), frame.py(y)) for x, y in zip(xs, ys, strict=True) if y is not None)
    return "".join(
        f'<circle cx="{unit(x)}" cy="{unit(y)}" r="{radius:g}" fill="{colour}"/>' for x, y in places
    )


def dot(  # the order of a point
    frame: Frame, x: Value, y: Value, name: str, *, colour: str, radius: float = 4.5, hollow: bool = False
) -> str:
    """Draw one named value as a dot; nothing where it is missing.

    Parameters
    ----------
    x, y : values.
    name : the column with its attribute, as `up` or `across` writes it.
    """
    if x is None or y is None:
        return ""
    place = f'cx="{unit(frame.px(x))}" cy="{unit(frame.py(y))}"'
    return f'<circle {name} {place} r="{radius:g}" {_look(colour, hollow)}/>'


def diamond(
    frame: Frame, x: Value, y: Value, name: str, *, colour: str, radius: float = 4.5, hollow: bool = False
) -> str:
    """Draw one named value as a diamond; nothing where it is missing."""
    if x is None or y is None:
        return ""
    px, py = unit(frame.px(x)), unit(frame.py(y))
    corner = f'x="{unit(float(px) - radius)}" y="{unit(float(py) - radius)}"'
    side = f'width="{2 * radius:g}" height="{2 * radius:g}"'
    return f'<rect {name} {corner} {side} {_look(colour, hollow)} transform="rotate(45 {px} {py})"/>'


def _look(colour: str, hollow: bool) -> str:
    if hollow:
        return f'fill="#FFFFFF" stroke="{colour}" stroke-width="1.8"'
    return f'fill="{colour}" stroke="#FFFFFF"'


def stroke(frame: Frame, x: Value, y: float, column: str, colour: str, half: float) -> str:
    """Draw one value across as a short upright stroke; nothing where it is missing."""
    if x is None:
        return ""
    px, py = frame.px(x), frame.py(y)
    return (
        f'<rect {across(column)} x="{unit(px - 1.25)}" y="{unit(py - half)}" width="2.5" '
        f'height="{2 * half:g}" fill="{colour}"/>'
    )


def interval(
    frame: Frame,
    at: float,
    ends: tuple[Value, Value],
    name: str,
    *,
    colour: str,
    width: float,
    dash: str = "",
) -> str:
    """Draw an interval; an end that was not found runs to the edge, and says so.

    Parameters
    ----------
    at : its position on the other axis.
    ends : low and high; nothing is drawn where both are missing.
    name : both columns with their attribute, as `up` or `across` writes them.
    """
    low, high = ends
    if low is None and high is None:
        return ""
    level = name.startswith("data-across")
    edges = frame.x if level else frame.y
    first, last = (min(edges) if low is None else low), (max(edges) if high is None else high)
    points = [(first, at), (last, at)] if level else [(at, first), (at, last)]
    path = "L".join(f"{unit(frame.px(x))} {unit(frame.py(y))}" for x, y in points)
    look = f'fill="none" stroke="{colour}" stroke-width="{width:g}"'
    look += f' stroke-dasharray="{dash}"' if dash else ""
    missing = "low" if low is None else "high" if high is None else ""
    look += f' data-open="{missing}"' if missing else ""
    return f'<path {name} d="M{path}" {look}/>'


def up(*columns: str) -> str:
    """Return the attribute of a mark whose values go up."""
    return f'data-column="{" ".join(columns)}"'


def across(*columns: str) -> str:
    """Return the attribute of a mark whose values go from left to right."""
    return f'data-across="{" ".join(columns)}"'


def band(
    frame: Frame,
    xs: Sequence[float],
    lows: Sequence[Value],
    highs: Sequence[Value],
    *,
    columns: tuple[str, str],
    fill: str,
) -> str:
    """Shade between two lines where both are known, one piece for each unbroken run."""
    made, run = [], []
    known = [*zip(xs, lows, highs, strict=True), (0.0, None, None)]
    for x, low, high in known:
        if low is not None and high is not None:
            run.append((frame.px(x), frame.py(low), frame.py(high)))
        elif run:
            there = "L".join(f"{unit(x)} {unit(high)}" for x, _, high in run)
            back = "L".join(f"{unit(x)} {unit(low)}" for x, low, _ in reversed(run))
            made.append(f'<path {up(*columns)} d="M{there}L{back}Z" fill="{fill}" stroke="none"/>')
            run = []
    return "".join(made)


def bars(
    frame: Frame,
    lows: Sequence[float],
    highs: Sequence[float],
    tops: Sequence[float],
    *,
    columns: tuple[str, str, str],
    fill: str,
) -> str:
    """Draw one bar from zero for each value; `columns` name its edges and its top."""
    zero = frame.py(0.0)
    names = f"{across(*columns[:2])} {up(columns[2])}"
    return "".join(
        f'<path {names} d="M{unit(frame.px(low))} {unit(zero)}'
        f"L{unit(frame.px(low))} {unit(frame.py(top))}L{unit(frame.px(high))} "
        f'{unit(frame.py(top))}L{unit(frame.px(high))} {unit(zero)}Z" fill="{fill}" '
        'stroke="#FFFFFF" stroke-width="0.8"/>'
        for low, high, top in zip(lows, highs, tops, strict=True)
    )
