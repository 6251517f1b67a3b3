"""Lookups of wards and MSOAs: the user's own, or the catalogue's for the areas of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.register.places import places_from
from areaeffect.sources.publishers.panel import published_roots
from areaeffect.sources.publishers.tables import read
from areaeffect.study.paths import resolve
from areaeffect.tables.user_table import read_user_table

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.panel import Strings
    from areaeffect.register.places import Places

#: Releases of the catalogue by kind and vintage.
RELEASES = {
    "ward": {"lsoa21": "ward_lsoa21", "lsoa11": "ward_lsoa11"},
    "msoa": {"lsoa21": "places_lsoa21", "lsoa11": "places_lsoa11"},
}
#: An area list is of a vintage where at least this share of its codes is.
_MOST = 0.99


def find_places(kind: str, lookup: str | None, folder: Path, areas: Strings) -> Places:
    """Return the lookup of wards or MSOAs for the areas of a study.

    Raises
    ------
    DataError
        The lookup cannot be read or has not the columns; or none is named, and the areas are not
        those of a release of the catalogue.
    """
    if lookup is not None:
        path = resolve(lookup, folder)
        return places_from(kind, read_columns(path), path.name, areas)
    vintage = vintage_of(areas, folder)
    if vintage is None:
        raise DataError(
            Problem(
                f"no lookup says which areas a {kind} has: the study's areas are not LSOAs.",
                "initiative",
                f"Name one: lookup = 'file.csv' with columns area_code, {kind}_name, authority_name.",
            )
        )
    return catalogue_places(kind, vintage, folder, areas)


def catalogue_places(kind: str, vintage: str, folder: Path, areas: Strings) -> Places:
    """Return the catalogue's lookup of wards or MSOAs of one vintage."""
    release = RELEASES[kind][vintage]
    table = read(release, published_roots(folder))
    return places_from(kind, {"area_code": table.areas, **table.texts}, release, areas)


def vintage_of(areas: Strings, folder: Path) -> str | None:
    """Return the census vintage of which nearly all areas are, by the catalogue's lists.

    Codes that did not change are of both; the vintage that knows more of the areas is taken.
    """
    known = {}
    for vintage, release in RELEASES["msoa"].items():
        try:
            listed = read(release, published_roots(folder), []).areas
        except DataError:  # not fetched: unknown
            continue
        known[vintage] = float(np.isin(areas, listed).mean())
    if not known or max(known.values()) < _MOST:
        return None
    return max(known, key=lambda v: known[v])


def read_columns(path: Path) -> dict[str, Strings]:
    """Read a lookup as columns of text."""
    frame = read_user_table(path).frame
    return {str(c): frame[c].astype(str).str.strip().to_numpy(dtype=str) for c in frame.columns}
