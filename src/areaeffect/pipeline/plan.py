"""The plan: units, pool, benchmark areas, balance, placebo candidates and the seal.

Everything here is settled before an outcome at or after a start is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.design.balance import balance
from areaeffect.design.pool import Pool, make_pool
from areaeffect.design.programme import Rules, Weighted, design_programme
from areaeffect.design.seal import seal
from areaeffect.errors import DataError, NothingEstimableError, Problem
from areaeffect.falsify.placebo import (
    ALIKE,
    GROWTHS,
    Candidates,
    Machine,
    count_disjoint,
    grouped,
    grow,
    most_alike,
)
from areaeffect.panel import REASONS, Neighbourhood
from areaeffect.periods import label
from areaeffect.pipeline.cohorts import MAX_MISSING, ClaimCohorts, coverage_of
from areaeffect.results import BalanceRow, NeighbourhoodDesign, Seal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.panel import Measure, Panel
    from areaeffect.pipeline.assemble import Assembled
    from areaeffect.results import Bools, Floats, Ints
    from areaeffect.study import Study
    from areaeffect.study_file import StudyFile

#: Disjoint placebo programmes are counted up to here; more change nothing.
_MOST_DISJOINT = 250


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A sealed design.

    Parameters
    ----------
    units : the neighbourhoods (or programmes) that are designed for.
    pool : eligible areas, and reasons.
    machine : what placebo draws need; its first arm's cohorts are those of `designs`.
    chosen : for each arm, the benchmark areas of each unit.
    designs, balance : the same for print.
    disjoint : by group of units, (programmes, pseudo-neighbourhoods) that share no area.
    seal : the hash.
    notes : remarks for the data annex.
    """

    units: tuple[Neighbourhood, ...]
    pool: Pool
    machine: Machine
    chosen: tuple[tuple[Weighted | None, ...], ...]
    designs: tuple[NeighbourhoodDesign, ...]
    balance: tuple[BalanceRow, ...]
    seal: Seal
    notes: tuple[str, ...]


def make_plan(file: StudyFile, data: Assembled, version: str) -> Plan:
    """Design the study and seal it.

    Raises
    ------
    NothingEstimableError
        Where no area is left to compare with.
    """
    study, panel = file.study, data.panel
    measures = tuple(panel.measures[o.name] for o in study.outcome)
    units, notes = _covered_units(study, panel, measures, data.neighbourhoods)
    _refuse_late_covariates(file, units)
    pool = _pool(study, data, measures)
    if not pool.eligible.any():
        raise NothingEstimableError(
            Problem(
                "no area is left to compare with: " + _why_empty(pool) + ".",
                str(file.path),
                "Shorten `buffer_km`, drop exclusions, or give a panel with more untreated areas.",
            )
        )
    arms = _arms(study, panel, measures, pool.eligible, units)
    rules = Rules(study.design.nearest, study.design.common_support, panel.near)
    members = [u.areas for u in units]
    chosen = tuple(
        tuple(
            design_programme(
                [arm.cohort(g, m) for g, m in enumerate(members)], members, pool.eligible, rules
            )
        )
        for arm in arms
    )
    designs = _designs(panel, units, arms, chosen)
    rng = np.random.default_rng([study.study.seed, 1])
    banks = _banks(study, panel, pool, units, arms[0], rng)
    machine = Machine(arms, banks, pool.eligible, rules, len(measures), study.study.seed)
    rows = [
        row
        for arm, weighted in zip(arms, chosen, strict=True)
        for g, (unit, found) in enumerate(zip(units, weighted, strict=True))
        if found is not None
        for row in balance(
            unit.name, arm.claim, arm.cohort(g, unit.areas), unit.areas, found, pool.eligible
        )
    ]
    sealed = seal(file.text, version, study.study.seed, panel.releases, designs)
    return Plan(units, pool, machine, chosen, designs, tuple(rows), sealed, tuple(notes))


def disjoint(plan: Plan, members: Sequence[int]) -> tuple[int, int]:
    """Count the placebo programmes and pseudo-neighbourhoods of some units that share no area."""
    rng = np.random.default_rng([plan.machine.seed, 2])
    banks = [plan.machine.banks[g] for g in members]
    return count_disjoint(banks, len(plan.machine.eligible), rng, _MOST_DISJOINT)


