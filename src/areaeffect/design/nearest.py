"""The nearest areas of each area, searched for when first asked for and kept for all draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from areaeffect.results import Bools, Floats, Ints


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

    def of(self, areas: Ints) -> Ints:
        """Return pool areas in order of distance, (n, k).

        A stratum with fewer than k pool areas is filled up with the area itself, which is never
        allowed.
        """
        new = np.unique(areas[self._row[areas] < 0])
        if len(new):
            self._row[new] = len(self._found) + np.arange(len(new))
            self._found = np.concatenate([self._found, self._search(new)])
        return self._found.take(self._row[areas], axis=0).astype(np.int64)

    def apart(self, areas: Ints) -> Floats:
        """Return the distances to `of(areas)`, (n, k): root mean square over characteristics.

        The area itself is infinitely far.
        """
        order = self.of(areas)
        gaps = self._scaled[order] - self._scaled[areas][:, None]
        return np.where(order == areas[:, None], np.inf, np.sqrt((gaps**2).mean(axis=-1)))

    def _search(self, areas: Ints) -> npt.NDArray[np.int32]:
        from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415  # heavy

        order = np.repeat(areas[:, None], self._k, axis=1).astype(np.int32)
        for stratum in np.unique(self._strata[areas]):
            inside = self._strata[areas] == stratum
            pool = np.flatnonzero(self._pool & (self._strata == stratum))
            depth = min(self._k, len(pool))
            if depth:
                search = NearestNeighbors(n_neighbors=depth, algorithm="brute")
                search.fit(self._scaled[pool])
                place = search.kneighbors(self._scaled[areas[inside]], return_distance=False)
                order[inside, :depth] = pool[place]
        return order
