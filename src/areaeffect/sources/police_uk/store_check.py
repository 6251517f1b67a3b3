"""`areaeffect store check`: every file of a store against its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem
from areaeffect.sources.police_uk.stored_files import AGAIN, measured

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.sources.police_uk.lake import Lake


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """What a whole look at a store found."""

    #: files, rows: listed in the manifest, and what they hold
    files: int
    rows: int
    unlisted: tuple[str, ...]  # Parquet files in its folder that are not of the store, and are never read

    def text(self) -> str:
        """Return the check as lines to read."""
        lines = [f"{self.files:,} files with {self.rows:,} rows: every one as the manifest lists it."]
        return "\n".join([*lines, *(f"{name}: not of the store, not read." for name in self.unlisted)])


def check_store(lake: Lake) -> StoreCheck:
    """Look at every stored file.

    Raises
    ------
    DataError
        With every file that is gone or damaged.
    """
    problems: list[Problem] = []
    whole: dict[str, Path] = {}
    for name in lake.stored():
        try:
            whole[name] = lake.verified(name)
        except DataError as error:
            problems += error.problems
    for name, found in zip(whole, measured(list(whole.values())), strict=True):
        listed = lake.stored()[name]
        if found != listed:
            what = f"the file holds {found.rows} rows, the manifest says {listed.rows}."
            problems.append(Problem(what, str(lake.path(name)), AGAIN))
    if problems:
        raise DataError(problems)
    found_here = lake.path("police_uk").rglob("*.parquet")
    names = {p.relative_to(lake.root).as_posix() for p in found_here}
    return StoreCheck(
        len(lake.stored()),
        sum(f.rows for f in lake.stored().values()),
        tuple(sorted(names - set(lake.stored()))),
    )
