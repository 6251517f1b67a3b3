"""Every kind of source, one line each: the module that holds its model and reads it.

A module is imported by its name when a study is read, because it lies in a room above this one. It
has a row `SOURCE` (`areaeffect.sources.base.SourceKind`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field, GetCoreSchemaHandler

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

    from areaeffect.study.parts import AnySource

SOURCE_KINDS = {
    "panel": "areaeffect.sources.panel_table",
    "police_uk": "areaeffect.sources.police_uk.panel",
    "published": "areaeffect.sources.publishers.panel",
    "index": "areaeffect.index.source",
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
