"""Outcomes as measures: values on the panel's areas, and every missing cell with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError, number_of
from areaeffect.outcomes import BREAKS, Break
from areaeffect.panel import REASONS, Hidden, Measure
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.results import Bools, Floats, Gap, Strings
from areaeffect.sources.coverage import (
    MeasureRequest,
    SourceTable,
    _fixed,
    align,
    area_holes,
    attribute,
    codes_not_in_use,
    group_gaps,
    kind_of,
    sum_by_group,
)
from areaeffect.sources.police_uk.categories import breaks_of
from areaeffect.study.model import Outcome, Source, Study, split_reference
from areaeffect.study.parts import NotCovered, RealFall
from areaeffect.tables.cells import picked
from areaeffect.wording.numbers import three_digits

_CODE = {reason: np.uint8(i) for i, reason in enumerate(REASONS)}

Reasons = npt.NDArray[np.uint8]

#: Effects smaller than this share of a count are of no interest, where a study does not say.
LITTLE_OF_A_COUNT = 0.05
#: The same of a score, in standard deviations between areas (a small effect in Cohen 1988, 2.2.3).
LITTLE_OF_A_SCORE = 0.2
#: Distance between the quartiles of a normal distribution, in standard deviations.
_QUARTILES = 1.349
#: Periods named in a note.
_SHOWN = 6


def wanted(outcome: Outcome) -> MeasureRequest:
    """Return what an outcome asks of its source."""
    return MeasureRequest(outcome.value, outcome.category, outcome.kind == "count")


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
                f"source '{outcome.source}' has no period, so it cannot hold an outcome.",
                f"source.{outcome.source}",
                "Name its `period` column.",
            )
        values = align(table.measures[wanted(outcome)], table.areas, areas)
        reasons = np.where(np.isnan(values), _CODE["no_row"], _CODE[""]).astype(np.uint8)
        known = table.reasons.get(wanted(outcome))
        if known is not None:
            given = align(known.astype(np.float64), table.areas, areas)
            reasons = np.where(np.isnan(given), reasons, given).astype(np.uint8)
        _mark_not_covered(source, table, areas, reasons)
        if outcome.kind == "count":
            if known is None or not source.knows_its_gaps:
                _mark_group_gaps(source, table, areas, values, reasons)
            if source.find_new_codes:
                unused = codes_not_in_use(np.where(reasons == _CODE[""], values, np.nan))
                reasons[unused] = _CODE["boundary_change"]
        values = np.where(reasons == _CODE[""], values, np.nan)
        exposure, at_end = None, None
        if outcome.exposure is not None:
            exposure, at_end = _exposure(tables, outcome.exposure, areas)
        measure = Measure(
            name=outcome.name,
            is_count=outcome.kind == "count",
            periods=table.periods,
            values=values,
            reasons=reasons,
            exposure=exposure,
            smallest=smallest_of(outcome, values),
            exposure_at_end=at_end,
            breaks=_breaks(outcome, source),
            hidden=_hidden(table, wanted(outcome), reasons, areas),
        )
        measures[outcome.name] = measure
        gaps += _gaps(outcome, measure, source, table, areas)
    return measures, tuple(gaps)


def _hidden(table: SourceTable, asked: MeasureRequest, reasons: Reasons, areas: Strings) -> Hidden | None:
    """Return the hidden counts of a measure that the finding uses, on the panel's areas."""
    found = table.hidden.get(asked)
    if found is None:
        return None
    cells = align(found.cells.astype(np.float64), table.areas, areas) == 1
    return Hidden(cells & (reasons == _CODE[""]), found.least, found.most)


def _breaks(outcome: Outcome, source: Source) -> tuple[Break, ...]:
    """Return the breaks of the family, and of the police's categories, also in one's own counts."""
    categories = kind_of(source).categories(outcome.category, f"source.{outcome.source}")
    return (*BREAKS.get(outcome.family, ()), *breaks_of(categories))


def smallest_of(outcome: Outcome, values: Floats) -> float:
    """Return the smallest effect of interest, which must not depend on the unit of a score.

    Parameters
    ----------
    values : (n_areas, n_periods); of a score only the first period that most areas have is read,
        which lies before every start.
    """
    if outcome.smallest_effect_of_interest is not None:
        return outcome.smallest_effect_of_interest
    if outcome.kind == "count":
        return LITTLE_OF_A_COUNT
    first = values[:, _first_wave(values)]
    first = first[np.isfinite(first)]
    if not len(first):
        return 0.0
    low, high = np.quantile(first, [0.25, 0.75])
    spread = float(high - low) / _QUARTILES if high > low else float(first.std())
    return LITTLE_OF_A_SCORE * spread


def _first_wave(values: Floats) -> int:
    """Return the first period that at least half of the areas have; else the fullest."""
    seen = np.isfinite(values).mean(axis=0)
    return int(np.argmax(seen >= min(0.5, seen.max(initial=0.0))))


def _exposure(
    tables: Mapping[str, SourceTable], reference: str, areas: Strings
) -> tuple[Floats, Floats | None]:
    """Return residents or dwellings of each area; of a series, those of its first period.

    Where it is a series, those of its last period too.

    The first period of the window lies before every start, so what an initiative did to the
    number of homes cannot enter.
    """
    source, column = split_reference(reference)
    table = tables[source]
    if column in table.varying:
        own = align(table.varying[column], table.areas, areas)
        first, last = own[:, 0], own[:, -1]
    else:
        first, last = _numbers(reference, attribute(tables, reference, areas)), None
    below = np.flatnonzero(first < 0)
    if len(below):
        example = f"{first[below[0]]:g} in area {areas[below[0]]}"
        what = f"'{reference}' is below zero in {number_of(len(below), 'area', 'areas')}, such as {example}."
        fix = "An exposure is a number of residents, homes or the like: 0 or more."
        raise DataError(what, table.release.file, fix)
    return first, last


