"""What is known of each published release: where it comes from, what it holds, what is wrong.

The facts are data, one TOML file a group of releases in the folder `releases` beside this
module, with a table of columns (`*.columns.csv`) next to it.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

import numpy as np
from pydantic import ConfigDict, TypeAdapter, with_config

from areaeffect.errors import DataError, StudyError, did_you_mean
from areaeffect.records import Json
from areaeffect.results import Floats
from areaeffect.study.parts import resolve

Kind = Literal["count", "score", "rank", "decile", "rate", "share", "amount", "text"]
Geography = Literal["lsoa", "msoa", "local_authority"]
Use = Literal["level or change", "level", "covariate", "exposure", "geography"]

#: How the areas of a geography are called, one and several.
GEOGRAPHY_NAMES: Mapping[str, tuple[str, str]] = {
    "lsoa": ("LSOA", "LSOAs"),
    "msoa": ("MSOA", "MSOAs"),
    "local_authority": ("local authority", "local authorities"),
}
#: What a code of each vintage looks like.
CODE_PATTERNS: Mapping[str, str] = {
    "lsoa01": r"[EW]010[0-3]\d{4}",
    "lsoa11": r"[EW]010[0-3]\d{4}",
    "lsoa21": r"[EW]010[0-3]\d{4}",
    "msoa11": r"[EW]020\d{5}",
    "msoa21": r"[EW]020\d{5}",
    "local_authority": r"(?:E0[6-9]|W06)\d{6}",
}
KINDS: tuple[Kind, ...] = get_args(Kind)


class By(StrEnum):
    """The six ways to get a file."""

    DIRECT = "direct"  # at an address of its own
    GOVUK = "govuk"  # among the attachments of a page of gov.uk
    ONS = "ons"  # the latest edition of a dataset of ons.gov.uk
    HUB = "hub"  # an item of the Open Geography portal; pages of its service where that fails
    NOMIS = "nomis"  # an answer of Nomis, in pages
    ARCHIVE = "archive"  # members of a remote zip


#: Hosts that answer for each way, beside the one in the address.
HOSTS: Mapping[By, tuple[str, ...]] = {
    By.DIRECT: (),
    By.GOVUK: ("www.gov.uk", "assets.publishing.service.gov.uk"),
    By.ONS: ("www.ons.gov.uk",),
    By.HUB: (
        "open-geography-portalx-ons.hub.arcgis.com",
        "hub.arcgis.com",
        "services1.arcgis.com",
        "stg-arcgisazurecdataprod1.az.arcgis.com",
    ),
    By.NOMIS: ("www.nomisweb.co.uk",),
    By.ARCHIVE: ("data.police.uk", "policeuk-data.s3.amazonaws.com"),
}


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a publisher's file comes from."""

    by: By  # the way to get it
    #: of the file (direct; of gov.uk the address it had, tried first), of the dataset (ons), of the query
    #: (nomis).
    address: str = ""
    page: str = ""  # path of the page of gov.uk that lists it
    match: str = ""  # pattern of the file's name in a list (govuk, ons)
    #: item, service: of the Open Geography portal
    item: str = ""
    service: str = ""
    #: sha256, bytes: of the file where it is a file and somebody has recorded them; `bytes` alone is its
    #: approximate size.
    sha256: str = ""
    bytes: int = 0
    seen: str = ""  # month in which somebody last had it ('2026-10'); '' where nobody is known to.
    on_demand: bool = False  # whether it is made anew for each request, so that its bytes may differ
    hosts: tuple[str, ...] = ()  # further hosts that may answer

    @property
    def every_host(self) -> tuple[str, ...]:
        """Hosts that may answer."""
        own = urlsplit(self.address).hostname
        return tuple(dict.fromkeys([*([own] if own else []), *HOSTS[self.by], *self.hosts]))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a release."""

    name: str  # its name here: lower case, digits, _
    kind: Kind  # count, score, rank, …
    unit: str  # what one unit is
    published: str  # its header in the publisher's file; '' where that has none.
    copied: str  # its header in the copy; '' where that has none.

    def header(self, *, copy: bool) -> str:
        """Return its header in one of the two."""
        return self.copied if copy else self.published


@dataclass(frozen=True, slots=True)
class Derived:
    """A share made here, openly: the sum of some columns over the sum of others.

    Without a denominator it is the sum alone.
    """

    name: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    unit: str

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Make it from its columns; not finite where nothing is divided by."""
        made: Floats = np.sum([values[c] for c in self.numerator], axis=0)
        if self.denominator:
            with np.errstate(divide="ignore", invalid="ignore"):
                made = made / np.sum([values[c] for c in self.denominator], axis=0)
        return made


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFile:
    """One file of a release, or of a copy of it."""

    path: str  # below the folder of fetched files
    layout: str  # how it is laid out; a key of `layouts.LAYOUTS`.
    #: where the publisher has it; None of a copy, and where no address is on record.
    origin: Origin | None = None
    #: sha256, bytes, rows: of the file read here; '' and 0 where none was. `rows` alone: as many as the
    #: publisher says.
    sha256: str = ""
    bytes: int = 0
    rows: int = 0
    provenance: str = ""  # whose copy the file read here is, and what was done to it
    #: area, period, name, category, value: headers, as the layout needs them
    area: str = ""
    period: str = ""
    name: str = ""
    category: str = ""
    value: str = ""
    sheet: str = ""  # of a workbook (several: ' | ' between), or a file in a zip
    columns: tuple[str, ...] = ()  # headers that this one of several files of a release has


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRelease:
    """One published version of a source."""

    id: str  # its name in studies
    group: str  # the TOML file and the docs page that hold it
    #: title, publisher, page, licence, attribution: for the data annex
    title: str
    publisher: str
    page: str
    licence: str
    attribution: str
    as_of: str = ""  # the latest date it describes; empty where it has periods
    geography: Geography  # what one area is; a figure of a larger area cannot differ inside it
    vintage: str  # key of `CODE_PATTERNS`
    coverage: str  # the part of the country it covers
    areas: int  # number of areas
    #: period_kind ('month', 'quarter', 'year'), periods (in words): empty where there is one row an area
    period_kind: str = ""
    periods: str = ""
    use: Use = "covariate"  # what it can serve as at most
    blank: str = ""  # reason for an empty cell
    absent: str = "no_row"  # reason for an area-period without a row; 'zero' of a list of events
    markers: dict[str, str] = field(default_factory=dict)  # text in a cell to the reason it is missing
    hidden: tuple[int, ...] = ()  # least and most that a suppressed count can be, by the publisher's rule
    not_supplied: tuple[str, ...] = ()  # columns that are zero everywhere as they were not supplied
    by_hand: str = ""  # why no command gets it, and what a person does; '' where one does
    grows: bool = False  # whether periods and areas are added, so that its rows are not on record
    #: whether its figures are a model's predictions from the kind of area, which nothing that is
    #: done in an area can move: no outcome
    modelled: bool = False
    unseen: bool = False  # whether its reader was written from a description of the file alone
    names_from: tuple[str, ...] = ()  # release, columns of names and codes, where the file has names only
    placed_by: str = ""  # release whose file says where the rows of this one lie; '' where they say it
    files: tuple[ReleaseFile, ...] = ()  # the publisher's own, joined on area and period
    copies: tuple[ReleaseFile, ...] = ()  # the same table in another form, kept by others
    columns: tuple[Column, ...]
    derived: tuple[Derived, ...] = ()
    caveats: tuple[str, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Every column that can be asked for."""
        return tuple(c.name for c in self.columns) + tuple(d.name for d in self.derived)

    @property
    def is_table(self) -> bool:
        """Whether it is read as a table of areas (not outlines, not a lookup of pairs)."""
        return all(f.layout not in NO_TABLE for f in (*self.files, *self.copies))

    @property
    def is_fetched(self) -> bool:
        """Whether a command gets every file of it."""
        return bool(self.files) and all(f.origin for f in self.files)

    @property
    def forms(self) -> tuple[tuple[ReleaseFile, ...], ...]:
        """The publisher's files and the copies, of which either is the release."""
        return tuple(f for f in (self.files, self.copies) if f)


#: `absent` of a list of events: an area-period without a row had none.
ABSENT_IS_ZERO = "zero"
#: Layouts that are not read as a table of areas: outlines, pairs of codes, postcodes.
NO_TABLE = ("outlines", "pairs", "postcodes")


def _folder() -> Traversable:
    return files("areaeffect.sources.publishers") / "releases"


@cache
def sets() -> Mapping[str, tuple[str, ...]]:
    """Return the names of several releases at once, such as `england`, with their releases."""
    text = (_folder() / "sets.toml").read_text(encoding="utf-8")
    return {name: tuple(ids) for name, ids in tomllib.loads(text).items()}


@cache
def catalogue() -> Mapping[str, PublishedRelease]:
    """Return every release by id, in the order of the release files."""
    found: dict[str, PublishedRelease] = {}
    make = TypeAdapter(PublishedRelease).validate_python
    for entry in sorted(_folder().iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".toml") or entry.name == "sets.toml":
            continue
        group = entry.name.removesuffix(".toml")
        content = tomllib.loads(entry.read_text(encoding="utf-8"))
        table = (_folder() / f"{group}.columns.csv").read_text(encoding="utf-8")
        rows = [(row.pop("releases").split(), row) for row in csv.DictReader(io.StringIO(table))]
        for part in content["release"]:
            own = {**content.get("defaults", {}), **part, "group": group}
            own["columns"] = [row for ids, row in rows if own["id"] in ids]
            own["files"] = [each for file in own.pop("file", ()) for each in _each_year(file)]
            own["copies"] = own.pop("copy", ())
            if own["geography"] == "lsoa":  # one figure of a larger area cannot differ inside it
                own.setdefault("use", "level or change" if "period_kind" in own else "level")
            if own["id"] in found:
                raise ValueError(f"release '{own['id']}' is in both {found[own['id']].group} and {group}")
            found[own["id"]] = make(own)
    return found


def find_release(release_id: str, where: str = "") -> PublishedRelease:
    """Return a release; raise StudyError, with what there is, for an unknown one."""
    known = catalogue()
    if release_id not in known:
        near = did_you_mean(release_id, known)
        raise StudyError(f"there is no release '{release_id}'.", where, near or f"Known: {', '.join(known)}.")
    return known[release_id]


def _each_year(part: Json) -> list[Json]:
    """Return a file, or one for each year of `years = [first, last]`, `{year}` filled in."""
    if "years" not in part:
        return [part]
    first, last = part["years"]
    text = json.dumps({k: v for k, v in part.items() if k != "years"})
    return [json.loads(text.replace("{year}", str(y))) for y in range(first, last + 1)]


Roots = Path | tuple[Path, ...]


def locate(
    release: PublishedRelease, root: Roots, wanted: Sequence[str] = ()
) -> tuple[tuple[ReleaseFile, Path], ...]:
    """Return the files of a release and where they lie: the publisher's own, else the copies.

    Of several folders the first that has them is taken; the copies also where only they have every
    column that is `wanted`. Without either, DataError says how to get it.
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
    """Return where a file lies that a study names by its path; or say how to get a release's file."""
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
