"""Which areas may represent each neighbourhood in a placebo programme."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from areaeffect.design.pool import Pool
from areaeffect.design.programme import Cohort
from areaeffect.findings.cohorts import ClaimCohorts
from areaeffect.panel import Neighbourhood, Panel
from areaeffect.placebo.places import (
    ALIKE,
    GROWTHS,
    Spread,
    centre_of,
    grouped,
    grow,
    mean_distance,
    mean_traits,
    most_alike,
)
from areaeffect.placebo.programmes import Candidates, matched_spread
from areaeffect.results import Bools, Floats, Ints
from areaeffect.study.model import Study


def candidates(
    study: Study,
    panel: Panel,
    pool: Pool,
    units: Sequence[Neighbourhood],
    arm: ClaimCohorts,
    rng: np.random.Generator,
) -> tuple[Candidates, ...]:
    """List what may represent each unit in a placebo programme."""
    allowed = pool.eligible
    means: dict[tuple[int, int], Floats] = {}  # neighbourhoods of one cohort and size share them
    banks = []
    for g, pieces in enumerate(places_of(study, panel, pool, units, rng)):
        if study.analysis.placebo_neighbourhoods:
            banks.append(Candidates(tuple(options for _, options in pieces)))
            continue
        cohort = arm.cohort(g, units[g].areas)
        traits = traits_of(cohort, panel.covariates.shape[1], allowed)
        made = []
        for areas, options in pieces:
            key = (id(cohort), len(areas))
            if key not in means:
                means[key] = mean_traits(options, traits)
            grown = len(areas) > 1 or study.design.unit == "neighbourhood"
            keep = ALIKE * GROWTHS if grown and panel.contiguity is not None else ALIKE
            target = traits[areas].mean(axis=0)
            made.append(tuple(most_alike(options, means[key], target, keep)))
        banks.append(Candidates(tuple(made)))
    return tuple(banks)


def places_of(
    study: Study, panel: Panel, pool: Pool, units: Sequence[Neighbourhood], rng: np.random.Generator
) -> list[list[tuple[Ints, tuple[Ints, ...]]]]:
    """List the pieces of each unit: the treated areas, and every place that could be drawn instead.

    Places are groups that the study names, or contiguous pseudo-neighbourhoods as large as the
    piece. A neighbourhood is one piece. A programme with one design has a piece for each set of
    areas that touch, or for each area where it is not known which areas touch.
    """
    if study.analysis.placebo_neighbourhoods:
        given = tuple(_given_groups(study.analysis.placebo_neighbourhoods, panel, pool))
        return [[(unit.areas, given)] for unit in units]
    grown: dict[int, tuple[Ints, ...]] = {}
    found = []
    for unit in units:
        pieces = _pieces(study, panel, unit.areas)
        for size in [len(piece) for piece in pieces]:
            if size not in grown:
                grown[size] = tuple(
                    grow(panel.contiguity, pool.eligible, size, rng)
                    if panel.contiguity is not None
                    else [np.array([a]) for a in np.flatnonzero(pool.eligible)]
                )
        found.append([(piece, grown[len(piece)]) for piece in pieces])
    return found


def _pieces(study: Study, panel: Panel, areas: Ints) -> list[Ints]:
    if panel.contiguity is None:
        return [np.array([a]) for a in areas]
    return [areas] if study.design.unit == "neighbourhood" else panel.contiguity.pieces(areas)


def spread_of(panel: Panel, units: Sequence[Neighbourhood], banks: Sequence[Candidates]) -> Spread | None:
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
    return matched_spread(banks, len(panel.areas), centres, target)


def _given_groups(reference: str, panel: Panel, pool: Pool) -> list[Ints]:
    """Return the groups whose areas may all be pseudo-treated, buffers aside."""
    buffered = np.array([r == "" or r.startswith("within ") for r in pool.reasons])
    uncovered = np.array([r.startswith("not covered") for r in pool.reasons])
    return grouped(panel.attributes[reference], buffered, ~uncovered)


def traits_of(cohort: Cohort, n_covariates: int, eligible: Bools) -> Floats:
    """Return scaled covariates and levels before the start, in which placebos should be alike."""
    usable = cohort.usable & eligible
    level = np.where(cohort.usable[:, None], cohort.level, 0.0)
    if not usable.any():
        return np.zeros((len(level), n_covariates + level.shape[1]))
    spread = level[usable].std(axis=0)
    level = (level - level[usable].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([cohort.scaled[:, :n_covariates], level])
