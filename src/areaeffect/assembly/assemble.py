"""Study file to panel: read the sources, bring them onto one set of areas, mark what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from areaeffect.assembly.measures import (
    last_as_benchmark,
    make_measures,
    measure_notes,
    refuse_breaks,
    refuse_one_date,
    wanted,
)
from areaeffect.errors import DataError, Faults, Problem, first_few
from areaeffect.geography.boundaries import Boundaries, contiguity, read_boundaries, read_neighbours, within
from areaeffect.panel import Graph, Measure, Neighbourhood, Panel
from areaeffect.periods import parse_period
from areaeffect.records import DataTable
from areaeffect.register.registered import Registered, look_at_lists, registered_areas
from areaeffect.results import Floats, Gap, Ints, Strings
from areaeffect.sources.coverage import SourceRequest, SourceTable, align, kind_of, one_spelling
from areaeffect.sources.publishers.releases import named_file
from areaeffect.study.file import StudyFile, refuse_missing_extras
from areaeffect.study.model import Study, split_reference
from areaeffect.study.parts import resolve
from areaeffect.tables.cells import read_numbers

#: Up to this share of cells that are no numbers a column of text is one of numbers with faults.
_SOME = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """A study's data, ready for design."""

    panel: Panel  # all areas and outcomes
    registered: Registered  # the studied initiatives, and the others known
    boundaries: Boundaries | None  # outlines; None where the study has none.
    #: what sources list for the data annex; several may list one of the same name.
    tables: tuple[DataTable, ...] = ()

    @property
    def neighbourhoods(self) -> tuple[Neighbourhood, ...]:
        """Of the studied initiatives, in the study's order."""
        return self.registered.neighbourhoods

    @property
    def others(self) -> Ints:
        """Areas of other initiatives."""
        return self.registered.others


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AreaData:
    """What a study's data say whoever is treated; many questions can be asked of one."""

    tables: dict[str, SourceTable]  # every source as read
    #: areas, names: (n_areas,), of the panel
    areas: Strings
    names: Strings
    #: measures, gaps: every outcome, and what is missing
    measures: dict[str, Measure]
    gaps: tuple[Gap, ...]
    #: covariates, covariate_as_of: (n_areas, n_covariates), and the date each describes
    covariates: Floats
    covariate_as_of: tuple[str, ...]
    attributes: dict[str, Strings]  # the columns that rules of the design name
    boundaries: Boundaries | None  # None where the study has none


def assemble(file: StudyFile, store: Path | None = None) -> Assembled:
    """Read everything a study names."""
    faults, of_outlines = Faults(), Faults()
    read = faults.attempt(_tables, file, store)
    if read is None:
        look_at_lists(file, faults)
        faults.raise_all()
        raise AssertionError  # unreachable: an attempt without a result has recorded its fault
    tables, areas, names = read
    outlined = of_outlines.attempt(outlines_of, file, areas)
    boundaries = outlined[0] if outlined else None
    area_data = faults.attempt(_area_data, file, tables, areas, names, boundaries)
    faults.errors += of_outlines.errors
    registered = faults.attempt(registered_areas, file, tables, areas, boundaries)
    faults.raise_all()
    if area_data is None or registered is None:
        raise AssertionError  # unreachable: an attempt without a result has recorded its fault
    return _assembled(file, area_data, registered)


def read_area_data(file: StudyFile, store: Path | None = None) -> AreaData:
    """Read everything a study names but its initiatives and its register."""
    tables, areas, names = _tables(file, store)
    return _area_data(file, tables, areas, names, outlines_of(file, areas)[0])


def with_initiatives(file: StudyFile, area_data: AreaData) -> Assembled:
    """Place the initiatives of a study on data that were read for the same sources."""
    registered = registered_areas(file, area_data.tables, area_data.areas, area_data.boundaries)
    return _assembled(file, area_data, registered)


def _tables(file: StudyFile, store: Path | None) -> tuple[dict[str, SourceTable], Strings, Strings]:
    refuse_missing_extras(file)
    tables = read_sources(file, store)
    return (tables, *areas_of(file.study, tables))


