"""Published releases as tables: areas, periods, columns under one name, every gap with a reason.

What differs between publishers is data (`releases/`), except how a file is laid out: `layouts`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.panel import REASONS
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.results import Floats, Ints, Release, Strings
from areaeffect.sources.publishers.layouts import read_files
from areaeffect.sources.publishers.releases import (
    ABSENT_IS_ZERO,
    CODE_PATTERNS,
    Column,
    PublishedRelease,
    ReleaseFile,
    Roots,
    columns_of,
    find_release,
    how_to_get,
    locate,
)

_CODE = {reason: np.uint8(i) for i, reason in enumerate(REASONS)}

Reasons = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PublishedTable:
    """A release, read."""

    release: PublishedRelease  # what is known of it
    areas: Strings  # (n_areas,), codes, ascending
    names: Strings  # (n_areas,), names, or the codes again
    periods: Periods | None  # the time axis; None where there is one row an area.
    #: column to (n_areas, n_periods), one column wide without periods; NaN = missing.
    values: Mapping[str, Floats]
    #: column to (n_areas, n_periods), index into `panel.REASONS`; 0 where there is a value.
    reasons: Mapping[str, Reasons]
    texts: Mapping[str, Strings]  # text column to (n_areas,); '' = missing.
    records: tuple[Release, ...]  # the files as they were read
    notes: tuple[str, ...]  # remarks for the data annex


def read(release_id: str, root: Roots, only: Sequence[str] | None = None) -> PublishedTable:
    """Read a release, or some of its columns, from a folder or several in order of preference."""
    release = find_release(release_id)
    if not release.is_table:
        what = f"release '{release_id}' is not a table of areas."
        fix = "It is a lookup or outlines: name its file where a study asks for one."
        raise DataError(what, "", fix)
    _refuse_unknown(release, release.column_names, only)
    return assemble(release, locate(release, root, only or ()), only, root)


def assemble(
    release: PublishedRelease,
    placed: Sequence[tuple[ReleaseFile, Path]],
    only: Sequence[str] | None,
    root: Roots | None = None,
) -> PublishedTable:
    """Make the table of a release from its files or its copies, `placed` where they lie.

    Names and places are found in other releases below `root`; without it they are left as they are.
    """
    copy = placed[0][0] in release.copies
    columns = {c: c.header(copy=copy) for c in release.columns if c.header(copy=copy)}
    names = columns_of(release, copy=copy)
    _refuse_unknown(release, names, only)
    keep, places = set(names if only is None else only), None
    if release.placed_by and root is not None:
        ((_, places),) = locate(find_release(release.placed_by), root)
    frame, records, notes = read_files(release, placed, tuple(columns.values()), places)
    if release.names_from and root is not None:
        frame, records, said = _from_names(release, frame, records, root)
        notes += said
    areas, row_area = areas_of(release, frame)
    periods, row_period = _periods(release, frame)
    shape = (len(areas), periods.n if periods else 1)
    cell = row_area * shape[1] + row_period
    if (twice := pd.Series(cell).duplicated().to_numpy()).any():
        row = frame.iloc[int(twice.argmax())]
        what = f"{row['area']} {row['period']}" if "period" in frame.columns else str(row["area"])
        raise DataError(f"there are two rows of {what}.", release.id)
    values: dict[str, Floats] = {}
    reasons: dict[str, Reasons] = {}
    texts: dict[str, Strings] = {}
    for column, header in columns.items():
        if column.kind == "text":
            texts[column.name] = _words(frame[header], row_area, np.full(len(areas), ""))
            continue
        grid, why = _numbers(release, column, frame[[header, "area"]], cell, shape[0] * shape[1])
        if column.name in release.not_supplied and not np.nan_to_num(grid).any():
            grid[:], why[:] = np.nan, _CODE["not_published"]
            if column.name in keep:
                notes.append(f"'{column.name}' is zero everywhere: it was not supplied, and is missing here.")
        values[column.name], reasons[column.name] = grid.reshape(shape), why.reshape(shape)
    for share in (d for d in release.derived if d.name in names):
        made = share.of(values)
        made[~np.isfinite(made)] = np.nan
        why = np.max([reasons[c] for c in (*share.numerator, *share.denominator)], axis=0)
        why[np.isnan(made) & (why == 0)] = _CODE["not_published"]  # nobody lives there
        values[share.name], reasons[share.name] = made, why
    return PublishedTable(
        release=release,
        areas=areas,
        names=_words(frame["name"], row_area, areas) if "name" in frame.columns else areas,
        periods=periods,
        values={c: v for c, v in values.items() if c in keep},
        reasons={c: r for c, r in reasons.items() if c in keep},
        texts={c: t for c, t in texts.items() if c in keep},
        records=records,
        notes=tuple(notes),
    )


def _words(cells: pd.Series, row_area: Ints, without: Strings) -> Strings:
    """Return a column of text by area, and that of `without` where an area has none."""
    words, given = without.astype(object), cells.fillna("").astype(str).str.strip().to_numpy()
    words[row_area[given != ""]] = given[given != ""]
    return words.astype(str)


def _refuse_unknown(release: PublishedRelease, there: Sequence[str], only: Sequence[str] | None) -> None:
    problems = []
    for column in only or ():
        if column in there:
            continue
        if column in release.column_names:
            what = f"the file of '{release.id}' that is here has no column '{column}'."
            fix = how_to_get(release)
        else:
            what = f"release '{release.id}' has no column '{column}'."
            fix = did_you_mean(column, there) or f"Columns: {', '.join(there)}."
        problems.append(Problem(what, "", fix))
    if problems:
        raise DataError(problems)


def _from_names(
    release: PublishedRelease, frame: pd.DataFrame, records: tuple[Release, ...], root: Roots
) -> tuple[pd.DataFrame, tuple[Release, ...], list[str]]:
    """Find the codes of areas that a file has by name; what has none is counted as rejected."""
    lookup, names, codes = release.names_from
    places = read(lookup, root, [names, codes])
    code_of = dict(zip(places.texts[names].tolist(), places.texts[codes].tolist(), strict=True))
    found = frame["area"].map(code_of)
    unplaced = list(dict.fromkeys(frame["area"][found.isna()]))
    kept = frame[found.notna()].assign(name=frame["area"], area=found).reset_index(drop=True)
    if kept.empty:
        what = f"no area is known by its name, such as '{unplaced[0]}'."
        raise DataError(what, release.id, f"Names are those of release '{lookup}'.")
    first, *more = records
    bad = int(found.isna().sum()) // max(len(frame) // max(frame["area"].nunique(), 1), 1)
    first = replace(first, rows_kept=first.rows_read - bad, rows_rejected=bad)
    what = f"{len(unplaced):,} names are no area of {release.coverage} and were left out, such as"
    said = [f"{release.id}: {what} '{unplaced[0]}'."] if unplaced else []
    return kept, (first, *more), said


def areas_of(release: PublishedRelease, frame: pd.DataFrame) -> tuple[Strings, npt.NDArray[np.intp]]:
    """Return the areas, ascending, and which of them each row is of; refuse other codes."""
    codes = frame["area"].fillna("").astype(str).str.strip()
    pattern = re.compile(CODE_PATTERNS[release.vintage])
    areas, row_area = np.unique(codes.to_numpy(dtype=str), return_inverse=True)
    strange = [str(a) for a in areas if not pattern.fullmatch(str(a))]
    if strange:
        raise DataError(
            f"'{strange[0]}' is not a code of vintage {release.vintage}"
            + (f" ({len(strange)} such codes)." if len(strange) > 1 else "."),
            release.id,
            "Check that the file is the release's own.",
        )
    return areas, row_area


def _periods(release: PublishedRelease, frame: pd.DataFrame) -> tuple[Periods | None, npt.NDArray[np.intp]]:
    if not release.period_kind:
        return None, np.zeros(len(frame), dtype=np.intp)
    kind = PeriodKind(release.period_kind)
    codes, texts = pd.factorize(frame["period"].astype(str).str.strip())
    ordinals = [_ordinal(str(t), kind) for t in texts]
    bad = [str(t) for t, o in zip(texts, ordinals, strict=True) if o is None]
    if bad:
        raise DataError(f"'{bad[0]}' is not a {kind.value}.", release.id)
    ordinal = np.array(ordinals, dtype=np.int64)
    first = int(ordinal.min())
    periods = Periods(kind, first, int(ordinal.max()) - first + 1)
    return periods, (ordinal - first)[codes].astype(np.intp)


def _ordinal(text: str, kind: PeriodKind) -> int | None:
    """Read a period; a financial year by its first year, a quarter also by its last month."""
    text = text.removesuffix(".0")
    if kind is PeriodKind.YEAR and re.fullmatch(r"\d{4}-\d{2}", text):
        return parse_period(text[:4], kind)
    if kind is PeriodKind.QUARTER and (month := parse_period(text, PeriodKind.MONTH)) is not None:
        return month // 3 if month % 3 == 2 else None  # noqa: PLR2004  # last month of a quarter
    return parse_period(text, kind)


def _numbers(
    release: PublishedRelease, column: Column, frame: pd.DataFrame, cell: npt.NDArray[np.intp], n_cells: int
) -> tuple[Floats, Reasons]:
    """Return the numbers of a column by cell, and why each missing one is."""
    absent = release.absent
    if column.kind != "count" and absent == ABSENT_IS_ZERO:
        absent = "not_published"  # where nothing happened there is no median of it
    is_zero = absent == ABSENT_IS_ZERO
    grid = np.full(n_cells, 0.0 if is_zero else np.nan)
    why = np.full(n_cells, 0 if is_zero else _CODE[absent], dtype=np.uint8)
    published, *_ = frame.columns
    grid[cell] = pd.to_numeric(frame[published], errors="coerce").to_numpy(dtype=np.float64)
    why[cell] = 0
    missing = np.isnan(grid[cell])
    words = frame[published][missing]
    words = words.where(words.notna(), "").astype(str).str.strip()
    allowed = {**({"": release.blank} if release.blank else {}), **release.markers}
    if unknown := sorted(set(words) - set(allowed)):
        at = frame["area"][missing][words == unknown[0]].iloc[0]
        shown = f"'{unknown[0]}'" if unknown[0] else "an empty cell"
        what = f"{shown} in '{published}' (area {at}) is neither a number nor a known marker."
        fix = f"Known: {', '.join(repr(m) for m in allowed) or 'none'}."
        raise DataError(what, release.id, fix)
    why[cell[missing]] = [_CODE[allowed[w]] for w in words]
    return grid, why
