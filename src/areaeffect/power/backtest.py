"""The design as it would have stood some years earlier, and how its spread grows with follow-up.

Every start is moved back so far that the time after it ends before the real start. Nothing at or
after a real start is read; where values are missing then (coverage) is known all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from areaeffect.findings.cohorts import ClaimCohorts
from areaeffect.panel import Measure, Neighbourhood, is_enough
from areaeffect.results import Bools, Ints

#: Steps of history that a backtest leaves before its start where it can, and where it must.
_HISTORY, _LEAST_HISTORY = 2, 1
#: A table's own numbers have no year: a follow-up of them is cut into this number of steps.
_STEPS = 4


@dataclass(frozen=True, slots=True)
class Horizon:
    """How long the study follows its places, and how much of that fits before the start."""

    step: int  # periods of the start's kind in one step: a year, or a part of a table's own numbers
    is_year: bool  # whether a step is a year
    history: int  # whole steps before the first start
    planned: int  # steps that the study follows its longest-followed place for, at least 1
    measured: int  # steps of follow-up that fit before the start; 0 where the history is too short.

    @property
    def name(self) -> str:
        """What a step is, in words."""
        if self.is_year:
            return "year"
        return "period" if self.step == 1 else f"{self.step} periods"


def horizon_of(measures: Sequence[Measure], units: Sequence[Neighbourhood]) -> Horizon:
    """Return how far the history before the starts reaches for a study's change claims."""
    kind = units[0].start_kind
    sides = [
        (before.stop, measure.periods.n - after.start, measure.periods.kind.per_year)
        for measure in measures
        for unit in units
        for before, after in [measure.periods.split(unit.start, unit.start_kind)]
    ]
    longest = max(after for _, after, _ in sides)
    step = kind.per_year or max(1, -(-longest // _STEPS))
    history = min(before // (per_year or step) for before, _, per_year in sides)
    planned = max(1, *(after // (per_year or step) for _, after, per_year in sides))
    spare = history - _HISTORY if history > _HISTORY else history - _LEAST_HISTORY
    return Horizon(step, bool(kind.per_year), history, planned, max(0, min(planned, spare)))


@dataclass(slots=True, eq=False, kw_only=True)
class Backtest(ClaimCohorts):
    """Cohorts of one kind of claim with every start moved back."""

    horizon: Horizon | None = None  # how far
    #: at each position of a totals array, for how many steps its outcome is followed. One more than the
    #: longest is the follow-up of each place itself, as far as it fits; a level claim has the last step
    #: before the start only, under that length.
    lengths: Mapping[int, int] = field(default_factory=dict)

    def start(self, unit: int) -> int:
        """Return the start that is designed for."""
        place, (step, back) = self.units[unit], self._back()
        return int(place.start - step * back)

    def _back(self) -> tuple[int, int]:
        if self.horizon is None:
            raise AssertionError  # unreachable: `backtests` gives every one its horizon
        return self.horizon.step, 1 if self.claim == "level" else self.horizon.measured

    def ahead(self, unit: int, areas: Ints) -> dict[int, tuple[Bools, Bools]]:
        """Return nothing: what is tried here lies before the start."""
        del unit, areas
        return {}

    def used(self, unit: int, areas: Ints) -> dict[int, tuple[Bools, Bools]]:
        """Return, for each outcome and length, the periods used before and after."""
        place, (step, back) = self.units[unit], self._back()
        patterns = np.unique(self.coverage.pattern[areas])
        begin = self.start(unit)
        found = {}
        for position in self.outcomes:
            measure = self.measure(position)
            length = self.lengths[position]
            seen = self._observed(position)[patterns].all(axis=0)
            before, after = measure.periods.split(begin, place.start_kind)
            untreated, followed = measure.periods.split(place.start, place.start_kind)
            end = untreated.stop
            if self.claim != "level":
                if length <= back:
                    until, _ = measure.periods.split(begin + step * length, place.start_kind)
                    end = min(end, until.stop)
                else:
                    end = min(end, after.start + measure.periods.n - followed.start)
            pre, post = np.zeros_like(seen), np.zeros_like(seen)
            pre[before] = self.claim != "level"
            post[after.start : end] = True
            pre, post = pre & measure.waves, post & measure.waves
            sides = [post] if self.claim == "level" else [pre, post]
            if all(is_enough((s & ~seen).sum(), s.sum()) for s in sides):
                found[position] = (pre & seen, post & seen)
        return found


def backtests(arms: Sequence[ClaimCohorts], horizon: Horizon) -> tuple[Backtest, ...]:
    """Return the study's arms with every start moved back."""
    made = []
    for arm in arms:
        if arm.claim not in ("change", "level"):
            continue
        n, steps = len(arm.measures), range(1, horizon.measured + 2)
        if arm.claim == "level":
            steps = steps[-1:]
        elif not horizon.measured:
            continue
        places = {(k, o): o + n * (k - 1) for k in steps for o in arm.outcomes.values()}
        made.append(
            Backtest(
                claim=arm.claim,
                outcomes={position: o for (_, o), position in places.items()},
                lengths={position: k for (k, _), position in places.items()},
                panel=arm.panel,
                measures=arm.measures,
                coverage=arm.coverage,
                eligible=arm.eligible,
                units=arm.units,
                history=arm.history,
                nearest=arm.nearest,
                strata=arm.strata,
                horizon=horizon,
            )
        )
    return tuple(made)


#: Growth taken where it cannot be fitted: log(0.055 / 0.033) / log(4), London, ten
#: neighbourhoods of five areas, first to fourth year (`docs/methods/power.md`).
ASSUMED = 0.37
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class NoiseGrowth:
    """Deviation after k years = deviation after one year times k to a power."""

    power: float  # 0 for noise that does not grow, 0.5 for a random walk
    is_fitted: bool  # whether it was fitted on this study's own placebos

    def factor(self, longer: float) -> float:
        """Return by how much the deviation grows where the follow-up is longer by a factor."""
        return float(max(longer, 1.0) ** self.power)


def fit_growth(deviations: Sequence[float]) -> NoiseGrowth:
    """Fit the power by least squares on logarithms; never below 0, so no length gains by it.

    Parameters
    ----------
    deviations : of the placebo effects over the first 1, 2, … years; NaN where not estimable.
    """
    found = np.asarray(deviations, dtype=float)
    good = np.flatnonzero(np.isfinite(found) & (found > 0))
    if len(good) < _FEWEST:
        return NoiseGrowth(ASSUMED, is_fitted=False)
    slope = np.polyfit(np.log(good + 1.0), np.log(found[good]), 1)[0]
    return NoiseGrowth(float(np.clip(slope, 0.0, 1.0)), is_fitted=True)
