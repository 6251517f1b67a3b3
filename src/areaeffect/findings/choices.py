"""The study's design choices as rules: matching, exact factors, who may serve at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.design.cutoff import Ranked, ranked
from areaeffect.design.pool import Pool
from areaeffect.design.programme import ROUNDING
from areaeffect.errors import DataError, Problem, StudyError, first_few
from areaeffect.panel import Measure, Neighbourhood, Panel
from areaeffect.placebo.programmes import Candidates
from areaeffect.results import Bools, Floats, Ints, Strings
from areaeffect.sources.police_uk.categories import ALL_CRIME
from areaeffect.study.analysis import DesignPart, Only
from areaeffect.study.file import StudyFile
from areaeffect.study.model import Study, split_reference
from areaeffect.tables.cells import picked
from areaeffect.wording.numbers import plural

#: How a missing attribute reads as text.
_UNKNOWN = ("", "nan")


def strata_of(columns: Sequence[str], panel: Panel) -> Ints | None:
    """Number the combinations of exact factors, (n_areas,); None where there are none."""
    if not columns:
        return None
    stacked = np.column_stack([panel.attributes[c] for c in columns])
    _, strata = np.unique(stacked, axis=0, return_inverse=True)
    return strata.ravel().astype(np.int64)


def design_exclusions(design: DesignPart, panel: Panel, treated: Ints) -> list[tuple[Bools, str]]:
    """Return (mask, reason) of the areas that the study's own rules leave out of the pool."""
    found: list[tuple[Bools, str]] = [
        (picked(panel.attributes[e.column], e.values, e.column, "design.exclude"), e.reason)
        for e in design.exclude
    ]
    found += [_outside(rule, panel.attributes[rule.column], treated) for rule in design.only]
    for column in design.exact:
        name = split_reference(column)[1]
        found.append((np.isin(panel.attributes[column], _UNKNOWN), f"{name} is not known"))
        shared = np.isin(panel.attributes[column], panel.attributes[column][treated])
        found.append((~shared, f"no treated area has its {name}"))
    return found


def _outside(rule: Only, values: Strings, treated: Ints) -> tuple[Bools, str]:
    name = split_reference(rule.column)[1]
    numbers = numbers_of(values)
    if numbers is None or rule.values:
        allowed = rule.values or tuple(np.unique(values[treated]))
        inside = picked(values, allowed, rule.column, "design.only")
        return ~inside, f"outside the study's rule: {name} is {', '.join(allowed)}"
    low, high = rule.low, rule.high
    if low is None and high is None:
        own = numbers[treated][np.isfinite(numbers[treated])]
        low, high = float(own.min(initial=np.inf)), float(own.max(initial=-np.inf))
    inside = np.isfinite(numbers)
    inside &= numbers >= (-np.inf if low is None else low)
    inside &= numbers <= (np.inf if high is None else high)
    ends = ("" if low is None else f" from {low:g}") + ("" if high is None else f" up to {high:g}")
    return ~inside, f"outside the study's rule: {name}{ends}"


def numbers_of(values: Strings) -> Floats | None:
    """Return text as numbers, NaN where unknown; None where some text is no number."""
    try:
        return np.array([float(v) if v else np.nan for v in values])
    except ValueError:
        return None


#: Larger numbers overflow when squared and added up.
_LARGEST = 1e100
#: A covariate that others predict to this share of its deviation follows from them.
_FOLLOWS = 1e-6
_DROP = "Drop it from `design.covariates`."


def refuse_useless_covariates(file: StudyFile, panel: Panel, rows: Bools) -> None:
    """Check the covariates of treated and eligible areas.

    Parameters
    ----------
    rows : (n_areas,), treated and eligible areas.
    """
    values = panel.covariates[rows]
    problems = [
        Problem(what, file.where(f"design.covariates.{k}"), fix)
        for k, (what, fix) in sorted(_faults(panel.covariate_names, values).items())
    ]
    if problems:
        raise DataError(problems)


def _faults(names: Sequence[str], values: Floats) -> dict[int, tuple[str, str]]:
    """Return what is wrong with each covariate, and what to do; nothing where all are sound."""
    found: dict[int, tuple[str, str]] = {}
    for k, name in enumerate(names):
        if (np.abs(values[:, k]) > _LARGEST).any():
            what = f"'{name}' holds numbers beyond {_LARGEST:g}, too large to compute with."
            found[k] = (what, "Correct them, or leave them blank where they are not known.")
    if found:
        return found
    sound: list[str] = []
    kept = np.ones((len(values), 1))
    for k, name in enumerate(names):
        own = values[:, k] - values[:, k].mean()
        spread = float(own.std())
        if spread <= ROUNDING * float(np.abs(values[:, k]).max()):
            what = f"'{name}' is the same in all areas that count: nothing can be matched on it."
            found[k] = (what, _DROP)
            continue
        own = own / spread
        slope, *_ = np.linalg.lstsq(kept, own, rcond=None)
        if sound and float((own - kept @ slope).std()) < _FOLLOWS:  # what the others leave unexplained
            what = (
                f"'{name}' follows from {', '.join(sound)}: what they share would count more than "
                "once when alike areas are looked for."
            )
            found[k] = (what, _DROP)
            continue
        kept = np.column_stack([kept, own])
        sound.append(f"'{name}'")
    return found


