"""An index as files and a small page: scores, ranks, and what each choice does to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.document.blocks import Block, Bullets, Data, Document, Facts, Paragraph, Section
from areaeffect.document.chart_tables import Table
from areaeffect.report.small_result import SmallResult, as_dict, run_of, write_small
from areaeffect.results import Column, DataTable
from areaeffect.wording.numbers import number, plural

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.results import Bools, Floats, Release

_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Variant:
    """One choice made otherwise, and what that does.

    Parameters
    ----------
    choice, alternative : what was changed, to what.
    correlation : Spearman's, of the ranks.
    left_worst, worst : areas of the worst tenth that leave it, and how many it holds.
    largest_move : of a rank.
    left_behind : areas left behind with this choice; None where that was not asked.
    """

    choice: str
    alternative: str
    correlation: float
    left_worst: int
    worst: int
    largest_move: float
    left_behind: int | None


@dataclass(frozen=True, slots=True, eq=False)
class IndexResult:
    """A composite index.

    Parameters
    ----------
    plan : the index file as read.
    areas, names : (n_areas,).
    score, rank, decile : (n_areas,), high is worse, 1 is worst; NaN without a score.
    standard : (n_areas, n_indicators), the standardised indicators.
    behind : (n_areas,), left behind; None where that was not asked.
    variants : every choice made otherwise.
    releases, notes : files read, and remarks.
    """

    plan: dict[str, Any]
    areas: npt.NDArray[np.str_]
    names: npt.NDArray[np.str_]
    score: Floats
    rank: Floats
    decile: Floats
    standard: Floats
    behind: Bools | None
    variants: tuple[Variant, ...]
    releases: tuple[Release, ...]
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is called."""
        return str(self.plan["index"]["title"])

    def text(self) -> str:
        """Return what the command prints."""
        n = int(np.isfinite(self.score).sum())
        lines = [f"{self.title}: {plural(n, 'area')} with a score, of {len(self.areas):,}."]
        if self.behind is not None:
            lines.append(f"Left behind: {plural(int(self.behind.sum()), 'area')}.")
        shaky = sorted(self.variants, key=lambda v: v.correlation)[:3]
        lines += [
            f"  {v.choice}, {v.alternative}: rank correlation {v.correlation:.3f}; "
            f"{v.left_worst:,} of {v.worst:,} leave the worst tenth"
            for v in shaky
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: plan, releases, notes and the rows of every table."""
        return as_dict(run_of(self.plan, self.releases, self.notes), self.tables())

    def tables(self) -> tuple[DataTable, ...]:
        """Return the scores and the sensitivity table."""
        indicators = [i["name"] for i in self.plan["indicator"]]
        columns = [
            Column("area_code", "string", "Area"),
            Column("area_name", "string", "Its name, or its code again"),
            Column("score", "number", "Score: high is worse; empty where the area has none"),
            Column("rank", "integer", "Rank, 1 is worst"),
            Column("decile", "integer", "Tenth of the ranked areas, 1 is worst"),
            *(Column(f"{n}_standardised", "number", f"{n}: high is worse") for n in indicators),
        ]
        if self.behind is not None:
            columns.append(
                Column("is_left_behind", "boolean", "In the worst share on need and deprivation")
            )
        rows = []
        for i, area in enumerate(self.areas):
            row: list[Any] = [str(area), str(self.names[i]), _known(self.score[i])]
            row += [_whole(self.rank[i]), _whole(self.decile[i])]
            row += [_known(x) for x in self.standard[i]]
            rows.append((*row, bool(self.behind[i])) if self.behind is not None else tuple(row))
        names = ("choice", "alternative", "correlation", "left_worst", "worst", "largest_move")
        sensitivity = (
            Column("choice", "string", "Which choice"),
            Column("alternative", "string", "Made how instead"),
            Column("correlation", "number", "Spearman's rank correlation with the index"),
            Column("left_worst", "integer", "Areas of its worst tenth that leave it"),
            Column("worst", "integer", "Areas in its worst tenth"),
            Column("largest_move", "number", "Largest change of a rank"),
            Column("left_behind", "integer", "Areas left behind; empty where not asked"),
        )
        moved = tuple((*(getattr(v, n) for n in names), v.left_behind) for v in self.variants)
        return (
            DataTable("index", self.title, tuple(columns), tuple(rows)),
            DataTable("sensitivity", "What each choice does to the ranks", sensitivity, moved),
        )


def write_index(result: IndexResult, folder: Any) -> None:
    """Write an index's folder, which appears whole or not at all."""
    run = run_of(result.plan, result.releases, result.notes)
    write_small(SmallResult(index_document(result), result.tables(), run), folder, "index.html")


def index_document(result: IndexResult) -> Document:
    """Return the page of an index."""
    sections = [_scores(result), _choices(result), _sensitivity(result), _data(result)]
    return Document(
        title=result.title,
        kind="Composite index",
        question=str(result.plan["index"]["about"]),
        language="en-GB",
        sections=tuple(sections),
        footer="Made by areaeffect. Every number above is in the files beside this page.",
    )


def _scores(result: IndexResult) -> Section:
    n, lacking = int(np.isfinite(result.score).sum()), int(np.isnan(result.score).sum())
    text = f"{plural(n, 'area')} have a score; a high score and rank 1 mean worse."
    if lacking:
        text += f" {plural(lacking, 'area')} have none, because an indicator is missing there."
    blocks: list[Block] = [Paragraph(text, lead=True)]
    left = result.plan["left_behind"]
    if result.behind is not None:
        blocks.append(
            Paragraph(
                f"{plural(int(result.behind.sum()), 'area')} are left behind: among the worst "
                f"{number(left['share'], 'ratio', 0)} on this index and also on "
                f"{left['release'] or left['path']}, column {left['column']}."
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
            f"{i['release'] or i['path']}: {i['column']}"
            + (f" over {i['denominator']['column']}" if i["denominator"] else ""),
            i["worse"],
            i["standardise"] or part["standardise"],
            "yes" if i["shrink"] else "no",
            f"{i['weight']:g}",
        )
        for i in result.plan["indicator"]
    )
    head = ("Indicator", "Where it stands", "Worse is", "Standardised", "Shrunk", "Weight")
    total = part["weights_total"] or sum(i["weight"] for i in result.plan["indicator"])
    facts = (
        ("Missing indicators", part["missing"]),
        ("Weighted sum divided by", f"{total:g}"),
        ("Describes", part["as_of"] or "no date given"),
        ("Census vintage of areas", part["vintage"]),
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
        text = "The index has one indicator, so there is no choice to try otherwise."
        return Section("sensitivity", "What each choice does", (Paragraph(text),))
    hard = max(result.variants, key=lambda v: v.left_worst)
    text = (
        "Each line makes one choice otherwise and keeps the rest. The one that moves most: "
        f"{hard.choice.replace('_', ' ')}, {hard.alternative}; {hard.left_worst:,} of "
        f"{hard.worst:,} areas leave the worst tenth."
    )
    table = Table("Every choice made otherwise", head, rows, frozenset({2, 3, 4, 5}))
    return Section(
        "sensitivity", "What each choice does", (Paragraph(text), Data(table, "sensitivity"))
    )


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


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _whole(value: float) -> int | None:
    return int(value) if np.isfinite(value) else None
