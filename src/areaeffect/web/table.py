"""The table of areas beside the map: which rows, in which order, with which value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from areaeffect.results import Floats
from areaeffect.web import limits
from areaeffect.web.atlas import Atlas, Layer

MISSING = "missing"
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
        return "Darker is higher. Neither end is called better."
    return f"Darker is higher, which is {'worse' if layer.better == 'lower' else 'better'}."


def legend(layer: Layer) -> tuple[tuple[int, str], ...]:
    """Return (class, words) of each colour, lowest first."""
    edges = [printed(b) for b in layer.breaks]
    if not edges:
        return ()
    words = [f"under {edges[0]}", *(f"{a} to {b}" for a, b in pairwise(edges)), f"{edges[-1]} and over"]
    return tuple(enumerate(words))
