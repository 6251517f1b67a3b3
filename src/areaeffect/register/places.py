"""Names of wards and MSOAs to areas, and the lookups, a user's own or the catalogue's, that hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from areaeffect.errors import DataError, did_you_mean
from areaeffect.results import Bools, Ints, Strings
from areaeffect.sources.publishers.panel import lookup_of, published_roots
from areaeffect.sources.publishers.tables import read
from areaeffect.study.parts import resolve
from areaeffect.tables.user_table import read_user_table, rows_account

KINDS = ("ward", "msoa")
_AREA = r"area(_?code)?|lsoa\d*_?(code|cd)|lsoa\d*"
_AUTHORITY = r"(local_)?authority|lad\d*|[lu]tla\d*"
_PATTERNS = {
    "area": _AREA,
    "ward_code": r"(ward|wd)\d*_?(code|cd)",
    "ward_name": r"(ward|wd)\d*(_?(name|nm))?",
    "msoa_code": r"msoa\d*_?(code|cd)",
    "msoa_name": r"msoa\d*(hcl)?(_?(name|nm))?",
    "authority_code": rf"({_AUTHORITY})_?(code|cd)",
    "authority_name": rf"({_AUTHORITY})(_?(name|nm))?",
    "postcode": r"postcode|pcds?|pcd\d|pcd_?nospaces",
    "ended": r"doterm|terminated|end_date",
}
_FILLER = re.compile(
    r"\b(city of|city|london borough of|royal borough of|borough of|county|council|district|ua"
    r"|the)\b"
)
_CODE = re.compile(r"[EWSN]\d{8}")
_SHOWN = 4


@dataclass(frozen=True, eq=False)
class PlaceLookup:
    """Wards, or MSOAs, and the areas in them."""

    kind: str  # 'ward' or 'msoa'
    source: str  # what the lookup is called in print
    #: one row a pair: columns area, code, name, authority_code, authority; '' where not known
    rows: pd.DataFrame

    @property
    def title(self) -> str:
        """What one is called in print."""
        return "MSOA" if self.kind == "msoa" else "ward"

    @property
    def account(self) -> str:
        """How many rows of the lookup name an area and a place."""
        of_use = (self.rows["area"] != "") & ((self.rows["code"] != "") | (self.rows["name"] != ""))
        return rows_account(self.source, len(self.rows), int(of_use.sum()))

    @cached_property
    def _positions(self) -> dict[str, dict[str, Ints]]:
        """Rows of each code and of each name, plain, of places and of authorities."""
        rows = self.rows.assign(
            name=self.rows["name"].map(plain_name), authority=self.rows["authority"].map(plain_authority)
        )
        return {c: {str(k): np.asarray(v) for k, v in rows.groupby(c).indices.items()} for c in rows.columns}

    def find(self, text: str, authority: str = "") -> tuple[str, ...] | str:
        """Return the areas of a ward or MSOA, by code or by name in an authority; or why there are none."""
        title = self.title
        if _CODE.fullmatch(text):
            return self._areas(self._at("code", text)) or f"there is no {title} '{text}' in {self.source}"
        rows = self._at("name", plain_name(text))
        if authority:
            is_code = _CODE.fullmatch(authority)
            key = ("authority_code", authority) if is_code else ("authority", plain_authority(authority))
            own = self._at(*key)
            if len(inside := np.intersect1d(rows, own)):
                return self._areas(inside)
            if not len(own):
                return f"there is no local authority '{authority}' in {self.source}"
            near = did_you_mean(text, set(self.rows["name"].iloc[own]))
            return f"there is no {title} '{text}' in {authority}" + (f" ({near})" if near else "")
        if not len(rows):
            near = did_you_mean(text, set(self.rows["name"]))
            return f"there is no {title} '{text}' in {self.source}" + (f" ({near})" if near else "")
        found = self.rows.iloc[rows]
        where = sorted(set(found["authority"].where(found["authority"] != "", found["authority_code"])))
        if len(where) > 1:
            some = ", ".join(where[:_SHOWN]) + (" and others" if len(where) > _SHOWN else "")
            return f"{len(where)} authorities have a {title} '{text}' ({some})"
        return self._areas(rows)

    def _at(self, column: str, key: str) -> Ints:
        return self._positions[column].get(key, np.empty(0, np.int64)) if key else np.empty(0, np.int64)

    def _areas(self, rows: Ints) -> tuple[str, ...]:
        return tuple(sorted(set(self.rows["area"].iloc[rows])))


@cache
def plain_name(name: str) -> str:
    """Return a name without what spelling varies in: case, punctuation, 'and' or '&'."""
    text = name.lower().replace("&", " and ").replace("'", "").replace("’", "")
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text).split())


@cache
def plain_authority(name: str) -> str:
    """Return an authority's name without words that only say what it is."""
    return " ".join(_FILLER.sub(" ", plain_name(name)).split())


