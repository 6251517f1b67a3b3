"""What every source gives back, and the registry that finds a source by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError
from areaeffect.results import Strings
from areaeffect.sources.police_uk.categories import known_categories
from areaeffect.study.model import split_reference
from areaeffect.study.parts import AnySource
from areaeffect.study.source_kinds import row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from areaeffect.panel import Hidden
    from areaeffect.periods import Periods
    from areaeffect.records import DataTable
    from areaeffect.results import Release
    from areaeffect.study.file import StudyFile
    from areaeffect.study.parts import Window


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """A measure asked of a source: a column, the categories to add up, counts or scores."""

    value: str
    category: tuple[str, ...] = ()
    is_count: bool = True


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SourceTable:
    """What a source holds of what was asked."""

    areas: npt.NDArray[np.str_]  # (n_areas,), codes in ascending order
    names: npt.NDArray[np.str_]  # (n_areas,), names, or the codes again
    periods: Periods | None  # the time axis; None where there is one row an area.
    #: (n_areas, n_periods) each; NaN where the source has no row.
    measures: Mapping[MeasureRequest, npt.NDArray[np.float64]]
    #: (n_areas,) each; floats where every value is a number, else text.
    attributes: Mapping[str, npt.NDArray[np.float64] | npt.NDArray[np.str_]]
    #: attributes that change over time inside an area, (n_areas, n_periods) floats
    varying: Mapping[str, npt.NDArray[np.float64]]
    release: Release  # the file as it was read
    notes: tuple[str, ...]  # remarks for the data annex
    more_releases: tuple[Release, ...] = ()  # further files, where a source is more than one
    #: what the data annex lists of a source that knows it: coverage, rows rejected
    tables: tuple[DataTable, ...] = ()
    #: (n_areas, n_periods) each, index into `panel.REASONS`, of a source that knows why a cell is missing; a
    #: measure without them has NaN where there is no row.
    reasons: Mapping[MeasureRequest, npt.NDArray[np.uint8]] = field(default_factory=dict)
    #: of measures with small counts that are hidden within bounds
    hidden: Mapping[MeasureRequest, Hidden] = field(default_factory=dict)


def one_spelling(tables: Mapping[str, SourceTable]) -> dict[str, SourceTable]:
    """Return tables whose areas are spelled as in the first that has them: case is nothing."""
    spelled: dict[str, str] = {}
    found = {}
    for name, table in tables.items():
        areas = np.array([spelled.setdefault(str(a).casefold(), str(a)) for a in table.areas])
        changed = areas != table.areas
        if changed.any():
            one, other = table.areas[changed][0], areas[changed][0]
            note = f"{table.release.file}: '{one}' is taken as '{other}', as another table has it."
            order = np.argsort(areas, kind="stable")
            found[name] = replace(
                table,
                areas=areas[order],
                names=table.names[order],
                measures={k: v[order] for k, v in table.measures.items()},
                attributes={k: v[order] for k, v in table.attributes.items()},
                varying={k: v[order] for k, v in table.varying.items()},
                reasons={k: v[order] for k, v in table.reasons.items()},
                hidden={k: replace(h, cells=h.cells[order]) for k, h in table.hidden.items()},
                notes=(*table.notes, note),
            )
        else:
            found[name] = table
    return found


Model = TypeVar("Model", bound=AnySource)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest(Generic[Model]):
    """A source of a study, and what is wanted of it."""

    #: name, source: of the study
    name: str
    source: Model
    file: StudyFile  # the study
    store: Path | None  # the store's folder, where the command names one
    wanted: tuple[MeasureRequest, ...] = ()  # measures
    attributes: tuple[str, ...] = ()  # columns with one value an area, or one an area and period

    @property
    def window(self) -> Window:
        """First and last period of the study."""
        return self.file.study.study.window


def as_it_is(_source: AnySource, column: str) -> str:
    """Return the name of a column as the study writes it."""
    return column


def no_date(_source: AnySource, _folder: Path) -> str | None:
    """Return the date that a source without one describes: none."""
    return None


def same_names(asked: tuple[str, ...], _where: str) -> tuple[str, ...]:
    """Return those of a table's own categories that have the names of the police's."""
    return known_categories(asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind(Generic[Model]):
    """A kind of source: the row `SOURCE` of its module."""

    model: type[Model]  # what a study may say of it
    #: returns what is wanted; raises StudyError or DataError with every fault found.
    read: Callable[[SourceRequest[Model]], SourceTable]
    describe: Callable[[SourceRequest[Model]], str]  # a line on what it is and holds, for `areaeffect check`
    #: the latest date that its values describe, where it has no periods; from the source and the folder in
    #: which relative paths start.
    described_at: Callable[[Model, Path], str | None] = no_date
    printed: Callable[[Model, str], str] = as_it_is  # the name of one of its columns in print
    #: those of the police that an outcome adds up, from what it asks and its place in the study; a table of
    #: one's own may have some by the same names.
    categories: Callable[[tuple[str, ...], str], tuple[str, ...]] = same_names


def kind_of(source: AnySource) -> SourceKind[Any]:
    """Return the kind of a source of a study."""
    kind: SourceKind[Any] = row_of(source.kind)
    return kind


def align(values: npt.NDArray[Any], from_areas: Strings, to_areas: Strings) -> npt.NDArray[Any]:
    """Bring rows from one set of areas onto another; NaN or '' where an area has none."""
    blank = np.nan if values.dtype.kind == "f" else ""
    found = np.full((len(to_areas), *values.shape[1:]), blank, dtype=values.dtype)
    where = np.minimum(np.searchsorted(from_areas, to_areas), len(from_areas) - 1)
    here = from_areas[where] == to_areas
    found[here] = values[where[here]]
    return found


def attribute(tables: Mapping[str, SourceTable], reference: str, areas: Strings) -> npt.NDArray[Any]:
    """Return an attribute, 'source.column', on the panel's areas."""
    source, column = split_reference(reference)
    return _fixed(tables[source], reference, column, areas)


def _fixed(table: SourceTable, reference: str, column: str, areas: Strings) -> npt.NDArray[Any]:
    if column not in table.attributes:
        raise DataError(
            f"'{reference}' changes over time inside an area.",
            table.release.file,
            "It needs one value for each area: put it into a source without a period.",
        )
    return align(table.attributes[column], table.areas, areas)
