"""Changes that cannot be claimed: across a break of definition, or from one date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from areaeffect.errors import DataError, Problem, number_of
from areaeffect.outcomes import Break
from areaeffect.panel import Measure
from areaeffect.periods import PeriodKind, label, parse_period
from areaeffect.register.registered import Registered
from areaeffect.sources.publishers.releases import find_release
from areaeffect.study.file import StudyFile
from areaeffect.study.model import Outcome

_INDICES = "imd"


def refuse_one_date(file: StudyFile) -> None:
    """Refuse a change claim on a release that describes one date.

    Editions of the indices of deprivation are no time series: each is made anew, with other
    indicators and relative to the places of its own year.
    """
    problems = []
    for i, outcome in enumerate(file.study.outcome):
        source = file.study.source[outcome.source]
        if outcome.claim != "change" or not source.from_release:
            continue
        release = find_release(source.from_release)
        if release.period_kind:
            continue
        why = f"'{release.id}' describes one date ({release.as_of})"
        if release.group == _INDICES:
            why += (
                "; editions of the indices of deprivation are built again each time, with other "
                "indicators and relative to the places of their own year, so a difference of two "
                "is not a change either"
            )
        problems.append(_no_change(file, i, outcome, why))
    if problems:
        raise DataError(problems)


def _no_change(file: StudyFile, i: int, outcome: Outcome, why: str) -> Problem:
    return Problem(
        f"'{outcome.name}' cannot be a change: {why}.",
        file.where(f"outcome.{i}.claim"),
        'Write claim = "level": how places differ, not what the initiative changed.',
    )


def refuse_breaks(file: StudyFile, measures: Mapping[str, Measure]) -> None:
    """Refuse a change claim whose periods run across a break, unless the study accepts it."""
    problems = [
        Problem(
            f"'{outcome.name}' runs across {found.month}: {found.reason}.",
            file.where(f"outcome.{i}"),
            f"Let `study.window` begin at {found.month} or later, or end before it; or write "
            f'accept_breaks = ["{found.month}"], and the finding says so.',
        )
        for i, outcome in enumerate(file.study.outcome)
        for found in crossed_breaks(outcome, measures[outcome.name])
        if found.month not in outcome.accept_breaks
    ]
    if problems:
        raise DataError(problems)


def crossed_breaks(outcome: Outcome, measure: Measure) -> list[Break]:
    """Return the breaks of definition that a change claim's periods run across."""
    periods = measure.periods
    if outcome.claim != "change" or periods.kind is PeriodKind.NUMBER:
        return []
    first, end = (periods.kind.first_month(periods.first + i) for i in (0, periods.n))
    return [
        found for found in measure.breaks if first < (parse_period(found.month, PeriodKind.MONTH) or 0) < end
    ]


def last_as_benchmark(
    file: StudyFile, registered: Registered, measures: Mapping[str, Measure]
) -> tuple[Registered, dict[str, Measure]]:
    """Take the neighbourhoods that start last as untreated, and end every outcome before them.

    The comparisons are then those with areas that are not yet treated (Callaway and Sant'Anna
    2021, doi 10.1016/j.jeconom.2020.12.001, section 2.2, with the last group alone).
    """
    places = registered.neighbourhoods
    starts = [p.start_kind.first_month(p.start) for p in places]
    last = max(starts)
    kept = tuple(p for p, start in zip(places, starts, strict=True) if start < last)
    where = file.where("design.last_to_start")
    if not kept:
        what = "every neighbourhood starts at the same time, so none is untreated while others are."
        raise DataError(what, where, "Give areas that were never treated.")
    first_of_last = next(p for p, start in zip(places, starts, strict=True) if start == last)
    cut = {}
    for name, m in measures.items():
        before, _ = m.periods.split(first_of_last.start, first_of_last.start_kind)
        if before.stop <= m.periods.split(kept[0].start, kept[0].start_kind)[0].stop:
            what = f"{name} has no period between the first start and the last."
            raise DataError(what, where, "Give areas that were never treated.")
        cut[name] = replace(
            m,
            periods=replace(m.periods, n=before.stop),
            values=m.values[:, before],
            reasons=m.reasons[:, before],
        )
    begin = label(first_of_last.start, first_of_last.start_kind)
    n = sum(len(p.areas) for p in places) - sum(len(p.areas) for p in kept)
    note = (
        f"No area need stay untreated: the {number_of(n, 'area', 'areas')} that start last, in "
        f"{begin}, count as "
        f"untreated, and periods from {begin} on are not used."
    )
    return replace(registered, neighbourhoods=kept, notes=(*registered.notes, note)), cut
