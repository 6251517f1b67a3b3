"""What people say, and what happened: beside the numbers, clearly apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.outcomes import FAMILIES
from areaeffect.report.chart_tables import Table
from areaeffect.report.document import Block, Data, Folded, Paragraph, Place, Section
from areaeffect.results import ALL_INITIATIVES

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result

_EVERYWHERE = "all neighbourhoods"


def stories_section(result: Result, annex: Annex) -> Section:
    """Build the section of events and stories."""
    del result
    told = annex.table("stories").records()
    events = annex.table("events").records()
    blocks: list[Block] = [
        Paragraph(
            "What people say is evidence of another kind. It did not enter any estimate in this "
            "report, and a story that agrees with a number does not make the number surer."
        )
    ]
    if annex.values["withheld"]:
        n = annex.values["withheld"]
        blocks.append(Paragraph(f"Not printed, because nobody has agreed to it: {n} of them."))
    if events:
        cells = tuple((e["date"], e["neighbourhood"] or _EVERYWHERE, e["what"]) for e in events)
        table = Table("What happened, and when", ("When", "Where", "What"), cells)
        blocks.append(Data(table, "events"))
    if told:
        blocks += [
            Data(_theme_table(annex), "themes"),
            *(
                Folded(
                    f"{s['title']} ({s['neighbourhood']}, {s['date']})",
                    tuple(Paragraph(p.strip()) for p in s["text"].split("\n\n") if p.strip()),
                )
                for s in told
            ),
        ]
    return Section("stories", "What people say", tuple(blocks), place=Place.VOICES)


def events_of(result: Result, group: str) -> tuple[tuple[str, str, str], ...]:
    """Return date, place and what happened, of events in a group's neighbourhoods or everywhere."""
    annex = result.annex("stories")
    if annex is None:
        return ()
    places = {a.neighbourhood for a in result.areas if a.initiative == group}
    rows = annex.table("events").records()
    return tuple(
        (e["date"], e["neighbourhood"], e["what"])
        for e in rows
        if not e["neighbourhood"] or group == ALL_INITIATIVES or e["neighbourhood"] in places
    )


def _theme_table(annex: Annex) -> Table:
    rows = tuple(
        (
            r["theme"],
            FAMILIES[r["family"]].title,
            r["neighbourhood"],
            str(r["stories"]),
            r["verdict"] + (f" ({r['finding']})" if r["finding"] else ""),
        )
        for r in annex.table("themes").records()
    )
    head = ("Theme", "It speaks of", "Neighbourhood", "Stories", "What the numbers say")
    return Table("Where stories and numbers agree, and where not", head, rows, frozenset({3}))
