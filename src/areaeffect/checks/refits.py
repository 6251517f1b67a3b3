"""Designs that pretend the start was earlier, and how bad things had been by then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from areaeffect.estimate.counterfactual import NO_BINS, Sums, sums
from areaeffect.findings.case import Case, Evidence
from areaeffect.findings.cohorts import HELD_OUT, ClaimCohorts
from areaeffect.panel import is_enough
from areaeffect.placebo.programmes import run_programme
from areaeffect.placebo.workers import Job
from areaeffect.results import Bools, Floats, Ints

#: Positions of the windows of one held-out design: its gap, what came after the start, its leads.
GAP, AFTER, LEADS = 0, 1, (2, 3, 4, 5)
_WINDOWS = 6
#: Starts are pretended to be at most this number of years (held-out spans) early.
MOST_BACK = 3


@dataclass(slots=True, eq=False, kw_only=True)
class EarlierCohorts(ClaimCohorts):
    """Cohorts of a design that pretends the start was `back` held-out spans earlier."""

    back: int = 1

    def start(self, unit: int) -> int:
        """Return the pretended start; a span is a year, or a third of an undated history."""
        real = self.units[unit].start
        return int(real - self.back * (real - ClaimCohorts.start(self, unit)))

    def used(self, unit: int, areas: Ints) -> dict[int, tuple[Bools, Bools]]:
        """Return periods before the pretended start and from it to the real one.

        What is left before it must be as long as one span.
        """
        found = ClaimCohorts.used(self, unit, areas)
        return {o: (pre, post) for o, (pre, post) in found.items() if pre.sum() * self.back >= post.sum()}


@dataclass(slots=True, eq=False, kw_only=True)
class LeadCohorts(ClaimCohorts):
    """Cohorts of the held-out design, counted in windows: the gap, the time after, the leads."""

    def used(self, unit: int, areas: Ints) -> dict[int, tuple[Bools, Bools]]:
        """Return the periods before the held-out span, and all from it on."""
        place = self.units[unit]
        patterns = np.unique(self.coverage.pattern[areas])
        found = {}
        for o, (pre, held) in ClaimCohorts.used(self, unit, areas).items():
            measure = self.measure(o)
            seen = self._observed(o)[patterns].all(axis=0)
            _, after = measure.periods.split(place.start, place.start_kind)
            follow = np.zeros_like(seen)
            follow[after] = True
            if is_enough((follow & ~seen).sum(), follow.sum()):
                found[o] = (pre, held | (follow & seen))
        return found

    def windows(self, unit: int, position: int, later: Bools) -> dict[int, Bools]:
        """Return the periods of each window of one outcome."""
        place, measure = self.units[unit], self.measure(position)
        _, after = measure.periods.split(place.start, place.start_kind)
        _, held = measure.periods.split(self.start(unit), place.start_kind)
        span = after.start - held.start
        n_leads = min(len(LEADS), span)
        length = span // n_leads
        found = {GAP: np.zeros_like(later), AFTER: np.zeros_like(later)}
        found[GAP][held.start : after.start] = True
        found[AFTER][after] = True
        for k in range(n_leads):
            found[LEADS[k]] = np.zeros_like(later)
            first = after.start - (n_leads - k) * length
            found[LEADS[k]][first : first + length] = True
        return {w: mask & later for w, mask in found.items() if (mask & later).any()}

    def sums(self, unit: int, areas: Ints) -> Mapping[int, Sums]:
        """Return the sums of each window, at position window * n_outcomes + outcome."""
        key = self.key(unit, areas)
        if key not in self._sums:
            self._sums[key] = {
                window * len(self.measures) + self.outcomes[o]: sums(self.measure(o), pre, mask)
                for o, (pre, later) in self.used(unit, areas).items()
                for window, mask in self.windows(unit, o, later).items()
            }
        return self._sums[key]


@dataclass(frozen=True, slots=True, eq=False)
class Refits:
    """Totals of the earlier designs."""

    leads: LeadCohorts  # cohorts of the held-out design, for the lengths of its windows
    real: Floats  # (n_units, n_positions, n_totals)
    drawn: Floats  # (n_draws, n_units, n_positions, n_totals)
    n_outcomes: int  # outcomes of the study: the distance between a window's positions

    def window(self, window: int, case: Case) -> tuple[Floats, Floats]:
        """Return the real and the drawn totals of one window of a case's outcome."""
        position = window * self.n_outcomes + case.position
        return self.real[:, position], self.drawn[:, :, position]

    def back(self, spans: int, case: Case) -> tuple[Floats, Floats]:
        """Return the totals of the design that pretends an earlier start, by two spans or more."""
        return self.window(_WINDOWS + spans - 2, case)


