"""The state of a page as its address says it, the areas a person chose, and how they are found.

Areas are in the address, or under a short name where they are many or drawn: the SHA-256 of what it
holds, so the same areas have the same name and nothing can be overwritten.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from areaeffect.compare.question import LONGEST_NAME
from areaeffect.errors import did_you_mean
from areaeffect.records import Json
from areaeffect.web import limits
from areaeffect.web.atlas import Atlas
from areaeffect.web.limits import Refusal, ServerSettings
from areaeffect.wording.numbers import PHRASES, phrase

_FOLDER = "sets"
Ring = tuple[tuple[float, float], ...]
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
    layer: str = word(_KEY, "the name of a layer")
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
    shape: Ring = ()  # the ring that was drawn; empty where none was.


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
        raise Refusal(
            404,
            "This selection is not kept on this server.",
            "It may be from another server, or too old: choose its areas again.",
            "set",
        ) from None
    atlas.require(kept["codes"])
    return Selection(tuple(kept["codes"]), (), view.set, tuple((x, y) for x, y in kept.get("shape", ())))


def keep(settings: ServerSettings, codes: Iterable[str], ring: Ring = ()) -> Selection:
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


_MOST = 40
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}")
_BEGINS_ONE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?(\s*\d[A-Z]?)?")
_KINDS = {"authority": "Council area", "ward": "Ward", "area": "Area"}
#: How alike a word must be to be taken for another (`difflib`): one letter of five may be wrong.
_ALIKE = 0.75


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """Something with a name on the map."""

    kind: str  # 'area', 'ward' or 'authority'
    name: str
    within: str  # the larger place it lies in; '' where there is none.
    positions: tuple[int, ...]  # its areas, as positions in the atlas
    words: str  # its name as it is searched

    @property
    def title(self) -> str:
        """What kind of place it is, in print."""
        return _KINDS[self.kind]

    @property
    def key(self) -> str:
        """Its name in a form, the same in every atlas that has it."""
        return f"{self.kind}|{self.name}|{self.within}"


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found."""

    places: tuple[NamedPlace, ...] = ()  # best first, at most `_MOST`
    more: int = 0  # how many further places match
    hint: str = ""  # what to try where nothing is found, or what the search could not do


def search(atlas: Atlas, text: str) -> SearchResult:
    """Find places by a postcode, a code, or words that their names begin with.

    Where nothing is found, words that nothing here begins with are taken for those most alike.
    """
    asked = text.strip()
    if not asked:
        return SearchResult()
    if _POSTCODE.fullmatch(asked.upper()):
        return _by_postcode(atlas, asked.upper())
    words = _plain(asked).split()
    if not words:
        return SearchResult(hint=PHRASES["find.empty"])
    found = _by_words(atlas, words)
    if found.places:
        return found
    if atlas.has_postcodes and _BEGINS_ONE.fullmatch(asked.upper()):
        return SearchResult(hint=phrase("find.part_of_postcode", asked=asked))
    known = _vocabulary(atlas)
    meant = [
        word
        if any(k.startswith(word) for k in known)
        else (get_close_matches(word, known, 1, _ALIKE) or [word])[0]
        for word in words
    ]
    found = _by_words(atlas, meant)
    hint = phrase("find.like_it", asked=asked) if found.places else PHRASES["find.nothing"]
    return replace(found, hint=hint)


def _by_words(atlas: Atlas, words: list[str]) -> SearchResult:
    whole, order = " ".join(words), list(_KINDS)

    def rank(place: NamedPlace) -> tuple[bool, bool, int, str, str]:
        name = _plain(place.name)
        return name != whole, not name.startswith(whole), order.index(place.kind), place.name, place.within

    hits = sorted((p for p in places(atlas) if all(f" {w}" in p.words for w in words)), key=rank)
    return SearchResult(tuple(hits[:_MOST]), max(0, len(hits) - _MOST))


def _by_postcode(atlas: Atlas, postcode: str) -> SearchResult:
    """Find the area that a postcode lies in, and the ward around it."""
    if not atlas.has_postcodes:
        return SearchResult(hint=PHRASES["find.no_postcodes"])
    position = atlas.of_postcode(postcode)
    if position is None:
        return SearchResult(hint=phrase("find.unknown_postcode", postcode=postcode))
    key = "|".join(["ward", *(str(atlas.table[k][position]) for k in ("ward", "authority"))])
    if (ward := _by_key(atlas).get(key)) is None:
        return SearchResult((places(atlas)[position],))
    return SearchResult((places(atlas)[position], ward), hint=phrase("find.postcode", postcode=postcode))


@lru_cache(maxsize=8)
def places(atlas: Atlas) -> tuple[NamedPlace, ...]:
    """Return every place of an atlas, its areas first and in their order."""
    table = atlas.table
    made = []
    for i, (name, code) in enumerate(zip(table["name"], table["code"], strict=True)):
        within = ", ".join(str(table[k][i]) for k in ("ward", "authority") if table[k][i])
        made.append(NamedPlace("area", str(name), within, (i,), f" {_plain(name)} {code.lower()}"))
    for kind, outer in (("ward", "authority"), ("authority", "region")):
        members: dict[tuple[str, str], list[int]] = {}
        for i, pair in enumerate(zip(table[kind], table[outer], strict=True)):
            if pair[0]:
                members.setdefault((str(pair[0]), str(pair[1])), []).append(i)
        for (name, around), positions in members.items():
            words = f" {_plain(f'{name} {around}' if kind == 'ward' else name)}"
            made.append(NamedPlace(kind, name, around, tuple(positions), words))
    return tuple(made)


