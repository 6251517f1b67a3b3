"""The nearest areas of each area, searched for when first asked for and kept for all draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from areaeffect.results import Bools, Floats, Ints

#: With so few characteristics a tree finds the nearest of 33,000 areas two to four times as fast as
#: comparing with all; with more it gets slower, with eight it loses.
_TREE_AT_MOST = 6
#: Distances that differ by less than this share of themselves differ by rounding only.
_SAME = 1e-9


class Nearest:
    """Pool areas in order of distance, for the areas that were ever asked for.

    Parameters
    ----------
    scaled : (n_areas, p), characteristics in standard deviations.
    pool : (n_areas,), areas that may be found.
    k : how many to find; fewer where the pool is smaller.
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

    def apart(self, areas: Ints) -> Floats:
        """Return the distances to `of(areas)`, (n, k): root mean square over characteristics.

        The area itself is infinitely far.
        """
        order = self.of(areas)
        gaps = self._scaled[order] - self._scaled[areas][:, None]
        return np.where(order == areas[:, None], np.inf, np.sqrt((gaps**2).mean(axis=-1)))

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
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    apart, found = search.kneighbors(asked)
    return np.asarray(found), apart
