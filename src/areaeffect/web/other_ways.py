"""Other ways to choose areas: everything near a place, and a file of codes or of one polygon."""

from __future__ import annotations

import json
import math
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from areaeffect.errors import DataError
from areaeffect.tables.cells import plain_code
from areaeffect.tables.text_rows import text_rows
from areaeffect.web import limits
from areaeffect.web.limits import Refusal
from areaeffect.web.selection import Ring, codes, drawn, pasted, search

if TYPE_CHECKING:
    from areaeffect.web.atlas import Atlas

_LISTS, _DRAWN = (".csv", ".txt"), (".geojson", ".json")
_COLUMNS = ("area_code", "lsoa21cd", "lsoa11cd", "lsoa21_code", "lsoa11_code", "postcode", "code")


def near(atlas: Atlas, text: str, km: str) -> set[str]:
    """Return the areas whose middle lies within some kilometres of the first place that a text finds."""
    try:
        radius = float(km)
    except ValueError:
        radius = math.nan
    if not 0 < radius <= limits.RADIUS_KM:
        raise Refusal(422, "That is not a distance.", f"Give kilometres up to {limits.RADIUS_KM:g}.", "km")
    if "x" not in atlas.table:
        raise Refusal(422, "This atlas has no map, so distances are not known.")
    found = search(atlas, text[: limits.SEARCH_LETTERS])
    if not found.places:
        raise Refusal(422, f"'{text[:40]}' is not found.", found.hint, "near")
    x, y, own = atlas.table["x"], atlas.table["y"], list(found.places[0].positions)
    apart = np.hypot(x - x[own].mean(), y - y[own].mean())
    middle = own[int(apart[own].argmin())]  # of a ward or council: the area nearest its middle
    return codes(atlas, np.flatnonzero(np.hypot(x - x[middle], y - y[middle]) <= radius * 1000).tolist())


def uploaded(atlas: Atlas, chosen: set[str], name: str, file: BinaryIO) -> tuple[set[str], Ring]:
    """Return the selection after an upload: codes are added, a shape takes the place of all.

    Lines are counted before anything is read of them.
    """
    suffix, content = PurePath(name).suffix.lower(), file.read(limits.POST_BYTES)
    if suffix not in (*_LISTS, *_DRAWN):
        fix = f"Allowed: {', '.join((*_LISTS, *_DRAWN))}."
        raise Refusal(422, "This kind of file is not read.", fix, "file")
    if content.count(b"\n") + content.count(b"\r") > limits.UPLOAD_LINES:
        what = f"The file holds more than {limits.UPLOAD_LINES:,} lines."
        raise Refusal(422, what, "Leave out what is not your neighbourhood's.", "file")
    if suffix in _LISTS:
        return chosen | pasted(atlas, _codes(content, name)), ()
    return drawn(atlas, _corners(content))


def _codes(content: bytes, name: str) -> str:
    """Return the codes of a list, read as a study's: its column of codes, else its first."""
    try:
        rows = text_rows(content, PurePath(PurePath(name).name), _COLUMNS).rows
    except DataError as error:
        fault = error.problems[0]
        what = f"{fault.what[0].upper()}{fault.what[1:]}"
        where = f" ({fault.where.rpartition(', ')[2]})" if ", line" in fault.where else ""
        raise Refusal(422, f"{what.rstrip('.')}{where}.", fault.fix, "file") from error
    head = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    column = next((head.index(c) for c in _COLUMNS if c in head), None)
    ragged = [line for line, row in rows if len(row) < len(head) or any(row[len(head) :])]
    if column is not None and ragged:
        fix = f"Every row needs {len(head)} fields."
        raise Refusal(422, f"Line {ragged[0]} has too few or too many fields.", fix, "file")
    return "\n".join(plain_code(row[column or 0]) for _, row in (rows if column is None else rows[1:]))


def _corners(content: bytes) -> str:
    """Return the ring of the one polygon in a GeoJSON file, as JSON."""
    try:
        found = json.loads(content.decode("utf-8-sig"))
        if found["type"] == "FeatureCollection":
            (found,) = found["features"]
        if found["type"] == "Feature":
            found = found["geometry"]
        ring = found["coordinates"]
        for _ in range({"Polygon": 1, "MultiPolygon": 2}[found["type"]]):
            (ring,) = ring
        return json.dumps([[x, y] for x, y, *_ in ring])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = "The file is not one polygon of GeoJSON in one part without holes."
        raise Refusal(422, what, "Save one shape, in longitude and latitude.", "file") from error
