"""How well areas stand for the places that were drawn or listed, for files and report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.results import Annex, Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.pipeline.steps import Finished

_PROGRAMME = Column("programme", "string", "Programme")
_NEIGHBOURHOOD = Column("neighbourhood", "string", "Neighbourhood")
_SHAPES = (
    _PROGRAMME,
    _NEIGHBOURHOOD,
    Column("by", "string", "What the share is of: 'area', 'population' or 'postcodes'"),
    Column("least", "number", "Share that an area needs to belong"),
    Column("n_kept", "integer", "Areas that stand for it"),
    Column("covered", "number", "Share of it that lies in the study's areas; empty for postcodes"),
    Column("captured", "number", "Share of it that lies in the areas kept"),
    Column("inside", "number", "Share of the areas kept that lies inside it"),
)
_FITS = (
    _PROGRAMME,
    _NEIGHBOURHOOD,
    Column("area", "string", "Area code"),
    Column("share", "number", "Share of the area inside; empty where it cannot be told"),
    Column("kept", "boolean", "Whether the area stands for the neighbourhood"),
    Column("reason", "string", "Why not"),
)
_LEFT_OUT = (
    Column("file", "string", "File"),
    Column("place", "string", "Where it stands there"),
    Column("what", "string", "The name it goes by"),
    Column("reason", "string", "Why it could not be used"),
)


def boundary_fit(finished: Finished) -> Annex | None:
    """Report each drawn shape and list of postcodes, area by area, and what was left out."""
    found = finished.data.registered.found
    shapes = [s for f in found for s in f.shapes]
    fits = [a for f in found for a in f.fits]
    left_out = [x for f in found for x in f.left_out]
    if not shapes and not left_out:
        return None
    tables = (
        DataTable("boundary_fit", "Areas and drawn places", _FITS, _rows(fits, _FITS)),
        DataTable("boundary_fit_places", "How well areas fit", _SHAPES, _rows(shapes, _SHAPES)),
        DataTable("boundary_fit_left_out", "Left out", _LEFT_OUT, _rows(left_out, _LEFT_OUT)),
    )
    inside = [s.inside for s in shapes if s.inside is not None]
    captured = [s.captured for s in shapes if s.captured is not None]
    values = {
        "places": len(shapes),
        "areas_touched": len(fits),
        "areas_kept": sum(f.kept for f in fits),
        "left_out": len(left_out),
        "least_inside": min(inside, default=None),
        "least_captured": min(captured, default=None),
    }
    return Annex("boundary_fit", values, tuple(t for t in tables if t.rows))


def _rows(
    records: Sequence[object], columns: tuple[Column, ...]
) -> tuple[tuple[str | float | int | bool | None, ...], ...]:
    return tuple(tuple(getattr(r, c.name) for c in columns) for r in records)
