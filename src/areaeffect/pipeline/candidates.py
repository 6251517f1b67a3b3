"""Which areas may stand for each neighbourhood in a placebo programme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.falsify.placebo import (
    ALIKE,
    GROWTHS,
    Candidates,
    grouped,
    grow,
    matched_spread,
    most_alike,
)
from areaeffect.falsify.spread import Spread, centre_of, mean_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.design.pool import Pool
    from areaeffect.panel import Neighbourhood, Panel
    from areaeffect.pipeline.cohorts import ClaimCohorts
    from areaeffect.results import Floats, Ints
    from areaeffect.study import Study


def candidates(
    study: Study,
    panel: Panel,
    pool: Pool,
    units: Sequence[Neighbourhood],
    arm: ClaimCohorts,
    rng: np.random.Generator,
) -> tuple[Candidates, ...]:
    """List what may stand for each unit in a placebo programme."""
    allowed = pool.eligible
    given: tuple[Ints, ...] | None = None
    if study.analysis.placebo_neighbourhoods:
        given = tuple(_given_groups(study.analysis.placebo_neighbourhoods, panel, pool))
    grown: dict[int, list[Ints]] = {}
    banks = []
    for g, unit in enumerate(units):
        traits = _traits(arm, g, unit.areas)
        size = len(unit.areas)
        if given is not None:
            banks.append(Candidates((given,)))
        elif panel.contiguity is not None and study.design.unit == "neighbourhood":
            if size not in grown:
                grown[size] = grow(panel.contiguity, allowed, size, rng)
            alike = most_alike(
                grown[size], traits, traits[unit.areas].mean(axis=0), ALIKE * GROWTHS
            )
            banks.append(Candidates((tuple(alike),)))
        else:
            singles = [np.array([a]) for a in np.flatnonzero(allowed)]
            banks.append(
                Candidates(
                    tuple(tuple(most_alike(singles, traits, traits[a], ALIKE)) for a in unit.areas)
                )
            )
    return tuple(banks)


def spread_of(
    panel: Panel, units: Sequence[Neighbourhood], banks: Sequence[Candidates], seed: int
) -> Spread | None:
    """Return how far apart the programme's neighbourhoods lie.

    None for a single one, without boundaries, or where areas are drawn one by one.
    """
    whole = all(len(bank.pieces) == 1 and bank.pieces[0] for bank in banks)
    if panel.centres is None or len(units) == 1 or not whole:
        return None
    known: dict[int, Floats] = {}
    for bank in banks:  # banks of given groups are one and the same
        if id(bank.pieces[0]) not in known:
            known[id(bank.pieces[0])] = centre_of(bank.pieces[0], panel.centres)
    centres = [known[id(bank.pieces[0])] for bank in banks]
    target = mean_distance(centre_of([u.areas for u in units], panel.centres))
    return matched_spread(banks, len(panel.areas), centres, target, seed)


def _given_groups(reference: str, panel: Panel, pool: Pool) -> list[Ints]:
    """Groups whose areas may all be pseudo-treated; a buffer does not break a group."""
    buffered = np.array([r == "" or r.startswith("within ") for r in pool.reasons])
    uncovered = np.array([r.startswith("not covered") for r in pool.reasons])
    return grouped(panel.attributes[reference], buffered, ~uncovered)


def _traits(arm: ClaimCohorts, unit: int, areas: Ints) -> Floats:
    """Covariates and levels before the start, scaled: what placebos should share."""
    cohort = arm.cohort(unit, areas)
    n_covariates = arm.panel.covariates.shape[1]
    usable = cohort.usable & arm.eligible
    level = np.where(cohort.usable[:, None], cohort.level, 0.0)
    if not usable.any():
        return np.zeros((len(level), n_covariates + level.shape[1]))
    spread = level[usable].std(axis=0)
    level = (level - level[usable].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([cohort.scaled[:, :n_covariates], level])
