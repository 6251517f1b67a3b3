"""A user's own counts whose area codes are of two censuses: found, and joined or refused.

A count by a code of 2011 that ends, and by the codes of 2021 that take its place, looks like a
fall there and a rise here. Codes of England and Wales (lower- and middle-layer super output
areas) are looked up in the packaged tables; where a table holds predecessors and successors,
counts are joined on the later census, and the report says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.errors import DataError, first_few, number_of
from areaeffect.geography.codes import ATTRIBUTION, Lookup, lsoa_pairs, msoa_pairs
from areaeffect.geography.vintages import convert_counts
from areaeffect.sources.coverage import SourceTable, align
from areaeffect.sources.publishers.panel import published_roots
from areaeffect.sources.publishers.tables import read

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from areaeffect.results import Floats, Ints, Strings

_LSOA, _MSOA = re.compile(r"[EW]01\d{6}"), re.compile(r"[EW]02\d{6}")
_SHOWN = 5


def one_vintage(table: SourceTable, where: str) -> SourceTable:
    """Return a table whose area codes are of one census; refuse scores of two, which cannot be added up."""
    if table.periods is None or not table.measures:
        return table
    lookups = []
    if any(_LSOA.fullmatch(c) for c in table.areas):
        lookups += [lsoa_pairs(2011), lsoa_pairs(2021)]  # earliest first
    if any(_MSOA.fullmatch(c) for c in table.areas):
        lookups.append(msoa_pairs())
    for lookup in lookups:
        mixed = np.isin(lookup.old, table.areas) & np.isin(lookup.new, table.areas)
        mixed &= lookup.old != lookup.new
        if not mixed.any():
            continue
        old, new = lookup.old[mixed], lookup.new[mixed]
        example = ", ".join(f"{a} → {b}" for a, b in zip(old[:_SHOWN], new[:_SHOWN], strict=True))
        what = (
            f"the area codes are of two censuses ({lookup.name}): {len(np.unique(old))} older "
            f"codes are beside {len(np.unique(new))} that replaced them, such as {example}"
        )
        if table.varying or not all(w.is_count for w in table.measures):
            fix = "Convert the table to one census first; only counts can be joined."
            raise DataError(f"{what}.", where, fix)
        table = _joined(table, lookup, f"{where}: {what}.")
    return table


def _joined(table: SourceTable, lookup: Lookup, what: str) -> SourceTable:
    """Join the counts on the later census; leave areas out of which a part is not in the table."""
    known = np.isin(table.areas, lookup.old) | np.isin(table.areas, lookup.new)
    codes = table.areas[known]
    results = {
        wanted: convert_counts(_blank_as_zero(values[known], codes, lookup), codes, lookup)
        for wanted, values in table.measures.items()
    }
    result = next(iter(results.values()))
    partial = np.isin(result.codes, [*result.incomplete, *_lost_parts(codes, lookup)])
    areas = np.concatenate([result.codes[~partial], table.areas[~known]])
    order = np.argsort(areas)
    areas = areas[order]
    notes = [f"{what} Counts were joined on the later census by the packaged lookup. {ATTRIBUTION}"]
    if result.split_equally:
        notes.append(
            f"{number_of(len(result.split_equally), 'area', 'areas')} that were split "
            f"({first_few(result.split_equally)}) were divided equally among their parts, "
            "because there are no weights."
        )
    left = (*result.left_out, *result.codes[partial].tolist())
    if left:
        notes.append(
            f"Left out, since they changed irregularly or a part is not in the table: {first_few(left)}."
        )
    source = _one_of(table.areas, areas, lookup)
    return replace(
        table,
        areas=areas,
        names=np.where(source < 0, areas, table.names[source]),
        measures={
            wanted: np.concatenate([found.values[~partial], table.measures[wanted][~known]])[order]
            for wanted, found in results.items()
        },
        attributes={name: _carried(values, source) for name, values in table.attributes.items()},
        notes=(*table.notes, *notes),
    )


def _lost_parts(codes: Strings, lookup: Lookup) -> list[str]:
    """Return newer areas that are not in the table, while another part of the same older one is."""
    given = np.isin(lookup.new, codes) & (lookup.old != lookup.new)
    families = np.isin(lookup.old, lookup.old[given]) & np.isin(lookup.old, codes)
    return sorted({str(c) for c in lookup.new[families & ~np.isin(lookup.new, codes)]})


def _one_of(given: Strings, areas: Strings, lookup: Lookup) -> Ints:
    """(n_areas,): row of the area itself, else of its only predecessor; -1 where it has several."""
    rows = np.arange(len(given), dtype=np.float64)
    own = align(rows, given, areas)
    pairs = np.isin(lookup.new, areas) & np.isin(lookup.old, given)
    new, first, times = np.unique(lookup.new[pairs], return_index=True, return_counts=True)
    before = align(rows, given, lookup.old[pairs][first])
    before[times > 1] = np.nan
    before = align(before, new, areas)
    return np.nan_to_num(np.where(np.isnan(own), before, own), nan=-1).astype(np.int64)


def _carried(values: npt.NDArray[Any], source: Ints) -> npt.NDArray[Any]:
    carried = values[source].copy()
    carried[source < 0] = np.nan if values.dtype.kind == "f" else ""
    return carried


def _blank_as_zero(values: Floats, codes: Strings, lookup: Lookup) -> Floats:
    """Write 0 where a code was not in use and its counterpart in the other census was."""
    filled = values.copy()
    period = np.arange(values.shape[1])
    known = ~np.isnan(values)
    first = np.where(known.any(axis=1), known.argmax(axis=1), 0)
    last = np.where(known.any(axis=1), values.shape[1] - 1 - known[:, ::-1].argmax(axis=1), -1)
    at = {c: i for i, c in enumerate(codes.tolist())}
    for old, new in zip(lookup.old.tolist(), lookup.new.tolist(), strict=True):
        if old != new and old in at and new in at:
            i, j = at[old], at[new]
            filled[i, (period > last[i]) & known[j] & ~known[i]] = 0
            filled[j, (period < first[j]) & known[i] & ~known[j]] = 0
    return filled


#: Releases that name each kind of area, the present edition first, with the columns' beginning.
_RELEASES = {
    "msoa": (
        *(("places_lsoa21", "msoa"), ("places_lsoa11", "msoa")),
        *(("msoa_names_2021", ""), ("msoa_names_2011", "")),
    ),
    "ward": (("ward_lsoa21", "ward"), ("ward_lsoa11", "ward")),
    "district": (("ward_lsoa21", "ltla"), ("places_lsoa21", "ltla"), ("places_lsoa11", "ltla")),
}
_NAMES_SHOWN = 8


def placed_by_name(column: pd.Series, kind: str, path: Path) -> tuple[pd.Series, tuple[str, ...]]:
    """Return codes for names of areas, '' where a name has none; and what could not be placed.

    The edition that places most names is taken. A name that several areas have is not placed.
    """
    names = {str(t): _plain(str(t)) for t in column.unique()}
    lists = dict(_lists(kind, path.parent))
    if not lists:
        fix = f"Run `areaeffect fetch {_RELEASES[kind][0][0]}`, or give codes."
        raise DataError(f"there is no list of {kind} names.", str(path), fix)
    placed = {release: sum(p in known for p in names.values()) for release, known in lists.items()}
    best = max(placed, key=lambda release: placed[release])
    codes = {text: lists[best].get(plain, "") for text, plain in names.items()}
    lost = [text for text, code in codes.items() if not code]
    if len(lost) == len(codes):
        what = f"'{lost[0]}' and all other names are not {kind} names of {', '.join(lists)}."
        raise DataError(what, str(path), "Check `areas_by`.")
    notes = [
        f"{path.name}: {number_of(len(codes) - len(lost), 'area is', 'areas are')} matched by "
        f"name with {best}."
    ]
    if lost:
        some = ", ".join(lost[:_NAMES_SHOWN]) + (" and others" if len(lost) > _NAMES_SHOWN else "")
        notes.append(f"{path.name}: {len(lost):,} names could not be matched: {some}.")
    return column.map(codes), tuple(notes)


def _plain(name: str) -> str:
    """Return a name without case, accents and punctuation."""
    text = unicodedata.normalize("NFKD", name).casefold().replace("&", " and ")
    text = "".join(c for c in text if not unicodedata.combining(c)).replace("'", "")
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text).split())


def _lists(kind: str, folder: Path) -> list[tuple[str, Mapping[str, str]]]:
    found: list[tuple[str, Mapping[str, str]]] = []
    for release, prefix in _RELEASES[kind]:
        try:
            table = read(release, published_roots(folder))
        except DataError:  # not fetched
            continue
        texts = table.texts
        if not prefix:  # names alone, by area
            found += [(release, _unique(names, table.areas)) for names in texts.values()]
        for code in (c for c in texts if prefix and re.fullmatch(rf"{prefix}\d*_code", c)):
            if (name := code.replace("_code", "_name")) in texts:  # a copy may have codes alone
                found.append((release, _unique(texts[name], texts[code])))
                break
    return found


def _unique(names: Strings, codes: Strings) -> Mapping[str, str]:
    """Return the code of each name that one area alone has."""
    by_name: dict[str, set[str]] = {}
    for name, code in zip(names, codes, strict=True):
        by_name.setdefault(_plain(str(name)), set()).add(str(code))
    return {name: next(iter(own)) for name, own in by_name.items() if len(own) == 1 and name}
