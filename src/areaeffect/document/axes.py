"""What the charts share: rows, print units and short labels."""

from __future__ import annotations

from typing import Any

from areaeffect.wording.numbers import NOT_ESTIMABLE, known, number

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


def cut(text: str, most: int) -> str:
    """Shorten a label that would run into the chart."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
