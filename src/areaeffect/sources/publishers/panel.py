"""A published release as a study names it: found, read, and on the vintage the study works in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.panel import REASONS, Hidden, Strings
from areaeffect.period_texts import parse_period
from areaeffect.periods import PeriodKind, Periods
from areaeffect.sources.base import MeasureRequest, SourceKind, SourceRequest, SourceTable
from areaeffect.sources.panel_values import hidden_counts
from areaeffect.sources.publishers.releases import (
    GEOGRAPHY_NAMES,
    Geography,
    PublishedRelease,
    Roots,
    columns_here,
    find_release,
    is_here,
)
from areaeffect.sources.publishers.tables import PublishedTable, read
from areaeffect.sources.publishers.vintage import VINTAGES, bring_to
from areaeffect.study.model import PublishedSource
from areaeffect.study.parts import SHARED_DATA_VARIABLE, Window, default_fetched, resolve

if TYPE_CHECKING:
    pass

#: Release and columns that say in which local authority the areas of each vintage lie; of the
#: columns the first that the file here has.
AUTHORITIES = {
    "lsoa11": ("places_lsoa11", ("ltla21_code", "ltla20_code")),
    "lsoa21": ("places_lsoa21", ("ltla22_code",)),
}


def read_published(
    name: str,
    source: PublishedSource,
    folder: Path,
    window: Window,
    wanted: tuple[MeasureRequest, ...],
    attributes: tuple[str, ...],
) -> SourceTable:
    """Read what a study wants of a release.

    Raises
    ------
    StudyError
        No such release, or a figure of a larger area named as an outcome.
    DataError
        As `published.read` and `bring_to`.
    """
    release = find_release(source.release, f"source.{name}")
    roots = roots_of(source.path, folder)
    vintage = source.vintage or release.vintage
    is_larger = release.vintage not in VINTAGES and vintage in VINTAGES
    asked = columns_asked(wanted, attributes)
    if is_larger:
        named = columns_asked(wanted, ())
        problems = [refuse_as_outcome(release, c, "lsoa", f"source.{name}") for c in named]
        if refused := [p for p in problems if p is not None]:
            raise StudyError(refused)
    own = table = read(release.id, roots, asked)
    if is_larger:
        table = _spread(table, vintage, roots)
    elif vintage != release.vintage:
        table = bring_to(table, vintage, roots)
    return as_source_table(name, table, window, wanted, attributes, own.areas)


def described_at(source: PublishedSource, _folder: Path) -> str | None:
    """Return the latest date a release describes; None where it has periods of its own."""
    return find_release(source.release).as_of or None


def printed_name(source: PublishedSource, column: str) -> str:
    """Return a covariate's name in print; a figure of a larger area says so."""
    release = find_release(source.release)
    areas = "lsoa" if (source.vintage or release.vintage) in VINTAGES else release.geography
    return covariate_label(release, column, areas)


def roots_of(path: str | None, folder: Path) -> Roots:
    """Return where releases are looked for: a folder of the study's, else the usual ones."""
    if path is not None:
        return resolve(path, folder)
    return published_roots(folder)


def published_roots(folder: Path) -> tuple[Path, ...]:
    """Return where releases are looked for: what `fetch` got, then the shared data."""
    return default_fetched(), resolve(f"${{{SHARED_DATA_VARIABLE}}}", folder)


def _spread(table: PublishedTable, vintage: str, roots: Roots) -> PublishedTable:
    """Give every LSOA the figures of its local authority."""
    if vintage not in AUTHORITIES:
        raise DataError(
            f"no list says in which local authority an area of {vintage} lies.",
            table.release.id,
            f"Vintages: {', '.join(AUTHORITIES)}.",
        )
    release, column = authority_column(vintage, roots)
    places = read(release, roots, [column])
    return spread(table, places.areas, places.names, places.texts[column])


def authority_column(vintage: str, roots: Roots) -> tuple[str, str]:
    """Return the release and column that say in which local authority an area lies."""
    release_id, columns = AUTHORITIES[vintage]
    release = find_release(release_id)
    there = columns_here(release, roots) if is_here(release, roots) else columns
    return release_id, next(c for c in columns if c in there)


