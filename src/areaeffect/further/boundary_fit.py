"""How well areas stand for the places that were drawn or listed, for files and report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from areaeffect.document.blocks import Data, Folded, Paragraph, Place, Section
from areaeffect.document.chart_tables import in_words
from areaeffect.records import Column, DataTable
from areaeffect.results import Annex
from areaeffect.wording.numbers import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.document.blocks import Block
    from areaeffect.findings.finished import Finished
    from areaeffect.results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryFit:
    """How many places were drawn or listed, the areas that stand for them, and the worst fit."""

    places: int
    areas_touched: int
    areas_kept: int
    left_out: int
    least_inside: float | None
    least_captured: float | None


def boundary_fit_section(_result: Result, annex: Annex[BoundaryFit]) -> Section:
    """Return how well areas stand for the places meant, and what was left out."""
    said = annex.found
    blocks: list[Block] = []
    if said.places:
        blocks.append(
            Paragraph(
                f"{plural(said.places, 'place')} drawn, or listed by postcode, touch "
                f"{plural(said.areas_touched, 'area')}; {said.areas_kept:,} are used for them, "
                "because enough of each lies inside. Figures exist only for whole areas, so homes "
                "outside a boundary can be counted and homes inside it left out: both pull an "
                "effect towards zero. Nothing that was drawn has been changed."
            )
        )
    if said.least_inside is not None and said.least_captured is not None:
        blocks.append(
            Paragraph(
                f"In the worst case {said.least_inside:.0%} of the areas used for a place "
                f"lies inside it, and {said.least_captured:.0%} of a place lies in the areas "
                "used for it.",
                note=True,
            )
        )
    if said.left_out:
        blocks.append(Paragraph(f"Named in the files, but not used: {plural(said.left_out, 'place')}."))
    for table in annex.tables:
        data = Data(in_words(table), table.name)
        blocks.append(Folded(table.title, (data,)) if table.name == "boundary_fit" else data)
    return Section("boundary-fit", "How well areas fit the places meant", tuple(blocks), place=Place.WHO)


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
    Column("share", "number", "Share of the area inside; empty where it is not known"),
    Column("kept", "boolean", "Whether the area stands for the neighbourhood"),
    Column("reason", "string", "Why not"),
)
_LEFT_OUT = (
    Column("file", "string", "File"),
    Column("place", "string", "Its row or feature in that file"),
    Column("what", "string", "The name it goes by"),
    Column("reason", "string", "Why it could not be used"),
)


def boundary_fit(finished: Finished) -> Annex[BoundaryFit] | None:
    """Report each drawn shape and list of postcodes, area by area, and what was left out."""
    files = finished.data.registered.found
    shapes = [s for f in files for s in f.shapes]
    fits = [a for f in files for a in f.fits]
    left_out = [x for f in files for x in f.left_out]
    if not shapes and not left_out:
        return None
    tables = (
        DataTable("boundary_fit", "Areas and drawn places", _FITS, _rows(fits, _FITS)),
        DataTable("boundary_fit_places", "How well areas fit", _SHAPES, _rows(shapes, _SHAPES)),
        DataTable("boundary_fit_left_out", "Left out", _LEFT_OUT, _rows(left_out, _LEFT_OUT)),
    )
    inside = [s.inside for s in shapes if s.inside is not None]
    captured = [s.captured for s in shapes if s.captured is not None]
    found = BoundaryFit(
        places=len(shapes),
        areas_touched=len(fits),
        areas_kept=sum(f.kept for f in fits),
        left_out=len(left_out),
        least_inside=min(inside, default=None),
        least_captured=min(captured, default=None),
    )
    return Annex("boundary_fit", found, tuple(t for t in tables if t.rows))


def _rows(
    records: Sequence[object], columns: tuple[Column, ...]
) -> tuple[tuple[str | float | int | bool | None, ...], ...]:
    return tuple(tuple(getattr(r, c.name) for c in columns) for r in records)
