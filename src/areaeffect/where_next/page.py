"""`where-next` as files, map and page, with plain words on what the list is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from areaeffect.document import maps
from areaeffect.document.blocks import Block, Bullets, Data, Document, Folded, Paragraph, Section
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.maps import WEIGHT_FILLS, WHITE, MapClass
from areaeffect.document.page import SmallResult, run_of, write_small
from areaeffect.results import Ints
from areaeffect.where_next.ranking import LEVEL, TITLE, WhereNext
from areaeffect.wording.numbers import PHRASES, number, phrase, plural

TOP = 10
_TAKEN, _NEAR = "#8A8A8A", "#E4E4E4"


def write_where_next(result: WhereNext, folder: Path) -> None:
    """Write the list's folder, which appears whole or not at all."""
    not_section = Section("not", "What this list is not", (Bullets(tuple(not_said(result))),))
    document = Document(
        title=TITLE,
        kind="Where next",
        question=str(result.plan["study"]),
        sections=(_list(result), not_section, _how(result)),
        footer=PHRASES["page.footer"],
    )
    run = run_of(result.plan, result.releases, result.notes)
    write_small(SmallResult(document, result.tables(), run), folder, "where_next.html")


def not_said(result: WhereNext) -> list[str]:
    """Return what the list is not."""
    plan = result.plan
    benefited = phrase(
        "where_next.benefited_estimate",
        came_out_better=plan["came_out_better"],
        places_of_study=plan["places_of_study"],
        outcome=plan["outcome"].replace("_", " "),
    )
    return [
        PHRASES["where_next.list_prediction"],
        benefited,
        PHRASES["where_next.knows_figures"],
        PHRASES["where_next.place_register"],
    ]


def _list(result: WhereNext) -> Section:
    like, need = result.like, result.need
    first = min(int(result.plan["first"]), len(result.names))
    wide = int(np.median(like.high[:first] - like.low[:first]))
    text = (
        phrase("where_next.ranked_none", places=plural(len(result.names), "place"))
        + (f" nor within {result.plan['buffer_km']:g} km of it" if result.plan["buffer_km"] else "")
        + phrase("where_next.ranks_uncertain", first=first, wide=f"{wide:,}")
    )
    head = ["Rank", "Place", "Areas", "90% interval of rank", f"Chance of the first {first}", "Most like"]
    head += [] if need is None else ["Rank by need", "90% interval"]
    rows = [
        (
            f"{like.rank[k]:,}",
            result.names[k],
            str(len(result.places[k])),
            f"{like.low[k]:,} to {like.high[k]:,}",
            number(float(like.share_first[k]), "additive", 2),
            result.models[int(like.nearest[k])],
            *(() if need is None else (f"{need.rank[k]:,}", f"{need.low[k]:,} to {need.high[k]:,}")),
        )
        for k in range(first)
    ]
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

    def codes(positions: Sequence[int] | Ints) -> frozenset[str]:
        return frozenset(str(result.areas[a]) for a in positions)

    top = codes([a for place in result.places[: min(TOP, first)] for a in place])
    next_ones = codes([a for place in result.places[TOP:first] for a in place])
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


def _how(result: WhereNext) -> Section:
    p = result.plan
    traits = ", ".join(t.replace("_", " ") for t in p["traits"])
    said = [
        phrase("where_next.likeness_distance", traits=traits),
        PHRASES["where_next.places_contiguous"] if result.shapes else PHRASES["where_next.study_outlines"],
        *([] if result.need is None else [phrase("where_next.need_mean", need=p["need"])]),
        f"Left out: {plural(p['taken'], 'area')} of the register"
        + (f" and {plural(p['near'], 'area')} near it" if p["buffer_km"] else "")
        + ".",
        phrase("where_next.intervals_simulations", draws=p["draws"]) + ", and other places that benefited.",
    ]
    files = tuple(f"{r.file}, sha256 {r.sha256[:12]}…" for r in result.releases)
    return Section("how", "How it was made", (Bullets(tuple(said)), Bullets((*files, *result.notes))))


def as_text(result: WhereNext) -> str:
    """Return what the command prints."""
    shown, like = min(TOP, len(result.names)), result.like
    lines = [f"{plural(len(result.names), 'place')} ranked. The first {shown}:"]
    lines += [
        f"  {like.rank[k]:>3}  {result.names[k]}  ({number(LEVEL, 'ratio', 0)} interval of the rank "
        f"{like.low[k]:,} to {like.high[k]:,})"
        for k in range(shown)
    ]
    return "\n".join([*lines, *not_said(result)[:1]])
