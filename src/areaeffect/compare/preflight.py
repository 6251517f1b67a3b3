"""What can be asked of chosen areas, and what mends a question that cannot be answered.

The rules are those of the plan (`findings.units`, `findings.refusals`), read from the coverage of
the figures alone, so that a form can say at once what a plan would refuse.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.compare.question import NEAREST, Question
from areaeffect.errors import number_of
from areaeffect.findings.refusals import FEW_EVENTS, FEWEST_AREAS, MANY_EVENTS
from areaeffect.findings.units import why_left_out
from areaeffect.panel import is_enough
from areaeffect.periods import PeriodKind, Periods, label, parse_period, why_ambiguous
from areaeffect.results import Bools, Claim, Floats, Ints, Strings
from areaeffect.wording.numbers import PHRASES, phrase

#: Whole years of figures that a question needs: two before the start, or nothing could be said of
#: what it could detect; one after it, so that every season is in it.
YEARS_BEFORE, YEARS_AFTER = 2, 1
#: Of repairs: areas that a small place grows to, areas around it that are looked at, and those that may be
#: left out, one at a time.
_ENOUGH_AREAS, _SEARCHED, _MOST_LEFT_OUT = 4, 200, 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeFigures:
    """Where one outcome has figures, for every area of an atlas."""

    title: str  # in print
    claim: Claim  # whether a change or a level is asked
    is_count: bool  # whether it counts events
    periods: Periods  # its time axis
    values: Floats  # (n_areas, n_periods), counts or scores; NaN is missing.
    exposure: Floats | None  # (n_areas,), residents or dwellings; None where there is none.
    waves: Bools  # (n_periods,), periods that the source has at all


@dataclass(frozen=True, slots=True)
class Repair:
    """A question that can be answered instead, and what the button that asks it says."""

    words: str
    question: Question


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a question cannot be answered."""

    field: str  # of the form: areas, start or name
    what: str  # in one or two sentences
    repairs: tuple[Repair, ...] = ()  # what can be asked instead, best first


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Preflight:
    """What a base study's figures allow to be asked."""

    kind: PeriodKind  # of the study's window; a start is one of these.
    earliest: int  # first start that the dates of the characteristics allow, an ordinal of `kind`
    outcomes: tuple[OutcomeFigures, ...]
    complete: Bools  # (n_areas,), whether every characteristic that areas are matched on is known
    wards: Strings  # (n_areas,), the ward and council of each area; '' where not known.
    middles: Floats | None  # (n_areas, 2), metres; None without a map.
    codes: Strings  # (n_areas,)

    @property
    def asks_levels(self) -> bool:
        """Whether no outcome can be asked about change: every figure has one date."""
        return all(o.claim is Claim.LEVEL for o in self.outcomes)

    def positions(self, codes: tuple[str, ...]) -> Ints:
        """Return where some areas are in the atlas; those of another atlas are left out."""
        return np.flatnonzero(np.isin(self.codes.astype(str), codes))

    def usable(self, areas: Ints) -> Ints:
        """Return the areas that a plan would keep of some chosen ones."""
        reasons = why_left_out(
            [~np.isnan(o.values[areas]) for o in self.outcomes],
            [None if o.exposure is None else o.exposure[areas] for o in self.outcomes],
            self.complete[areas],
            [o.title for o in self.outcomes],
        )
        return np.asarray(areas[reasons == ""], dtype=np.int64)

    def starts(self, areas: Ints) -> Ints:
        """Return the starts, ascending ordinals, for which an outcome of some areas is covered."""
        found = {start for outcome in self.outcomes for start in self._starts_of(outcome, areas)}
        return np.array(sorted(found), dtype=np.int64)

    def _starts_of(self, outcome: OutcomeFigures, areas: Ints) -> Iterator[int]:
        periods, waves = outcome.periods, outcome.waves
        lacking = np.isnan(outcome.values[areas]).any(axis=0) & waves
        per_year = periods.kind.per_year
        if outcome.claim is Claim.LEVEL:
            last = slice(-(per_year or 1), None)
            if is_enough(int(lacking[last].sum()), int(waves[last].sum())):
                yield self.earliest
            return
        before, after = (YEARS_BEFORE * per_year, YEARS_AFTER * per_year) if per_year else (3, 1)
        end = periods.first + periods.n  # the last start that could lie inside the time axis
        if PeriodKind.NUMBER not in (periods.kind, self.kind):
            end = self.kind.holding(periods.kind.first_month(end))
        fewest = FEW_EVENTS if len(areas) >= FEWEST_AREAS else max(FEW_EVENTS, MANY_EVENTS)
        for start in range(self.earliest, end + 1):
            first, then = periods.split(start, self.kind)
            if first.stop < before or periods.n - then.start < after:
                continue
            enough = all(is_enough(int(lacking[s].sum()), int(waves[s].sum())) for s in (first, then))
            if enough and (not outcome.is_count or np.nansum(outcome.values[areas][:, first]) >= fewest):
                yield start

    def since(self, areas: Ints) -> str:
        """Return the first period from which each of some areas has all figures; '' without one."""
        latest = ""
        for outcome in self.outcomes:
            missing = np.flatnonzero(np.isnan(outcome.values[areas]).any(axis=0) & outcome.waves)
            first = int(missing[-1]) + 1 if len(missing) else int(np.argmax(outcome.waves))
            if first < outcome.periods.n:
                latest = max(latest, outcome.periods.labels[first])
        return latest

    def obstacles(self, question: Question) -> tuple[Obstacle, ...]:
        """Return what prevents a question, with what can be asked instead.

        Its start may be empty: then only its areas are looked at.
        """
        areas = self.positions(question.areas)
        if not len(areas):
            return ()
        kept = self.usable(areas)
        allowed = self.starts(kept) if len(kept) else kept
        found = []
        if len(kept) < len(areas) or not len(allowed):
            found.append(self._areas_obstacle(question, areas, kept))
        if question.start and len(allowed):
            found += self._start_obstacles(question, allowed)
        return tuple(found)

    def _areas_obstacle(self, question: Question, areas: Ints, kept: Ints) -> Obstacle:
        lost = len(areas) - len(kept)
        if lost and len(kept):
            who = number_of(lost, "of them has", "of them have")
            what = phrase("ask.some_lost", who=who, why=self._why(areas, kept))
        elif lost:
            what = phrase("ask.all_lost", why=self._why(areas, kept))
        else:
            what = PHRASES["ask.one_area" if len(kept) < FEWEST_AREAS else "ask.few_figures"]
        with_figures = kept if lost else areas[self._has_figures(areas)]
        repairs: list[Repair] = []
        if len(with_figures) < len(areas):
            since = self.since(with_figures) if len(with_figures) else ""
            words = "Compare the {n} areas that have figures"
            words += f" since {written_period(since)}" if since else ""
            self._offer(repairs, question, with_figures, words)
        if not repairs:
            self._offer_larger(repairs, question, kept if len(kept) else areas)
        return Obstacle("areas", what, tuple(repairs))

    def _has_figures(self, areas: Ints) -> Bools:
        """Return which areas have a figure in every period that their source has."""
        each = [~np.isnan(o.values[areas][:, o.waves]).any(axis=1) for o in self.outcomes]
        return np.asarray(np.all(each, axis=0), dtype=np.bool_)

    def _why(self, areas: Ints, kept: Ints) -> str:
        """Say when the figures of the areas that fall out begin."""
        lost = np.setdiff1d(areas, kept)
        if not self.complete[lost].all():
            return PHRASES["ask.unmatched"]
        begins = {self.since(np.array([i])) for i in lost} - {""}
        if self.asks_levels or not begins:
            return "nobody has published them"
        return f"their figures begin in {written_period(min(begins))}"

    def _offer_larger(self, found: list[Repair], question: Question, areas: Ints) -> None:
        """Offer larger places around some areas: their ward, those next to them, the nearest with figures."""
        wards = set(map(str, self.wards[areas])) - {""}
        if len(wards) == 1:
            inside = self.usable(np.flatnonzero(np.isin(self.wards.astype(str), list(wards))))
            self._offer(found, question, inside, f"Compare all of {min(wards)}, {{n}} areas")
        if self.middles is None:
            return
        away = np.hypot(*(self.middles - self.middles[areas].mean(axis=0)).T)
        known = np.flatnonzero(self.complete)
        near = known[self._has_figures(known)]
        near = near[np.argsort(away[near], kind="stable")][:_SEARCHED]
        if len(self.usable(areas)):  # else nothing of it would be compared
            grown = np.union1d(near[: max(_ENOUGH_AREAS, len(areas) + 2)], areas)
            self._offer(found, question, self.usable(grown), PHRASES["ask.grown"])
        for n in (_ENOUGH_AREAS, 2 * _ENOUGH_AREAS) if not found else ():
            self._offer(found, question, np.sort(near[:n]), PHRASES["ask.nearest"])

    def _offer(self, found: list[Repair], question: Question, areas: Ints, words: str) -> None:
        """Offer some areas where they can be asked about; a start that does not fit them is moved."""
        allowed = self.starts(areas) if len(areas) else areas
        codes, start = tuple(sorted(str(self.codes[i]) for i in areas)), question.start
        if not len(allowed) or codes == tuple(sorted(question.areas)):
            return
        if start:
            at = parse_period(start, self.kind)
            near = allowed[np.abs(allowed - (allowed[0] if at is None else at)).argmin()]
            start = label(int(near), self.kind)
        repaired = replace(question, areas=codes, start=start)
        if repaired not in [r.question for r in found]:
            found.append(Repair(words.format(n=len(areas)), repaired))

    def _start_obstacles(self, question: Question, allowed: Ints) -> list[Obstacle]:
        at, text = parse_period(question.start, self.kind), question.start
        first, last = (written_period(label(int(a), self.kind)) for a in (allowed[0], allowed[-1]))
        between = f"from {first} to {last}"
        if at is None:
            why = why_ambiguous(text)
            what = f"{why[:1].upper()}{why[1:]}" if why else f"‘{text}’ is not a date"
            return [Obstacle("start", f"{what}. Write a {self.kind} {between}, such as {last}.")]
        if at in allowed:
            return []
        near = label(int(allowed[np.abs(allowed - at).argmin()]), self.kind)
        key = "ask.early" if at < allowed[0] else "ask.late" if at > allowed[-1] else "ask.gap"
        what = phrase(key, start=written_period(text), years=YEARS_BEFORE)
        repair = Repair(f"Ask about {written_period(near)}", replace(question, start=near))
        return [Obstacle("start", f"{what} A start {between} can be asked about.", (repair,))]

    def normal_start(self, text: str) -> str:
        """Return a start as the study writes it; the text itself where it is no date."""
        at = parse_period(text, self.kind)
        return text if at is None else label(at, self.kind)


