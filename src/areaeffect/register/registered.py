"""The register of a study: its own neighbourhoods, and everything else known to be going on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from areaeffect.errors import DataError, Faults, Problem, StudyError
from areaeffect.geography.boundaries import Boundaries, area_codes
from areaeffect.geography.shape_files import SUFFIXES, read_shape_file
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind, Periods, kind_of, label, parse_period
from areaeffect.register.drawn_areas import PlacesRead
from areaeffect.register.initiatives import neighbourhoods_named, refuse_faulty_list
from areaeffect.register.other_initiatives import Others, other_initiatives
from areaeffect.register.rows import read_records
from areaeffect.results import Floats, Ints, Strings
from areaeffect.sources.coverage import SourceTable, align, attribute
from areaeffect.sources.publishers.releases import named_file
from areaeffect.study.file import StudyFile
from areaeffect.study.initiative import Initiative
from areaeffect.study.model import split_reference
from areaeffect.study.parts import resolve

#: Why an area is neither treated nor a benchmark area.
THROUGHOUT = "treated in all of its periods"
_SHOWN = 5
#: How a column of starts writes that there is none.
_NEVER = frozenset({"", "0", "nan", "NaN", "NA", "inf", "Inf", "never"})
_THROUGHOUT = (
    "are treated from their first period on, so there are no figures from before their start",
    "Begin the table earlier, or write treated_throughout = 'leave out': they are then neither "
    "treated nor benchmark areas.",
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Registered:
    """All initiatives known, on the panel's areas."""

    #: of the studied initiatives, in the study's order; then of the others, where they are studied too.
    neighbourhoods: tuple[Neighbourhood, ...]
    #: areas of other initiatives, which never serve as benchmark areas
    others: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    found: tuple[PlacesRead, ...] = ()  # what the study's own files of places came to
    known: Others = field(default_factory=Others)  # what the register knows besides
    notes: tuple[str, ...] = ()  # remarks for the data annex
    #: areas treated in all their periods, neither treated here nor benchmark areas
    throughout: Ints = field(default_factory=lambda: np.empty(0, np.int64))


def registered_areas(
    file: StudyFile, tables: Mapping[str, SourceTable], areas: Strings, boundaries: Boundaries | None
) -> Registered:
    """Read the initiatives and the register of a study; raise the faults of every file at once."""
    study = file.study
    neighbourhoods, found = list[Neighbourhood](), list[PlacesRead]()
    notes, throughout = list[str](), [np.empty(0, np.int64)]
    faults = Faults()
    faults.attempt(_refuse_phases_without_months, file)
    for initiative in study.initiative:
        more = faults.attempt(_neighbourhoods, initiative, file, tables, areas, boundaries)
        if more is not None:
            phase = initiative.phase_in_months
            phased = [replace(n, phase_in=phase) for n in more[0]]
            before = faults.attempt(_since_announced, phased, initiative, file)
            neighbourhoods += phased if before is None else before
            found.append(more[1])
            notes += [*more[1].notes, *more[1].account(), *more[1].left_out_note()]
            throughout.append(more[2])
    if overlaps := _overlaps(neighbourhoods, areas):
        faults.errors.append(DataError(overlaps))
    column = study.register_.authority
    named = faults.attempt(attribute, tables, column, areas) if column else None
    authority = None if named is None else named.astype(str)
    others = faults.attempt(other_initiatives, file, areas, neighbourhoods, authority, boundaries)
    faults.raise_all()
    if others is None:
        raise AssertionError  # unreachable: an attempt without a result has recorded its fault
    every = (*neighbourhoods, *others.studied)
    always = np.concatenate(throughout)
    if len(always):
        notes.append(f"{areas_named(areas[always])}: {THROUGHOUT}, so left out altogether.")
    return Registered(
        neighbourhoods=every,
        others=others.areas,
        found=tuple(found),
        known=others,
        notes=(*notes, *others.notes),
        throughout=always,
    )


def look_at_lists(file: StudyFile, faults: Faults) -> None:
    """Add what is wrong with lists and outlines by themselves, where the tables cannot be read."""
    study = file.study
    for initiative in study.initiative:
        faults.attempt(refuse_faulty_list, initiative, file.folder, study.study.window)
        if initiative.attributes is not None:
            faults.attempt(read_records, resolve(initiative.attributes, file.folder))
    for source in study.source.values():
        if source.boundaries is not None:
            column = source.boundaries_area or source.area
            if path := faults.attempt(named_file, source.boundaries, file.folder):
                faults.attempt(area_codes, path, column)
    for name in study.register_.others:
        path = resolve(name, file.folder)
        if path.suffix.lower() in SUFFIXES:
            faults.attempt(read_shape_file, path)
        else:
            faults.attempt(read_records, path)