def _read_request(request: SourceRequest[PublishedSource]) -> SourceTable:
    return read_published(
        request.name, request.source, request.file.folder, request.window, request.wanted, request.attributes
    )


def _describe(request: SourceRequest[PublishedSource]) -> str:
    found = find_release(request.source.release)
    when = found.periods or found.as_of
    return f"{request.name}: {found.id}, {when}, {found.vintage}, {found.coverage}; use: {found.use}"


SOURCE = SourceKind(
    model=PublishedSource,
    read=_read_request,
    describe=_describe,
    described_at=described_at,
    printed=printed_name,
)


def columns_asked(wanted: tuple[MeasureRequest, ...], attributes: tuple[str, ...]) -> tuple[str, ...]:
    """Return every column that measures and attributes need."""
    several = [c for w in wanted for c in w.category or (w.value,)]
    return tuple(dict.fromkeys([*several, *attributes]))


def as_source_table(  # one thing, in the order of `read_published`
    name: str,
    table: PublishedTable,
    window: Window,
    wanted: tuple[MeasureRequest, ...],
    attributes: tuple[str, ...],
    own_areas: Strings,
) -> SourceTable:
    """Return a published table in the shape that every source gives back.

    Measures are cut to the study's window. A release of one date is one period of the window's
    kind, so that it can be the outcome of a level claim.

    Parameters
    ----------
    wanted : measures; categories name the columns to add up.
    own_areas : codes of the areas that the publisher gives: an area with such a code is unchanged.

    Raises
    ------
    DataError
        A rank, decile or text as an outcome; rates as counts; a sum of what is no count.
    """
    release = table.release
    if wanted and table.periods is not None:
        table = _in_window(table, window)
    columns = {w: w.category or (w.value,) for w in wanted}
    _refuse_outcomes(table, columns)
    measures = {w: np.sum([table.values[c] for c in cs], axis=0) for w, cs in columns.items()}
    reasons = {w: np.max([table.reasons[c] for c in cs], axis=0) for w, cs in columns.items()}
    hidden: dict[MeasureRequest, Hidden] = {}
    notes = [*table.notes, *release.caveats]
    same = np.isin(table.areas, own_areas)
    for w, cs in columns.items():
        if w.is_count:
            found, said = hidden_counts(
                measures[w], reasons[w], release.hidden, parts=len(set(cs)), same=same
            )
            notes += [f"{release.id}: {said}"] if said else []
            hidden |= {w: found} if found else {}
    texts = {c: table.texts[c] for c in attributes if c in table.texts}
    numbers = {c: table.values[c] for c in attributes if c not in texts}
    is_one_date = table.periods is None
    fixed = texts | ({c: values[:, 0] for c, values in numbers.items()} if is_one_date else {})
    first, *more = (replace(r, source=name) for r in table.records)
    return SourceTable(
        areas=table.areas,
        names=table.names,
        periods=table.periods or (_one_period(release, window) if wanted else None),
        measures=measures,
        attributes=fixed,
        varying={} if is_one_date else numbers,
        release=first,
        notes=tuple(notes),
        more_releases=tuple(more),
        reasons=reasons,
        hidden=hidden,
    )


def _in_window(table: PublishedTable, window: Window) -> PublishedTable:
    """Keep the periods that lie wholly inside the window."""
    periods = table.periods
    first, last = (parse_period(t, window.kind) for t in (window.start, window.end))
    if periods is None or first is None or last is None or window.kind is PeriodKind.NUMBER:
        raise DataError(
            f"a release by {periods.kind if periods else 'date'} cannot be read in a window of numbers.",
            table.release.id,
            "Write `study.window` in months, quarters or years.",
        )
    begins = periods.ordinals * periods.kind.months + periods.kind.first_month(0)
    inside = begins >= window.kind.first_month(first)
    inside &= begins + periods.kind.months <= window.kind.first_month(last + 1)
    if not inside.any():
        raise DataError(
            f"no {periods.kind} of this release lies in the window {window.start} to "
            f"{window.end}; it runs from {periods.labels[0]} to {periods.labels[-1]}.",
            table.release.id,
            "Change `study.window`.",
        )
    kept = np.flatnonzero(inside)
    return replace(
        table,
        periods=Periods(periods.kind, int(periods.ordinals[kept[0]]), len(kept)),
        values={c: v[:, kept] for c, v in table.values.items()},
        reasons={c: r[:, kept] for c, r in table.reasons.items()},
    )


