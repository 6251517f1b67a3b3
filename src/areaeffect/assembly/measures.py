"""Outcomes as measures: values on the panel's areas, and every missing cell with its reason."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError, Problem
from areaeffect.panel import REASONS, Hidden, Measure
from areaeffect.periods import parse_period
from areaeffect.results import Gap
from areaeffect.sources.base import SourceTable, Wanted, _fixed, align, attribute
from areaeffect.sources.coverage import area_holes, group_gaps, new_codes, sum_by_group
from areaeffect.study.model import Outcome, PanelSource, split_reference
from areaeffect.tables.cells import picked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.panel import Strings
    from areaeffect.periods import PeriodKind
    from areaeffect.results import Floats
    from areaeffect.study.model import Source, Study

_CODE = {reason: np.uint8(i) for i, reason in enumerate(REASONS)}

Reasons = npt.NDArray[np.uint8]


def wanted(outcome: Outcome) -> Wanted:
    """Return what an outcome asks of its source."""
    return Wanted(outcome.value, outcome.category, outcome.kind == "count")


def make_measures(
    study: Study, tables: Mapping[str, SourceTable], areas: Strings
) -> tuple[dict[str, Measure], tuple[Gap, ...]]:
    """Build every outcome's measure, and list its gaps for print."""
    measures: dict[str, Measure] = {}
    gaps: list[Gap] = []
    for outcome in study.outcome:
        table, source = tables[outcome.source], study.source[outcome.source]
        if table.periods is None:
            raise DataError(
                Problem(
                    f"source '{outcome.source}' has no period, so it cannot hold an outcome.",
                    f"source.{outcome.source}",
                    "Name its `period` column.",
                )
            )
        values = align(table.measures[wanted(outcome)], table.areas, areas)
        reasons = np.where(np.isnan(values), _CODE["no_row"], _CODE[""]).astype(np.uint8)
        known = table.reasons.get(wanted(outcome))
        if known is not None:
            given = align(known.astype(np.float64), table.areas, areas)
            reasons = np.where(np.isnan(given), reasons, given).astype(np.uint8)
        _mark_not_covered(source, table, areas, values, reasons)
        if outcome.kind == "count":
            if known is None or isinstance(source, PanelSource):
                _mark_group_gaps(source, table, areas, values, reasons)
            if source.find_new_codes:
                begun, first = new_codes(np.where(reasons == _CODE[""], values, np.nan))
                reasons[begun, :first] = _CODE["boundary_change"]
        values = np.where(reasons == _CODE[""], values, np.nan)
        exposure = None
        if outcome.exposure is not None:
            exposure = _exposure(tables, outcome.exposure, areas)
        measure = Measure(
            outcome.name,
            outcome.kind == "count",
            table.periods,
            values,
            reasons,
            exposure,
            _hidden(table, wanted(outcome), reasons, areas),
        )
        measures[outcome.name] = measure
        gaps += _gaps(outcome, measure, source, table, areas)
    return measures, tuple(gaps)


def _hidden(table: SourceTable, asked: Wanted, reasons: Reasons, areas: Strings) -> Hidden | None:
    """Return the hidden counts of a measure that the finding uses, on the panel's areas."""
    found = table.hidden.get(asked)
    if found is None:
        return None
    cells = align(found.cells.astype(np.float64), table.areas, areas) == 1
    return Hidden(cells & (reasons == _CODE[""]), found.least, found.most)


def _exposure(tables: Mapping[str, SourceTable], reference: str, areas: Strings) -> Floats:
    """Return residents or dwellings of each area; of a series, those of its first period.

    The first period of the window lies before every start, so what an initiative did to the
    number of homes cannot enter.
    """
    source, column = split_reference(reference)
    table = tables[source]
    if column in table.varying:
        values = align(table.varying[column][:, 0], table.areas, areas)
    else:
        values = _numbers(reference, attribute(tables, reference, areas))
    below = np.flatnonzero(values < 0)
    if len(below):
        first = f"{values[below[0]]:g} in area {areas[below[0]]}"
        what = f"'{reference}' is below zero in {len(below)} areas, such as {first}."
        fix = "An exposure is a number of residents, homes or the like: 0 or more."
        raise DataError(Problem(what, table.release.file, fix))
    return values