def measure_notes(
    study: Study, tables: Mapping[str, SourceTable], measures: Mapping[str, Measure]
) -> list[str]:
    """Say what was taken for what the study leaves open: denominators, waves, small effects."""
    notes = []
    for outcome in study.outcome:
        measure = measures[outcome.name]
        labels = measure.periods.labels
        if outcome.kind == "score" and outcome.smallest_effect_of_interest is None:
            notes.append(
                f"{outcome.name}: no smallest_effect_of_interest is stated, so {LITTLE_OF_A_SCORE} "
                f"standard deviations between areas in {labels[_first_wave(measure.values)]} are "
                f"taken: {three_digits(measure.smallest)} {outcome.unit_title}."
            )
        if not measure.waves.all():
            skipped = [label for label, has in zip(labels, measure.waves, strict=True) if not has]
            shown = ", ".join(skipped[:_SHOWN]) + (" …" if len(skipped) > _SHOWN else "")
            notes.append(
                f"{outcome.name}: the table has no row at all in {shown}; the "
                f"{measure.waves.sum()} periods that it has are used."
            )
    for reference in dict.fromkeys(o.exposure for o in study.outcome if o.exposure):
        source, column = split_reference(reference)
        table = tables[source]
        if column in table.varying and table.periods is not None:
            notes.append(
                f"{reference} changes over time: rates use its value in "
                f"{table.periods.labels[0]}, the first period."
            )
    return notes + _fall_notes(study)


def _numbers(reference: str, values: npt.NDArray[Any]) -> Floats:
    if values.dtype.kind != "f":
        raise DataError(f"'{reference}' is not a column of numbers.")
    return np.asarray(values, dtype=np.float64)


def _mark_not_covered(source: Source, table: SourceTable, areas: Strings, reasons: Reasons) -> None:
    periods = table.periods
    if periods is None:
        return
    for rule in source.not_covered:
        column = _fixed(table, rule.column, rule.column, areas).astype(str)
        named = picked(column, rule.values, rule.column, "not_covered")
        inside = _inside(rule, periods)
        reasons[np.ix_(named, inside)] = _CODE[rule.reason]


def _inside(rule: NotCovered | RealFall, periods: Periods) -> Bools:
    """(n_periods,): whether a rule's span holds the period."""
    ordinals = periods.ordinals
    since, until = (_bound(t, periods.kind) for t in (rule.from_period, rule.to_period))
    inside = np.ones(periods.n, dtype=bool)
    if since is not None:
        inside &= ordinals >= since
    if until is not None:
        inside &= ordinals <= until
    return inside


def _bound(text: str | None, kind: PeriodKind) -> int | None:
    if text is None:
        return None
    ordinal = parse_period(text, kind)
    if ordinal is None:
        raise DataError(
            f"'{text}' is not a {kind}, and the table is by {kind}.",
            "not_covered, real_falls",
            "Write it like the table's own periods.",
        )
    return ordinal


def _mark_group_gaps(
    source: Source, table: SourceTable, areas: Strings, values: Floats, reasons: Reasons
) -> None:
    if source.coverage_group is None or table.periods is None:
        return
    groups = _fixed(table, source.coverage_group, source.coverage_group, areas).astype(str)
    names, group_of_area, totals = sum_by_group(values, groups)
    gaps = group_gaps(totals)
    if source.zero_where_absent:
        gaps |= area_holes(values, group_of_area)
    _keep_falls(source, names, table.periods, gaps)
    flagged = gaps[group_of_area]
    reasons[flagged & (reasons == _CODE[""])] = _CODE["partial_month"]


def _keep_falls(source: Source, names: Strings, periods: Periods, gaps: Bools) -> None:
    """Take periods that the study calls real falls out of the gaps; refuse what keeps nothing."""
    for rule in source.falls:
        if rule.column != source.coverage_group:
            what = f"gaps are looked for in '{source.coverage_group}', not in '{rule.column}'."
            raise DataError(what, "real_falls", "Name the column of `coverage_group`.")
        kept = np.outer(np.isin(names, rule.values), _inside(rule, periods))
        if not (gaps & kept).any():
            what = f"nothing there looks like a gap: {rule.text()}."
            raise DataError(what, "real_falls", "Remove the rule.")
        gaps &= ~kept


def _fall_notes(study: Study) -> list[str]:
    """Say which periods look like a gap of recording and are kept."""
    return [
        f"Periods that look like a gap of recording in source '{name}' are kept as a real fall: "
        f"{rule.text()}."
        for name, source in study.source.items()
        for rule in source.falls
    ]


def _gaps(
    outcome: Outcome, measure: Measure, source: Source, table: SourceTable, areas: Strings
) -> list[Gap]:
    """Group missing cells by reason, coverage group and the run of periods."""
    group = np.full(len(areas), "", dtype=object)
    if source.coverage_group is not None:
        group = align(table.attributes[source.coverage_group].astype(str), table.areas, areas).astype(object)
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
        Gap(
            source=outcome.source,
            outcome=outcome.name,
            group=name,
            first=first,
            last=last,
            n_areas=n,
            reason=reason,
        )
        for (reason, name, first, last), n in sorted(found.items())
    ]
