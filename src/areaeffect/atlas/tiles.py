"""Outlines to vector tiles: one PMTiles file, by tippecanoe."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem

if TYPE_CHECKING:
    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.panel import Strings

#: The layer inside the tiles, and the name of the file: tippecanoe writes it into the file, so
#: another name would give other bytes.
LAYER = "areas"
FILE = "areas.pmtiles"
#: Zooms that are made; MapLibre enlarges the last, whose grid of 6 m is finer than boundaries
#: generalised to 20 m. The first shows England and Wales whole.
FIRST_ZOOM, LAST_ZOOM = 4, 10
#: Below the last zoom a tile has a grid of 2 to this: half a point of the screen.
LOW_DETAIL = 10
_DECIMALS = 6  # of a degree: a tenth of a metre


def write_tiles(boundaries: Boundaries, areas: Strings, folder: Path) -> tuple[float, ...]:
    """Write the outlines as vector tiles into `folder/areas.pmtiles`.

    A feature's id is the position of its area in the atlas; its only property is the code.

    Parameters
    ----------
    boundaries : outlines of the areas.
    areas : (n_areas,), codes.
    folder : where the file goes.

    Returns
    -------
    West, south, east and north of all areas, degrees.

    Raises
    ------
    DataError
        tippecanoe is not here or fails.
    """
    import geopandas
    import shapely

    degrees = geopandas.GeoSeries(boundaries.outlines, crs=boundaries.crs).to_crs(4326)
    outlines = shapely.set_precision(degrees.to_numpy(), 10.0**-_DECIMALS, mode="pointwise")
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "areas.geojsonl"
        with source.open("w", encoding="utf-8") as file:
            for i, (code, shape) in enumerate(
                zip(areas, shapely.to_geojson(outlines), strict=True)
            ):
                file.write(
                    f'{{"type":"Feature","id":{i},"properties":{{"code":"{code}"}},'
                    f'"geometry":{shape}}}\n'
                )
        _tippecanoe(source, folder)
    return tuple(round(float(edge), 4) for edge in degrees.total_bounds)


def _tippecanoe(source: Path, folder: Path) -> None:
    # One name inside the working folder: tippecanoe writes its own command line into the file.
    command = [
        str(program()),
        *("-o", FILE, "-l", LAYER, "-n", LAYER, f"-Z{FIRST_ZOOM}", f"-z{LAST_ZOOM}"),
        *("--detect-shared-borders", "--no-feature-limit", "--no-tile-size-limit"),
        *("--no-tiny-polygon-reduction", "--simplification=4"),
        *(f"--low-detail={LOW_DETAIL}", "--read-parallel"),
        *("--no-progress-indicator", "--quiet", "--force", source.name),
    ]
    made = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, check=False)
    if made.returncode:
        reason = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DataError(Problem(f"the map's tiles could not be made: {reason}.", "tippecanoe"))
    (source.parent / FILE).replace(folder / FILE)


def program() -> Path:
    """Return the tippecanoe that the package `cubao-tippecanoe` brings.

    Raises
    ------
    DataError
        It is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec("cubao_tippecanoe")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        found = sorted(Path(folder).glob("*_tippecanoe.exe"))
        if found:
            return found[-1]
    raise DataError(
        Problem(
            "tippecanoe, which makes the map's tiles, is not here.",
            "areaeffect tiles",
            "Install it: pip install cubao-tippecanoe.",
        )
    )
