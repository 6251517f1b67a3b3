"""Published releases as tables: areas, periods, columns under one name, every gap with a reason.

What differs between publishers is data (`releases/`), except how a file is laid out: `layouts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.panel import REASONS
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.results import Release
from areaeffect.sources.base import sha256_of
from areaeffect.sources.publishers.layouts import layout, require
from areaeffect.sources.publishers.releases import CODE_PATTERNS, find_release

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from areaeffect.panel import Strings
    from areaeffect.results import Floats
    from areaeffect.sources.publishers.releases import PublishedRelease, ReleaseFile

    Roots = Path | tuple[Path, ...]

_CODE = {reason: np.uint8(i) for i, reason in enumerate(REASONS)}

Reasons = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class PublishedTable:
    """A release, read.

    Parameters
    ----------
    release : what is known of it.
    areas : (n_areas,), codes, ascending.
    names : (n_areas,), names, or the codes again.
    periods : the time axis; None where there is one row an area.
    values : column to (n_areas, n_periods), one column wide without periods; NaN = missing.
    reasons : column to (n_areas, n_periods), index into `panel.REASONS`; 0 where there is a value.
    texts : text column to (n_areas,); '' = missing.
    records : the files as they were read.
    notes : remarks for the data annex.
    """

    release: PublishedRelease
    areas: Strings
    names: Strings
    periods: Periods | None
    values: Mapping[str, Floats]
    reasons: Mapping[str, Reasons]
    texts: Mapping[str, Strings]
    records: tuple[Release, ...]
    notes: tuple[str, ...]


def locate(release: PublishedRelease, file: ReleaseFile, root: Roots) -> Path:
    """Return where a file of a release lies: in the first folder that has it.

    Raises
    ------
    DataError
        It is in none; the message says how to get it.
    """
    paths = _places(file, root)
    here = next((p for p in paths if p.is_file()), None)
    if here is not None:
        return here
    if file.address:
        fix = f"Get it with `areaeffect fetch {release.id}`."
    else:
        fix = f"No address is on record: take it from {release.page} and put it there."
    raise DataError(Problem(f"release '{release.id}' is not here.", str(paths[0]), fix))


def is_here(file: ReleaseFile, root: Roots) -> bool:
    """Tell whether a file lies in one of the folders."""
    return any(p.is_file() for p in _places(file, root))


def _places(file: ReleaseFile, root: Roots) -> list[Path]:
    return [folder / file.path for folder in (root if isinstance(root, tuple) else (root,))]


def read(release_id: str, root: Roots, only: Sequence[str] | None = None) -> PublishedTable:
    """Read a release.

    Parameters
    ----------
    release_id : key of `releases.catalogue`.
    root : folder of fetched files or of the shared data, or several in order of preference.
    only : columns to keep; None keeps all.

    Raises
    ------
    StudyError
        No such release.
    DataError
        Missing file, missing columns, codes of another vintage, repeated areas, values that are
        neither a number nor a known marker.
    """
    release = find_release(release_id)
    if not release.is_table:
        raise DataError(
            Problem(
                f"release '{release_id}' is not a table of areas.",
                "",
                "It is a lookup or outlines: name its file where a study asks for one.",
            )
        )
    _refuse_unknown(release, only)
    frame, records, notes = _read_files(release, root)
    areas, row_area = _areas(release, frame)
    periods, row_period = _periods(release, frame)
    shape = (len(areas), periods.n if periods else 1)
    cell = row_area * shape[1] + row_period
    _refuse_twice(release, frame, cell)
    values: dict[str, Floats] = {}
    reasons: dict[str, Reasons] = {}
    texts: dict[str, Strings] = {}
    for column in release.columns:
        if column.kind == "text":
            words = np.full(len(areas), "", dtype=object)
            words[row_area] = frame[column.published].fillna("").to_numpy()
            texts[column.name] = words.astype(str)
            continue
        grid = np.full(shape[0] * shape[1], np.nan)
        why = np.full(grid.shape, _CODE[release.absent], dtype=np.uint8)
        grid[cell], why[cell] = _numbers(release, column.published, frame)
        values[column.name], reasons[column.name] = grid.reshape(shape), why.reshape(shape)
    keep = set(release.column_names if only is None else only)
    notes += _drop_not_supplied(release, values, reasons, keep)
    _derive(release, values, reasons)
    return PublishedTable(
        release,
        areas,
        _names(frame, areas, row_area),
        periods,
        {c: v for c, v in values.items() if c in keep},
        {c: r for c, r in reasons.items() if c in keep},
        {c: t for c, t in texts.items() if c in keep},
        records,
        tuple(notes),
    )


def _refuse_unknown(release: PublishedRelease, only: Sequence[str] | None) -> None:
    unknown = [c for c in only or () if c not in release.column_names]
    if unknown:
        raise DataError(
            [
                Problem(
                    f"release '{release.id}' has no column '{c}'.",
                    "",
                    did_you_mean(c, release.column_names)
                    or f"Columns: {', '.join(release.column_names)}.",
                )
                for c in unknown
            ]
        )


def _read_files(
    release: PublishedRelease, root: Roots
) -> tuple[pd.DataFrame, tuple[Release, ...], list[str]]:
    """Read every file of a release and join them on area and period."""
    joined: pd.DataFrame | None = None
    records, notes = [], []
    published = tuple(c.published for c in release.columns)
    for file in release.files:
        path = locate(release, file, root)
        digest = sha256_of(path)
        if file.sha256 and digest != file.sha256:
            notes.append(f"{path.name} is not the file on record (sha256 {digest[:12]}…).")
        frame, n = layout(file.layout)(file, path)
        records.append(
            Release(release.id, path.name, digest, n, n, 0, release.licence, release.attribution)
        )
        keys = [c for c in ("area", "period") if c in frame.columns]
        if len(release.files) == 1:
            require(frame, published, release.id)
        if file.layout == "categories":
            _refuse_new_categories(release, [str(c) for c in frame if c not in {*published, *keys}])
        frame = frame[[c for c in frame.columns if c in published or c in (*keys, "name")]]
        if joined is None:
            joined = frame
            continue
        repeated = [c for c in frame.columns if c in joined.columns and c not in keys]
        joined = joined.merge(frame.drop(columns=repeated), on=keys, how="outer", validate="1:1")
    if joined is None:
        raise AssertionError(release.id)  # every release has a file; a test holds it
    require(joined, published, release.id)
    return joined, tuple(records), notes


def _refuse_new_categories(release: PublishedRelease, unknown: Sequence[str]) -> None:
    if unknown:
        raise DataError(
            [
                Problem(
                    f"'{c}' is a category that no column stands for.",
                    release.id,
                    "The publisher has a new category: it needs a row in the table of columns.",
                )
                for c in unknown
            ]
        )


def _areas(release: PublishedRelease, frame: pd.DataFrame) -> tuple[Strings, npt.NDArray[np.intp]]:
    codes = frame["area"].fillna("").astype(str).str.strip()
    pattern = re.compile(CODE_PATTERNS[release.vintage])
    areas, row_area = np.unique(codes.to_numpy(dtype=str), return_inverse=True)
    strange = [str(a) for a in areas if not pattern.fullmatch(str(a))]
    if strange:
        raise DataError(
            Problem(
                f"'{strange[0]}' is not a code of vintage {release.vintage}"
                + (f" ({len(strange)} such codes)." if len(strange) > 1 else "."),
                release.id,
                "Check that the file is the release's own.",
            )
        )
    return areas, row_area


def _periods(
    release: PublishedRelease, frame: pd.DataFrame
) -> tuple[Periods | None, npt.NDArray[np.intp]]:
    if not release.period_kind:
        return None, np.zeros(len(frame), dtype=np.intp)
    kind = PeriodKind(release.period_kind)
    codes, texts = pd.factorize(frame["period"].astype(str).str.strip())
    ordinals = [_ordinal(str(t), kind) for t in texts]
    bad = [str(t) for t, o in zip(texts, ordinals, strict=True) if o is None]
    if bad:
        raise DataError(Problem(f"'{bad[0]}' is not a {kind.value}.", release.id))
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


def _refuse_twice(
    release: PublishedRelease, frame: pd.DataFrame, cell: npt.NDArray[np.intp]
) -> None:
    twice = pd.Series(cell).duplicated().to_numpy()
    if twice.any():
        row = frame.iloc[int(twice.argmax())]
        what = f"{row['area']} {row['period']}" if "period" in frame.columns else str(row["area"])
        raise DataError(Problem(f"{what} stands twice.", release.id))


def _numbers(
    release: PublishedRelease, published: str, frame: pd.DataFrame
) -> tuple[Floats, Reasons]:
    column = frame[published]
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    why = np.zeros(len(values), dtype=np.uint8)
    missing = np.isnan(values)
    if not missing.any():
        return values, why
    words = column[missing]
    words = words.where(words.notna(), "").astype(str).str.strip()
    allowed = {**({"": release.blank} if release.blank else {}), **release.markers}
    unknown = sorted(set(words) - set(allowed))
    if unknown:
        at = frame["area"][missing][words == unknown[0]].iloc[0]
        shown = f"'{unknown[0]}'" if unknown[0] else "an empty cell"
        raise DataError(
            Problem(
                f"{shown} in '{published}' (area {at}) is neither a number nor a known marker.",
                release.id,
                f"Known: {', '.join(repr(m) for m in allowed) or 'none'}.",
            )
        )
    why[missing] = [_CODE[allowed[w]] for w in words]
    return values, why


def _drop_not_supplied(
    release: PublishedRelease,
    values: dict[str, Floats],
    reasons: dict[str, Reasons],
    keep: set[str],
) -> list[str]:
    notes = []
    for name in release.not_supplied:
        if not np.nan_to_num(values[name]).any():
            values[name] = np.full_like(values[name], np.nan)
            reasons[name] = np.full_like(reasons[name], _CODE["not_published"])
            if name in keep:
                notes.append(
                    f"'{name}' is zero everywhere: it was not supplied, and is missing here."
                )
    return notes


def _derive(
    release: PublishedRelease, values: dict[str, Floats], reasons: dict[str, Reasons]
) -> None:
    for share in release.derived:
        parts = (*share.numerator, *share.denominator)
        made: Floats = np.sum([values[c] for c in share.numerator], axis=0)
        if share.denominator:
            with np.errstate(divide="ignore", invalid="ignore"):
                made = made / np.sum([values[c] for c in share.denominator], axis=0)
        made[~np.isfinite(made)] = np.nan
        why = np.max([reasons[c] for c in parts], axis=0)
        why[np.isnan(made) & (why == 0)] = _CODE["not_published"]  # nobody lives there
        values[share.name], reasons[share.name] = made, why


def _names(frame: pd.DataFrame, areas: Strings, row_area: npt.NDArray[Any]) -> Strings:
    if "name" not in frame.columns:
        return areas
    names = areas.astype(object)
    given = frame["name"].fillna("").astype(str).str.strip().to_numpy()
    names[row_area[given != ""]] = given[given != ""]
    return names.astype(str)
