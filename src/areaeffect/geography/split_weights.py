"""Weights that a user declares for areas that split: a CSV with from, to, weight."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.geography.vintages import Weights
from areaeffect.tables.user_table import read_user_table, require_file

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.geography.codes import Lookup

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
