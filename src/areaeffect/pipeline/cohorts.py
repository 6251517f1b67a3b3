"""Starts and coverage: what each neighbourhood, real or made up, is designed and counted on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.design.history import features
from areaeffect.design.programme import Cohort, make_cohort
from areaeffect.estimate.counterfactual import Sums, sums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from areaeffect.panel import Measure, Neighbourhood, Panel
    from areaeffect.results import Bools, Ints

#: A neighbourhood with more than this share of a side of its window missing gets no estimate.
MAX_MISSING = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Which areas have values when; areas with the same gaps share a pattern.

    Parameters
    ----------
    observed : for each outcome, (n_patterns, n_periods).
    pattern : (n_areas,), the pattern of each area.
    """

    observed: tuple[Bools, ...]
    pattern: Ints


def coverage_of(measures: Sequence[Measure]) -> Coverage:
    """Group areas by what is missing."""
    stacked = np.concatenate([m.observed for m in measures], axis=1)
    rows, pattern = np.unique(stacked, axis=0, return_inverse=True)
    cuts = np.cumsum([m.periods.n for m in measures])[:-1]
    return Coverage(tuple(np.split(rows, cuts, axis=1)), pattern.ravel().astype(np.int64))


@dataclass(slots=True, eq=False)
class ClaimCohorts:
    """Cohorts of one kind of claim, made when first asked for and kept.

    Parameters
    ----------
    claim : 'change' or 'level'.
    outcomes : positions of its outcomes among the study's.
    panel, coverage, eligible : see there.
    units : the real neighbourhoods.
    history, nearest : the study's design settings.
    """

    claim: str
    outcomes: tuple[int, ...]
    panel: Panel
    measures: tuple[Measure, ...]
    coverage: Coverage
    eligible: Bools
    units: tuple[Neighbourhood, ...]
    history: str
    nearest: int
    _cohorts: dict[tuple[int, tuple[int, ...]], Cohort] = field(default_factory=dict)
    _sums: dict[tuple[int, tuple[int, ...]], Mapping[int, Sums]] = field(default_factory=dict)

    def key(self, unit: int, areas: Ints) -> tuple[int, tuple[int, ...]]:
        """Return what the cohort depends on: the start, and the areas' gaps."""
        patterns = np.unique(self.coverage.pattern[areas])
        return self.units[unit].start, tuple(int(p) for p in patterns)

    def used(self, unit: int, areas: Ints) -> dict[int, tuple[Bools, Bools]]:
        """Return, for each outcome that can be estimated, the periods used before and after."""
        neighbourhood = self.units[unit]
        patterns = np.unique(self.coverage.pattern[areas])
        found = {}
        for o in self.outcomes:
            measure = self.measures[o]
            seen = self.coverage.observed[o][patterns].all(axis=0)
            before, after = measure.periods.split(neighbourhood.start, neighbourhood.start_kind)
            pre, post = np.zeros_like(seen), np.zeros_like(seen)
            pre[before] = True
            post[after] = True
            if self.claim == "level":
                pre[:] = False
                last = measure.periods.kind.per_year or 1
                post[: max(after.start, measure.periods.n - last)] = False
            sides = [post] if self.claim == "level" else [pre, post]
            if all(s.any() and (s & ~seen).sum() <= MAX_MISSING * s.sum() for s in sides):
                found[o] = (pre & seen, post & seen)
        return found

    def cohort(self, unit: int, areas: Ints) -> Cohort:
        """Return the cohort a neighbourhood is designed in; nothing after the start is read."""
        key = self.key(unit, areas)
        if key not in self._cohorts:
            used = self.used(unit, areas)
            neighbourhood = self.units[unit]
            past = {o: pre for o, (pre, _) in used.items() if self.claim == "change"}
            built = features(
                self.panel,
                [self.measures[o] for o in past],
                list(past.values()),
                neighbourhood.start,
                neighbourhood.start_kind,
                self.history if self.claim == "change" else None,
            )
            usable = np.isfinite(built.values).all(axis=1)
            for o, (pre, post) in used.items():
                usable &= self.coverage.observed[o][self.coverage.pattern][:, pre | post].all(
                    axis=1
                )
                exposure = self.measures[o].exposure
                if exposure is not None:
                    usable &= np.nan_to_num(exposure) > 0
            self._cohorts[key] = make_cohort(built, np.asarray(usable), self.eligible, self.nearest)
        return self._cohorts[key]

    def sums(self, unit: int, areas: Ints) -> Mapping[int, Sums]:
        """Return each outcome's sums before and after; read only after the seal."""
        key = self.key(unit, areas)
        if key not in self._sums:
            used = self.used(unit, areas)
            self._sums[key] = {o: sums(self.measures[o], *sides) for o, sides in used.items()}
        return self._sums[key]