def _one_period(release: PublishedRelease, window: Window) -> Periods | None:
    """Return the period of the window's kind that a release of one date describes."""
    month = parse_period(release.as_of, PeriodKind.MONTH)
    if month is None or window.kind is PeriodKind.NUMBER:
        return None
    return Periods(window.kind, window.kind.holding(month), 1)


def _refuse_outcomes(table: PublishedTable, columns: dict[MeasureRequest, tuple[str, ...]]) -> None:
    kinds = {c.name: c.kind for c in table.release.columns}
    kinds.update({d.name: "share" for d in table.release.derived})
    problems = []
    for wanted, names in columns.items():
        for column in names:
            kind = kinds[column]
            if kind in {"rank", "decile", "text"}:
                what = f"'{column}' is a {kind}: it is relative within its release"
                fix = "Take a count, rate or score."
            elif wanted.is_count and kind != "count":
                what, fix = f"'{column}' is a {kind}, not a count", 'Write kind = "score".'
            elif len(names) > 1 and kind != "count":
                what, fix = f"'{column}' is a {kind}: only counts add up", "Name one column."
            else:
                continue
            problems.append(Problem(f"{what}.", table.release.id, fix))
    if problems:
        raise DataError(problems)


def refuse_as_outcome(
    release: PublishedRelease, column: str, areas: Geography, where: str = ""
) -> Problem | None:
    """Return why a column cannot be an outcome of a study of such areas; None where it can.

    Parameters
    ----------
    release : the release the outcome names.
    column : its column.
    areas : what one area of the study is.
    where : place in the study file.
    """
    if release.geography == areas:
        return None
    one, _ = GEOGRAPHY_NAMES[release.geography]
    own, smaller = GEOGRAPHY_NAMES[areas]
    return Problem(
        f"'{column}' of '{release.id}' is one figure a {one}. It cannot differ between the "
        f"{smaller} inside a {one}, so it says nothing about a neighbourhood against its "
        "benchmark areas.",
        where,
        f"Use it as a covariate, or take an outcome that is published by {own}.",
    )


def covariate_label(release: PublishedRelease, label: str, areas: Geography) -> str:
    """Return the name in print of a covariate, with the larger area it describes."""
    if release.geography == areas:
        return label
    return f"{label} (of the {GEOGRAPHY_NAMES[release.geography][0]})"


def spread(table: PublishedTable, areas: Strings, names: Strings, larger: Strings) -> PublishedTable:
    """Give each area the figures of the larger area it lies in.

    Parameters
    ----------
    table : a release of larger areas.
    areas, names : (n_areas,), codes and names, ascending by code.
    larger : (n_areas,), code of the larger area that each lies in.

    Returns
    -------
    PublishedTable
        On the areas given; missing with reason `no_row` where the larger area is not in the
        table. For covariates only: `refuse_as_outcome`.

    Raises
    ------
    DataError
        No code in common (a list of another year, another country).
    """
    one, _ = GEOGRAPHY_NAMES[table.release.geography]
    at = np.minimum(np.searchsorted(table.areas, larger), len(table.areas) - 1)
    found = table.areas[at] == larger
    if not found.any():
        raise DataError(
            f"no area lies in a {one} of this release.",
            table.release.id,
            "Codes change when authorities merge: use a lookup of the same year.",
        )
    no_row = np.uint8(REASONS.index("no_row"))
    return replace(
        table,
        areas=areas,
        names=names,
        values={c: np.where(found[:, None], v[at], np.nan) for c, v in table.values.items()},
        reasons={c: np.where(found[:, None], r[at], no_row) for c, r in table.reasons.items()},
        texts={c: np.where(found, t[at], "") for c, t in table.texts.items()},
        notes=(*table.notes, f"{table.release.id}: each area has the figure of its {one}."),
    )
