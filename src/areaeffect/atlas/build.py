"""`areaeffect tiles`: a base study to the atlas that the web app works on.

An atlas is a folder, made once, that appears whole or not at all; the same base study and
releases give the same bytes:

| file | holds |
|---|---|
| `atlas.json` | title, layers, histories, larger places, releases, SHA-256 of every file |
| `base.toml` | the base study as it was read |
| `areas.parquet` | a row an area: code, name, what it lies in, centre, and whether every \
covariate is known |
| `names.json.gz` | a JSON array of names, one an area |
| `postcodes.parquet` | postcode, position of its area; only where a lookup was given |
| `areas.pmtiles` | outlines, councils and names as vector tiles, where a source has boundaries |
| `values/<layer>.<n>.json.gz` | a JSON array, a value an area; `null` is missing |
| `history/<outcome>.npy`, `.waves.npy` | counts or scores, (areas, periods); (periods) |
| `history/<outcome>.exposure.npy`, `.places.npy` | (areas), only of rates; (places, periods) |
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.assembly.assemble import areas_of, covariates_of, outlines_of, read_sources
from areaeffect.assembly.measures import make_measures
from areaeffect.atlas.layers import (
    INSIDE,
    Layer,
    averages_of,
    council_outlines,
    earliest_start,
    layers_of,
    place_names,
    place_points,
    slug,
    unit_of,
)
from areaeffect.errors import DataError
from areaeffect.geography.overlay import projected
from areaeffect.records import Json
from areaeffect.register.places import find_postcodes, has_directory, vintage_of
from areaeffect.simulate import CountySpec, simulate_county, write_base, write_county
from areaeffect.sources.publishers.releases import find_release
from areaeffect.study.file import read_base
from areaeffect.study.parts import AtlasPart, default_shared_data
from areaeffect.tables.parquet import write_columns

if TYPE_CHECKING:
    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.panel import Measure
    from areaeffect.results import Ints, Strings
    from areaeffect.study.model import Outcome

    Tell = Callable[[str, int, int], None]

FORMAT = 2
_STEPS = 5


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def build_atlas(base: Path, out: Path, store: Path | None, tell: Tell) -> Path:
    """Make the atlas of a base study in `out`, in the place of what was there; errors are of a study."""
    tell("Reading the base study's sources", 0, _STEPS)
    file = read_base(base)
    study, part = file.study, file.study.atlas or AtlasPart()
    tables = read_sources(file, store, [layer.column for layer in part.layers])
    areas, names = areas_of(study, tables)
    measures, _ = make_measures(study, tables, areas)
    tell("Computing layers and histories", 1, _STEPS)
    inside = place_names(areas, names, part.places, file.folder)
    places, place_of = _larger_places(areas, inside)
    layers = layers_of(file, tables, measures, areas)
    covariates, as_of = covariates_of(file, tables, areas)
    tell("Reading boundaries", 2, _STEPS)
    (boundaries,) = outlines_of(file, areas)

    with _replacing(out) as making:
        tell("Making the map's tiles", 3, _STEPS)
        bounds = write_tiles(boundaries, areas, inside, making) if boundaries else ()
        tell("Writing the atlas", 4, _STEPS)
        columns = {"code": areas.astype(str), **{what: inside[what] for what in ("name", *INSIDE)}}
        about = {"complete": np.isfinite(covariates).all(axis=1)}
        if boundaries:
            x, y = boundaries.centres.T
            lon, lat = projected(boundaries.centres, boundaries.crs, "EPSG:4326").T
            about |= {"x": x.round(1), "y": y.round(1), "lon": lon.round(6), "lat": lat.round(6)}
        write_columns(making / "areas.parquet", columns | about)
        _write_packed(making / "names.json.gz", json.dumps(inside["name"].tolist(), ensure_ascii=False))
        n_postcodes = _write_postcodes(making, part.postcodes, file.folder, areas)
        (making / "base.toml").write_text(file.text, encoding="utf-8")
        releases = [r for t in tables.values() for r in (t.release, *t.more_releases)]
        credits = [r.attribution for r in releases]
        if vintage := vintage_of(areas, file.folder):
            credits.append(find_release(f"boundaries_{vintage}").attribution)
        manifest = {
            "format": FORMAT,
            "key": out.name,
            "title": study.study.title,
            "question": study.study.question,
            "made_up": part.made_up,
            "window": study.study.window.kind.value,
            "earliest": earliest_start(study.study.window, as_of),
            "base_folder": str(file.folder.resolve()),
            "shared_data": str(default_shared_data(file.folder)),
            "n_areas": len(areas),
            "bounds": list(bounds),
            "tiles": FILE if boundaries else "",
            "postcodes": n_postcodes,
            "places": places,
            "layers": [_write_layer(making, layer) for layer in layers],
            "histories": [_write_history(making, o, measures[o.name], place_of) for o in study.outcome],
            "attribution": list(dict.fromkeys(line for line in credits if line)),
            "releases": [asdict(r) for r in releases],
        }
        text = json.dumps({**manifest, "files": _digests(making)}, indent=1, ensure_ascii=False)
        (making / "atlas.json").write_text(text + "\n", encoding="utf-8")
    tell("Writing the atlas", _STEPS, _STEPS)
    return out


@contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """A folder to write in, which takes the place of `out` only when all of it is written."""
    making = out.with_name(f".{out.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    (making / "values").mkdir(parents=True)
    (making / "history").mkdir()
    try:
        yield making
        shutil.rmtree(out, ignore_errors=True)
        making.replace(out)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _larger_places(areas: Strings, inside: Mapping[str, Strings]) -> tuple[list[dict[str, str]], list[Ints]]:
    """Return the larger places that areas are shown against, and of each kind which one each lies in.

    Authorities come first, then countries, or all areas where codes tell no country.
    """
    authorities, of_authority = np.unique(inside["authority"], return_inverse=True)
    if authorities[0] == "":  # the first in order: an area that lies in none
        authorities, of_authority = authorities[1:], of_authority - 1
    letters, of_country = np.unique([str(code)[:1] for code in areas], return_inverse=True)
    countries = [{"E": "England", "W": "Wales"}.get(letter, "") for letter in letters.tolist()]
    if not all(countries) or not len(authorities):
        of_country, countries = np.zeros(len(areas), dtype=np.int64), ["all areas"]
    elif len(letters) == 1 and len(np.unique(inside["region"])) == 1:
        countries = [str(inside["region"][0])]  # a region's own atlas says nothing of England
    listed = [{"kind": "authority", "name": str(name)} for name in authorities]
    listed += [{"kind": "country", "name": name} for name in countries]
    return listed, [of_authority, of_country]


def _write_packed(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def _write_postcodes(folder: Path, lookup: str | None, start: Path, areas: Strings) -> int:
    """Write which postcodes lie in which area, by the lookup named or the directory here."""
    if lookup is None and not has_directory(start, areas):
        return 0
    postcodes, positions = find_postcodes(lookup, start, areas).inside(areas)
    if len(postcodes):
        columns = {"postcode": postcodes, "area": positions.astype(np.int32)}
        write_columns(folder / "postcodes.parquet", columns)
    return len(postcodes)


def _write_layer(folder: Path, layer: Layer) -> Json:
    """Write the arrays of a layer; five digits are more than a colour can show."""
    missing = np.isnan(layer.values)
    for i, (column, unknown) in enumerate(zip(layer.values.T, missing.T, strict=True)):
        text = ",".join("null" if u else f"{v:.5g}" for v, u in zip(column, unknown, strict=True))
        _write_packed(folder / "values" / f"{layer.key}.{i}.json.gz", f"[{text}]")
    said = ("key", "group", "title", "unit", "note", "better", "periods", "breaks")
    return {key: getattr(layer, key) for key in said} | {"missing": missing.sum(axis=0).tolist()}


def _write_history(folder: Path, outcome: Outcome, measure: Measure, place_of: list[Ints]) -> Json:
    name, periods = slug(outcome.name), measure.periods
    places = np.vstack([averages_of(measure, inside) for inside in place_of])
    parts = {"": measure.values, ".waves": measure.waves, ".places": places, ".exposure": measure.exposure}
    for part, values in parts.items():
        if values is not None:
            np.save(folder / "history" / f"{name}{part}.npy", np.ascontiguousarray(values))
    each = f" a {periods.kind.value}" if periods.n > 1 and periods.kind.per_year else ""
    return {
        "key": name,
        "title": outcome.title,
        "unit": unit_of(outcome, measure) + each,
        "counted": outcome.unit_title if measure.is_count else "",
        "better": outcome.better,
        "claim": outcome.claim,
        "kind": periods.kind.value,
        "periods": list(periods.labels),
    }


#: The name of the file of tiles: tippecanoe writes it into the file, so another would give other bytes.
FILE = "areas.pmtiles"
#: Zooms that are made; MapLibre enlarges the last, whose grid of 6 m is finer than boundaries
#: generalised to 20 m. The first shows England and Wales whole. Below the last a tile has a grid of 2 to
#: `--low-detail`: half a point of the screen.
_TIPPECANOE = (
    "-o", FILE, "-n", "areas", "-Z4", "-z10", "-r1", "--low-detail=10", "--simplification=4",
    "--detect-shared-borders", "--no-feature-limit", "--no-tile-size-limit",
    "--no-tiny-polygon-reduction", "--read-parallel", "--no-progress-indicator", "--quiet", "--force",
)  # fmt: skip
_DECIMALS = 6  # of a degree: a tenth of a metre


def write_tiles(
    boundaries: Boundaries, areas: Strings, inside: Mapping[str, Strings], folder: Path
) -> tuple[float, ...]:
    """Write outlines, council borders and names as vector tiles; return west, south, east and north.

    An outline's id is the position of its area, and its only property the code. DataError without tippecanoe.
    """
    import geopandas
    import shapely

    degrees = geopandas.GeoSeries(boundaries.outlines, crs=boundaries.crs).to_crs(4326)
    outlines = shapely.set_precision(degrees.to_numpy(), 10.0**-_DECIMALS, mode="pointwise")
    coded = ((i, {"code": str(code)}, s) for i, (code, s) in enumerate(zip(areas, outlines, strict=True)))
    layers = {
        "areas": coded,
        "councils": council_outlines(outlines, inside["authority"]),
        "names": place_points(boundaries.centres, outlines, inside),
    }
    with tempfile.TemporaryDirectory() as scratch:
        # Names inside the working folder: tippecanoe writes its own command line into the file.
        command = [str(program()), *_TIPPECANOE]
        for name, features in layers.items():
            command += ["-L", f"{name}:{name}.geojsonl"]
            with (Path(scratch) / f"{name}.geojsonl").open("w", encoding="utf-8") as file:
                for i, about, shape in features:
                    known, drawn = json.dumps(about, ensure_ascii=False), shapely.to_geojson(shape)
                    file.write(f'{{"type":"Feature","id":{i},"properties":{known},"geometry":{drawn}}}\n')
        made = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
        if made.returncode:
            reason = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise DataError(f"the map's tiles could not be made: {reason}.", "tippecanoe")
        shutil.copyfile(Path(scratch) / FILE, folder / FILE)
    return tuple(round(float(edge), 4) for edge in degrees.total_bounds)


def program() -> Path:
    """Return the tippecanoe that the package `cubao-tippecanoe` brings; DataError without it."""
    spec = find_spec("cubao_tippecanoe")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if found := sorted(Path(folder).glob("*_tippecanoe.exe")):
            return found[-1]
    what = "tippecanoe, which makes the map's tiles, is not here."
    raise DataError(what, "areaeffect tiles", "Install it: pip install cubao-tippecanoe.")


SEED = 20231219
NAME, LONDON = "county", "london"


def london_atlas(store: Path, tell: Tell) -> Path:
    """Make the atlas of the packaged London data in a store; return the folder of atlases.

    The data are copied into the store first, so that they are where the atlas says they are.
    """
    folder = store / "web" / LONDON
    folder.mkdir(parents=True, exist_ok=True)
    for part in (files("areaeffect") / "examples" / LONDON).iterdir():
        (folder / part.name).write_bytes(part.read_bytes())
    (store / "atlases").mkdir(parents=True, exist_ok=True)
    build_atlas(folder / "explore.toml", store / "atlases" / LONDON, store, tell)
    return store / "atlases"


def london_is_due(store: Path) -> bool:
    """Whether London's atlas is to be made: none is there, or it was made before postcodes came."""
    made = store / "atlases" / LONDON / "atlas.json"
    if not made.is_file():
        return not any((store / "atlases").glob("*/atlas.json"))
    manifest = json.loads(made.read_text(encoding="utf-8"))
    is_packaged = manifest["base_folder"] == str((store / "web" / LONDON).resolve())
    return is_packaged and not manifest["postcodes"] and has_directory(store, np.array(["E01000001"]))


def demo_atlas(store: Path, tell: Tell, spec: CountySpec | None = None) -> Path:
    """Make the simulated county's atlas in a store, where it is not there yet.

    The county is that of `areaeffect demo`, unless `spec` is another. The folder of atlases is returned.
    """
    atlases = store / "atlases"
    if not (atlases / NAME / "atlas.json").is_file():
        county = simulate_county(spec or CountySpec(seed=SEED))
        folder = store / "web" / NAME
        write_county(county, folder, voices=False)
        atlases.mkdir(parents=True, exist_ok=True)
        build_atlas(write_base(county, folder), atlases / NAME, store, tell)
    return atlases
