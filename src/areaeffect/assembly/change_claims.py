"""Changes that cannot be claimed: across a break of definition, or from one date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem
from areaeffect.periods import PeriodKind, parse_period
from areaeffect.sources.publishers.releases import find_release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.outcomes import Break
    from areaeffect.panel import Measure
    from areaeffect.study.file import StudyFile
    from areaeffect.study.model import Outcome

_INDICES = "imd"


def refuse_one_date(file: StudyFile) -> None:
    """Refuse a change claim on a release that describes one date.

    Editions of the indices of deprivation are no time series: each is made anew, with other
    indicators and relative to the places of its own year.

    Raises
    ------
    DataError
        With each such outcome.
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
    """Refuse a change claim whose periods run across a break, unless the study accepts it.

    Raises
    ------
    DataError
        With each such outcome, what broke and the two ways out.
    """
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
        found
        for found in measure.breaks
        if first < (parse_period(found.month, PeriodKind.MONTH) or 0) < end
    ]