def written_period(text: str) -> str:
    """Write a period as people do: '2013-04' is April 2013."""
    at = parse_period(text, PeriodKind.MONTH)
    return text if at is None else f"{calendar.month_name[at % 12 + 1]} {at // 12}"


def repairs_of(question: Question, codes: Strings, middles: Floats | None) -> Iterator[Repair]:
    """Yield questions near one that no benchmark area was found for, the nearest first.

    They may fail too: whoever offers one has planned it. `codes` and `middles` are of every area.
    """
    if question.buffer_km > 0:
        words = phrase("ask.no_buffer", km=f"{question.buffer_km:g}")
        yield Repair(words, replace(question, buffer_km=0.0))
    if question.nearest < max(NEAREST):
        words = phrase("ask.wider", nearest=max(NEAREST))
        yield Repair(words, replace(question, nearest=max(NEAREST)))
    own = np.flatnonzero(np.isin(codes.astype(str), question.areas))
    if middles is None or not len(own):
        return
    away = np.hypot(*(middles - middles[own].mean(axis=0)).T)
    around = np.argsort(away, kind="stable")

    def other(words: str, areas: Ints) -> Repair:
        return Repair(words, replace(question, areas=tuple(sorted(str(codes[i]) for i in areas))))

    for more in (2, 4, 8, 16):
        grown = np.union1d(own, np.setdiff1d(around[: len(own) + more], own)[:more])
        yield other(phrase("ask.grown", n=len(grown)), grown)
    outward = own[np.argsort(-away[own], kind="stable")]
    for i in outward[:_MOST_LEFT_OUT] if len(own) > FEWEST_AREAS else ():
        yield other(f"Leave out one of its areas, {codes[i]}", own[own != i])
    for n in (4, 8):
        for skipped in range(1, 4):
            yield other(f"Compare {n} areas near it instead", around[skipped * n : (skipped + 1) * n])
