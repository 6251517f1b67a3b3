"""The indicators of an index, read from releases and files onto one set of areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.errors import AreaEffectError, DataError, Faults, Problem, first_few, number_of
from areaeffect.sources.coverage import align
from areaeffect.sources.panel_table import read as read_table
from areaeffect.sources.publishers.panel import authority_column, bring_to, published_roots
from areaeffect.sources.publishers.releases import PublishedRelease, find_release, is_here
from areaeffect.sources.publishers.tables import PublishedTable, read
from areaeffect.sources.screening import screen
from areaeffect.study.model import PanelSource
from areaeffect.study.parts import Window, resolve

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.results import Floats, Release, Strings
    from areaeffect.study.index import ColumnOf, Index, IndexFile, Indicator

    Raw = tuple[Strings, Strings, npt.NDArray[Any], tuple[Release, ...], tuple[str, ...]]

#: A table without periods takes no notice of the window.
_ANY_WINDOW = Window(start="2000", end="2001")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class IndicatorTable:
    """What an index is made of."""

    #: areas, names: (n_areas,), codes ascending, and names or the codes again
    areas: Strings
    names: Strings
    values: Floats  # (n_areas, n_indicators), as published or as ratios, not shrunk; NaN = missing.
    #: counts, of: by indicator that is a ratio, its two parts, (n_areas,)
    counts: Mapping[str, Floats]
    of: Mapping[str, Floats]
    authority: Strings  # (n_areas,), code of the local authority; empty text where none was needed.
    council: Strings  # (n_areas,), name of the council; empty text where it is not known.
    #: (n_areas,), the other side of 'left behind', high is worse; None if not asked.
    deprivation: Floats | None
    #: releases, notes: files read, and remarks
    releases: tuple[Release, ...]
    notes: tuple[str, ...]


def read_indicators(file: IndexFile) -> IndicatorTable:
    """Read every column an index names.

    Raises
    ------
    StudyError, DataError
        With every fault of every column at once.
    """
    index, raw = file.index, _Columns(file)
    asked = _asked(index)
    own = index.index.authorities
    for column in asked.values():
        if column.release is not None:
            raw.asked.setdefault(column.release, []).append(column.column)
    found = {place: raw.attempt(raw.numbers, column, place) for place, column in asked.items()}
    authority = raw.attempt(raw.authority) if own or any(i.shrink for i in index.indicator) else None
    raw.raise_all()
    tables = [t for t in found.values() if t is not None]
    areas = np.unique(np.concatenate([t[0] for t in tables]))
    listed = raw.places()
    inside = [authority] if own and authority else listed

    def on_areas(place: str) -> Floats:
        table = found[place]
        if table is None:
            raise AssertionError(place)  # unreachable: `raise_all` has raised
        return np.asarray(align(table[2], table[0], areas), dtype=np.float64)

    counts, of, values = {}, {}, np.empty((len(areas), len(index.indicator)))
    notes: list[str] = []
    for i, indicator in enumerate(index.indicator):
        values[:, i] = on_areas(f"indicator.{i}")
        if indicator.denominator is not None:
            counts[indicator.name] = values[:, i].copy()
            of[indicator.name] = on_areas(f"indicator.{i}.denominator")
            notes += (
                raw.attempt(_ratio_notes, indicator, counts[indicator.name], of[indicator.name], areas) or ()
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = counts[indicator.name] / of[indicator.name]
            values[:, i] = np.where(np.isfinite(ratio), ratio, np.nan)
        raw.attempt(_refuse_one_value, indicator, values[:, i])
    raw.raise_all()
    deprivation = None
    if index.left_behind is not None:
        sign = 1.0 if index.left_behind.worse == "high" else -1.0
        deprivation = sign * on_areas("left_behind")
    return IndicatorTable(
        areas=areas,
        names=_names(areas, (*tables, *listed)),
        values=values,
        counts=counts,
        of=of,
        authority=align(authority[2], authority[0], areas) if authority else np.full(len(areas), ""),
        council=_councils(areas, inside),
        deprivation=deprivation,
        releases=tuple(dict.fromkeys(r for t in (*tables, *listed) for r in t[3])),
        notes=tuple(dict.fromkeys([*(n for t in tables for n in t[4]), *notes])),
    )


def _ratio_notes(indicator: Indicator, counts: Floats, of: Floats, areas: Strings) -> list[str]:
    """Refuse a count below zero; name areas whose ratio cannot be worked out, or is over one."""
    for what, values in ((indicator.column, counts), ("the denominator", of)):
        below = areas[values < 0]
        if len(below):
            said = (
                f"'{what}' is negative in {number_of(len(below), 'area', 'areas')}: {first_few(list(below))}."
            )
            raise DataError(said, indicator.place, "A count is 0 or more.")
    none, over = areas[of == 0], areas[(counts > of) & (of > 0)]
    notes = []
    if len(none):
        notes.append(
            f"{indicator.name}: without a ratio, since the denominator is 0: {first_few(list(none))}."
        )
    if len(over):
        notes.append(f"{indicator.name}: the count is larger than its denominator: {first_few(list(over))}.")
    return notes


def _refuse_one_value(indicator: Indicator, values: Floats) -> None:
    """Refuse an indicator that is the same everywhere: it would move no area and no rank."""
    known = values[np.isfinite(values)]
    if len(known) and np.ptp(known) == 0:
        raise DataError(
            f"indicator '{indicator.name}' is the same number, {known[0]:g}, in every area that has one.",
            indicator.place,
            "Take it out: it can tell no area from another.",
        )


def _names(areas: Strings, tables: Sequence[Raw]) -> Strings:
    """Return the name of each area, from the first table that has one; else its code."""
    names = areas.astype(object)
    for codes, called, *_ in tables:
        named = (names == areas) & np.isin(areas, codes[called != codes])
        names[named] = align(called, codes, areas)[named]
    return names.astype(str)


def _councils(areas: Strings, tables: Sequence[Raw]) -> Strings:
    """Return the council of each area, from the values of tables; empty text where none has it."""
    council = np.full(len(areas), "", dtype=object)
    for codes, _, values, *_ in tables:
        there = np.isin(areas, codes)
        council[there] = align(values, codes, areas)[there]
    return council.astype(str)


def _asked(index: Index) -> dict[str, ColumnOf]:
    """Return every column an index names, by its place in the file."""
    asked: dict[str, ColumnOf] = {}
    for i, indicator in enumerate(index.indicator):
        asked[f"indicator.{i}"] = indicator
        if indicator.denominator is not None:
            asked[f"indicator.{i}.denominator"] = indicator.denominator
    if index.left_behind is not None:
        asked["left_behind"] = index.left_behind
    return asked


class _Columns(Faults):
    """Reads columns, and keeps the faults of all until every one was tried."""

    def __init__(self, file: IndexFile) -> None:
        super().__init__()
        self.file = file
        self.asked: dict[str, list[str]] = {}
        self.tables: dict[tuple[str, str], PublishedTable] = {}

    def numbers(self, column: ColumnOf, place: str) -> Raw:
        """Read a column of numbers."""
        where = self.file.file.where(f"{place}.column")
        found = self._read(column, where)
        if found[2].dtype.kind != "f":
            raise DataError(f"'{column.place}' is text, not numbers.", where)
        if np.isnan(found[2]).all():
            raise DataError(f"'{column.place}' has no value for any area.", where)
        return found

    def authority(self) -> Raw:
        """Read in which local authority each area lies."""
        from areaeffect.study.index import ColumnOf

        part = self.file.index.index
        release, name = authority_column(part.vintage, published_roots(self.file.folder))
        own = part.authorities or ColumnOf(release=release, column=name)
        areas, names, values, releases, notes = self._read(own, self.file.file.where("index.authorities"))
        return areas, names, values.astype(str), releases, notes

    def places(self) -> list[Raw]:
        """Read what the areas and their councils are called, where that list is here."""
        roots = published_roots(self.file.folder)
        release, code = authority_column(self.file.index.index.vintage, roots)
        if not is_here(find_release(release), roots):
            return []
        column = code.replace("_code", "_name")
        table = read(release, roots, [column])
        return [(table.areas, table.names, table.texts[column].astype(str), table.records, ())]

    def _read(self, column: ColumnOf, where: str) -> Raw:
        if column.path is not None:
            return self._own(column)
        release = find_release(column.release or "", where)
        try:
            table = self._table(release, column.column)
        except AreaEffectError as error:
            raise type(error)([Problem(p.what, where, p.fix) for p in error.problems]) from None
        if table.periods is not None:
            raise DataError(
                f"release '{release.id}' has periods, and an index is of one date.",
                where,
                "Take a release with one row an area, or a file of your own.",
            )
        texts, numbers = table.texts.get(column.column), table.values.get(column.column)
        values: npt.NDArray[Any] = texts if texts is not None else np.asarray(numbers)[:, 0]
        return table.areas, table.names, values, table.records, table.notes

    def _table(self, release: PublishedRelease, column: str) -> PublishedTable:
        """Read a release once for all columns that the index takes of it."""
        named = [c for c in self.asked.get(release.id, ()) if c in release.column_names]
        key = (release.id, column if column not in named else "")
        if key not in self.tables:
            roots = published_roots(self.file.folder)
            table = read(release.id, roots, [column] if key[1] else named)
            vintage = self.file.index.index.vintage
            if release.vintage != vintage and table.periods is None:
                table = bring_to(table, vintage, roots)
            self.tables[key] = table
        return self.tables[key]

    def _own(self, column: ColumnOf) -> Raw:
        path = resolve(column.path or "", self.file.folder)
        source = PanelSource(
            kind="panel", path=str(path), area=column.area, leave_out=column.leave_out, accept=column.accept
        )
        table = screen(source, read_table(path.name, source, path, _ANY_WINDOW, (), (column.column,)))
        return (table.areas, table.names, table.attributes[column.column], (table.release,), table.notes)
