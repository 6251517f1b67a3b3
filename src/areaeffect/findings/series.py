"""Treated and benchmark areas over time: paths for the trend charts, and panels that libraries read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import numpy as np

from areaeffect.design.programme import Weighted
from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.crosscheck import CrossPanel
from areaeffect.findings.case import Evidence, groups_of
from areaeffect.panel import Measure, Neighbourhood
from areaeffect.periods import kind_of, label
from areaeffect.results import Bools, Floats, Ints, NotEstimable, Series

#: A period in which less than this share of the exposure is observed is drawn as a gap.
_MIN_SHARE = 0.9


def series(evidence: Evidence) -> tuple[Series, ...]:
    """Return observed and counterfactual paths, rates per 1,000 and year or means of scores.

    The counterfactual of counts is scaled by the ratio of totals before the start, and from each
    start on adjusted for what weighting left unlike, as the effect is: the area between the lines
    after the start is the avoided number.
    """
    found = []
    for group in groups_of(evidence.plan.units):
        for o in range(len(evidence.measures)):
            units = [g for g in group.units if np.isfinite(evidence.real[g, o]).all()]
            if units:
                found.append(_one(evidence, o, units, group.name))
    return tuple(found)


def neighbourhood_series(evidence: Evidence) -> tuple[Series, ...]:
    """Return the paths of single neighbourhoods by year: means over years that are known whole."""
    found = []
    for g, unit in enumerate(evidence.plan.units):
        for o in range(len(evidence.measures)):
            if evidence.study.design.unit != "programme" and np.isfinite(evidence.real[g, o]).all():
                path = _one(evidence, o, [g], unit.initiative)
                found.append(_by_year(replace(path, neighbourhood=unit.name)))
    return tuple(found)


def _by_year(series: Series) -> Series:
    """Return a series by calendar year; one of years, or of a table's own numbers, as it is."""
    kind = kind_of(series.periods[0])
    per_year = kind.per_year if kind else None
    if per_year in {None, 1}:
        return series
    years = tuple(dict.fromkeys(text[:4] for text in series.periods))

    def means(values: Sequence[float | None]) -> tuple[float | None, ...]:
        held: dict[str, list[float]] = {year: [] for year in years}
        for text, value in zip(series.periods, values, strict=True):
            if value is not None:
                held[text[:4]].append(value)
        return tuple(fmean(own) if len(own) == per_year else None for own in held.values())

    observed = means(series.observed)
    return replace(
        series,
        periods=years,
        observed=observed,
        counterfactual=means(series.counterfactual),
        gaps=tuple(year for year, value in zip(years, observed, strict=True) if value is None),
    )


def _adjusted(evidence: Evidence, outcome: int, g: int, expected: Floats) -> Floats:
    """Return the weighted sums of the benchmark areas as the estimate of one place has them.

    What weighting left unlike is regressed out of the totals after the start (of a level, out of
    the one total there is): each period gets its part, (n_periods,).
    """
    measure, total = evidence.measures[outcome], evidence.real[g, outcome]
    if evidence.study.outcome[outcome].claim == "level":
        after = slice(None)
    else:
        _, after = measure.periods.split(*evidence.plan.units[g].counted_from)
    found, raw, adjusted = expected.copy(), total[cf.UNADJUSTED_POST], total[cf.EXPECTED_POST]
    if measure.is_count and raw > 0:
        found[after] *= adjusted / raw
    elif not measure.is_count:
        found[after] += adjusted - raw
    return found


def _one(evidence: Evidence, outcome: int, units: Sequence[int], group: str) -> Series:
    plan, measure = evidence.plan, evidence.measures[outcome]
    claim = evidence.study.outcome[outcome].claim
    total = evidence.real[units, outcome].sum(axis=0)
    benchmark = plan.benchmark_of(outcome)
    n = measure.periods.n
    sums = np.zeros((4, n))  # observed, its exposure, expected, its exposure
    full = 0.0
    exposure = (
        measure.exposure
        if measure.exposure is not None and measure.is_count
        else np.ones(len(measure.values))
    )
    for g in units:
        place, chosen = plan.units[g], benchmark[g]
        if chosen is None:
            continue
        inside = measure.values[place.areas]
        outside = measure.values[chosen.pool]
        seen = np.isfinite(inside).all(axis=0) & np.isfinite(outside).all(axis=0)
        mine = float(exposure[place.areas].sum())
        full += mine
        sums[0, seen] += inside[:, seen].sum(axis=0)
        sums[1, seen] += mine
        expected = _adjusted(evidence, outcome, g, chosen.weights @ outside)
        sums[2, seen] += expected[seen]
        sums[3, seen] += float(chosen.weights @ exposure[chosen.pool])
    drawn = sums[1] >= _MIN_SHARE * full
    per = 1000.0 if measure.exposure is not None and measure.is_count else 1.0
    step = measure.periods.years_per_period if measure.is_count else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.where(drawn, per * sums[0] / sums[1] / step, np.nan)
        if measure.is_count and claim == "change":
            share = total[cf.OBSERVED_PRE] / total[cf.EXPECTED_PRE]
            expected = np.where(drawn, per * share * sums[2] / sums[1] / step, np.nan)
        else:
            expected = np.where(drawn, per * sums[2] / sums[3] / step, np.nan)
    span = "year" if measure.periods.kind.per_year else "period"
    unit = "mean" if not measure.is_count else f"per 1,000 a {span}" if per > 1 else f"per area and {span}"
    starts = sorted(
        {(plan.units[g].start, label(plan.units[g].start, plan.units[g].start_kind)) for g in units}
    )
    return Series(
        group=group,
        outcome=measure.name,
        periods=measure.periods.labels,
        observed=tuple(None if np.isnan(x) else float(x) for x in observed),
        counterfactual=tuple(None if np.isnan(x) else float(x) for x in expected),
        start=tuple(text for _, text in starts),
        gaps=tuple(t for t, is_drawn in zip(measure.periods.labels, drawn, strict=True) if not is_drawn),
        unit=unit,
    )


