"""What benchmark areas may be matched on: covariates, and outcomes before the start.

Every function here is handed cells before the start only; the slice is taken once, in
`features`, and nothing after it is reachable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.panel import Measure, Panel, picked
from areaeffect.periods import PeriodKind
from areaeffect.results import Bools, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Characteristics of every area as they stood before one start."""

    names: tuple[str, ...]  # of the p characteristics
    values: Floats  # (n_areas, p)
    #: (n_areas, n_outcomes), mean outcome before the programme's first start, per exposure where there is
    #: one: what common support and the likeness of placebos are judged by. After that start the outcome of a
    #: place that began early may hold the effect.
    level: Floats


def features(
    panel: Panel,
    measures: Sequence[Measure],
    used: Sequence[Bools],
    start: int,
    start_kind: PeriodKind,
    history: str | None,
    first: tuple[int, PeriodKind] | None = None,
) -> Features:
    """Build the characteristics that a design for one start may use.

    Parameters
    ----------
    panel : its covariates are taken as they are; their dates are checked with the study.
    measures : outcomes whose history counts.
    used : for each measure, (n_periods,), periods the neighbourhood has values for.
    start, start_kind : the start the design is for.
    history : '12-month blocks', 'every period', or None for a level claim (no history).
    first : the first start of the programme; None where it is this one.
    """
    columns = [panel.covariates]
    names = list(panel.covariate_names)
    levels = []
    for measure, mask in zip(measures, used, strict=True):
        before, _ = measure.periods.split(start, start_kind)
        past, kept = measure.values[:, before], mask[before]
        begun = before if first is None else measure.periods.split(*first)[0]
        levels.append(_level(picked(measure.values[:, begun], mask[begun]), measure))
        if history is None:
            continue
        for block in blocks_of(kept, measure, history):
            index = np.flatnonzero(block)
            cells = picked(past, block)
            columns.append((cells.sum(1) if measure.is_count else cells.mean(1))[:, None])
            labels = measure.periods.labels
            span = labels[index[0]] if len(index) == 1 else f"{labels[index[0]]} to {labels[index[-1]]}"
            names.append(f"{measure.name}, {span}")
    level = np.column_stack(levels) if levels else np.empty((len(panel.areas), 0))
    return Features(tuple(names), np.column_stack(columns), level)


def _level(cells: Floats, measure: Measure) -> Floats:
    if cells.shape[1] == 0:
        return np.zeros(len(cells))
    mean = cells.mean(axis=1)
    if measure.exposure is None or not measure.is_count:
        return np.asarray(mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(mean / measure.exposure)


def blocks_of(kept: Bools, measure: Measure, history: str) -> list[Bools]:
    """Blocks of twelve months back from the start; a shorter rest at the beginning is left out.

    A history under twelve months is one block.
    """
    n = len(kept)
    per_year = measure.periods.kind.per_year
    length = 1 if history == "every period" or per_year is None else per_year
    ends = range(n, 0, -length)
    spans = [(end - length, end) for end in ends if end - length >= 0] or ([(0, n)] if n else [])
    blocks = []
    for first, last in reversed(spans):
        block = np.zeros(n, dtype=bool)
        block[first:last] = kept[first:last]
        if block.any():
            blocks.append(block)
    return blocks