def refit(evidence: Evidence, draws: int, run: Callable[[Job, int], Floats]) -> Refits | None:
    """Put the real and placebo programmes through the earlier designs; None without changes."""
    machine, arm = evidence.plan.machine, evidence.plan.leading
    if arm.claim != "change":
        return None
    n = len(evidence.measures)
    leads = LeadCohorts(**_pretending(arm, 0))
    earlier = [
        EarlierCohorts(**_pretending(arm, (_WINDOWS + back - 2) * n), back=back)
        for back in range(2, MOST_BACK + 1)
    ]
    n_positions = (_WINDOWS + MOST_BACK - 1) * n
    job = replace(machine, arms=(leads, *earlier), n_outcomes=n_positions, n_bins=0)
    real = run_programme(job, [u.areas for u in evidence.plan.units])
    return Refits(leads, real, run(job, draws), n)


def _pretending(arm: ClaimCohorts, first: int) -> dict[str, Any]:
    """Settings of an arm, for one that is held out and whose outcomes stand further on."""
    given = {f.name: getattr(arm, f.name) for f in fields(arm) if f.init}
    outcomes = {first + o: o for o in arm.outcomes.values()}
    return given | {"claim": HELD_OUT, "outcomes": outcomes, "bins": NO_BINS, "_cohorts": {}, "_sums": {}}


LEVEL, RISE = "level", "rise"


def scores_of(
    arm: ClaimCohorts, better: Sequence[str], unit: int, kind: str, places: Sequence[Ints]
) -> Floats:
    """Score places by their level before a start, or by their last year against the years before.

    Parameters
    ----------
    arm : of changes.
    better : for each outcome of the study, 'lower' or 'higher'.
    unit : the neighbourhood whose start and outcomes count.
    kind : LEVEL or RISE.
    places : areas of each.

    Returns
    -------
    (n_places, n_outcomes that the neighbourhood has): higher is worse; NaN where unknown. The
    rise of a count is in Poisson standard deviations, so that small places are not at a worst by
    chance alone.
    """
    used = arm.used(unit, arm.units[unit].areas)
    found = np.full((len(places), len(used)), np.nan)
    if not places or not used:
        return found
    sizes = np.array([len(p) for p in places])
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    every = np.concatenate(places)
    for k, (o, (pre, _)) in enumerate(used.items()):
        measure = arm.measure(o)
        sign = 1.0 if better[o] == "lower" else -1.0
        exposure = np.ones(len(measure.values))
        if measure.is_count and measure.exposure is not None:
            exposure = measure.exposure
        recent = _last_year(pre, measure.periods.kind.per_year)
        earlier = pre & ~recent

        def total(values: Floats) -> Floats:
            return np.asarray(np.add.reduceat(values[every], first))

        if kind == LEVEL:
            with np.errstate(divide="ignore", invalid="ignore"):  # no exposure: unknown
                found[:, k] = sign * total(measure.values[:, pre].mean(axis=1)) / total(exposure)
        elif earlier.any():
            now = total(measure.values[:, recent].mean(axis=1))
            then = total(measure.values[:, earlier].mean(axis=1))
            noise = np.sqrt(now + then + 1 / recent.sum()) if measure.is_count else sizes
            found[:, k] = sign * (now - then) / noise  # a count of few does not rise by much
    found[~np.isfinite(found)] = np.nan
    return found


def percentile_among(values: Floats, of: Floats) -> Floats:
    """Return the percentile of each value among others, 0 to 100; ties count half.

    Parameters
    ----------
    values : (n,).
    of : (m,), finite.
    """
    ordered = np.sort(of)
    below = np.searchsorted(ordered, values, "left")
    upto = np.searchsorted(ordered, values, "right")
    return np.where(np.isfinite(values), 50.0 * (below + upto) / max(len(ordered), 1), np.nan)


def _last_year(pre: Bools, per_year: int | None) -> Bools:
    """Return the last year before a start, or the last third of an undated history."""
    known = np.flatnonzero(pre)
    length = per_year or max(1, len(known) // 3)
    recent = np.zeros_like(pre)
    recent[known[-length:]] = True
    return recent
