"""What data can be had, what is here, what the store holds and where its gaps are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from areaeffect.records import Json
from areaeffect.sources.police_uk.force_coverage import ForceMonth, force_months, gaps_in
from areaeffect.sources.police_uk.lake import check_store, has_store, open_lake, remove_store
from areaeffect.sources.publishers import police_archive as police
from areaeffect.sources.publishers.releases import (
    GEOGRAPHY_NAMES,
    PublishedRelease,
    catalogue,
    how_to_get,
    is_here,
)
from areaeffect.study.parts import SHARED_DATA_VARIABLE, default_fetched, resolve

__all__ = ["SourceListing", "check_store", "list_sources", "open_lake", "remove_store"]

_RELEASE_HEADINGS = ("release", "periods", "areas", "vintage", "covers", "use", "here")
_STORE_HEADINGS = ("source", "force", "first", "last", "months", "rows", "no area", "rejected", "gaps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """A release that can be had."""

    #: release, family, title: its name in studies, its page in docs/sources, its title
    release: str
    family: str
    title: str
    periods: str  # those it has, or the date it describes
    #: areas, vintage, coverage: what an area is, its census vintage, the part of the country
    areas: str
    vintage: str
    coverage: str
    use: str  # what it can serve as at most (`PublishedRelease.use`)
    here: str  # `fetched`, `shared folder` or empty
    how: str  # the command that gets it, or the publisher's page where no address is on record


@dataclass(frozen=True, slots=True)
class SourceListing:
    """What can be had and what is held."""

    releases: tuple[Available, ...]  # the catalogue, in its order; police.uk first.
    store: bool  # whether there is a store
    files: dict[str, int]  # files the store has read, and those passed over, by status
    coverage: tuple[ForceMonth, ...]  # source × force × month of the store

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return {
            "releases": [asdict(r) for r in self.releases],
            "store": self.store,
            "files": self.files,
            "coverage": [c.to_dict() for c in self.coverage],
        }

    def text(self) -> str:
        """Return two tables: releases, then what the store holds, a row a force with its gaps."""
        by_hand = [r for r in self.releases if not r.here and not r.how.startswith("areaeffect")]
        releases = [
            (
                *(r.release, r.periods, r.areas, r.vintage, r.coverage, r.use),
                r.here or ("no, by hand" if r in by_hand else f"no: {r.how}"),
            )
            for r in self.releases
        ]
        lines = ["What can be had:", "", *_table([_RELEASE_HEADINGS, *releases]), ""]
        lines += [f"{r.release}: {r.how}" for r in by_hand]
        lines += ["", "What the store holds:", ""]
        if not self.coverage:
            what = "it is empty" if self.store else "there is none yet"
            return "\n".join([*lines, f"{what}; `areaeffect ingest police-uk` fills it."])
        rows = [_STORE_HEADINGS]
        for (source, force), cells in groupby(self.coverage, lambda c: (c.source, c.force)):
            months = list(cells)
            kept = sum(c.rows_kept for c in months)
            bare = sum(c.not_located for c in months)
            rows.append(
                (
                    source,
                    force,
                    months[0].month,
                    months[-1].month,
                    str(sum(c.status != "missing" for c in months)),
                    f"{kept:,}",
                    f"{100 * bare / max(kept, 1):.1f}%",
                    f"{sum(c.rows_rejected for c in months):,}",
                    gaps_in(months),
                )
            )
        counted = ", ".join(f"{n:,} {status}" for status, n in sorted(self.files.items()))
        return "\n".join([*lines, *_table(rows), "", f"Files: {counted}."])


def list_sources(root: Path) -> SourceListing:
    """List the catalogue, where each release is, and what a store holds.

    Parameters
    ----------
    root : the store's folder; there need not be one.

    Raises
    ------
    DataError
        The store is of another format, or damaged.
    """
    releases = (_police_uk(), *(_available(r) for r in catalogue().values()))
    if not has_store(root):
        return SourceListing(releases, store=False, files={}, coverage=())
    manifest = open_lake(root).manifest()
    files: dict[str, int] = {}
    for row in manifest:
        files[row["status"]] = files.get(row["status"], 0) + 1
    return SourceListing(releases, store=True, files=files, coverage=force_months(manifest))


def _police_uk() -> Available:
    fetched = (default_fetched() / police.NAME).rglob("*.*")
    return Available(
        release=police.NAME,
        family="police_uk",
        title="data.police.uk: street-level crime and anti-social behaviour",
        periods="2010-12 on, by month",
        areas="LSOA",
        vintage="lsoa01, lsoa11, lsoa21",
        coverage="England and Wales, by force",
        use="level or change",
        here="fetched" if any(p.suffix in {".csv", ".zip"} for p in fetched) else "",
        how=f"areaeffect fetch police_uk --from YYYY-MM --to YYYY-MM, then ingest ({police.PAGE})",
    )


def _available(release: PublishedRelease) -> Available:
    shared = resolve(f"${{{SHARED_DATA_VARIABLE}}}", Path())
    here = ""
    for name, folder in (("fetched", default_fetched()), ("shared folder", shared)):
        if not here and is_here(release, folder):
            here = name
    return Available(
        release=release.id,
        family=release.group,
        title=release.title,
        periods=release.periods or release.as_of,
        areas=GEOGRAPHY_NAMES[release.geography][0],
        vintage=release.vintage,
        coverage=release.coverage,
        use=release.use,
        here=here,
        how=f"areaeffect fetch {release.id}" if release.is_fetched else how_to_get(release),
    )


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