def exposure_notes(study: Study, tables: Mapping[str, SourceTable]) -> list[str]:
    """Say where a denominator that changes over time is taken at the first period."""
    notes = []
    for reference in dict.fromkeys(o.exposure for o in study.outcome if o.exposure):
        source, column = split_reference(reference)
        table = tables[source]
        if column in table.varying and table.periods is not None:
            notes.append(
                f"{reference} changes over time: rates are per what it was in "
                f"{table.periods.labels[0]}, the first period."
            )
    return notes


def _numbers(reference: str, values: npt.NDArray[Any]) -> Floats:
    if values.dtype.kind != "f":
        raise DataError(Problem(f"'{reference}' is not a column of numbers."))
    return np.asarray(values, dtype=np.float64)


def _mark_not_covered(
    source: Source,
    table: SourceTable,
    areas: Strings,
    values: Floats,
    reasons: Reasons,
) -> None:
    periods = table.periods
    if periods is None:
        return
    for rule in source.not_covered:
        column = _fixed(table, rule.column, rule.column, areas).astype(str)
        named = picked(column, rule.values, rule.column, "not_covered")
        ordinals = periods.ordinals
        since = _bound(rule.from_period, periods.kind)
        until = _bound(rule.to_period, periods.kind)
        inside = np.ones(values.shape[1], dtype=bool)
        if since is not None:
            inside &= ordinals >= since
        if until is not None:
            inside &= ordinals <= until
        reasons[np.ix_(named, inside)] = _CODE[rule.reason]


def _bound(text: str | None, kind: PeriodKind) -> int | None:
    if text is None:
        return None
    ordinal = parse_period(text, kind)
    if ordinal is None:
        raise DataError(
            Problem(
                f"'{text}' is not a {kind}, and the table is by {kind}.",
                "not_covered",
                "Write it like the table's own periods.",
            )
        )
    return ordinal


def _mark_group_gaps(
    source: Source,
    table: SourceTable,
    areas: Strings,
    values: Floats,
    reasons: Reasons,
) -> None:
    if source.coverage_group is None or table.periods is None:
        return
    groups = _fixed(table, source.coverage_group, source.coverage_group, areas).astype(str)
    _, group_of_area, totals = sum_by_group(values, groups)
    gaps = group_gaps(totals)
    if isinstance(source, PanelSource) and source.absent_is_zero:
        gaps |= area_holes(values, group_of_area)
    flagged = gaps[group_of_area]
    reasons[flagged & (reasons == _CODE[""])] = _CODE["partial_month"]


def _gaps(
    outcome: Outcome, measure: Measure, source: Source, table: SourceTable, areas: Strings
) -> list[Gap]:
    """Group missing cells by reason, coverage group and the run of periods."""
    group = np.full(len(areas), "", dtype=object)
    if source.coverage_group is not None:
        group = align(
            table.attributes[source.coverage_group].astype(str), table.areas, areas
        ).astype(object)
    labels = measure.periods.labels
    found: dict[tuple[str, str, str, str], int] = {}
    for area in np.flatnonzero((measure.reasons > 0).any(axis=1)):
        codes = measure.reasons[area]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], codes, [0]]).astype(int)))
        for first, last in pairwise(edges):
            if codes[first]:
                key = (REASONS[codes[first]], str(group[area]), labels[first], labels[last - 1])
                found[key] = found.get(key, 0) + 1
    return [
        Gap(outcome.source, outcome.name, name, first, last, n, reason)
        for (reason, name, first, last), n in sorted(found.items())
    ]
