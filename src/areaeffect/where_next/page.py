"""`where-next` as files, map and page, with plain words on what the list is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from areaeffect.document import maps
from areaeffect.document.blocks import Block, Bullets, Data, Document, Paragraph, Section
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.maps import WEIGHT_FILLS, WHITE, MapClass
from areaeffect.document.page import SmallResult, run_of, write_small
from areaeffect.where_next.result import WhereNext
from areaeffect.wording.numbers import number, plural

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
        footer="Made by areaeffect. Every number above is in the files beside this page.",
    )


def not_said(result: WhereNext) -> list[str]:
    """Return what the list is not."""
    said = [
        "This list is not a prediction: that a place is like one that did better, or is in need, "
        "does not say that the same work would do the same there.",
        "It knows only the figures named below. Who lives there, what they want and who is ready "
        "to begin are not in them: ask first.",
        "A place that is not in the register may have work that nobody entered.",
    ]
    if result.like is not None:
        p = result.plan
        said.insert(
            1,
            f"‘Benefited’ is an estimate: {p['came_out_better']} of {p['places_of_study']} studied "
            f"places did better than expected on {p['outcome'].replace('_', ' ')}. A single "
            "place is described, not judged; the interval of a rank takes its noise into account.",
        )
    return said


def _list(result: WhereNext) -> Section:
    first = min(int(result.plan["first"]), len(result.names))
    leading = result.leading
    wide = int(np.median(leading.high[:first] - leading.low[:first]))
    text = (
        f"{plural(len(result.names), 'place')} are ranked, none of them in the register"
        + (f" nor within {result.plan['buffer_km']:g} km of it" if result.plan["buffer_km"] else "")
        + f". Ranks are uncertain: among the first {first} the 90% interval of a rank spans "
        f"{wide:,} places at the median."
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
    table = Table(f"The first {first} places", tuple(head), tuple(rows), frozenset({0, 2, 4}))
    blocks: list[Block] = [Paragraph(text, lead=True)]
    drawn = _map(result, first)
    if drawn:
        blocks.append(Figure(chart=drawn, title="Where they are", table=table, data="where_next"))
    blocks.append(Data(table, "where_next"))
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
        MapClass(_NEAR, "within the buffer of the register", near),
        MapClass(_TAKEN, "in the register", taken),
        MapClass(WEIGHT_FILLS[1], f"rank {TOP + 1} to {first}", next_ones),
        MapClass(WEIGHT_FILLS[3], f"rank 1 to {min(TOP, first)}", top),
    ]
    title = "Where the first places of the list are"
    return maps.draw_map(result.shapes, [d for d in drawn if d.areas], key="map", title=title)


def _not(result: WhereNext) -> Section:
    bullets = Bullets(tuple(not_said(result)))
    return Section("not", "What this list is not", (bullets,))


def _how(result: WhereNext) -> Section:
    p = result.plan
    said = []
    if result.like is not None:
        traits = ", ".join(t.replace("_", " ") for t in p["traits"])
        said.append(
            f"Likeness: the distance, in standard deviations, of a place's mean {traits} to that "
            "of the nearest studied place that did better than expected. The smallest of many "
            "distances is often small by chance, so the rank is that of the mean rank over the "
            "redrawn worlds below."
        )
        said.append(
            "Places are contiguous and of the studied places' usual size, each the areas nearest "
            "to one in its middle; of two that overlap the one higher on the list is kept."
            if result.shapes
            else "The study has no outlines, so a place is a single area."
        )
    if result.need is not None:
        said.append(f"Need: the mean score of the index ‘{p['need']}’ over a place's areas.")
    if result.like is None:
        said.append("Places are middle-layer areas (MSOAs); one with an area left out is left out.")
    said += [
        f"Left out: {plural(p['taken'], 'area')} of the register"
        + (f" and {plural(p['near'], 'area')} near it" if p["buffer_km"] else "")
        + ".",
        f"Intervals: {p['draws']} simulations, each with other figures (drawn with "
        "replacement), other weights (most moved by up to a quarter), one area of every place left "
        "out" + (", and other places that benefited" if result.like is not None else "") + ".",
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