@lru_cache(maxsize=8)
def _vocabulary(atlas: Atlas) -> tuple[str, ...]:
    """Return every word of a name, without numbers."""
    return tuple(sorted({w for p in places(atlas) for w in p.words.split() if w.isalpha()}))


@lru_cache(maxsize=8)
def _by_key(atlas: Atlas) -> dict[str, NamedPlace]:
    return {p.key: p for p in places(atlas) if p.kind != "area"}


def _plain(text: str) -> str:
    """Return words as they are searched: lower case, without punctuation."""
    lower = text.lower().replace("'", "").replace("’", "")
    return " ".join(re.sub(r"[^a-z0-9à-ÿ]+", " ", lower).split())


def name_of(atlas: Atlas, codes: Sequence[str]) -> str:
    """Return a name for some areas: the ward or council that they are, or how many lie in it.

    A ward gives its name where it holds all of the areas, whether or not all of it is chosen; a
    council only where all of it is chosen.
    """
    table, areas = atlas.table, [atlas.position[code] for code in codes]
    if len(areas) == 1:
        return str(table["name"][areas[0]])[:LONGEST_NAME]
    wards = sorted({(str(table["ward"][i]), str(table["authority"][i])) for i in areas})
    councils = sorted({authority for _, authority in wards} - {""})
    if len(wards) == 1 and wards[0][0]:
        name = wards[0][0]
    elif len(councils) == 1 and (table["authority"] == councils[0]).sum() == len(areas):
        name = councils[0]
    else:
        name = f"{len(areas)} areas" if areas else ""
        name += f" in {' and '.join(councils[:2])}" if councils else ""
        name += f" and {len(councils) - 2} more" if councils[2:] else ""
    return name[:LONGEST_NAME]


def codes(atlas: Atlas, positions: Iterable[int]) -> set[str]:
    """Return the codes of the areas at some positions."""
    return {str(atlas.table["code"][i]) for i in positions}


def of_key(atlas: Atlas, key: str) -> set[str]:
    """Return the areas that a button means: one code, or all of a ward or council area."""
    if (place := _by_key(atlas).get(key)) is not None:
        return codes(atlas, place.positions)
    atlas.require([key])
    return {key}


def pasted(atlas: Atlas, text: str) -> set[str]:
    """Return the areas of pasted codes and postcodes; refuse where one of them is neither."""
    if len(text) > limits.PASTED_LETTERS:
        raise Refusal(422, f"{len(text):,} letters are too many.", "Paste a shorter list.", "codes")
    given = [t.strip() for t in re.split(r"[,;\t\r\n\"]+", text) if t.strip()]
    if len(given) == 1 and atlas.of_postcode(given[0]) is None:
        given = given[0].split()
    if len(given) > limits.PASTED_CODES:
        fix = f"Paste at most {limits.PASTED_CODES:,}."
        raise Refusal(422, f"{len(given):,} codes are too many.", fix, "codes")
    found: set[str] = set()
    unknown = []
    for item in given:
        named = [atlas.position.get(item.upper()), atlas.position.get(item), atlas.of_postcode(item)]
        known = [position for position in named if position is not None]
        found |= codes(atlas, known[:1])
        unknown += [] if known else [item[:20]]
    if unknown or not found:
        some = ", ".join(unknown[:3]) or "an empty list"
        raise Refusal(
            422,
            f"{len(unknown)} of {len(given)} are not codes of this atlas: {some}. Nothing was added.",
            "Codes of another census name other areas. Take them out, or choose another atlas.",
            "codes",
        )
    return found


def drawn(atlas: Atlas, text: str) -> tuple[set[str], Ring]:
    """Return the areas whose middle lies inside a drawn ring, and the ring.

    Refused where it is no ring of few corners or holds no area, and where it crosses itself: to repair it
    would be a guess.
    """
    import shapely

    try:
        ring = tuple((float(x), float(y)) for x, y in json.loads(text))
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Refusal(
            422, "This is not one closed outline.", "Draw one shape, in one part.", "shape"
        ) from None
    most = limits.POLYGON_VERTICES
    if len(ring) > most + 1:
        raise Refusal(422, f"The shape has {len(ring)} corners.", f"Draw it with at most {most}.", "shape")
    if not all(abs(x) <= 180 and abs(y) <= 90 for x, y in ring):  # noqa: PLR2004  # degrees
        raise Refusal(
            422, "The shape has coordinates that are not degrees.", "Give longitude, latitude.", "shape"
        )
    if len(set(ring)) < 3:  # noqa: PLR2004  # a triangle
        raise Refusal(422, "The shape is not an area.", "Draw at least three corners.", "shape")
    shape = shapely.Polygon(ring)
    if not shape.is_valid:
        _, _, at = str(shapely.is_valid_reason(shape)).partition("[")
        raise Refusal(
            422,
            f"The shape crosses itself at {', '.join(at.rstrip(']').split())}." if at else "It is no area.",
            "Draw it again there; the program does not repair it: that would be a guess.",
            "shape",
        )
    if "lon" not in atlas.table:
        raise Refusal(422, "This atlas has no map to draw on.", "Search by name.", "shape")
    shapely.prepare(shape)
    inside = np.flatnonzero(shapely.contains_xy(shape, atlas.table["lon"], atlas.table["lat"]))
    if not len(inside):
        raise Refusal(
            422, "No area has its middle inside the shape.", "Draw it larger, or click the area.", "shape"
        )
    return codes(atlas, inside), ring
