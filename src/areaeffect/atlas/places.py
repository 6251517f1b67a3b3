"""What the areas of an atlas are called and lie in, and the postcodes that find them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError
from areaeffect.register.places import read_columns, vintage_of
from areaeffect.sources.base import align
from areaeffect.sources.publishers.panel import published_roots
from areaeffect.sources.publishers.tables import read
from areaeffect.study.parts import resolve

if TYPE_CHECKING:
    from shapely import Geometry

    from areaeffect.panel import Strings
    from areaeffect.results import Floats

    #: The number of a feature in its layer, its properties, its shape.
    Feature = tuple[int, dict[str, str | int], Geometry]

#: What an atlas says of each area beside its own code and name.
INSIDE = ("ward", "authority", "region", "force")
#: Where each is looked up, the first that knows an area counts; codes that did not change between
#: 2011 and 2021 are found in either census's list.
_LOOKUPS = {
    "ward": (("ward_lsoa21", "ward24_name"),),
    "authority": (("ward_lsoa21", "ltla24_name"), ("places_lsoa11", "ltla21_name")),
    "region": (("places_lsoa21", "region22_name"), ("places_lsoa11", "region21_name")),
    "force": (("police_force_lsoa11", "pfa24_name"),),
}


def place_names(areas: Strings, names: Strings, file: str | None, folder: Path) -> dict[str, Strings]:
    """Return the name of each area and of what it lies in, (n_areas,) each; '' where not known.

    Parameters
    ----------
    areas, names : (n_areas,), codes in ascending order, and the names the sources give.
    file : the study's own list; None: the catalogue's, where the areas are LSOAs.
    folder : where relative paths start.

    Raises
    ------
    DataError
        The list cannot be read or has no column `area_code`.
    """
    found = {"name": names, **{what: np.full(len(areas), "", dtype=object) for what in INSIDE}}
    if file is not None:
        return found | _own(resolve(file, folder), areas, found)
    if vintage_of(areas, folder) is None:
        return found
    roots = published_roots(folder)
    for what, lookups in _LOOKUPS.items():
        for release, column in lookups:
            table = read(release, roots, [column])
            known = align(table.texts[column].astype(str), table.areas, areas).astype(object)
            known[np.isin(known, ("nan", "None"))] = ""
            found[what] = np.where(found[what] == "", known, found[what])
            if what == "ward":
                own = align(table.names.astype(str), table.areas, areas).astype(object)
                unnamed = (found["name"] == areas) & (own != "")
                found["name"] = np.where(unnamed, own, found["name"])
    is_wales = np.char.startswith(areas.astype(str), "W")
    found["region"] = np.where((found["region"] == "") & is_wales, "Wales", found["region"])
    found["force"] = _of_authority(found["force"], found["authority"])
    return {what: values.astype(str) for what, values in found.items()}


def _own(path: Path, areas: Strings, blank: Mapping[str, Strings]) -> dict[str, Strings]:
    columns = read_columns(path)
    if "area_code" not in columns:
        raise DataError(
            "the list of places has no column 'area_code'.",
            str(path),
            f"It needs area_code, and may have name, {', '.join(INSIDE)}.",
        )
    order = np.argsort(columns["area_code"], kind="stable")
    codes = columns["area_code"][order]
    return {
        what: align(columns[what][order], codes, areas).astype(str) if what in columns else values.astype(str)
        for what, values in blank.items()
    }


def _of_authority(force: Strings, authority: Strings) -> Strings:
    """Fill an area without a force with the force of most areas of its authority."""
    filled = force.copy()
    for name in np.unique(authority[(force == "") & (authority != "")].astype(str)):
        inside = authority == name
        known, counts = np.unique(force[inside & (force != "")].astype(str), return_counts=True)
        if len(known):
            filled[inside & (force == "")] = known[counts.argmax()]
    return filled


def council_outlines(outlines: Sequence[Geometry], authority: Strings) -> Iterator[Feature]:
    """Return the outline of each council.

    Its areas share their borders, so that only edges need joining; where they do not quite, their
    surfaces are joined, which takes ten times as long.
    """
    import shapely

    inside: dict[str, list[Geometry]] = {}
    for outline, name in zip(outlines, authority, strict=True):
        if name:
            inside.setdefault(str(name), []).append(outline)
    for i, name in enumerate(sorted(inside)):
        try:
            joined = shapely.coverage_union_all(inside[name])
        except shapely.GEOSException:
            joined = shapely.union_all(inside[name])
        yield i, {"name": name}, joined


def place_points(
    centres: Floats, outlines: Sequence[Geometry], inside: Mapping[str, Strings]
) -> Iterator[Feature]:
    """Return the name of each ward and council, at a place inside it."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for i, (ward, authority) in enumerate(zip(inside["ward"], inside["authority"], strict=True)):
        found.setdefault(("council", str(authority), ""), []).append(i)
        found.setdefault(("ward", str(ward), str(authority)), []).append(i)
    for n, ((kind, name, _), members) in enumerate(sorted(found.items())):
        if name:
            own = centres[members]
            nearest = members[int(((own - own.mean(axis=0)) ** 2).sum(axis=1).argmin())]
            about: dict[str, str | int] = {"kind": kind, "name": name, "areas": len(members)}
            yield n, about, outlines[nearest].representative_point()