def same_authority(given: str, code: str, name: str) -> bool:
    """Tell whether a code or name given means the authority of this code and name."""
    if _CODE.fullmatch(given):
        return given == code
    return bool(name) and plain_authority(given) == plain_authority(name)


def columns_of(header: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns of a lookup by what they hold, in the order of the file."""
    found: dict[str, list[str]] = {}
    for column in header:
        for what, pattern in _PATTERNS.items():
            if re.fullmatch(pattern, column.strip().lower()):
                found.setdefault(what, []).append(column)
                break
    return found


def places_from(kind: str, columns: Mapping[str, Strings], source: str, areas: Strings) -> PlaceLookup:
    """Build the lookup of wards or MSOAs from the columns of a file, (n,) each, by its own header.

    Of several columns of areas, the one that knows most of the panel's is taken; without any, or
    one of the kind, it raises DataError.
    """
    named = columns_of(list(columns))
    code, name = named.get(f"{kind}_code"), named.get(f"{kind}_name")
    if "area" not in named or not (code or name):
        what = f"the lookup has no column of areas, or none of {kind}s."
        fix = f"It needs area_code, {kind}_code or {kind}_name, and authority_name or authority_code."
        raise DataError(what, source, f"{fix} Columns: {', '.join(columns)}.")
    most = max(named["area"], key=lambda c: int(np.isin(columns[c], areas).sum()))
    taken = {
        "area": most,
        "code": code[0] if code else "",
        "name": name[0] if name else "",
        "authority_code": named.get("authority_code", [""])[-1],
        "authority": named.get("authority_name", [""])[-1],
    }
    rows = pd.DataFrame({ours: columns[own] if own else "" for ours, own in taken.items()}, dtype=object)
    return PlaceLookup(kind, source, rows)


#: Releases of the catalogue by kind and vintage.
RELEASES = {
    "ward": {"lsoa21": "ward_lsoa21", "lsoa11": "ward_lsoa11"},
    "msoa": {"lsoa21": "places_lsoa21", "lsoa11": "places_lsoa11"},
}
#: An area list is of a vintage where at least this share of its codes is.
_MOST = 0.99


def find_places(kind: str, lookup: str | None, folder: Path, areas: Strings) -> PlaceLookup:
    """Return the lookup of wards or MSOAs for the areas of a study, its own or the catalogue's."""
    if lookup is not None:
        path = resolve(lookup, folder)
        return places_from(kind, read_columns(path), path.name, areas)
    vintage = vintage_of(areas, folder)
    if vintage is None:
        what = f"no lookup says which areas a {kind} has: the study's areas are not LSOAs."
        fix = f"Name one: lookup = 'file.csv' with columns area_code, {kind}_name, authority_name."
        raise DataError(what, "initiative", fix)
    return catalogue_places(kind, vintage, folder, areas)


def catalogue_places(kind: str, vintage: str, folder: Path, areas: Strings) -> PlaceLookup:
    """Return the catalogue's lookup of wards or MSOAs of one vintage."""
    release = RELEASES[kind][vintage]
    table = read(release, published_roots(folder))
    return places_from(kind, {"area_code": table.areas, **table.texts}, release, areas)


def vintage_of(areas: Strings, folder: Path) -> str | None:
    """Return the census vintage of which nearly all areas are, by the catalogue's lists.

    Codes that did not change are of both; the vintage that knows more of the areas is taken.
    """
    known = {}
    for vintage, release in RELEASES["msoa"].items():
        try:
            listed = read(release, published_roots(folder), []).areas
        except DataError:  # not fetched: unknown
            continue
        known[vintage] = float(np.isin(areas, listed).mean())
    if not known or max(known.values()) < _MOST:
        return None
    return max(known, key=lambda v: known[v])


def read_columns(path: Path) -> dict[str, Strings]:
    """Read a lookup as columns of text."""
    frame = read_user_table(path).frame
    return {str(c): frame[c].astype(str).str.strip().to_numpy(dtype=str) for c in frame.columns}


#: Releases that say in which authority the areas of a vintage lie, by code and name.
_AUTHORITIES = {
    "lsoa21": (("ward_lsoa21", "ltla24"), ("places_lsoa21", "ltla22")),
    "lsoa11": (("places_lsoa11", "ltla21"), ("places_lsoa11", "ltla20"), ("places_lsoa11", "ltla11")),
}
_OTHER_VINTAGE = {"lsoa21": "lsoa11", "lsoa11": "lsoa21"}


def authorities_of(
    given: Strings | None, vintage: str | None, folder: Path, areas: Strings
) -> list[tuple[Strings, Strings]]:
    """Return codes and names of the areas' authorities, (n_areas,) each, of one or more years."""
    if given is not None:
        return [(given, given)]
    found = []
    for name, column in _AUTHORITIES.get(vintage or "", ()):
        try:
            table = read(name, published_roots(folder), [f"{column}_code", f"{column}_name"])
        except DataError:  # not fetched: authorities are not known
            continue
        at = np.minimum(np.searchsorted(table.areas, areas), len(table.areas) - 1)
        here = table.areas[at] == areas
        codes, names = (np.where(here, table.texts[f"{column}_{p}"][at], "") for p in ("code", "name"))
        found.append((codes, names))
    return found


def in_authority(text: str, named: list[tuple[Strings, Strings]], n_areas: int) -> Bools:
    """Return the areas of an authority, by code or name, of any of the years known."""
    inside: Bools = np.zeros(n_areas, dtype=np.bool_)
    for codes, names in named if text else ():
        for code, name in set(zip(codes.tolist(), names.tolist(), strict=True)):
            if same_authority(text, code, name):
                inside |= (codes == code) & (names == name)
    return inside


def lookups_of(lookup: str | None, vintage: str | None, folder: Path, areas: Strings) -> list[PlaceLookup]:
    """Return lookups of wards and MSOAs, the areas' own vintage first; what is not here is not."""
    found = []
    for kind in RELEASES:
        if lookup is not None:
            try:
                found.append(find_places(kind, lookup, folder, areas))
            except DataError:
                if kind != "msoa":  # a lookup of wards need not have MSOAs
                    raise
        for other in (vintage, _OTHER_VINTAGE[vintage]) if vintage and lookup is None else ():
            try:
                places = catalogue_places(kind, other, folder, areas)
                found.append(places if other == vintage else _brought(places, other, folder))
            except DataError:  # not fetched: the entries that need it are listed as not located
                continue
    return found


def _brought(places: PlaceLookup, vintage: str, folder: Path) -> PlaceLookup:
    """Return a lookup on the areas of the other vintage: every area that overlaps."""
    pairs = lookup_of("lookup_lsoa11_lsoa21", published_roots(folder))
    old, new = (pairs.old, pairs.new) if vintage == "lsoa11" else (pairs.new, pairs.old)
    overlap = pd.DataFrame({"area": old, "new": new}, dtype=object)
    rows = overlap.merge(places.rows.drop_duplicates("area"), on="area").drop(columns="area")
    return replace(places, source=f"{places.source} (by overlap)", rows=rows.rename(columns={"new": "area"}))
