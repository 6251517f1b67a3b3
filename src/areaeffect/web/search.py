"""Finding places: by postcode, code or words of a name, by a shape, by distance."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice, product

import numpy as np

from areaeffect.compare.question import LONGEST_NAME
from areaeffect.errors import StudyError
from areaeffect.results import Floats, Ints
from areaeffect.web import limits
from areaeffect.web.atlas import Atlas
from areaeffect.web.limits import Refusal
from areaeffect.wording.numbers import PHRASES, phrase

MOST = 40
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}")
_BEGINS_ONE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?(\s*\d[A-Z]?)?")
_KINDS = {"authority": "Council area", "ward": "Ward", "area": "Area"}
#: How alike a word must be to be taken for another (`difflib`): one letter of five may be wrong.
_ALIKE, _MOST_ALIKE, _MOST_SPELLINGS = 0.75, 3, 12


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """Something with a name on the map."""

    kind: str  # 'area', 'ward' or 'authority'
    name: str  # its name
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

    places: tuple[NamedPlace, ...]  # best first, at most `MOST`
    more: int = 0  # how many further places match
    hint: str = ""  # what to try where nothing is found, or what the search could not do


def search(atlas: Atlas, text: str) -> SearchResult:
    """Find places by a postcode, a code, or words that their names begin with.

    Where nothing is found, words that nothing here begins with are taken for those most alike.
    """
    asked = text.strip()
    if not asked:
        return SearchResult(())
    if _POSTCODE.fullmatch(asked.upper()):
        return _by_postcode(atlas, asked)
    words = plain(asked).split()
    if not words:
        return SearchResult((), hint=PHRASES["find.empty"])
    found = _by_words(atlas, words)
    if found.places:
        return found
    if atlas.has_postcodes and _BEGINS_ONE.fullmatch(asked.upper()):
        return SearchResult((), hint=phrase("find.part_of_postcode", asked=asked))
    for spelling in _spellings(atlas, words):
        found = _by_words(atlas, list(spelling))
        if found.places:
            return replace(found, hint=phrase("find.like_it", asked=asked))
    return SearchResult((), hint=PHRASES["find.nothing"])


def _spellings(atlas: Atlas, words: list[str]) -> Iterator[tuple[str, ...]]:
    """Return the words as they may have been meant, the most alike first."""
    known = _vocabulary(atlas)
    meant = [
        [word]
        if any(k.startswith(word) for k in known)
        else get_close_matches(word, known, _MOST_ALIKE, _ALIKE) or [word]
        for word in words
    ]
    return islice(product(*meant), _MOST_SPELLINGS)


@lru_cache(maxsize=8)
def _vocabulary(atlas: Atlas) -> tuple[str, ...]:
    """Return every word of a name, without numbers."""
    return tuple(sorted({w for p in places(atlas) for w in p.words.split() if w.isalpha()}))


def _by_words(atlas: Atlas, words: list[str]) -> SearchResult:
    whole, order = " ".join(words), list(_KINDS)

    def rank(place: NamedPlace) -> tuple[bool, bool, int, str, str]:
        name = plain(place.name)
        kind = order.index(place.kind)
        return name != whole, not name.startswith(whole), kind, place.name, place.within

    hits = sorted((p for p in places(atlas) if all(f" {w}" in p.words for w in words)), key=rank)
    return SearchResult(tuple(hits[:MOST]), max(0, len(hits) - MOST))


def _by_postcode(atlas: Atlas, text: str) -> SearchResult:
    """Find the area that a postcode lies in, and the ward around it."""
    if not atlas.has_postcodes:
        return SearchResult((), hint=PHRASES["find.no_postcodes"])
    position = atlas.of_postcode(text)
    if position is None:
        return SearchResult((), hint=phrase("find.unknown_postcode", postcode=text.upper()))
    ward = find_key(atlas, "ward|" + "|".join(str(atlas.table[k][position]) for k in ("ward", "authority")))
    if ward is None:
        return SearchResult((_area(atlas, position),))
    return SearchResult((_area(atlas, position), ward), hint=phrase("find.postcode", postcode=text.upper()))


def find_key(atlas: Atlas, key: str) -> NamedPlace | None:
    """Return a ward or council area by its key; None where there is none."""
    return _by_key(atlas).get(key)


@lru_cache(maxsize=8)
def places(atlas: Atlas) -> tuple[NamedPlace, ...]:
    """Return every place of an atlas."""
    table = atlas.table
    made = [_area(atlas, i) for i in range(len(table["code"]))]
    for kind, outer in (("ward", "authority"), ("authority", "region")):
        members: dict[tuple[str, str], list[int]] = {}
        for i, pair in enumerate(zip(table[kind], table[outer], strict=True)):
            if pair[0]:
                members.setdefault((str(pair[0]), str(pair[1])), []).append(i)
        for (name, outer_name), positions in members.items():
            words = f" {plain(f'{name} {outer_name}' if kind == 'ward' else name)}"
            made.append(NamedPlace(kind, name, outer_name, tuple(positions), words))
    return tuple(made)


@lru_cache(maxsize=8)
def _by_key(atlas: Atlas) -> dict[str, NamedPlace]:
    return {p.key: p for p in places(atlas) if p.kind != "area"}


def _area(atlas: Atlas, i: int) -> NamedPlace:
    table = atlas.table
    name, code = str(table["name"][i]), str(table["code"][i])
    within = ", ".join(str(table[k][i]) for k in ("ward", "authority") if table[k][i])
    return NamedPlace("area", name, within, (i,), f" {plain(name)} {code.lower()}")


def plain(text: str) -> str:
    """Return words as they are searched: lower case, without punctuation."""
    lower = text.lower().replace("'", "").replace("’", "")
    return " ".join(re.sub(r"[^a-z0-9à-ÿ]+", " ", lower).split())


def name_of(atlas: Atlas, codes: Sequence[str]) -> str:
    """Return a name for some areas: the ward or council that they are, or how many lie in it.

    A ward gives its name where it holds all of the areas, whether or not all of it is chosen; a
    council only where all of it is chosen.
    """
    table, areas = atlas.table, [atlas.position[code] for code in codes]
    if not areas:
        return ""
    if len(areas) == 1:
        return str(table["name"][areas[0]])[:LONGEST_NAME]
    wards = {(str(table["ward"][i]), str(table["authority"][i])) for i in areas}
    councils = sorted({authority for _, authority in wards} - {""})
    if len(wards) == 1 and min(wards)[0]:
        name = min(wards)[0]
    elif len(councils) == 1 and int((table["authority"] == councils[0]).sum()) == len(areas):
        name = councils[0]
    elif not councils:
        name = f"{len(areas)} areas"
    else:
        more = f" and {len(councils) - 2} more" if len(councils) > 2 else ""  # noqa: PLR2004
        name = f"{len(areas)} areas in {' and '.join(councils[:2])}{more}"
    return name[:LONGEST_NAME]


Ring = tuple[tuple[float, float], ...]
LEAST_CORNERS = 3
EAST, NORTH = 180.0, 90.0  # degrees


def codes(atlas: Atlas, positions: Iterable[int]) -> set[str]:
    """Return the codes of the areas at some positions."""
    return {str(atlas.table["code"][i]) for i in positions}


def of_key(atlas: Atlas, key: str) -> set[str]:
    """Return the areas that a button means: one code, or all of a ward or council area."""
    place = find_key(atlas, key)
    if place is not None:
        return codes(atlas, place.positions)
    atlas.require([key])
    return {key}


def pasted(atlas: Atlas, text: str) -> set[str]:
    """Return the areas of pasted codes and postcodes; refuse where one of them is neither."""
    if len(text) > limits.PASTED_LETTERS:
        raise Refusal(422, f"{len(text):,} letters are too many.", "Paste a shorter list.", "codes")
    given = [t for t in re.split(r"[,;\t\r\n\"]+", text) if t.strip()]
    if len(given) == 1 and atlas.of_postcode(given[0]) is None:
        given = given[0].split()
    if len(given) > limits.PASTED_CODES:
        raise Refusal(
            422, f"{len(given):,} codes are too many.", f"Paste at most {limits.PASTED_CODES:,}.", "codes"
        )
    found, unknown = set(), []
    for item in (t.strip() for t in given):
        postcode = atlas.of_postcode(item)
        if item.upper() in atlas.position:
            found.add(item.upper())
        elif item in atlas.position:
            found.add(item)
        elif postcode is not None:
            found |= codes(atlas, [postcode])
        else:
            unknown.append(item)
    if unknown or not found:
        some = ", ".join(u[:20] for u in unknown[:3]) or "an empty list"
        raise Refusal(
            422,
            f"{len(unknown)} of {len(given)} are not codes of this atlas: {some}. Nothing was added.",
            "Codes of another census name other areas. Take them out, or choose another atlas.",
            "codes",
        )
    return found


def near(atlas: Atlas, text: str, km: str) -> set[str]:
    """Return the areas within some kilometres of the first place that a text finds."""
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
    x, y = atlas.table["x"], atlas.table["y"]
    middle = list(found.places[0].positions)
    nearest = middle[0]
    if len(middle) > 1:  # of a ward or council area: the area nearest its middle
        away = (x[middle] - x[middle].mean()) ** 2 + (y[middle] - y[middle].mean()) ** 2
        nearest = middle[int(away.argmin())]
    return codes(atlas, within(x, y, nearest, radius))


def ring(text: str) -> Ring:
    """Return a drawn ring; refuse one that is too long, in parts, or not of numbers."""
    try:
        given = json.loads(text)
        corners = tuple((float(x), float(y)) for x, y in given)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Refusal(
            422, "This is not one closed outline.", "Draw one shape, in one part.", "shape"
        ) from None
    if len(corners) > limits.POLYGON_VERTICES + 1:
        raise Refusal(
            422,
            f"The shape has {len(corners)} corners.",
            f"Draw it with at most {limits.POLYGON_VERTICES}.",
            "shape",
        )
    if len(set(corners)) < LEAST_CORNERS:
        raise Refusal(422, "The shape is not an area.", "Draw at least three corners.", "shape")
    if not all(abs(x) <= EAST and abs(y) <= NORTH for x, y in corners):
        raise Refusal(
            422,
            "The coordinates of the shape are outside the possible range.",
            "Give longitude, latitude.",
            "shape",
        )
    return corners


def drawn(atlas: Atlas, ring: Ring) -> set[str]:
    """Return the areas whose middle lies inside a drawn ring; refuse where there is none."""
    if "lon" not in atlas.table:
        raise Refusal(422, "This atlas has no map to draw on.", "Search by name.", "shape")
    found = [int(i) for i in inside(atlas.table["lon"], atlas.table["lat"], ring)]
    if not found:
        raise Refusal(
            422, "No area has its middle inside the shape.", "Draw it larger, or click the area.", "shape"
        )
    return codes(atlas, found)


def inside(lon: Floats, lat: Floats, ring: Sequence[tuple[float, float]]) -> Ints:
    """Return the positions of areas whose middle lies inside a drawn ring.

    Parameters
    ----------
    lon, lat : (n_areas,), middles, degrees.
    ring : (longitude, latitude) of its corners; it is closed where it is not.

    Raises
    ------
    StudyError
        The ring crosses itself: the program does not repair it: that would be a guess.
    """
    import shapely

    shape = shapely.Polygon(ring)
    if not shape.is_valid:
        _, _, at = str(shapely.is_valid_reason(shape)).partition("[")
        raise StudyError(
            f"The shape crosses itself at {', '.join(at.rstrip(']').split())}."
            if at
            else "The shape is not an area.",
            "shape",
            "Draw it again there; the program does not repair it: that would be a guess.",
        )
    west, south, east, north = shape.bounds
    near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    return np.asarray(near[shapely.contains_xy(shape, lon[near], lat[near])])


def within(x: Floats, y: Floats, position: int, kilometres: float) -> Ints:
    """Return the positions of areas whose middle lies that near the middle of one of them.

    Parameters
    ----------
    x, y : (n_areas,), middles, metres.
    position : the area in the middle; it is always among them.
    kilometres : as the crow flies.
    """
    apart = np.hypot(x - x[position], y - y[position])
    return np.flatnonzero(apart <= kilometres * 1000)
