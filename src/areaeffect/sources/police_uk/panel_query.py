"""Counts of the store as arrays, and the areas of one census vintage that they go to.

Codes are counted in one pass of DuckDB; they are brought over by a lookup, and by place where codes split.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from areaeffect.errors import first_few, number_of
from areaeffect.geography.boundaries import read_boundaries
from areaeffect.geography.codes import Lookup, load_lookup, lookup_to
from areaeffect.geography.overlay import Locator, nearest_of, projected
from areaeffect.geography.vintages import CodeStatus, convert_counts, to_vintage
from areaeffect.results import Bools, Floats, Ints, Strings
from areaeffect.sources.police_uk.lake import Lake
from areaeffect.sources.publishers.releases import named_file

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.study.model import PoliceUkSource

    Outlines = npt.NDArray[np.object_]

#: Files checked at the same time.
READERS = 2
_FILES = "read_parquet($files, hive_partitioning = true, hive_types_autocast = false)"
#: One row a code, force and month, with the sum of each set of categories.
_COUNTED = f"""
CREATE TEMP TABLE counted AS
SELECT area_code, list_position($forces::VARCHAR[], force) - 1 AS force,
    list_position($months::VARCHAR[], month) - 1 AS period, sum(n::DOUBLE) AS n,
    sum(n::DOUBLE) FILTER (has_point) AS points{{sets}}
FROM {_FILES} WHERE force IN (SELECT unnest($forces::VARCHAR[])) GROUP BY ALL
"""
_NOTHING = "CREATE TEMP TABLE counted (area_code VARCHAR, force INT, period INT, n INT, points INT)"
_CODES = """
CREATE TEMP TABLE codes AS
SELECT area_code, row_number() OVER (ORDER BY area_code) - 1 AS code
FROM (SELECT DISTINCT area_code FROM counted WHERE area_code IS NOT NULL)
"""
_LOCATED = "SELECT code, counted.* EXCLUDE (area_code, points) FROM counted JOIN codes USING (area_code)"
_NOT_LOCATED = """
SELECT force, period, n::BIGINT, coalesce(points, 0)::BIGINT FROM counted
WHERE area_code IS NULL ORDER BY force, period
"""
_NAMES = f"""
SELECT area_code, min(area_name) FROM {_FILES}
WHERE area_code IS NOT NULL AND area_name IS NOT NULL AND force IN (SELECT unnest($forces::VARCHAR[]))
GROUP BY area_code
"""
_POINTS = f"""
SELECT coalesce(i.area_code, ''), list_position($months::VARCHAR[], i.month) - 1 AS period,
    i.category, i.longitude, i.latitude, count(*)::BIGINT
FROM {_FILES} AS i
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
        """Add codes up to areas, -1 for none: (n_areas, n_periods) for each set."""
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


def read_counts(
    lake: Lake, forces: Sequence[str], months: Sequence[str], asked: Sequence[Sequence[str]]
) -> Counts:
    """Read the counts of some forces and months, which are in order, for each set of categories `asked`."""
    here = [n for m in months if (n := f"police_uk/counts/month={m}/part.parquet") in lake.stored()]
    with ThreadPoolExecutor(READERS) as pool:
        files = [str(path) for path in pool.map(lake.verified, here)]
    with duckdb.connect() as engine:
        engine.execute("SET enable_progress_bar = false")  # the command shows its own
        given = {"files": files, "forces": list(forces), "months": list(months)}
        sets = "".join(
            f", coalesce(sum(n::DOUBLE) FILTER (list_contains($set_{i}::VARCHAR[], category)), 0)"
            for i in range(len(asked))
        )
        of_sets = {f"set_{i}": list(one) for i, one in enumerate(asked)}
        engine.execute(_COUNTED.format(sets=sets), given | of_sets) if files else engine.execute(_NOTHING)
        engine.execute(_CODES)
        located: list[Any] = list(engine.execute(_LOCATED).fetchnumpy().values())
        codes = [text for (text,) in engine.execute("SELECT area_code FROM codes ORDER BY code").fetchall()]
        not_located = engine.execute(_NOT_LOCATED).fetchall()
        names = _latest_names(engine, files[::-1], forces, codes)
    code, force, period, n, *sums = located
    cell = code * len(months) + period
    values = np.zeros((len(asked) + 1, len(codes) * len(months)))
    for added, one in zip(values, (*sums, n) if files else (), strict=False):
        added[:] = np.bincount(cell, one, len(added))
    key = code * len(forces) + force
    pairs = np.flatnonzero(np.bincount(key))
    column = np.zeros(len(codes) * len(forces), dtype=np.int64)
    column[pairs] = np.arange(len(pairs))
    incidents = np.bincount(period * len(pairs) + column[key], n, len(months) * len(pairs))
    return Counts(
        codes=np.array(codes, dtype=str),
        names=np.array([names.get(c, c) for c in codes], dtype=str),
        values=values.reshape(len(values), len(codes), len(months)),
        pairs=np.stack(np.divmod(pairs, len(forces))),
        incidents=incidents.reshape(len(months), len(pairs)).astype(np.int64),
        not_located=tuple((forces[f], p, n, points) for f, p, n, points in not_located),
    )


