"""Whether a file that arrived is the one that its release describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem
from areaeffect.sources.publishers.layouts import keys_of, layout, require
from areaeffect.sources.publishers.releases import GEOGRAPHY_NAMES, NO_TABLE
from areaeffect.sources.publishers.tables import areas_of, assemble

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.sources.publishers.releases import PublishedRelease, ReleaseFile


def check_file(release: PublishedRelease, file: ReleaseFile, path: Path, name: str) -> None:
    """Check a file that arrived: its rows, its keys and its columns.

    Parameters
    ----------
    release, file : what it should be.
    path : where it lies.
    name : its own name, for messages.

    Raises
    ------
    DataError
        It is another edition, of another census, or laid out in another way.
    """
    areas = None
    if file.layout in NO_TABLE:
        n, areas = keys_of(file, path)
    elif release.placed_by:
        _, n = layout(file.layout)(file, path)  # where its rows lie, another file says
    elif len(release.files) > 1:
        frame, n = layout(file.layout)(file, path)
        require(frame, [c for c in file.columns if c], release)
        areas, _ = areas_of(release, frame)
    else:
        table = assemble(release, ((file, path),), None)
        n, areas = sum(r.rows_read for r in table.records), table.areas
    counts = [(n, file.rows, "rows")]
    if areas is not None and not release.names_from:
        counts.append((len(areas), release.areas, GEOGRAPHY_NAMES[release.geography][1]))
    problems = [
        Problem(
            f"this is another edition of '{release.id}': {found:,} {what}, where {expected:,} are "
            "on record.",
            f"{name}",
            f"Look at {release.page}; a new edition needs a release of its own.",
        )
        for found, expected, what in counts
        if found < expected or (expected and found != expected and not release.grows)
    ]
    if problems:
        raise DataError(problems)
