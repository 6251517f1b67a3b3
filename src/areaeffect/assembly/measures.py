"""Outcomes as measures: values, each missing cell with its reason, changes that cannot be claimed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError, Problem, number_of
from areaeffect.outcomes import BREAKS, Break
from areaeffect.panel import REASONS, Hidden, Measure
from areaeffect.periods import PeriodKind, Periods, label, parse_period
from areaeffect.register.registered import Registered
from areaeffect.results import Bools, Floats, Gap, Strings
from areaeffect.sources.coverage import (
    MeasureRequest,
    SourceTable,
    align,
    area_holes,
    attribute,
    codes_not_in_use,
    fixed,
    group_gaps,
    kind_of,
    sum_by_group,
)
from areaeffect.sources.police_uk.categories import breaks_of
from areaeffect.sources.publishers.releases import find_release
from areaeffect.study.file import StudyFile
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
        for rule in source.not_covered:
            column = fixed(table, rule.column, rule.column, areas).astype(str)
            named = picked(column, rule.values, rule.column, "not_covered")
            reasons[np.ix_(named, _inside(rule, table.periods))] = _CODE[rule.reason]
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
        values = attribute(tables, reference, areas)
        if values.dtype.kind != "f":
            raise DataError(f"'{reference}' is not a column of numbers.")
        first, last = np.asarray(values, dtype=np.float64), None
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
    return notes + [
        f"Periods that look like a gap of recording in source '{name}' are kept as a real fall: "
        f"{rule.text()}."
        for name, source in study.source.items()
        for rule in source.falls
    ]


def _inside(rule: NotCovered | RealFall, periods: Periods) -> Bools:
    """(n_periods,): whether a rule's span holds the period."""
    ordinals = periods.ordinals
    inside = np.ones(periods.n, dtype=bool)
    for text, is_first in ((rule.from_period, True), (rule.to_period, False)):
        if text is None:
            continue
        bound = parse_period(text, periods.kind)
        if bound is None:
            raise DataError(
                f"'{text}' is not a {periods.kind}, and the table is by {periods.kind}.",
                "not_covered, real_falls",
                "Write it like the table's own periods.",
            )
        inside &= ordinals >= bound if is_first else ordinals <= bound
    return inside


def _mark_group_gaps(
    source: Source, table: SourceTable, areas: Strings, values: Floats, reasons: Reasons
) -> None:
    if source.coverage_group is None or table.periods is None:
        return
    groups = fixed(table, source.coverage_group, source.coverage_group, areas).astype(str)
    names, group_of_area, totals = sum_by_group(values, groups)
    gaps = group_gaps(totals)
    if source.zero_where_absent:
        gaps |= area_holes(values, group_of_area)
    for rule in source.falls:  # what the study calls a real fall is no gap
        if rule.column != source.coverage_group:
            what = f"gaps are looked for in '{source.coverage_group}', not in '{rule.column}'."
            raise DataError(what, "real_falls", "Name the column of `coverage_group`.")
        kept = np.outer(np.isin(names, rule.values), _inside(rule, table.periods))
        if not (gaps & kept).any():
            what = f"nothing there looks like a gap: {rule.text()}."
            raise DataError(what, "real_falls", "Remove the rule.")
        gaps &= ~kept
    flagged = gaps[group_of_area]
    reasons[flagged & (reasons == _CODE[""])] = _CODE["partial_month"]


def _gaps(
    outcome: Outcome, measure: Measure, source: Source, table: SourceTable, areas: Strings
) -> list[Gap]:
    """Group missing cells by reason, coverage group and the run of periods."""
    group = np.full(len(areas), "", dtype=object)
    if source.coverage_group is not None:
        group = align(table.attributes[source.coverage_group].astype(str), table.areas, areas).astype(object)
    labels = measure.periods.labels
    found: Counter[tuple[str, str, str, str]] = Counter()
    for area in np.flatnonzero((measure.reasons > 0).any(axis=1)):
        codes = measure.reasons[area]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], codes, [0]]).astype(int)))
        for first, last in pairwise(edges):
            if codes[first]:
                found[REASONS[codes[first]], str(group[area]), labels[first], labels[last - 1]] += 1
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