def _latest_names(
    engine: duckdb.DuckDBPyConnection, files: Sequence[str], forces: Sequence[str], codes: Sequence[str]
) -> dict[str, str]:
    """Return the name of each code in the last month that names it; most are in the first file."""
    names: dict[str, str] = {}
    for path in files:
        if len(names) == len(codes):
            break
        found = engine.execute(_NAMES, {"files": path, "forces": list(forces)}).fetchall()
        names = dict(found) | names
    return names


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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Located:
    """Where each published code goes."""

    #: areas, names: (n_areas,), codes of the declared vintage, ascending, and their names
    areas: Strings
    names: Strings
    #: (n_codes,), position of the area that a published code means; -1 where it is not one area.
    area_of_code: Ints
    pairs: Ints  # (2, n_pairs), every code (by position, ascending) with every area it may mean
    several: dict[str, Ints]  # published code to the areas it may mean, where there are several
    left_out: dict[str, int]  # irregular and unknown codes to the incidents they held
    notes: tuple[str, ...]  # codes of another census that were brought to the declared one


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Incidents given to areas one by one."""

    values: list[Floats]  # (n_areas, n_periods) for each set of categories
    located: Ints  # incidents without a code, by period, that lie in an outline: (n_periods,)
    notes: tuple[str, ...]  # how it was done


def read_lookup(source: PoliceUkSource, folder: Path) -> Lookup:
    """Return what every area code means in the declared vintage.

    The lookup of LSOA 2011 to 2021 is the packaged one, unless the source names another.
    """
    given = None
    if source.lookup is not None:
        given = load_lookup(named_file(source.lookup, folder), "lsoa11_code", "lsoa21_code")
    return lookup_to(source.vintage, given)


def locate(codes: Strings, names: Strings, totals: Ints, lookup: Lookup) -> Located:
    """Find the areas of the declared vintage that published codes mean."""
    new, status = to_vintage(codes, lookup)
    candidates = [
        lookup.children(str(c)) if s == CodeStatus.SPLIT.value else ((str(n),) if n else ())
        for c, n, s in zip(codes, new, status, strict=True)
    ]
    areas = np.unique(np.array([a for c in candidates for a in c], dtype=str))
    position = {str(a): i for i, a in enumerate(areas)}
    name_of = dict(zip(codes.tolist(), names.tolist(), strict=True))
    changed = (status == CodeStatus.SPLIT.value) | ((new != "") & (new != codes))
    notes = (
        f"{number_of(int(totals[changed].sum()), 'incident', 'incidents')} on "
        f"{int(changed.sum()):,} area codes of another "
        f"census ({first_few(sorted(codes[changed].tolist()))}) were converted to areas of the "
        f"declared one by the lookup {lookup.name}.",
    )
    found = Located(
        areas=areas,
        names=np.array([name_of.get(a, a) for a in areas.tolist()], dtype=str),
        area_of_code=np.array([position[c[0]] if len(c) == 1 else -1 for c in candidates], dtype=np.int64),
        pairs=np.array([(i, position[a]) for i, c in enumerate(candidates) for a in c], dtype=np.int64)
        .reshape(-1, 2)
        .T,
        several={},
        left_out={},
        notes=notes if changed.any() else (),
    )
    for code, candidate, total in zip(codes.tolist(), candidates, totals.tolist(), strict=True):
        if not candidate:
            found.left_out[code] = total
        elif len(candidate) > 1:
            found.several[code] = np.array([position[c] for c in candidate], dtype=np.int64)
    return found


def place(
    source: PoliceUkSource,
    folder: Path,
    located: Located,
    lookup: Lookup,
    points: Points,
    asked: Sequence[Sequence[str]],
    n_periods: int,
) -> Placed:
    """Give incidents of split codes, and those with a point but no code, to areas; totals are kept."""
    shape = (len(located.areas), n_periods)
    empty = np.zeros(n_periods, dtype=np.int64)
    if not len(points.codes):
        return Placed([np.zeros(shape) for _ in asked], empty, ())
    has_code = points.codes != ""
    if source.boundaries is None:
        divided = _equally(located, lookup, points, has_code, asked, n_periods)
        return Placed(divided.values, empty, divided.notes)
    column = source.boundaries_area or source.area
    outlines = read_boundaries(named_file(source.boundaries, folder), column, located.areas).outlines
    area, has_point = _by_point(points, outlines, located, has_code)
    values = [_add(points, area, categories, shape) for categories in asked]
    found = ~has_code & (area >= 0)
    np.add.at(empty, points.periods[found], points.counts[found].astype(np.int64))
    notes = []
    told_apart = has_code & has_point
    if told_apart.any():
        notes.append(
            f"{number_of(int(points.counts[told_apart].sum()), 'incident', 'incidents')} on "
            f"{len(located.several)} split "
            f"area codes ({first_few(sorted(located.several))}) were assigned by their "
            "coordinates."
        )
    if found.any():
        notes.append(
            f"{number_of(int(points.counts[found].sum()), 'incident', 'incidents')} without an "
            "area code were "
            "assigned by their coordinates."
        )
    without = has_code & ~has_point
    if without.any():
        divided = _equally(located, lookup, points, without, asked, n_periods)
        values = [v + d for v, d in zip(values, divided.values, strict=True)]
        notes += divided.notes
    return Placed(values, empty, tuple(notes))


def _by_point(points: Points, outlines: Outlines, located: Located, has_code: Bools) -> tuple[Ints, Bools]:
    """Return the area that each point lies in, -1 where it has none, and which have a point.

    A split code allows only the areas that it may mean, the nearest of them.
    """
    degrees = np.column_stack([points.longitude, points.latitude])
    metres = projected(degrees, "EPSG:4326", "EPSG:27700")
    has_point = np.asarray(np.isfinite(metres).all(axis=1))
    area = np.full(len(points.codes), -1, dtype=np.int64)
    for code, allowed in located.several.items():
        here = has_point & (points.codes == code)
        area[here] = allowed[nearest_of(metres[here], outlines[allowed])]
    if not has_code.all():
        area[~has_code] = Locator(outlines).areas(metres[~has_code])
    return area, has_point


def _equally(
    located: Located, lookup: Lookup, points: Points, used: Bools, asked: Sequence[Sequence[str]], n: int
) -> Placed:
    """Divide incidents of split codes equally among their parts; only rows that are `used`.

    Each set of categories is divided by itself, to the whole incident: its total is conserved,
    and two sets need not round alike.
    """
    shape = (len(located.areas), n)
    values = [np.zeros(shape) for _ in asked]
    empty = np.zeros(n, dtype=np.int64)
    if not located.several or not used.any():
        return Placed(values, empty, ())
    codes = np.array(sorted(located.several), dtype=str)
    row = np.minimum(np.searchsorted(codes, points.codes), len(codes) - 1)
    row[~used] = -1
    for target, categories in zip(values, asked, strict=True):
        held = _add(points, row, categories, (len(codes), n))
        parts = convert_counts(held, codes, lookup, None)
        target[np.searchsorted(located.areas, parts.codes)] += parts.values
    divided = int(points.counts[used & np.isin(points.codes, codes)].sum())
    if not divided:
        return Placed(values, empty, ())
    note = (
        f"{number_of(divided, 'incident', 'incidents')} on {len(codes)} split area codes "
        f"({first_few(codes.tolist())}) were divided "
        "equally among their parts, because there are no coordinates."
    )
    return Placed(values, empty, (note,))


def _add(points: Points, row: Ints, categories: Sequence[str], shape: tuple[int, int]) -> Floats:
    used: Bools = np.isin(points.categories, list(categories)) & (row >= 0)
    total = np.zeros(shape)
    np.add.at(total, (row[used], points.periods[used]), points.counts[used])
    return total
