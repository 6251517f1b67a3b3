"""Regression adjustment: the part of a gap that comes from imbalance left after weighting.

Levels are adjusted by a regression over the benchmark areas (`Adjustment`), changes by one over the
whole pool (`GrowthRegression`). The pool estimates few slopes from many areas, so this adds little variance.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from areaeffect.results import Bools, Floats, Ints

#: Ridge of the coefficients, as a share of the characteristics' mean variance. A plain fit is
#: useless where there are hardly more benchmark areas than characteristics.
_SHRINK = 1e-3


@dataclass(slots=True, eq=False)
class Adjustment:
    """The adjustment of one neighbourhood, for any of its outcomes.

    The rates of the benchmark areas are regressed on their characteristics, weighted by
    calibration weight times exposure (their part in the rate). The coefficients times the
    imbalance left after weighting give the gap that the characteristics alone would cause.
    Subtracting it is correct if either the weights or the regression are (bias-corrected matching:
    Abadie & Imbens 2011, doi 10.1198/jbes.2009.07333, equation 4; augmented weighting: Robins,
    Rotnitzky & Zhao 1994). The gap is a weighted sum of the rates, with weights that do not depend
    on the rates, so outcomes of equal exposure share one fit.
    """

    treated: Floats  # (g, p), characteristics of the treated areas, in standard deviations
    benchmark: Floats  # (m, p), of the benchmark areas
    weights: Floats  # (m,), their calibration weights
    _fits: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)

    def gap_in_rate(self, events: Floats, exposure: Floats, own_exposure: Floats) -> float:
        """Return the expected rate of the benchmark areas less that of areas like the treated.

        Parameters
        ----------
        events, exposure : (m,), of the benchmark areas after the start.
        own_exposure : (g,), of the treated areas.

        Events for each unit of exposure; 0 without characteristics or exposure.
        """
        counted = exposure > 0
        rate = np.divide(events, exposure, out=np.zeros(len(events)), where=counted)
        return float(self._counts_for(exposure, own_exposure) @ rate)

    def _counts_for(self, exposure: Floats, own_exposure: Floats) -> Floats:
        """Return the weight of each benchmark area's rate in the gap, (m,)."""
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
class GrowthRegression:
    """How an outcome's change depends on the characteristics of areas, over the whole pool.

    Where calibration cannot match the treated areas (the most deprived of all, for example), their
    benchmark areas stay different, and a trend that follows the difference would look like an
    effect. The change of every pool area is regressed on its characteristics. The slopes times the
    imbalance left after weighting give the gap that the characteristics alone would cause.
    """

    #: (p,), by a standard deviation of each characteristic: relative to the pool's change for counts, in the
    #: outcome's unit for scores
    slopes: Floats
    is_ratio: bool  # whether the outcome is a count

    def expected(self, after: Floats, imbalance: Floats, n_areas: int) -> Floats:
        """Return the expected totals after the start of areas like the treated ones.

        Parameters
        ----------
        imbalance : (p or more,), benchmark less treated, in standard deviations; shares of exact
            factors come after the characteristics and are not read.
        """
        apart = float(self.slopes @ imbalance[: len(self.slopes)])
        return np.asarray(after * np.exp(-apart) if self.is_ratio else after - n_areas * apart)


def growth(
    characteristics: Floats, pool: Bools, pre: Floats, post: Floats, *, is_ratio: bool
) -> GrowthRegression:
    """Regress the change of pool areas on their characteristics.

    Weighted least squares. The weights of counts are the events before the start, each area's part
    in the total. The ridge is p / n of the characteristics' mean variance, so that less is taken
    off where there are fewer areas for each characteristic.

    Parameters
    ----------
    characteristics : (n_areas, p), in standard deviations.
    pool : (n_areas,), untreated areas with all values.
    pre, post : (n_areas,), the outcome before and after.
    """
    used = pool & (pre > 0) if is_ratio else pool
    known, part = characteristics[used], pre[used] if is_ratio else np.ones(int(used.sum()))
    nothing = GrowthRegression(np.zeros(known.shape[1]), is_ratio)
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
    return GrowthRegression(np.asarray(slopes), is_ratio)
