"""Other initiatives of the register: where and when something else is known to have happened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from areaeffect.period_texts import kind_of, parse_period
from areaeffect.periods import PeriodKind
from areaeffect.register.drawn_areas import PlacesRead
from areaeffect.register.places import PlaceLookup
from areaeffect.register.rows import AreaRow, Record
from areaeffect.study.parts import Window

_PROGRAMME = ("programme", "initiative")
_NAME = ("neighbourhood", "area_name", "name")
_AUTHORITY = ("authority_code", "lad_code", "authority", "local_authority")
_AUTHORITY_NAME = ("local_authority", "authority", "lad_code", "authority_code")
_CODES = ("match_code", "codes")
DURING, ENDED, LATER = "during the window", "ended before the window", "begins after the window"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One neighbourhood of an initiative that is not studied."""

    #: file, place: where it is
    file: str
    place: str
    #: programme, name, authority: as written; '' where not given.
    programme: str
    name: str
    authority: str
    #: start, end: as written
    start: str
    end: str
    resident_led: str  # as written
    areas: tuple[str, ...]  # codes of the areas found for it, whether the study has data for them or not
    how: str  # 'code', 'ward', 'MSOA', 'postcodes', 'drawn', or 'not located'
    reason: str  # why it could not be located
    when: str  # `DURING`, `ENDED` or `LATER`


def read_entries(
    path: Path, records: Sequence[Record], places: Sequence[PlaceLookup], window: Window | None
) -> list[Entry]:
    """Read a register: one entry a neighbourhood, located by code or by name where it can be.

    Parameters
    ----------
    path, records : of a table. `programme` (or `initiative`) and `neighbourhood` (or `area_name`)
        name an entry;
        `area_code`, `ward`, `msoa` or `match_code` (several codes with ';') say where it is. With
        none of them, a ward or MSOA of the entry's own name in its own authority (`authority`,
        `local_authority`, `lad_code`) is taken for it.
    places : lookups of wards and MSOAs, in order of preference.
    window : of the study; None where there is none. An entry without dates is taken to be going
        on.
    """
    by_code: dict[tuple[str, ...], tuple[Record, set[str]]] = {}
    entries = []
    for record in records:
        code = record.values.get("area_code", "")
        if code:
            key = tuple(_first(record, names) for names in (_PROGRAMME, _NAME, ("start_date",)))
            by_code.setdefault(key, (record, set()))[1].add(code)
            continue
        areas, how, reason = _locate(record, places)
        entries.append(_entry(path, record, areas, how, reason, window))
    coded = [
        _entry(path, record, tuple(sorted(codes)), "code", "", window) for record, codes in by_code.values()
    ]
    return coded + entries


def entries_of(path: Path, found: PlacesRead, how: str, window: Window | None) -> list[Entry]:
    """Return what a file of postcodes or drawn boundaries came to, one entry a neighbourhood.

    Parameters
    ----------
    found : its rows, and what could not be used.
    how : 'postcodes' or 'drawn'.
    """
    grouped: dict[tuple[str, str], list[AreaRow]] = {}
    for row in found.rows:
        grouped.setdefault((row.programme, row.neighbourhood), []).append(row)
    entries = []
    for (programme, name), rows in grouped.items():
        first = rows[0]
        led = "" if first.resident_led is None else str(first.resident_led).lower()
        codes = tuple(sorted({r.area for r in rows}))
        when = _when(first.start, first.end, window)
        entries.append(
            Entry(
                file=path.name,
                place=first.place,
                programme=programme,
                name=name,
                authority="",
                start=first.start,
                end=first.end,
                resident_led=led,
                areas=codes,
                how=how,
                reason="",
                when=when,
            )
        )
    return entries + [
        Entry(
            file=path.name,
            place=left.place,
            programme=path.stem,
            name=left.what,
            authority="",
            start="",
            end="",
            resident_led="",
            areas=(),
            how="not located",
            reason=left.reason,
            when=DURING,
        )
        for left in found.left_out
    ]


def _entry(
    path: Path, record: Record, areas: tuple[str, ...], how: str, reason: str, window: Window | None
) -> Entry:
    start, end = record.values.get("start_date", ""), record.values.get("end_date", "")
    start = start or record.values.get("award_date", "")
    named = "" if how == "code" else _first(record, ("ward", "msoa"))
    return Entry(
        file=path.name,
        place=record.place,
        programme=_first(record, _PROGRAMME) or path.stem,
        name=_first(record, _NAME) or named or path.stem,
        authority=_first(record, _AUTHORITY_NAME),
        start=start,
        end=end,
        resident_led=record.values.get("resident_led", ""),
        areas=areas,
        how=how,
        reason=reason,
        when=_when(start, end, window),
    )


def _first(record: Record, names: Sequence[str]) -> str:
    return next((record.values[n] for n in names if record.values.get(n)), "")


def _locate(record: Record, places: Sequence[PlaceLookup]) -> tuple[tuple[str, ...], str, str]:
    """Return areas, how they were found, and why not."""
    if not places:
        return (), "not located", "it has no area codes, and no lookup of wards is here"
    authorities = [record.values[a] for a in _AUTHORITY if record.values.get(a)]
    written = [(k, record.values[k]) for k in ("ward", "msoa") if record.values.get(k)]
    codes = re.findall(r"[EWSN]\d{8}", " ".join(record.values.get(c, "") for c in _CODES))
    if written:
        kind, text = written[0]
        return _by_name(text, authorities or [""], [p for p in places if p.kind == kind])
    if codes:
        found: set[str] = set()
        kinds = set()
        for code in codes:
            for lookup in places:
                areas = lookup.find(code)
                if not isinstance(areas, str):
                    found.update(areas)
                    kinds.add(_title(lookup))
                    break
        if found:
            return tuple(sorted(found)), " and ".join(sorted(kinds)), ""
        return (), "not located", f"no lookup has {', '.join(codes)}"
    if not authorities:
        return (), "not located", "it has neither area codes nor a local authority"
    return _by_name(_first(record, _NAME), authorities, places)


def _by_name(
    text: str, authorities: Sequence[str], places: Sequence[PlaceLookup]
) -> tuple[tuple[str, ...], str, str]:
    reasons = []
    for lookup in places:
        for authority in authorities:
            areas = lookup.find(text, authority)
            if not isinstance(areas, str):
                return areas, _title(lookup), ""
            reasons.append(areas)
    where = f" in {authorities[-1]}" if authorities[-1] else ""
    return (), "not located", f"no ward or MSOA is called '{text}'{where}"


def _title(lookup: PlaceLookup) -> str:
    return "MSOA" if lookup.kind == "msoa" else "ward"


def _when(start: str, end: str, window: Window | None) -> str:
    if window is None:
        return DURING
    first, last = _months(window.start), _months(window.end)
    if window.kind is PeriodKind.NUMBER or first is None or last is None:
        return DURING
    begun, ended = _months(start), _months(end)
    if ended is not None and ended[1] < first[0]:
        return ENDED
    if begun is not None and begun[0] > last[1]:
        return LATER
    return DURING


def _months(text: str) -> tuple[int, int] | None:
    """Return the first and last month of a period as written; None where it cannot be read."""
    kind = kind_of(text) if text else None
    ordinal = parse_period(text, kind) if kind else None
    if kind in {None, PeriodKind.NUMBER} or ordinal is None:
        return None
    return kind.first_month(ordinal), kind.first_month(ordinal + 1) - 1
