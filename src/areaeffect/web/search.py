"""Finding places by what a person types: postcode, code, or words of a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from areaeffect.web.atlas import Atlas

MOST = 40
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}")
_KINDS = {"authority": "Council area", "ward": "Ward", "area": "Area"}


@dataclass(frozen=True, slots=True)
class Place:
    """Something with a name on the map.

    Parameters
    ----------
    kind : 'area', 'ward' or 'authority'.
    name : its name.
    within : the larger place it lies in; '' where there is none.
    positions : its areas, as positions in the atlas.
    words : its name as it is searched.
    """

    kind: str
    name: str
    within: str
    positions: tuple[int, ...]
    words: str

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
    """What a search found.

    Parameters
    ----------
    places : best first, at most `MOST`.
    more : how many further places match.
    hint : what to try where nothing is found, or what the search could not do.
    """

    places: tuple[Place, ...]
    more: int = 0
    hint: str = ""


def search(atlas: Atlas, text: str) -> Found:
    """Find places by a postcode, a code, or words that their names begin with."""
    asked = text.strip()
    if not asked:
        return Found(())
    if _POSTCODE.fullmatch(asked.upper()):
        return _by_postcode(atlas, asked)
    words = plain(asked).split()
    if not words:
        return Found((), hint="Type a name, a postcode or an area code.")
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
    hint = "" if hits else "No place here has that name. Try its council, or a neighbouring place."
    return Found(tuple(hits[:MOST]), max(0, len(hits) - MOST), hint)


def _by_postcode(atlas: Atlas, text: str) -> Found:
    if not atlas.postcodes:
        return Found(
            (),
            hint="This atlas was made without a lookup of postcodes: search by name instead.",
        )
    position = atlas.postcodes.get(re.sub(r"\s+", "", text).upper())
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
