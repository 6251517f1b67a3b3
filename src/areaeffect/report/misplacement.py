"""Section on areas that are approximations: how much of an effect the study would see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.report.data_words import in_words
from areaeffect.report.document import Bullets, Data, Paragraph, Place, Section
from areaeffect.report.numbers import plural

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result


def misplacement_section(result: Result, annex: Annex) -> Section:
    """Return what the simulation supposes, what it found, and what it is not."""
    said = annex.values
    (table,) = annex.tables
    labels = {f.outcome: f.label for f in result.findings}
    lines = [
        f"{r['group']}, {labels.get(r['outcome'], r['outcome'])}: {r['seen']:.0%} of a true effect "
        f"would be seen ({r['seen_low']:.0%} to {r['seen_high']:.0%} in nine of ten simulations). "
        f"{r['treated_true']:.0%} of what counts as treated truly is, and "
        f"{r['benchmark_true']:.0%} of what it is compared with is too."
        for r in table.records()
    ]
    return Section(
        "misplacement",
        "What approximate areas hide",
        (
            Paragraph(
                "The areas are approximations. "
                f"{said['draws']:,} times it was drawn where the programme may truly have been, an "
                f"effect of {said['effect']:+.0%} was put there, and this study's own areas and "
                "benchmark areas looked for it."
            ),
            Bullets(tuple(lines)),
            Paragraph(_supposed(said)),
            Paragraph(
                "No estimate is divided by these shares: they say how far from zero a true effect "
                "would have been drawn towards it, if the suppositions hold.",
                note=True,
            ),
            Data(in_words(table), table.name),
        ),
        place=Place.CHECKS,
    )


def _supposed(said: dict[str, float]) -> str:
    text = (
        f"Supposed: of {plural(int(said['neighbourhoods']), 'neighbourhood')}, "
        f"{said['may_be_wrong']:.0f} may be wrong in part, about {said['wrong_expected']:.0f} of "
        f"them are, and then {said['share_elsewhere']:.0%} of the people lived next to it instead; "
        f"{said['too_large']:.0f} have more than {said['larger_than']:,.0f} residents and hold a "
        f"true area of {said['true_people']:,.0f}."
    )
    if said["unlocated"]:
        text += (
            f" {plural(int(said['unlocated']), 'place')} of the register that could not be found "
            "lie somewhere in their authority (anywhere, where it is not known)."
        )
    return text
