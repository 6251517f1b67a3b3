"""An index as files and a small page: scores, ranks, and what each choice does to them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from areaeffect.document import maps
from areaeffect.document.blocks import Block, Bullets, Data, Document, Facts, Paragraph, Section
from areaeffect.document.chart_tables import Columns, Figure, Table
from areaeffect.document.maps import WEIGHT_FILLS, MapClass
from areaeffect.document.page import SmallResult, run_of, write_small
from areaeffect.index.composite import IndexResult, Variant
from areaeffect.records import Json
from areaeffect.sources.publishers.releases import find_release
from areaeffect.wording import when
from areaeffect.wording.numbers import PHRASES, number, phrase, plural

_SHOWN = 30
_NONE = "#F3F2F1"  # the fill of areas without a score
_NAMED = 12  # councils on the map
_COUNCILS = 15


def write_index(result: IndexResult, folder: Path) -> None:
    """Write an index's folder, which appears whole or not at all."""
    document = Document(
        title=result.title,
        kind="Composite index",
        question=str(result.plan["index"]["about"]),
        sections=(_scores(result), _choices(result), _sensitivity(result), _data(result)),
        footer=PHRASES["page.footer"],
    )
    run = run_of(result.plan, result.releases, result.notes)
    write_small(SmallResult(document, result.tables(), run), folder, "index.html")


def _words(column: str) -> str:
    return column.replace("_", " ")


def _source_of(part: Json) -> str:
    """Return the published title, or the file, and the column in words."""
    title = find_release(part["release"]).title if part["release"] else part["path"]
    return f"{title}: {_words(part['column'])}"


def _scores(result: IndexResult) -> Section:
    n, lacking = int(np.isfinite(result.score).sum()), int(np.isnan(result.score).sum())
    text = phrase("index.score_high", areas=plural(n, "area"))
    if lacking:
        text += phrase("index.none_because", areas=plural(lacking, "area"))
    blocks: list[Block] = [Paragraph(text, lead=True)]
    left = result.plan["left_behind"]
    if result.behind is not None:
        blocks.append(
            Paragraph(
                phrase(
                    "index.left_behind",
                    areas=plural(int(result.behind.sum()), "area"),
                    share=number(left["share"], "ratio", 0),
                    measure=_source_of(left).replace(": ", " (") + ")",
                )
            )
        )
    has_names = bool((result.names != result.areas).any())
    has_councils = bool((result.council != "").any())
    first = np.argsort(np.where(np.isnan(result.rank), np.inf, result.rank), kind="stable")
    rows = tuple(
        (
            number(result.rank[i], "count"),
            str(result.names[i]),
            *((str(result.council[i]) or "not known",) if has_councils else ()),
            *((str(result.areas[i]),) if has_names else ()),
            number(result.score[i], "additive", 1),
        )
        for i in first[: min(_SHOWN, n)]
    )
    head = (
        "Rank",
        "Area",
        *(("Council",) if has_councils else ()),
        *(("Code",) if has_names else ()),
        "Score",
    )
    blocks += _map(result)
    blocks += _councils(result)
    caption = f"The {len(rows)} worst areas"
    blocks.append(Data(Table(caption, head, rows, frozenset({0, len(head) - 1})), "index"))
    return Section("scores", "Scores and ranks", tuple(blocks))


def _map(result: IndexResult) -> list[Block]:
    """Draw the areas by tenth, the worst darkest; nothing without outlines."""
    tenth = result.decile

    def between(first: int, last: int) -> frozenset[str]:
        return frozenset(result.areas[(tenth >= first) & (tenth <= last)].tolist())

    drawn = [
        MapClass(_NONE, "no score", frozenset(result.areas[np.isnan(tenth)].tolist()), "#C8CDD1"),
        MapClass(WEIGHT_FILLS[0], "the other five tenths", between(6, 10)),
        MapClass(WEIGHT_FILLS[1], "third to fifth tenth", between(3, 5)),
        MapClass(WEIGHT_FILLS[2], "second tenth", between(2, 2)),
        MapClass(WEIGHT_FILLS[3], "worst tenth", between(1, 1)),
    ]
    title = PHRASES["index.map"]
    most = Counter(str(c) for c in result.council[tenth == 1] if c)
    named = [name for name, _ in sorted(most.items(), key=lambda pair: (-pair[1], pair[0]))[:_NAMED]]
    chart = maps.draw_map(
        result.shapes,
        drawn,
        key="map",
        title=title,
        attribution=maps.credit(result.releases),
        names={name: frozenset(result.areas[result.council == name].tolist()) for name in named},
    )
    rows = tuple((c.text.capitalize(), f"{len(c.areas):,}") for c in reversed(drawn) if c.areas)
    table = Table("Areas on the map", ("Tenth", "Areas"), rows, frozenset({1}))
    return [Figure(chart=chart, title=title, table=table, data="index", name="map")] if chart else []


