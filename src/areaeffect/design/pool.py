"""The comparison pool, how alike the areas chosen are, and the seal over every design."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from areaeffect.design.programme import ROUNDING, Cohort, Weighted, spread_of
from areaeffect.panel import Graph, Neighbourhood
from areaeffect.results import BalanceRow, Bools, Ints, NeighbourhoodDesign, Release, Seal


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Eligible areas, and the first reason why each other one is left out."""

    eligible: Bools  # (n_areas,)
    reasons: tuple[str, ...]  # (n_areas,), empty where eligible


def make_pool(
    n_areas: int,
    treated: Ints,
    others: Ints,
    exclusions: Sequence[tuple[Bools, str]],
    *,
    near: Graph | None,
    buffer_km: float,
    contiguity: Graph | None,
    smallest: int,
) -> Pool:
    """Apply the pool's rules in order; the first that leaves an area out is its reason.

    Parameters
    ----------
    near : areas within the buffer of each other; None without boundaries.
    contiguity : areas that touch; None without boundaries.
    """
    reasons = np.full(n_areas, "", dtype=object)

    def leave_out(mask: Bools, reason: str) -> None:
        reasons[mask & (reasons == "")] = reason

    leave_out(_mask(treated, n_areas), "treated")
    leave_out(_mask(others, n_areas), "in another initiative of the register")
    for mask, reason in exclusions:
        leave_out(mask, reason)
    if near is not None:
        around = near.of_any(np.concatenate([treated, others]))
        leave_out(_mask(around, n_areas), f"within {buffer_km:g} km of a treated area")
    if contiguity is not None:
        room = contiguity.component_sizes(reasons == "")
        leave_out(
            (room > 0) & (room < smallest),
            f"isolated: could not be part of a neighbourhood of {smallest} areas",
        )
    return Pool(reasons == "", tuple(str(r) for r in reasons))


def _mask(positions: Ints, n_areas: int) -> Bools:
    mask = np.zeros(n_areas, dtype=bool)
    mask[positions] = True
    return mask


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


_DIGITS = 12


def seal(
    study_text: str,
    version: str,
    seed: int,
    releases: Sequence[Release],
    designs: Sequence[NeighbourhoodDesign],
) -> Seal:
    """Hash a plan before any outcome after a start is read.

    Weights are hashed at 12 significant digits, so that the seal does not depend on the last
    bits of a platform's arithmetic. It proves that the estimates used this plan, not that
    nobody had looked at public data.
    """
    content = {
        "study": study_text,
        "version": version,
        "seed": seed,
        "releases": [r.sha256 for r in releases],
        "designs": [_plain(asdict(d)) for d in designs],
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    covers = (
        "the study file as written",
        f"areaeffect {version}",
        f"the seed {seed}",
        *(f"{r.file}, sha256 {r.sha256}" for r in releases),
        f"the benchmark areas and weights of {len(designs)} designs",
    )
    return Seal(hashlib.sha256(text.encode()).hexdigest(), covers)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
