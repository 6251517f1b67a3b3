"""Indicators to scores: the choices of an index file, applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.index import composite as numerics

if TYPE_CHECKING:
    from areaeffect.index.table import IndicatorTable
    from areaeffect.results import Floats
    from areaeffect.study.index import Index, IndexFile


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices an index rests on, one value an indicator where they are tuples."""

    weights: tuple[float, ...]
    methods: tuple[str, ...]
    shrink: tuple[bool, ...]
    missing: str


def scores(file: IndexFile, table: IndicatorTable) -> tuple[Floats, Floats]:
    """Return standardised indicators (n_areas, n_indicators) and scores (n_areas,).

    Raises
    ------
    DataError
        Where no area has a score.
    """
    base = choices_of(file.index)
    standard = standardised(file.index, table, base)
    score = _score(file.index, table, base, standard)
    if not np.isfinite(score).any():
        raise DataError(
            Problem(
                "no area has every indicator, so none has a score.",
                str(file.file.path),
                'Their codes may be of different vintages; or set missing = "reweight".',
            )
        )
    return standard, score


def choices_of(index: Index) -> Choices:
    """Return the choices an index file makes."""
    part = index.index
    return Choices(
        tuple(i.weight for i in index.indicator),
        tuple(i.standardise or part.standardise for i in index.indicator),
        tuple(i.shrink for i in index.indicator),
        part.missing,
    )


def standardised(index: Index, table: IndicatorTable, choices: Choices) -> Floats:
    """Return every indicator, high is worse, on its method's scale, (n_areas, n_indicators)."""
    columns = []
    for k, indicator in enumerate(index.indicator):
        values = table.values[:, k]
        if choices.shrink[k]:
            counts, of = table.counts[indicator.name], table.of[indicator.name]
            values = numerics.shrunken(counts, of, table.authority)
        sign = 1.0 if indicator.worse == "high" else -1.0
        columns.append(numerics.standardise(sign * values, choices.methods[k]))
    return np.column_stack(columns)


def _score(index: Index, table: IndicatorTable, choices: Choices, standard: Floats) -> Floats:
    weights = np.array(choices.weights)
    scale = (index.index.weights_total or sum(i.weight for i in index.indicator)) / sum(
        i.weight for i in index.indicator
    )
    total = float(weights.sum()) * scale
    return numerics.combine(standard, weights, total, choices.missing, table.authority)