def _neighbourhoods(
    initiative: Initiative,
    file: StudyFile,
    tables: Mapping[str, SourceTable],
    areas: Strings,
    boundaries: Boundaries | None,
) -> tuple[list[Neighbourhood], PlacesRead, Ints]:
    if initiative.areas is not None:
        path = resolve(initiative.areas, file.folder)
        window = file.study.study.window
        named = neighbourhoods_named(initiative, path, file.folder, boundaries, areas, window)
        return (*named, np.empty(0, np.int64))
    key = "start_column" if initiative.start_column else "treated_column"
    reference = str(getattr(initiative, key))
    where = file.where(f"initiative.{file.study.initiative.index(initiative)}.{key}")
    source, column = split_reference(reference)
    table, notes = tables[source], list[str]()
    if initiative.start_column:
        starts = attribute(tables, reference, areas).astype(str)
        axis = tables[file.study.outcome[0].source].periods
        if axis is None:
            raise DataError("the first outcome's source has no period.", "initiative")
        made = neighbourhoods_from_starts(initiative, starts, axis, areas, where)
    elif table.periods is None or column not in table.varying:
        fix = "It must be 0 before the start and 1 from it on, in treated areas only."
        raise DataError(f"'{reference}' does not change over time.", where, fix)
    else:
        treated = align(table.varying[column], table.areas, areas)
        made = neighbourhoods_from_column(initiative, treated, table.periods, areas, where)
        notes += [*_blanks(treated, areas, f"'{reference}'"), *_late(treated, table.periods, areas)]
    return made[0], PlacesRead(notes=notes), made[1]


def _blanks(treated: Floats, areas: Strings, where: str) -> list[str]:
    """Say how the blanks of treated areas are read; a period without any row is no blank."""
    known, on = np.isfinite(treated), treated == 1
    blank = ~known & known.any(axis=0) & on.any(axis=1)[:, None]
    before = np.arange(treated.shape[1]) < on.argmax(axis=1)[:, None]
    return [
        f"{where}: {int(cells.sum())} blanks of {areas_named(areas[cells.any(axis=1)])} {what}."
        for cells, what in (
            (blank & before, "before the first 1 are taken as 0"),
            (blank & ~before, "after the first 1 are taken as 1"),
        )
        if cells.any()
    ]


def _late(treated: Floats, periods: Periods, areas: Strings) -> list[str]:
    """Name areas whose only 1 is in the last period, which may be a slip."""
    late = (treated[:, -1] == 1) & ~(treated[:, :-1] == 1).any(axis=1)
    last, named = periods.labels[-1], areas_named(areas[late])
    what = f"{last}, the last period, is the only one in which {named} "
    fix = "taken as a start then. Write 0 if it is a slip"
    return [f"{what}{'have' if late.sum() > 1 else 'has'} a 1: {fix}."] if late.any() else []


def _since_announced(
    found: list[Neighbourhood], initiative: Initiative, file: StudyFile
) -> list[Neighbourhood]:
    """Put what lies between announcement and start outside both sides; refuse a start before it."""
    if initiative.announced is None:
        return found
    kind = kind_of(initiative.announced)
    announced = parse_period(initiative.announced, kind) if kind else None
    if kind is None or announced is None:
        raise AssertionError  # unreachable: `PeriodText` has refused it
    first = kind.first_month(announced)
    waits = [n.start_kind.first_month(n.start) - first for n in found]
    early = [n for n, wait in zip(found, waits, strict=True) if wait <= 0]
    if early:
        where = f"initiative.{file.study.initiative.index(initiative)}.announced"
        begins = label(early[0].start, early[0].start_kind)
        what = f"'{early[0].name}' starts at {begins}, no later than {initiative.announced}."
        fix = "Give the period of the announcement, or drop `announced`."
        raise StudyError(what, file.where(where), fix)
    return [
        replace(n, start=first, start_kind=PeriodKind.MONTH, phase_in=n.phase_in + wait)
        for n, wait in zip(found, waits, strict=True)
    ]


def _refuse_phases_without_months(file: StudyFile) -> None:
    """A table's own numbers have no months, so a phase in months cannot be left out of them."""
    if file.study.study.window.kind is not PeriodKind.NUMBER:
        return
    problems = [
        Problem(
            "the window counts in numbers of the table's own, which have no months.",
            file.where(f"initiative.{i}.{'announced' if initiative.announced else 'phase_in_months'}"),
            "Write the periods as dates, or start at the first period of the work itself.",
        )
        for i, initiative in enumerate(file.study.initiative)
        if initiative.phase_in_months or initiative.announced
    ]
    if problems:
        raise StudyError(problems)


def _overlaps(found: list[Neighbourhood], areas: Strings) -> list[Problem]:
    owner: dict[int, Neighbourhood] = {}
    pairs = [(area, owner.setdefault(int(area), own), own) for own in found for area in own.areas]
    return [
        Problem(
            f"area '{areas[area]}' is in '{first.name}' ({first.initiative}) and in "
            f"'{own.name}' ({own.initiative}).",
            "initiative",
            "Keep it in one.",
        )
        for area, first, own in pairs
        if first is not own
    ]