def _area_data(
    file: StudyFile,
    tables: dict[str, SourceTable],
    areas: Strings,
    names: Strings,
    boundaries: Boundaries | None,
) -> AreaData:
    study = file.study
    faults = Faults()
    measured = faults.attempt(make_measures, study, tables, areas)
    described = faults.attempt(covariates_of, file, tables, areas)
    attributes = faults.attempt(_text_attributes, study, tables, areas)
    faults.attempt(refuse_one_date, file)
    if measured is not None:
        faults.attempt(refuse_breaks, file, measured[0])
    faults.raise_all()
    if not (measured and described and attributes is not None):
        raise AssertionError  # unreachable: an attempt without a result has recorded its fault
    return AreaData(
        tables=tables,
        areas=areas,
        names=names,
        measures=measured[0],
        gaps=measured[1],
        covariates=described[0],
        covariate_as_of=described[1],
        attributes=attributes,
        boundaries=boundaries,
    )


def _assembled(file: StudyFile, area_data: AreaData, registered: Registered) -> Assembled:
    study, tables, boundaries = file.study, area_data.tables, area_data.boundaries
    measures = area_data.measures
    if study.design.last_to_start == "benchmark":
        registered, measures = last_as_benchmark(file, registered, measures)
    measured = {o.source for o in study.outcome}
    unmeasured = []  # areas that a table of the user's own describes and no outcome has
    for name, table in tables.items():
        if name in measured or study.source[name].kind != "panel":
            continue
        left = np.setdiff1d(table.areas, area_data.areas)
        if len(left):
            what = f"{len(left):,} of {len(table.areas):,} areas are in no outcome's table"
            unmeasured.append(f"{table.release.file}: {what} and are left out ({first_few(left.tolist())}).")
    metres = study.register_.buffer_km * 1000
    graph, of_neighbours = touching(file, area_data.areas, boundaries)
    panel = Panel(
        areas=area_data.areas,
        names=area_data.names,
        measures=measures,
        covariates=area_data.covariates,
        covariate_names=tuple(printed_column(study, c.column) for c in study.design.covariates),
        covariate_as_of=area_data.covariate_as_of,
        attributes=area_data.attributes,
        contiguity=graph,
        near=within(boundaries, metres) if boundaries and metres > 0 else None,
        gaps=area_data.gaps,
        releases=tuple(r for t in tables.values() for r in (t.release, *t.more_releases)),
        notes=(
            *(n for t in tables.values() for n in t.notes),
            *unmeasured,
            *measure_notes(study, tables, measures),
            *registered.notes,
            *(boundaries.notes if boundaries else ()),
            *of_neighbours,
        ),
        centres=boundaries.centres if boundaries else None,
    )
    listed = tuple(t for table in tables.values() for t in table.tables)
    return Assembled(panel, registered, boundaries, listed)


def printed_column(study: Study, reference: str) -> str:
    """Return the name of 'source.column' in print."""
    source, column = split_reference(reference)
    named = study.source[source]
    return kind_of(named).printed(named, column)


def read_sources(file: StudyFile, store: Path | None, more: Sequence[str] = ()) -> dict[str, SourceTable]:
    """Read every source of a study."""
    study = file.study
    faults = Faults()
    tables = {}
    for name, source in study.source.items():
        asked = tuple(dict.fromkeys(wanted(o) for o in study.outcome if o.source == name))
        references = [*(ref for _, ref in study.references()), *more]
        columns = [split_reference(ref) for ref in references]
        attributes = [c for s, c in columns if s == name]
        attributes += [n.column for n in source.not_covered]
        attributes += [source.coverage_group] if source.coverage_group else []
        request = SourceRequest(
            name=name,
            source=source,
            file=file,
            store=store,
            wanted=asked,
            attributes=tuple(dict.fromkeys(attributes)),
        )
        table = faults.attempt(kind_of(source).read, request)
        if table is not None:
            tables[name] = table
    faults.raise_all()
    return one_spelling(tables)


