"""Files of points: where people live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.geography.coordinates import fault_of_degrees
from areaeffect.geography.points import projected
from areaeffect.tables.cells import read_numbers
from areaeffect.tables.user_table import Layout, read_user_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from areaeffect.results import Floats

_DEGREES, _GRID = ("longitude", "latitude"), ("easting", "northing")
_RESIDENTS = "residents"
_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points in metres.

    Parameters
    ----------
    at : (n, 2), in the metres asked for.
    residents : (n,), people at each point.
    """

    at: Floats
    residents: Floats


def read_points(path: Path, to_crs: str) -> Points:
    """Read a table of residents by longitude and latitude, or easting and northing.

    Parameters
    ----------
    path : the file.
    to_crs : coordinate reference system, in metres.

    Raises
    ------
    DataError
        Missing columns, rows whose coordinates or residents cannot be read, by row; coordinates
        that are not what their columns say.
    """
    layout = Layout((*_DEGREES, *_GRID, _RESIDENTS))
    frame = read_user_table(path, layout=layout).frame
    has_degrees = set(_DEGREES) <= set(frame.columns)
    pair = _DEGREES if has_degrees else _GRID
    missing = [c for c in (*pair, _RESIDENTS) if c not in frame.columns]
    if missing:
        raise DataError(
            Problem(
                f"there is no column {' or '.join(repr(c) for c in missing)}.",
                str(path),
                f"Points need longitude and latitude, or easting and northing, and {_RESIDENTS}. "
                f"Columns: {', '.join(frame.columns)}.",
            )
        )
    at = np.column_stack([_numbers(frame[c]) for c in pair])
    residents = _numbers(frame[_RESIDENTS])
    bad = ~np.isfinite(at).all(axis=1) | ~(residents >= 0)
    if bad.any():
        needed = ", ".join((*pair, _RESIDENTS))
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
    own = "EPSG:4326" if has_degrees else "EPSG:27700"
    return Points(projected(at, own, to_crs), residents)


def _numbers(column: pd.Series) -> Floats:
    return read_numbers(column).values
