"""The design of a whole programme: for each neighbourhood its pool, its nearest areas, weights.

The same function designs the real programme and every placebo programme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from areaeffect.design.calibration import EXACT, Features, Matching, calibrate, match
from areaeffect.design.cutoff import Ranked
from areaeffect.panel import Graph
from areaeffect.results import Bools, Floats, Ints

#: What varies by less than this share of its size varies by rounding only.
ROUNDING = 1e-12
#: Spare neighbours held for each area, so that exclusions leave `nearest` of them.
_SPARE = 2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Cohort:
    """What is shared by all neighbourhoods with one start, one coverage and one kind of claim."""

    scaled: Floats  # (n_areas, p), characteristics in standard deviations of the eligible areas
    level: Floats  # (n_areas, n_outcomes), mean outcome before the start
    usable: Bools  # (n_areas,), areas with every value the design and the estimate need
    #: for each area, areas in order of distance; None where the whole pool is used, or where there is nothing
    #: to measure distance by.
    nearest: Nearest | None
    features: Features  # names and raw values, for the balance table
    strata: Ints | None  # (n_areas,), the combination of exact factors each area belongs to; None for none.


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """Benchmark areas of one neighbourhood."""

    pool: Ints  # (m,), positions of the pool areas
    weights: Floats  # (m,), adding up to the number of treated areas
    exact: bool  # whether calibration met every constraint
    imbalance: Floats  # (p,), in standard deviations
    n_effective: float  # effective number of benchmark areas


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of the pool that depend on who is treated."""

    nearest: int  # nearest areas of each treated one; 0 takes the whole pool.
    common_support: bool  # leave out areas outside the treated areas' range before the start
    near: Graph | None  # areas within the buffer; None without boundaries.
    matching: Matching = field(default_factory=Matching)  # how the areas of the pool are weighted
    ranked: Ranked | None = None  # the order in which places were chosen; None where no such rule is known.


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
        scaled=scaled, level=features.level, usable=usable, nearest=found, features=features, strata=strata
    )


def design_programme(
    cohorts: Sequence[Cohort], members: Sequence[Ints], eligible: Bools, rules: Rules
) -> list[Weighted | None]:
    """Choose and weight benchmark areas for every neighbourhood of a programme.

    Parameters
    ----------
    eligible : (n_areas,), areas that may serve as benchmark areas for anyone.

    Returns
    -------
    One entry a neighbourhood; None where no area is left in its pool.
    """
    treated = np.concatenate(members)
    open_to_all = eligible.copy()
    open_to_all[treated] = False
    if rules.near is not None:
        open_to_all[rules.near.of_any(treated)] = False
    if rules.ranked is not None:
        open_to_all &= rules.ranked.resembling(treated, open_to_all)
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
        matched = match(cohort.nearest.of(areas), allowed, rule)
        if matched is None:
            return None
        pool, weights = matched
        imbalance = weights @ cohort.scaled[pool] / len(areas) - target
        effective = float(weights.sum() ** 2 / (weights**2).sum())
        exact = bool(np.abs(imbalance).max(initial=0.0) <= EXACT)
        return Weighted(pool, weights, exact, imbalance, effective)
    if rules.nearest and cohort.nearest is not None:
        near, ties = cohort.nearest.of(areas), cohort.nearest.ties(areas)
        pool = _nearest_allowed(near, ties, allowed, rules.nearest)
    else:
        mine = None if cohort.strata is None else np.isin(cohort.strata, cohort.strata[areas])
        pool = np.flatnonzero(allowed if mine is None else allowed & mine)
    if len(pool) == 0:
        return None
    distance = cohort.scaled[pool] - target
    if cohort.strata is not None:  # shares of all strata but the last, which follows from the others
        levels, counts = np.unique(cohort.strata[areas], return_counts=True)
        shares = (cohort.strata[pool][:, None] == levels[:-1]) - counts[:-1] / len(areas)
        distance = np.column_stack([distance, shares])
    kind = "chi-square" if rule.calibration == "none" else rule.calibration
    found = calibrate(distance, kind)
    return Weighted(pool, found.weights * len(areas), found.exact, found.imbalance, found.n_effective)


def _nearest_allowed(order: Ints, ties: Bools, allowed: Bools, nearest: int) -> Ints:
    """Union over treated areas of the first `nearest` allowed areas in order of distance.

    Those as far as the last one are taken too: which comes first is then a matter of names.
    """
    may = allowed[order]
    take = may & (np.cumsum(may, axis=1) <= nearest)
    if ties.any():
        last = order.shape[1] - 1 - np.argmax(take[:, ::-1], axis=1)
        after = np.arange(order.shape[1]) > last[:, None]
        take |= may & after & np.logical_and.accumulate(ties | ~after, axis=1)
    chosen = np.zeros(len(allowed), dtype=bool)
    chosen[order[take]] = True
    return np.flatnonzero(chosen)


#: With so few characteristics a tree finds the nearest of 33,000 areas two to four times as fast as
#: comparing with all; with more it gets slower, with eight it loses.
_TREE_AT_MOST = 6
#: Distances that differ by less than this share of themselves differ by rounding only.
_SAME = 1e-9
#: Points asked for together: their distances stay in the processor's cache.
_AT_ONCE = 64
#: Lots of points for each one that is to be found.
_LOTS = 8
#: What rounding can do to the square of a distance, in squares of lengths.
_ROUNDED = 1e-12


