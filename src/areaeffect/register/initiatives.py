"""The initiatives a study names, in whatever way it names their places, as neighbourhoods."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from areaeffect.errors import DataError, Problem, did_you_mean, first_few, number_of, repeated
from areaeffect.geography.boundaries import Boundaries
from areaeffect.geography.shape_files import SUFFIXES
from areaeffect.panel import Neighbourhood
from areaeffect.register.drawn_areas import OUTSIDE, LeftOut, PlacesRead, rows_of_drawn
from areaeffect.register.places import KINDS, Postcodes, find_places, find_postcodes
from areaeffect.register.rows import (
    KNOWN,
    Record,
    contradictions,
    date_problems,
    neighbourhoods_of,
    read_records,
    row_of,
    unnamed,
    value_problems,
)
from areaeffect.results import Strings
from areaeffect.sources.publishers.large_files import plain_postcode
from areaeffect.study.initiative import Initiative
from areaeffect.study.parts import Window, resolve
from areaeffect.tables.cells import compared_text

_LSOA = re.compile(r"[EW]01\d{6}")
AUTHORITY = ("authority", "local_authority", "authority_code", "lad_code")


def neighbourhoods_named(
    initiative: Initiative,
    path: Path,
    folder: Path,
    boundaries: Boundaries | None,
    areas: Strings,
    window: Window,
) -> tuple[list[Neighbourhood], PlacesRead]:
    """Return the neighbourhoods of an initiative's file, and what came of its places; raise every fault."""
    found = places_found(initiative, path, folder, boundaries, areas)
    if initiative.elsewhere == "leave out":
        _leave_elsewhere_out(found, path, areas)
    units = neighbourhoods_of(found.rows, path, areas, window, found.faults)
    if initiative.attributes is not None:
        units, notes = with_attributes(units, resolve(initiative.attributes, folder))
        found.notes += notes
    return units, found


def refuse_faulty_list(initiative: Initiative, folder: Path, window: Window) -> None:
    """Refuse what is wrong with a list of area codes by itself: rows, starts, ends that are unreadable."""
    if initiative.areas is None:
        return
    path = resolve(initiative.areas, folder)
    if path.suffix.lower() in SUFFIXES:
        return
    table = read_records(path)
    if "area_code" in table.columns:
        rows = [row_of(r, r.values["area_code"], initiative) for r in table.records]
        faults = [*value_problems(table.records, path), *date_problems(rows, window, path)]
        if faults:
            raise DataError(faults)


def places_found(
    initiative: Initiative, path: Path, folder: Path, boundaries: Boundaries | None, areas: Strings
) -> PlacesRead:
    """Return the areas of the places that a file names: by area code, ward, MSOA, postcode, or drawn.

    What is wrong with entries is in `faults`.
    """
    if path.suffix.lower() in SUFFIXES:
        return rows_of_drawn(initiative, path, folder, boundaries, areas)
    table = read_records(path)
    columns, records = table.columns, table.records
    kind = next((k for k in KINDS if k in columns), None)
    if "area_code" not in columns and kind is not None:
        found = _by_name(initiative, path, folder, records, kind, areas)
    elif "area_code" not in columns and "postcode" in columns:
        found = _by_postcode(initiative, path, folder, records, areas)
    else:
        if "area_code" not in columns:
            fix = did_you_mean("area_code", columns) or f"Columns: {', '.join(columns) or 'none'}."
            if any(re.search(r"\d{2}", c) for c in columns):
                fix = "Write a header above the first row, such as area_code. It holds: "
                fix += f"{', '.join(columns)}."
            raise DataError("there is no column 'area_code'.", f"{path}, line 1", fix)
        spelled = {compared_text(str(a)): str(a) for a in areas}
        codes = [(r, r.values["area_code"]) for r in records]
        rows = [row_of(r, spelled.get(compared_text(c), c), initiative) for r, c in codes]
        found = PlacesRead(rows=rows, faults=value_problems(records, path) + unnamed(records, path))
        other = [(c, row.area) for (_, c), row in zip(codes, rows, strict=True) if c != row.area]
        if other:
            found.notes.append(f"{path.name}: '{other[0][0]}' is taken as '{other[0][1]}'.")
    found.notes[:0] = [*table.notes, *_two_starts(initiative, records, path)]
    found.table = table
    return found


