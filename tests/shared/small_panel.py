"""A small panel built by hand, for tests that need one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from areaeffect.geography.boundaries import Boundaries, contiguity
from areaeffect.panel import Graph, Measure, Panel
from areaeffect.periods import PeriodKind, Periods


def measure(
    values: np.ndarray,
    *,
    name: str = "crime",
    kind: PeriodKind = PeriodKind.MONTH,
    first: int = 2012 * 12,
    is_count: bool = True,
    exposure: np.ndarray | None = None,
) -> Measure:
    values = np.asarray(values, dtype=float)
    reasons = np.where(np.isnan(values), 6, 0).astype(np.uint8)
    periods = Periods(kind, first, values.shape[1])
    return Measure(
        name=name, is_count=is_count, periods=periods, values=values, reasons=reasons, exposure=exposure
    )


def panel(
    measures: Sequence[Measure] = (),
    covariates: np.ndarray | None = None,
    n_areas: int | None = None,
    graph: Graph | None = None,
) -> Panel:
    n = n_areas or len(measures[0].values if measures else np.asarray(covariates))
    described = np.empty((n, 0)) if covariates is None else np.asarray(covariates, dtype=float)
    areas = np.array([f"A{i:03d}" for i in range(n)])
    names = tuple(f"x{k}" for k in range(described.shape[1]))
    return Panel(
        areas=areas,
        names=areas,
        measures={m.name: m for m in measures},
        covariates=described,
        covariate_names=names,
        covariate_as_of=("",) * len(names),
        attributes={},
        contiguity=graph,
        near=None,
        gaps=(),
        releases=(),
        notes=(),
    )


def grid(rows: int, columns: int, side: float = 500.0) -> Graph:
    """Squares that touch at borders and corners; area = row * columns + column."""
    squares = [
        shapely.box(c * side, r * side, (c + 1) * side, (r + 1) * side)
        for r in range(rows)
        for c in range(columns)
    ]
    return contiguity(Boundaries(np.array(squares, dtype=object)))
