"""What a study may say of its atlas: the map and tables the web app works on (docs/web.md)."""

from __future__ import annotations

from pydantic import Field

from areaeffect.study.parts import ColumnText
from areaeffect.study.toml_file import Part


class AtlasLayer(Part):
    """A further column to shade the map by, such as deprivation; no evaluation uses it."""

    column: ColumnText = Field(description="'source.column' with one number an area")
    label: str = Field(default="", description="name in print; default from the column")
    unit: str = Field(default="", description="what one unit is")


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
