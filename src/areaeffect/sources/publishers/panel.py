"""A published release as a study names it: found, read, and on the vintage the study works in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.geography.codes import Lookup, load_lookup
from areaeffect.geography.vintages import Weights, convert_counts, convert_rates
from areaeffect.panel import REASONS, Hidden
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.results import Floats, Strings
from areaeffect.sources.coverage import MeasureRequest, SourceKind, SourceRequest, SourceTable
from areaeffect.sources.panel_periods import within
from areaeffect.sources.panel_values import hidden_counts
from areaeffect.sources.publishers.releases import (
    GEOGRAPHY_NAMES,
    Roots,
    columns_here,
    find_release,
    is_here,
    locate,
)
from areaeffect.sources.publishers.tables import PublishedTable, Reasons, read
from areaeffect.study.model import PublishedSource
from areaeffect.study.parts import SHARED_DATA_VARIABLE, Window, default_fetched, resolve

VINTAGES = ("lsoa01", "lsoa11", "lsoa21")
#: Releases whose column `residents` holds those of each vintage's areas, and how they are
#: called: the first that is here.
RESIDENTS = {
    "lsoa11": {
        "population_census_2011": "residents of Census 2011",
        "population_mid_year": "residents of the first mid-year estimate",
    },
    "lsoa21": {
        "census_2021_residents": "residents of Census 2021",
        "census_2021_ethnic_group": "residents of Census 2021",
    },
}
_BOUNDARY_CHANGE = np.uint8(REASONS.index("boundary_change"))
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
    """Read what a study wants of a release; refuse a figure of a larger area as an outcome."""
    release = find_release(source.release, f"source.{name}")
    roots = published_roots(folder, source.path)
    vintage = source.vintage or release.vintage
    is_larger = release.vintage not in VINTAGES and vintage in VINTAGES
    named = [c for w in wanted for c in w.category or (w.value,)]
    if is_larger and named:
        one, _ = GEOGRAPHY_NAMES[release.geography]
        what = (
            f"is one figure a {one}. It cannot differ between the LSOAs inside a {one}, so it says nothing "
            "about a neighbourhood against its benchmark areas."
        )
        fix = "Use it as a covariate, or take an outcome that is published by LSOA."
        raise StudyError(
            [Problem(f"'{c}' of '{release.id}' {what}", f"source.{name}", fix) for c in dict.fromkeys(named)]
        )
    own = table = read(release.id, roots, list(dict.fromkeys([*named, *attributes])))
    if is_larger:
        if vintage not in AUTHORITIES:
            what = f"no list says in which local authority an area of {vintage} lies."
            raise DataError(what, release.id, f"Vintages: {', '.join(AUTHORITIES)}.")
        list_of, column = authority_column(vintage, roots)
        table = _spread(table, read(list_of, roots, [column]), column)
    elif vintage != release.vintage:
        table = bring_to(table, vintage, roots)
    return _as_source_table(name, table, window, wanted, attributes, own.areas)


def described_at(source: PublishedSource, _folder: Path) -> str | None:
    """Return the latest date a release describes; None where it has periods of its own."""
    return find_release(source.release).as_of or None


def printed_name(source: PublishedSource, column: str) -> str:
    """Return a covariate's name in print; a figure of a larger area says so."""
    release = find_release(source.release)
    if release.geography == "lsoa" or (source.vintage or release.vintage) not in VINTAGES:
        return column
    return f"{column} (of the {GEOGRAPHY_NAMES[release.geography][0]})"


def published_roots(folder: Path, own: str | None = None) -> tuple[Path, ...]:
    """Return where releases are looked for: a study's own folder; else what `fetch` got, then the shared."""
    if own is not None:
        return (resolve(own, folder),)
    return default_fetched(), resolve(f"${{{SHARED_DATA_VARIABLE}}}", folder)


