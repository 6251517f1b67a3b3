"""The rule by which the study says that its places were chosen, and whether they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.design.cutoff import Ranked, ranked
from areaeffect.errors import DataError, Problem, StudyError, first_few
from areaeffect.findings.choices import numbers_of
from areaeffect.placebo.programmes import Candidates
from areaeffect.tables.cells import picked
from areaeffect.wording.numbers import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.assembly.assemble import Assembled
    from areaeffect.design.pool import Pool
    from areaeffect.panel import Neighbourhood, Panel
    from areaeffect.results import Bools, Ints
    from areaeffect.study.file import StudyFile
    from areaeffect.study.model import Study

_UNKNOWN = ("", "nan")


def ranked_of(study: Study, data: Assembled) -> Ranked | None:
    """Put the places that could be chosen in the order of the study's rule; None without a rule.

    Places are given groups of areas (`analysis.placebo_neighbourhoods`), or single areas. Their
    score is the mean of their areas'. Areas without a score, and those that the study leaves out,
    are in no place. Of places with equal scores, those that were chosen come first.
    """
    design, panel = study.design, data.panel
    if design.score is None:
        return None
    score = numbers_of(panel.attributes[design.score])
    score = np.full(len(panel.areas), np.nan) if score is None else score
    may = np.isfinite(score)
    for rule in design.exclude:
        may &= ~picked(panel.attributes[rule.column], rule.values, rule.column, "design.exclude")
    places = _places(study, panel, may)
    treated = np.zeros(len(panel.areas), dtype=bool)
    treated[np.concatenate([np.empty(0, np.int64), *(u.areas for u in data.neighbourhoods)])] = True
    groups, cap = np.zeros(len(panel.areas), dtype=np.int64), design.cap
    if cap is not None:
        groups = np.unique(panel.attributes[cap.by], return_inverse=True)[1].ravel()
    sign = -1.0 if design.takes_highest else 1.0
    return ranked(
        places,
        score=np.array([sign * score[p].mean() for p in places]),
        group=np.array([groups[p[0]] for p in places], dtype=np.int64),
        at_most=None if cap is None else cap.at_most,
        first=np.array([treated[p].any() for p in places], dtype=bool),
        n_areas=len(panel.areas),
        centres=panel.centres,
    )


def placed_by(file: StudyFile, data: Assembled) -> Ranked | None:
    """Return the order of the study's rule; None without a rule.

    Raises
    ------
    DataError, StudyError
        As `refuse_misplaced`.
    """
    rule = ranked_of(file.study, data)
    if rule is not None:
        refuse_misplaced(file, data, rule)
    return rule


def in_line(rule: Ranked | None, pool: Pool, units: Sequence[Neighbourhood]) -> tuple[Candidates, ...]:
    """List what may represent each unit in a placebo programme placed by the rule, if any."""
    if rule is None:
        return ()
    options = tuple(rule.drawable(pool.eligible))
    return tuple(Candidates((options,) * rule.n_of(u.areas)) for u in units)


def refuse_misplaced(file: StudyFile, data: Assembled, rule: Ranked) -> None:
    """Hold the places of the study against the rule that it says they were chosen by.

    Raises
    ------
    DataError
        Where a score or the group of a cap is not known.
    StudyError
        Where the rule takes other places than the study names.
    """
    unknown = [*_without_score(file, data, rule), *_without_group(file, data, rule)]
    if unknown:
        raise DataError(unknown)
    problems = _no_places(file, data, rule) or _not_taken(file, data, rule)
    if problems:
        raise StudyError(problems)


def _without_score(file: StudyFile, data: Assembled, rule: Ranked) -> list[Problem]:
    lacking = [u.name for u in data.neighbourhoods if (rule.of_area[u.areas] < 0).all()]
    if not lacking:
        return []
    column, where = file.study.design.score or "", file.where("design.score")
    if numbers_of(data.panel.attributes[column]) is None:
        return [Problem(f"'{column}' is text, not numbers.", where)]
    what = f"{len(lacking)} of {len(data.neighbourhoods)} places have no score: {first_few(lacking)}."
    fix = f"Give '{column}' as a number for each, and leave none out by `design.exclude`."
    return [Problem(what, where, fix)]


def _without_group(file: StudyFile, data: Assembled, rule: Ranked) -> list[Problem]:
    cap = file.study.design.cap
    if cap is None:
        return []
    groups, areas = data.panel.attributes[cap.by], data.panel.areas
    known = ~np.isin(groups, _UNKNOWN)
    lacking = [str(areas[p[~known[p]][0]]) for p in rule.places if not known[p].all()]
    mixed = [str(areas[p[0]]) for p in rule.places if (groups[p] != groups[p[0]]).any()]
    found = []
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
    held: dict[int, list[str]] = {}
    for name, positions in of.items():
        held.setdefault(int(positions[-1]), []).append(name)
    shared = [name for names in held.values() if len(names) > 1 for name in names]
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
    chosen, where = file.study.design.n_chosen, file.where("design.chosen")
    named = {int(rule.of_area[u.areas].max()): u.name for u in data.neighbourhoods}
    line = rule.in_line(np.ones(len(rule.places), dtype=bool))
    taken = set(line[:chosen].tolist())
    problems = []
    if len(named) != chosen:
        what = f"the rule takes {chosen} places, and the study names {len(named)}."
        problems.append(Problem(what, where, "Write how many were chosen, or name all of them."))
    for position in sorted(set(named) - taken):
        why = "it lies beyond the cut" if position > max(taken) else "the cap shuts it out"
        what = f"the rule does not take '{named[position]}' ({_rank(rule, position)}): {why}."
        fix = "Leave it out, correct the rule, or drop `score` and `chosen`."
        problems.append(Problem(what, where, fix))
    for position in sorted(taken - set(named)):
        area = data.panel.areas[rule.places[position][0]]
        what = f"the rule takes the place of {area} ({_rank(rule, position)}); the study does not."
        fix = "Name it, or leave out by `design.exclude` what could not be chosen."
        problems.append(Problem(what, where, fix))
    return problems


def _rank(rule: Ranked, position: int) -> str:
    return f"rank {position + 1:,} of {len(rule.places):,}, score {abs(rule.score[position]):g}"


def _places(study: Study, panel: Panel, may: Bools) -> list[Ints]:
    reference = study.analysis.placebo_neighbourhoods
    if reference is None:
        return list(np.flatnonzero(may)[:, None])
    names = panel.attributes[reference]
    inside = np.flatnonzero(may & ~np.isin(names, _UNKNOWN))
    if not len(inside):
        return []
    which = np.unique(names[inside], return_inverse=True)[1].ravel()
    order = np.argsort(which, kind="stable")
    return np.split(inside[order], np.flatnonzero(np.diff(which[order])) + 1)
