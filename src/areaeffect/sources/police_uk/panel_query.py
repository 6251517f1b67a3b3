"""Counts of the store as arrays, in one pass: codes × months for each set of categories asked.

A month is one Parquet file. Its texts are read as numbers (Parquet's own dictionaries) and added
up with numpy, two months at a time: what is not needed is never made into text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from areaeffect.panel import Strings
from areaeffect.results import Floats, Ints
from areaeffect.sources.police_uk.lake import Lake

#: Months read at the same time.
READERS = 2
_TEXTS = ("force", "area_code", "category", "area_name")

_POINTS = """
SELECT coalesce(i.area_code, ''), list_position($months::VARCHAR[], i.month) - 1 AS period,
    i.category, i.longitude, i.latitude, count(*)::BIGINT
FROM read_parquet($files, hive_partitioning = true, hive_types_autocast = false) AS i
WHERE (i.area_code IS NULL AND i.longitude IS NOT NULL)
    OR i.area_code IN (SELECT unnest($codes::VARCHAR[]))
GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Counts:
    """The counts of some forces and months."""

    codes: Strings  # (n_codes,), area codes as published, ascending
    names: Strings  # (n_codes,), the latest name of each, or the code again
    #: (n_sets + 1, n_codes, n_periods), incidents of each set of categories asked, and of all categories at
    #: the end; 0 without a row.
    values: Floats
    pairs: Ints  # (2, n_pairs), code and force that occur together, ascending
    incidents: Ints  # (n_periods, n_pairs), incidents of each pair
    #: (force, period, incidents without an area, of these with a point)
    not_located: tuple[tuple[str, int, int, int], ...]

    @property
    def totals(self) -> Ints:
        """(n_codes,): incidents of each code."""
        return np.asarray(self.values[-1].sum(axis=1), dtype=np.int64)

    def by_area(self, area_of_code: Ints, n_areas: int) -> list[Floats]:
        """Add codes up to areas: (n_areas, n_periods) for each set.

        Parameters
        ----------
        area_of_code : (n_codes,), position of the area a code means; -1 for none.
        """
        several = np.bincount(area_of_code[area_of_code >= 0], minlength=n_areas) > 1
        one = (area_of_code >= 0) & ~several[area_of_code]
        merged = np.flatnonzero((area_of_code >= 0) & ~one)  # few
        added = []
        for values in self.values:
            areas = np.zeros((n_areas, values.shape[1]))
            areas[area_of_code[one]] = values[one]
            np.add.at(areas, area_of_code[merged], values[merged])
            added.append(areas)
        return added

    def policed(self, pairs: Ints, shape: tuple[int, int]) -> Ints:
        """Return (n_areas, n_forces): incidents of each force in each area.

        Parameters
        ----------
        pairs : (2, n), codes, ascending, with the areas they may mean: a code that was
            split counts for each of its parts.
        """
        code, force = self.pairs
        first, last = (np.searchsorted(pairs[0], code, side=s) for s in ("left", "right"))
        parts = last - first
        column = np.repeat(np.arange(len(code)), parts)
        part = np.arange(len(column)) + np.repeat(first - np.cumsum(parts) + parts, parts)
        incidents = np.zeros(shape, dtype=np.int64)
        cells = (pairs[1, part], force[column])
        np.add.at(incidents, cells, self.incidents.sum(axis=0)[column])
        return incidents


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Points:
    """Incidents that share code, month, category and place."""

    codes: Strings  # (n,), area codes as published; '' where there is none.
    periods: Ints  # (n,), positions in the months asked
    categories: Strings  # (n,)
    #: longitude, latitude: (n,), degrees; NaN where there is none.
    longitude: Floats
    latitude: Floats
    counts: Floats  # (n,), incidents


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One row group of a month: codes as Arrow texts, sums of each code, and whose they are."""

    period: int
    codes: Any
    sums: Floats  # (n_sets + 1, n_codes)
    seen: Ints  # (3, n_seen): code, force, incidents; no code and force twice
    bare: Ints  # (n_forces, 2): incidents without an area, of these with a point


def read_counts(
    lake: Lake, forces: Sequence[str], months: Sequence[str], asked: Sequence[Sequence[str]]
) -> Counts:
    """Read the counts of some forces and months.

    Parameters
    ----------
    lake : the store.
    forces, months : those asked; months in order.
    asked : sets of categories to add up.

    Raises
    ------
    DataError
        A file of the store is gone or damaged.
    """
    names = [f"police_uk/counts/month={m}/part.parquet" for m in months]
    paths = [lake.path(name) for name in names]

    def read(period: int) -> list[_Part]:
        if names[period] not in lake.stored():
            return []
        lake.verified(names[period])
        tables = _row_groups(paths[period], forces, ["force", "area_code", "category", "has_point", "n"])
        return [_add_up(t, period, forces, asked) for t in tables]

    with ThreadPoolExecutor(READERS) as pool:
        parts = [p for month in pool.map(read, range(len(months))) for p in month]
    codes, places = _placed(parts)
    by_month = np.zeros((len(asked) + 1, len(months), len(codes)))  # filled row by row
    keys = [at[p.seen[0]] * len(forces) + p.seen[1] for p, at in zip(parts, places, strict=True)]
    column = np.zeros(len(codes) * len(forces), dtype=np.int64)
    for key in keys:
        column[key] = 1
    pairs = np.flatnonzero(column)
    column[pairs] = np.arange(len(pairs))
    incidents = np.zeros((len(months), len(pairs)), dtype=np.int64)
    bare = np.zeros((len(months), len(forces), 2), dtype=np.int64)
    for part, place, key in zip(parts, places, keys, strict=True):  # part by part: no large arrays
        by_month[:, part.period][:, place] += part.sums
        incidents[part.period, column[key]] += part.seen[2]
        bare[part.period] += part.bare
    values = np.empty((len(by_month), len(codes), len(months)))
    for by_code, by_period in zip(values, by_month, strict=True):
        by_code[:] = by_period.T  # a matrix at a time: numpy turns three axes far slower
    texts = np.array(codes.to_pylist(), dtype=str)
    return Counts(
        codes=texts,
        names=_latest_names(paths, forces, texts, pairs // len(forces), incidents),
        values=values,
        pairs=np.stack(np.divmod(pairs, len(forces))),
        incidents=incidents,
        not_located=tuple(
            (force, int(period), *bare[period, i].tolist())
            for i, force in enumerate(forces)
            for period in np.flatnonzero(bare[:, i, 0])
        ),
    )


def _placed(parts: Sequence[_Part]) -> tuple[Any, list[Ints]]:
    """Return all codes, ascending, and the position in them of those of each part."""
    import pyarrow as pa
    import pyarrow.compute as pc

    everyone = pa.concat_arrays([pa.nulls(0, pa.string()), *(p.codes for p in parts)])
    codes = pc.unique(everyone)
    codes = codes.take(pc.sort_indices(codes))
    position = pc.index_in(everyone, value_set=codes).to_numpy().astype(np.int64)
    ends = np.cumsum([len(p.codes) for p in parts], dtype=np.int64)
    return codes, np.split(position, ends[:-1]) if parts else []


def _row_groups(path: Path, forces: Sequence[str], columns: list[str]) -> Iterator[Any]:
    """Read the row groups that may hold one of the forces."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, read_dictionary=list(_TEXTS)) as file:
        at = file.schema_arrow.get_field_index("force")
        for group in range(file.num_row_groups):
            span = file.metadata.row_group(group).column(at).statistics
            is_told = span is not None and span.has_min_max
            if not is_told or any(span.min <= f <= span.max for f in forces):
                yield file.read_row_group(group, columns, use_threads=False)


