"""Regression adjustment: how much of a gap is owed to what weighting left unlike.

Levels are adjusted by a regression over the benchmark areas (`Adjustment`); changes by one over the
whole pool (`Growth`), whose few slopes are known so well that taking them off adds hardly any
variance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Bools, Floats, Ints

#: Ridge of the coefficients, as a share of the characteristics' mean variance: with hardly more
#: benchmark areas than characteristics a plain fit has no use.
_SHRINK = 1e-3


@dataclass(slots=True, eq=False)
class Adjustment:
    """The adjustment of one neighbourhood, for any of its outcomes.

    The rates of the benchmark areas are regressed on their characteristics, weighted by
    calibration weight times exposure (their part in the rate); the coefficients times the
    imbalance that weighting left is the gap that the characteristics alone would make. Taking it
    off is right where either the weights or the regression is (bias-corrected matching: Abadie &
    Imbens 2011, doi 10.1198/jbes.2009.07333, equation 4; augmented weighting: Robins, Rotnitzky &
    Zhao 1994). That gap is a weighted sum of the rates whose weights do not depend on them, so
    outcomes of equal exposure share one fit.

    Parameters
    ----------
    treated : (g, p), characteristics of the treated areas, in standard deviations.
    benchmark : (m, p), of the benchmark areas.
    weights : (m,), their calibration weights.
    """

    treated: Floats
    benchmark: Floats
    weights: Floats
    _fits: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)

    def gap_in_rate(self, events: Floats, exposure: Floats, own_exposure: Floats) -> float:
        """Return the expected rate of the benchmark areas less that of areas like the treated.

        Parameters
        ----------
        events, exposure : (m,), of the benchmark areas after the start.
        own_exposure : (g,), of the treated areas.

        Returns
        -------
        Events for each unit of exposure; 0 without characteristics or exposure.
        """
        counted = exposure > 0
        rate = np.divide(events, exposure, out=np.zeros(len(events)), where=counted)
        return float(self._counts_for(exposure, own_exposure) @ rate)

    def _counts_for(self, exposure: Floats, own_exposure: Floats) -> Floats:
        """Return what the rate of each benchmark area counts for in the gap, (m,)."""
        for theirs, mine, found in self._fits:
            if np.array_equal(theirs, exposure) and np.array_equal(mine, own_exposure):
                return found
        found = _counts_for(self.treated, self.benchmark, self.weights * exposure, own_exposure)
        self._fits.append((exposure, own_exposure, found))
        return found


def adjustment(covariates: Floats, members: Ints, pool: Ints, weights: Floats) -> Adjustment:
    """Return the adjustment of a neighbourhood for characteristics of all areas, (n_areas, p)."""
    return Adjustment(covariates[members], covariates[pool], weights)


def _counts_for(treated: Floats, benchmark: Floats, part: Floats, own: Floats) -> Floats:
    nothing = np.zeros(len(part))
    if not benchmark.shape[1] or not part.sum() > 0 or not own.sum() > 0:
        return nothing
    part = part / part.sum()
    centre = part @ benchmark
    imbalance = centre - (own / own.sum()) @ treated
    centred = benchmark - centre
    apart = centred * part[:, None]
    gram = apart.T @ centred
    ridge = _SHRINK * float(np.trace(gram)) / len(gram)
    if ridge <= 0:
        return nothing
    return np.asarray(apart @ np.linalg.solve(gram + ridge * np.eye(len(gram)), imbalance))


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """How an outcome's change goes with the characteristics of areas, over the whole pool.

    Where calibration cannot reach the treated areas (the most deprived of all, say), benchmark
    areas stay unlike them, and a trend that follows what stays unlike is taken for an effect. The
    change of every pool area is regressed on its characteristics; the slopes times the imbalance
    that weighting left is what the characteristics alone would make of the gap.

    Parameters
    ----------
    slopes : (p,), by a standard deviation of each characteristic: relative to the pool's change for
        counts, in the outcome's unit for scores.
    is_ratio : whether the outcome is a count.
    """

    slopes: Floats
    is_ratio: bool

    def expected(self, after: Floats, imbalance: Floats, n_areas: int) -> Floats:
        """Return the expected totals after the start of areas like the treated ones.

        Parameters
        ----------
        after : weighted totals of the benchmark areas, of any periods after the start.
        imbalance : (p or more,), benchmark less treated, in standard deviations; shares of exact
            factors come after the characteristics and are not read.
        n_areas : treated areas.
        """
        apart = float(self.slopes @ imbalance[: len(self.slopes)])
        return np.asarray(after * np.exp(-apart) if self.is_ratio else after - n_areas * apart)


def growth(
    characteristics: Floats, pool: Bools, pre: Floats, post: Floats, *, is_ratio: bool
) -> Growth:
    """Regress the change of pool areas on their characteristics.

    Weighted least squares; counts by their events before, which is each area's part in a total.
    The ridge is p / n of the characteristics' mean variance: the fewer areas for each of them, the
    less is taken off.

    Parameters
    ----------
    characteristics : (n_areas, p), in standard deviations.
    pool : (n_areas,), untreated areas with all values.
    pre, post : (n_areas,), the outcome before and after.
    is_ratio : whether it is a count.
    """
    used = pool & (pre > 0) if is_ratio else pool
    known, part = characteristics[used], pre[used] if is_ratio else np.ones(int(used.sum()))
    nothing = Growth(np.zeros(known.shape[1]), is_ratio)
    if not known.size or (is_ratio and not post[used].sum() > 0):
        return nothing
    change = post[used] - pre[used]
    if is_ratio:
        change = post[used] / pre[used] * (part.sum() / post[used].sum())
    part = part / part.sum()
    centred = known - part @ known
    apart = centred * part[:, None]
    gram = apart.T @ centred
    ridge = len(gram) / len(known) * float(np.trace(gram)) / len(gram)
    if ridge <= 0:
        return nothing
    slopes = np.linalg.solve(gram + ridge * np.eye(len(gram)), apart.T @ change)
    return Growth(np.asarray(slopes), is_ratio)
