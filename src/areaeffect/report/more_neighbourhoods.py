"""Section on what more neighbourhoods would let the study see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.report.axes import printed, scaled
from areaeffect.report.chart_tables import Table
from areaeffect.report.document import Data, Paragraph, Place, Section

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result

_HEAD = ("Outcome", "Smallest detectable now", "With all", "Placebo programmes")


def more_neighbourhoods_section(_result: Result, annex: Annex) -> Section:
    """Return the smallest effects with the study's neighbourhoods, and with those supposed."""
    said = annex.values
    (table,) = annex.tables
    rows = tuple(
        (
            r["label"],
            _size(r["mde"], r["form"], r["unit"]),
            _size(r["mde_with"], r["form"], r["unit"]),
            f"{r['draws']:,}",
        )
        for r in table.records()
    )
    text = (
        f"The study has {said['neighbourhoods']:,} neighbourhoods. With {said['with']:,} like "
        "them, each with its true boundary, the smallest effect that would be found in 80 of 100 "
        "such studies would be the one in the third column. It comes from placebo programmes of "
        "that many neighbourhoods, drawn from the same areas and put through the whole design."
    )
    if any(_is_no_smaller(r["mde"], r["mde_with"]) for r in table.records()):
        text += (
            " Where it is no smaller, placebo programmes differ from their own benchmark areas by "
            "more than chance: more areas do not mend what the design leans."
        )
    shown = Table("Smallest detectable effect", _HEAD, rows, frozenset({1, 2, 3}))
    return Section(
        "more_neighbourhoods",
        f"What {said['with']:,} neighbourhoods would show",
        (Paragraph(text), Data(shown, table.name)),
        place=Place.CHECKS,
    )


def _is_no_smaller(now: float | None, then: float | None) -> bool:
    return now is not None and then is not None and abs(then) >= abs(now)


def _size(value: float | None, form: str, unit: str) -> str:
    if value is None:
        return "not estimable"
    number = printed(scaled(abs(value), form), form)
    return number if form == "ratio" else f"{number} {unit}"
