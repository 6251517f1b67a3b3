"""From area codes as published to one census vintage: by lookup, and by place where codes split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, did_you_mean, first_few
from areaeffect.geography.boundaries import read_boundaries
from areaeffect.geography.codes import Lookup, load_lookup, lookup_to
from areaeffect.geography.points import area_of_points, nearest_of, to_metres
from areaeffect.geography.vintages import Status, Weights, convert_counts, to_vintage
from areaeffect.study.parts import resolve
from areaeffect.tables.user_table import read_user_table, require_file

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.panel import Strings
    from areaeffect.results import Bools, Floats, Ints
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
        given = load_lookup(resolve(source.lookup, folder), "lsoa11_code", "lsoa21_code")
    return lookup_to(source.vintage, given)


def locate(codes: Strings, names: Strings, totals: Ints, lookup: Lookup) -> Located:
    """Find the areas of the declared vintage that published codes mean.

    Parameters
    ----------
    codes, names, totals : (n_codes,), as published, and the incidents of each.
    lookup : from `read_lookup`.
    """
    new, status = to_vintage(codes, lookup)
    candidates = [
        lookup.children(str(c)) if s == Status.SPLIT.value else ((str(n),) if n else ())
        for c, n, s in zip(codes, new, status, strict=True)
    ]
    areas = np.unique(np.array([a for c in candidates for a in c], dtype=str))
    position = {str(a): i for i, a in enumerate(areas)}
    name_of = dict(zip(codes.tolist(), names.tolist(), strict=True))
    found = Located(
        areas=areas,
        names=np.array([name_of.get(a, a) for a in areas.tolist()], dtype=str),
        area_of_code=np.array([position[c[0]] if len(c) == 1 else -1 for c in candidates], dtype=np.int64),
        pairs=np.array([(i, position[a]) for i, c in enumerate(candidates) for a in c], dtype=np.int64)
        .reshape(-1, 2)
        .T,
        several={},
        left_out={},
        notes=_brought_over(codes, new, status, totals, lookup.name),
    )
    for code, candidate, total in zip(codes.tolist(), candidates, totals.tolist(), strict=True):
        if not candidate:
            found.left_out[code] = total
        elif len(candidate) > 1:
            found.several[code] = np.array([position[c] for c in candidate], dtype=np.int64)
    return found


def _brought_over(codes: Strings, new: Strings, status: Strings, totals: Ints, how: str) -> tuple[str, ...]:
    """Say how many codes of another census were brought to the declared one."""
    changed = (status == Status.SPLIT.value) | ((new != "") & (new != codes))
    if not changed.any():
        return ()
    return (
        f"{int(totals[changed].sum()):,} incidents on {int(changed.sum()):,} area codes of another "
        f"census ({first_few(sorted(codes[changed].tolist()))}) were converted to areas of the "
        f"declared one by the lookup {how}.",
    )


def place(
    source: PoliceUkSource,
    folder: Path,
    located: Located,
    lookup: Lookup,
    points: Points,
    asked: Sequence[Sequence[str]],
    n_periods: int,
) -> Placed:
    """Give incidents of split codes, and those with a point but no code, to areas.

    Parameters
    ----------
    asked : sets of categories; one matrix each, and every total is conserved.

    """
    shape = (len(located.areas), n_periods)
    empty = np.zeros(n_periods, dtype=np.int64)
    if not len(points.codes):
        return Placed([np.zeros(shape) for _ in asked], empty, ())
    weights = _declared(source, folder, lookup)
    has_code = points.codes != ""
    if source.boundaries is None:
        divided = _by_weight(located, lookup, weights, points, has_code, asked, n_periods=n_periods)
        return Placed(divided.values, empty, divided.notes)
    column = source.boundaries_area or source.area
    outlines = read_boundaries(resolve(source.boundaries, folder), column, located.areas).outlines
    area, has_point = _by_point(points, outlines, located, has_code)
    values = [_add(points, area, categories, shape) for categories in asked]
    found = ~has_code & (area >= 0)
    np.add.at(empty, points.periods[found], points.counts[found].astype(np.int64))
    notes = []
    told_apart = has_code & has_point
    if told_apart.any():
        notes.append(
            f"{int(points.counts[told_apart].sum()):,} incidents on {len(located.several)} split "
            f"area codes ({first_few(sorted(located.several))}) were assigned by their "
            "coordinates."
        )
    if found.any():
        notes.append(
            f"{int(points.counts[found].sum()):,} incidents without an area code were "
            "assigned by their coordinates."
        )
    without = has_code & ~has_point
    if without.any():
        divided = _by_weight(located, lookup, weights, points, without, asked, n_periods=n_periods)
        values = [v + d for v, d in zip(values, divided.values, strict=True)]
        notes += divided.notes
    return Placed(values, empty, tuple(notes))


def _by_point(points: Points, outlines: Outlines, located: Located, has_code: Bools) -> tuple[Ints, Bools]:
    """Return the area that each point lies in, -1 where it has none, and which have a point.

    A split code allows only the areas that it may mean, the nearest of them.
    """
    metres = to_metres(points.longitude, points.latitude)
    has_point = np.asarray(np.isfinite(metres).all(axis=1))
    area = np.full(len(points.codes), -1, dtype=np.int64)
    for code, allowed in located.several.items():
        here = has_point & (points.codes == code)
        area[here] = allowed[nearest_of(metres[here], outlines[allowed])]
    if not has_code.all():
        area[~has_code] = area_of_points(metres[~has_code], outlines)
    return area, has_point


def _declared(source: PoliceUkSource, folder: Path, lookup: Lookup) -> Weights | None:
    if source.split_weights is None:
        return None
    return load_split_weights(resolve(source.split_weights, folder), lookup)


def _by_weight(
    located: Located,
    lookup: Lookup,
    weights: Weights | None,
    points: Points,
    used: Bools,
    asked: Sequence[Sequence[str]],
    *,
    n_periods: int,
) -> Placed:
    """Divide incidents of split codes by weights; only rows that are `used`.

    Each set of categories is divided by itself, to the whole incident: its total is conserved,
    and two sets need not round alike.
    """
    shape = (len(located.areas), n_periods)
    values = [np.zeros(shape) for _ in asked]
    empty = np.zeros(n_periods, dtype=np.int64)
    if not located.several or not used.any():
        return Placed(values, empty, ())
    codes = np.array(sorted(located.several), dtype=str)
    row = np.minimum(np.searchsorted(codes, points.codes), len(codes) - 1)
    row[~used] = -1
    equally: tuple[str, ...] = ()
    for target, categories in zip(values, asked, strict=True):
        held = _add(points, row, categories, (len(codes), n_periods))
        parts = convert_counts(held, codes, lookup, weights)
        target[np.searchsorted(located.areas, parts.codes)] += parts.values
        equally = parts.split_equally
    notes = []
    for named, how in (
        (sorted(set(codes.tolist()) - set(equally)), f"by {weights.name if weights else ''}"),
        (sorted(equally), "equally among their parts, because there are no coordinates or weights"),
    ):
        n = int(points.counts[used & np.isin(points.codes, named)].sum())
        if n:
            notes.append(
                f"{n:,} incidents on {len(named)} split area codes ({first_few(sorted(named))}) "
                f"were divided {how}."
            )
    return Placed(values, empty, tuple(notes))


def _add(points: Points, row: Ints, categories: Sequence[str], shape: tuple[int, int]) -> Floats:
    used: Bools = np.isin(points.categories, list(categories)) & (row >= 0)
    total = np.zeros(shape)
    np.add.at(total, (row[used], points.periods[used]), points.counts[used])
    return total


_COLUMNS = ("from", "to", "weight")
#: Weights written with a few digits need not add up to one exactly.
_SLACK = 1e-3


def load_split_weights(path: Path, lookup: Lookup) -> Weights:
    """Read declared weights: which share of a split area belongs to each of its parts.

    Parameters
    ----------
    path : CSV with the columns `from` (older code), `to` (newer code) and `weight`.
    lookup : of the two vintages.

    Returns
    -------
    Weights
        Of the newer areas. A newer area has one older one where areas split, so its code says
        whose part it is. Counts are divided by them with `convert_counts`: whole numbers, by
        largest remainder, totals conserved to the incident.

    Raises
    ------
    DataError
        Every fault at once, with its line: a file or column that is not there, a weight that is
        not a number from 0 to 1, a code that did not split, a part of another area, a pair
        twice, a part that is not listed, weights of an area that do not add up to one.
    """
    require_file(path, "file of split weights", "")
    frame = read_user_table(path, None, _COLUMNS).frame
    lacking = [c for c in _COLUMNS if c not in frame.columns]
    if lacking:
        what = f"there is no column {', '.join(map(repr, lacking))}."
        raise DataError(Problem(what, str(path), "Columns: from, to, weight."))
    rows = [
        (line, tuple(cell.strip() for cell in cells))
        for line, *cells in frame[list(_COLUMNS)].itertuples(name=None)
    ]
    split = set(lookup.old[lookup.change == "S"].tolist())
    problems: list[Problem] = []
    declared: dict[str, dict[str, float]] = {}
    for line, (old, new, text) in rows:
        what, fix = _fault(old, new, text, declared, split, lookup)
        if what:
            problems.append(Problem(what, f"{path}, line {line}", fix))
        else:
            declared.setdefault(old, {})[new] = float(text)
    if not problems:
        problems = [p for old, parts in sorted(declared.items()) for p in _sums(old, parts, lookup)]
        problems = [Problem(p.what, str(path), p.fix) for p in problems]
    if problems:
        raise DataError(problems)
    pairs = sorted((new, w) for parts in declared.values() for new, w in parts.items())
    codes, weights = [c for c, _ in pairs], [w for _, w in pairs]
    return Weights(f"the weights declared in {path.name}", np.array(codes, str), np.array(weights))


def _fault(
    old: str, new: str, text: str, declared: dict[str, dict[str, float]], split: set[str], lookup: Lookup
) -> tuple[str, str]:
    """Return what is wrong with a row, and what to do; empty where nothing is."""
    if old not in split:
        near = did_you_mean(old, sorted(split)) or f"The codes that split are in {lookup.name}."
        return f"area '{old}' did not split.", near
    children = lookup.children(old)
    if new not in children:
        return f"'{new}' is not part of '{old}'.", f"Its parts: {', '.join(children)}."
    if new in declared.get(old, {}):
        return f"the pair {old} → {new} appears twice.", "Keep one."
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight <= 1:
        return f"'{text}' is not a weight.", "Weights run from 0 to 1."
    return "", ""


def _sums(old: str, parts: dict[str, float], lookup: Lookup) -> list[Problem]:
    absent = [c for c in lookup.children(old) if c not in parts]
    if absent:
        fix = "Give it a weight, 0 if it is to have nothing."
        return [Problem(f"a part of '{old}' is not listed: {', '.join(absent)}.", "", fix)]
    total = sum(parts.values())
    if abs(total - 1) > _SLACK:
        return [Problem(f"the weights of '{old}' add up to {total:g}.", "", "They must be 1.")]
    return []
