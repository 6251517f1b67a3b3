"""The map that places are made of: areas, who is on them already, and places of either kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.geography.neighbours import contiguity
from areaeffect.register.files import notes_on, read_register
from areaeffect.register.place_lookups import vintage_of
from areaeffect.where_next import ranking as targeting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from areaeffect.assembly.assemble import Assembled
    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.panel import Graph, Strings
    from areaeffect.results import Bools, Floats, Ints, Release
    from areaeffect.study.file import StudyFile


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AreaMap:
    """The map of areas that places are made of, and who is on it already."""

    areas: Strings
    names: Strings
    taken: Ints
    near: Ints
    buffer_km: float | None
    graph: Graph | None
    boundaries: Boundaries | None
    releases: tuple[Release, ...]
    notes: tuple[str, ...]


def map_of_study(file: StudyFile, data: Assembled, others: Sequence[Path], lookup: str | None) -> AreaMap:
    """Return the map of a study: its panel, everything its register names, and the buffer.

    An initiative that ended before the study's window, or begins after it, takes its areas too.
    """
    panel = data.panel
    lookup = lookup or file.study.register_.lookup
    further, notes = taken_by(others, lookup, file.folder, data.boundaries, panel.areas)
    named = [c for e in data.registered.known.entries for c in e.areas]
    known = np.flatnonzero(np.isin(panel.areas, np.array(named, dtype=np.str_)))
    treated = [n.areas for n in data.neighbourhoods]
    taken = np.unique(np.concatenate([*treated, known, further]))
    near = panel.near.of_any(taken) if panel.near is not None else np.empty(0, np.int64)
    return AreaMap(
        areas=panel.areas,
        names=panel.names,
        taken=taken,
        near=near,
        buffer_km=file.study.register_.buffer_km if panel.near is not None else None,
        graph=contiguity(data.boundaries) if data.boundaries else None,
        boundaries=data.boundaries,
        releases=panel.releases,
        notes=(*data.registered.known.notes, *notes),
    )


def taken_by(
    files: Sequence[Path], lookup: str | None, folder: Path, boundaries: Boundaries | None, areas: Strings
) -> tuple[Ints, tuple[str, ...]]:
    """Return the areas (positions) that files of initiatives name in whatever way, and notes."""
    vintage = vintage_of(areas, folder) if files else None
    entries, notes = read_register(files, lookup, folder, vintage, boundaries, areas, None)
    codes = np.array([c for e in entries for c in e.areas], dtype=np.str_)
    here = np.flatnonzero(np.isin(areas, codes)).astype(np.int64)
    return here, (*notes, *notes_on(entries, areas))


def _allowed(area_map: AreaMap, known: Bools) -> Bools:
    allowed = known.copy()
    allowed[area_map.taken] = False
    allowed[area_map.near] = False
    return allowed


def contiguous_places(area_map: AreaMap, known: Bools, size: int) -> tuple[list[Ints], list[str]]:
    """Return contiguous places of the study's usual size; single areas without outlines."""
    allowed = _allowed(area_map, known)
    if area_map.graph is None or area_map.boundaries is None or size == 1:
        places = [np.array([a], dtype=np.int64) for a in np.flatnonzero(allowed)]
        names = [str(area_map.names[p[0]]) for p in places]
    else:
        places = targeting.compact(area_map.graph, area_map.boundaries.centres, allowed, size)
        centres = area_map.boundaries.centres
        names = [f"around {area_map.names[_middle(p, centres)]}" for p in places]
    _refuse_none(places)
    return places, names


def given_places(
    area_map: AreaMap, known: Bools, group: Strings, title: Strings
) -> tuple[list[Ints], list[str]]:
    """Return given groups of areas, those with a taken or near area left out."""
    allowed = _allowed(area_map, known)
    codes, place = np.unique(group, return_inverse=True)
    order = np.argsort(place, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(place))[:-1])
    whole = [
        (p, str(title[p[0]]) or str(c)) for c, p in zip(codes, parts, strict=True) if c and allowed[p].all()
    ]
    _refuse_none(whole)
    return [p.astype(np.int64) for p, _ in whole], [n for _, n in whole]


def _refuse_none(places: Sequence[Any]) -> None:
    if not places:
        raise DataError(
            Problem(
                "no place is left: all are in the register, near it, or lack a figure.",
                "",
                "Shorten `buffer_km`, or use figures that cover more areas.",
            )
        )


def _middle(place: Ints, centres: Floats) -> int:
    """Return the area nearest to the middle of a place."""
    apart = ((centres[place] - centres[place].mean(axis=0)) ** 2).sum(axis=1)
    return int(place[apart.argmin()])
