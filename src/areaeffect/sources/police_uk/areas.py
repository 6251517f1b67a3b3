"""From area codes as published to one census vintage: by lookup, and by place where codes split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import first_few, number_of
from areaeffect.geography.boundaries import read_boundaries
from areaeffect.geography.codes import Lookup, load_lookup, lookup_to
from areaeffect.geography.overlay import Locator, nearest_of, projected
from areaeffect.geography.vintages import CodeStatus, convert_counts, to_vintage
from areaeffect.sources.publishers.releases import named_file

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.results import Bools, Floats, Ints, Strings
    from areaeffect.sources.police_uk.panel_query import Points
    from areaeffect.study.model import PoliceUkSource

    Outlines = npt.NDArray[np.object_]


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
