"""Treated and benchmark areas in blocks of time, in the form that libraries read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from areaeffect.design.programme import Weighted
from areaeffect.estimate.crosscheck import CrossPanel
from areaeffect.panel import Measure, Neighbourhood
from areaeffect.results import Bools, Floats, Ints, NotEstimable

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
