"""Lookups of wards and MSOAs: the user's own, or the catalogue's for the areas of the study."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.register.places import places_from
from areaeffect.sources.publishers.panel import published_roots
from areaeffect.sources.publishers.tables import read
from areaeffect.study.paths import resolve
from areaeffect.tables.user_table import read_user_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
                f"Name one: lookup = 'file.csv' with columns area_code, {kind}_name, "
                "authority_name.",
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


_FEWEST_AN_AREA = 10
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}")


def plain_postcode(text: str) -> str:
    """Return a postcode in capitals without spaces."""
    return re.sub(r"\s+", "", text).upper()


class Postcodes:
    """A lookup of postcodes.

    Parameters
    ----------
    postcodes, areas, ended : (n,), as in the file; `ended` is '' for those in use.
    source : what it is called in print.
    """

    def __init__(self, postcodes: Strings, areas: Strings, ended: Strings, source: str) -> None:
        self.source = source
        plain = [plain_postcode(str(p)) for p in postcodes]
        self.area: Mapping[str, str] = dict(zip(plain, map(str, areas), strict=True))
        self.twice = {
            p: (str(a), self.area[p])
            for p, a in zip(plain, areas, strict=True)
            if self.area[p] != a
        }
        self.ended = {p: str(e) for p, e in zip(plain, ended, strict=True) if str(e).strip()}
        self.in_use = Counter(a for p, a in self.area.items() if p not in self.ended)

    def fault(self, text: str) -> str:
        """Return why a postcode cannot be placed; '' where it can."""
        postcode = plain_postcode(text)
        if not _POSTCODE.fullmatch(postcode):
            return f"'{text}' is not written like a postcode"
        if postcode in self.twice:
            return f"'{text}' is in two areas ({' and '.join(self.twice[postcode])})"
        if postcode in self.ended:
            return f"'{text}' was terminated ({self.ended[postcode]})"
        if not self.area.get(postcode):
            district = [p for p in self.area if p.startswith(postcode[:-3])]
            near = did_you_mean(postcode, district)
            return f"'{text}' is not in {self.source}" + (f" ({near})" if near else "")
        return ""

    def area_of(self, text: str) -> str:
        """Return the area of a postcode without a fault."""
        return self.area[plain_postcode(text)]

    def shares_cannot_be_told(self, listed: Sequence[str]) -> str:
        """Return why shares of areas cannot be worked out from this lookup; '' where they can.

        A lookup of little more than the listed postcodes makes every share 100 %.
        """
        own = {plain_postcode(t) for t in listed}
        touched = {self.area[p] for p in own}
        held = sum(self.in_use[a] for a in touched)
        if held >= _FEWEST_AN_AREA * len(touched) or len(own) < held / 2:
            return ""
        return (
            f"the lookup {self.source} holds {held} postcodes in the {len(touched)} areas touched, "
            f"of which {len(own)} are listed"
        )

    def shares(self, listed: Sequence[str]) -> dict[str, float]:
        """Return, for each area touched, the share of its postcodes in use that is listed.

        Parameters
        ----------
        listed : postcodes without a fault.
        """
        found = Counter(self.area[p] for p in {plain_postcode(t) for t in listed})
        return {area: n / self.in_use[area] for area, n in sorted(found.items())}
