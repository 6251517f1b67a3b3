"""Section on plain means: what the places look like before anything is matched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.report.data_words import in_words
from areaeffect.report.document import Data, Paragraph, Place, Section

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result


def plain_means_section(_result: Result, annex: Annex) -> Section:
    """Return the means of the areas beside those of all others with the same mix of classes."""
    text = (
        "Means of the areas of the initiatives, and of all other areas with data as if they had "
        f"the same mix of {annex.values['label']}. Nothing else is adjusted and nothing is tested: "
        "this is how the places look, not what the initiative did."
    )
    tables = [Data(in_words(t), t.name) for t in annex.tables]
    return Section(
        "plain_means", "Before any matching", (Paragraph(text), *tables), place=Place.WHO
    )