class Nearest:
    """Pool areas in order of distance, for the areas that were ever asked for.

    Parameters
    ----------
    scaled : (n_areas, p), characteristics in standard deviations.
    pool : (n_areas,), areas that may be found.
    strata : (n_areas,), an area's nearest areas are those of its own stratum; None for one.
    """

    def __init__(self, scaled: Floats, pool: Bools, k: int, strata: Ints | None = None) -> None:
        self._scaled, self._pool = scaled, pool
        self._k = min(k, int(pool.sum()))
        self._strata = np.zeros(len(scaled), dtype=np.int64) if strata is None else strata
        self._row = np.full(len(scaled), -1, dtype=np.int64)
        self._found = np.empty((0, self._k), dtype=np.int32)
        self._far = np.empty((0, self._k))

    def of(self, areas: Ints) -> Ints:
        """Return pool areas in order of distance, (n, k).

        A stratum with fewer than k pool areas is filled up with the area itself, which is never
        allowed.
        """
        new = np.unique(areas[self._row[areas] < 0])
        if len(new):
            self._row[new] = len(self._found) + np.arange(len(new))
            found, far = self._search(new)
            self._found = np.concatenate([self._found, found])
            self._far = np.concatenate([self._far, far])
        return self._found.take(self._row[areas], axis=0).astype(np.int64)

    def ties(self, areas: Ints) -> Bools:
        """Tell which of `of(areas)` are as far as the one before, (n, k): no order tells them."""
        far = self._far.take(self._row[areas], axis=0)
        tied = np.zeros(far.shape, dtype=np.bool_)
        with np.errstate(invalid="ignore"):  # a stratum's filling is infinitely far
            tied[:, 1:] = np.diff(far, axis=1) <= _SAME * far[:, 1:]
        return tied

    def _search(self, areas: Ints) -> tuple[npt.NDArray[np.int32], Floats]:
        order = np.repeat(areas[:, None], self._k, axis=1).astype(np.int32)
        far = np.full(order.shape, np.inf)
        for stratum in np.unique(self._strata[areas]):
            inside = self._strata[areas] == stratum
            pool = np.flatnonzero(self._pool & (self._strata == stratum))
            depth = min(self._k, len(pool))
            if depth:
                place, apart = _nearest_of(self._scaled[pool], self._scaled[areas[inside]], depth)
                order[inside, :depth] = pool[place]
                far[inside, :depth] = apart
        return order, far


def _nearest_of(points: Floats, asked: Floats, k: int) -> tuple[Ints, Floats]:
    """Return the k nearest points of each one asked for and their distances, (n, k) each."""
    if points.shape[1] <= _TREE_AT_MOST:
        from scipy.spatial import cKDTree

        tree = cKDTree(points, leafsize=32, balanced_tree=False, compact_nodes=False)
        apart, found = tree.query(asked, k)
        return np.asarray(found, dtype=np.int64).reshape(-1, k), apart.reshape(-1, k)
    size, twice = np.einsum("ij,ij->i", points, points), -2 * points.T
    wide = min(len(points), _LOTS * k)
    lots = len(points) // wide
    found, apart = np.empty((len(asked), k), dtype=np.int64), np.empty((len(asked), k))
    for first in range(0, len(asked), _AT_ONCE):
        rows = asked[first : first + _AT_ONCE]
        # The square of the distance, less what all points have in common. The k-th least of the least
        # of each lot is no nearer than the k-th nearest point, so few are left to be sorted.
        square = rows @ twice
        square += size
        least = square[:, : wide * lots].reshape(len(rows), lots, wide).min(axis=1)
        bound = np.partition(least, k - 1, axis=1)[:, k - 1] + _ROUNDED * (size.max() + (rows**2).sum(axis=1))
        for i, row in enumerate(rows):
            near = np.flatnonzero(square[i] <= bound[i])
            off = points[near] - row
            away = np.einsum("ij,ij->i", off, off)
            order = np.argsort(away, kind="stable")[:k]  # of points as far as each other, the first
            found[first + i], apart[first + i] = near[order], np.sqrt(away[order])
    return found, apart


#: Fewer areas than this have no outlier that differs clearly from the rest.
_FEWEST = 10


_MOST_SHARE, _TIMES_FARTHER = 0.02, 10.0


def spread_of(values: Floats) -> Floats:
    """Return the standard deviation of each column, without areas that outweigh all the others.

    The plain standard deviation, except where a few areas (at most one in fifty) each weigh more in
    the sum of squares than all the rest together and lie ten times as far from the middle as any
    of the rest: a total among areas or a mistyped cell does. Those are left out.

    Parameters
    ----------
    values : (n, p).

    Returns
    -------
    (p,).
    """
    spread = np.asarray(values.std(axis=0), dtype=np.float64)
    n = len(values)
    if n < _FEWEST:
        return spread
    most = max(1, int(_MOST_SHARE * n))
    for k in range(values.shape[1]):
        away = np.abs(values[:, k] - np.median(values[:, k]))
        order = np.argsort(-away, kind="stable")
        square = away[order] ** 2
        m = np.arange(1, most + 1)
        share = np.cumsum(square)[:most] / max(float(square.sum()), np.finfo(float).tiny)
        apart = away[order][:most] >= _TIMES_FARTHER * away[order][1 : most + 1]
        outweigh = np.flatnonzero((share > m / (m + 1)) & apart)
        if len(outweigh):
            rest = np.delete(values[:, k], order[: m[outweigh[-1]]])
            spread[k] = rest.std() if rest.std() > 0 else spread[k]
    return spread
