"""What a study may say of its initiatives, and of what else is known to be going on."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from areaeffect.study.parts import ColumnText, Part, PeriodText


class Fit(Part):
    """How a drawn shape, or a list of postcodes, is matched to areas."""

    by: Literal["area", "population"] = Field(
        default="area", description="share of an area's surface, or of its people, inside the shape"
    )
    least: float = Field(
        default=0.5, gt=0, le=1, description="an area belongs where at least this share is inside"
    )
    points: str | None = Field(
        default=None, description="CSV of points with residents (output areas, postcodes), for population"
    )

    @model_validator(mode="after")
    def _has_points(self) -> Self:
        if self.by == "population" and self.points is None:
            msg = (
                "by = 'population' needs `points`: a CSV with longitude and latitude (or easting "
                "and northing) and residents, such as the centres of output areas"
            )
            raise ValueError(msg)
        return self


class Approximate(Part):
    """How far the areas may be from the true ones, for a simulation of what that hides."""

    attribute: str = Field(description="attribute that says how sure a match is")
    certain: tuple[str, ...] = Field(default=(), description="its values whose areas are the true ones")
    wrong_in_part: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description="by value, the share of matches that are wrong in part"
    )
    share_elsewhere: float = Field(
        default=0.5, gt=0, lt=1, description="share of the people of a wrong match outside it"
    )
    people: ColumnText = Field(description="'source.column' with each area's residents")
    true_people: float = Field(gt=0, description="residents that a true area typically has")
    larger_than: float = Field(
        gt=0, description="a match with more residents is taken to hold the true area in it"
    )
    placed_like: ColumnText | None = Field(
        default=None,
        description="'source.column' with classes: places of the register that could not be found "
        "lie in them as the known ones do; default anywhere in their authority",
    )
    effect: float = Field(default=-0.1, gt=-1, description="the effect to simulate, a fraction")
    draws: int = Field(default=1000, ge=100, le=100_000, description="simulations")


class Initiative(Part):
    """A programme: its neighbourhoods, start dates and attributes."""

    name: str = Field(min_length=1, description="its name in print")
    description: str = Field(default="", description="what was done, in one sentence")
    areas: str | None = Field(
        default=None,
        description="CSV with a column area_code, ward, msoa or postcode; GeoJSON, GeoPackage or "
        "Shapefile of boundaries",
    )
    treated_column: str | None = Field(
        default=None, description="'source.column' that is 1 in treated area-periods"
    )
    start_column: str | None = Field(
        default=None, description="'source.column' with the start of each treated area; blank or 0: never"
    )
    resident_led: bool | None = Field(default=None, description="led by residents")
    start: PeriodText | None = Field(default=None, description="start where the file has none")
    end: PeriodText | None = Field(default=None, description="end where the file has none")
    start_instead: PeriodText | None = Field(
        default=None, description="start of every neighbourhood, whatever the file says"
    )
    attributes: str | None = Field(
        default=None,
        description="CSV with one row a neighbourhood (`neighbourhood` or `area_name`): its other "
        "columns are attributes that define groups",
    )
    elsewhere: Literal["refuse", "leave out"] = Field(
        default="refuse", description="what to do with areas that the study's sources do not hold"
    )
    phase_in_months: int = Field(
        default=0,
        ge=0,
        multiple_of=3,
        description="months from the start on that count neither as before nor as after",
    )
    announced: PeriodText | None = Field(
        default=None,
        description="month or later date of the announcement: from it to the start counts neither "
        "as before nor as after",
    )
    treated_throughout: Literal["refuse", "leave out"] = Field(
        default="refuse",
        description="what to do with areas that a column says are treated from their first period on",
    )
    lookup: str | None = Field(
        default=None,
        description="CSV or Parquet that says which areas a ward, MSOA or postcode has; wards and "
        "MSOAs: default the catalogue's",
    )
    fit: Fit = Field(default_factory=Fit, description="how shapes and postcodes are matched to areas")
    approximate: Approximate | None = Field(
        default=None, description="the areas are approximations: simulate what that hides"
    )
    crs: str | None = Field(
        default=None, description="'EPSG:27700' where a file of boundaries does not say so"
    )

    @model_validator(mode="after")
    def _has_areas(self) -> Self:
        if sum(x is not None for x in (self.areas, self.treated_column, self.start_column)) != 1:
            msg = "give one of `areas` (a file), `treated_column` and `start_column` ('source.column')"
            raise ValueError(msg)
        return self


class Limits(Part):
    """Numbers that an attribute may have."""

    at_least: float | None = Field(default=None, description="not under this")
    at_most: float | None = Field(default=None, description="not over this")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give `at_least`, `at_most` or both")
        return self

    def hold(self, text: str) -> bool:
        """Say whether a number, as written, lies inside; what is no number does not."""
        try:
            number = float(text.replace(",", ""))
        except ValueError:
            return False
        low = self.at_least if self.at_least is not None else float("-inf")
        high = self.at_most if self.at_most is not None else float("inf")
        return low <= number <= high


class NamedGroup(Part):
    """Neighbourhoods that a further finding speaks of."""

    name: str = Field(min_length=1, description="what it is called in print")
    where: tuple[dict[str, tuple[str, ...] | Limits], ...] = Field(
        min_length=1,
        description="one or more sets of conditions: attribute = [values], or { at_most = 12000 }; "
        "a neighbourhood belongs where all of one set hold",
    )


class Register(Part):
    """What else is known to be going on."""

    others: tuple[str, ...] = Field(
        default=(),
        description="files of other initiatives: by area_code, ward, msoa, match_code, name or "
        "postcode, or drawn",
    )
    buffer_km: float = Field(
        default=1.0, ge=0, description="areas nearer than this to a treated one are left out"
    )
    lookup: str | None = Field(
        default=None, description="CSV or Parquet of wards, MSOAs or postcodes; default the catalogue's"
    )
    authority: ColumnText | None = Field(
        default=None, description="'source.column' with each area's local authority; default the catalogue's"
    )
    uncoded: Literal["ignore", "leave out authority"] = Field(
        default="ignore",
        description="authorities with an initiative that could not be located: keep or leave out",
    )
    study_others: bool = Field(
        default=False, description="study the other initiatives too, as a group of their own"
    )
