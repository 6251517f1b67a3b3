"""Areas that a table names instead of coding: MSOAs, wards and local authorities by name."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem
from areaeffect.sources.publishers.panel import published_roots
from areaeffect.sources.publishers.tables import read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from areaeffect.panel import Strings

#: Releases that name each kind of area, the present edition first, with the columns' beginning.
_RELEASES = {
    "msoa": (("places_lsoa21", "msoa"), ("places_lsoa11", "msoa")),
    "ward": (("ward_lsoa21", "ward"), ("ward_lsoa11", "ward")),
    "district": (("ward_lsoa21", "ltla"), ("places_lsoa21", "ltla"), ("places_lsoa11", "ltla")),
}
_OF_LIBRARY = {"msoa": ("msoa_names_2021", "msoa_names_2011")}
_SHOWN = 8


def placed_by_name(column: pd.Series, kind: str, path: Path) -> tuple[pd.Series, tuple[str, ...]]:
    """Return codes for names of areas, '' where a name has none; and what could not be placed.

    The edition that places most names is taken. A name that several areas have is not placed.

    Raises
    ------
    DataError
        No list of names is here, or none of the names is in one.
    """
    names = {str(t): _plain(str(t)) for t in column.unique()}
    lists = dict(_lists(kind, path.parent))
    if not lists:
        fix = f"Run `areaeffect fetch {_RELEASES[kind][0][0]}`, or give codes."
        raise DataError(Problem(f"there is no list of {kind} names.", str(path), fix))
    placed = {release: sum(p in known for p in names.values()) for release, known in lists.items()}
    best = max(placed, key=lambda release: placed[release])
    codes = {text: lists[best].get(plain, "") for text, plain in names.items()}
    lost = [text for text, code in codes.items() if not code]
    if len(lost) == len(codes):
        what = f"'{lost[0]}' and all other names are not {kind} names of {', '.join(lists)}."
        raise DataError(Problem(what, str(path), "Check `areas_by`."))
    notes = [f"{path.name}: {len(codes) - len(lost):,} areas are matched by name with {best}."]
    if lost:
        some = ", ".join(lost[:_SHOWN]) + (" and others" if len(lost) > _SHOWN else "")
        notes.append(f"{path.name}: {len(lost):,} names could not be matched: {some}.")
    return column.map(codes), tuple(notes)


def _plain(name: str) -> str:
    """Return a name without case, accents and punctuation."""
    text = unicodedata.normalize("NFKD", name).casefold().replace("&", " and ")
    text = "".join(c for c in text if not unicodedata.combining(c)).replace("'", "")
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text).split())


def _lists(kind: str, folder: Path) -> list[tuple[str, Mapping[str, str]]]:
    found: list[tuple[str, Mapping[str, str]]] = []
    for release, prefix in _RELEASES[kind]:
        try:
            texts = read(release, published_roots(folder)).texts
        except DataError:  # not fetched
            continue
        code = next(c for c in texts if re.fullmatch(rf"{prefix}\d*_code", c))
        name = code.replace("_code", "_name")
        found.append((release, _unique(texts[name], texts[code])))
    for release in _OF_LIBRARY.get(kind, ()):
        try:
            table = read(release, published_roots(folder))
        except DataError:
            continue
        found += [(release, _unique(names, table.areas)) for names in table.texts.values()]
    return found


def _unique(names: Strings, codes: Strings) -> Mapping[str, str]:
    """Return the code of each name that one area alone has."""
    by_name: dict[str, set[str]] = {}
    for name, code in zip(names, codes, strict=True):
        by_name.setdefault(_plain(str(name)), set()).add(str(code))
    return {name: next(iter(own)) for name, own in by_name.items() if len(own) == 1 and name}