def _coded(table: Any, name: str) -> tuple[npt.NDArray[np.int32], Any]:
    """Return a text column as positions in its different values, -1 for none, and these."""
    chunks = table[name].chunks
    column = chunks[0] if len(chunks) == 1 else table[name].unify_dictionaries().combine_chunks()
    index = column.indices
    filled = index.fill_null(-1) if index.null_count else index
    return filled.to_numpy(), column.dictionary


def _of_forces(table: Any, forces: Sequence[str]) -> tuple[npt.NDArray[np.int32], Ints]:
    """Return the rows' positions in the file's forces, and of these in the forces asked."""
    index, names = _coded(table, "force")
    place = {f: i for i, f in enumerate(forces)}
    return index, np.array([place.get(f, -1) for f in names.to_pylist()] + [-1], dtype=np.int64)


def _add_up(table: Any, period: int, forces: Sequence[str], asked: Sequence[Sequence[str]]) -> _Part:
    import pyarrow as pa

    force, asked_force = _of_forces(table, forces)
    count = table["n"].to_numpy().astype(np.float64)
    (code, codes), (kind, kinds) = _coded(table, "area_code"), _coded(table, "category")
    bare = np.zeros((len(forces), 2), dtype=np.int64)
    if (code < 0).any():
        lost = (code < 0) & (asked_force[force] >= 0)
        where, n = asked_force[force[lost]], count[lost]
        bare[:, 0] = np.bincount(where, n, len(forces))
        bare[:, 1] = np.bincount(where, n * table["has_point"].to_numpy()[lost], len(forces))
    if (asked_force[:-1] < 0).any() or (code < 0).any():
        used = (asked_force[force] >= 0) & (code >= 0)
        force, count, code, kind = force[used], count[used], code[used], kind[used]
    cell = kind * np.int64(len(codes)) + code
    by_kind = np.bincount(cell, count, len(kinds) * len(codes)).reshape(len(kinds), len(codes))
    there = np.flatnonzero(by_kind.any(axis=0))
    names = kinds.to_pylist()
    sets = [*([i for i, n in enumerate(names) if n in one] for one in asked), range(len(names))]
    sums = np.stack([by_kind[list(one)].sum(axis=0)[there] for one in sets])
    rank = np.zeros(len(codes), dtype=np.int64)
    rank[there] = np.arange(len(there))
    change = np.ones(len(code), dtype=bool)
    change[1:] = (code[1:] != code[:-1]) | (force[1:] != force[:-1])
    first = np.flatnonzero(change)  # rows of one code and force are together
    n = np.add.reduceat(count, first) if len(first) else count
    seen = np.stack([rank[code[first]], asked_force[force[first]], n.astype(np.int64)])
    # not `pa.array(there)`, which imports pandas: a fifth of a second
    taken = pa.Array.from_buffers(pa.int64(), len(there), [None, pa.py_buffer(there)])
    return _Part(period, codes.take(taken), sums, seen, bare)


