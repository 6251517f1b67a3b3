"""A published release as a study names it: found, read, and on the vintage the study works in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.sources.base import SourceKind, SourceRequest
from areaeffect.sources.publishers.files import columns_here, is_here
from areaeffect.sources.publishers.larger_areas import covariate_label, refuse_as_outcome, spread
from areaeffect.sources.publishers.releases import find_release
from areaeffect.sources.publishers.source import as_source_table, columns_asked
from areaeffect.sources.publishers.tables import read
from areaeffect.sources.publishers.vintage import VINTAGES, bring_to
from areaeffect.study.model import PublishedSource
from areaeffect.study.paths import SHARED_DATA_VARIABLE, default_fetched, resolve

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.sources.base import SourceTable, Wanted
    from areaeffect.sources.publishers.files import Roots
    from areaeffect.sources.publishers.tables import PublishedTable
    from areaeffect.study.window import Window

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
    wanted: tuple[Wanted, ...],
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
    table = read(release.id, roots, asked)
    if is_larger:
        table = _spread(table, vintage, roots)
    elif vintage != release.vintage:
        table = bring_to(table, vintage, roots)
    return as_source_table(name, table, window, wanted, attributes)


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
            Problem(
                f"no list says in which local authority an area of {vintage} lies.",
                table.release.id,
                f"Vintages: {', '.join(AUTHORITIES)}.",
            )
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
        request.name,
        request.source,
        request.file.folder,
        request.window,
        request.wanted,
        request.attributes,
    )


def _describe(request: SourceRequest[PublishedSource]) -> str:
    found = find_release(request.source.release)
    when = found.periods or found.as_of
    return (
        f"{request.name}: {found.id}, {when}, {found.vintage}, {found.coverage}; use: {found.use}"
    )


SOURCE = SourceKind(
    model=PublishedSource,
    read=_read_request,
    describe=_describe,
    described_at=described_at,
    printed=printed_name,
)
