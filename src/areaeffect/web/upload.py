"""An uploaded file of areas: a list of codes, one drawn shape, or a zip that holds one of these."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import PurePath
from typing import BinaryIO

from areaeffect.errors import DataError
from areaeffect.tables.cells import plain_code
from areaeffect.tables.text_rows import text_rows
from areaeffect.web import limits, search
from areaeffect.web.atlas import Atlas
from areaeffect.web.limits import Refusal
from areaeffect.web.selection import Selection, keep
from areaeffect.web.settings import ServerSettings

LISTS, DRAWN, PACKED = (".csv", ".txt"), (".geojson", ".json"), (".zip",)
COLUMNS = ("area_code", "lsoa21cd", "lsoa11cd", "lsoa21_code", "lsoa11_code", "postcode", "code")
#: How a zip ends, where its end counts its members and the bytes of their list, and how many
#: bytes one member takes at most: three names and texts of 64 KiB.
_END_OF_ZIP, _COUNTS, _MOST_LISTED = b"PK\x05\x06", ((10, 12), (12, 16)), 200_000


def keep_uploaded(
    settings: ServerSettings, atlas: Atlas, chosen: Iterable[str], name: str, file: BinaryIO
) -> Selection:
    """Return the selection after an upload: codes are added, a shape takes the place of all.

    Raises
    ------
    Refusal
        422: another kind of file, one that cannot be read, or a limit.
    """
    suffix = PurePath(name).suffix.lower()
    content = file.read(limits.POST_BYTES)
    if suffix in PACKED:
        suffix, content = unpacked(content)
    if suffix in LISTS:
        return keep(settings, {*chosen, *search.pasted(atlas, _codes(content, name))})
    if suffix in DRAWN:
        ring = search.ring(_corners(_text(content)))
        return keep(settings, search.drawn(atlas, ring), ring)
    allowed = ", ".join((*LISTS, *DRAWN, *PACKED))
    raise Refusal(422, "This kind of file is not read.", f"Allowed: {allowed}.", "file")


def unpacked(content: bytes) -> tuple[str, bytes]:
    """Return the suffix and the bytes of the one list or shape in a zip.

    What the zip says of its size is not believed: its list of members is measured before it is
    read, and the bytes are counted as they unpack.

    Raises
    ------
    Refusal
        422: no zip; several files; over `UPLOAD_TEXT_BYTES`.
    """
    at, allowed = content.rfind(_END_OF_ZIP), ", ".join((*LISTS, *DRAWN))
    members, size = (int.from_bytes(content[at + i : at + j], "little") for i, j in _COUNTS)
    if at < 0 or members != 1 or size > _MOST_LISTED:
        what = f"The zip holds {members:,} files." if at >= 0 else "The file is not a zip."
        raise Refusal(422, what, f"Pack one file: {allowed}.", "file")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            (member,) = packed.infolist()
            known = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            read = packed.open(member).read(limits.UPLOAD_TEXT_BYTES + 1) if known else b""
    except Exception:  # a damaged zip has a dozen errors of its own
        known = False
    suffix = PurePath(member.filename).suffix.lower() if known else ""
    if suffix not in (*LISTS, *DRAWN):
        fix = f"Pack one file ({allowed}) as an ordinary zip without a password."
        raise Refusal(422, "The zip cannot be read.", fix, "file")
    return suffix, read


def _measured(content: bytes) -> bytes:
    """Return a file whose bytes and lines are within the limits."""
    most, lines = limits.UPLOAD_TEXT_BYTES, limits.UPLOAD_LINES
    if len(content) > most or content.count(b"\n") + content.count(b"\r") > lines:
        what = f"The file holds more than {most // limits.MIB} MiB or {lines:,} lines."
        raise Refusal(422, what, "Leave out what is not your neighbourhood's.", "file")
    return content


def _text(content: bytes) -> str:
    """Return the text of a file; its bytes and lines are counted before anything is read of it."""
    content = _measured(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(422, "The file is not UTF-8 text.", "Save it as UTF-8.", "file") from error


def _codes(content: bytes, name: str) -> str:
    """Return the codes of a list, read as a study's: its column of codes, else its first."""
    try:
        rows = text_rows(_measured(content), PurePath(PurePath(name).name), COLUMNS).rows
    except DataError as error:
        fault = error.problems[0]
        what = f"{fault.what[0].upper()}{fault.what[1:]}"
        where = f" ({fault.where.rpartition(', ')[2]})" if ", line" in fault.where else ""
        raise Refusal(422, f"{what.rstrip('.')}{where}.", fault.fix, "file") from error
    head = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    column = next((head.index(c) for c in COLUMNS if c in head), None)
    width = len(rows[0][1]) if rows else 0
    ragged = [line for line, row in rows if len(row) < width or any(row[width:])]
    if column is not None and ragged:
        fix = f"Every row needs {width} fields."
        raise Refusal(422, f"Line {ragged[0]} has too few or too many fields.", fix, "file")
    body = rows if column is None else rows[1:]
    return "\n".join(plain_code(row[column or 0]) for _, row in body)


def _corners(text: str) -> str:
    """Return the ring of the one polygon in a GeoJSON text, as JSON.

    Raises
    ------
    Refusal
        422: not GeoJSON, several shapes or parts, holes.
    """
    try:
        found = json.loads(text)
        if found["type"] == "FeatureCollection":
            (found,) = found["features"]
        if found["type"] == "Feature":
            found = found["geometry"]
        depth = {"Polygon": 1, "MultiPolygon": 2}[found["type"]]
        ring = found["coordinates"]
        for _ in range(depth):
            (ring,) = ring
        return json.dumps([[x, y] for x, y, *_ in ring])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refusal(
            422,
            "The file is not one polygon of GeoJSON in one part without holes.",
            "Save one shape, in longitude and latitude.",
            "file",
        ) from error