def _latest_names(
    paths: Sequence[Path], forces: Sequence[str], codes: Strings, code_of_pair: Ints, incidents: Ints
) -> Strings:
    """Return the name of each code in the last month that has it; the code where it has none."""
    last = np.zeros(len(codes), dtype=np.int64)
    np.maximum.at(last, code_of_pair, len(paths) - 1 - (incidents[::-1] > 0).argmax(axis=0))
    names = codes.astype(object)
    for period in np.unique(last).tolist() if len(codes) else ():
        for table in _row_groups(paths[period], forces, ["force", "area_code", "area_name"]):
            (code, texts), (name, words) = _coded(table, "area_code"), _coded(table, "area_name")
            force, asked_force = _of_forces(table, forces)
            used = (asked_force[force] >= 0) & (code >= 0) & (name >= 0)
            of_text = np.full(len(texts), -1, dtype=np.int64)
            of_text[code[used][::-1]] = name[used][::-1]  # the first row of each code
            here = np.flatnonzero(of_text >= 0)
            place = np.searchsorted(codes, np.array(texts.to_pylist(), dtype=str)[here])
            mine = last[place] == period
            names[place[mine]] = np.array(words.to_pylist(), dtype=object)[of_text[here[mine]]]
    return names.astype(str)


def read_points(
    lake: Lake, counts: Counts, forces: Sequence[str], months: Sequence[str], codes: Sequence[str]
) -> Points:
    """Return the places of incidents with one of the codes, or with none.

    Parameters
    ----------
    counts : of the same forces and months: they say in which files such incidents are.
    """
    sought = np.flatnonzero(np.isin(counts.codes, list(codes)))
    holds = np.flatnonzero(np.isin(counts.pairs[0], sought))
    period, pair = np.nonzero(counts.incidents[:, holds])
    force = counts.pairs[1, holds[pair]]
    held = {(forces[f], months[p]) for f, p in zip(force.tolist(), period.tolist(), strict=True)}
    held |= {(force, months[period]) for force, period, _, n in counts.not_located if n}
    names = [f"police_uk/incidents/force={f}/month={m}/part.parquet" for f, m in sorted(held)]
    with ThreadPoolExecutor(READERS) as pool:
        files = [str(path) for path in pool.map(lake.verified, names)]
    columns: list[Any] = [()] * 6
    if files:
        import duckdb

        with duckdb.connect() as engine:
            asked = {"files": files, "months": list(months), "codes": list(codes)}
            engine.execute("SET enable_progress_bar = false")  # the command shows its own
            rows = engine.execute(_POINTS, asked).fetchall()
        columns = list(zip(*rows, strict=True)) or columns
    return Points(
        codes=np.array(columns[0], dtype=str),
        periods=np.array(columns[1], dtype=np.int64),
        categories=np.array(columns[2], dtype=str),
        longitude=np.array(columns[3], dtype=np.float64),
        latitude=np.array(columns[4], dtype=np.float64),
        counts=np.array(columns[5], dtype=np.float64),
    )
