"""An index as files and a small page: scores, ranks, and what each choice does to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from areaeffect.document.blocks import Block, Bullets, Data, Document, Facts, Paragraph, Section
from areaeffect.document.chart_tables import Table
from areaeffect.document.page import SmallResult, run_of, write_small
from areaeffect.index.result import IndexResult
from areaeffect.records import Json
from areaeffect.sources.publishers.releases import find_release
from areaeffect.wording.numbers import number, plural
from areaeffect.wording.terms import PHRASES, phrase

_SHOWN = 30


def write_index(result: IndexResult, folder: Any) -> None:
    """Write an index's folder, which appears whole or not at all."""
    run = run_of(result.plan, result.releases, result.notes)
    write_small(SmallResult(index_document(result), result.tables(), run), folder, "index.html")


def _words(column: str) -> str:
    return column.replace("_", " ")


def _source_of(part: Json) -> str:
    """Return the published title, or the file, and the column in words."""
    title = find_release(part["release"]).title if part["release"] else part["path"]
    return f"{title}: {_words(part['column'])}"


def _areas_of(vintage: str) -> str:
    """Return 'LSOAs of Census 2021' for 'lsoa21'."""
    kind, year = vintage[:-2], vintage[-2:]
    return f"{kind.upper()}s of Census 20{year}" if year.isdigit() else _words(vintage)


def index_document(result: IndexResult) -> Document:
    """Return the page of an index."""
    sections = [_scores(result), _choices(result), _sensitivity(result), _data(result)]
    return Document(
        title=result.title,
        kind="Composite index",
        question=str(result.plan["index"]["about"]),
        sections=tuple(sections),
        footer=PHRASES["page.footer"],
    )


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
                    measure=_source_of(left),
                )
            )
        )
    first = np.argsort(np.where(np.isnan(result.rank), np.inf, result.rank), kind="stable")
    rows = tuple(
        (
            str(result.areas[i]),
            str(result.names[i]),
            number(result.score[i], "additive", 3),
            number(result.rank[i], "count"),
        )
        for i in first[: min(_SHOWN, n)]
    )
    caption = f"The {len(rows)} worst areas"
    table = Table(caption, ("Area", "Name", "Score", "Rank"), rows, frozenset({2, 3}))
    blocks.append(Data(table, "index"))
    return Section("scores", "Scores and ranks", tuple(blocks))


def _choices(result: IndexResult) -> Section:
    part = result.plan["index"]
    rows = tuple(
        (
            i["name"].replace("_", " "),
            _source_of(i) + (f" over {_words(i['denominator']['column'])}" if i["denominator"] else ""),
            i["worse"],
            i["standardise"] or part["standardise"],
            "yes" if i["shrink"] else "no",
            f"{i['weight']:g}",
        )
        for i in result.plan["indicator"]
    )
    head = ("Indicator", "Source", "Worse is", "Standardised", "Shrunk", "Weight")
    total = part["weights_total"] or sum(i["weight"] for i in result.plan["indicator"])
    facts = (
        ("Missing indicators", part["missing"]),
        ("Weighted sum divided by", f"{total:g}"),
        ("Describes", part["as_of"] or "no date given"),
        ("Areas", _areas_of(part["vintage"])),
    )
    blocks = (Data(Table("What it is made of", head, rows, frozenset({5}))), Facts(facts))
    return Section("choices", "What it is made of", blocks)


def _sensitivity(result: IndexResult) -> Section:
    rows = tuple(
        (
            v.choice.replace("_", " "),
            v.alternative,
            number(v.correlation, "additive", 4),
            f"{v.left_worst:,} of {v.worst:,}",
            number(v.largest_move, "count"),
            "–" if v.left_behind is None else f"{v.left_behind:,}",
        )
        for v in result.variants
    )
    head = (
        "Choice",
        "Made instead",
        "Rank correlation",
        "Leave the worst tenth",
        "Largest move of a rank",
        "Left behind",
    )
    if not rows:
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
    table = Table("Every choice changed", head, rows, frozenset({2, 3, 4, 5}))
    return Section("sensitivity", "What each choice does", (Paragraph(text), Data(table, "sensitivity")))


def _data(result: IndexResult) -> Section:
    files = tuple(
        f"{r.file} ({r.source or 'own file'}), sha256 {r.sha256[:12]}…, "
        f"{r.licence or 'no licence given'}" + (f". {r.attribution}" if r.attribution else "")
        for r in result.releases
    )
    blocks: list[Block] = [Bullets(files)]
    if result.notes:
        blocks.append(Bullets(result.notes))
    return Section("data", "Data", tuple(blocks))
