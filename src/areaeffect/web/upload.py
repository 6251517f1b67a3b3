"""An uploaded file of areas: a list of codes, one drawn shape, or a zip that holds one of these."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from areaeffect.web import choosing, limits
from areaeffect.web.refusals import Refusal
from areaeffect.web.selection import keep

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from areaeffect.web.atlas import Atlas
    from areaeffect.web.selection import Selection
    from areaeffect.web.settings import Settings

LISTS, DRAWN, PACKED = (".csv", ".txt"), (".geojson", ".json"), (".zip",)
COLUMNS = ("area_code", "lsoa21cd", "lsoa11cd", "lsoa21_code", "lsoa11_code", "postcode", "code")
BLOCK = 64 * limits.KIB


def keep_uploaded(
    settings: Settings, atlas: Atlas, chosen: Iterable[str], name: str, file: BinaryIO
) -> Selection:
    """Return the selection after an upload: codes are added, a shape takes the place of all.

    Raises
    ------
    Refusal
        422: another kind of file, one that cannot be read, or a limit.
    """
    suffix = PurePath(name).suffix.lower()
    content = file.read(limits.UPLOAD_BYTES)
    if suffix in PACKED:
        suffix, content = unpacked(content)
    if suffix in LISTS:
        return keep(settings, {*chosen, *choosing.pasted(atlas, _codes(_text(content)))})
    if suffix in DRAWN:
        ring = choosing.ring(json.dumps(_corners(_text(content))))
        return keep(settings, choosing.drawn(atlas, ring), ring)
    allowed = ", ".join((*LISTS, *DRAWN, *PACKED))
    raise Refusal(422, "This kind of file is not read.", f"Allowed: {allowed}.", "file")


def unpacked(content: bytes) -> tuple[str, bytes]:
    """Return the suffix and the bytes of the one list or shape in a zip.

    What the zip says of its size is not believed: the bytes are counted as they come.

    Raises
    ------
    Refusal
        422: no zip; several files; over `ZIP_UNPACKED_BYTES` or `ZIP_RATIO`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            members = [m for m in packed.infolist() if not m.is_dir()]
            wanted = [m for m in members if PurePath(m.filename).suffix in (*LISTS, *DRAWN)]
            if len(wanted) != 1 or len(members) != 1:
                raise Refusal(
                    422,
                    f"The zip holds {len(members)} files.",
                    f"Pack one file: {', '.join((*LISTS, *DRAWN))}.",
                    "file",
                )
            most = min(limits.ZIP_UNPACKED_BYTES, limits.ZIP_RATIO * max(1, len(content)))
            read = bytearray()
            with packed.open(wanted[0]) as member:
                while block := member.read(BLOCK):
                    read += block
                    if len(read) > most:
                        raise Refusal(
                            422,
                            "The zip unpacks to more than is read.",
                            f"At most {limits.ZIP_UNPACKED_BYTES // 10**6} MB, and "
                            f"{limits.ZIP_RATIO} times its own size.",
                            "file",
                        )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Refusal(
            422, "The zip cannot be read.", "Pack it again, without a password.", "file"
        ) from error
    if len(read) > limits.UPLOAD_BYTES:
        raise Refusal(
            422,
            f"The file inside is larger than {limits.UPLOAD_BYTES // limits.MIB} MiB.",
            "Leave out what is not your neighbourhood's.",
            "file",
        )
    return PurePath(wanted[0].filename).suffix, bytes(read)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(422, "The file is not UTF-8 text.", "Save it as UTF-8.", "file") from error


def _codes(text: str) -> str:
    """Return the codes of a list: its column of codes where it has one, else its first."""
    try:
        rows = list(csv.reader(text.splitlines()))
    except csv.Error as error:
        raise Refusal(422, "The list cannot be read.", "Save it as CSV.", "file") from error
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = next((head.index(c) for c in COLUMNS if c in head), None)
    body = rows if column is None else rows[1:]
    return "\n".join(row[column or 0] for row in body if len(row) > (column or 0))


def _corners(text: str) -> list[Any]:
    """Return the ring of the one polygon in a GeoJSON text.

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
        return [[x, y] for x, y, *_ in ring]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refusal(
            422,
            "The file is not one polygon of GeoJSON in one part without holes.",
            "Save one shape, in longitude and latitude.",
            "file",
        ) from error