_INDICES = "imd"


def refuse_one_date(file: StudyFile) -> None:
    """Refuse a change claim on a release that describes one date.

    Editions of the indices of deprivation are no time series: each is made anew, with other
    indicators and relative to the places of its own year.
    """
    problems = []
    for i, outcome in enumerate(file.study.outcome):
        source = file.study.source[outcome.source]
        if outcome.claim != "change" or not source.from_release:
            continue
        release = find_release(source.from_release)
        if release.period_kind:
            continue
        why = f"'{release.id}' describes one date ({release.as_of})"
        if release.group == _INDICES:
            why += (
                "; editions of the indices of deprivation are built again each time, with other "
                "indicators and relative to the places of their own year, so a difference of two "
                "is not a change either"
            )
        problems.append(
            Problem(
                f"'{outcome.name}' cannot be a change: {why}.",
                file.where(f"outcome.{i}.claim"),
                'Write claim = "level": how places differ, not what the initiative changed.',
            )
        )
    if problems:
        raise DataError(problems)


def refuse_breaks(file: StudyFile, measures: Mapping[str, Measure]) -> None:
    """Refuse a change claim whose periods run across a break, unless the study accepts it."""
    problems = [
        Problem(
            f"'{outcome.name}' runs across {found.month}: {found.reason}.",
            file.where(f"outcome.{i}"),
            f"Let `study.window` begin at {found.month} or later, or end before it; or write "
            f'accept_breaks = ["{found.month}"], and the finding says so.',
        )
        for i, outcome in enumerate(file.study.outcome)
        for found in crossed_breaks(outcome, measures[outcome.name])
        if found.month not in outcome.accept_breaks
    ]
    if problems:
        raise DataError(problems)


def crossed_breaks(outcome: Outcome, measure: Measure) -> list[Break]:
    """Return the breaks of definition that a change claim's periods run across."""
    periods = measure.periods
    if outcome.claim != "change" or periods.kind is PeriodKind.NUMBER:
        return []
    first, end = (periods.kind.first_month(periods.first + i) for i in (0, periods.n))
    return [
        found for found in measure.breaks if first < (parse_period(found.month, PeriodKind.MONTH) or 0) < end
    ]


def last_as_benchmark(
    file: StudyFile, registered: Registered, measures: Mapping[str, Measure]
) -> tuple[Registered, dict[str, Measure]]:
    """Take the neighbourhoods that start last as untreated, and end every outcome before them.

    The comparisons are then those with areas that are not yet treated (Callaway and Sant'Anna
    2021, doi 10.1016/j.jeconom.2020.12.001, section 2.2, with the last group alone).
    """
    places = registered.neighbourhoods
    starts = [p.start_kind.first_month(p.start) for p in places]
    last = max(starts)
    kept = tuple(p for p, start in zip(places, starts, strict=True) if start < last)
    where = file.where("design.last_to_start")
    if not kept:
        what = "every neighbourhood starts at the same time, so none is untreated while others are."
        raise DataError(what, where, "Give areas that were never treated.")
    first_of_last = next(p for p, start in zip(places, starts, strict=True) if start == last)
    cut = {}
    for name, m in measures.items():
        before, _ = m.periods.split(first_of_last.start, first_of_last.start_kind)
        if before.stop <= m.periods.split(kept[0].start, kept[0].start_kind)[0].stop:
            what = f"{name} has no period between the first start and the last."
            raise DataError(what, where, "Give areas that were never treated.")
        cut[name] = replace(
            m,
            periods=replace(m.periods, n=before.stop),
            values=m.values[:, before],
            reasons=m.reasons[:, before],
        )
    begin = label(first_of_last.start, first_of_last.start_kind)
    n = sum(len(p.areas) for p in places) - sum(len(p.areas) for p in kept)
    note = (
        f"No area need stay untreated: the {number_of(n, 'area', 'areas')} that start last, in "
        f"{begin}, count as untreated, and periods from {begin} on are not used."
    )
    return replace(registered, neighbourhoods=kept, notes=(*registered.notes, note)), cut
