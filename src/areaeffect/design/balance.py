"""Balance: how alike treated and benchmark areas are, before and after weighting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.design.programme import ROUNDING, spread_of
from areaeffect.results import BalanceRow

if TYPE_CHECKING:
    from areaeffect.design.programme import Cohort, Weighted
    from areaeffect.panel import Neighbourhood
    from areaeffect.results import Bools

#: Largest standardised mean difference that counts as balanced (Austin 2009,
#: doi 10.1002/sim.3697; Stuart 2010, doi 10.1214/09-STS313, uses 0.25).
SMD_LIMIT = 0.1


def balance(
    unit: Neighbourhood, claim: str, cohort: Cohort, weighted: Weighted, eligible: Bools
) -> list[BalanceRow]:
    """Compare one neighbourhood with the pool and with its benchmark areas.

    The standardised mean difference divides by the standard deviation of the eligible areas
    before matching, so that weighting cannot make it look smaller by changing its denominator.
    """
    raw, areas = cohort.features.values, unit.areas
    pool = np.flatnonzero(eligible & cohort.usable)
    spread = spread_of(raw[pool])
    share = weighted.weights / weighted.weights.sum()
    treated_mean, pool_mean = raw[areas].mean(axis=0), raw[pool].mean(axis=0)
    benchmark = raw[weighted.pool]
    benchmark_mean = share @ benchmark
    treated_var = raw[areas].var(axis=0)
    benchmark_var = share @ (benchmark - benchmark_mean) ** 2
    rows = []
    for k, covariate in enumerate(cohort.features.names):
        if spread[k] <= ROUNDING * np.abs(raw[pool, k]).max(initial=0.0):
            continue
        rows.append(
            BalanceRow(
                initiative=unit.initiative,
                neighbourhood=unit.name,
                claim=claim,
                covariate=covariate,
                treated_mean=float(treated_mean[k]),
                pool_mean=float(pool_mean[k]),
                benchmark_mean=float(benchmark_mean[k]),
                smd_before=float((treated_mean[k] - pool_mean[k]) / spread[k]),
                smd_after=float((treated_mean[k] - benchmark_mean[k]) / spread[k]),
                variance_ratio=float(treated_var[k] / benchmark_var[k])
                if len(areas) > 1 and benchmark_var[k] > 0
                else None,
            )
        )
    return rows
