"""Starts and coverage: the data that each neighbourhood, real or placebo, is designed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from areaeffect.design.history import features
from areaeffect.design.programme import Cohort, make_cohort
from areaeffect.estimate.adjustment import growth
from areaeffect.estimate.counterfactual import Sums, sums
from areaeffect.estimate.event_time import NO_BINS, Bins
from areaeffect.panel import Measure, Neighbourhood, Panel, is_enough
from areaeffect.periods import Periods
from areaeffect.results import Bools, Ints

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
