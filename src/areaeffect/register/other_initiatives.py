"""Other initiatives of the register: where and when something else is known to have happened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from areaeffect.errors import DataError, first_few, number_of
from areaeffect.geography.boundaries import Boundaries
from areaeffect.geography.shape_files import SUFFIXES
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind, kind_of, parse_period
from areaeffect.register.drawn_areas import PlacesRead
from areaeffect.register.initiatives import places_found
from areaeffect.register.places import PlaceLookup, authorities_of, in_authority, lookups_of, vintage_of
from areaeffect.register.rows import Record, grouped, read_records, start_kind
from areaeffect.results import Ints, Strings
from areaeffect.study.file import StudyFile
from areaeffect.study.initiative import Initiative
from areaeffect.study.parts import Window, resolve

OTHERS = "Other initiatives"
DURING, ENDED, LATER = "during the window", "ended before the window", "begins after the window"
#: Columns that say one thing, the first that is filled.
_PROGRAMME = ("programme", "initiative")
_NAME = ("neighbourhood", "area_name", "name")
_AUTHORITY = ("authority_code", "lad_code", "authority", "local_authority")
_CODES = ("match_code", "codes")
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One neighbourhood of an initiative that is not studied."""

    #: file, place: where it is
    file: str
    place: str
    #: programme, name, authority, start, end, resident_led: as written; '' where not given
    programme: str
    name: str
    authority: str = ""
    start: str = ""
    end: str = ""
    resident_led: str = ""
    areas: tuple[str, ...] = ()  # codes of its areas, whether the study has data for them or not
    how: str = "not located"  # or 'code', 'ward', 'MSOA', 'postcodes', 'drawn'
    reason: str = ""  # why it could not be located
    when: str = DURING  # `DURING`, `ENDED` or `LATER`


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

    `authority` holds codes or names of each area's authority, where the study has a column of them.
    """
    register, window = file.study.register_, file.study.study.window
    if not register.others:
        return Others()
    vintage = vintage_of(areas, file.folder)
    files = [resolve(name, file.folder) for name in register.others]
    listed, notes = read_register(files, register.lookup, file.folder, vintage, boundaries, areas, window)
    studied_here = {(n.initiative, n.name) for n in own}
    entries = tuple(e for e in listed if (e.programme, e.name) not in studied_here)
    named = authorities_of(authority, vintage, file.folder, areas)
    names = named[0][1] if named else np.full(len(areas), "")
    if register.uncoded != "ignore" and not (names != "").any() and not all(e.areas for e in entries):
        what = "authorities cannot be left out: it is not known in which authority each area lies."
        fix = 'Name a column: authority = "source.column", with codes or names of authorities.'
        raise DataError(what, file.where("register.uncoded"), fix)
    may_lie_in = tuple(
        np.flatnonzero(in_authority(entry.authority, named, len(areas)))
        for entry in entries
        if not entry.areas and entry.when == DURING
    )
    position = {str(code): i for i, code in enumerate(areas)}
    treated = {str(areas[a]) for n in own for a in n.areas}
    studied = _studied(entries, position, treated, window) if register.study_others else ()
    mine = treated | {str(areas[a]) for n in studied for a in n.areas}
    left = sorted({c for e in entries if e.when == DURING for c in e.areas} - mine)
    return Others(
        entries=entries,
        areas=np.array([position[c] for c in left if c in position], dtype=np.int64),
        unlocated=np.bincount(np.concatenate([*may_lie_in, np.empty(0, np.int64)]), minlength=len(areas)),
        may_lie_in=may_lie_in,
        authority=names,
        overlaps=_overlaps(entries, own, areas),
        studied=studied,
        notes=(*notes, *notes_on(entries, areas)),
    )


def _studied(
    entries: Sequence[Entry], position: dict[str, int], treated: set[str], window: Window
) -> tuple[Neighbourhood, ...]:
    """Return the other initiatives that can be studied: located, begun inside the window."""
    taken = set(treated)
    found = []
    begins, over = window.months
    for entry in entries:
        own = start_kind(entry.start, window)
        start = parse_period(entry.start, own) if entry.start else None
        codes = [c for c in entry.areas if c in position and c not in taken]
        if start is None or not codes:
            continue
        if not begins < own.first_month(start) < over:
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


def read_register(
    files: Sequence[Path],
    lookup: str | None,
    folder: Path,
    vintage: str | None,
    boundaries: Boundaries | None,
    areas: Strings,
    window: Window | None,
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Read the register's files: of every entry which areas it has, or why none; and remarks.

    Files are tables by area code, ward, MSOA, `match_code`, name in an authority, or postcode, or
    drawn boundaries. Without a window, an entry is taken to be going on, as one without dates.
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
            entries += _placed(path, found, "drawn" if is_drawn else "postcodes")
            notes += [*found.notes, *found.account()]
        else:
            if places is None:
                places = lookups_of(lookup, vintage, folder, areas)
            entries += _listed(path, table.records, places)
            notes += [*table.notes, table.account()]
    undated = [t for e in entries for t in (e.start, e.end) if t and kind_of(t) is None]
    if undated:
        what = (
            f"{number_of(len(undated), 'date', 'dates')} cannot be read, so their initiatives "
            "are taken as going on"
        )
        notes.append(f"Other initiatives: {what} ({first_few(list(dict.fromkeys(undated)))}).")
    return tuple(replace(e, when=_when(e, window)) for e in entries), tuple(notes)


def _listed(path: Path, records: Sequence[Record], places: Sequence[PlaceLookup]) -> list[Entry]:
    """Return the entries of a table, one a neighbourhood, located by code or by name where they can be."""
    coded: dict[tuple[str, ...], tuple[Entry, set[str]]] = {}
    located = []
    for record in records:
        values = record.values
        code = values.get("area_code", "")
        areas, how, reason = ((), "code", "") if code else _locate(record, places)
        entry = Entry(
            file=path.name,
            place=record.place,
            programme=_first(record, _PROGRAMME) or path.stem,
            name=_first(record, _NAME) or ("" if code else _first(record, ("ward", "msoa"))) or path.stem,
            authority=_first(record, _AUTHORITY[::-1]),
            start=_first(record, ("start_date", "award_date")),
            end=values.get("end_date", ""),
            resident_led=values.get("resident_led", ""),
            areas=areas,
            how=how,
            reason=reason,
        )
        if code:
            key = (entry.programme, entry.name, values.get("start_date", ""))
            coded.setdefault(key, (entry, set()))[1].add(code)
        else:
            located.append(entry)
    return [*(replace(e, areas=tuple(sorted(codes))) for e, codes in coded.values()), *located]


def _placed(path: Path, found: PlacesRead, how: str) -> list[Entry]:
    """Return the entries of a file of postcodes or drawn boundaries, one a neighbourhood."""
    return [
        Entry(
            file=path.name,
            place=rows[0].place,
            programme=programme,
            name=name,
            start=rows[0].start,
            end=rows[0].end,
            resident_led="" if rows[0].resident_led is None else str(rows[0].resident_led).lower(),
            areas=tuple(sorted({r.area for r in rows})),
            how=how,
        )
        for (programme, name), rows in grouped(found.rows).items()
    ] + [
        Entry(file=path.name, place=e.place, programme=path.stem, name=e.what, reason=e.reason)
        for e in found.left_out
    ]


def _first(record: Record, names: Sequence[str]) -> str:
    return next((record.values[n] for n in names if record.values.get(n)), "")


def _locate(record: Record, places: Sequence[PlaceLookup]) -> tuple[tuple[str, ...], str, str]:
    """Return areas, how they were found, and why not.

    Without a ward, MSOA or code of one, a ward or MSOA of the entry's own name in its own
    authority is taken for it.
    """
    lost = (), "not located"
    if not places:
        return *lost, "it has no area codes, and no lookup of wards is here"
    codes = re.findall(r"[EWSN]\d{8}", " ".join(record.values.get(c, "") for c in _CODES))
    kind = next((k for k in ("ward", "msoa") if record.values.get(k)), "")
    if codes and not kind:
        found = [next(((p, a) for p in places if not isinstance(a := p.find(c), str)), None) for c in codes]
        areas = {code for one in found if one for code in one[1]}
        kinds = sorted({one[0].title for one in found if one})
        if areas:
            return tuple(sorted(areas)), " and ".join(kinds), ""
        return *lost, f"no lookup has {', '.join(codes)}"
    authorities = [record.values[a] for a in _AUTHORITY if record.values.get(a)]
    if not authorities and not kind:
        return *lost, "it has neither area codes nor a local authority"
    text = record.values[kind] if kind else _first(record, _NAME)
    for lookup in (p for p in places if kind in {"", p.kind}):
        for authority in authorities or [""]:
            named = lookup.find(text, authority)
            if not isinstance(named, str):
                return named, lookup.title, ""
    where = f" in {authorities[-1]}" if authorities else ""
    return *lost, f"no ward or MSOA is called '{text}'{where}"


def _when(entry: Entry, window: Window | None) -> str:
    if window is None or window.kind is PeriodKind.NUMBER:
        return DURING
    first, last = _months(window.start), _months(window.end)
    if first is None or last is None:
        return DURING
    begun, ended = _months(entry.start), _months(entry.end)
    if ended is not None and ended[1] < first[0]:
        return ENDED
    return LATER if begun is not None and begun[0] > last[1] else DURING


def _months(text: str) -> tuple[int, int] | None:
    """Return the first and last month of a period as written; None where it cannot be read."""
    kind = kind_of(text) if text else None
    ordinal = parse_period(text, kind) if kind else None
    if kind in {None, PeriodKind.NUMBER} or ordinal is None:
        return None
    return kind.first_month(ordinal), kind.first_month(ordinal + 1) - 1


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
