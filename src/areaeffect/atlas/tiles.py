"""Outlines to vector tiles: one PMTiles file, by tippecanoe."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shapely import Geometry

    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.panel import Strings
    from areaeffect.results import Floats

    #: Its number in its layer, its properties, its shape.
    Feature = tuple[int, dict[str, str | int], Geometry]

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


def write_tiles(
    boundaries: Boundaries, areas: Strings, inside: Mapping[str, Strings], folder: Path
) -> tuple[float, ...]:
    """Write outlines, council borders and names as vector tiles into `folder/areas.pmtiles`.

    An outline's id is the position of its area in the atlas; its only property is the code. A name
    lies in the area nearest the middle of its ward or council.

    Parameters
    ----------
    boundaries : outlines of the areas.
    areas : (n_areas,), codes.
    inside : ward and authority of each area, (n_areas,) each; '' where not known.
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
        layers = {
            LAYER: (
                (i, {"code": str(code)}, shape)
                for i, (code, shape) in enumerate(zip(areas, outlines, strict=True))
            ),
            "councils": _councils(outlines, inside["authority"]),
            "names": _names(boundaries.centres, outlines, inside),
        }
        for name, features in layers.items():
            with (Path(scratch) / f"{name}.geojsonl").open("w", encoding="utf-8") as file:
                for i, about, shape in features:
                    known = json.dumps(about, ensure_ascii=False)
                    file.write(
                        f'{{"type":"Feature","id":{i},"properties":{known},'
                        f'"geometry":{shapely.to_geojson(shape)}}}\n'
                    )
        _tippecanoe(Path(scratch), tuple(layers), folder)
    return tuple(round(float(edge), 4) for edge in degrees.total_bounds)


def _councils(outlines: Sequence[Geometry], authority: Strings) -> Iterator[Feature]:
    """Return the outline of each council: the areas are a coverage, so only edges are joined."""
    import shapely

    for i, name in enumerate(sorted({str(a) for a in authority} - {""})):
        joined = shapely.union_all([s for s, a in zip(outlines, authority, strict=True) if a == name])
        yield i, {"name": name}, joined


def _names(
    centres: Floats, outlines: Sequence[Geometry], inside: Mapping[str, Strings]
) -> Iterator[Feature]:
    """Return the name of each ward and council, at a place inside it."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for i, (ward, authority) in enumerate(zip(inside["ward"], inside["authority"], strict=True)):
        found.setdefault(("council", str(authority), ""), []).append(i)
        found.setdefault(("ward", str(ward), str(authority)), []).append(i)
    for n, ((kind, name, _), members) in enumerate(sorted(found.items())):
        if name:
            own = centres[members]
            nearest = members[int(((own - own.mean(axis=0)) ** 2).sum(axis=1).argmin())]
            about = {"kind": kind, "name": name, "areas": len(members)}
            yield n, about, outlines[nearest].representative_point()


def _tippecanoe(scratch: Path, layers: Sequence[str], folder: Path) -> None:
    # Names inside the working folder: tippecanoe writes its own command line into the file.
    command = [
        str(program()),
        *("-o", FILE, "-n", LAYER, f"-Z{FIRST_ZOOM}", f"-z{LAST_ZOOM}", "-r1"),
        *(part for layer in layers for part in ("-L", f"{layer}:{layer}.geojsonl")),
        *("--detect-shared-borders", "--no-feature-limit", "--no-tile-size-limit"),
        *("--no-tiny-polygon-reduction", "--simplification=4"),
        *(f"--low-detail={LOW_DETAIL}", "--read-parallel"),
        *("--no-progress-indicator", "--quiet", "--force"),
    ]
    made = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    if made.returncode:
        reason = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DataError(Problem(f"the map's tiles could not be made: {reason}.", "tippecanoe"))
    (scratch / FILE).replace(folder / FILE)


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