#: Months that one block of time adds up: half a year, or whole years of yearly figures.
_BLOCK_MONTHS = 6


#: Fewer events before the start are too few for a percentage (docs/methods/cross-checks.md).
_FEW_EVENTS = 20


def build_panel(
    measure: Measure,
    places: Sequence[Neighbourhood],
    members: Sequence[Ints],
    chosen: Sequence[Weighted | None],
    seed: int,
) -> CrossPanel | NotEstimable:
    """Put treated areas, real or placebo, into one panel with their benchmark areas."""
    weight = np.zeros(len(measure.values))
    for found in chosen:
        if found is not None:
            weight[found.pool] += found.weights
    if not places or not weight.any():
        return NotEstimable("no neighbourhood has enough periods or benchmark areas")
    outside = np.flatnonzero(weight > 0)
    areas = np.concatenate([*members, outside])
    cluster = np.concatenate([*(np.full(len(m), g) for g, m in enumerate(members)), len(members) + outside])
    before = [measure.periods.split(p.start, p.start_kind)[0].stop for p in places]
    after = [measure.periods.split(p.start, p.start_kind)[1].start for p in places]
    edges = _edges(measure, min(after))
    outcome, kept = _blocks(measure, areas, edges)
    if measure.is_count:
        inside = np.isfinite(measure.values[np.concatenate(members), : min(before)])
        cells = measure.values[np.concatenate(members), : min(before)]
        if cells[inside].sum() < _FEW_EVENTS:
            return NotEstimable(f"under {_FEW_EVENTS} events before the start")
    lows = edges[:-1][kept]
    first = np.array([int((lows < a).sum()) for a in after])
    if (first >= len(lows)).any():
        return NotEstimable("a neighbourhood has no whole block of time after its start")
    ends = edges[1:][kept]
    cut = [f > 0 and ends[f - 1] > b for f, b in zip(first, before, strict=True)]
    sizes = [len(m) for m in members]
    return CrossPanel(
        outcome=outcome,
        start=np.concatenate([np.repeat(first, sizes), np.full(len(outside), -1)]),
        straddles=np.concatenate([np.repeat(np.array(cut, dtype=bool), sizes), np.zeros(len(outside), bool)]),
        weight=np.concatenate([np.ones(sum(sizes)), weight[outside]]),
        cluster=cluster,
        is_count=measure.is_count,
        seed=seed,
    )


def _edges(measure: Measure, first_after: int) -> Ints:
    """Return where blocks begin and end, (n_blocks + 1,): whole ones, counted from a start."""
    per_year = measure.periods.kind.per_year
    length = 1 if per_year is None else max(1, per_year * _BLOCK_MONTHS // 12)
    return np.arange(first_after % length, measure.periods.n + 1, length)


def _blocks(measure: Measure, areas: Ints, edges: Ints) -> tuple[Floats, Bools]:
    """Add up each block over the periods that every area has, as a yearly rate or a mean.

    (n_areas, n_kept), and which blocks are kept: one that some area lacks altogether is not.
    """
    values = measure.values[areas]
    common: Bools = np.asarray(np.isfinite(values).all(axis=0))
    columns, kept = [], np.zeros(len(edges) - 1, dtype=bool)
    for b, (low, high) in enumerate(pairwise(edges)):
        periods = np.arange(low, high)[common[low:high]]
        if len(periods):
            kept[b] = True
            mean = values[:, periods].mean(axis=1)
            columns.append(mean / measure.periods.years_per_period if measure.is_count else mean)
    return np.column_stack(columns) if columns else np.empty((len(areas), 0)), kept
