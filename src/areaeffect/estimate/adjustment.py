"""Regression adjustment: what weighting left unlike is taken out of what is expected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Floats, Ints

#: Ridge of the coefficients, as a share of the characteristics' mean variance: with hardly more
#: benchmark areas than characteristics a plain fit has no use.
_SHRINK_LEVEL, _SHRINK_CHANGE = 1e-3, 0.05


@dataclass(slots=True, eq=False)
class Adjustment:
    """The adjustment of one neighbourhood, for any of its outcomes.

    The rates of the benchmark areas are regressed on their characteristics; the coefficients times
    the imbalance that weighting left is the gap that the characteristics alone would make. Taking
    it off is right where either the weights or the regression is (bias-corrected matching: Abadie
    & Imbens 2011, doi 10.1198/jbes.2009.07333, equation 4; of histories, the augmented synthetic
    control: Ben-Michael, Feller & Rothstein 2021, doi 10.1080/01621459.2021.1929245, equation 10).
    That gap is a weighted sum of the rates whose weights do not depend on them, so it comes to
    other weights, and outcomes of equal exposure share one fit.

    Parameters
    ----------
    treated : (g, p), characteristics of the treated areas, in standard deviations.
    benchmark : (m, p), of the benchmark areas.
    weights : (m,), their calibration weights.
    of_change : of a level, areas count for their part in the rate, weight times exposure. Of a
        change, whose characteristics are the history itself and many, every area of the pool
        counts for its exposure, and the ridge is larger.
    """

    treated: Floats
    benchmark: Floats
    weights: Floats
    of_change: bool = False
    _fits: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)

    def adjusted(self, exposure: Floats, own_exposure: Floats) -> Floats:
        """Return the weights that give what is expected of areas like the treated, (m,).

        Parameters
        ----------
        exposure : (m,), of the benchmark areas.
        own_exposure : (g,), of the treated areas.

        Returns
        -------
        The calibration weights where there are no characteristics or no exposure; some may be
        negative: they extrapolate.
        """
        for theirs, mine, found in self._fits:
            if np.array_equal(theirs, exposure) and np.array_equal(mine, own_exposure):
                return found
        part = exposure if self.of_change else self.weights * exposure
        gap = self._gap(exposure, part, own_exposure)
        total = float(self.weights @ exposure)
        off = np.divide(gap, exposure, out=np.zeros(len(gap)), where=exposure > 0)
        found = self.weights - total * off
        self._fits.append((exposure, own_exposure, found))
        return found

    def _gap(self, exposure: Floats, part: Floats, own: Floats) -> Floats:
        """Return what each benchmark area's rate counts for in the gap, (m,)."""
        nothing = np.zeros(len(part))
        weighted = self.weights * exposure
        if not self.benchmark.shape[1] or not weighted.sum() > 0 or not own.sum() > 0:
            return nothing
        imbalance = weighted @ self.benchmark / weighted.sum() - (own / own.sum()) @ self.treated
        part = part / part.sum()
        centred = self.benchmark - part @ self.benchmark
        apart = centred * part[:, None]
        gram = apart.T @ centred
        shrink = _SHRINK_CHANGE if self.of_change else _SHRINK_LEVEL
        ridge = shrink * float(np.trace(gram)) / len(gram)
        if ridge <= 0:
            return nothing
        return np.asarray(apart @ np.linalg.solve(gram + ridge * np.eye(len(gram)), imbalance))


def adjustment(
    covariates: Floats, members: Ints, pool: Ints, weights: Floats, *, of_change: bool = False
) -> Adjustment:
    """Return the adjustment of a neighbourhood for characteristics of all areas, (n_areas, p)."""
    return Adjustment(covariates[members], covariates[pool], weights, of_change)