def _covered_units(
    study: Study, panel: Panel, measures: Sequence[Measure], found: Sequence[Neighbourhood]
) -> tuple[tuple[Neighbourhood, ...], list[str]]:
    """Leave treated areas with long gaps of their own out, and merge where one unit is asked.

    A period in which most areas of a neighbourhood have no value is a gap of the source; an
    area that lacks more than `MAX_MISSING` of the other periods is not covered.
    """
    kept, notes = [], []
    for unit in found:
        lacking = np.zeros(len(unit.areas), dtype=bool)
        for measure in measures:
            seen = measure.observed[unit.areas]
            common = seen.mean(axis=0) >= 0.5  # noqa: PLR2004
            lacking |= (~seen[:, common]).mean(axis=1) > MAX_MISSING if common.any() else True
        lacking |= ~np.isfinite(panel.covariates[unit.areas]).all(axis=1)
        if lacking.any():
            notes.append(_left_out_note(panel, measures, unit, lacking))
        if not lacking.all():
            kept.append(replace(unit, areas=unit.areas[~lacking]))
    if not kept:
        raise DataError(
            Problem(
                "no treated area is covered: each lacks values in over 10 % of the window, or a "
                "covariate.",
                "initiative",
                "Look at the gaps with `areaeffect check`.",
            )
        )
    if study.design.unit == "programme":
        kept = _merge(kept)
    return tuple(kept), notes


def _left_out_note(
    panel: Panel, measures: Sequence[Measure], unit: Neighbourhood, lacking: Bools
) -> str:
    """Say which treated areas are left out, and what that does to the raw change."""
    codes = panel.areas[unit.areas[lacking]]
    text = (
        f"{unit.name}: {lacking.sum()} of {len(unit.areas)} treated areas are not covered "
        f"throughout and are left out ({', '.join(codes[:3])}{' …' if len(codes) > 3 else ''})."  # noqa: PLR2004
    )
    measure = measures[0]
    before, after = measure.periods.split(unit.start, unit.start_kind)
    raw = []
    for areas in (unit.areas, unit.areas[~lacking]):
        cells = np.nan_to_num(measure.values[areas])
        pre, post = cells[:, before].sum(), cells[:, after].sum()
        years = (after.stop - after.start) / max(1, before.stop - before.start)
        if pre == 0:
            return text
        raw.append(f"{100 * (post / pre / years - 1):+.1f}%")
    return (
        f"{text} Raw change of {measure.name.replace('_', ' ')} per period, before to after the "
        f"start: {raw[0]} with them (missing counted as nothing), {raw[1]} without."
    )


def _merge(units: Sequence[Neighbourhood]) -> list[Neighbourhood]:
    """Join the neighbourhoods of each programme and start into one unit."""
    found: dict[tuple[str, int], list[Neighbourhood]] = {}
    for unit in units:
        found.setdefault((unit.initiative, unit.start), []).append(unit)
    return [
        replace(
            parts[0],
            name=initiative
            if len({s for i, s in found if i == initiative}) == 1
            else f"{initiative}, {label(start, parts[0].start_kind)}",
            areas=np.sort(np.concatenate([p.areas for p in parts])),
        )
        for (initiative, start), parts in found.items()
    ]


