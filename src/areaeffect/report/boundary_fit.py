"""What the report says of places that were drawn or listed by postcode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.report.data_words import in_words
from areaeffect.report.document import Data, Folded, Paragraph, Place, Section
from areaeffect.report.numbers import plural

if TYPE_CHECKING:
    from areaeffect.report.document import Block
    from areaeffect.results import Annex, Result


def boundary_fit_section(_result: Result, annex: Annex) -> Section:
    """Return how well areas stand for the places meant, and what was left out."""
    said = annex.values
    blocks: list[Block] = []
    if said["places"]:
        blocks.append(
            Paragraph(
                f"{plural(said['places'], 'place')} drawn, or listed by postcode, touch "
                f"{plural(said['areas_touched'], 'area')}; {said['areas_kept']:,} stand for them, "
                "because enough of each lies inside. Figures exist only for whole areas, so homes "
                "outside a boundary can be counted and homes inside it left out: both pull an "
                "effect towards zero. Nothing that was drawn has been changed."
            )
        )
    if said["least_inside"] is not None and said["least_captured"] is not None:
        blocks.append(
            Paragraph(
                f"In the worst case {said['least_inside']:.0%} of the areas that stand for a place "
                f"lies inside it, and {said['least_captured']:.0%} of a place lies in the areas "
                "that stand for it.",
                note=True,
            )
        )
    if said["left_out"]:
        blocks.append(
            Paragraph(f"Named in the files, but not used: {plural(said['left_out'], 'place')}.")
        )
    for table in annex.tables:
        data = Data(in_words(table), table.name)
        blocks.append(Folded(table.title, (data,)) if table.name == "boundary_fit" else data)
    return Section(
        "boundary-fit",
        "How well areas fit the places meant",
        tuple(blocks),
        place=Place.WHO,
    )
