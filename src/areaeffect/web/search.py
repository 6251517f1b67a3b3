"""Finding places: by postcode, code or words of a name, in a pasted list, or inside a drawn shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache

import numpy as np

from areaeffect.compare.question import LONGEST_NAME
from areaeffect.web import limits
from areaeffect.web.atlas import Atlas
from areaeffect.web.limits import Refusal
from areaeffect.wording.numbers import PHRASES, phrase

_MOST = 40
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}")
_BEGINS_ONE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?(\s*\d[A-Z]?)?")
_KINDS = {"authority": "Council area", "ward": "Ward", "area": "Area"}
#: How alike a word must be to be taken for another (`difflib`): one letter of five may be wrong.
_ALIKE = 0.75

Ring = tuple[tuple[float, float], ...]


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
