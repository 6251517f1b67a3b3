"""`areaeffect fetch`: releases from their publishers' own addresses into a folder."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from areaeffect.errors import DataError, Problem, StudyError, did_you_mean
from areaeffect.sources.police_uk.lake import store_path
from areaeffect.sources.publishers.download import Item
from areaeffect.sources.publishers.download import fetch as fetch_items
from areaeffect.sources.publishers.releases import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from areaeffect.sources.publishers.download import Fetched

_POLICE_UK = re.compile(r"police_uk:(\d{4}-(?:0[1-9]|1[0-2])|latest)")
#: The archive of a month holds that month and the 35 before it, of every force.
_ARCHIVE = "https://data.police.uk/data/archive/{month}.zip"
POLICE_UK_PAGE = "https://data.police.uk/data/archive/"


@dataclass(frozen=True, slots=True)
class ByHand:
    """A release without an address on record, and what a person can do.

    Parameters
    ----------
    release, page : its name, and the publisher's page.
    files : where each of its files is looked for, below the folder.
    provenance : whose copy the file on record is, and what was done to it.
    """

    release: str
    page: str
    files: tuple[str, ...]
    provenance: str

    def advice(self, folder: Path) -> str:
        """Say what to download and where to put it."""
        copy = f" (The file on record: {self.provenance}.)" if self.provenance else ""
        names = ", ".join(self.files)
        return f"Take it from {self.page} and put it into {folder} as {names}.{copy}" + _another_of(
            self.release
        )


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What was asked for and is here now.

    Parameters
    ----------
    folder : where the files are.
    files : the files.
    by_hand : what has no address on record.
    """

    folder: Path
    files: tuple[Fetched, ...]
    by_hand: tuple[ByHand, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        by_hand = [asdict(b) for b in self.by_hand]
        files = [_fetched(f) for f in self.files]
        return {"folder": str(self.folder), "files": files, "by_hand": by_hand}

    def text(self) -> str:
        """Return the report for a person."""
        lines = [
            f"{'fetched' if f.asked else 'was here'}: {f.path} ({f.bytes:,} bytes)"
            for f in self.files
        ]
        lines += [
            f"no address on record: {b.release}. {b.advice(self.folder)}" for b in self.by_hand
        ]
        return "\n".join(lines)


def default_folder() -> Path:
    """Return where fetched files go: `fetched`, beside the store."""
    store = store_path(None)
    return store.with_name("fetched")


def fetch(
    names: Sequence[str],
    folder: Path | None,
    progress: Callable[[str, int, int], None],
    *,
    again: bool = False,
) -> FetchReport:
    """Get releases by name.

    Parameters
    ----------
    names : releases (`imd_2019_file_7`), groups of releases (`imd`), or months of the police.uk
        archive (`police_uk:2025-11`, `police_uk:latest`).
    folder : where they go; None: `default_folder`.
    progress : told the file, the bytes that are here, and all its bytes.
    again : ask the publisher also for what is here.

    Raises
    ------
    StudyError
        A name that is none of these; every one at once.
    DataError
        A file could not be had; or nothing that was named has an address.
    """
    items, by_hand = _items(names)
    into = folder or default_folder()
    if not items:
        raise DataError(
            [Problem("no address is on record.", b.release, b.advice(into)) for b in by_hand]
        )
    return FetchReport(into, fetch_items(items, into, progress, again=again), by_hand)


def _another_of(release_id: str) -> str:
    """Name releases of the same edition that can be fetched."""
    known = catalogue()
    one = known[release_id]
    same = [
        r.id
        for r in known.values()
        if any(f.address for f in r.files)
        and (r.group, r.vintage, r.as_of) == (one.group, one.vintage, one.as_of)
    ]
    return f" Or fetch {' or '.join(same)}." if same else ""


def _fetched(fetched: Fetched) -> dict[str, Any]:
    return {
        **asdict(fetched.item),
        "path": str(fetched.path),
        "sha256": fetched.sha256,
        "bytes": fetched.bytes,
        "asked": fetched.asked,
    }


def _items(names: Sequence[str]) -> tuple[tuple[Item, ...], tuple[ByHand, ...]]:
    known = catalogue()
    groups = {r.group for r in known.values()}
    items: list[Item] = []
    by_hand: list[ByHand] = []
    problems: list[Problem] = []
    for name in names:
        if match := _POLICE_UK.fullmatch(name):
            address = _ARCHIVE.format(month=match[1])
            items.append(Item(name, address, f"police_uk/{match[1]}.zip", page=POLICE_UK_PAGE))
            continue
        releases = [r for r in known.values() if name in {r.id, r.group}]
        if not releases:
            every = [*known, *groups, "police_uk:latest"]
            fix = did_you_mean(name, every) or f"Known: {', '.join(known)}, police_uk:YYYY-MM."
            problems.append(Problem(f"there is no release '{name}' to fetch.", "", fix))
        for release in releases:
            files = [f for f in release.files if f.address]
            if not files:
                paths = tuple(f.path for f in release.files)
                copies = dict.fromkeys(f.provenance for f in release.files if f.provenance)
                by_hand.append(ByHand(release.id, release.page, paths, "; ".join(copies)))
            items += [
                Item(release.id, f.address, f.path, f.sha256, f.bytes, release.page) for f in files
            ]
    if problems:
        raise StudyError(problems)
    return tuple(dict.fromkeys(items)), tuple(dict.fromkeys(by_hand))
