"""Area codes of one census vintage brought to another: 2001 → 2011 → 2021.

Counts keep their totals exactly, to the incident; irregular areas and unknown codes are named
and left out, with what they held.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from areaeffect.errors import DataError, first_few, repeated
from areaeffect.geography.codes import Lookup
from areaeffect.results import Floats, Ints, Strings

#: Remainders nearer than this are a tie (floating point), which goes to the lower code.
_TIE_DECIMALS = 9


class CodeStatus(StrEnum):
    """How a code relates to the newer vintage."""

    SAME = "same"  # already a code of the newer vintage, and of that one only
    UNCHANGED = "unchanged"
    SPLIT = "split"
    MERGED = "merged"
    IRREGULAR = "irregular"
    UNKNOWN = "unknown"


_STATUS_OF_CHANGE = {
    "U": CodeStatus.UNCHANGED,
    "S": CodeStatus.SPLIT,
    "M": CodeStatus.MERGED,
    "X": CodeStatus.IRREGULAR,
}


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """By what a total is divided: residents, households, of the areas of one vintage."""

    name: str  # what they are, for print: 'residents, Census 2021'
    codes: Strings  # (n,), without repeats
    values: Floats  # (n,), zero or more; NaN where not known.

    def of(self, codes: Strings) -> Floats:
        """Return the weights of codes; NaN where there is none."""
        order = np.argsort(self.codes)
        place = np.searchsorted(self.codes, codes, sorter=order)
        place = order[np.minimum(place, len(order) - 1)]
        return np.where(self.codes[place] == codes, self.values[place], np.nan)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Conversion:
    """Values on the newer vintage, and the codes that have none there."""

    codes: Strings  # (n_new,), ascending
    values: Floats  # (n_new, n_periods); NaN = missing.
    left_out: tuple[str, ...]  # irregular and unknown codes, ascending
    split_equally: tuple[str, ...]  # split codes for which no weights were given or known
    incomplete: tuple[str, ...]  # newer codes that an older area merged into while another part was not given
    notes: tuple[str, ...]  # sentences for the data annex


def to_vintage(codes: Strings, lookup: Lookup) -> tuple[Strings, Strings]:
    """Return for each code, of either vintage, its code in the newer, and how the two relate.

    The newer code is empty where one code cannot say it: split (the coordinate or weights must),
    irregular, unknown. A newer code is irregular where an older code that is given changed
    irregularly into it: the two cannot be distinguished.
    """
    old, first, pair_count = np.unique(lookup.old, return_index=True, return_counts=True)
    at = np.minimum(np.searchsorted(old, codes), len(old) - 1)
    is_old = old[at] == codes
    pair = first[at]
    status = np.full(len(codes), CodeStatus.UNKNOWN.value, dtype="U9")
    for change, named in _STATUS_OF_CHANGE.items():
        status[is_old & (lookup.change[pair] == change)] = named.value
    is_new = ~is_old & np.isin(codes, lookup.new)
    status[is_new] = CodeStatus.SAME.value
    irregular = (lookup.change == "X") & np.isin(lookup.old, codes)
    status[is_new & np.isin(codes, lookup.new[irregular])] = CodeStatus.IRREGULAR.value
    one = is_old & (pair_count[at] == 1) & (status != CodeStatus.IRREGULAR.value)
    width = max(codes.dtype.itemsize, lookup.new.dtype.itemsize) // 4
    new_codes = np.full(len(codes), "", dtype=f"U{max(width, 1)}")
    new_codes[one] = lookup.new[pair[one]]
    same = status == CodeStatus.SAME.value
    new_codes[same] = codes[same]
    return new_codes, status


def convert_counts(
    values: Floats, codes: Strings, lookup: Lookup, weights: Weights | None = None, *, whole: bool = True
) -> Conversion:
    """Counts of older areas on the newer ones; totals are conserved exactly.

    Parameters
    ----------
    values : (n_codes, n_periods), counts; NaN = missing. In a series that mixes vintages a
        code that was not in use in a period holds 0 there, not NaN.
    codes : (n_codes,), of either vintage, without repeats.
    weights : of the newer areas; divides what a split area held. None, or an area without a
        positive weight among its parts: equal parts, and the result says so.
    whole : whole numbers out, by largest remainder in each area and period; what rounding took
        from a part is carried to the next period, so that an area with one incident a month
        does not give all of them to the same part. False: fractions out.

    Raises
    ------
    DataError
        Repeated codes; negative or fractional counts (with `whole`).
    """
    _refuse(codes, values, whole=whole)
    plan = _Plan.of(codes, lookup)
    result = np.zeros((len(plan.targets), values.shape[1]))
    np.add.at(result, plan.direct_target, values[plan.direct_row])
    shares, equally = _shares(plan, weights)
    parts = _divide(values[plan.split_row], shares, whole=whole)
    used = plan.split_target >= 0
    np.add.at(result, plan.split_target[used], parts[used])
    notes = []
    if weights is not None and len(plan.split_row) > len(equally):
        split = len(plan.split_row) - len(equally)
        notes.append(f"{split} split areas were divided by {weights.name}.")
    if equally:
        notes.append(f"{len(equally)} split areas were divided equally: {first_few(equally)}.")
    return plan.conversion(result, notes, equally)


def convert_rates(
    values: Floats, codes: Strings, lookup: Lookup, weights: Weights | None = None
) -> Conversion:
    """Rates, shares or scores of older areas on the newer ones.

    Parameters
    ----------
    values : (n_codes, n_periods); NaN = missing.
    codes : (n_codes,), of either vintage, without repeats.
    weights : of the *older* areas (residents): a merged area has the weighted mean of its
        parts. None, or a part without weight: the plain mean, and the result says so.

    Notes
    -----
    A part of a split area has the value of the whole: true only if the area was even inside.
    A value given for a newer code itself takes precedence over one made from older areas.
    """
    _refuse(codes)
    plan = _Plan.of(codes, lookup)
    own = plan.status[plan.direct_row] == CodeStatus.SAME.value
    row, target = plan.direct_row[~own], plan.direct_target[~own]
    used = plan.split_target >= 0
    row = np.concatenate([row, np.repeat(plan.split_row, used.sum(axis=1))])
    target = np.concatenate([target, plan.split_target[used]])
    weight = weights.of(codes)[row] if weights is not None else np.full(len(row), np.nan)
    total = np.bincount(target, np.where(weight > 0, weight, np.nan), len(plan.targets))
    unweighted = ~(total[target] > 0)
    weight = np.where(unweighted, 1.0, weight)
    total = np.bincount(target, weight, len(plan.targets))
    result = np.zeros((len(plan.targets), values.shape[1]))
    np.add.at(result, target, values[row] * (weight / total[target])[:, None])
    result[np.bincount(target, minlength=len(plan.targets)) == 0] = np.nan
    at = plan.direct_target[own]
    given = values[plan.direct_row[own]]
    result[at] = np.where(np.isnan(given), result[at], given)
    several = np.bincount(target, minlength=len(plan.targets)) > 1
    plain = tuple(str(c) for c in plan.targets[np.unique(target[unweighted & several[target]])])
    notes = []
    if several.any():
        by = "the plain mean" if weights is None else f"the mean weighted by {weights.name}"
        notes.append(f"{int(several.sum())} merged areas have {by} of their parts.")
        if plain and weights is not None:
            notes.append(f"{first_few(plain)}: no weight for a part, so the plain mean.")
    if len(plan.split_row):
        notes.append(f"The parts of {len(plan.split_row)} split areas have the value of the whole.")
    return plan.conversion(result, notes)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Plan:
    """Which row of the input goes to which newer area; -1 pads the parts of a split."""

    codes: Strings
    status: Strings
    targets: Strings  # (n_new,) codes, ascending
    direct_row: Ints
    direct_target: Ints
    split_row: Ints  # (n_split,)
    split_target: Ints  # (n_split, most parts)
    incomplete: tuple[str, ...]

    @classmethod
    def of(cls, codes: Strings, lookup: Lookup) -> _Plan:
        new_codes, status = to_vintage(codes, lookup)
        direct = np.flatnonzero(new_codes != "")
        split = np.flatnonzero(status == CodeStatus.SPLIT.value)
        first = np.searchsorted(lookup.old, codes[split])
        last = np.searchsorted(lookup.old, codes[split], side="right")
        most = int((last - first).max(initial=0))
        pair = first[:, None] + np.arange(most)
        inside = pair < last[:, None]
        parts = lookup.new[pair[inside]]
        targets = np.unique(np.concatenate([new_codes[direct], parts]))
        split_target = np.full(pair.shape, -1, dtype=np.int64)
        split_target[inside] = np.searchsorted(targets, parts)
        lacking = (lookup.change == "M") & ~np.isin(lookup.old, codes)
        merged = new_codes[status == CodeStatus.MERGED.value]
        incomplete = np.unique(lookup.new[lacking & np.isin(lookup.new, merged)])
        return cls(
            codes=codes,
            status=status,
            targets=targets,
            direct_row=direct.astype(np.int64),
            direct_target=np.searchsorted(targets, new_codes[direct]).astype(np.int64),
            split_row=split.astype(np.int64),
            split_target=split_target,
            incomplete=tuple(incomplete.tolist()),
        )

    def conversion(self, values: Floats, notes: list[str], equally: tuple[str, ...] = ()) -> Conversion:
        out = np.isin(self.status, [CodeStatus.IRREGULAR.value, CodeStatus.UNKNOWN.value])
        left_out = tuple(np.sort(self.codes[out]).tolist())
        if left_out:
            notes = [*notes, f"Left out, irregular or unknown: {first_few(left_out)}."]
        if self.incomplete:
            notes = [*notes, f"Merged areas with a part missing: {first_few(self.incomplete)}."]
        return Conversion(
            codes=self.targets,
            values=values,
            left_out=left_out,
            split_equally=equally,
            incomplete=self.incomplete,
            notes=tuple(notes),
        )


def _refuse(codes: Strings, values: Floats | None = None, *, whole: bool = False) -> None:
    """Refuse codes that repeat, and values that are no counts."""
    if twice := repeated(codes.tolist()):
        raise DataError(f"area {twice[0]} appears twice.", "", "Add its rows up first.")
    if values is None:
        return
    bad = values < 0
    if whole:
        bad |= np.isfinite(values) & (values != np.floor(values))
    if bad.any():
        area, period = (int(i[0]) for i in np.nonzero(bad))
        what = f"{values[area, period]:g} is not a count."
        fix = "Counts are whole numbers of 0 or more; for fractions ask with `whole=False`."
        raise DataError(what, f"area {codes[area]}", fix)


def _shares(plan: _Plan, weights: Weights | None) -> tuple[Floats, tuple[str, ...]]:
    """Return the share of each part, (n_split, most parts), and the codes split equally."""
    there = plan.split_target >= 0
    share = np.where(there, 1.0, 0.0)
    known = np.zeros(len(share), dtype=bool)
    if weights is not None and share.size:
        declared = np.where(there, weights.of(plan.targets)[plan.split_target], 0.0)
        known = np.isfinite(declared).all(axis=1) & (declared.sum(axis=1) > 0)
        known &= (declared >= 0).all(axis=1)
        share[known] = declared[known]
    equally = tuple(str(c) for c in plan.codes[plan.split_row[~known]])
    total = share.sum(axis=1, keepdims=True)
    return share / np.where(total > 0, total, 1), tuple(sorted(equally))


def _divide(values: Floats, shares: Floats, *, whole: bool) -> Floats:
    """Divide (n_split, n_periods) by (n_split, n_parts) shares: (n_split, n_parts, n_periods)."""
    quota = shares[:, :, None] * values[:, None, :]
    if not whole or not quota.size:
        return np.asarray(quota)
    missing = np.isnan(quota)
    filled = np.where(missing, 0, quota)
    parts = np.floor(filled)
    left = np.nan_to_num(values) - parts.sum(axis=1)  # (n_split, n_periods)
    carry = np.where(shares > 0, 0.0, -np.inf)  # a part without weight never takes a remainder
    for period in range(values.shape[1]):
        score = filled[:, :, period] - parts[:, :, period] + carry
        order = np.argsort(-np.round(score, _TIE_DECIMALS), axis=1, kind="stable")
        rank = np.argsort(order, axis=1, kind="stable")
        given = rank < left[:, period, None]
        parts[:, :, period] += given
        carry = score - given
    return np.where(missing, np.nan, parts)