def _two_starts(initiative: Initiative, records: Sequence[Record], path: Path) -> list[str]:
    """Say which start holds where the study and its list give different ones."""
    start = initiative.start
    dated = [text for r in records if (text := r.values.get("start_date", ""))]
    if not start or initiative.start_instead or all(text.startswith(start) for text in dated):
        return []
    used = f"used in the {len(records) - len(dated)} others" if len(dated) < len(records) else "not used"
    rows = number_of(len(dated), "row", "rows")
    return [f"{path.name}: start_date holds in {rows}; the study's start, {start}, is {used}."]


def _leave_elsewhere_out(found: PlacesRead, path: Path, areas: Strings) -> None:
    """Take rows of areas outside the panel away, and say which neighbourhoods they were of."""
    held = set(areas.tolist())
    outside = [row for row in found.rows if row.area not in held]
    found.rows = [row for row in found.rows if row.area in held]
    found.left_out += [LeftOut(path.name, row.place, row.area, OUTSIDE) for row in outside]
    if outside:
        places = {row.neighbourhood for row in outside}
        whole = places - {row.neighbourhood for row in found.rows}
        what = (
            f"{number_of(len(outside), 'area lies', 'areas lie')} outside the study's areas and are left out"
        )
        found.notes.append(f"{path.name}: {what}; {len(whole)} neighbourhoods lie there altogether.")


def _by_name(
    initiative: Initiative, path: Path, folder: Path, records: list[Record], kind: str, areas: Strings
) -> PlacesRead:
    """Return the areas of wards or MSOAs, one record each; those beyond the study are listed."""
    places = find_places(kind, initiative.lookup, folder, areas)
    here = set(map(str, areas))
    found = PlacesRead(faults=value_problems(records, path), notes=[places.account])
    for record in records:
        authority = next((record.values[c] for c in AUTHORITY if record.values.get(c)), "")
        codes = places.find(record.values[kind], authority)
        if isinstance(codes, str):
            fix = "Name its local authority in a column 'authority'." if not authority else ""
            found.fault(f"{codes}.", f"{path}, {record.place}", fix)
            continue
        called = record.values.get("neighbourhood") or record.values[kind]
        named = Record(record.place, {**record.values, "neighbourhood": called})
        found.rows += [row_of(named, c, initiative, (kind, *AUTHORITY)) for c in codes if c in here]
        if beyond := len(set(codes) - here):
            why = f"{beyond} of its {number_of(len(codes), 'area is', 'areas are')} not in the study's data"
            found.left_out.append(LeftOut(path.name, record.place, record.values[kind], why))
    if not found.rows and not found.faults:
        what = f"none of these {kind}s lies in the study's data."
        found.fault(what, str(path), "Check what the sources cover.")
    return found


def _by_postcode(
    initiative: Initiative, path: Path, folder: Path, records: list[Record], areas: Strings
) -> PlacesRead:
    """Return the areas of which enough postcodes are listed; bad postcodes are left out by name."""
    postcodes = find_postcodes(initiative.lookup, folder, areas, str(path))
    found = PlacesRead(faults=value_problems(records, path) + unnamed(records, path))
    found.notes.append(postcodes.account)
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        text = record.values["postcode"]
        fault = postcodes.fault(text)
        if fault:
            found.left_out.append(LeftOut(path.name, record.place, text, fault))
            continue
        row = row_of(record, "", initiative)
        groups.setdefault((row.programme, row.neighbourhood), []).append(record)
    every = [r.values["postcode"] for own in groups.values() for r in own]
    of_each = [{plain_postcode(r.values["postcode"]) for r in own} for own in groups.values()]
    if several := repeated(postcode for own in of_each for postcode in own):
        what = f"{number_of(len(several), 'postcode is', 'postcodes are')} listed for two neighbourhoods"
        found.notes.append(f"{path.name}: {what} and count for both ({first_few(several)}).")
    if every and (why := postcodes.shares_cannot_be_told(every)):
        fix = "Name a whole lookup, such as the ONS Postcode Directory: shares are of all postcodes."
        if any(_LSOA.fullmatch(postcodes.area_of(t)) for t in every):
            found.fault(f"{why}; an LSOA has about 40.", str(path), fix)
            return found
        found.notes.append(f"{path.name}: {why}. Where there are more, shares are too high.")
    for (_, neighbourhood), own in groups.items():
        _place_group(found, neighbourhood, own, initiative, path, postcodes, areas)
    if not groups:
        what = "the file lists no postcodes"
        if found.left_out:
            what = f"none of {len(records)} postcodes can be placed: {found.left_out[0].reason}"
        found.fault(what, str(path), "Check the column and the lookup.")
    return found


