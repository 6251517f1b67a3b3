"""Source kind `published`: a release of the catalogue, as the pipeline reads any source."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.sources.base import SourceTable
from areaeffect.sources.published import read as read_release
from areaeffect.sources.releases import find_release

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from areaeffect.results import Floats
    from areaeffect.sources.base import Wanted
    from areaeffect.sources.published import PublishedTable
    from areaeffect.sources.releases import PublishedRelease
    from areaeffect.study import Window


class NamesRelease(Protocol):
    """What a study says of a published source."""

    @property
    def release(self) -> str:
        """Id of the release."""


def read(
    name: str,
    source: NamesRelease,
    path: Path,
    window: Window,
    wanted: tuple[Wanted, ...],
    attributes: tuple[str, ...],
) -> SourceTable:
    """Read what a study wants of a release; `path` is the folder of fetched files.

    A release of one date is one period of the window's kind, so that it can be the outcome of a
    level claim.

    Raises
    ------
    StudyError, DataError
        As `published.read`; a rank or decile as an outcome; counts that are not counts.
    """
    release = find_release(source.release, f"source.{name}")
    table = read_release(release.id, path, columns_asked(wanted, attributes))
    return as_source_table(name, table, window, wanted, attributes)


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
    """Return a published table in the shape that every source gives back."""
    release = table.release
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


def _one_period(release: PublishedRelease, window: Window) -> Periods | None:
    """Return the period of the window's kind that a release of one date describes."""
    month = parse_period(release.as_of, PeriodKind.MONTH)
    if month is None or window.kind is PeriodKind.NUMBER:
        return None
    return Periods(window.kind, month * (window.kind.per_year or 1) // 12, 1)


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