def _refuse_late_covariates(file: StudyFile, units: Sequence[Neighbourhood]) -> None:
    """A covariate dated at or after a start may already hold the effect (honesty rule 1)."""
    from areaeffect.periods import kind_of, parse_period  # noqa: PLC0415

    problems = []
    for i, covariate in enumerate(file.study.design.covariates):
        if covariate.as_of is None:
            continue
        kind = kind_of(covariate.as_of)
        ordinal = parse_period(covariate.as_of, kind) if kind else None
        for unit in units:
            if kind is None or ordinal is None:
                break
            both = {kind, unit.start_kind}
            if len(both) > 1 and "number" in both:
                continue
            scale = 12 // (kind.per_year or 12)
            start = unit.start * (12 // (unit.start_kind.per_year or 12))
            if ordinal * scale >= start:
                problems.append(
                    Problem(
                        f"'{covariate.column}' describes {covariate.as_of}, but '{unit.name}' "
                        f"starts at {label(unit.start, unit.start_kind)}.",
                        file.where(f"design.covariates.{i}"),
                        "Use an earlier edition: one from after the start may hold the effect.",
                    )
                )
                break
    if problems:
        raise DataError(problems)


def _pool(study: Study, data: Assembled, measures: Sequence[Measure]) -> Pool:
    panel = data.panel
    n = len(panel.areas)
    exclusions: list[tuple[Bools, str]] = [
        (np.isin(panel.attributes[e.column], e.values), e.reason) for e in study.design.exclude
    ]
    for measure in measures:
        common = measure.observed.mean(axis=0) >= 0.5  # noqa: PLR2004
        share = (~measure.observed[:, common]).mean(axis=1) if common.any() else np.ones(n)
        for code in np.unique(measure.reasons[measure.reasons > 0]):
            mask = np.asarray((share > MAX_MISSING) & (measure.reasons == code).any(axis=1))
            exclusions.append((mask, f"not covered in the window ({REASONS[code]})"))
        if measure.exposure is not None:
            exclusions.append(
                (np.nan_to_num(measure.exposure) <= 0, f"no exposure for {measure.name}")
            )
    exclusions.append((~np.isfinite(panel.covariates).all(axis=1), "a covariate is missing"))
    every = np.concatenate([nb.areas for nb in data.neighbourhoods])
    smallest = min(len(u.areas) for u in data.neighbourhoods)
    return make_pool(
        n,
        every,
        data.others,
        exclusions,
        near=panel.near,
        buffer_km=study.register_.buffer_km,
        contiguity=None if study.analysis.placebo_neighbourhoods else panel.contiguity,
        smallest=smallest,
    )


def _why_empty(pool: Pool) -> str:
    counts: dict[str, int] = {}
    for reason in pool.reasons:
        counts[reason] = counts.get(reason, 0) + 1
    return "; ".join(f"{n} {reason}" for reason, n in sorted(counts.items(), key=lambda c: -c[1]))


def _arms(
    study: Study,
    panel: Panel,
    measures: tuple[Measure, ...],
    eligible: Bools,
    units: tuple[Neighbourhood, ...],
) -> tuple[ClaimCohorts, ...]:
    coverage = coverage_of(measures)
    arms = []
    for claim in ("change", "level"):
        outcomes = tuple(i for i, o in enumerate(study.outcome) if o.claim == claim)
        if outcomes:
            arms.append(
                ClaimCohorts(
                    claim,
                    outcomes,
                    panel,
                    measures,
                    coverage,
                    eligible,
                    units,
                    study.design.history,
                    study.design.nearest,
                )
            )
    return tuple(arms)


def _designs(
    panel: Panel,
    units: Sequence[Neighbourhood],
    arms: Sequence[ClaimCohorts],
    chosen: Sequence[Sequence[Weighted | None]],
) -> tuple[NeighbourhoodDesign, ...]:
    found = []
    for arm, weighted in zip(arms, chosen, strict=True):
        for g, (unit, w) in enumerate(zip(units, weighted, strict=True)):
            if w is None:
                continue
            positive = w.weights > 0
            order = np.lexsort((w.pool[positive], -w.weights[positive]))
            left_out = sorted(
                {
                    arm.measures[o].periods.labels[t]
                    for o, sides in arm.used(g, unit.areas).items()
                    for t in _holes(arm.measures[o], unit, sides)
                }
            )
            found.append(
                NeighbourhoodDesign(
                    unit.initiative,
                    unit.name,
                    arm.claim,
                    label(unit.start, unit.start_kind),
                    tuple(str(a) for a in panel.areas[unit.areas]),
                    tuple(str(a) for a in panel.areas[w.pool[positive][order]]),
                    tuple(float(x) for x in w.weights[positive][order]),
                    len(w.pool),
                    w.n_effective,
                    w.exact,
                    float(np.abs(w.imbalance).max(initial=0.0)),
                    tuple(left_out),
                )
            )
    return tuple(found)


def _holes(measure: Measure, unit: Neighbourhood, sides: tuple[Bools, Bools]) -> Ints:
    before, after = measure.periods.split(unit.start, unit.start_kind)
    inside = np.zeros(measure.periods.n, dtype=bool)
    inside[before] = sides[0].any()
    inside[after] = sides[1].any()
    return np.flatnonzero(inside & ~(sides[0] | sides[1]))


def _banks(
    study: Study,
    panel: Panel,
    pool: Pool,
    units: Sequence[Neighbourhood],
    arm: ClaimCohorts,
    rng: np.random.Generator,
) -> tuple[Candidates, ...]:
    """List what may stand for each unit in a placebo programme."""
    allowed = pool.eligible
    given: list[Ints] | None = None
    if study.analysis.placebo_neighbourhoods:
        given = _given_groups(study.analysis.placebo_neighbourhoods, panel, pool)
    grown: dict[int, list[Ints]] = {}
    banks = []
    for g, unit in enumerate(units):
        traits = _traits(arm, g, unit.areas)
        size = len(unit.areas)
        if given is not None:
            banks.append(Candidates((tuple(given),)))
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
    spread = level[usable].std(axis=0) if usable.any() else np.ones(level.shape[1])
    level = (level - level[usable].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([cohort.scaled[:, :n_covariates], level])
