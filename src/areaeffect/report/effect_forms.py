"""Section on the same effect in other forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.report import wording
from areaeffect.report.axes import printed, scaled
from areaeffect.report.chart_tables import Table
from areaeffect.report.document import Data, Paragraph, Section

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result

_HEAD = ("Group", "Outcome", "Form", "Estimate", "95% interval", "Avoided", "Remark")


def effect_forms_section(_result: Result, annex: Annex) -> Section:
    """Return one table: forms side by side, with the incidents behind the ratio."""
    rows = tuple(_cells(record) for record in annex.table("effect_forms").records())
    return Section(
        "effect-forms",
        "The same effect in other forms",
        (
            Paragraph(
                "The ratio of totals leads: every incident counts the same. The mean over "
                "neighbourhoods counts every place the same; where the two part, large and small "
                "places fared differently. Avoided incidents come from the ratio and its interval. "
                "Levels are regression-adjusted for what weighting left unlike; the number before "
                "that stands beside."
            ),
            Data(Table("Forms of each effect", _HEAD, rows, frozenset({3, 4, 5})), "effect_forms"),
        ),
    )


def _cells(record: dict[str, Any]) -> tuple[str, ...]:
    form = record["form"]
    unit = f", {record['unit']}" if form == "additive" else ""
    estimate = (
        "–" if record["estimate"] is None else printed(scaled(record["estimate"], form), form)
    )
    return (
        wording.group_title(record["group"]),
        record["label"],
        f"{record['kind']}{unit}",
        estimate,
        _span(record, form),
        _avoided(record),
        record["remark"] or "",
    )


def _span(record: dict[str, Any], form: str) -> str:
    if record["low"] is None or record["high"] is None:
        return "–"
    return " to ".join(printed(scaled(record[end], form), form) for end in ("low", "high"))


def _avoided(record: dict[str, Any]) -> str:
    if record["avoided"] is None:
        return "–"
    if record["avoided_low"] is None or record["avoided_high"] is None:
        return f"{record['avoided']:,.0f}"
    low, high = record["avoided_low"], record["avoided_high"]
    return f"{record['avoided']:,.0f} ({low:,.0f} to {high:,.0f})"
