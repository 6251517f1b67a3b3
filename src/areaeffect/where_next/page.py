"""`where-next` as files, map and page, with plain words on what the list is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from areaeffect.document import maps
from areaeffect.document.blocks import Block, Bullets, Data, Document, Folded, Paragraph, Section
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.maps import WEIGHT_FILLS, WHITE, MapClass
from areaeffect.document.page import SmallResult, run_of, write_small
from areaeffect.where_next.result import WhereNext
from areaeffect.wording.numbers import number, plural
from areaeffect.wording.terms import PHRASES, phrase

TOP = 10
_TAKEN, _NEAR = "#8A8A8A", "#E4E4E4"


def write_where_next(result: WhereNext, folder: Path) -> None:
    """Write the list's folder, which appears whole or not at all."""
    run = run_of(result.plan, result.releases, result.notes)
    small = SmallResult(where_next_document(result), result.tables(), run)
    write_small(small, folder, "where_next.html")


def where_next_document(result: WhereNext) -> Document:
    """Return the page of the list."""
    sections = [_list(result), _not(result), _how(result)]
    return Document(
        title=result.title,
        kind="Where next",
        question=str(result.plan.get("study", "")),
        sections=tuple(sections),
        footer=PHRASES["page.footer"],
    )


def not_said(result: WhereNext) -> list[str]:
    """Return what the list is not."""
    said = [
        PHRASES["where_next.list_prediction"],
        PHRASES["where_next.knows_figures"],
        PHRASES["where_next.place_register"],
    ]
    if result.like is not None:
        p = result.plan
        said.insert(
            1,
            phrase(
                "where_next.benefited_estimate",
                came_out_better=p["came_out_better"],
                places_of_study=p["places_of_study"],
                outcome=p["outcome"].replace("_", " "),
            ),
        )
    return said


def _list(result: WhereNext) -> Section:
    first = min(int(result.plan["first"]), len(result.names))
    leading = result.leading
    wide = int(np.median(leading.high[:first] - leading.low[:first]))
    text = (
        phrase("where_next.ranked_none", places=plural(len(result.names), "place"))
        + (f" nor within {result.plan['buffer_km']:g} km of it" if result.plan["buffer_km"] else "")
        + phrase("where_next.ranks_uncertain", first=first, wide=f"{wide:,}")
    )
    head = ["Rank", "Place", "Areas", "90% interval of rank", f"Chance of the first {first}"]
    if result.like is not None:
        head.append("Most like")
    if result.need is not None and result.like is not None:
        head += ["Rank by need", "90% interval"]
    rows = []
    for k in range(first):
        row = [
            f"{leading.rank[k]:,}",
            result.names[k],
            str(len(result.places[k])),
            f"{leading.low[k]:,} to {leading.high[k]:,}",
            number(float(leading.share_first[k]), "additive", 2),
        ]
        if result.like is not None and result.like.nearest is not None:
            row.append(result.models[int(result.like.nearest[k])])
        if result.need is not None and result.like is not None:
            row += [f"{result.need.rank[k]:,}", f"{result.need.low[k]:,} to {result.need.high[k]:,}"]
        rows.append(tuple(row))
    right = frozenset({0, 2, 4})
    shown = min(TOP, first)
    table = Table(f"The first {shown} places", tuple(head), tuple(rows[:TOP]), right)
    blocks: list[Block] = [Paragraph(text, lead=True)]
    drawn = _map(result, first)
    if drawn:
        blocks.append(Figure(chart=drawn, title="Where they are", table=table, data=""))
    blocks.append(Data(table, "where_next"))
    if first > TOP:
        rest = Table(f"Ranks {TOP + 1} to {first}", tuple(head), tuple(rows[TOP:]), right)
        blocks.append(Folded(rest.caption, (Data(rest),)))
    return Section("list", "The list", tuple(blocks))


def _map(result: WhereNext, first: int) -> str:
    """Draw the first places, the register and its buffer."""

    def codes(positions: Any) -> frozenset[str]:
        return frozenset(str(result.areas[a]) for a in positions)

    top = codes(a for place in result.places[: min(TOP, first)] for a in place)
    next_ones = codes(a for place in result.places[TOP:first] for a in place)
    near = codes(np.setdiff1d(result.near, result.taken))
    taken = codes(result.taken)
    rest = codes(range(len(result.areas))) - top - next_ones - near - taken
    drawn = [
        MapClass(WHITE, "other places", rest, "#C8CDD1"),
        MapClass(_NEAR, "near a place in the register", near),
        MapClass(_TAKEN, "in the register", taken),
        MapClass(WEIGHT_FILLS[1], f"rank {TOP + 1} to {first}", next_ones),
        MapClass(WEIGHT_FILLS[3], f"rank 1 to {min(TOP, first)}, numbered", top),
    ]
    title = PHRASES["where_next.where_first"]
    numbered = {str(k): codes(place) for k, place in enumerate(result.places[: min(TOP, first)], 1)}
    shown = [d for d in drawn if d.areas]
    return maps.draw_map(result.shapes, shown, key="map", title=title, names=numbered)


def _not(result: WhereNext) -> Section:
    bullets = Bullets(tuple(not_said(result)))
    return Section("not", "What this list is not", (bullets,))


def _how(result: WhereNext) -> Section:
    p = result.plan
    said = []
    if result.like is not None:
        traits = ", ".join(t.replace("_", " ") for t in p["traits"])
        said.append(phrase("where_next.likeness_distance", traits=traits))
        said.append(
            PHRASES["where_next.places_contiguous"] if result.shapes else PHRASES["where_next.study_outlines"]
        )
    if result.need is not None:
        said.append(phrase("where_next.need_mean", need=p["need"]))
    if result.like is None:
        said.append(PHRASES["where_next.places_middle"])
    said += [
        f"Left out: {plural(p['taken'], 'area')} of the register"
        + (f" and {plural(p['near'], 'area')} near it" if p["buffer_km"] else "")
        + ".",
        phrase("where_next.intervals_simulations", draws=p["draws"])
        + (", and other places that benefited" if result.like is not None else "")
        + ".",
    ]
    files = tuple(f"{r.file}, sha256 {r.sha256[:12]}…" for r in result.releases)
    return Section("how", "How it was made", (Bullets(tuple(said)), Bullets((*files, *result.notes))))


def as_text(result: WhereNext) -> str:
    """Return what the command prints."""
    shown = min(TOP, len(result.names))
    level = number(result.plan["level"], "ratio", 0)
    lines = [f"{plural(len(result.names), 'place')} ranked. The first {shown}:"]
    lines += [
        f"  {result.leading.rank[k]:>3}  {result.names[k]}  ({level} interval of the rank "
        f"{result.leading.low[k]:,} to {result.leading.high[k]:,})"
        for k in range(shown)
    ]
    return "\n".join([*lines, *not_said(result)[:1]])
