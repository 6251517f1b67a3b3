"""Where the files of a release lie, and how to get those that are nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from areaeffect.errors import DataError
from areaeffect.sources.publishers.releases import PublishedRelease, ReleaseFile, catalogue
from areaeffect.study.parts import resolve

Roots = Path | tuple[Path, ...]


def locate(
    release: PublishedRelease, root: Roots, wanted: Sequence[str] = ()
) -> tuple[tuple[ReleaseFile, Path], ...]:
    """Return the files of a release and where they lie: the publisher's own, else the copies.

    Parameters
    ----------
    release : the release.
    root : a folder, or several in order of preference.
    wanted : columns; where only the copies have them all, the copies are taken.

    Raises
    ------
    DataError
        Neither is here; the message says how to get it.
    """
    roots = root if isinstance(root, tuple) else (root,)
    whole: list[tuple[tuple[ReleaseFile, Path], ...]] = []
    for form in release.forms:
        places = [place_of(file, roots) for file in form]
        here = [(f, p) for f, p in zip(form, places, strict=True) if p is not None]
        if len(here) == len(form):
            whole.append(tuple(here))
    for found in whole:
        if set(wanted) <= set(columns_of(release, copy=found[0][0] in release.copies)):
            return found
    if whole:
        return whole[0]
    raise DataError(
        f"release '{release.id}' is not here.", str(roots[0] / release.forms[0][0].path), how_to_get(release)
    )


def named_file(path: str, folder: Path) -> Path:
    """Return where a file lies that a study names by its path, such as one of outlines.

    Raises
    ------
    DataError
        A file of a release that is not here; the message says how to get it.
    """
    found = resolve(path, folder)
    if found.exists():
        return found
    for release in catalogue().values():
        for file in (f for form in release.forms for f in form if Path(f.path).name == found.name):
            if file.layout == "outlines" and (other := found.with_suffix(".geojson")).is_file():
                return other  # what the portal's service gave in place of the item
            what = f"the file of release '{release.id}' is not here."
            raise DataError(what, str(found), how_to_get(release))
    return found


def is_here(release: PublishedRelease, root: Roots) -> bool:
    """Tell whether every file of a release, or of its copy, lies in one of the folders."""
    roots = root if isinstance(root, tuple) else (root,)
    return any(all(place_of(f, roots) for f in form) for form in release.forms)


def columns_here(release: PublishedRelease, root: Roots) -> tuple[str, ...]:
    """Return the columns of a release that its file here has."""
    return columns_of(release, copy=locate(release, root)[0][0] in release.copies)


def columns_of(release: PublishedRelease, *, copy: bool) -> tuple[str, ...]:
    """Return the columns of the publisher's files, or of the copies; with those made from them."""
    names = [c.name for c in release.columns if c.header(copy=copy)]
    made = [d.name for d in release.derived if {*d.numerator, *d.denominator} <= set(names)]
    return (*names, *made)


def place_of(file: ReleaseFile, roots: tuple[Path, ...]) -> Path | None:
    """Return where a file lies; outlines also as the GeoJSON that the portal's service gives."""
    for root in roots:
        path = root / file.path
        for one in (path, path.with_suffix(".geojson")) if file.layout == "outlines" else (path,):
            if one.is_file():
                return one
    return None


def how_to_get(release: PublishedRelease) -> str:
    """Say how to get a release that is not here."""
    if release.is_fetched:
        return f"Get it with `areaeffect fetch {release.id}`."
    where = " and ".join(f.path for f in release.forms[0])
    return (
        f"No command gets it: {release.by_hand} See {release.page}. Put it into the folder of "
        f"fetched files as {where}."
    )
