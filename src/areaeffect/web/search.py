"""Finding places by what a person types: postcode, code, or words of a name."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING

from areaeffect.compare.question import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from areaeffect.web.atlas import Atlas

MOST = 40
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}")
_KINDS = {"authority": "Council area", "ward": "Ward", "area": "Area"}
#: How alike a word must be to be taken for another (`difflib`): one letter of five may be wrong.
_ALIKE, _MOST_ALIKE, _MOST_SPELLINGS = 0.75, 3, 12


@dataclass(frozen=True, slots=True)
class Place:
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
class Found:
    """What a search found."""

    places: tuple[Place, ...]  # best first, at most `MOST`
    more: int = 0  # how many further places match
    hint: str = ""  # what to try where nothing is found, or what the search could not do


def search(atlas: Atlas, text: str) -> Found:
    """Find places by a postcode, a code, or words that their names begin with.

    Where nothing is found, words that nothing here begins with are taken for those most alike.
    """
    asked = text.strip()
    if not asked:
        return Found(())
    if _POSTCODE.fullmatch(asked.upper()):
        return _by_postcode(atlas, asked)
    words = plain(asked).split()
    if not words:
        return Found((), hint="Type a name, a postcode or an area code.")
    found = _by_words(atlas, words)
    if found.places:
        return found
    for spelling in _spellings(atlas, words):
        found = _by_words(atlas, list(spelling))
        if found.places:
            hint = f"Nothing here is called ‘{asked}’. These names are most like it."
            return replace(found, hint=hint)
    return Found((), hint="No place here has that name. Try its council, or a neighbouring place.")


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


def _by_words(atlas: Atlas, words: list[str]) -> Found:
    whole = " ".join(words)
    hits = [p for p in places(atlas) if all(f" {word}" in p.words for word in words)]
    order = {"authority": 0, "ward": 1, "area": 2}
    hits.sort(
        key=lambda p: (
            plain(p.name) != whole,
            not plain(p.name).startswith(whole),
            order[p.kind],
            p.name,
            p.within,
        )
    )
    return Found(tuple(hits[:MOST]), max(0, len(hits) - MOST))


def _by_postcode(atlas: Atlas, text: str) -> Found:
    if not atlas.has_postcodes:
        return Found((), hint="This atlas was made without a lookup of postcodes: search by name instead.")
    position = atlas.of_postcode(text)
    if position is None:
        return Found((), hint=f"The postcode {text.upper()} is not in use in this atlas.")
    return Found((_area(atlas, position),))


def find_key(atlas: Atlas, key: str) -> Place | None:
    """Return a ward or council area by its key; None where there is none."""
    return _by_key(atlas).get(key)


def places(atlas: Atlas) -> tuple[Place, ...]:
    """Return every place of an atlas."""
    return _places(atlas)


@lru_cache(maxsize=8)
def _places(atlas: Atlas) -> tuple[Place, ...]:
    table = atlas.table
    made = [_area(atlas, i) for i in range(len(table["code"]))]
    for kind, outer in (("ward", "authority"), ("authority", "region")):
        members: dict[tuple[str, str], list[int]] = {}
        for i, pair in enumerate(zip(table[kind], table[outer], strict=True)):
            if pair[0]:
                members.setdefault((str(pair[0]), str(pair[1])), []).append(i)
        for (name, within), positions in members.items():
            words = f" {plain(f'{name} {within}' if kind == 'ward' else name)}"
            made.append(Place(kind, name, within, tuple(positions), words))
    return tuple(made)


@lru_cache(maxsize=8)
def _by_key(atlas: Atlas) -> dict[str, Place]:
    return {p.key: p for p in places(atlas) if p.kind != "area"}


def _area(atlas: Atlas, i: int) -> Place:
    table = atlas.table
    name, code = str(table["name"][i]), str(table["code"][i])
    within = ", ".join(str(table[k][i]) for k in ("ward", "authority") if table[k][i])
    return Place("area", name, within, (i,), f" {plain(name)} {code.lower()}")


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
