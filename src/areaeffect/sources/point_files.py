"""Files of points: where people live, where a park or a library is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.geography.coordinates import fault_of_degrees
from areaeffect.tables.cells import read_numbers
from areaeffect.tables.user_table import Layout, read_user_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from areaeffect.panel import Strings
    from areaeffect.results import Floats

_DEGREES, _GRID = ("longitude", "latitude"), ("easting", "northing")
_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points in metres.

    Parameters
    ----------
    at : (n, 2), in the metres asked for.
    number : (n,), what the column asked for holds; 1 where none was asked.
    category : (n,), text; '' where none was asked.
    """

    at: Floats
    number: Floats
    category: Strings


def read_points(
    path: Path, to_crs: str, number: str | None = None, category: str | None = None
) -> Points:
    """Read a table of points with longitude and latitude, or easting and northing.

    Parameters
    ----------
    path : the file.
    to_crs : coordinate reference system, in metres.
    number : column with a number of 0 or more at each point.
    category : column with what each point is.

    Raises
    ------
    DataError
        Missing columns, rows whose coordinates or number cannot be read, by row; coordinates
        that are not what their columns say.
    """
    layout = Layout((*_DEGREES, *_GRID, *(c for c in (number, category) if c)))
    frame = read_user_table(path, layout=layout).frame
    has_degrees = set(_DEGREES) <= set(frame.columns)
    pair = _DEGREES if has_degrees else _GRID
    missing = [c for c in (*pair, number, category) if c and c not in frame.columns]
    if missing:
        raise DataError(
            Problem(
                f"there is no column {' or '.join(repr(c) for c in missing)}.",
                str(path),
                "Points need longitude and latitude, or easting and northing"
                + "".join(f", and {c}" for c in (number, category) if c)
                + f". Columns: {', '.join(frame.columns)}.",
            )
        )
    at = np.column_stack([_numbers(frame[c]) for c in pair])
    values = _numbers(frame[number]) if number else np.ones(len(frame))
    bad = ~np.isfinite(at).all(axis=1) | ~(values >= 0)
    if bad.any():
        needed = ", ".join(c for c in (*pair, number) if c)
        rows = ", ".join(str(i) for i in frame.index[bad][:_SHOWN])
        raise DataError(
            Problem(
                f"{int(bad.sum())} points have no readable {needed}.",
                f"{path}, row {rows}" + (" and more" if bad.sum() > _SHOWN else ""),
                "Give every row numbers, or take it out.",
            )
        )
    if has_degrees:
        fault = fault_of_degrees(at, in_britain=to_crs == "EPSG:27700")
        if fault is not None:
            raise DataError(Problem(f"the file {fault[0]}.", str(path), fault[1]))
    kinds = frame[category].str.strip().to_numpy(dtype=str) if category else np.full(len(at), "")
    return Points(_projected(at, to_crs, is_degrees=has_degrees), values, kinds)


def _numbers(column: pd.Series) -> Floats:
    return read_numbers(column).values


def _projected(at: Floats, to_crs: str, *, is_degrees: bool) -> Floats:
    from pyproj import Transformer  # noqa: PLC0415  # heavy

    own = "EPSG:4326" if is_degrees else "EPSG:27700"
    if own == to_crs:
        return at
    transformer = Transformer.from_crs(own, to_crs, always_xy=True)
    return np.column_stack(transformer.transform(at[:, 0], at[:, 1]))
