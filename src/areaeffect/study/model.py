"""What a study may say: every key of `study.toml`, its default and its meaning."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from areaeffect.outcomes import FamilyName
from areaeffect.periods import PeriodForm
from areaeffect.records import Json
from areaeffect.study.analysis import Analysis, DesignPart, PlainMeans, Stories, Survey, ValuePart
from areaeffect.study.initiative import Initiative, NamedGroup, Register
from areaeffect.study.parts import AnySource, AtlasPart, MissingReason, Part, RealFall, Window
from areaeffect.study.source_kinds import ByKind, PointsSource


class StudyPart(Part):
    """Title, question, window and seed."""

    title: str = Field(min_length=1, description="what the report is called")
    question: str = Field(default="", description="the question, in one sentence")
    author: str = Field(default="", description="who made the study, as the report prints it")
    window: Window = Field(description="first and last period of the study")
    seed: int = Field(default=1, ge=0, description="start of the random numbers")
    exploratory: bool = Field(
        default=False,
        description="true: asked after its outcomes were public and could be looked at; the report says so",
    )
    sealed: str | None = Field(
        default=None,
        description="design.json of a plan sealed before its outcomes existed: `evaluate` refuses "
        "to run another plan; `looks.toml` beside it adds looks",
    )


class PanelSource(AnySource):
    """A table of areas, or of areas and periods."""

    kind: Literal["panel"] = Field(description="'panel': a table of your own")
    path: str = Field(description="CSV, workbook or Parquet file, relative to the study file")
    sheet: str | None = Field(
        default=None, description="sheet of a workbook; default the one with the columns named here"
    )
    header: int | None = Field(
        default=None, ge=1, description="row of the header; default the first with these columns"
    )
    area: str = Field(description="column with the area code")
    areas_by: Literal["code", "msoa", "ward", "district"] = Field(
        default="code", description="what it holds: codes, or names of MSOAs, wards or districts"
    )
    period: str | None = Field(default=None, description="column with the period; none: one row an area")
    periods: PeriodForm | None = Field(
        default=None, description="how periods are written, where that can be read in two ways"
    )
    layout: Literal["long", "wide"] = Field(default="long", description="wide: one column a period")
    leave_out: tuple[str, ...] = Field(
        default=(), description="columns of a wide table, and totals among its areas, to ignore"
    )
    missing: dict[str, MissingReason] = Field(
        default_factory=dict, description="further marks for a missing number, with the reason"
    )
    hidden: tuple[int, int] | None = Field(
        default=None, description="least and most that a hidden count can be; default from the data"
    )
    accept: tuple[
        Literal[
            "outlying cells", "equal series", "sums of areas", "running totals", "odd periods", "equal rows"
        ],
        ...,
    ] = Field(default=(), description="unusual values that are correct and would otherwise be refused")
    name: str | None = Field(default=None, description="column with the area's name")
    category: str | None = Field(default=None, description="column that `category` of an outcome picks from")
    where: dict[str, str] = Field(default_factory=dict, description="keep rows with these values")
    absent_is_zero: bool = Field(
        default=False, description="an area-period without a row is a zero (event tables), not missing"
    )
    coverage_group: str | None = Field(
        default=None, description="column (police force) in which gaps are looked for"
    )
    real_falls: tuple[RealFall, ...] = Field(
        default=(), description="periods that look like a gap in a `coverage_group` and are not"
    )
    licence: str = Field(default="", description="licence of the data, for the data annex")
    attribution: str = Field(default="", description="line the licence asks for")

    @property
    def falls(self) -> tuple[RealFall, ...]:
        """Periods that look like a gap of recording and are kept."""
        return self.real_falls

    @property
    def knows_its_gaps(self) -> bool:
        """Whether its reasons are all there are: gaps of a user's table are looked for."""
        return False

    @property
    def zero_where_absent(self) -> bool:
        """Whether an area and period without a row is a zero."""
        return self.absent_is_zero

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the study names for this source."""
        return tuple(f for f in (self.path, self.boundaries, self.neighbours) if f)


class PoliceUkSource(AnySource):
    """Street-level crime and anti-social behaviour of data.police.uk, from the store."""

    kind: Literal["police_uk"] = Field(description="'police_uk': street-level files, ingested")
    ingest: tuple[str, ...] = Field(
        default=(), description="zips, folders or CSV files to ingest first; default none"
    )
    store: str | None = Field(
        default=None, description="the store's folder; default `--store`, then the user's own"
    )
    forces: tuple[str, ...] = Field(
        default=(), description="forces as the files name them; default all in the store"
    )
    without_forces: tuple[str, ...] = Field(
        default=(), description="forces whose incidents are left out throughout: 'btp'"
    )
    real_falls: tuple[RealFall, ...] = Field(
        default=(), description="months that look like a gap of a force but are a real fall"
    )
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb", description="what counts the incidents of `ingest` (docs/spark.md)"
    )
    vintage: Literal["lsoa11", "lsoa21"] = Field(
        default="lsoa21", description="census vintage that area codes are brought to"
    )
    lookup: str | None = Field(
        default=None,
        description="lookup of LSOA 2011 to 2021 (columns lsoa11_code, lsoa21_code, change_code) "
        "instead of the packaged one",
    )
    licence: str = Field(default="Open Government Licence v3.0", description="licence of the data")
    attribution: str = Field(
        default="data.police.uk. Contains public sector information licensed under the Open "
        "Government Licence v3.0.",
        description="line the licence asks for",
    )

    @property
    def falls(self) -> tuple[RealFall, ...]:
        """Periods that look like a gap of recording and are kept."""
        return self.real_falls

    @property
    def area(self) -> str:
        """Code column of boundaries, as the Office for National Statistics names it."""
        return f"{self.vintage}cd"

    @property
    def coverage_group(self) -> str:
        """Attribute by which gaps are printed."""
        return "force"

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the study names for this source."""
        return tuple(f for f in (*self.ingest, self.lookup, self.boundaries, self.neighbours) if f)


