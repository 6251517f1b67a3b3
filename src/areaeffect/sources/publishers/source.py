"""Published releases in the shape that every source gives back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.sources.base import SourceTable

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.results import Floats
    from areaeffect.sources.base import Wanted
    from areaeffect.sources.publishers.releases import PublishedRelease
    from areaeffect.sources.publishers.tables import PublishedTable
    from areaeffect.study.window import Window


def columns_asked(wanted: tuple[Wanted, ...], attributes: tuple[str, ...]) -> tuple[str, ...]:
    """Return every column that measures and attributes need."""
    several = [c for w in wanted for c in w.category or (w.value,)]
    return tuple(dict.fromkeys([*several, *attributes]))


def as_source_table(
    name: str,
    table: PublishedTable,
    window: Window,
    wanted: tuple[Wanted, ...],
    attributes: tuple[str, ...],
) -> SourceTable:
    """Return a published table in the shape that every source gives back.

    Measures are cut to the study's window. A release of one date is one period of the window's
    kind, so that it can be the outcome of a level claim.

    Parameters
    ----------
    name : the study's name of the source.
    table : the release, read.
    window : of the study.
    wanted : measures; categories name the columns to add up.
    attributes : columns for covariates, denominators, exclusions.

    Raises
    ------
    DataError
        A rank, decile or text as an outcome; rates as counts; a sum of what is no count.
    """
    release = table.release
    if wanted and table.periods is not None:
        table = _in_window(table, window)
    columns = {w: w.category or (w.value,) for w in wanted}
    _refuse_outcomes(table, columns)
    measures = {w: np.sum([table.values[c] for c in cs], axis=0) for w, cs in columns.items()}
    fixed: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.str_]] = {}
    varying: dict[str, Floats] = {}
    for column in attributes:
        if column in table.texts:
            fixed[column] = table.texts[column]
        elif table.periods is None:
            fixed[column] = table.values[column][:, 0]
        else:
            varying[column] = table.values[column]
    first, *more = (replace(r, source=name) for r in table.records)
    return SourceTable(
        areas=table.areas,
        names=table.names,
        periods=table.periods or (_one_period(release, window) if wanted else None),
        measures=measures,
        attributes=fixed,
        varying=varying,
        release=first,
        notes=(*table.notes, *release.caveats),
        more_releases=tuple(more),
        reasons={w: np.max([table.reasons[c] for c in cs], axis=0) for w, cs in columns.items()},
    )


def _in_window(table: PublishedTable, window: Window) -> PublishedTable:
    """Keep the periods that lie wholly inside the window."""
    periods = table.periods
    first, last = (parse_period(t, window.kind) for t in (window.start, window.end))
    if periods is None or first is None or last is None or window.kind is PeriodKind.NUMBER:
        raise DataError(
            Problem(
                f"a release by {periods.kind if periods else 'date'} cannot be read in a window of "
                "numbers.",
                table.release.id,
                "Write `study.window` in months, quarters or years.",
            )
        )
    begins = periods.ordinals * periods.kind.months + periods.kind.first_month(0)
    inside = begins >= window.kind.first_month(first)
    inside &= begins + periods.kind.months <= window.kind.first_month(last + 1)
    if not inside.any():
        raise DataError(
            Problem(
                f"no {periods.kind} of this release lies in the window {window.start} to "
                f"{window.end}; it runs from {periods.labels[0]} to {periods.labels[-1]}.",
                table.release.id,
                "Change `study.window`.",
            )
        )
    kept = np.flatnonzero(inside)
    return replace(
        table,
        periods=Periods(periods.kind, int(periods.ordinals[kept[0]]), len(kept)),
        values={c: v[:, kept] for c, v in table.values.items()},
        reasons={c: r[:, kept] for c, r in table.reasons.items()},
    )


def _one_period(release: PublishedRelease, window: Window) -> Periods | None:
    """Return the period of the window's kind that a release of one date describes."""
    month = parse_period(release.as_of, PeriodKind.MONTH)
    if month is None or window.kind is PeriodKind.NUMBER:
        return None
    return Periods(window.kind, window.kind.holding(month), 1)


def _refuse_outcomes(table: PublishedTable, columns: dict[Wanted, tuple[str, ...]]) -> None:
    kinds = {c.name: c.kind for c in table.release.columns}
    kinds.update({d.name: "share" for d in table.release.derived})
    problems = []
    for wanted, names in columns.items():
        for column in names:
            kind = kinds[column]
            if kind in {"rank", "decile", "text"}:
                what = f"'{column}' is a {kind}: it is relative within its release"
                fix = "Take a count, rate or score."
            elif wanted.is_count and kind != "count":
                what, fix = f"'{column}' is a {kind}, not a count", 'Write kind = "score".'
            elif len(names) > 1 and kind != "count":
                what, fix = f"'{column}' is a {kind}: only counts add up", "Name one column."
            else:
                continue
            problems.append(Problem(f"{what}.", table.release.id, fix))
    if problems:
        raise DataError(problems)
