"""What is known of each published release: where it comes from, what it holds, what is wrong.

The facts are data, one TOML file a group of releases in the folder `releases` beside this
module, with a table of columns (`*.columns.csv`) next to it.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Literal, get_args
from urllib.parse import urlsplit

from areaeffect.errors import StudyError, did_you_mean
from areaeffect.records import Json

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRelease:
    """One published version of a source.

    Parameters
    ----------
    id : its name in studies.
    group : the TOML file and the docs page that hold it.
    title, publisher, page, licence, attribution : for the data annex.
    as_of : the latest date it describes; empty where it has periods.
    geography : what one area is; a figure of a larger area cannot differ inside it.
    vintage : key of `CODE_PATTERNS`.
    coverage : the part of the country it covers.
    areas : number of areas.
    period_kind : 'month', 'quarter' or 'year'; empty where there is one row an area.
    periods : those it has, in words; empty where there is one row an area.
    use : what it can serve as at most: an outcome of both claims or of a level, a covariate, a
        denominator, or a list of places.
    blank : reason for an empty cell.
    absent : reason for an area-period without a row; 'zero' of a list of events.
    markers : published text in a cell to the reason it is missing.
    hidden : least and most that a suppressed count can be, where the publisher's rule says so.
    not_supplied : columns that are zero everywhere because they were not supplied.
    by_hand : why no command gets it, and what a person does; '' where one does.
    grows : whether the publisher adds periods and areas, so that its rows are not on record.
    modelled : whether its figures are a model's predictions from the kind of area, which nothing
        that is done in an area can move: no outcome.
    unseen : whether its reader was written from a description of the file alone.
    names_from : release and its columns of names and codes, where the file has names only.
    placed_by : release whose file says where the rows of this one lie; '' where they say it.
    files : the publisher's own, joined on area and period.
    copies : the same table in another form, kept by others.
    columns, derived, caveats.
    """

    id: str
    group: str
    title: str
    publisher: str
    page: str
    licence: str
    attribution: str
    as_of: str
    geography: Geography
    vintage: str
    coverage: str
    areas: int
    period_kind: str
    periods: str
    use: Use
    blank: str
    absent: str
    markers: Mapping[str, str]
    hidden: tuple[int, ...]
    not_supplied: tuple[str, ...]
    by_hand: str
    grows: bool
    modelled: bool
    unseen: bool
    names_from: tuple[str, ...]
    placed_by: str
    files: tuple[ReleaseFile, ...]
    copies: tuple[ReleaseFile, ...]
    columns: tuple[Column, ...]
    derived: tuple[Derived, ...]
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


@cache
def sets() -> Mapping[str, tuple[str, ...]]:
    """Return the names of several releases at once, such as `england`, with their releases."""
    text = (files("areaeffect.sources.publishers") / "releases" / "sets.toml").read_text(encoding="utf-8")
    return {name: tuple(ids) for name, ids in tomllib.loads(text).items()}


@cache
def catalogue() -> Mapping[str, PublishedRelease]:
    """Return every release by id, in the order of the release files."""
    folder = files("areaeffect.sources.publishers") / "releases"
    found: dict[str, PublishedRelease] = {}
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".toml") or entry.name == "sets.toml":
            continue
        group = entry.name.removesuffix(".toml")
        content = tomllib.loads(entry.read_text(encoding="utf-8"))
        table = folder / f"{group}.columns.csv"
        rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
        for part in content["release"]:
            release = _release({**content.get("defaults", {}), **part}, group, rows)
            if release.id in found:
                msg = f"release '{release.id}' is in both {found[release.id].group} and {group}"
                raise ValueError(msg)
            found[release.id] = release
    return found


def find_release(release_id: str, where: str = "") -> PublishedRelease:
    """Return a release; raise StudyError, with what there is, for an unknown one."""
    known = catalogue()
    if release_id not in known:
        near = did_you_mean(release_id, known)
        raise StudyError(f"there is no release '{release_id}'.", where, near or f"Known: {', '.join(known)}.")
    return known[release_id]


def _release(part: Json, group: str, rows: list[dict[str, str]]) -> PublishedRelease:
    columns = tuple(
        Column(row["name"], _kind(row["kind"]), row["unit"], row["published"], row["copy"])
        for row in rows
        if part["id"] in row["releases"].split()
    )
    derived = tuple(
        Derived(d["name"], tuple(d["numerator"]), tuple(d["denominator"]), d["unit"])
        for d in part.get("derived", [])
    )
    return PublishedRelease(
        id=part["id"],
        group=group,
        title=part["title"],
        publisher=part["publisher"],
        page=part["page"],
        licence=part["licence"],
        attribution=part["attribution"],
        as_of=part.get("as_of", ""),
        geography=part["geography"],
        vintage=part["vintage"],
        coverage=part["coverage"],
        areas=part["areas"],
        period_kind=part.get("period_kind", ""),
        periods=part.get("periods", ""),
        use=part.get("use") or _use(part),
        blank=part.get("blank", ""),
        absent=part.get("absent", "no_row"),
        markers=part.get("markers", {}),
        hidden=tuple(part.get("hidden", ())),
        not_supplied=tuple(part.get("not_supplied", ())),
        by_hand=part.get("by_hand", ""),
        grows=part.get("grows", False),
        modelled=part.get("modelled", False),
        unseen=part.get("unseen", False),
        names_from=tuple(part.get("names_from", ())),
        placed_by=part.get("placed_by", ""),
        files=tuple(_file(f) for given in part.get("file", ()) for f in _each_year(given)),
        copies=tuple(_file(f) for f in part.get("copy", ())),
        columns=columns,
        derived=derived,
        caveats=tuple(part["caveats"]),
    )


def _each_year(part: Json) -> list[Json]:
    """Return a file, or one for each year of `years = [first, last]`, `{year}` filled in."""
    if "years" not in part:
        return [part]
    first, last = part["years"]
    text = json.dumps({k: v for k, v in part.items() if k != "years"})
    return [json.loads(text.replace("{year}", str(y))) for y in range(first, last + 1)]


def _file(part: Json) -> ReleaseFile:
    part = {**part, "columns": tuple(part.get("columns", ()))}
    origin = part.get("origin")
    if origin is None:
        return ReleaseFile(**part)
    unknown = set(origin) - {f.name for f in fields(Origin)}
    if unknown:
        msg = f"{part['path']}: unknown keys of its origin: {unknown}"
        raise ValueError(msg)
    made = {**origin, "by": By(origin["by"]), "hosts": tuple(origin.get("hosts", ()))}
    return ReleaseFile(**{**part, "origin": Origin(**made)})


def _use(part: Json) -> Use:
    """Say what a release can serve as where its file does not."""
    if part["geography"] != "lsoa":
        return "covariate"  # one figure of a larger area cannot differ inside it
    return "level or change" if part.get("period_kind") else "level"


def _kind(text: str) -> Kind:
    for kind in KINDS:
        if kind == text:
            return kind
    msg = f"'{text}' is not a kind of column; allowed: {', '.join(KINDS)}"
    raise ValueError(msg)