def _place_group(
    found: PlacesRead,
    name: str,
    own: list[Record],
    initiative: Initiative,
    path: Path,
    postcodes: Postcodes,
    areas: Strings,
) -> None:
    """Add the areas that match the postcodes of one neighbourhood, and how well they fit."""
    least, here = initiative.fit.least, set(map(str, areas))
    shares = postcodes.shares([r.values["postcode"] for r in own])
    reasons = {
        area: "not in the study's data"
        if area not in here
        else ""
        if share >= least
        else f"under {least:.0%} of its postcodes are listed"
        for area, share in shares.items()
    }
    kept = [area for area in shares if not reasons[area]]
    found.faults += contradictions(own, initiative, path)
    found.add(
        own[0],
        initiative,
        "postcodes",
        [(area, share, reasons[area]) for area, share in shares.items()],
        ("postcode",),
        covered=None,
        captured=sum(postcodes.area_of(p.values["postcode"]) in kept for p in own) / len(own),
        inside=float(np.mean([shares[a] for a in kept])) if kept else None,
    )
    if kept:
        return
    if initiative.elsewhere == "leave out" and not here & set(shares):
        found.left_out.append(LeftOut(path.name, own[0].place, name, OUTSIDE))
        return
    area, share = max(shares.items(), key=lambda item: item[1])
    what = f"no area matches '{name}': the largest listed share of an area's postcodes is {share:.0%}, of"
    fix = "List all its postcodes, draw its boundary, or lower `fit.least`."
    found.fault(f"{what} {area}.", str(path), fix)


_NAMES = ("neighbourhood", "area_name", "name")


def with_attributes(
    units: Sequence[Neighbourhood], path: Path
) -> tuple[list[Neighbourhood], tuple[str, ...]]:
    """Return neighbourhoods with the further columns of their row, and remarks; the file of areas wins."""
    table = read_records(path)
    columns, records = table.columns, table.records
    key = next((name for name in _NAMES if name in columns), None)
    if key is None:
        what = "no column says which neighbourhood a row is of."
        raise DataError(what, f"{path}, line 1", f"Name one of: {', '.join(_NAMES)}.")
    rows: dict[str, dict[str, str]] = {}
    spelled = {compared_text(u.name): u.name for u in units}
    problems = []
    for record in records:
        name = spelled.get(compared_text(record.values[key]), record.values[key])
        if name in rows:
            problems.append(Problem(f"'{name}' is in two rows.", f"{path}, {record.place}", "Keep one."))
        rows[name] = {k: v for k, v in record.values.items() if v and k not in (*KNOWN, key)}
    for name in (u.name for u in units if u.name not in rows):
        fix = did_you_mean(name, list(rows)) or "Add one; its cells may be empty."
        problems.append(Problem(f"the neighbourhood '{name}' has no row.", str(path), fix))
    if problems:
        raise DataError(problems)
    notes = [*table.notes, table.account()]
    if unused := sorted(rows.keys() - spelled.values()):
        what = f"{number_of(len(unused), 'row is', 'rows are')} of no neighbourhood of the study"
        notes.append(f"{path.name}: {what} ({first_few(unused)}).")
    made = [replace(u, attributes={**rows[u.name], **u.attributes}) for u in units]
    return made, tuple(notes)