def areas_of(study: Study, tables: dict[str, SourceTable]) -> tuple[Strings, Strings]:
    """Areas of the outcomes' sources, less those that a source never covers."""
    used = [tables[name] for name in dict.fromkeys(o.source for o in study.outcome)]
    areas = np.unique(np.concatenate([t.areas for t in used]))
    names = areas.astype(object)
    for table in tables.values():
        where = np.searchsorted(areas, table.areas)
        here = (where < len(areas)) & (areas[np.minimum(where, len(areas) - 1)] == table.areas)
        if (table.names != table.areas).any():
            names[where[here]] = table.names[here]
    return areas, names.astype(str)


def _of_text(column: str, values: Strings, where: str) -> Problem:
    """Name the cells that make a column text, where most are numbers."""
    wrong = read_numbers(pd.Series(values)).wrong
    odd = sorted(set(values[wrong].tolist()) - {""})
    if not odd or wrong.mean() > _SOME:
        return Problem(f"'{column}' is text, not numbers.", where)
    fix = "Write a number, leave the cell blank, or name its mark in `missing`."
    return Problem(f"'{column}' holds text among its numbers: {first_few(odd)}.", where, fix)


def covariates_of(
    file: StudyFile, tables: dict[str, SourceTable], areas: Strings
) -> tuple[Floats, tuple[str, ...]]:
    """Return the design's covariates, (n_areas, n_covariates), and the date each describes."""
    columns, as_of, problems = [], [], []
    for i, covariate in enumerate(file.study.design.covariates):
        source, column = split_reference(covariate.column)
        table = tables[source]
        where = file.where(f"design.covariates.{i}")
        if column in table.varying:
            periods = table.periods
            at = parse_period(covariate.as_of, periods.kind) if covariate.as_of and periods else None
            if at is None or periods is None or not 0 <= at - periods.first < periods.n:
                problems.append(
                    Problem(
                        f"'{covariate.column}' changes over time.",
                        where,
                        f'Write {{ column = "{covariate.column}", as_of = "..." }} with a period '
                        "before every start.",
                    )
                )
                continue
            values = align(table.varying[column][:, at - periods.first], table.areas, areas)
        else:
            values = align(table.attributes[column], table.areas, areas)
        if values.dtype.kind != "f":
            problems.append(_of_text(covariate.column, values, where))
            continue
        if np.isnan(values).all():
            problems.append(
                Problem(
                    f"'{covariate.column}' has no value for any area of the panel.",
                    where,
                    "Its area codes may be of another census vintage.",
                )
            )
            continue
        columns.append(values)
        named = file.study.source[source]
        described = kind_of(named).described_at(named, file.folder)
        as_of.append(covariate.as_of or described or "")
    if problems:
        raise DataError(problems)
    return np.column_stack(columns) if columns else np.empty((len(areas), 0)), tuple(as_of)


def _text_attributes(study: Study, tables: dict[str, SourceTable], areas: Strings) -> dict[str, Strings]:
    needed = [
        reference
        for place, reference in study.references()
        if (place.startswith(("design.", "analysis.", "plain_means.")) or ".approximate." in place)
        and not place.startswith("design.covariates.")
    ]
    found = {}
    for reference in dict.fromkeys(needed):
        source, column = split_reference(reference)
        table = tables[source]
        if column not in table.attributes:
            raise DataError(f"'{reference}' changes over time inside an area.")
        found[reference] = align(table.attributes[column].astype(str), table.areas, areas)
    return found


def outlines_of(file: StudyFile, areas: Strings) -> tuple[Boundaries | None]:
    """Return the areas' outlines, in a tuple of one; None where no source has boundaries."""
    for source in file.study.source.values():
        if source.boundaries is not None:
            path = named_file(source.boundaries, file.folder)
            column = source.boundaries_area or source.area
            return (read_boundaries(path, column, areas, source.boundaries_crs),)
    return (None,)


def touching(
    file: StudyFile, areas: Strings, boundaries: Boundaries | None
) -> tuple[Graph | None, tuple[str, ...]]:
    """Return which areas touch, by outlines or by a source's list of neighbours, and remarks."""
    if boundaries is not None:
        return contiguity(boundaries), ()
    for source in file.study.source.values():
        if source.neighbours is None:
            continue
        return read_neighbours(resolve(source.neighbours, file.folder), areas)
    return None, ()
