"""The register's other initiatives on the panel's areas: left out, overlapping, not located."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.panel import Neighbourhood
from areaeffect.period_texts import parse_period
from areaeffect.register.files import notes_on, read_register
from areaeffect.register.neighbourhoods import start_kind
from areaeffect.register.others import DURING, Entry
from areaeffect.register.place_lookups import vintage_of
from areaeffect.register.places import same_authority
from areaeffect.sources.publishers.panel import published_roots
from areaeffect.sources.publishers.tables import read
from areaeffect.study.paths import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.panel import Strings
    from areaeffect.results import Bools, Ints
    from areaeffect.study.file import StudyFile
    from areaeffect.study.parts import Window

OTHERS = "Other initiatives"
#: Releases that say in which authority the areas of a vintage lie, by code and name.
_AUTHORITIES = {
    "lsoa21": (("ward_lsoa21", "ltla24"), ("places_lsoa21", "ltla22")),
    "lsoa11": (("places_lsoa11", "ltla21"), ("places_lsoa11", "ltla20"), ("places_lsoa11", "ltla11")),
}


@dataclass(frozen=True, slots=True)
class Overlap:
    """Areas that two initiatives share.

    Parameters
    ----------
    first, second : (programme, neighbourhood).
    areas : codes, ascending.
    """

    first: tuple[str, str]
    second: tuple[str, str]
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Others:
    """What the register knows besides the studied initiatives.

    Parameters
    ----------
    entries : every entry.
    areas : positions of areas in one of them during the window, and not studied.
    unlocated : (n_areas,), entries of the area's authority that could not be located.
    may_lie_in : for each entry that could not be located, the areas of its authority; none where
        the authority is not known.
    authority : (n_areas,), name of the authority; '' where it is not known.
    overlaps : areas in several initiatives, the studied ones among them.
    studied : neighbourhoods of others that the study asks to study too.
    notes : remarks for the data annex.
    """

    entries: tuple[Entry, ...] = ()
    areas: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    unlocated: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    may_lie_in: tuple[Ints, ...] = ()
    authority: Strings = field(default_factory=lambda: np.empty(0, np.str_))
    overlaps: tuple[Overlap, ...] = ()
    studied: tuple[Neighbourhood, ...] = ()
    notes: tuple[str, ...] = ()


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
        Problem(
            "authorities cannot be left out: it is not known in which authority each area lies.",
            file.where("register.uncoded"),
            'Name a column: authority = "source.column", with codes or names of authorities.',
        )
    )
