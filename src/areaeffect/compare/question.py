"""A question of the web app: as a study file that anyone can run again, and whether it can be asked.

It settles what a base study leaves open. Whether it can be asked is read from the coverage of the figures.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import tomlkit

from areaeffect.errors import Problem, StudyError, number_of
from areaeffect.findings.refusals import FEW_EVENTS, FEWEST_AREAS, MANY_EVENTS
from areaeffect.findings.units import why_left_out
from areaeffect.panel import is_enough
from areaeffect.periods import PeriodKind, Periods, label, parse_period, why_ambiguous
from areaeffect.records import Json
from areaeffect.results import Bools, Claim, Floats, Ints, Strings
from areaeffect.study.file import StudyFile
from areaeffect.wording.numbers import PHRASES, phrase

STUDY_FILE, AREAS_FILE = "study.toml", "chosen_areas.csv"
LONGEST_NAME = 80
#: The numbers of placebo programmes, of nearest areas and of kilometres that can be asked for.
PLACEBOS, NEAREST, BUFFERS = (499, 199, 999), (60, 30, 120), (1.0, 0.5, 0.0, 2.0)
_NAME = re.compile(r"[^\W_][^\x00-\x1f\x7f\"\\]*")
_HEAD = f"""\
# Composed in the browser by areaeffect. Run it again with
#     areaeffect evaluate {STUDY_FILE} --out results
# and {AREAS_FILE} in the same folder. Data paths are those of the base study: put both
# files into its folder, or set AREAEFFECT_SHARED_DATA, or name paths of your own.

"""
#: Whole years of figures that a question needs: two before the start, or nothing could be said of
#: what it could detect; one after it, so that every season is in it.
YEARS_BEFORE, YEARS_AFTER = 2, 1
#: Of repairs: areas that a small place grows to, areas around it that are looked at, and those that may be
#: left out, one at a time.
_ENOUGH_AREAS, _SEARCHED, _MOST_LEFT_OUT = 4, 200, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a user of the app asks of a base study."""

    areas: tuple[str, ...]  # codes of one neighbourhood, ascending and each once
    start: str  # its first period of work, written like the study's window
    name: str = "My neighbourhood"  # of the neighbourhood in print
    placebos: int = PLACEBOS[0]  # placebo programmes
    nearest: int = NEAREST[0]  # most alike areas considered for each treated one
    buffer_km: float = BUFFERS[0]  # areas nearer than this are left out of the comparison

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Json) -> Question:
        """Return the question that `to_dict` wrote."""
        return cls(**{**values, "areas": tuple(values["areas"])})


def compose(base: str, question: Question) -> str:
    """Return the study file of a question; the same question gives the same text.

    The text of the base study is kept, comments and all, but for what the question settles and what
    is said of its atlas.
    """
    document = tomlkit.parse(base)
    title = f"{question.name}: what changed after {question.start}"
    asked = f"Did {question.name} change more after {question.start} than it would have?"
    if all(outcome.get("claim") == "level" for outcome in document["outcome"]):
        title = f"{question.name} beside places like it"
        asked = f"How does {question.name} compare with places that were like it?"
    settled: dict[str, dict[str, str | float]] = {
        "study": {"title": title, "question": asked, "exploratory": True},
        "register": {"buffer_km": question.buffer_km},
        "design": {"nearest": question.nearest},
        "analysis": {"placebos": question.placebos},
    }
    for name, keys in settled.items():
        table = document.setdefault(name, tomlkit.table())
        body, behind = table.value.body, []
        while body and body[-1][0] is None:  # blank lines, and what is said of the next table
            behind.append(body.pop()[1])
        for key, value in keys.items():
            table[key] = value
            table.value.item(key).trivia.comment = ""  # it was about the value before
        for item in reversed(behind):
            table.add(item)
    for name in ("atlas", "initiative"):
        document.pop(name, None)
    initiatives = tomlkit.aot()
    initiatives.append(tomlkit.item({"name": question.name, "areas": AREAS_FILE}))
    document["initiative"] = initiatives
    return _HEAD + tomlkit.dumps(document)


def areas_csv(question: Question) -> str:
    """Return the file of areas that belongs to a question's study."""
    rows = [f'{code},"{question.name}",{question.start}' for code in question.areas]
    return "\n".join(["area_code,neighbourhood,start_date", *rows]) + "\n"


def refuse_question(file: StudyFile, question: Question, n_known: int) -> None:
    """Refuse what a base study of so many areas cannot be asked, every fault at once by its field."""
    window, n, problems = file.study.study.window, len(question.areas), []
    if not 0 < n <= n_known // 4:
        what = f"{n} areas are too many to compare with the rest." if n else "no area is chosen."
        problems.append(Problem(what, "areas", f"Choose at most {n_known // 4}."))
    begin, first, last = (parse_period(t, window.kind) for t in (question.start, window.start, window.end))
    if begin is None or first is None or last is None or not first < begin <= last:
        what = f"'{question.start[:20]}' is not a {window.kind} after {window.start}, up to {window.end}."
        fix = f"Write it like {window.end}; leave some years before it to compare on."
        problems.append(Problem(what, "start", fix))
    if not _NAME.fullmatch(question.name) or len(question.name) > LONGEST_NAME:
        what = f"the name must begin with a letter or digit and have at most {LONGEST_NAME} signs"
        problems.append(Problem(f'{what}, none of them " or \\.', "name", "Write a shorter one."))
    if problems:
        raise StudyError(problems)


def key_of_question(base: str, question: Question, version: str, releases: Sequence[str]) -> str:
    """Return the key of a run: the same for the same question, base study, code and data."""
    content = {
        "base": hashlib.sha256(base.encode()).hexdigest(),
        "question": question.to_dict(),
        "version": version,
        "releases": list(releases),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]


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