def _councils(result: IndexResult) -> list[Block]:
    """Return the councils with the largest share of their areas in the worst tenth, if any is known."""
    counts = Counter(str(c) for c in result.council[np.isfinite(result.rank)] if c)
    worst = Counter(str(c) for c in result.council[result.decile == 1] if c)
    ordered = sorted(worst, key=lambda name: (-worst[name] / counts[name], name))[:_COUNCILS]
    rows = tuple(
        (name, f"{worst[name]:,}", f"{counts[name]:,}", number(worst[name] / counts[name], "ratio", 0))
        for name in ordered
    )
    head = ("Council", "In the worst tenth", "Areas with a score", "Share")
    return [Data(Table(PHRASES["index.councils"], head, rows, frozenset({1, 2, 3})))] if rows else []


def _choices(result: IndexResult) -> Section:
    part = result.plan["index"]
    columns: Columns[Json] = {
        "Indicator": lambda i: i["name"].replace("_", " "),
        "Source": lambda i: (
            _source_of(i) + (f" over {_words(i['denominator']['column'])}" if i["denominator"] else "")
        ),
        "Worse is": lambda i: i["worse"],
        "Standardised": lambda _: part["standardise"],
        "Shrunk": lambda i: "yes" if i["shrink"] else "no",
        "Weight": lambda i: f"{i['weight']:g}",
    }
    total = part["weights_total"] or sum(i["weight"] for i in result.plan["indicator"])
    facts = (
        ("Weighted sum divided by", f"{total:g}"),
        ("Describes", when(part["as_of"]) if part["as_of"] else "no date given"),
        ("Areas", f"LSOAs of Census 20{part['vintage'][-2:]}"),
    )
    blocks = (Data(Table.of("The indicators", result.plan["indicator"], columns, {5})), Facts(facts))
    return Section("choices", "What it is made of", blocks)


def _sensitivity(result: IndexResult) -> Section:
    columns: Columns[Variant] = {
        "Choice": lambda v: v.choice.replace("_", " "),
        "Made instead": lambda v: v.alternative,
        "Rank correlation": lambda v: number(v.correlation, "additive", 3),
        "Leave the worst tenth": lambda v: f"{v.left_worst:,} of {v.worst:,}",
        "Largest move of a rank": lambda v: number(v.largest_move, "count"),
        "Left behind": lambda v: "–" if v.left_behind is None else f"{v.left_behind:,}",
    }
    if not result.variants:
        text = PHRASES["index.index_one"]
        return Section("sensitivity", "What each choice does", (Paragraph(text),))
    hard = max(result.variants, key=lambda v: v.left_worst)
    text = phrase(
        "index.line_changes",
        choice=hard.choice.replace("_", " "),
        alternative=hard.alternative,
        left_worst=f"{hard.left_worst:,}",
        worst=f"{hard.worst:,}",
    )
    table = Table.of("Every choice changed", result.variants, columns, range(2, 6))
    return Section("sensitivity", "What each choice does", (Paragraph(text), Data(table, "sensitivity")))


def _data(result: IndexResult) -> Section:
    rows = tuple(
        (r.file, r.source or "own file", r.licence or "not given", r.sha256) for r in result.releases
    )
    table = Table("The files that were read", ("File", "Release", "Licence", "SHA-256"), rows)
    credit = "" if result.shapes else maps.credit(result.releases)  # which the map has
    blocks: list[Block] = [Data(table)]
    blocks += [Paragraph(credit, note=True)] if credit else []
    if result.notes:
        blocks.append(Bullets(result.notes))
    return Section("data", "Data", tuple(blocks))
