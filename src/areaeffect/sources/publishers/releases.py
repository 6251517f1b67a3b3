"""What is known of each published release: where it comes from, what it holds, what is wrong.

The facts are data, one TOML file a group of releases in the folder `releases` beside this
module, with a table of columns (`*.columns.csv`) next to it.
"""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from areaeffect.errors import Problem, StudyError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["count", "score", "rank", "decile", "rate", "share", "amount", "text"]
Geography = Literal["lsoa", "local_authority"]
Use = Literal["level or change", "level", "covariate", "exposure", "geography"]

#: How the areas of a geography are called, one and several.
GEOGRAPHY_NAMES: Mapping[str, tuple[str, str]] = {
    "lsoa": ("LSOA", "LSOAs"),
    "local_authority": ("local authority", "local authorities"),
}
#: What a code of each vintage looks like.
CODE_PATTERNS: Mapping[str, str] = {
    "lsoa01": r"[EW]010[0-3]\d{4}",
    "lsoa11": r"[EW]010[0-3]\d{4}",
    "lsoa21": r"[EW]010[0-3]\d{4}",
    "local_authority": r"E0[6-9]\d{6}",
}
KINDS: tuple[Kind, ...] = (
    "count",
    "score",
    "rank",
    "decile",
    "rate",
    "share",
    "amount",
    "text",
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a release.

    Parameters
    ----------
    published : its header in the file.
    name : its name here: lower case, digits, _.
    kind : count, score, rank, …
    unit : what one unit is.
    """

    published: str
    name: str
    kind: Kind
    unit: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A share made here, openly: the sum of some columns over the sum of others.

    Without a denominator it is the sum alone.
    """

    name: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One file of a release.

    Parameters
    ----------
    path : below the folder of fetched files.
    layout : how it is laid out; a key of `layouts.LAYOUTS`, or 'file' (not read as a table).
    address : the publisher's own, where there is one; empty: see the release's `page`.
    sha256, bytes : of the file on record; '' and 0 where none was read here.
    rows : of the file on record.
    provenance : whose copy the file on record is, and what was done to it.
    area, period, name, category, value : headers, as the layout needs them.
    sheet : of a workbook (several: ' | ' between), or a file in a zip.
    """

    path: str
    layout: str
    address: str = ""
    sha256: str = ""
    bytes: int = 0
    rows: int = 0
    provenance: str = ""
    area: str = ""
    period: str = ""
    name: str = ""
    category: str = ""
    value: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class PublishedRelease:
    """One published version of a source.

    Parameters
    ----------
    id : its name in studies.
    group : the TOML file and the docs page it stands in.
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
    absent : reason for an area-period without a row.
    markers : published text in a cell to the reason it is missing.
    hidden : least and most that a suppressed count can be, where the publisher's rule says so.
    not_supplied : columns that are zero everywhere because they were not supplied.
    files, columns, derived, caveats.
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
    files: tuple[ReleaseFile, ...]
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
        return all(f.layout != "file" for f in self.files)


@cache
def catalogue() -> Mapping[str, PublishedRelease]:
    """Return every release by id, in the order of the release files."""
    folder = files("areaeffect.sources.publishers") / "releases"
    found: dict[str, PublishedRelease] = {}
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".toml"):
            continue
        group = entry.name.removesuffix(".toml")
        content = tomllib.loads(entry.read_text(encoding="utf-8"))
        table = folder / f"{group}.columns.csv"
        rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
        for part in content["release"]:
            release = _release({**content.get("defaults", {}), **part}, group, rows)
            if release.id in found:
                msg = f"release '{release.id}' stands in {found[release.id].group} and {group}"
                raise ValueError(msg)
            found[release.id] = release
    return found


def find_release(release_id: str, where: str = "") -> PublishedRelease:
    """Return a release; raise StudyError, with what there is, for an unknown one."""
    known = catalogue()
    if release_id not in known:
        near = did_you_mean(release_id, known)
        raise StudyError(
            Problem(
                f"there is no release '{release_id}'.", where, near or f"Known: {', '.join(known)}."
            )
        )
    return known[release_id]


def _release(part: dict[str, Any], group: str, rows: list[dict[str, str]]) -> PublishedRelease:
    columns = tuple(
        Column(row["published"], row["name"], _kind(row["kind"]), row["unit"])
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
        files=tuple(ReleaseFile(**f) for f in part["file"]),
        columns=columns,
        derived=derived,
        caveats=tuple(part["caveats"]),
    )


def _use(part: dict[str, Any]) -> Use:
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
