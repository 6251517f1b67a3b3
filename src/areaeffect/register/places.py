"""Names of wards and MSOAs, and postcodes, to areas, by a user's own lookups or the catalogue's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from areaeffect.errors import DataError, did_you_mean, number_of
from areaeffect.results import Bools, Ints, Strings
from areaeffect.sources.publishers.large_files import RELEASE, plain_postcode, read_directory
from areaeffect.sources.publishers.panel import lookup_of, published_roots
from areaeffect.sources.publishers.releases import find_release, is_here, locate
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
            if not len(own):
                return f"there is no local authority '{authority}' in {self.source}"
            rows, among = np.intersect1d(rows, own), self.rows["name"].iloc[own]
        else:
            among = self.rows["name"]
        if not len(rows):
            near = did_you_mean(text, set(among))
            return f"there is no {title} '{text}' in {authority or self.source}" + (
                f" ({near})" if near else ""
            )
        if authority:
            return self._areas(rows)
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
    if "area" not in named or not {f"{kind}_code", f"{kind}_name"} & named.keys():
        what = f"the lookup has no column of areas, or none of {kind}s."
        fix = f"It needs area_code, {kind}_code or {kind}_name, and authority_name or authority_code."
        raise DataError(what, source, f"{fix} Columns: {', '.join(columns)}.")
    most = max(named["area"], key=lambda c: int(np.isin(columns[c], areas).sum()))
    taken = {
        "area": most,
        "code": named.get(f"{kind}_code", [""])[0],
        "name": named.get(f"{kind}_name", [""])[0],
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
        if _CODE.fullmatch(text):
            inside |= codes == text
        else:
            meant = [n for n in np.unique(names) if n and plain_authority(n) == plain_authority(text)]
            inside |= np.isin(names, meant)
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
                if other != vintage:  # every area of the study's vintage that overlaps
                    pairs = lookup_of("lookup_lsoa11_lsoa21", published_roots(folder))
                    old, new = (pairs.old, pairs.new) if other == "lsoa11" else (pairs.new, pairs.old)
                    overlap = pd.DataFrame({"area": old, "new": new}, dtype=object)
                    rows = overlap.merge(places.rows.drop_duplicates("area"), on="area")
                    rows = rows.drop(columns="area").rename(columns={"new": "area"})
                    places = replace(places, source=f"{places.source} (by overlap)", rows=rows)
                found.append(places)
            except DataError:  # not fetched: the entries that need it are listed as not located
                continue
    return found


_FEWEST_AN_AREA = 10
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}")
#: A CSV of more bytes is a directory of the whole country, and is not read as a table of a user.
_LARGE = 64 << 20
#: Columns of a lookup that may hold the areas of a study, by what they hold.
_AREAS = ("area", "msoa_code", "ward_code", "authority_code")


class Postcodes:
    """Where postcodes lie: postcodes, areas and ended are (n,), as in the file; '' for those in use."""

    def __init__(self, postcodes: pd.Series, areas: pd.Series, ended: pd.Series, source: str) -> None:
        self.source = source
        rows = pd.DataFrame({"area": areas, "ended": ended}, dtype="category")
        rows.index = index = pd.Index(postcodes.map(plain_postcode))
        again = rows[index.duplicated(keep=False)]
        self._twice = {
            str(postcode): sorted(set(own["area"]))
            for postcode, own in again.groupby(level=0)
            if own["area"].nunique() > 1
        }
        self._rows = rows[~index.duplicated(keep="last")]
        self._used: pd.DataFrame = self._rows[self._rows["ended"].astype(str).str.strip() == ""]
        self._in_use = self._used["area"].value_counts()
        self._read = len(rows)

    @property
    def account(self) -> str:
        """How many rows of the lookup place a postcode in an area; the last of a repeated one."""
        of_use = (self._rows.index != "") & (self._rows["area"].astype(str) != "")
        return rows_account(self.source, self._read, int(of_use.sum()))

    def fault(self, text: str) -> str:
        """Return why a postcode cannot be placed; '' where it can."""
        postcode = plain_postcode(text)
        if not _POSTCODE.fullmatch(postcode):
            return f"'{text}' is not written like a postcode"
        if postcode in self._twice:
            return f"'{text}' is in two areas ({' and '.join(self._twice[postcode])})"
        if postcode not in self._rows.index or not self.area_of(postcode):
            begins = np.asarray(self._rows.index.str.startswith(postcode[:-3]))
            near = did_you_mean(postcode, self._rows.index[begins].tolist())
            return f"'{text}' is not in {self.source}" + (f" ({near})" if near else "")
        if ended := str(self._rows.at[postcode, "ended"]).strip():
            return f"'{text}' was terminated ({ended})"
        return ""

    def area_of(self, text: str) -> str:
        """Return the area of a postcode without a fault."""
        return str(self._rows.at[plain_postcode(text), "area"])

    def shares_cannot_be_told(self, listed: Sequence[str]) -> str:
        """Return why shares of areas cannot be worked out from this lookup; '' where they can.

        A lookup of little more than the listed postcodes makes every share 100 %.
        """
        own = {plain_postcode(t) for t in listed}
        touched = {self.area_of(p) for p in own}
        held = sum(int(self._in_use[a]) for a in touched)
        if held >= _FEWEST_AN_AREA * len(touched) or len(own) < held / 2:
            return ""
        return (
            f"the lookup {self.source} holds {held} postcodes in the "
            f"{number_of(len(touched), 'area', 'areas')} touched, "
            f"of which {len(own)} are listed"
        )

    def shares(self, listed: Sequence[str]) -> dict[str, float]:
        """Return, for each area touched, the share of its postcodes in use that is listed."""
        found = Counter(self.area_of(p) for p in {plain_postcode(t) for t in listed})
        return {area: n / int(self._in_use[area]) for area, n in sorted(found.items())}

    def inside(self, areas: Strings) -> tuple[Strings, Ints]:
        """Return the postcodes in use of some areas, ascending, and the position of each's area."""
        held = self._used["area"].cat
        at = pd.Index(areas).get_indexer(held.categories.astype(str))[held.codes]
        inside = pd.Series(at, index=self._used.index)[at >= 0].sort_index()
        return inside.index.to_numpy(dtype=np.str_), inside.to_numpy(dtype=np.int64)


