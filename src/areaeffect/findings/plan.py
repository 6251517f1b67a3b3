"""The plan: units, pool, benchmark areas, balance, placebo candidates and the seal.

Everything here is settled before an outcome at or after a start is read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.design.calibration import Matching
from areaeffect.design.pool import Pool, balance, make_pool, seal
from areaeffect.design.programme import Rules, Weighted, design_programme
from areaeffect.errors import StudyError
from areaeffect.estimate.counterfactual import bins_over
from areaeffect.findings.choices import (
    design_exclusions,
    in_line,
    placed_by,
    primary_outcomes,
    refuse_useless_covariates,
    strata_of,
)
from areaeffect.findings.cohorts import HELD_OUT, ClaimCohorts, candidates, coverage_of, spread_of
from areaeffect.findings.units import Look, covered_units, refuse_late_covariates
from areaeffect.panel import REASONS, Measure, Neighbourhood, Panel, is_enough
from areaeffect.periods import kind_of, label, parse_period
from areaeffect.placebo.programmes import Machine, count_disjoint
from areaeffect.register.registered import THROUGHOUT
from areaeffect.results import BalanceRow, Bools, NeighbourhoodDesign, Seal
from areaeffect.streams import OF_AREAS, Use, generator
from areaeffect.study.file import StudyFile
from areaeffect.study.model import Study
from areaeffect.wording.numbers import phrase

#: Why an area is left out where the study leaves out whole authorities.
UNCERTAIN = "its authority holds an initiative that could not be located"
#: Disjoint placebo programmes are counted up to here; more change nothing.
_MOST_DISJOINT = 250
#: Placebo draws that the held-out year is tested with: a gate, not an estimate.
HELD_OUT_DRAWS = 199


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plan:
    """A sealed design."""

    initiatives: tuple[str, ...]  # names of the programmes studied, also of those without a covered area
    named: Mapping[str, int]  # treated areas that the study names, by initiative, used or not
    units: tuple[Neighbourhood, ...]  # the neighbourhoods (or programmes) that are designed for
    pool: Pool  # eligible areas, and reasons
    machine: Machine  # what placebo draws need
    #: its arms, one a kind of claim and the held-out one; the first ones are `designs`'.
    arms: tuple[ClaimCohorts, ...]
    chosen: tuple[tuple[Weighted | None, ...], ...]  # for each arm, the benchmark areas of each unit
    #: designs, balance: the same for print
    designs: tuple[NeighbourhoodDesign, ...]
    balance: tuple[BalanceRow, ...]
    seal: Seal  # the hash
    notes: tuple[str, ...]  # remarks for the data annex
    warnings: tuple[str, ...]  # what every finding must say of the design
    primary: tuple[bool, ...]  # for each outcome, whether the study is judged by it
    look: Look | None = None  # the planned look that the data reach; None where no looks are planned
    _disjoint: dict[tuple[tuple[int, ...], int], tuple[int, int]] = field(default_factory=dict)

    @property
    def leading(self) -> ClaimCohorts:
        """The claim that placebos are matched for: change where the study asks about it."""
        return self.arms[0]

    def arm_of(self, position: int) -> ClaimCohorts:
        """Return the cohorts of the claim that stands at a position of the totals."""
        return next(arm for arm in self.arms if position in arm.outcomes)

    def benchmark_of(self, position: int) -> tuple[Weighted | None, ...]:
        """Return the benchmark areas of every unit for the claim an outcome makes."""
        return self.chosen[self.arms.index(self.arm_of(position))]


def _periods_left_out(designs: Sequence[NeighbourhoodDesign]) -> list[str]:
    """Say which periods are left out of which neighbourhoods, once for all with the same."""
    same: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for d in designs:
        if d.periods_left_out:
            same[d.claim, d.periods_left_out].append(f"{d.neighbourhood} ({d.initiative})")
    return [
        f"{'; '.join(places)}, {claim}: {_listed(periods)} left out, "
        "because a treated area has no value then."
        for (claim, periods), places in same.items()
    ]


def _listed(periods: Sequence[str]) -> str:
    """Write periods, those that follow each other as 'from 2017-07 to 2017-12'."""
    kind = kind_of(periods[0])
    ordinals = [parse_period(p, kind) if kind else None for p in periods]
    runs: list[list[str]] = []
    for i, period in enumerate(periods):
        last = ordinals[i - 1] if i else None
        if last is not None and ordinals[i] == last + 1:
            runs[-1].append(period)
        else:
            runs.append([period])
    return ", ".join(f"{r[0]} to {r[-1]}" if len(r) > 2 else ", ".join(r) for r in runs)  # noqa: PLR2004


def make_plan(file: StudyFile, data: Assembled, version: str) -> Plan:
    """Design the study and seal it."""
    study, panel = file.study, data.panel
    measures = tuple(panel.measures[o.name] for o in study.outcome)
    units, notes = covered_units(study, panel, measures, data.neighbourhoods)
    refuse_late_covariates(file, panel.covariate_as_of, units)
    ranked = placed_by(file, data)
    pool = pool_of(study, data, measures)
    _refuse_empty(pool, {u.start for u in data.neighbourhoods}, file)
    counting = pool.eligible.copy()
    counting[np.concatenate([u.areas for u in units])] = True
    refuse_useless_covariates(file, panel, counting)
    every = arms_of(study, panel, measures, pool.eligible, units)
    arms = tuple(arm for arm in every if arm.claim != HELD_OUT)
    rules = Rules(
        study.design.nearest,
        study.design.common_support,
        panel.near,
        Matching(study.design.calibration, study.design.ratio),
        ranked,
    )
    chosen, designs, balanced = _designed(panel, units, arms, pool, rules)
    notes += _periods_left_out(designs)
    leading, seed = arms[0], study.study.seed
    rng = generator(Use.CANDIDATES, OF_AREAS)
    banks = in_line(ranked, pool, units) or candidates(study, panel, pool, units, leading, rng)
    machine = Machine(
        arms=every,
        banks=banks,
        eligible=pool.eligible,
        rules=rules,
        n_outcomes=2 * len(measures),
        seed=seed,
        n_bins=leading.bins.n,
        spread=None if ranked else spread_of(panel, units, banks),
    )
    primary, of_total = primary_outcomes(study, measures, units)
    named: Counter[str] = Counter()
    for place in data.neighbourhoods:
        named[place.initiative] += place.n_named
    lost = sum(len(u.areas) for u in data.neighbourhoods) - sum(len(u.areas) for u in units)
    return Plan(
        initiatives=tuple(dict.fromkeys(n.initiative for n in data.neighbourhoods)),
        named=named,
        units=units,
        pool=pool,
        machine=machine,
        arms=every,
        chosen=chosen,
        designs=designs,
        balance=balanced,
        seal=seal(file.text, version, seed, panel.releases, designs),
        notes=(*notes, *of_total),
        warnings=(phrase("units.treated_areas", lost=lost, named=sum(named.values())),) if lost else (),
        primary=primary,
    )


def disjoint(plan: Plan, members: Sequence[int], most: int = _MOST_DISJOINT) -> tuple[int, int]:
    """Count the placebo programmes and pseudo-neighbourhoods of some units that share no area.

    Counting stops at `most` programmes; what several steps ask for is counted once.
    """
    asked = (tuple(members), most)
    if asked not in plan._disjoint:
        banks = [plan.machine.banks[g] for g in members]
        plan._disjoint[asked] = count_disjoint(banks, len(plan.machine.eligible), most)
    return plan._disjoint[asked]


def pool_of(study: Study, data: Assembled, measures: Sequence[Measure]) -> Pool:
    """Return every area's place in the pool under the study's rules and its panel's buffer."""
    panel = data.panel
    n = len(panel.areas)
    every = np.concatenate([nb.areas for nb in data.neighbourhoods])
    exclusions = design_exclusions(study.design, panel, every)
    throughout = np.zeros(n, dtype=np.bool_)
    throughout[data.registered.throughout] = True
    exclusions.append((throughout, THROUGHOUT))
    for measure in measures:
        common = measure.observed.mean(axis=0) >= 0.5  # noqa: PLR2004
        lacks = np.zeros(n, dtype=bool)  # what nobody has does not choose between areas
        if common.any():
            lacks = ~is_enough((~measure.observed[:, common]).sum(axis=1), int(common.sum()))
        for code in np.unique(measure.reasons[measure.reasons > 0]):
            mask: Bools = lacks & (measure.reasons == code).any(axis=1)
            exclusions.append((mask, f"not covered in the window ({REASONS[code]})"))
        if measure.exposure is not None:
            without: Bools = ~(np.isfinite(measure.exposure) & (measure.exposure > 0))
            exclusions.append((without, f"no exposure for {measure.name}"))
    known = np.asarray(np.isfinite(panel.covariates).all(axis=1), dtype=np.bool_)
    exclusions.append((~known, "a covariate is missing"))
    smallest = min(len(u.areas) for u in data.neighbourhoods)
    if study.register_.uncoded != "ignore" and data.registered.known.unlocated.any():
        uncertain: Bools = data.registered.known.unlocated > 0
        exclusions.append((uncertain, UNCERTAIN))
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


