"""Lookups between two census vintages of areas, checked.

A lookup pairs the areas of two vintages and says how each changed: unchanged (U), split (S),
merged (M) or irregular (X).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.panel import Strings
    from areaeffect.results import Bools, Ints

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
    """Pairs of areas of two vintages.

    Parameters
    ----------
    name : what the two vintages are called, 'lsoa11_code → lsoa21_code'.
    old, new : (n_pairs,), codes, in ascending order of (old, new).
    change : (n_pairs,), one of `CHANGES`.
    """

    name: str
    old: Strings
    new: Strings
    change: Strings

    def children(self, code: str) -> tuple[str, ...]:
        """Return the newer areas that an older one overlaps."""
        first, last = (int(np.searchsorted(self.old, code, side=s)) for s in ("left", "right"))
        return tuple(str(c) for c in self.new[first:last])


def load_lookup(path: Path, old: str, new: str, change: str = "change_code") -> Lookup:
    """Read a lookup of two vintages, as the Office for National Statistics publishes them.

    Parameters
    ----------
    path : Parquet or CSV.
    old, new : its columns with the older and the newer code.
    change : its column with U, S, M or X.

    Raises
    ------
    DataError
        Missing file or columns, other change codes, repeated pairs, a code that means
        different areas in the two vintages, or pairs that contradict their change code.
    """
    import pandas as pd

    if not path.is_file():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*")])
        raise DataError(Problem("there is no such lookup.", str(path), near or "Check the path."))
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    published = {_PUBLISHED[c]: c for c in (old, new, change) if c in _PUBLISHED}
    frame = frame.rename(columns={p: c for p, c in published.items() if c not in frame.columns})
    missing = [c for c in (old, new, change) if c not in frame.columns]
    if missing:
        columns = ", ".join(map(str, frame.columns))
        fixes = [did_you_mean(c, frame.columns) or f"Columns: {columns}." for c in missing]
        raise DataError(
            [Problem(f"there is no column '{c}'.", str(path), f) for c, f in zip(missing, fixes, strict=True)]
        )
    texts = {c: frame[c].fillna("").to_numpy(dtype=str) for c in (old, new, change)}
    return make_lookup(texts[old], texts[new], texts[change], name=f"{old} → {new}", where=str(path))


def make_lookup(
    old: Strings, new: Strings, change: Strings, name: str = "old → new", where: str = "lookup"
) -> Lookup:
    """Return a checked lookup from its three columns."""
    order = np.lexsort((new, old))
    old, new, change = old[order], new[order], change[order]
    problems = [
        Problem(f"{what}, such as {_example(old, new, change, bad)}.", where, fix)
        for what, bad, fix in _faults(old, new, change)
        if bad.any()
    ]
    if problems:
        raise DataError(problems)
    return Lookup(name, old, new, change)


def _example(old: Strings, new: Strings, change: Strings, bad: Bools) -> str:
    i = int(np.argmax(bad))
    return f"{old[i]} → {new[i]} ({change[i]})"


def _faults(old: Strings, new: Strings, change: Strings) -> list[tuple[str, Bools, str]]:
    n_new, n_old = _repeats(old), _repeats(new)  # children of the old, parents of the new
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


def _repeats(codes: Strings) -> Ints:
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse], dtype=np.int64)