class PublishedSource(AnySource):
    """A release of official statistics, by its name in the catalogue (docs/sources)."""

    kind: Literal["published"] = Field(description="'published': a release of the catalogue")
    release: str = Field(description="its name: 'imd_2019', 'census_2021_tenure', …")
    path: str | None = Field(
        default=None, description="folder of the files; default the folder of `fetch`, then shared data"
    )
    vintage: Literal["lsoa11", "lsoa21"] | None = Field(
        default=None, description="census vintage that area codes are brought to; default its own"
    )

    @property
    def from_release(self) -> str:
        """Release of the catalogue that the source is."""
        return self.release

    @property
    def area(self) -> str:
        """Code column of boundaries, as the Office for National Statistics names it."""
        return f"{self.vintage or 'lsoa21'}cd"

    @property
    def coverage_group(self) -> None:
        """Attribute by which gaps are printed: none."""
        return

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the study names for this source."""
        return tuple(f for f in (self.path, self.boundaries, self.neighbours) if f)


Source = PanelSource | PoliceUkSource | PublishedSource | PointsSource


class Outcome(Part):
    """One thing that is measured."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="short name: lower case, digits, _")
    family: FamilyName = Field(description="which of the six families it belongs to")
    source: str = Field(description="name of the source that holds it")
    value: str = Field(default="value", description="column with the number")
    category: tuple[str, ...] = Field(default=(), description="categories of the source to add up")
    kind: Literal["count", "score"] = Field(default="count", description="score: a mean on a scale")
    label: str = Field(default="", description="name in print; default from `name`")
    unit: str = Field(default="", description="what one unit is: 'crimes', 'points'")
    exposure: str | None = Field(default=None, description="'source.column': residents, dwellings")
    claim: Literal["change", "level"] = Field(
        default="change", description="change since the start, or level in the latest year"
    )
    better: Literal["lower", "higher"] = Field(
        default="lower", description="which direction is an improvement"
    )
    accept_breaks: tuple[str, ...] = Field(
        default=(), description="breaks of the series, '2013-04', that the window may run across"
    )
    smallest_effect_of_interest: float | None = Field(
        default=None,
        gt=0,
        description="fraction for counts, by default 0.05; units of the scale for scores, by "
        "default 0.2 standard deviations between areas in the first period",
    )
    primary: bool | None = Field(
        default=None,
        description="true: the study is judged by it; false: it is described, with no verdict. "
        "Default true, and false for a part of another outcome of its family",
    )
    should_move: bool = Field(
        default=True,
        description="false: the initiative cannot change it, so that it tests the design; "
        "it is then never primary",
    )

    valued_as: str | None = Field(
        default=None, description="category of unit costs that its avoided incidents are worth"
    )

    @model_validator(mode="after")
    def _has_no_idle_exposure(self) -> Self:
        if self.kind == "score" and self.exposure is not None:
            msg = (
                "a score has no exposure: every area counts alike. Drop `exposure`, or give the "
                'counts behind the score with kind = "count"'
            )
            raise ValueError(msg)
        return self

    @property
    def title(self) -> str:
        """Name in print."""
        return self.label or self.name.replace("_", " ")

    @property
    def unit_title(self) -> str:
        """What one unit is called."""
        return self.unit or ("incidents" if self.kind == "count" else "points")


