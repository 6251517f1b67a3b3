"""Linearised interval of a weighted comparison, as survey software computes it.

The companion that R microsynth prints (Robbins & Davenport 2021, doi 10.18637/jss.v097.i02,
section 3.4): area-periods after the start are regressed on treatment and period dummies with
the calibration weights; the sandwich variance takes area-periods as independent, which areas
are not, and leaves the estimation of the weights out. It is printed beside the placebo
interval, never instead of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.results import Companion

if TYPE_CHECKING:
    from areaeffect.results import Floats


def linearised_ratio(
    treated: Floats, pool: Floats, weights: Floats, level: float, better: str
) -> Companion:
    """Return the linearised interval of the ratio of totals after the start.

    Parameters
    ----------
    treated : (n_treated, n_periods), counts after the start.
    pool : (m, n_periods).
    weights : (m,), adding up to the number of treated areas.
    level : of the two-sided interval, which is symmetric on the log scale (delta method).
    better : direction of the one-sided p-value, which is that of the additive difference.
    """
    from scipy.stats import norm  # noqa: PLC0415  # heavy

    n_periods = treated.shape[1]
    n = (len(treated) + len(pool)) * n_periods
    pool, weights = pool[weights > 0], weights[weights > 0]
    outcome = np.concatenate([treated, pool]).ravel()
    weight = np.repeat(np.concatenate([np.ones(len(treated)), weights]), n_periods)
    is_treated = np.repeat(np.arange(len(treated) + len(pool)) < len(treated), n_periods)
    period = np.tile(np.eye(n_periods), (len(treated) + len(pool), 1))
    design = np.column_stack([is_treated.astype(float), period])
    weighted = design * weight[:, None]
    bread = np.linalg.inv(weighted.T @ design)
    coefficient = bread @ (weighted.T @ outcome)
    score = design * (weight * (outcome - design @ coefficient))[:, None]
    variance = bread @ (n / (n - 1) * score.T @ score) @ bread
    difference, base = float(coefficient[0]), float(coefficient[1:].mean())
    reached = base + difference
    gradient = np.concatenate(
        [[1 / reached], np.full(n_periods, (1 / reached - 1 / base) / n_periods)]
    )
    error = float(np.sqrt(gradient @ variance @ gradient))
    middle, half = float(np.log(reached / base)), float(norm.ppf(0.5 + level / 2)) * error
    tail = float(norm.cdf(difference / np.sqrt(variance[0, 0])))
    return Companion(
        kind="linearised",
        level=level,
        alternative=better,
        low=float(np.expm1(middle - half)),
        high=float(np.expm1(middle + half)),
        p_value=tail if better == "lower" else 1 - tail,
    )
