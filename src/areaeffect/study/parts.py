"""How periods, columns and paths are written in a study, and what every source may say."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from areaeffect.disk import store_path
from areaeffect.period_texts import kind_of, parse_period, why_ambiguous
from areaeffect.periods import PeriodKind
from areaeffect.study.toml_file import Part

#: A column of a source: 'source.column'.
ColumnText = Annotated[str, Field(pattern=r"^[^.]+\..+$")]


#: Why a number is missing.
MissingReason = Literal["not_published", "partial_month", "suppressed", "boundary_change", "not_located"]


def _text_of_period(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _is_period(text: str) -> str:
    if kind_of(text) is None:
        both = why_ambiguous(text) or f"'{text}' is not a period"
        msg = f"{both}; write '2012-04', '2012-Q2', '2012', '2012/13' or a number"
        raise ValueError(msg)
    return text


PeriodText = Annotated[str, BeforeValidator(_text_of_period), AfterValidator(_is_period)]


class NotCovered(Part):
    """Areas and periods that a source never reported: missing, not zero."""

    column: str = Field(description="column of the source that names the areas")
    values: tuple[str, ...] = Field(min_length=1, description="values of that column")
    from_period: PeriodText | None = Field(default=None, description="first period; default all")
    to_period: PeriodText | None = Field(default=None, description="last period; default all")
    reason: MissingReason = Field(default="not_published", description="why they are missing")


class RealFallOfAll(Part):
    """Periods in which a whole file looks like a gap of recording, and fell in truth."""

    from_period: PeriodText = Field(description="first period that is kept")
    to_period: PeriodText = Field(description="last period that is kept")
    why: str = Field(min_length=1, description="what made the fall: 'lockdown'; the report says it")


class RealFall(RealFallOfAll):
    """Months that look like a gap of recording, and are a real fall: kept, and said so."""

    column: str = Field(
        default="force", description="column in which gaps are looked for; police_uk: 'force'"
    )
    values: tuple[str, ...] = Field(min_length=1, description="values of that column")

    def text(self) -> str:
        """Return what is kept, for print."""
        span = f"{self.from_period} to {self.to_period}"
        return f"{', '.join(self.values)}, {span} ({self.why})"


class AnySource(Part):
    """What every kind of source may say."""

    kind: str = Field(description="what the source is")

    @property
    def from_release(self) -> str:
        """Release of the catalogue that the source is; empty for others."""
        return ""

    @property
    def falls(self) -> tuple[RealFall, ...]:
        """Periods that look like a gap of recording and are kept."""
        return ()

    @property
    def knows_its_gaps(self) -> bool:
        """Whether the reasons that the source gives for missing cells are all there are."""
        return True

    @property
    def zero_where_absent(self) -> bool:
        """Whether an area and period without a row is a zero."""
        return False

    not_covered: tuple[NotCovered, ...] = Field(
        default=(), description="areas and periods that the source never reported"
    )
    find_new_codes: bool = Field(
        default=True,
        description="flag codes that all begin, or all end, in one period as missing before or after it",
    )
    boundaries: str | None = Field(
        default=None, description="GeoJSON, GeoPackage, Shapefile, KML or GeoParquet"
    )
    boundaries_crs: str | None = Field(
        default=None, description="their coordinate system, where the file does not say it rightly"
    )
    boundaries_area: str | None = Field(default=None, description="its code column; default `area`")
    neighbours: str | None = Field(
        default=None,
        description="without boundaries: CSV or Parquet of areas that touch, a pair a row: `area` "
        "and `neighbour`",
    )


class Window(Part):
    """First and last period that the study looks at."""

    start: PeriodText = Field(description="first period: '2012-04', '2012-Q2', '2012' or a number")
    end: PeriodText = Field(description="last period, written like the first")

    @property
    def kind(self) -> PeriodKind:
        """What one period of the window is."""
        kind = kind_of(self.start)
        if kind is None:  # `PeriodText` has refused it
            raise ValueError(self.start)
        return kind

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if kind_of(self.start) != kind_of(self.end):
            msg = (
                f"start is a {kind_of(self.start)} and end is a {kind_of(self.end)}; write both the same way"
            )
            raise ValueError(msg)
        first, last = (parse_period(t, self.kind) for t in (self.start, self.end))
        if first is None or last is None or last <= first:
            msg = f"the window ends ({self.end}) before it begins ({self.start})"
            raise ValueError(msg)
        return self


class AtlasLayer(Part):
    """A further column to shade the map by, such as deprivation; no evaluation uses it."""

    column: ColumnText = Field(description="'source.column' with one number an area")
    label: str = Field(default="", description="name in print; default from the column")
    unit: str = Field(default="", description="what one unit is")
    better: Literal["", "lower", "higher"] = Field(
        default="", description="which is good, for the legend; empty: neither"
    )


class AtlasPart(Part):
    """Layers, names and postcodes of an atlas; `evaluate` does not look at them."""

    layers: tuple[AtlasLayer, ...] = Field(default=(), description="further layers of the map")
    places: str | None = Field(
        default=None,
        description="CSV of area_code with name, ward, authority, region and force; default the "
        "catalogue's lookups",
    )
    postcodes: str | None = Field(
        default=None,
        description="CSV of postcode and area_code, or a zip of the ONS Postcode Directory; "
        "default what `areaeffect fetch postcodes` has brought",
    )
    made_up: bool = Field(
        default=False, description="whether its places do not exist: such an atlas is shown last"
    )


SHARED_DATA_VARIABLE = "AREAEFFECT_SHARED_DATA"


def resolve(path: str, folder: Path) -> Path:
    """Expand variables, also those that are not set; relative to the study's folder.

    `${AREAEFFECT_SHARED_DATA}` and `${AREAEFFECT_FETCHED}` are known without being set.
    """
    shared = os.environ.get(SHARED_DATA_VARIABLE) or str(default_shared_data(folder))
    known = {SHARED_DATA_VARIABLE: shared, FETCHED_VARIABLE: str(default_fetched())}
    values = {**os.environ, **known}
    expanded = re.sub(r"\$\{(\w+)\}", lambda m: values.get(m[1], m[0]), path)
    return folder / expanded


def default_fetched() -> Path:
    """Return where fetched files go: `AREAEFFECT_FETCHED`, else `fetched` beside the store."""
    named = os.environ.get(FETCHED_VARIABLE)
    return Path(named) if named else store_path().with_name("fetched")


def default_shared_data(folder: Path) -> Path:
    """Return `../shared/data` beside the checkout that holds a folder (or beside the folder)."""
    here = folder.resolve()
    root = next((p for p in (here, *here.parents) if (p / "pyproject.toml").exists()), here)
    return root.parent / "shared" / "data"


FETCHED_VARIABLE = "AREAEFFECT_FETCHED"
