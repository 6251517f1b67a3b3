"""Starts and coverage that a neighbourhood is designed on, and what could stand in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from areaeffect.design.calibration import features
from areaeffect.design.pool import Pool
from areaeffect.design.programme import Cohort, make_cohort
from areaeffect.estimate.counterfactual import NO_BINS, Bins, Sums, growth, sums
from areaeffect.panel import Measure, Neighbourhood, Panel, is_enough
from areaeffect.periods import Periods
from areaeffect.placebo.programmes import (
    ALIKE,
    GROWTHS,
    Candidates,
    Spread,
    centre_of,
    grouped,
    grow,
    matched_spread,
    mean_distance,
    mean_traits,
    most_alike,
)
from areaeffect.results import Bools, Floats, Ints
from areaeffect.study.model import Study

HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Which areas have values when; areas with the same gaps share a pattern."""

    observed: tuple[Bools, ...]  # for each outcome, (n_patterns, n_periods)
    pattern: Ints  # (n_areas,), the pattern of each area


def starts_too_late(periods: Periods, place: Neighbourhood) -> bool:
    """Tell whether the only period after a start is the month or quarter in which work began.

    A year, or a period that a table numbers itself, is long enough by itself.
    """
    _, after = periods.split(*place.counted_from)
    if (periods.kind.per_year or 1) == 1 or after.stop - after.start != 1:
        return False
    ordinal, kind = place.counted_from
    begins = periods.kind.first_month(periods.first + int(after.start))
    return begins - kind.first_month(ordinal) < periods.kind.months  # else: one later date


def coverage_of(measures: Sequence[Measure]) -> Coverage:
    """Group areas that lack the same values."""
    stacked = np.concatenate([m.observed for m in measures], axis=1)
    packed = np.ascontiguousarray(np.packbits(stacked, axis=1))  # bytes sort as the bits do
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, pattern = np.unique(keys, return_index=True, return_inverse=True)
    rows = stacked[first]
    cuts = np.cumsum([m.periods.n for m in measures])[:-1]
    return Coverage(tuple(np.split(rows, cuts, axis=1)), pattern.ravel().astype(np.int64))


