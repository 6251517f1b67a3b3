"""The register's other initiatives: read from files, and set on the panel's areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np

from areaeffect.errors import DataError, first_few, number_of
from areaeffect.geography.boundaries import Boundaries
from areaeffect.geography.shape_files import SUFFIXES
from areaeffect.panel import Neighbourhood, Strings
from areaeffect.period_texts import kind_of, parse_period
from areaeffect.register.initiatives import places_found
from areaeffect.register.neighbourhoods import start_kind
from areaeffect.register.others import DURING, Entry, entries_of, read_entries
from areaeffect.register.places import (
    RELEASES,
    PlaceLookup,
    catalogue_places,
    find_places,
    same_authority,
    vintage_of,
)
from areaeffect.register.rows import read_records
from areaeffect.results import Bools, Ints
from areaeffect.sources.publishers.panel import published_roots
from areaeffect.sources.publishers.tables import read
from areaeffect.sources.publishers.vintage import lookup_of
from areaeffect.study.file import StudyFile
from areaeffect.study.initiative import Initiative
from areaeffect.study.parts import Window, resolve

OTHERS = "Other initiatives"
#: Releases that say in which authority the areas of a vintage lie, by code and name.
_AUTHORITIES = {
    "lsoa21": (("ward_lsoa21", "ltla24"), ("places_lsoa21", "ltla22")),
    "lsoa11": (("places_lsoa11", "ltla21"), ("places_lsoa11", "ltla20"), ("places_lsoa11", "ltla11")),
}


@dataclass(frozen=True, slots=True)
class Overlap:
    """Areas that two initiatives share."""

    #: first, second: (programme, neighbourhood)
    first: tuple[str, str]
    second: tuple[str, str]
    areas: tuple[str, ...]  # codes, ascending


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Others:
    """What the register knows besides the studied initiatives."""

    entries: tuple[Entry, ...] = ()  # every entry
    #: positions of areas in one of them during the window, and not studied
    areas: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    #: (n_areas,), entries of the area's authority that could not be located
    unlocated: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    #: for each entry that could not be located, the areas of its authority; none where the authority is not
    #: known.
    may_lie_in: tuple[Ints, ...] = ()
    #: (n_areas,), name of the authority; '' where it is not known.
    authority: Strings = field(default_factory=lambda: np.empty(0, np.str_))
    overlaps: tuple[Overlap, ...] = ()  # areas in several initiatives, the studied ones among them
    studied: tuple[Neighbourhood, ...] = ()  # neighbourhoods of others that the study asks to study too
    notes: tuple[str, ...] = ()  # remarks for the data annex


def other_initiatives(
    file: StudyFile,
    areas: Strings,
    own: Sequence[Neighbourhood],
    authority: Strings | None,
    boundaries: Boundaries | None,
) -> Others:
    """Read the register's files and place their entries.

    Parameters
    ----------
    file : the study.
    areas : (n_areas,), the panel's codes, ascending.
    own : the studied neighbourhoods.
    authority : (n_areas,), codes or names of each area's authority where the study has a column.
    boundaries : outlines of the panel's areas; a register that is drawn needs them.

    Raises
    ------
    StudyError, DataError
        A file or lookup that cannot be read.
    """
    register, window = file.study.register_, file.study.study.window
    if not register.others:
        return Others()
    vintage = vintage_of(areas, file.folder)
    files = [resolve(name, file.folder) for name in register.others]
    listed, notes = read_register(files, register.lookup, file.folder, vintage, boundaries, areas, window)
    studied_here = {(n.initiative, n.name) for n in own}
    entries = tuple(e for e in listed if (e.programme, e.name) not in studied_here)
    named = _authorities(authority, vintage, file.folder, areas)
    may_lie_in = tuple(
        np.flatnonzero(_in_authority(entry.authority, named, len(areas)))
        for entry in entries
        if not entry.areas and entry.when == DURING
    )
    unlocated = np.zeros(len(areas), dtype=np.int64)
    for inside in may_lie_in:
        unlocated[inside] += 1
    position = {str(code): i for i, code in enumerate(areas)}
    treated = {str(areas[a]) for n in own for a in n.areas}
    studied = _studied(entries, position, treated, window) if register.study_others else ()
    mine = treated | {str(areas[a]) for n in studied for a in n.areas}
    left = sorted({c for e in entries if e.when == DURING for c in e.areas} - mine)
    return Others(
        entries=entries,
        areas=np.array([position[c] for c in left if c in position], dtype=np.int64),
        unlocated=unlocated,
        may_lie_in=may_lie_in,
        authority=named[0].names if named else np.full(len(areas), ""),
        overlaps=_overlaps(entries, own, areas),
        studied=studied,
        notes=(*notes, *notes_on(entries, areas)),
    )


@dataclass(frozen=True, eq=False)
class _Authorities:
    """Code and name of each area's authority in one year, (n_areas,) each."""

    codes: Strings
    names: Strings

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Every authority once."""
        return sorted(set(zip(self.codes.tolist(), self.names.tolist(), strict=True)))


def _authorities(
    given: Strings | None, vintage: str | None, folder: Path, areas: Strings
) -> list[_Authorities]:
    """Return the authorities of the areas, of one or more years."""
    if given is not None:
        return [_Authorities(given, given)]
    found = []
    for name, column in _AUTHORITIES.get(vintage or "", ()):
        try:
            table = read(name, published_roots(folder), [f"{column}_code", f"{column}_name"])
        except DataError:  # not fetched: authorities are not known
            continue
        at = np.minimum(np.searchsorted(table.areas, areas), len(table.areas) - 1)
        here = table.areas[at] == areas
        texts = [table.texts[f"{column}_{part}"][at] for part in ("code", "name")]
        found.append(_Authorities(*(np.where(here, text, "") for text in texts)))
    return found


def _in_authority(text: str, named: list[_Authorities], n_areas: int) -> Bools:
    """Return the areas of an authority, by code or name, of any of the years known."""
    inside: Bools = np.zeros(n_areas, dtype=np.bool_)
    if not text:
        return inside
    for year in named:
        for code, name in year.pairs:
            if same_authority(text, code, name):
                inside |= (year.codes == code) & (year.names == name)
    return inside


def _studied(
    entries: Sequence[Entry], position: dict[str, int], treated: set[str], window: Window
) -> tuple[Neighbourhood, ...]:
    """Return the other initiatives that can be studied: located, begun inside the window."""
    taken = set(treated)
    found = []
    kind = window.kind
    first, last = (parse_period(t, kind) or 0 for t in (window.start, window.end))
    for entry in entries:
        own = start_kind(entry.start, window)
        start = parse_period(entry.start, own) if entry.start else None
        codes = [c for c in entry.areas if c in position and c not in taken]
        if start is None or not codes:
            continue
        if not kind.first_month(first) < own.first_month(start) < kind.first_month(last + 1):
            continue
        taken.update(codes)
        led = {"true": True, "false": False}.get(entry.resident_led.lower())
        found.append(
            Neighbourhood(
                initiative=OTHERS,
                name=f"{entry.name} ({entry.programme})",
                areas=np.array(sorted(position[c] for c in codes), dtype=np.int64),
                start=start,
                start_kind=own,
                resident_led=led,
                attributes={"programme": entry.programme},
            )
        )
    return tuple(found)


def _overlaps(entries: Sequence[Entry], own: Sequence[Neighbourhood], areas: Strings) -> tuple[Overlap, ...]:
    """Return the pairs of initiatives that share areas; one programme's own are not compared."""
    holders: dict[str, list[tuple[str, str]]] = {}
    for unit in own:
        for area in unit.areas:
            holders.setdefault(str(areas[area]), []).append((unit.initiative, unit.name))
    for entry in entries:
        for code in entry.areas:
            holders.setdefault(code, []).append((entry.programme, entry.name))
    shared: dict[tuple[tuple[str, str], tuple[str, str]], set[str]] = {}
    for code, named in holders.items():
        for first, second in combinations(dict.fromkeys(named), 2):
            if first[0] != second[0]:
                shared.setdefault((first, second), set()).add(code)
    return tuple(Overlap(a, b, tuple(sorted(c))) for (a, b), c in sorted(shared.items()))