def neighbourhoods_from_column(
    initiative: Initiative, treated: Floats, periods: Periods, areas: Strings, where: str
) -> tuple[list[Neighbourhood], Ints]:
    """Build neighbourhoods from a column, (n_areas, n_periods), that is 1 in treated area-periods.

    Areas that begin in the same period form one neighbourhood. Areas left out, because they are 1
    in all their periods, come with them.
    """
    known = np.isfinite(treated)
    on = known & (treated == 1)
    off_again = (np.maximum.accumulate(on, axis=1) & known & ~on).any(axis=1)
    ever = on.any(axis=1)
    begin = on.argmax(axis=1)
    throughout = ever & (begin == known.argmax(axis=1))
    left_out = throughout & (initiative.treated_throughout == "leave out")
    wrong = (known & (treated != 0) & (treated != 1)).any(axis=1)
    problems = [
        Problem(f"{areas_named(areas[mask])} {what}.", where, fix)
        for mask, what, fix in (
            (wrong, "hold values other than 0 and 1", "Write 1 in treated area-periods, else 0."),
            (
                off_again & ~wrong,
                "go back to 0 after a 1",
                "It must be 0 before the start and 1 from it on: what lasts after the work "
                "ended is part of the effect. Correct the column, or leave these areas out.",
            ),
            (throughout & ~left_out & ~wrong, *_THROUGHOUT),
        )
        if mask.any()
    ]
    if not (ever & ~left_out).any():
        problems.append(Problem("no area is 1 after being 0.", where, "It marks treated area-periods."))
    if problems:
        raise DataError(problems)
    ever &= ~left_out
    starts = [(periods.first + int(begin[i]), int(i)) for i in np.flatnonzero(ever)]
    return _by_start(initiative, starts, periods.kind), np.flatnonzero(left_out).astype(np.int64)


def neighbourhoods_from_starts(
    initiative: Initiative, starts: Strings, periods: Periods, areas: Strings, where: str
) -> tuple[list[Neighbourhood], Ints]:
    """Build neighbourhoods from a column with the start of each area, as text.

    Areas that begin in the same period form one neighbourhood. A blank, 0 or a start after the
    last period leaves an area untreated. Areas left out, because they start before the first
    period, come with them.
    """
    found: list[tuple[int, int]] = []
    unreadable, throughout = (np.zeros(len(starts), dtype=bool) for _ in range(2))
    for i, text in enumerate(starts):
        written = str(text).strip().removesuffix(".0")
        if written in _NEVER:
            continue
        ordinal = parse_period(written, periods.kind)
        if ordinal is None:
            unreadable[i] = True
        elif ordinal <= periods.first:
            throughout[i] = True
        elif ordinal < periods.first + periods.n:
            found.append((ordinal, i))
    problems = []
    if unreadable.any():
        own = ", ".join(sorted({f"'{t}'" for t in starts[unreadable]})[:_SHOWN])
        what = f"{own} ({areas_named(areas[unreadable])}) is not a {periods.kind}."
        fix = f"Write starts like the periods of the outcomes, such as '{periods.labels[0]}'."
        problems.append(Problem(what, where, fix))
    if throughout.any() and initiative.treated_throughout == "refuse":
        what = f"{areas_named(areas[throughout])} {_THROUGHOUT[0]}."
        problems.append(Problem(what, where, _THROUGHOUT[1]))
    if not found:
        problems.append(Problem("no area starts inside the periods of the outcomes.", where))
    if problems:
        raise DataError(problems)
    return _by_start(initiative, found, periods.kind), np.flatnonzero(throughout).astype(np.int64)


def _by_start(
    initiative: Initiative, starts: Sequence[tuple[int, int]], kind: PeriodKind
) -> list[Neighbourhood]:
    """Make one neighbourhood of the areas of each start; `starts` are (ordinal, area)."""
    ordinals = sorted({ordinal for ordinal, _ in starts})
    return [
        Neighbourhood(
            initiative=initiative.name,
            name=initiative.name if len(ordinals) == 1 else f"{initiative.name}, start {i + 1}",
            areas=np.array([area for own, area in starts if own == ordinal], dtype=np.int64),
            start=ordinal,
            start_kind=kind,
            resident_led=initiative.resident_led,
        )
        for i, ordinal in enumerate(ordinals)
    ]


def areas_named(codes: Strings) -> str:
    """Name some areas: 'areas A, B, C, D, E and 3 more'."""
    shown = ", ".join(map(str, codes[:_SHOWN]))
    more = f" and {len(codes) - _SHOWN} more" if len(codes) > _SHOWN else ""
    return f"area{'s' if len(codes) > 1 else ''} {shown}{more}"
