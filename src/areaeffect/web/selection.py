"""The areas a person chose: in the address, or under a short name where they are many or drawn.

A kept selection is named by the SHA-256 of what it holds, so the same areas have the same name
and nothing can be overwritten.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from areaeffect.errors import did_you_mean
from areaeffect.records import Json
from areaeffect.web import limits
from areaeffect.web.limits import Refusal, short

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from areaeffect.web.atlas import Atlas
    from areaeffect.web.settings import ServerSettings

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
