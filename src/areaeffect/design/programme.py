"""The design of a whole programme: for each neighbourhood its pool, its nearest areas, weights.

The same function designs the real programme and every placebo programme.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.design.calibration import EXACT, calibrate
from areaeffect.design.matching import Matching, match, within_caliper
from areaeffect.design.nearest import Nearest
from areaeffect.design.spread import spread_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.design.history import Features
    from areaeffect.panel import Graph
    from areaeffect.results import Bools, Floats, Ints

#: What varies by less than this share of its size varies by rounding only.
ROUNDING = 1e-12
#: Spare neighbours held for each area, so that exclusions leave `nearest` of them.
_SPARE = 2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Cohort:
    """What is shared by all neighbourhoods with one start, one coverage and one kind of claim.

    Parameters
    ----------
    scaled : (n_areas, p), characteristics in standard deviations of the eligible areas.
    level : (n_areas, n_outcomes), mean outcome before the start.
    usable : (n_areas,), areas with every value the design and the estimate need.
    nearest : for each area, areas in order of distance; None where the whole pool is used, or
        where there is nothing to measure distance by.
    features : names and raw values, for the balance table.
    strata : (n_areas,), the combination of exact factors each area belongs to; None for none.
    """

    scaled: Floats
    level: Floats
    usable: Bools
    nearest: Nearest | None
    features: Features
    strata: Ints | None


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
    matching : how the areas of the pool are weighted.
    """

    nearest: int
    common_support: bool
    near: Graph | None
    matching: Matching = field(default_factory=Matching)


def make_cohort(
    features: Features, usable: Bools, eligible: Bools, nearest: int, strata: Ints | None = None
) -> Cohort:
    """Scale the characteristics, and make ready for the search of each area's nearest areas.

    Constant characteristics carry no information and are set to zero. With `strata`, an area's
    nearest areas are those of its own stratum.
    """
    base = usable & eligible
    centre = features.values[base].mean(axis=0) if base.any() else 0.0
    spread = spread_of(features.values[base]) if base.any() else np.ones(features.values.shape[1])
    size = np.abs(features.values[base]).max(axis=0, initial=0.0)
    scale = np.where(spread > ROUNDING * size, spread, np.inf)
    scaled = np.where(usable[:, None], (features.values - centre) / scale, 0.0)
    found = None
    if nearest and base.any() and scaled.shape[1]:
        found = Nearest(scaled, base, _SPARE * nearest + 1, strata)
    return Cohort(
        scaled=scaled,
        level=features.level,
        usable=usable,
        nearest=found,
        features=features,
        strata=strata,
    )


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
            if cohort.nearest is not None:  # one search for all of its neighbourhoods
                mine = [a for c, a in zip(cohorts, members, strict=True) if c is cohort]
                cohort.nearest.of(np.concatenate(mine))
            supported[key] = open_to_all & cohort.usable
            if rules.common_support:
                supported[key] &= common_support(cohort.level, treated, cohort.usable)
        found.append(_weigh(cohort, areas, supported[key], rules))
    return found


def common_support(level: Floats, treated: Ints, usable: Bools) -> Bools:
    """Tell which areas had a level before the start within the treated areas' range."""
    inside = treated[usable[treated]]
    if len(inside) == 0 or level.shape[1] == 0:
        return np.ones(len(level), dtype=bool)
    low, high = level[inside].min(axis=0), level[inside].max(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(((level >= low) & (level <= high)).all(axis=1))


def _weigh(cohort: Cohort, areas: Ints, allowed: Bools, rules: Rules) -> Weighted | None:
    rule = rules.matching
    target = cohort.scaled[areas].mean(axis=0)
    if rule.calibration == "none" and cohort.nearest is not None:
        matched = match(cohort.nearest.of(areas), cohort.nearest.apart(areas), allowed, rule)
        if matched is None:
            return None
        pool, weights = matched
        imbalance = weights @ cohort.scaled[pool] / len(areas) - target
        effective = float(weights.sum() ** 2 / (weights**2).sum())
        exact = bool(np.abs(imbalance).max(initial=0.0) <= EXACT)
        return Weighted(pool, weights, exact, imbalance, effective)
    pool = _pool_of(cohort, areas, allowed, rules)
    if len(pool) == 0:
        return None
    distance = cohort.scaled[pool] - target
    if cohort.strata is not None:
        distance = np.column_stack([distance, _shares(cohort.strata, areas, pool)])
    kind = "chi-square" if rule.calibration == "none" else rule.calibration
    found = calibrate(distance, kind)
    return Weighted(
        pool, found.weights * len(areas), found.exact, found.imbalance, found.n_effective
    )


def _pool_of(cohort: Cohort, areas: Ints, allowed: Bools, rules: Rules) -> Ints:
    """Return the areas that calibration may give weight to."""
    caliper = rules.matching.caliper
    if rules.nearest and cohort.nearest is not None:
        order = cohort.nearest.of(areas)
        near = None if caliper is None else cohort.nearest.apart(areas) <= caliper
        return _nearest_allowed(order, cohort.nearest.ties(areas), allowed, rules.nearest, near)
    if cohort.strata is not None:
        allowed = allowed & np.isin(cohort.strata, cohort.strata[areas])
    pool = np.flatnonzero(allowed)
    if caliper is None:
        return pool
    return pool[within_caliper(cohort.scaled, areas, pool, caliper)]


def _shares(strata: Ints, areas: Ints, pool: Ints) -> Floats:
    """Return pool areas' membership of the treated strata minus the treated shares, (m, s - 1).

    The last stratum follows from the others: weights add up.
    """
    levels, counts = np.unique(strata[areas], return_counts=True)
    return np.asarray((strata[pool][:, None] == levels[:-1]) - counts[:-1] / len(areas))


def _nearest_allowed(
    order: Ints, ties: Bools, allowed: Bools, nearest: int, near: Bools | None
) -> Ints:
    """Union over treated areas of the first `nearest` allowed areas in order of distance.

    Those as far as the last one are taken too: which comes first is then a matter of names.
    """
    may = allowed[order] if near is None else allowed[order] & near
    take = may & (np.cumsum(may, axis=1) <= nearest)
    if ties.any():
        last = order.shape[1] - 1 - np.argmax(take[:, ::-1], axis=1)
        after = np.arange(order.shape[1]) > last[:, None]
        take |= may & after & np.logical_and.accumulate(ties | ~after, axis=1)
    chosen = np.zeros(len(allowed), dtype=bool)
    chosen[order[take]] = True
    return np.flatnonzero(chosen)
