"""Outlines of areas: reading them, in metres."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.geography.coordinates import BRITAIN
from areaeffect.results import Shape

if TYPE_CHECKING:
    from pathlib import Path

_BRITISH_NATIONAL_GRID = 27700


@dataclass(frozen=True, slots=True, eq=False)
class Boundaries:
    """Outlines of the panel's areas.

    Parameters
    ----------
    outlines : (n_areas,), shapely polygons in metres, in the panel's order.
    crs : their coordinate reference system; 'EPSG:27700' in Britain.
    """

    outlines: npt.NDArray[np.object_]
    crs: str = f"EPSG:{_BRITISH_NATIONAL_GRID}"

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """Centroid of each outline, (n_areas, 2), metres."""
        import shapely

        return np.asarray(shapely.get_coordinates(shapely.centroid(self.outlines)))

    def shapes(self, areas: npt.NDArray[np.str_], tolerance: float) -> tuple[Shape, ...]:
        """Return simplified outer rings for a map; `tolerance` in metres."""
        return tuple(
            Shape(str(area), rings)
            for area, rings in zip(areas, _simplified(self, tolerance), strict=True)
        )


@lru_cache(maxsize=1)  # a server draws many maps of the same areas
def _simplified(
    boundaries: Boundaries, tolerance: float
) -> tuple[tuple[npt.NDArray[np.float64], ...], ...]:
    import shapely

    # borders shared by two areas are simplified once, so that no slits open between them
    simple = shapely.coverage_simplify(boundaries.outlines, tolerance)
    return tuple(tuple(_rings(outline, tolerance)) for outline in simple)


def _rings(outline: Any, tolerance: float) -> list[npt.NDArray[np.float64]]:
    """Outer rings of the parts that can be seen at this tolerance; always the largest one."""
    parts = sorted(getattr(outline, "geoms", [outline]), key=lambda part: -part.area)
    seen = [p for i, p in enumerate(parts) if i == 0 or p.area > tolerance**2]
    return [np.round(np.asarray(part.exterior.coords), 0) for part in seen]


def read_boundaries(path: Path, column: str, areas: npt.NDArray[np.str_]) -> Boundaries:
    """Read the outlines of the given areas.

    Raises
    ------
    DataError
        Missing file, missing column, areas without an outline.
    """
    frame = _frame(path, column)
    frame = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    if frame[column].duplicated().any():  # an area drawn in several features
        frame = frame[[column, "geometry"]].dissolve(column, as_index=False)
    frame = frame.set_index(frame[column].astype(str))
    missing = [a for a in areas if a not in frame.index]
    if missing:
        raise DataError(
            Problem(
                f"{len(missing)} of {len(areas)} areas have no outline, such as {missing[0]}.",
                str(path),
                "Use boundaries of the same census vintage as the table.",
            )
        )
    frame = _in_metres(frame.loc[list(areas)])
    return Boundaries(frame.geometry.to_numpy(), frame.crs.to_string())


def area_codes(path: Path, column: str) -> npt.NDArray[np.str_]:
    """Return the codes of all areas that a file has outlines of, ascending."""
    return np.unique(_frame(path, column)[column].astype(str).to_numpy(dtype=str))


def _frame(path: Path, column: str) -> Any:
    """Read a boundary file that has a column of codes."""
    import geopandas

    if not path.is_file():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*")])
        raise DataError(Problem("there is no such boundary file.", str(path), near))
    try:
        if path.suffix in {".parquet", ".geoparquet"}:
            frame = geopandas.read_parquet(path)
        else:
            frame = geopandas.read_file(path)
    except (ValueError, OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(Problem(f"the boundaries cannot be read: {reason}", str(path))) from None
    if column not in frame.columns:
        columns = [c for c in frame.columns if c != "geometry"]
        raise DataError(
            Problem(
                f"there is no column '{column}' with area codes.",
                str(path),
                did_you_mean(column, columns) or f"Columns: {', '.join(columns)}.",
            )
        )
    return frame


def _in_metres(frame: Any) -> Any:
    """Project to British National Grid in Britain, else to the local UTM zone."""
    if frame.crs is None:
        frame = frame.set_crs(4326)
    if frame.crs.is_projected:
        return frame
    west, south, east, north = frame.total_bounds
    inside = (
        west >= BRITAIN[0] and south >= BRITAIN[1] and east <= BRITAIN[2] and north <= BRITAIN[3]
    )
    return frame.to_crs(_BRITISH_NATIONAL_GRID if inside else frame.estimate_utm_crs())