def primary_outcomes(
    study: Study, measures: Sequence[Measure], units: Sequence[Neighbourhood]
) -> tuple[tuple[bool, ...], tuple[str, ...]]:
    """Return which outcomes are primary, and remarks on those that the program decided.

    An outcome says so itself (`primary`). Where it does not, it is primary unless it is part of
    another outcome of its family, source and claim: its categories are among the other's, or, in
    tables without categories, its counts before the first start are nowhere above the other's.
    """
    found, notes = [], []
    for o, outcome in enumerate(study.outcome):
        whole = None
        if outcome.primary is None and outcome.should_move:
            others = (k for k in range(len(study.outcome)) if k != o)
            whole = next((k for k in others if _is_part(study, measures, units, o, k)), None)
        if whole is not None:
            notes.append(
                f"{outcome.title} is part of {study.outcome[whole].title}, which the study is "
                "judged by: it is described, with no verdict of its own. Write `primary = true` "
                "or `false` at an outcome to settle it otherwise."
            )
        found.append(outcome.primary is not False and outcome.should_move and whole is None)
    return tuple(found), tuple(notes)


def _is_part(
    study: Study, measures: Sequence[Measure], units: Sequence[Neighbourhood], part: int, whole: int
) -> bool:
    """Tell whether one outcome is part of another."""
    one, other = study.outcome[part], study.outcome[whole]
    if other.primary is False or not other.should_move or "score" in {one.kind, other.kind}:
        return False
    if (one.family, one.source, one.claim) != (other.family, other.source, other.claim):
        return False
    if one.category or other.category:
        every = not other.category or ALL_CRIME in other.category
        kinds = set(one.category) - {ALL_CRIME}
        return bool(kinds) and (every or kinds < set(other.category))
    mine, theirs = measures[part], measures[whole]
    if mine.values.shape != theirs.values.shape or one.claim != "change":
        return False
    before = min(theirs.periods.split(u.start, u.start_kind)[0].stop for u in units)
    counts, total = mine.values[:, :before], theirs.values[:, :before]
    known = np.isfinite(counts) & np.isfinite(total)
    inside = bool(known.any() and (counts[known] <= total[known]).all())
    return inside and float(counts[known].sum()) < float(total[known].sum())


def placed_by(file: StudyFile, data: Assembled) -> Ranked | None:
    """Put the places that could be chosen in the order of the study's rule; None without a rule.

    Places are given groups of areas (`analysis.placebo_neighbourhoods`), or single areas. Their
    score is the mean of their areas'. Areas without a score, and those that the study leaves out,
    are in no place. Of places with equal scores, those that were chosen come first.

    Raises
    ------
    DataError
        Where a score or the group of a cap is not known.
    StudyError
        Where the rule takes other places than the study names.
    """
    design, panel = file.study.design, data.panel
    if design.score is None:
        return None
    score = numbers_of(panel.attributes[design.score])
    if score is None:
        raise DataError(f"'{design.score}' is text, not numbers.", file.where("design.score"))
    may = np.isfinite(score)
    for rule in design.exclude:
        may &= ~picked(panel.attributes[rule.column], rule.values, rule.column, "design.exclude")
    if (reference := file.study.analysis.placebo_neighbourhoods) is None:
        places = list(np.flatnonzero(may)[:, None])
    else:
        names = panel.attributes[reference]
        inside = np.flatnonzero(may & ~np.isin(names, _UNKNOWN))
        which = np.unique(names[inside], return_inverse=True)[1].ravel()
        order = np.argsort(which, kind="stable")
        cuts = np.flatnonzero(np.diff(which[order])) + 1
        places = np.split(inside[order], cuts) if len(inside) else []
    treated = np.zeros(len(panel.areas), dtype=bool)
    treated[np.concatenate([np.empty(0, np.int64), *(u.areas for u in data.neighbourhoods)])] = True
    groups, cap = np.zeros(len(panel.areas), dtype=np.int64), design.cap
    if cap is not None:
        groups = np.unique(panel.attributes[cap.by], return_inverse=True)[1].ravel()
    sign = -1.0 if design.takes_highest else 1.0
    found = ranked(
        places,
        score=np.array([sign * score[p].mean() for p in places]),
        group=np.array([groups[p[0]] for p in places], dtype=np.int64),
        at_most=None if cap is None else cap.at_most,
        first=np.array([treated[p].any() for p in places], dtype=bool),
        n_areas=len(panel.areas),
        centres=panel.centres,
    )
    if unknown := _not_known(file, data, found):
        raise DataError(unknown)
    if misplaced := _no_places(file, data, found) or _not_taken(file, data, found):
        raise StudyError(misplaced)
    return found