def authority_column(vintage: str, roots: Roots) -> tuple[str, str]:
    """Return the release and column that say in which local authority an area lies."""
    release_id, columns = AUTHORITIES[vintage]
    release = find_release(release_id)
    there = columns_here(release, roots) if is_here(release, roots) else columns
    return release_id, next(c for c in columns if c in there)


def _describe(request: SourceRequest[PublishedSource]) -> str:
    found = find_release(request.source.release)
    when = found.periods or found.as_of
    return f"{request.name}: {found.id}, {when}, {found.vintage}, {found.coverage}; use: {found.use}"


SOURCE = SourceKind(
    model=PublishedSource,
    read=lambda r: read_published(r.name, r.source, r.file.folder, r.window, r.wanted, r.attributes),
    describe=_describe,
    described_at=described_at,
    printed=printed_name,
)


def _as_source_table(
    name: str,
    table: PublishedTable,
    window: Window,
    wanted: tuple[MeasureRequest, ...],
    attributes: tuple[str, ...],
    own_areas: Strings,
) -> SourceTable:
    """Return a published table in the shape that every source gives back, in the study's window.

    A release of one date is one period of the window's kind, so that it can be the outcome of a level
    claim. `own_areas` are the publisher's codes: an area with such a code is unchanged.
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
    periods, is_one_date = table.periods, table.periods is None
    month = parse_period(release.as_of, PeriodKind.MONTH)
    if is_one_date and wanted and month is not None and window.kind is not PeriodKind.NUMBER:
        periods = Periods(window.kind, window.kind.holding(month), 1)
    fixed = texts | ({c: values[:, 0] for c, values in numbers.items()} if is_one_date else {})
    first, *more = (replace(r, source=name) for r in table.records)
    return SourceTable(
        areas=table.areas,
        names=table.names,
        periods=periods,
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
    if periods is None or window.kind is PeriodKind.NUMBER:
        what = f"a release by {periods.kind if periods else 'date'} cannot be read in a window of numbers."
        fix = "Write `study.window` in months, quarters or years."
        raise DataError(what, table.release.id, fix)
    inside = within(window, periods.ordinals, periods.kind)
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


def _spread(table: PublishedTable, places: PublishedTable, column: str) -> PublishedTable:
    """Give each area the figures of the larger area it lies in, by a column of a list of places."""
    one, larger = GEOGRAPHY_NAMES[table.release.geography][0], places.texts[column]
    at = np.minimum(np.searchsorted(table.areas, larger), len(table.areas) - 1)
    found = table.areas[at] == larger
    if not found.any():
        what = f"no area lies in a {one} of this release."
        fix = "Codes change when authorities merge: use a lookup of the same year."
        raise DataError(what, table.release.id, fix)
    no_row = np.uint8(REASONS.index("no_row"))
    return replace(
        table,
        areas=places.areas,
        names=places.names,
        values={c: np.where(found[:, None], v[at], np.nan) for c, v in table.values.items()},
        reasons={c: np.where(found[:, None], r[at], no_row) for c, r in table.reasons.items()},
        texts={c: np.where(found, t[at], "") for c, t in table.texts.items()},
        notes=(*table.notes, f"{table.release.id}: each area has the figure of its {one}."),
    )


def residents(vintage: str, root: Roots) -> Weights | None:
    """Return the residents of a vintage's areas; None where no release here holds them."""
    for release_id, name in RESIDENTS.get(vintage, {}).items():
        if is_here(find_release(release_id), root):
            table = read(release_id, root, ["residents"])
            return Weights(name, table.areas, table.values["residents"][:, 0])
    return None