def _refuse_empty(pool: Pool, starts: set[int], file: StudyFile) -> None:
    if pool.eligible.any():
        return
    found = Counter(pool.reasons)
    why = "; ".join(f"{n} {reason}" for reason, n in found.most_common())
    fixes = ["give a panel with more areas that the initiative does not touch"]
    if any("within" in reason for reason in found):
        fixes.insert(0, "shorten `buffer_km`")
    if any(reason in {e.reason for e in file.study.design.exclude} for reason in found):
        fixes.insert(0, "drop an entry of `design.exclude`")
    fix = f"{' or '.join(fixes)}.".capitalize()
    if found["treated"] == len(pool.reasons) and len(starts) > 1:
        fix = (
            "Nobody stays untreated: `design.last_to_start = 'benchmark'` compares with the areas "
            "that start last."
        )
    raise StudyError(f"no area is left to compare with: {why}.", str(file.path), fix)


def arms_of(
    study: Study,
    panel: Panel,
    measures: tuple[Measure, ...],
    eligible: Bools,
    units: tuple[Neighbourhood, ...],
) -> tuple[ClaimCohorts, ...]:
    """Return the cohorts of each kind of claim that a study makes, changes first.

    Last come those of the design that does not see the last year before the start, where changes
    are asked.
    """
    coverage = coverage_of(measures)
    changes = [m.periods for m, o in zip(measures, study.outcome, strict=True) if o.claim == "change"]
    starts = sorted({(u.start, u.start_kind) for u in units})
    bins = bins_over(study.analysis.event_time_months, changes, starts)
    matching = Matching(study.design.calibration, study.design.ratio)
    arms = []
    for claim in ("change", "level"):
        outcomes = {i: i for i, o in enumerate(study.outcome) if o.claim == claim}
        if outcomes:
            arms.append(
                ClaimCohorts(
                    claim=claim,
                    outcomes=outcomes,
                    panel=panel,
                    measures=measures,
                    coverage=coverage,
                    eligible=eligible,
                    units=units,
                    history=study.design.history,
                    nearest=matching.depth(study.design.nearest),
                    strata=strata_of(study.design.exact, panel),
                    bins=bins,
                )
            )
    held_out = [
        replace(
            arm,
            claim=HELD_OUT,
            outcomes={len(measures) + o: o for o in arm.outcomes.values()},
            draws=HELD_OUT_DRAWS,
            _cohorts={},
            _sums={},
        )
        for arm in arms
        if arm.claim == "change"
    ]
    return (*arms, *held_out)


