"""Intervals of other kinds, beside the placebo one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.estimate.between import bootstrap, clustered_ratio
from areaeffect.estimate.linearised import Compared, linearised_ratio
from areaeffect.findings.case import benchmark_of
from areaeffect.results import Claim
from areaeffect.streams import Use, generator

if TYPE_CHECKING:
    from areaeffect.findings.case import Case, Evidence
    from areaeffect.results import Interval

_LINEARISED_LEVEL = 0.9


def companions(evidence: Evidence, case: Case, estimate: float) -> tuple[Interval, ...]:
    """Return the companions a study asks for and a finding can carry.

    Linearised, of any number of neighbourhoods, for ratios of change; from ten neighbourhoods on,
    cluster-robust for the same, and the bootstrap over neighbourhoods for every form. Where a kind
    is missing for want of neighbourhoods, `small_programme_note` says why.
    """
    asked = evidence.study.analysis
    found: list[Interval | None] = []
    is_change = case.is_ratio and case.claim is Claim.CHANGE
    parts = _parts(evidence, case) if asked.linearised and is_change else []
    if parts:
        found.append(linearised_ratio(parts, estimate, _LINEARISED_LEVEL, case.outcome.better))
    if asked.between_neighbourhoods:
        if is_change:
            found.append(clustered_ratio(evidence.real[list(case.units), case.position]))
        found.append(_bootstrap(evidence, case))
    return tuple(one for one in found if one is not None)


def small_programme_note(n_neighbourhoods: int, fewest: int) -> str:
    """Say why a small programme has no cluster-robust or bootstrap interval."""
    return (
        f"No cluster-robust or bootstrap interval is given under {fewest} treated neighbourhoods "
        f"(here {n_neighbourhoods}): measured false alarms there are 19 to 84% at a nominal 5%."
    )


def _parts(evidence: Evidence, case: Case) -> list[Compared]:
    arm = next(a for a in evidence.plan.arms if case.position in a.outcomes)
    values, found = case.measure.values, []
    for g in case.units:
        areas, chosen = evidence.plan.units[g].areas, benchmark_of(evidence.plan, case.position)[g]
        if chosen is None:
            return []
        used = np.flatnonzero(arm.used(g, areas)[case.position][1])
        found.append(
            Compared(
                members=areas,
                pool=chosen.pool,
                treated=values[np.ix_(areas, used)],
                outside=values[np.ix_(chosen.pool, used)],
                weights=chosen.weights,
                periods=used,
            )
        )
    return found


def _bootstrap(evidence: Evidence, case: Case) -> Interval | None:
    n, n_against = len(case.units), len(case.against)
    totals = evidence.real[[*case.units, *case.against], case.position]
    own = replace(case, units=tuple(range(n)), against=tuple(range(n, n + n_against)))
    sides = [n, n_against] if n_against else [n]
    rng = generator(Use.BOOTSTRAP, evidence.study.study.seed, case.position)
    return bootstrap(totals, sides, own.statistic, case.printed, rng)