class Study(Part):
    """A whole study; `folder` is where its relative paths start."""

    model_config = ConfigDict(defer_build=True)  # the kinds of source are imported at first use

    study: StudyPart
    source: dict[str, Annotated[Source, ByKind()]] = Field(min_length=1)
    initiative: tuple[Initiative, ...] = Field(min_length=1)
    register_: Register = Field(default_factory=Register, alias="register")
    design: DesignPart = Field(default_factory=DesignPart)
    outcome: tuple[Outcome, ...] = Field(min_length=1)
    analysis: Analysis = Field(default_factory=Analysis)
    group: tuple[NamedGroup, ...] = Field(
        default=(), description="further findings of some of the neighbourhoods"
    )
    plain_means: PlainMeans | None = Field(default=None)
    value: ValuePart | None = Field(default=None)
    survey: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Survey] = Field(
        default_factory=dict, description="surveys of residents"
    )
    stories: Stories | None = Field(default=None, description="events and case studies")
    atlas: AtlasPart | None = Field(default=None, description="what an atlas of it shows besides")

    def references(self) -> list[tuple[str, str]]:
        """Return every (place in the study, 'source.column' it names)."""
        named = [(f"outcome.{i}.exposure", o.exposure) for i, o in enumerate(self.outcome)]
        named += [(f"design.covariates.{i}", c.column) for i, c in enumerate(self.design.covariates)]
        named += [
            (f"design.{key}.{i}.column", rule.column)
            for key in ("exclude", "only")
            for i, rule in enumerate(getattr(self.design, key))
        ]
        named += [("design.score", self.design.score)]
        if self.design.cap is not None:
            named += [("design.cap.by", self.design.cap.by)]
        named += [(f"design.exact.{i}", column) for i, column in enumerate(self.design.exact)]
        named += [(f"initiative.{i}.treated_column", t.treated_column) for i, t in enumerate(self.initiative)]
        named += [(f"initiative.{i}.start_column", t.start_column) for i, t in enumerate(self.initiative)]
        named += [("register.authority", self.register_.authority)]
        named += [("analysis.placebo_neighbourhoods", self.analysis.placebo_neighbourhoods)]
        for i, one in enumerate(self.initiative):
            if one.approximate is not None:
                where = f"initiative.{i}.approximate"
                named += [(f"{where}.people", one.approximate.people)]
                named += [(f"{where}.placed_like", one.approximate.placed_like)]
        if self.plain_means is not None:
            named += [("plain_means.by", self.plain_means.by)]
            named += [(f"plain_means.also.{i}", c) for i, c in enumerate(self.plain_means.also)]
        return [(place, column) for place, column in named if column]


def split_reference(reference: str) -> tuple[str, str]:
    """Split 'source.column' at its first dot."""
    source, _, column = reference.partition(".")
    return source, column


def json_schema() -> Json:
    """Return the JSON schema of a study file."""
    return Study.model_json_schema(by_alias=True)
