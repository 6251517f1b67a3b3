"""Every kind of source, one line each, and what a study may say of dated incidents.

A module is imported by its name when a study is read, because it lies in a room above this one. It
has a row `SOURCE` (`areaeffect.sources.coverage.SourceKind`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, Union

from pydantic import Field, GetCoreSchemaHandler, model_validator

from areaeffect.periods import kind_of, parse_period
from areaeffect.study.parts import AnySource, Part, PeriodText, RealFallOfAll

if TYPE_CHECKING:
    from pydantic_core import CoreSchema


SOURCE_KINDS = {
    "panel": "areaeffect.sources.panel_table",
    "police_uk": "areaeffect.sources.police_uk.panel",
    "published": "areaeffect.sources.publishers.panel",
    "points": "areaeffect.sources.points.panel",
}


def row_of(kind: str) -> Any:
    """Return the row of a kind of source."""
    return import_module(SOURCE_KINDS[kind]).SOURCE


def source_models() -> dict[str, type[AnySource]]:
    """Return what a study may say of each kind of source."""
    return {kind: row_of(kind).model for kind in SOURCE_KINDS}


class ByKind:
    """A table of a study that is read by the model of its `kind`."""

    def __get_pydantic_core_schema__(self, _annotated: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of all kinds, chosen between by `kind`."""
        models = tuple(source_models().values())
        return handler.generate_schema(Annotated[Union[models], Field(discriminator="kind")])  # noqa: UP007


class Covers(Part):
    """First and last period that a file covers, whatever its first and last incidents are."""

    from_: PeriodText = Field(alias="from", description="first period covered: '2015-01', '2015'")
    to: PeriodText = Field(description="last period covered")

    @property
    def months(self) -> tuple[int, int]:
        """First and last month covered, counted from year 0."""
        kinds = [kind_of(text) for text in (self.from_, self.to)]
        first, last = (
            0 if kind is None else kind.first_month((parse_period(text, kind) or 0) + step)
            for text, kind, step in zip((self.from_, self.to), kinds, (0, 1), strict=True)
        )
        return first, last - 1

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        first, last = self.months
        if last < first:
            raise ValueError(f"it ends ({self.to}) before it begins ({self.from_})")
        return self


class PointsSource(AnySource):
    """Dated incidents with coordinates, counted into the areas of the study's boundaries."""

    kind: Literal["points"] = Field(description="'points': incidents with a date and coordinates")
    path: str | tuple[str, ...] = Field(
        description="CSV, workbook, Parquet, GeoJSON, GeoPackage or Shapefile, or a list of them, "
        "relative to the study file"
    )
    date: str = Field(description="column with the date of the incident")
    dates: Literal["day first", "month first"] | None = Field(
        default=None, description="how '03/04/2012' is meant, where the file does not show it"
    )
    category: str | None = Field(default=None, description="column that `category` of an outcome picks from")
    coordinates: tuple[str, str] | None = Field(
        default=None,
        description="columns of a table, the coordinate to the east first: ['Longitude', "
        "'Latitude']; default those named so, or lon and lat, easting and northing, x and y",
    )
    crs: str | None = Field(
        default=None,
        description="reference system of the coordinates; default what a file of shapes says, "
        "'EPSG:27700' for easting and northing, else 'EPSG:4326' (degrees)",
    )
    sheet: str | None = Field(
        default=None, description="sheet of a workbook; default the one with the columns named here"
    )
    header: int | None = Field(
        default=None, ge=1, description="row of the header; default the first with these columns"
    )
    area: str = Field(default="area_code", description="code column of `boundaries`")
    covers: Covers | None = Field(
        default=None,
        description="{ from = '2015-01', to = '2020-12' }: what the file covers; default from its "
        "first to its last incident",
    )
    real_falls: tuple[RealFallOfAll, ...] = Field(
        default=(), description="periods that look like a gap of recording and are a real fall"
    )
    licence: str = Field(default="", description="licence of the data, for the data annex")
    attribution: str = Field(default="", description="line the licence asks for")

    @property
    def coverage_group(self) -> None:
        """Attribute by which gaps are printed: none."""
        return

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of incidents."""
        return (self.path,) if isinstance(self.path, str) else self.path

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the study names for this source."""
        return tuple(f for f in (*self.paths, self.boundaries, self.neighbours) if f)
