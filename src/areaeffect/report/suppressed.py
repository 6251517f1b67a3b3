"""What the report says of counts that their publisher hides because they are small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.report.data_words import in_words
from areaeffect.report.document import Data, Paragraph, Section

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result


def suppressed_section(_result: Result, annex: Annex) -> Section:
    """Return the estimates with every hidden number at its least and at its most."""
    blocks: list[Paragraph | Data] = [
        Paragraph(
            f"{name.replace('_', ' ').capitalize()}: the publisher hides {said['cells']:,} numbers "
            f"because they are small; each is between {said['least']} and {said['most']}. The "
            "finding leaves these areas out. The table gives the estimate again with every hidden "
            "number at its least and at its most: what lies between is what the hidden numbers "
            "alone leave open."
        )
        for name, said in sorted(annex.values["outcomes"].items())
    ]
    blocks += [Data(in_words(t), t.name) for t in annex.tables]
    return Section("suppressed", "Hidden small numbers", tuple(blocks))
