"""What the report says of the register: other initiatives, overlaps, and what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.report.data_words import in_words
from areaeffect.report.document import Bullets, Data, Folded, Paragraph, Place, Section
from areaeffect.report.numbers import plural

if TYPE_CHECKING:
    from areaeffect.report.document import Block
    from areaeffect.results import Annex, Result


def register_section(_result: Result, annex: Annex) -> Section:
    """Return what is known to have gone on elsewhere, and what that means for the comparison."""
    said = annex.values
    blocks: list[Block] = [Paragraph(_known(annex)), Bullets(tuple(_means(annex)))]
    for table in annex.tables:
        data = Data(in_words(table), table.name)
        short = table.name == "register_overlaps"
        blocks.append(data if short else Folded(table.title, (data,)))
    if not said["overlaps"]:
        blocks.insert(
            2, Paragraph("No area is in two of the initiatives that could be located.", note=True)
        )
    return Section("register", "What else was going on", tuple(blocks), place=Place.WHO)


def _known(annex: Annex) -> str:
    said = annex.values
    text = (
        f"The register names {plural(said['entries'], 'other place')} of "
        f"{plural(len(said['programmes']), 'programme')}: {said['during']:,} with work in the "
        "study's window (an entry without dates counts as one)"
    )
    parts = [
        f"{said[key]:,} {words}"
        for key, words in (
            ("ended_before", "that had ended before it"),
            ("begins_after", "that begin after it"),
        )
        if said[key]
    ]
    text += f", {', '.join(parts)}" if parts else ""
    text += (
        f". Of those in the window {said['located']:,} could be located, "
        f"{said['located_by_name']:,} of them only by the name of a ward or MSOA, which need not "
        f"be the initiative's own boundary; {said['not_located']:,} could not."
    )
    return text


def _means(annex: Annex) -> list[str]:
    said = annex.values
    lines = [
        f"{plural(said['areas_left_out'], 'area')} of the study's data in another initiative never "
        "serve as benchmark areas."
    ]
    if said["studied_overlaps"]:
        n = plural(said["studied_overlaps"], "studied neighbourhood")
        lines.append(
            f"{n} share areas with another initiative: a finding there speaks of everything that "
            "went on, and cannot be shared out between them."
        )
    lines.append(
        f"Of {plural(said['benchmark_areas'], 'benchmark area')}, "
        f"{said['doubtful_benchmark_areas']:,} (with {said['doubtful_weight']:.0%} of the weight) "
        "lie in an authority where an initiative could not be located, so it may have been there. "
        "Of the others there is no evidence of an initiative in the register, which is not "
        "evidence that there was none."
    )
    if said["without_authority"]:
        lines.append(
            f"For {plural(said['without_authority'], 'place')} not even the authority is known: "
            "any benchmark area may be one of them."
        )
    lines.append(
        "A benchmark area in which something like the initiative was done makes the initiative "
        "look smaller than it is."
    )
    if said["uncoded"] != "ignore" and said["not_located"]:
        lines.append(
            "As the study asks, authorities that hold a place that could not be located are left "
            "out of the comparison."
        )
    if said["studied_others"]:
        lines.append(
            f"{plural(said['studied_others'], 'place')} of other initiatives, located and begun "
            "inside the window, are studied as a group of their own."
        )
    return lines
