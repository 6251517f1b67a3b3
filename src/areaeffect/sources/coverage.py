"""Coverage: absence is not zero.

A file of events lists what happened; a recording gap looks like a fall. Two patterns are
found here from the numbers themselves: a group (police force) whose total drops far under its
own trailing median, and codes that all begin in the same period.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError
from areaeffect.records import Column
from areaeffect.results import Bools, Floats, Ints, Strings
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

#: Columns of the two tables in which a source of incidents says what it covers and rejects.
COVERAGE_COLUMNS = (
    Column("source", "string", "Name of the source in the study"),
    Column("force", "string", "Police force, as its files name it; 'all' for points"),
    Column("month", "string", "Month of the window"),
    Column("status", "string", "complete, partial or missing"),
    Column("rows_kept", "integer", "Rows used of the file that counts"),
    Column("rows_rejected", "integer", "Rows of that file that were rejected"),
    Column("not_located", "integer", "Rows used that have no area code"),
    Column("why", "string", "Why the month is not complete"),
)
REJECTED_COLUMNS = (
    Column("source", "string", "Name of the source in the study"),
    Column("force", "string", "Police force, as its files name it; 'all' for points"),
    Column("month", "string", "Month of the file"),
    Column("file", "string", "The file"),
    Column("line", "integer", "Its line"),
    Column("reason", "string", "Why the row is not used"),
    Column("row", "string", "Its text, shortened"),
)
#: A group-period under this share of its trailing median is a gap (docs/rules.md, rule 2).
GAP_SHARE = 0.5
#: Where a series has no past, a period under this share of its first two years is a residue.
RESIDUE_SHARE = 0.2
#: Periods that the trailing median looks back on.
TRAILING = 12
#: Below this many events in the median period a halving may be chance, and is left alone.
MIN_MEDIAN = 20.0
#: A group has a hole where this number of standard errors fewer of its areas have any event ...
HOLE_ERRORS = 4.0
#: ... and at least this share fewer.
HOLE_SHARE = 0.05
#: ... where areas with an event are the rule: of rare events a plain fall looks the same.
HOLE_REPORTING = 0.9
#: So many codes must begin in one period to be new codes rather than quiet areas.
MIN_NEW_CODES = 5
#: ... after at least this many leading zeros.
MIN_LEADING_ZEROS = 12
#: Codes that end where others begin need only this number of periods on either side.
MIN_AT_EDGE = 3


def group_gaps(totals: Floats, share: float = GAP_SHARE) -> Bools:
    """Flag the periods in which a group's total is far under its own trailing median.

    Parameters
    ----------
    totals : (n_groups, n_periods), events; NaN where nothing is known.
    share : of the median, under which a period is a gap.

    Returns
    -------
    (n_groups, n_periods), True where the group did not report fully. Flagged periods do not
    enter later medians, so a long gap stays a gap. The first periods, which have no past, are
    compared with the first periods that are no residue of the first two years.
    """
    n_groups, n_periods = totals.shape
    flagged = np.zeros((n_groups, n_periods), dtype=bool)
    for g in range(n_groups):
        good: list[float] = []
        start = _opening_level(totals[g])
        for t in range(n_periods):
            value = totals[g, t]
            if np.isnan(value):
                continue
            median = statistics.median(good[-TRAILING:]) if len(good) >= TRAILING else start
            if median >= MIN_MEDIAN and value < share * median:
                flagged[g, t] = True
            else:
                good.append(float(value))
    return flagged


def area_holes(values: Floats, group_of_area: Ints) -> Bools:
    """Flag the periods in which part of a group's areas did not report: holes in the map.

    A total hides them where few areas are missing; the number of areas with any event does not.

    Parameters
    ----------
    values : (n_areas, n_periods), events; NaN where nothing is known.
    group_of_area : (n_areas,), position of each area's group.

    Returns
    -------
    (n_groups, n_periods), True where fewer areas have any event than their other periods let
    expect, by `HOLE_ERRORS` standard errors and `HOLE_SHARE`.

    Notes
    -----
    Areas are taken as independent of each other, with one chance each of a period without an
    event. Groups in which fewer than `HOLE_REPORTING` of the areas have an event in a period
    are not looked at: there a real fall in events also empties areas.
    """
    n_groups = int(group_of_area.max(initial=-1)) + 1
    flagged = np.zeros((n_groups, values.shape[1]), dtype=bool)
    known, reports = ~np.isnan(values), np.nan_to_num(values) > 0
    for _ in range(3):  # periods found leave the chances of the next round
        use = known & ~flagged[group_of_area]
        chance = (reports & use).sum(axis=1) / np.maximum(use.sum(axis=1), 1)
        chances = np.where(known, chance[:, None], 0.0)
        seen = np.zeros(flagged.shape)
        expected, variance, areas = seen.copy(), seen.copy(), seen.copy()
        np.add.at(seen, group_of_area, reports.astype(float))
        np.add.at(expected, group_of_area, chances)
        np.add.at(variance, group_of_area, chances * (1 - chances))
        np.add.at(areas, group_of_area, known.astype(float))
        usual = np.median(seen / np.maximum(areas, 1), axis=1, keepdims=True)
        lost = np.where(usual >= HOLE_REPORTING, expected - seen, 0.0)
        again = (lost > HOLE_ERRORS * np.sqrt(variance + 1)) & (lost > HOLE_SHARE * expected)
        if (again == flagged).all():
            break
        flagged = again
    return flagged


def _opening_level(totals: Floats) -> float:
    """Median of the first periods; a gap that the series opens with does not count.

    Only the first two years are looked at: what counts as a gap early in a series must not
    depend on outcomes after a later start (honesty rule 1).
    """
    opening = totals[: 2 * TRAILING]
    known = opening[~np.isnan(opening)]
    if not len(known):
        return 0.0
    high = np.quantile(known, 0.8)  # still a whole month where a gap takes 18 of the 24
    whole = known[known >= RESIDUE_SHARE * high]
    return float(np.median(whole[:TRAILING]))


def new_codes(values: Floats) -> tuple[Ints, int]:
    """Find areas whose codes all begin in one period: they did not exist before it.

    Parameters
    ----------
    values : (n_areas, n_periods), counts; NaN is missing.

    Returns
    -------
    areas, first
        Positions of the areas, and the period in which they begin. Empty where there are
        fewer than `MIN_NEW_CODES`, or fewer than a period before or after would bring by
        chance (three times as many). A code that was empty until then and begins later still
        is one of them that was quiet at first; an area with missing cells before its first
        event is none.
    """
    positive = np.nan_to_num(values) > 0
    n_periods = values.shape[1]
    first = np.where(positive.any(axis=1), positive.argmax(axis=1), 0)
    known = np.where(np.isnan(values).any(axis=1), np.isnan(values).argmax(axis=1), n_periods)
    first[known < first] = 0
    late = np.flatnonzero(first >= MIN_LEADING_ZEROS)
    if len(late) < MIN_NEW_CODES:
        return np.empty(0, dtype=np.int64), 0
    begin = np.bincount(first[late], minlength=n_periods + 1)
    mode = int(begin.argmax())
    beside = max(begin[mode - 1], begin[mode + 1])
    if begin[mode] < MIN_NEW_CODES or begin[mode] < 3 * beside:
        return np.empty(0, dtype=np.int64), 0
    return late[first[late] >= mode].astype(np.int64), mode


def codes_not_in_use(values: Floats) -> Bools:
    """Flag the periods before codes begin together, and after codes end together.

    Parameters
    ----------
    values : (n_areas, n_periods), counts; NaN is missing.

    Returns
    -------
    (n_areas, n_periods), True where a code was not in use. Where some codes end in the very
    period in which others begin, `MIN_NEW_CODES` on both sides are enough, however near the
    edge of the series.
    """
    unused = np.zeros(values.shape, dtype=bool)
    begun, first = new_codes(values)
    unused[begun, :first] = True
    ended, n_after = new_codes(values[:, ::-1])
    unused[ended, values.shape[1] - n_after :] = True
    positive = np.nan_to_num(values) > 0
    used = positive.any(axis=1) & ~np.isnan(values).any(axis=1)
    begin = np.where(used, positive.argmax(axis=1), 0)
    end = np.where(used, values.shape[1] - positive[:, ::-1].argmax(axis=1), values.shape[1])
    inside = range(MIN_AT_EDGE, values.shape[1] - MIN_AT_EDGE + 1)
    begins, ends = (np.bincount(x, minlength=values.shape[1] + 2) for x in (begin, end))
    for t in inside:
        if all(n[t] >= MIN_NEW_CODES and n[t] >= 3 * max(n[t - 1], n[t + 1]) for n in (begins, ends)):
            unused[begin == t, :t] = True
            unused[end == t, t:] = True
    return unused


def sum_by_group(values: Floats, groups: npt.NDArray[np.str_]) -> tuple[npt.NDArray[np.str_], Ints, Floats]:
    """Add areas up by group: group names, group of each area, (n_groups, n_periods) totals."""
    names, group_of_area = np.unique(groups, return_inverse=True)
    totals = np.zeros((len(names), values.shape[1]))
    np.add.at(totals, group_of_area, np.nan_to_num(values))
    totals[:, np.isnan(values).all(axis=0)] = np.nan
    return names, group_of_area.astype(np.int64), totals


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
    return fixed(tables[source], reference, column, areas)


def fixed(table: SourceTable, reference: str, column: str, areas: Strings) -> npt.NDArray[Any]:
    """Return an attribute of each area, (n_areas,); raise DataError where it is not there, or varies."""
    if column not in table.attributes:
        raise DataError(
            f"'{reference}' changes over time inside an area.",
            table.release.file,
            "It needs one value for each area: put it into a source without a period.",
        )
    return align(table.attributes[column], table.areas, areas)
