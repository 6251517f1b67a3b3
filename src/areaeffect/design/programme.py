"""The design of a whole programme: for each neighbourhood its pool, its nearest areas, weights.

The same function designs the real programme and every placebo programme.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.design.calibration import calibrate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.design.history import Features
    from areaeffect.panel import Graph
    from areaeffect.results import Bools, Floats, Ints

#: Spare neighbours held for each area, so that exclusions leave `nearest` of them.
_SPARE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """What is shared by all neighbourhoods with one start, one coverage and one kind of claim.

    Parameters
    ----------
    scaled : (n_areas, p), characteristics in standard deviations of the eligible areas.
    level : (n_areas, n_outcomes), mean outcome before the start.
    usable : (n_areas,), areas with every value the design and the estimate need.
    nearest : (n_areas, k), areas in order of distance; (n_areas, 0) where the whole pool is
        used, or where there is nothing to measure distance by.
    features : names and raw values, for the balance table.
    """

    scaled: Floats
    level: Floats
    usable: Bools
    nearest: Ints
    features: Features


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """Benchmark areas of one neighbourhood.

    Parameters
    ----------
    pool : (m,), positions of the pool areas.
    weights : (m,), adding up to the number of treated areas.
    exact : whether calibration met every constraint.
    imbalance : (p,), in standard deviations.
    n_effective : effective number of benchmark areas.
    """

    pool: Ints
    weights: Floats
    exact: bool
    imbalance: Floats
    n_effective: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of the pool that depend on who is treated.

    Parameters
    ----------
    nearest : nearest areas of each treated one; 0 takes the whole pool.
    common_support : leave out areas outside the treated areas' range before the start.
    near : areas within the buffer; None without boundaries.
    """

    nearest: int
    common_support: bool
    near: Graph | None


def make_cohort(features: Features, usable: Bools, eligible: Bools, nearest: int) -> Cohort:
    """Scale the characteristics and find each area's nearest areas, once for all draws.

    Constant characteristics carry no information and are set to zero.
    """
    base = usable & eligible
    centre = features.values[base].mean(axis=0) if base.any() else 0.0
    spread = features.values[base].std(axis=0) if base.any() else np.ones(features.values.shape[1])
    scale = np.where(spread > 0, spread, np.inf)
    scaled = np.where(usable[:, None], (features.values - centre) / scale, 0.0)
    n = len(usable)
    order = np.empty((n, 0), dtype=np.int64)
    if nearest and base.any() and scaled.shape[1]:
        from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415  # heavy

        pool = np.flatnonzero(base)
        k = min(len(pool), _SPARE * nearest + 1)
        search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(scaled[pool])
        order = pool[search.kneighbors(scaled, return_distance=False)]
    return Cohort(scaled, features.level, usable, order, features)


def design_programme(
    cohorts: Sequence[Cohort], members: Sequence[Ints], eligible: Bools, rules: Rules
) -> list[Weighted | None]:
    """Choose and weight benchmark areas for every neighbourhood of a programme.

    Parameters
    ----------
    cohorts : the cohort of each neighbourhood.
    members : the treated areas of each neighbourhood.
    eligible : (n_areas,), areas that may serve as benchmark areas for anyone.
    rules : see `Rules`.

    Returns
    -------
    One entry a neighbourhood; None where no area is left in its pool.
    """
    treated = np.concatenate(members)
    open_to_all = eligible.copy()
    open_to_all[treated] = False
    if rules.near is not None:
        open_to_all[rules.near.of_any(treated)] = False
    supported: dict[int, Bools] = {}
    found = []
    for cohort, areas in zip(cohorts, members, strict=True):
        key = id(cohort)
        if key not in supported:
            supported[key] = open_to_all & cohort.usable
            if rules.common_support:
                supported[key] &= common_support(cohort.level, treated, cohort.usable)
        found.append(_weigh(cohort, areas, supported[key], rules.nearest))
    return found


def common_support(level: Floats, treated: Ints, usable: Bools) -> Bools:
    """Tell which areas had a level before the start within the treated areas' range."""
    inside = treated[usable[treated]]
    if len(inside) == 0 or level.shape[1] == 0:
        return np.ones(len(level), dtype=bool)
    low, high = level[inside].min(axis=0), level[inside].max(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(((level >= low) & (level <= high)).all(axis=1))


def _weigh(cohort: Cohort, areas: Ints, allowed: Bools, nearest: int) -> Weighted | None:
    pool = (
        _nearest_allowed(cohort.nearest[areas], allowed, nearest)
        if nearest and cohort.nearest.shape[1]
        else np.flatnonzero(allowed)
    )
    if len(pool) == 0:
        return None
    target = cohort.scaled[areas].mean(axis=0)
    found = calibrate(cohort.scaled[pool] - target)
    return Weighted(
        pool, found.weights * len(areas), found.exact, found.imbalance, found.n_effective
    )


def _nearest_allowed(order: Ints, allowed: Bools, nearest: int) -> Ints:
    """Union over treated areas of the first `nearest` allowed areas in order of distance."""
    may = allowed[order]
    take = may & (np.cumsum(may, axis=1) <= nearest)
    chosen = np.zeros(len(allowed), dtype=bool)
    chosen[order[take]] = True
    return np.flatnonzero(chosen)
