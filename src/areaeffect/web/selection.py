"""The areas a person chose: in the address, or under a short name where they are many or drawn.

A kept selection is named by the SHA-256 of what it holds, so the same areas have the same name
and nothing can be overwritten.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import quote

from areaeffect.errors import DataError, did_you_mean
from areaeffect.records import Json
from areaeffect.tables.cells import plain_code
from areaeffect.tables.text_rows import text_rows
from areaeffect.web import limits, search
from areaeffect.web.limits import Refusal, ServerSettings, short

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from areaeffect.web.atlas import Atlas

FOLDER = "sets"


@dataclass(frozen=True, slots=True)
class Selection:
    """Areas chosen."""

    codes: tuple[str, ...] = ()  # ascending
    #: areas, set: what an address says of them; one of the two is empty.
    areas: tuple[str, ...] = ()
    set: str = ""
    #: the ring that was drawn, (longitude, latitude) pairs; empty where none was.
    shape: tuple[tuple[float, float], ...] = ()


def selected(settings: ServerSettings, atlas: Atlas, view: View) -> Selection:
    """Return the areas that an address names.

    Raises
    ------
    Refusal
        404: an area or a kept selection that is not here. 400: both are named.
    """
    if view.set and view.areas:
        raise Refusal(400, "An address names areas or a kept selection, not both.", where="set")
    if not view.set:
        atlas.require(view.areas)
        return Selection(view.areas, view.areas)
    try:
        kept = json.loads((settings.work / FOLDER / f"{view.set}.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise Refusal(
            404,
            "This selection is not kept on this server.",
            "It may be from another server, or too old: choose its areas again.",
            "set",
        ) from None
    codes = tuple(kept["codes"])
    atlas.require(codes)
    return Selection(codes, (), view.set, tuple((x, y) for x, y in kept.get("shape", ())))


def keep(
    settings: ServerSettings, codes: Iterable[str], shape: Iterable[tuple[float, float]] = ()
) -> Selection:
    """Return a selection as an address can say it, kept on the server where it must be.

    Raises
    ------
    Refusal
        422: too many areas. 403: too many for an address on a server that keeps nothing.
    """
    found, ring = tuple(sorted(set(codes))), tuple(shape)
    if len(found) > limits.SELECTED_AREAS:
        raise Refusal(
            422, f"{len(found):,} areas are too many at once.", f"Choose at most {limits.SELECTED_AREAS:,}."
        )
    if len(found) <= limits.URL_AREAS and not ring:
        return Selection(found, found)
    if settings.read_only:
        raise Refusal(
            403,
            f"This server keeps nothing, and an address holds at most {limits.URL_AREAS} areas.",
            "Choose fewer areas, or run areaeffect on your own machine.",
        )
    content: Json = {"codes": found}
    if ring:
        content["shape"] = [[round(x, 6), round(y, 6)] for x, y in ring]
    text = json.dumps(content, sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:12]
    folder = settings.work / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    if not path.is_file():
        _make_room(settings)
        aside = path.with_suffix(".aside")
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    return Selection(found, (), name, ring)


def _make_room(settings: ServerSettings) -> None:
    """Let the oldest kept selections go where there are too many."""
    kept = list((settings.work / FOLDER).glob("*.json"))
    if len(kept) >= limits.KEPT_SETS:
        for path in sorted(kept, key=lambda p: p.stat().st_mtime)[: limits.KEPT_SETS // 10]:
            path.unlink(missing_ok=True)


State = TypeVar("State", bound="DataclassInstance")

CODE = r"[A-Za-z0-9_.\-]{1,40}"
KEY = r"[a-z0-9][a-z0-9_\-]{0,59}"


def word(pattern: str, default: str = "", describe: str = "") -> Any:
    """One value that matches a pattern entirely; `describe` says what is allowed."""
    return field(default=default, metadata={"pattern": pattern, "describe": describe, "many": 0})


def words(pattern: str, most: int, describe: str = "") -> Any:
    """Up to `most` values between commas, sorted and each once."""
    return field(default=(), metadata={"pattern": pattern, "describe": describe, "many": most})


def choice(*allowed: str) -> Any:
    """One of a few words; the first is the default."""
    pattern = "|".join(re.escape(a) for a in allowed)
    return word(pattern, allowed[0], f"one of {', '.join(a or '(nothing)' for a in allowed)}")


@dataclass(frozen=True, slots=True)
class View:
    """What every page about a place shares."""

    base: str = word(KEY, "", "the name of an atlas")  # name of the atlas; empty: the first there is.
    layer: str = word(KEY, "", "the name of a layer of the map")  # what the map is shaded by
    #: of that layer; empty: its latest.
    period: str = word(r"[0-9A-Za-z\-]{1,10}", "", "a period of that layer")
    areas: tuple[str, ...] = words(CODE, limits.URL_AREAS, "area codes between commas")  # codes selected
    #: short name of a kept selection, drawn or long, instead of `areas`
    set: str = word(r"[0-9a-f]{12}", "", "the name of a kept selection")


@dataclass(frozen=True, slots=True)
class NoState:
    """A page that is the same for every query, so that it takes none."""


def parse(kind: type[State], query: Iterable[tuple[str, str]]) -> State:
    """Read a state from the pairs of a query.

    Raises
    ------
    Refusal
        400: a parameter is not known, is given twice, or has a value that is not allowed.
    """
    known = {f.name: f for f in fields(kind)}
    found: Json = {}
    for name, value in query:
        if name not in known:
            fix = did_you_mean(name, known) or f"The parameters of this page: {', '.join(known) or 'none'}."
            raise Refusal(400, f"'{short(name)[:40]}' is not a parameter of this page.", fix)
        if name in found:
            raise Refusal(400, f"'{name}' is given more than once.", "Give it once.", name)
        if not value:  # an empty field of a form says nothing
            continue
        rule = known[name].metadata
        found[name] = _values(name, value, rule) if rule["many"] else _value(name, value, rule)
    return kind(**found)


def _value(name: str, value: str, rule: Any) -> str:
    if not re.fullmatch(rule["pattern"], value):
        raise Refusal(400, f"'{value[:40]}' is not allowed here.", f"Allowed: {rule['describe']}.", name)
    return value


def _values(name: str, value: str, rule: Any) -> tuple[str, ...]:
    given = [v for v in value.split(",") if v]
    if len(given) > rule["many"]:
        raise Refusal(422, f"{len(given)} values are too many.", f"At most {rule['many']}.", name)
    return tuple(sorted({_value(name, v, rule) for v in given}))


def query(state: Any, **changes: Any) -> str:
    """Print a state as a query, with `?` in front; empty where all is at its default.

    Parameters
    ----------
    state : an instance of a page's state.
    changes : fields that shall be different.
    """
    pairs = []
    for f in fields(state):
        value = changes.get(f.name, getattr(state, f.name))
        if value != f.default:
            text = ",".join(sorted(value)) if isinstance(value, tuple | list) else str(value)
            pairs.append(f"{f.name}={quote(text, safe=',-_.~')}")
    return "?" + "&".join(pairs) if pairs else ""


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
        ring = search.ring(_corners(_text_of(content)))
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


def _text_of(content: bytes) -> str:
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