def in_line(rule: Ranked | None, pool: Pool, units: Sequence[Neighbourhood]) -> tuple[Candidates, ...]:
    """List what may represent each unit in a placebo programme placed by the rule, if any."""
    if rule is None:
        return ()
    options = tuple(rule.drawable(pool.eligible))
    return tuple(Candidates((options,) * len(np.unique(rule.of_area[u.areas]))) for u in units)


def _not_known(file: StudyFile, data: Assembled, rule: Ranked) -> list[Problem]:
    """Name places of the study without a score, and ranked ones without one group of the cap."""
    score, cap = file.study.design.score, file.study.design.cap
    found = []
    without = [u.name for u in data.neighbourhoods if (rule.of_area[u.areas] < 0).all()]
    if without:
        what = f"{len(without)} of {len(data.neighbourhoods)} places have no score: {first_few(without)}."
        fix = f"Give '{score}' as a number for each, and leave none out by `design.exclude`."
        found.append(Problem(what, file.where("design.score"), fix))
    if cap is None:
        return found
    groups, areas = data.panel.attributes[cap.by], data.panel.areas
    known = ~np.isin(groups, _UNKNOWN)
    lacking = [str(areas[p[~known[p]][0]]) for p in rule.places if not known[p].all()]
    mixed = [str(areas[p[0]]) for p in rule.places if (groups[p] != groups[p[0]]).any()]
    for some, what, fix in (
        (lacking, "is not known for", "Fill it in, or leave them out by `design.exclude`."),
        (mixed, "differs inside", "A cap needs places that lie in one group each."),
    ):
        if some:
            text = f"'{cap.by}' {what} {plural(len(some), 'ranked place')}: {first_few(some)}."
            found.append(Problem(text, file.where("design.cap.by"), fix))
    return found


def _no_places(file: StudyFile, data: Assembled, rule: Ranked) -> list[Problem]:
    """Find neighbourhoods that are not one of the places that were ranked."""
    of = {u.name: np.unique(rule.of_area[u.areas]) for u in data.neighbourhoods}
    several = [name for name, positions in of.items() if (positions >= 0).sum() > 1]
    held = Counter(int(positions[-1]) for positions in of.values())
    shared = [name for name, positions in of.items() if held[int(positions[-1])] > 1]
    key = "analysis.placebo_neighbourhoods"
    fix = f"Name the column of the places that were ranked in `{key}`; without it each area is one."
    return [
        Problem(f"{what}: {first_few(some)}.", file.where("design.chosen"), fix)
        for some, what in (
            (several, "neighbourhoods hold more than one of the places that were ranked"),
            (shared, "neighbourhoods share a place that was ranked"),
        )
        if some
    ]


def _not_taken(file: StudyFile, data: Assembled, rule: Ranked) -> list[Problem]:
    """Name the places that only the study, or only the rule, chooses."""
    chosen = file.study.design.n_chosen
    named = {int(rule.of_area[u.areas].max()): u.name for u in data.neighbourhoods}
    taken = set(rule.taken(np.ones(len(rule.places), dtype=bool), chosen).tolist())

    def rank(position: int) -> str:
        return f"rank {position + 1:,} of {len(rule.places):,}, score {abs(rule.score[position]):g}"

    found = []
    if len(named) != chosen:
        what = f"the rule takes {chosen} places, and the study names {len(named)}."
        found.append((what, "Write how many were chosen, or name all of them."))
    for position in sorted(set(named) - taken):
        why = "it lies beyond the cut" if position > max(taken) else "the cap shuts it out"
        what = f"the rule does not take '{named[position]}' ({rank(position)}): {why}."
        found.append((what, "Leave it out, correct the rule, or drop `score` and `chosen`."))
    for position in sorted(taken - set(named)):
        area = data.panel.areas[rule.places[position][0]]
        what = f"the rule takes the place of {area} ({rank(position)}); the study does not."
        found.append((what, "Name it, or leave out by `design.exclude` what could not be chosen."))
    return [Problem(what, file.where("design.chosen"), fix) for what, fix in found]
