"""Distances to the nearest park, library or shop as a source: one figure an area, of one date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, StudyError, did_you_mean
from areaeffect.geography.boundaries import area_codes, read_boundaries
from areaeffect.geography.points import nearest_metres
from areaeffect.periods import PeriodKind, Periods, kind_of, parse_period
from areaeffect.results import Release
from areaeffect.sources.base import SourceTable, sha256_of
from areaeffect.sources.point_files import read_points
from areaeffect.study.model import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from areaeffect.panel import Strings
    from areaeffect.results import Floats
    from areaeffect.sources.base import Wanted
    from areaeffect.study.access import AccessSource
    from areaeffect.study.model import Window

_METRES = "EPSG:27700"
ANY = "any"


def read_access(
    name: str,
    source: AccessSource,
    folder: Path,
    window: Window,
    wanted: tuple[Wanted, ...],
    attributes: tuple[str, ...],
) -> SourceTable:
    """Measure from each area's centre to the nearest point of each category, in a straight line.

    Parameters
    ----------
    name : the study's name of the source.
    source : its entry in the study.
    folder : where relative paths start.
    window : of the study.
    wanted, attributes : categories asked for; 'any' is the nearest point of all.

    Raises
    ------
    StudyError, DataError
        Neither centres nor boundaries; no such category; a distance asked for as a count; an
        outcome without `as_of`; points or centres that cannot be read.
    """
    if any(w.is_count for w in wanted):
        fix = 'Write kind = "score" and unit = "metres" in the outcome.'
        raise StudyError(Problem("a distance is not a count.", f"source.{name}", fix))
    path = resolve(source.path, folder)
    points = read_points(path, _METRES, category=source.category)
    areas, centres, how = _centres(name, source, folder)
    asked = dict.fromkeys([*(w.value for w in wanted), *attributes])
    _must_know(asked, sorted({*points.category.tolist(), ANY}), path)
    metres = {
        c: nearest_metres(centres, points.at[(points.category == c) | (c == ANY)]) for c in asked
    }
    n = len(points.at)
    return SourceTable(
        areas=areas,
        names=areas,
        periods=_one_period(name, source, window) if wanted else None,
        measures={w: metres[w.value][:, None] for w in wanted},
        attributes={a: metres[a] for a in attributes},
        varying={},
        release=Release(
            name, path.name, sha256_of(path), n, n, 0, source.licence, source.attribution
        ),
        notes=(
            f"{path.name}: {n:,} points; distances are straight lines from {how} to the nearest "
            "one, not walks: a railway or a river between counts for nothing.",
        ),
    )


def _must_know(asked: Iterable[str], known: Sequence[str], path: Path) -> None:
    """Refuse categories that no point has."""
    unknown = [
        Problem(
            f"no point is a '{c}'.",
            str(path),
            did_you_mean(c, known) or f"Categories: {', '.join(known)}.",
        )
        for c in asked
        if c not in known
    ]
    if unknown:
        raise DataError(unknown)


def _centres(name: str, source: AccessSource, folder: Path) -> tuple[Strings, Floats, str]:
    """Return area codes (ascending), their centres in metres, and what they are centres of."""
    if source.centres is not None:
        path = resolve(source.centres, folder)
        given = read_points(path, _METRES, number=source.residents, category="area_code")
        codes, row = np.unique(given.category, return_inverse=True)
        weight = np.bincount(row, given.number)
        empty = [str(c) for c in codes[weight <= 0]]
        if empty:
            what = f"nobody lives at the points of {len(empty)} areas, such as {empty[0]}."
            raise DataError(Problem(what, str(path), "Leave `residents` out, or mend the file."))
        sums = [np.bincount(row, given.number * given.at[:, k]) for k in (0, 1)]
        how = "where people live on average" if source.residents else "the centres given"
        return codes, np.column_stack([s / weight for s in sums]), how
    if source.boundaries is None:
        raise StudyError(
            Problem(
                "it is not said where the areas are.",
                f"source.{name}",
                "Give `centres` (a CSV of area_code, easting, northing) or `boundaries`.",
            )
        )
    path = resolve(source.boundaries, folder)
    column = source.boundaries_area or source.area
    codes = area_codes(path, column)
    boundaries = read_boundaries(path, column, codes)
    if boundaries.crs != _METRES:
        raise DataError(
            Problem(
                "distances are measured in Britain only, and these areas lie elsewhere.",
                str(path),
                "Give `centres` with easting and northing.",
            )
        )
    return codes, boundaries.centres, "the middle of each area"


def _one_period(name: str, source: AccessSource, window: Window) -> Periods:
    """Return the period of the window's kind that the points describe."""
    kind = kind_of(source.as_of) if source.as_of else None
    ordinal = parse_period(source.as_of, kind) if source.as_of and kind else None
    if ordinal is None or kind is None or None in (kind.per_year, window.kind.per_year):
        raise StudyError(
            Problem(
                "it is not said what date the points describe, so they cannot be an outcome.",
                f"source.{name}",
                'Write as_of = "2023", in a study by month, quarter or year.',
            )
        )
    return Periods(PeriodKind(window.kind), window.kind.holding(kind.first_month(ordinal)), 1)
