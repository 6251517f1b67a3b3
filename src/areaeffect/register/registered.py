"""The register of a study: its own neighbourhoods, and everything else known to be going on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Faults, Problem
from areaeffect.register.initiatives import neighbourhoods_named
from areaeffect.register.located import Found
from areaeffect.register.neighbourhoods import neighbourhood_from_column
from areaeffect.register.other_initiatives import (
    Others,
    other_initiatives,
    refuse_unknown_authorities,
)
from areaeffect.sources.base import align, attribute
from areaeffect.study.model import resolve, split_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.panel import Neighbourhood, Strings
    from areaeffect.results import Ints
    from areaeffect.sources.base import SourceTable
    from areaeffect.study.file import StudyFile
    from areaeffect.study.initiative import Initiative


@dataclass(frozen=True, slots=True, eq=False)
class Registered:
    """All initiatives known, on the panel's areas.

    Parameters
    ----------
    neighbourhoods : of the studied initiatives, in the study's order; then of the others, where
        they are studied too.
    others : areas of other initiatives, which never serve as benchmark areas.
    found : what became of the places that the study's own files name, one a file.
    known : what the register knows besides.
    notes : remarks for the data annex.
    """

    neighbourhoods: tuple[Neighbourhood, ...]
    others: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    found: tuple[Found, ...] = ()
    known: Others = field(default_factory=Others)
    notes: tuple[str, ...] = ()


def registered_areas(
    file: StudyFile,
    tables: Mapping[str, SourceTable],
    areas: Strings,
    boundaries: Boundaries | None,
) -> Registered:
    """Read the initiatives and the register of a study.

    Raises
    ------
    StudyError, DataError
        With the faults of every file at once; an area in two neighbourhoods.
    """
    study = file.study
    neighbourhoods: list[Neighbourhood] = []
    found: list[Found] = []
    notes: list[str] = []
    faults = Faults()
    for initiative in study.initiative:
        more = faults.attempt(_neighbourhoods, initiative, file, tables, areas, boundaries)
        if more is not None:
            neighbourhoods += [_phased(n, initiative) for n in more[0]]
            found.append(more[1])
            notes += more[1].notes
    overlaps = _overlaps(neighbourhoods, areas)
    if overlaps:
        faults.errors.append(DataError(overlaps))
    authority = faults.attempt(_authority, file, tables, areas)
    others = faults.attempt(
        other_initiatives,
        file,
        areas,
        neighbourhoods,
        authority[0] if authority else None,
        boundaries,
    )
    if others is not None:
        faults.attempt(refuse_unknown_authorities, file, others)
    faults.raise_all()
    if others is None:
        raise AssertionError  # unreachable: an attempt without a result has recorded its fault
    every = (*neighbourhoods, *others.studied)
    return Registered(every, others.areas, tuple(found), others, (*notes, *others.notes))


def _authority(
    file: StudyFile, tables: Mapping[str, SourceTable], areas: Strings
) -> tuple[Strings | None]:
    """Return the column of authorities that the register names."""
    reference = file.study.register_.authority
    if reference is None:
        return (None,)
    return (attribute(tables, reference, areas).astype(str),)


def _neighbourhoods(
    initiative: Initiative,
    file: StudyFile,
    tables: Mapping[str, SourceTable],
    areas: Strings,
    boundaries: Boundaries | None,
) -> tuple[list[Neighbourhood], Found]:
    if initiative.areas is not None:
        path = resolve(initiative.areas, file.folder)
        window = file.study.study.window
        return neighbourhoods_named(initiative, path, file.folder, boundaries, areas, window)
    reference = initiative.treated_column or ""
    source, column = split_reference(reference)
    table = tables[source]
    if table.periods is None or column not in table.varying:
        raise DataError(
            Problem(
                f"'{reference}' does not change over time.",
                file.where("initiative"),
                "It must be 0 before the start and 1 from it on, in treated areas only.",
            )
        )
    treated = align(table.varying[column], table.areas, areas)
    periods = table.periods
    return neighbourhood_from_column(initiative, treated, periods.first, periods.kind), Found()


def _phased(place: Neighbourhood, initiative: Initiative) -> Neighbourhood:
    """Give a neighbourhood the phase between announcement and work that its initiative declares."""
    per_year = place.start_kind.per_year or 0
    return replace(place, phase_in=initiative.phase_in_months * per_year // 12)


def _overlaps(found: list[Neighbourhood], areas: Strings) -> list[Problem]:
    owner: dict[int, Neighbourhood] = {}
    problems = []
    for neighbourhood in found:
        for area in neighbourhood.areas:
            first = owner.setdefault(int(area), neighbourhood)
            if first is not neighbourhood:
                problems.append(
                    Problem(
                        f"area '{areas[area]}' is in '{first.name}' ({first.initiative}) and in "
                        f"'{neighbourhood.name}' ({neighbourhood.initiative}).",
                        "initiative",
                        "Keep it in one.",
                    )
                )
    return problems
