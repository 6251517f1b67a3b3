"""The register's files: where other initiatives are, in whatever way a file names their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, first_few
from areaeffect.geography.shape_files import SUFFIXES
from areaeffect.period_texts import kind_of
from areaeffect.register.initiatives import places_found
from areaeffect.register.others import entries_of, read_entries
from areaeffect.register.place_lookups import RELEASES, catalogue_places, find_places
from areaeffect.register.places import Places
from areaeffect.register.rows import read_records
from areaeffect.sources.publishers.panel import published_roots
from areaeffect.sources.publishers.vintage import lookup_of
from areaeffect.study.initiative import Initiative

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.panel import Strings
    from areaeffect.register.others import Entry
    from areaeffect.study.parts import Window

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
    places: list[Places] | None = None
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
            notes += found.notes
        else:
            if places is None:
                places = _places(lookup, vintage, folder, areas)
            entries += read_entries(path, table.records, places, window)
            notes += table.notes
    undated = [t for e in entries for t in (e.start, e.end) if t and kind_of(t) is None]
    if undated:
        what = f"{len(undated)} dates cannot be read, so their initiatives are taken as going on"
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
            f"{name}: {len(own)} entries of other initiatives, {len(own) - len(lost)} located, "
            f"{int(np.isin(codes, areas).sum())} areas in the panel."
            + (f" Not located: {', '.join(lost[:_SHOWN])}{more}." if lost else "")
        )
        unknown = sorted({c for e in own if e.how == "code" for c in e.areas} - set(areas.tolist()))
        if unknown:
            what = f"{len(unknown)} area codes are not in the panel"
            notes.append(f"{name}: {what} ({first_few(unknown)}).")
    return tuple(notes)


def _places(lookup: str | None, vintage: str | None, folder: Path, areas: Strings) -> list[Places]:
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


def _own_lookup(kind: str, lookup: str, folder: Path, areas: Strings) -> list[Places]:
    try:
        return [find_places(kind, lookup, folder, areas)]
    except DataError:
        if kind == "msoa":  # a lookup of wards need not have MSOAs
            return []
        raise


def _brought(places: Places, vintage: str, folder: Path) -> Places:
    """Return a lookup on the areas of the other vintage: every area that overlaps."""
    pairs = lookup_of("lookup_lsoa11_lsoa21", published_roots(folder))
    old, new = (pairs.old, pairs.new) if vintage == "lsoa11" else (pairs.new, pairs.old)
    order = np.argsort(places.areas, kind="stable")
    first, last = (np.searchsorted(places.areas, old, side=side, sorter=order) for side in ("left", "right"))
    has = last > first
    rows = order[first[has]]
    return Places(
        kind=places.kind,
        source=f"{places.source} (by overlap)",
        areas=new[has],
        codes=places.codes[rows],
        names=places.names[rows],
        authority_codes=places.authority_codes[rows],
        authorities=places.authorities[rows],
    )