@dataclass(slots=True, eq=False, kw_only=True)
class ClaimCohorts:
    """The cohorts of one kind of claim, each made when it is first needed and then kept."""

    #: 'change', 'level', or 'held-out': the change in the last year before the start, by a design that does
    #: not see that year
    claim: str
    outcomes: Mapping[int, int]  # at each of its positions in a totals array, the outcome of the study
    #: panel, measures, coverage: the data
    panel: Panel
    measures: tuple[Measure, ...]
    coverage: Coverage
    eligible: Bools  # (n_areas,), areas that may be benchmark areas
    units: tuple[Neighbourhood, ...]  # the real neighbourhoods
    history: str  # the study's design setting
    nearest: int  # nearest areas of each area that are looked up; 0 for none.
    strata: Ints | None = None  # (n_areas,), the combination of exact factors of each area; None for none.
    later_half: bool = False  # leave the earlier half of the time before the start out (a multiverse branch)
    draws: int | None = None  # placebo draws it takes part in, from the first; None for all.
    bins: Bins = NO_BINS  # event-time bins, counted from the real start; a level claim fills none.
    _cohorts: dict[tuple[int, int, tuple[int, ...]], Cohort] = field(default_factory=dict)
    _sums: dict[tuple[int, int, tuple[int, ...]], Mapping[int, Sums]] = field(default_factory=dict)
    _used: dict[tuple[int, int, tuple[int, ...]], dict[int, tuple[Bools, Bools]]] = field(
        init=False, default_factory=dict
    )

    @property
    def is_adjusted(self) -> bool:
        """Whether benchmark areas adjust the estimate; changes are adjusted over the whole pool."""
        return self.claim == "level"

    def key(self, unit: int, areas: Ints) -> tuple[int, int, tuple[int, ...]]:
        """Return what a cohort depends on: the start, its phase-in and the gaps of the areas."""
        patterns = set(self.coverage.pattern[areas].tolist())
        return self.units[unit].start, self.units[unit].phase_in, tuple(sorted(patterns))

    def measure(self, position: int) -> Measure:
        """Return the measure at a position of a totals array."""
        return self.measures[self.outcomes[position]]

    def start(self, unit: int) -> int:
        """Return the start that a design is for: a year early where the last year is held out.

        A third of the history is held out where a table numbers its own periods, and the last
        wave where waves are more than a year apart.
        """
        place = self.units[unit]
        if self.claim != HELD_OUT:
            return place.start
        measure = self.measures[min(self.outcomes.values())]
        before, _ = measure.periods.split(place.start, place.start_kind)
        back = place.start_kind.per_year or max(1, before.stop // 3)
        for start in range(place.start - back, place.start - before.stop - back, -1):
            earlier, _ = measure.periods.split(start, place.start_kind)
            if measure.waves[earlier.stop : before.stop].any():
                return start
        return int(place.start - back)

    def used(self, unit: int, areas: Ints) -> dict[int, tuple[Bools, Bools]]:
        """Return, for each outcome that can be estimated, the periods used before and after."""
        key = self.key(unit, areas)
        if key in self._used:
            return self._used[key]
        place, patterns = self.units[unit], list(key[-1])
        found = {}
        for o in self.outcomes:
            measure = self.measure(o)
            if starts_too_late(measure.periods, place):
                continue
            seen = self._observed(o)[patterns].all(axis=0)
            before, after = measure.periods.split(self.start(unit), place.start_kind)
            untreated, _ = measure.periods.split(place.start, place.start_kind)
            pre, post = np.zeros_like(seen), np.zeros_like(seen)
            pre[before] = True
            if self.later_half:
                pre[: before.stop - _half(before.stop, measure.periods.kind.per_year)] = False
            post[after] = True
            if self.claim != HELD_OUT:
                post[: measure.periods.split(*place.counted_from)[1].start] = False
            if self.claim == HELD_OUT:
                post[untreated.stop :] = False
            if self.claim == "level":
                pre[:] = False
                last = measure.periods.kind.per_year or 1
                post[: max(after.start, measure.periods.n - last)] = False
            pre, post = pre & measure.waves, post & measure.waves
            sides = [post] if self.claim == "level" else [pre, post]
            if all(is_enough((s & ~seen).sum(), s.sum()) for s in sides):
                found[o] = (pre & seen, post & seen)
        self._used[key] = found
        return found

    def ahead(self, unit: int, areas: Ints) -> dict[int, tuple[Bools, Bools]]:
        """Return the history of outcomes that have no period after the start yet.

        A plan that is sealed now then has the same design when those periods arrive.
        """
        place, found = self.units[unit], {}
        patterns = np.unique(self.coverage.pattern[areas])
        for o in self.outcomes if self.claim == "change" else ():
            measure = self.measure(o)
            before, _ = measure.periods.split(place.start, place.start_kind)
            _, after = measure.periods.split(*place.counted_from)
            if measure.waves[after].any():
                continue
            seen = self._observed(o)[patterns].all(axis=0)
            pre = measure.waves & (np.arange(measure.periods.n) < before.stop)
            if is_enough((pre & ~seen).sum(), pre.sum()):
                found[o] = (pre & seen, np.zeros_like(pre))
        return found

    def _observed(self, position: int) -> Bools:
        return self.coverage.observed[self.outcomes[position]]

    def cohort(self, unit: int, areas: Ints) -> Cohort:
        """Return the cohort a neighbourhood is designed in; nothing after the start is read."""
        key = self.key(unit, areas)
        if key not in self._cohorts:
            used = self.used(unit, areas) | self.ahead(unit, areas)
            has_history = self.claim != "level"
            # an outcome may have several positions, for several lengths of follow-up
            past = {self.outcomes[o]: pre for o, (pre, _) in used.items() if has_history}
            built = features(
                self.panel,
                [self.measures[o] for o in past],
                list(past.values()),
                self.start(unit),
                self.units[unit].start_kind,
                self.history if has_history else None,
                min(
                    ((self.start(g), place.start_kind) for g, place in enumerate(self.units)),
                    key=lambda begun: begun[1].first_month(begun[0]),
                ),
            )
            usable = np.isfinite(built.values).all(axis=1)
            for o, (pre, post) in used.items():
                whole: Bools = np.asarray(self._observed(o)[:, pre | post].all(axis=1))
                usable &= whole[self.coverage.pattern]
                exposure = self.measure(o).exposure
                if exposure is not None:
                    usable &= np.isfinite(exposure) & (exposure > 0)
            self._cohorts[key] = make_cohort(
                built, np.asarray(usable), self.eligible, self.nearest, self.strata
            )
        return self._cohorts[key]

    def sums(self, unit: int, areas: Ints) -> Mapping[int, Sums]:
        """Return each outcome's sums before and after; read only after the seal."""
        key = self.key(unit, areas)
        if key not in self._sums:
            self._sums[key] = {
                o: self._with_growth(
                    sums(self.measure(o), *sides, self.bin_of(unit, o), self.bins.n),
                    self.cohort(unit, areas),
                    o,
                )
                for o, sides in self.used(unit, areas).items()
            }
        return self._sums[key]

    def _with_growth(self, added: Sums, cohort: Cohort, position: int) -> Sums:
        if self.claim == "level":
            return added
        pool, is_ratio = cohort.usable & self.eligible, self.measure(position).is_count
        found = growth(cohort.scaled, pool, added.pre, added.post, is_ratio=is_ratio)
        return replace(added, growth=found)

    def bin_of(self, unit: int, position: int) -> Ints:
        """Return the event-time bin of each period, (n_periods,); -1 for none."""
        periods, place = self.measure(position).periods, self.units[unit]
        if self.claim == "level" or not self.bins.n:
            return np.full(periods.n, -1, dtype=np.int64)
        return self.bins.of(periods, place.start, place.start_kind)


def _half(n_before: int, per_year: int | None) -> int:
    """Return how many periods the later half of a history has: whole years where it can."""
    half = -(-n_before // 2)
    return half // per_year * per_year if per_year is not None and half >= per_year else half


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
    if reference := study.analysis.placebo_neighbourhoods:
        buffered = np.array([r == "" or r.startswith("within ") for r in pool.reasons])  # buffers aside
        uncovered = np.array([r.startswith("not covered") for r in pool.reasons])
        given = tuple(grouped(panel.attributes[reference], buffered, ~uncovered))
        return [[(unit.areas, given)] for unit in units]
    grown: dict[int, tuple[Ints, ...]] = {}
    found = []
    for unit in units:
        if panel.contiguity is None:
            pieces = [np.array([a]) for a in unit.areas]
        elif study.design.unit == "neighbourhood":
            pieces = [unit.areas]
        else:
            pieces = panel.contiguity.pieces(unit.areas)
        for size in [len(piece) for piece in pieces]:
            if size not in grown:
                grown[size] = tuple(
                    grow(panel.contiguity, pool.eligible, size, rng)
                    if panel.contiguity is not None
                    else [np.array([a]) for a in np.flatnonzero(pool.eligible)]
                )
        found.append([(piece, grown[len(piece)]) for piece in pieces])
    return found


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


def traits_of(cohort: Cohort, n_covariates: int, eligible: Bools) -> Floats:
    """Return scaled covariates and levels before the start, in which placebos should be alike."""
    usable = cohort.usable & eligible
    level = np.where(cohort.usable[:, None], cohort.level, 0.0)
    if not usable.any():
        return np.zeros((len(level), n_covariates + level.shape[1]))
    spread = level[usable].std(axis=0)
    level = (level - level[usable].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([cohort.scaled[:, :n_covariates], level])
