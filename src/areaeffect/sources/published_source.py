"""Source kind `published`: a release of the catalogue, as the pipeline reads any source."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.sources.base import SourceTable
from areaeffect.sources.published import read as read_release
from areaeffect.sources.releases import find_release

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from areaeffect.results import Floats, Release
    from areaeffect.sources.base import Wanted
    from areaeffect.sources.published import PublishedTable
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
    window: Window,  # noqa: ARG001  # one of the arguments of every reader
    wanted: tuple[Wanted, ...],
    attributes: tuple[str, ...],
) -> SourceTable:
    """Read what a study wants of a release; `path` is the folder of fetched files.

    Raises
    ------
    StudyError, DataError
        As `published.read`; a rank or decile as an outcome; counts that are not counts.
    """
    release = find_release(source.release, f"source.{name}")
    columns = {w: w.category or (w.value,) for w in wanted}
    asked = dict.fromkeys([*(c for several in columns.values() for c in several), *attributes])
    table = read_release(release.id, path, tuple(asked))
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
    return SourceTable(
        areas=table.areas,
        names=table.names,
        periods=table.periods,
        measures=measures,
        attributes=fixed,
        varying=varying,
        release=_one_record(name, table),
        notes=(*table.notes, *release.caveats),
    )


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


def _one_record(name: str, table: PublishedTable) -> Release:
    """Return the first file's record under the study's name of the source, with all rows."""
    first, *rest = table.records
    rows = first.rows_read + sum(r.rows_read for r in rest)
    files = ", ".join(r.file for r in table.records)
    return replace(first, source=name, file=files, rows_read=rows, rows_kept=rows)
