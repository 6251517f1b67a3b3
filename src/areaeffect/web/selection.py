"""The state of a page as its address says it, and the areas a person chose.

Areas are in the address, or under a short name where they are many or drawn: the SHA-256 of what it
holds, so the same areas have the same name and nothing can be overwritten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from areaeffect.errors import DataError, did_you_mean
from areaeffect.records import Json
from areaeffect.tables.cells import plain_code
from areaeffect.tables.text_rows import text_rows
from areaeffect.web import limits, search
from areaeffect.web.limits import Refusal, ServerSettings

if TYPE_CHECKING:
    from areaeffect.web.atlas import Atlas

_FOLDER = "sets"
_KEY = r"[a-z0-9][a-z0-9_\-]{0,59}"


def word(pattern: str, allowed: str, default: str = "") -> Any:
    """One value that matches a pattern entirely; `allowed` says what that means."""
    return Field(default, pattern=f"^(?:{pattern})?$", description=allowed)


def choice(*allowed: str) -> Any:
    """One of a few words; the first is the default."""
    return word("|".join(allowed), f"one of {', '.join(allowed)}", allowed[0])


class NoState(BaseModel):
    """A page that is the same for every query, so that it takes none."""

    model_config = ConfigDict(frozen=True)


class View(NoState):
    """What every page about a place shares."""

    base: str = word(_KEY, "the name of an atlas")  # empty: the first there is.
    layer: str = word(_KEY, "the name of a layer of the map")
    period: str = word(r"[0-9A-Za-z\-]{1,10}", "a period of that layer")  # empty: its latest.
    areas: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,40}$")], ...],
        BeforeValidator(lambda v: sorted({c for c in v.split(",") if c}) if isinstance(v, str) else v),
    ] = Field((), max_length=limits.URL_AREAS, description="area codes between commas")
    set: str = word(r"[0-9a-f]{12}", "the name of a kept selection")  # drawn or long, instead of `areas`


State = TypeVar("State", bound=NoState)


def parse(kind: type[State], query: Iterable[tuple[str, str]]) -> State:
    """Read a state from the pairs of a query; refused where one is not known, repeated or not allowed."""
    known, found = kind.model_fields, {}
    for name, value in query:
        if name not in known:
            fix = did_you_mean(name, known) or f"The parameters of this page: {', '.join(known) or 'none'}."
            raise Refusal(400, f"'{name[:40]}' is not a parameter of this page.", fix)
        if name in found:
            raise Refusal(400, f"'{name}' is given more than once.", "Give it once.", name)
        if value:  # an empty field of a form says nothing
            found[name] = value
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0])
        if fault["type"] == "too_long":
            fix = f"At most {limits.URL_AREAS}."
            raise Refusal(422, f"{len(fault['input'])} values are too many.", fix, name) from None
        what = f"'{str(fault['input'])[:40]}' is not allowed here."
        raise Refusal(400, what, f"Allowed: {known[name].description}.", name) from None


def query(state: NoState, **changes: Any) -> str:
    """Print a state, some of its fields changed, as a query with `?` in front; empty at its defaults."""
    pairs = []
    for name, field in type(state).model_fields.items():
        value = changes.get(name, getattr(state, name))
        if value and value != field.default:
            text = value if isinstance(value, str) else ",".join(sorted(value))
            pairs.append(f"{name}={quote(text, safe=',-_.~')}")
    return "?" + "&".join(pairs) if pairs else ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Areas chosen."""

    codes: tuple[str, ...] = ()  # ascending
    #: areas, set: what an address says of them; one of the two is empty.
    areas: tuple[str, ...] = ()
    set: str = ""
    shape: search.Ring = ()  # the ring that was drawn; empty where none was.


def selected(settings: ServerSettings, atlas: Atlas, view: View) -> Selection:
    """Return the areas that an address names; refused where one, or a kept selection, is not here."""
    if view.set and view.areas:
        raise Refusal(400, "An address names areas or a kept selection, not both.", where="set")
    if not view.set:
        atlas.require(view.areas)
        return Selection(view.areas, view.areas)
    try:
        kept = json.loads((settings.work / _FOLDER / f"{view.set}.json").read_text("utf-8"))
    except (OSError, ValueError):
        fix = "It may be from another server, or too old: choose its areas again."
        raise Refusal(404, "This selection is not kept on this server.", fix, "set") from None
    atlas.require(kept["codes"])
    return Selection(tuple(kept["codes"]), (), view.set, tuple((x, y) for x, y in kept.get("shape", ())))


def keep(settings: ServerSettings, codes: Iterable[str], ring: search.Ring = ()) -> Selection:
    """Return a selection as an address can say it, kept on the server where it must be.

    Refused where there are too many areas, or too many for an address on a server that keeps nothing.
    """
    found = tuple(sorted(set(codes)))
    if len(found) > limits.SELECTED_AREAS:
        fix = f"Choose at most {limits.SELECTED_AREAS:,}."
        raise Refusal(422, f"{len(found):,} areas are too many at once.", fix)
    if len(found) <= limits.URL_AREAS and not ring:
        return Selection(found, found)
    if settings.read_only:
        what = f"This server keeps nothing, and an address holds at most {limits.URL_AREAS} areas."
        raise Refusal(403, what, "Choose fewer areas, or run areaeffect on your own machine.")
    content: Json = {"codes": found}
    if ring:
        content["shape"] = [[round(x, 6), round(y, 6)] for x, y in ring]
    text = json.dumps(content, sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:12]
    path = settings.work / _FOLDER / f"{name}.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = sorted(path.parent.glob("*.json"), key=lambda p: p.stat().st_mtime)
        for oldest in kept[: limits.KEPT_SETS // 10] if len(kept) >= limits.KEPT_SETS else ():
            oldest.unlink(missing_ok=True)
        aside = path.with_suffix(".aside")
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    return Selection(found, (), name, ring)


_LISTS, _DRAWN = (".csv", ".txt"), (".geojson", ".json")
_COLUMNS = ("area_code", "lsoa21cd", "lsoa11cd", "lsoa21_code", "lsoa11_code", "postcode", "code")


def keep_uploaded(
    settings: ServerSettings, atlas: Atlas, chosen: Iterable[str], name: str, file: BinaryIO
) -> Selection:
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
        return keep(settings, {*chosen, *search.pasted(atlas, _codes(content, name))})
    return keep(settings, *search.drawn(atlas, _corners(content)))


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
