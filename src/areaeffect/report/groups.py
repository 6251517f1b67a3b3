"""Section on findings by attribute: by start, by who leads, by any column of the areas file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.report.axes import printed, scaled
from areaeffect.report.chart_tables import Table
from areaeffect.report.document import Bullets, Data, Paragraph, Section
from areaeffect.report.numbers import plural

if TYPE_CHECKING:
    from areaeffect.report.document import Block
    from areaeffect.results import Annex, Result

_HEAD = (
    "Neighbourhoods",
    "Outcome",
    "Number",
    "Verdict",
    "Estimate",
    "95% interval",
    "Smallest detectable",
)


def groups_section(_result: Result, annex: Annex) -> Section:
    """Return one table an attribute, a contrast's row saying both sides."""
    records = annex.table("groups").records()
    n = int(annex.values["n_findings"])
    blocks: list[Block] = [
        Paragraph(
            f"{plural(n, 'further finding')} beside the main ones. Each interval holds for its row "
            f"alone: of {n} rows, some will look unusual by chance. What differs between groups "
            "may be owed to the places in them, not to the attribute."
        )
    ]
    if annex.values["notes"]:
        blocks.append(Bullets(tuple(annex.values["notes"])))
    for key in annex.values["keys"]:
        own = [r for r in records if r["attribute"] == key]
        title = "Some of the neighbourhoods" if key == "group" else f"By {key.replace('_', ' ')}"
        rows = tuple(_cells(record) for record in own)
        blocks.append(Data(Table(title, _HEAD, rows, frozenset({4, 5, 6})), "groups"))
    return Section("groups", "By start, by who leads, and by other attributes", tuple(blocks))


def _cells(record: dict[str, Any]) -> tuple[str, ...]:
    who = record["value"]
    if record["against"]:
        who = f"{record['value']} against {record['against']}"
    form = record["form"]
    span = "–"
    if record["low"] is not None and record["high"] is not None:
        span = " to ".join(printed(scaled(record[end], form), form) for end in ("low", "high"))
    estimable = record["estimate"] is not None
    verdict = record["verdict"] if estimable else f"{record['verdict']}: {record['caveats']}"
    mde = record["mde"]
    return (
        who,
        record["label"],
        str(record["neighbourhoods"]),
        verdict,
        printed(scaled(record["estimate"], form), form) if estimable else "–",
        span,
        "–" if mde is None else printed(scaled(abs(mde), form), form),
    )