def has_directory(folder: Path, areas: Strings) -> bool:
    """Tell whether the directory of postcodes has been fetched and can know areas of a study."""
    is_official = len(areas) > 0 and re.fullmatch(r"[EW]\d{8}", str(areas[-1])) is not None
    return is_official and is_here(find_release(RELEASE), published_roots(folder))


def find_postcodes(lookup: str | None, folder: Path, areas: Strings, where: str = "") -> Postcodes:
    """Return where postcodes lie, for the areas of a study, by its own lookup or the fetched directory.

    Of several columns of areas, the one that knows most of the study's is taken.
    """
    if lookup is None:
        if not has_directory(folder, areas):
            raise DataError(
                "postcodes are listed, but no directory says in which areas they lie.",
                where,
                "Get it with `areaeffect fetch postcodes`, or name your own: lookup = "
                "'file.csv' with columns postcode and area_code.",
            )
        ((_, path),) = locate(find_release(RELEASE), published_roots(folder))
    else:
        path = resolve(lookup, folder)
    held: dict[str, list[str]] = {}

    def choose(header: Sequence[str]) -> list[str]:
        named = columns_of(header)
        held["areas"] = [c for what in _AREAS for c in named.get(what, ())]
        if "postcode" not in named or not held["areas"]:
            what = "the lookup has no column of postcodes, or none of areas."
            fix = f"It needs postcode and area_code. Columns: {', '.join(header)}."
            raise DataError(what, str(path), fix)
        held["ended"] = named.get("ended", [])[:1]
        return [named["postcode"][-1], *held["areas"], *held["ended"]]

    if path.suffix.lower() == ".zip" or (path.is_file() and path.stat().st_size > _LARGE):
        table = read_directory(path, choose)
    else:
        columns = read_columns(path)
        table = pd.DataFrame({name: columns[name].astype(object) for name in choose(list(columns))})
    ended = table[held["ended"][0]] if held["ended"] else pd.Series("", table.index)
    area = max(held["areas"], key=lambda c: np.isin(table[c].to_numpy(str), areas).sum())
    return Postcodes(table.iloc[:, 0], table[area], ended, path.name)