def bring_to(table: PublishedTable, vintage: str, root: Roots) -> PublishedTable:
    """Bring a table to a later census vintage, 2001 → 2011 → 2021.

    Counts are divided by residents where areas split, to the last unit; rates, scores, shares,
    ranks and deciles are means weighted by residents where areas merged, and as they were in each
    part of a split area; texts where all parts agree. Areas that changed irregularly are missing
    with reason `boundary_change`, and named in the notes.
    """
    own = table.release.vintage
    if own not in VINTAGES or vintage not in VINTAGES:
        what = f"areas of '{own}' cannot be brought to '{vintage}'."
        raise DataError(what, table.release.id, f"Vintages: {', '.join(VINTAGES)}.")
    first, last = VINTAGES.index(own), VINTAGES.index(vintage)
    if last < first:
        what = f"areas of {own} are newer than {vintage}; tables are only brought forward."
        raise DataError(what, table.release.id, f'Work with vintage = "{own}".')
    for old, new in zip(VINTAGES[first:last], VINTAGES[first + 1 : last + 1], strict=True):
        lookup = lookup_of(f"lookup_{old}_{new}", root)
        table = _step(table, lookup, residents(old, root), residents(new, root), new)
    return table


def lookup_of(release_id: str, root: Roots) -> Lookup:
    """Read the pairs of two vintages, as the publisher or as a copy has them."""
    ((file, path),) = locate(find_release(release_id), root)
    return load_lookup(path, file.area, file.value, file.category)


def _step(
    table: PublishedTable, lookup: Lookup, of_old: Weights | None, of_new: Weights | None, vintage: str
) -> PublishedTable:
    regular = (lookup.change != "X") & np.isin(lookup.old, table.areas)
    row = np.searchsorted(table.areas, lookup.old[regular])
    targets, target = np.unique(lookup.new[regular], return_inverse=True)
    irregular = np.unique(lookup.new[np.isin(lookup.old, table.areas) & (lookup.change == "X")])
    areas = np.unique(np.concatenate([targets, irregular]))
    at = np.searchsorted(areas, targets)
    notes: dict[str, None] = dict.fromkeys(table.notes)
    kinds = {c.name: c.kind for c in table.release.columns}
    values: dict[str, Floats] = {}
    reasons: dict[str, Reasons] = {}
    for name, old in table.values.items():
        if kinds.get(name) == "count":
            whole = bool((old[np.isfinite(old)] == np.floor(old[np.isfinite(old)])).all())
            converted = convert_counts(old, table.areas, lookup, of_new, whole=whole)
        else:
            converted = convert_rates(old, table.areas, lookup, of_old)
        notes |= dict.fromkeys(f"{lookup.name}: {note}" for note in converted.notes)
        values[name] = np.full((len(areas), old.shape[1]), np.nan)
        values[name][at] = converted.values
        why = np.zeros(values[name].shape, dtype=np.uint8)
        np.maximum.at(why, at[target], table.reasons[name][row])
        why[np.isin(areas, irregular)] = _BOUNDARY_CHANGE
        reasons[name] = np.where(np.isnan(values[name]), why, 0).astype(np.uint8)
    for share in table.release.derived:  # from the converted counts: more exact than means
        if share.name in values and {*share.numerator, *share.denominator} <= set(values):
            made = share.of(values)
            values[share.name] = np.where(np.isfinite(made), made, values[share.name])
    texts = {c: _agreed(t[row], at[target], len(areas)) for c, t in table.texts.items()}
    names = _agreed(table.names[row], at[target], len(areas))
    return replace(
        table,
        release=replace(table.release, vintage=vintage, areas=len(areas)),
        areas=areas,
        names=np.where(names == "", areas, names),
        values=values,
        reasons=reasons,
        texts=texts,
        notes=tuple(notes),
    )


def _agreed(texts: Strings, target: npt.NDArray[np.intp], n: int) -> Strings:
    """Return the text of each newer area; '' where its parts differ or it has none."""
    found = np.full(n, "", dtype=texts.dtype if texts.size else "U1")
    found[target] = texts
    differ = np.zeros(n, dtype=bool)
    np.logical_or.at(differ, target, found[target] != texts)
    found[differ] = ""
    return found