def refuse_unknown_authorities(file: StudyFile, others: Others) -> None:
    """Refuse to leave authorities out where it is not known in which each area lies."""
    if file.study.register_.uncoded == "ignore" or (others.authority != "").any():
        return
    if not any(not e.areas for e in others.entries):
        return
    raise DataError(
        "authorities cannot be left out: it is not known in which authority each area lies.",
        file.where("register.uncoded"),
        'Name a column: authority = "source.column", with codes or names of authorities.',
    )


_OTHER_VINTAGE = {"lsoa21": "lsoa11", "lsoa11": "lsoa21"}
_SHOWN = 5


def read_register(
    files: Sequence[Path],
    lookup: str | None,
    folder: Path,
    vintage: str | None,
    boundaries: Boundaries | None,
    areas: Strings,
    window: Window | None,
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Read the register's files, and say of every entry which areas it has, or why none.

    Parameters
    ----------
    files : CSV by area code, ward, MSOA, `match_code`, name in an authority, or postcode; or drawn
        boundaries.
    lookup : of wards, MSOAs or postcodes; None for the catalogue's wards and MSOAs.
    folder : where relative paths start.
    vintage : census vintage of the areas, where it is known.
    boundaries : outlines of the areas; drawn boundaries need them.
    areas : (n_areas,), codes, ascending.
    window : of the study; None where there is none.

    Returns
    -------
    The entries, and remarks on reading.

    Raises
    ------
    StudyError, DataError
        A file or lookup that cannot be read.
    """
    places: list[PlaceLookup] | None = None
    entries: list[Entry] = []
    notes: list[str] = []
    for path in files:
        is_drawn = path.suffix.lower() in SUFFIXES
        table = None if is_drawn else read_records(path)
        if table is None or "postcode" in table.columns:
            own = Initiative(name=path.stem, areas=path.name, lookup=lookup, elsewhere="leave out")
            found = places_found(own, path, folder, boundaries, areas)
            if found.faults:
                raise DataError(found.faults)
            entries += entries_of(path, found, "drawn" if is_drawn else "postcodes", window)
            notes += [*found.notes, *found.account()]
        else:
            if places is None:
                places = _places(lookup, vintage, folder, areas)
            entries += read_entries(path, table.records, places, window)
            notes += [*table.notes, table.account()]
    undated = [t for e in entries for t in (e.start, e.end) if t and kind_of(t) is None]
    if undated:
        what = (
            f"{number_of(len(undated), 'date', 'dates')} cannot be read, so their initiatives "
            "are taken as going on"
        )
        notes.append(f"Other initiatives: {what} ({first_few(list(dict.fromkeys(undated)))}).")
    return tuple(entries), tuple(notes)


def notes_on(entries: Sequence[Entry], areas: Strings) -> tuple[str, ...]:
    """Return a sentence a file: how many entries, how many located, and which are not."""
    files: dict[str, list[Entry]] = {}
    for entry in entries:
        files.setdefault(entry.file, []).append(entry)
    notes = []
    for name, own in files.items():
        codes = np.array(sorted({c for e in own for c in e.areas}), dtype=np.str_)
        lost = [e.name for e in own if not e.areas]
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        notes.append(
            f"{name}: {number_of(len(own), 'entry', 'entries')} of other initiatives, "
            f"{len(own) - len(lost)} located, "
            f"{number_of(int(np.isin(codes, areas).sum()), 'area', 'areas')} in the panel."
            + (f" Not located: {', '.join(lost[:_SHOWN])}{more}." if lost else "")
        )
        unknown = sorted({c for e in own if e.how == "code" for c in e.areas} - set(areas.tolist()))
        if unknown:
            what = f"{len(unknown)} area codes are not in the panel"
            notes.append(f"{name}: {what} ({first_few(unknown)}).")
    return tuple(notes)


def _places(lookup: str | None, vintage: str | None, folder: Path, areas: Strings) -> list[PlaceLookup]:
    """Return lookups of wards and MSOAs, the areas' own vintage first; what is not here is not."""
    if lookup is not None:
        return [p for kind in RELEASES for p in _own_lookup(kind, lookup, folder, areas)]
    if vintage is None:
        return []
    found = []
    for kind in RELEASES:
        for other in (vintage, _OTHER_VINTAGE[vintage]):
            try:
                places = catalogue_places(kind, other, folder, areas)
                found.append(places if other == vintage else _brought(places, other, folder))
            except DataError:  # not fetched: the entries that need it are listed as not located
                continue
    return found


def _own_lookup(kind: str, lookup: str, folder: Path, areas: Strings) -> list[PlaceLookup]:
    try:
        return [find_places(kind, lookup, folder, areas)]
    except DataError:
        if kind == "msoa":  # a lookup of wards need not have MSOAs
            return []
        raise


def _brought(places: PlaceLookup, vintage: str, folder: Path) -> PlaceLookup:
    """Return a lookup on the areas of the other vintage: every area that overlaps."""
    pairs = lookup_of("lookup_lsoa11_lsoa21", published_roots(folder))
    old, new = (pairs.old, pairs.new) if vintage == "lsoa11" else (pairs.new, pairs.old)
    order = np.argsort(places.areas, kind="stable")
    first, last = (np.searchsorted(places.areas, old, side=side, sorter=order) for side in ("left", "right"))
    has = last > first
    rows = order[first[has]]
    return PlaceLookup(
        kind=places.kind,
        source=f"{places.source} (by overlap)",
        areas=new[has],
        codes=places.codes[rows],
        names=places.names[rows],
        authority_codes=places.authority_codes[rows],
        authorities=places.authorities[rows],
    )
