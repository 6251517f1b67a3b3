"""What a study may say of a list of places that areas are near to or far from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from areaeffect.study.parts import AnySource, PeriodText


class AccessSource(AnySource):
    """Distances from each area to the nearest point of a list: parks, libraries, surgeries."""

    kind: Literal["access"] = Field(description="'access': distances to places of your own list")
    path: str = Field(
        description="CSV of points: longitude and latitude (or easting and northing), category"
    )
    category: str = Field(default="category", description="column that says what each point is")
    centres: str | None = Field(
        default=None, description="CSV of area_code and coordinates; default middles of boundaries"
    )
    residents: str | None = Field(
        default=None, description="column of `centres` that weights several points of an area"
    )
    area: str = Field(default="area_code", description="code column of boundaries")
    as_of: PeriodText | None = Field(default=None, description="the date the list describes")
    licence: str = Field(default="", description="licence of the data, for the data annex")
    attribution: str = Field(default="", description="line the licence asks for")

    @property
    def coverage_group(self) -> None:
        """Attribute by which gaps are printed: none."""
        return

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the study names for this source."""
        return tuple(f for f in (self.path, self.centres, self.boundaries) if f)
