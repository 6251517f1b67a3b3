"""The table of areas beside the map: which rows, in which order, with which value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from areaeffect.results import Floats
from areaeffect.web import limits
from areaeffect.web.atlas import Atlas, Layer
from areaeffect.wording.numbers import PHRASES, phrase

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
