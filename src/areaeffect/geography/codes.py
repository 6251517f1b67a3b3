"""Area codes of England and Wales, packaged: which census they belong to, what they became.

Tables of the Office for National Statistics (Open Government Licence v3.0), made by
`tools/make_area_codes.py`: exact-fit pairs of LSOAs 2001, 2011 and 2021, and the middle-layer
area and police force of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

import numpy as np

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.results import Bools, Floats, Ints, Strings
from areaeffect.tables.parquet import read_arrays
from areaeffect.tables.user_table import read_user_table

#: Census of LSOAs, as studies name them.
LsoaVintage = Literal["lsoa01", "lsoa11", "lsoa21"]
#: Forces of data.police.uk that police no area of England and Wales.
WITHOUT_TERRITORY = ("btp", "northern-ireland")
ATTRIBUTION = "Source: Office for National Statistics licensed under the Open Government Licence v.3.0."


@dataclass(frozen=True, slots=True, eq=False)
class LsoaCodes:
    """Every LSOA of 2011 and 2021."""

    codes: Strings  # (n,), ascending
    #: msoa11, msoa21: (n,), middle-layer area; '' where the code is not of that census.
    msoa11: Strings
    msoa21: Strings
    force: Strings  # (n,), the police force, as data.police.uk names its files
    centre: Floats  # (n, 2), longitude and latitude, to a hundredth of a degree


@cache
def places() -> LsoaCodes:
    """Return the packaged table of places."""
    code, msoa11, msoa21, force, lon, lat = _columns(
        "lsoa_places.parquet", "code", "msoa11", "msoa21", "force", "lon", "lat"
    )
    centre = np.column_stack([lon, lat]).astype(np.float64) / 100
    return LsoaCodes(code, msoa11, msoa21, force, centre)


@cache
def lsoa_pairs(newer: Literal[2011, 2021]) -> Lookup:
    """Return the exact-fit lookup 2001 → 2011, or 2011 → 2021."""
    years, *columns = _columns("lsoa_pairs.parquet", "newer_year", "older", "newer", "change")
    old, new, change = (column[years == str(newer)] for column in columns)
    return Lookup(f"LSOA {newer - 10} → LSOA {newer}", old, new, change)


def force_of(codes: Strings) -> Strings:
    """Return the force that polices each LSOA; '' for a code that is in neither census."""
    table = places()
    at = np.minimum(np.searchsorted(table.codes, codes), len(table.codes) - 1)
    return np.where(table.codes[at] == codes, table.force[at], "")


def centres_of(codes: Strings) -> Floats:
    """Return longitude and latitude of LSOAs and MSOAs, (n, 2); NaN for other codes."""
    table, found = places(), np.full((len(codes), 2), np.nan)
    for known in (table.codes, table.msoa11, table.msoa21):
        order = np.argsort(known, kind="stable")
        first, last = (np.searchsorted(known, codes, side=side, sorter=order) for side in ("left", "right"))
        sums = np.vstack([np.zeros((1, 2)), np.cumsum(table.centre[order], axis=0)])
        here = (last > first) & (codes != "")
        found[here] = (sums[last] - sums[first])[here] / (last - first)[here, None]
    return found


def territorial_forces() -> tuple[str, ...]:
    """Return the forces that police an area, ascending."""
    return tuple(str(f) for f in np.unique(places().force))


def lookup_to(vintage: Literal["lsoa11", "lsoa21"], exact_fit: Lookup | None = None) -> Lookup:
    """Return what every known LSOA code, of any census, means in one; `exact_fit` is 2011 → 2021.

    A code that is divided is `S`, one that goes whole into a larger area `M`, whichever census is
    the later.
    """
    first, second = lsoa_pairs(2011), exact_fit or lsoa_pairs(2021)
    older = ~np.isin(first.old, second.old)  # codes that ended in 2011
    if vintage == "lsoa21":
        return _joined(
            "LSOA 2001 and 2011 → LSOA 2021",
            (second.old, second.new, second.change),
            _chained(first, second, older),
        )
    kept = np.unique(second.old)
    later = ~np.isin(second.new, second.old)
    back = np.select([second.change == "S", second.change == "M"], ["M", "S"], default=second.change)
    return _joined(
        "LSOA 2001 and 2021 → LSOA 2011",
        (kept, kept, np.full(len(kept), "U")),
        (first.old[older], first.new[older], first.change[older]),
        (second.new[later], second.old[later], back[later]),
    )


def counterparts(code: str) -> tuple[str, ...]:
    """Return the codes of other censuses that a code of an LSOA or MSOA means."""
    found = [
        c
        for lookup in (lookup_to("lsoa21"), lookup_to("lsoa11"), msoa_pairs())
        for c in (*lookup.children(code), *lookup.old[lookup.new == code].tolist())
    ]
    return tuple(sorted({str(c) for c in found} - {code}))


def msoa_pairs() -> Lookup:
    """Return the lookup of MSOAs 2011 → 2021 that follows from their LSOAs."""
    second, table = lsoa_pairs(2021), places()
    old = table.msoa11[np.searchsorted(table.codes, second.old)]
    new = table.msoa21[np.searchsorted(table.codes, second.new)]
    old, new = np.unique(np.stack([old, new]), axis=1)
    parts, parents = _times(old), _times(new)
    change = np.select(
        [(parts == 1) & (parents == 1), parents == 1, parts == 1], ["U", "S", "M"], default="X"
    )
    irregular = np.isin(old, old[change == "X"]) | np.isin(new, new[change == "X"])
    return Lookup("MSOA 2011 → MSOA 2021", old, new, np.where(irregular, "X", change))


def _chained(first: Lookup, second: Lookup, used: Bools) -> tuple[Strings, Strings, Strings]:
    """Follow codes of 2001 through 2011 to 2021."""
    found: dict[tuple[str, str], str] = {}
    start = np.searchsorted(second.old, first.new, side="left")
    end = np.searchsorted(second.old, first.new, side="right")
    for i in np.flatnonzero(used).tolist():
        for j in range(int(start[i]), int(end[i])):
            irregular = "X" in (first.change[i], second.change[j])
            key = (str(first.old[i]), str(second.new[j]))
            found[key] = "X" if irregular else found.get(key, "")
    old, new = (np.array([pair[k] for pair in found], dtype=str) for k in (0, 1))
    changed = np.array(list(found.values()), dtype=str)
    change = np.where(np.isin(old, old[changed == "X"]), "X", np.where(_times(old) > 1, "S", "M"))
    return old, new, change


def _joined(name: str, *parts: tuple[Strings, Strings, Strings]) -> Lookup:
    old, new, change = (np.concatenate([p[i] for p in parts]) for i in range(3))
    order = np.lexsort((new, old))
    return Lookup(name, old[order], new[order], change[order])


def _times(codes: Strings) -> Ints:
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse], dtype=np.int64)


def _columns(name: str, *columns: str) -> tuple[Strings, ...]:
    with as_file(files(__package__).joinpath(name)) as path:
        found = read_arrays(path, columns)
    return tuple(np.ma.filled(column, "").astype(str) for column in found)


CHANGES = ("U", "S", "M", "X")
#: The publisher's own headers, which may replace ours.
_PUBLISHED = {
    "lsoa01_code": "LSOA01CD",
    "lsoa11_code": "LSOA11CD",
    "lsoa21_code": "LSOA21CD",
    "change_code": "CHGIND",
}


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """Pairs of areas of two vintages."""

    name: str  # what the two vintages are called, 'lsoa11_code → lsoa21_code'
    #: old, new: (n_pairs,), codes, in ascending order of (old, new)
    old: Strings
    new: Strings
    change: Strings  # (n_pairs,), one of `CHANGES`

    def children(self, code: str) -> tuple[str, ...]:
        """Return the newer areas that an older one overlaps."""
        first, last = (int(np.searchsorted(self.old, code, side=s)) for s in ("left", "right"))
        return tuple(str(c) for c in self.new[first:last])


def load_lookup(path: Path, old: str, new: str, change: str = "change_code") -> Lookup:
    """Read a lookup of two vintages, by its columns of older codes, newer ones, and U, S, M or X.

    Raises
    ------
    DataError
        Missing file or columns, other change codes, repeated pairs, a code that means
        different areas in the two vintages, or pairs that contradict their change code.
    """
    frame = read_user_table(path, None, [old, new, change]).frame
    published = {_PUBLISHED[c]: c for c in (old, new, change) if c in _PUBLISHED}
    frame = frame.rename(columns={p: c for p, c in published.items() if c not in frame.columns})
    if missing := [c for c in (old, new, change) if c not in frame.columns]:
        every = f"Columns: {', '.join(map(str, frame.columns))}."
        fixes = {c: did_you_mean(c, frame.columns) or every for c in missing}
        raise DataError([Problem(f"there is no column '{c}'.", str(path), f) for c, f in fixes.items()])
    texts = {c: frame[c].fillna("").to_numpy(dtype=str) for c in (old, new, change)}
    return make_lookup(texts[old], texts[new], texts[change], name=f"{old} → {new}", where=str(path))


def make_lookup(
    old: Strings, new: Strings, change: Strings, name: str = "old → new", where: str = "lookup"
) -> Lookup:
    """Return a checked lookup from its three columns."""
    order = np.lexsort((new, old))
    old, new, change = old[order], new[order], change[order]
    problems = []
    for what, bad, fix in _faults(old, new, change):
        if bad.any():
            i = int(np.argmax(bad))
            shown = f"{old[i]} → {new[i]} ({change[i]})"
            problems.append(Problem(f"{what}, such as {shown}.", where, fix))
    if problems:
        raise DataError(problems)
    return Lookup(name, old, new, change)


def _faults(old: Strings, new: Strings, change: Strings) -> list[tuple[str, Bools, str]]:
    n_new, n_old = _times(old), _times(new)  # children of the old, parents of the new
    pair_twice = np.zeros(len(old), dtype=bool)
    pair_twice[1:] = (old[1:] == old[:-1]) & (new[1:] == new[:-1])
    unchanged, split = change == "U", change == "S"
    merged, irregular = change == "M", change == "X"
    contradicts = unchanged & ((n_new > 1) | (n_old > 1))
    contradicts |= (split & (n_old > 1)) | (merged & (n_new > 1))
    ambiguous = (change != "U") & (np.isin(old, new) | np.isin(new, old))
    return [
        ("a code is blank", (old == "") | (new == ""), "Give every row both codes."),
        ("a pair appears twice", pair_twice, "Keep one row for each pair."),
        (
            "a change code is unknown",
            ~(unchanged | split | merged | irregular),
            f"Allowed: {', '.join(CHANGES)}.",
        ),
        ("a change code contradicts the pairs", contradicts, "Use the publisher's lookup."),
        (
            "a code means different areas in the two vintages",
            ambiguous,
            "A series with both vintages could not be read.",
        ),
    ]