def _designed(
    panel: Panel, units: Sequence[Neighbourhood], arms: Sequence[ClaimCohorts], pool: Pool, rules: Rules
) -> tuple[tuple[tuple[Weighted | None, ...], ...], tuple[NeighbourhoodDesign, ...], tuple[BalanceRow, ...]]:
    """Choose benchmark areas for each arm and unit; return them, and designs and balance for print."""
    members = [unit.areas for unit in units]
    chosen, designs, balanced = [], [], []
    for arm in arms:
        cohorts = [arm.cohort(g, m) for g, m in enumerate(members)]
        weighted = tuple(design_programme(cohorts, members, pool.eligible, rules))
        chosen.append(weighted)
        for g, (unit, w) in enumerate(zip(units, weighted, strict=True)):
            if w is None:
                continue
            positive = w.weights > 0
            order = np.lexsort((w.pool[positive], -w.weights[positive]))
            left_out: set[str] = set()
            for o, (pre, post) in arm.used(g, unit.areas).items():
                periods, waves = arm.measures[o].periods, arm.measures[o].waves
                inside = np.zeros(periods.n, dtype=bool)
                inside[periods.split(unit.start, unit.start_kind)[0]] = pre.any()
                inside[periods.split(*unit.counted_from)[1]] = post.any()
                holes = np.flatnonzero(inside & waves & ~(pre | post))
                left_out |= {periods.labels[t] for t in holes}
            designs.append(
                NeighbourhoodDesign(
                    initiative=unit.initiative,
                    neighbourhood=unit.name,
                    claim=arm.claim,
                    start=label(unit.start, unit.start_kind),
                    areas=tuple(str(a) for a in panel.areas[unit.areas]),
                    benchmark_areas=tuple(str(a) for a in panel.areas[w.pool[positive][order]]),
                    weights=tuple(float(x) for x in w.weights[positive][order]),
                    n_pool=len(w.pool),
                    n_effective=w.n_effective,
                    exact=w.exact,
                    imbalance=float(np.abs(w.imbalance).max(initial=0.0)),
                    periods_left_out=tuple(sorted(left_out)),
                )
            )
            balanced += balance(unit, arm.claim, cohorts[g], w, pool.eligible)
    return tuple(chosen), tuple(designs), tuple(balanced)
