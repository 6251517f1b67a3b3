"""Reads a chart back: the values it draws, by the scales in its frames. No code of the drawer's."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
PLACE = 0.006  # places are written at two decimals
Values = dict[str, list[float]]


@dataclass(frozen=True)
class Read:
    """What one frame of a chart draws: its rows, and each column with half a place's worth."""

    rows: range
    columns: Values
    steps: dict[str, float]


def read_chart(text: str) -> list[Read]:
    """Return what every frame of a chart draws, in the order drawn."""
    return [_frame(group) for group in ET.fromstring(text).iter(f"{SVG}g") if "data-rows" in group.attrib]


def value_of(row: Any, name: str) -> Any:
    """Return a value of a row that was drawn."""
    return row[name] if isinstance(row, Mapping) else getattr(row, name)


def check_chart(text: str, rows: Sequence[Any]) -> set[str]:
    """Hold what is drawn against the rows of a chart; return the columns that were read."""
    found = read_chart(text)
    assert found, "nothing in the chart can be read back"
    assert [i for frame in found for i in frame.rows] == list(range(len(rows)))
    for frame in found:
        for name, values in frame.columns.items():
            wanted = [value_of(rows[i], name) for i in frame.rows]
            known = [float(v) for v in wanted if v not in {None, ""}]
            assert len(values) == len(known), (name, len(values), len(known))
            for value, one in zip(values, known, strict=True):
                assert abs(value - one) <= frame.steps[name], (name, value, one)
    return {name for frame in found for name in frame.columns}


def _frame(group: ET.Element) -> Read:
    columns: Values = defaultdict(list)
    steps: dict[str, float] = {}
    for mark in group.iter():
        for attribute, axis in (("data-column", "data-y"), ("data-across", "data-x")):
            if attribute in mark.attrib:
                slope, zero = _scale(group.attrib[axis])
                for name, place in _places(mark, mark.attrib[attribute].split(), axis == "data-x"):
                    columns[name].append(slope * place + zero)
                    steps[name] = abs(slope) * PLACE
    first, stop = map(int, group.attrib["data-rows"].split())
    return Read(range(first, stop), columns, steps)


def _scale(text: str) -> tuple[float, float]:
    """Return slope and intercept that turn a place into a value."""
    first, at_first, last, at_last = map(float, text.split())
    slope = (last - first) / (at_last - at_first)
    return slope, first - slope * at_first


def _places(mark: ET.Element, names: Sequence[str], level: bool) -> list[tuple[str, float]]:
    """Return every place of a mark with the column it stands for."""
    kind = mark.tag.removeprefix(SVG)
    if kind == "circle":
        return [(names[0], float(mark.attrib["cx" if level else "cy"]))]
    if kind == "rect":
        corner, side = ("x", "width") if level else ("y", "height")
        return [(names[0], float(mark.attrib[corner]) + float(mark.attrib[side]) / 2)]
    path = mark.attrib["d"]
    points = [float(p[1 - level]) for p in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]
    if len(names) == 1:
        return [(names[0], min(points))] if path.endswith("Z") else [(names[0], p) for p in points]
    low, high = names
    if path.endswith("Z") and level:  # the edges of a bar
        return [(low, min(points)), (high, max(points))]
    if path.endswith("Z"):  # a band: there along the high ends, back along the low ones
        half = len(points) // 2
        return [(high, p) for p in points[:half]] + [(low, p) for p in points[: half - 1 : -1]]
    ends = [(low, points[0]), (high, points[1])]
    return [end for end, which in zip(ends, ("low", "high"), strict=True) if mark.get("data-open") != which]
