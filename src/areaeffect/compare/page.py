"""What the web app says of one question: who is compared, what could be seen and, last, what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from areaeffect import wording
from areaeffect.compare.question import written_period
from areaeffect.document.blocks import Block, Bullets, Data, Folded, Paragraph, Section, named
from areaeffect.document.chart_tables import NONE_GIVEN, Figure, Table, in_words
from areaeffect.further.stories import events_of
from areaeffect.outcomes import FAMILIES
from areaeffect.power.calculation import PowerReport, PowerRow
from areaeffect.power.page import table as power_table
from areaeffect.power.page import warnings
from areaeffect.records import DataTable
from areaeffect.report import figures, local_map
from areaeffect.report import outcome_sections as backing
from areaeffect.report.contents import annex_sections
from areaeffect.report.sections import HEAVIEST
from areaeffect.report.summary import summary_document
from areaeffect.results import Result, Verdict
from areaeffect.wording.numbers import PHRASES, number, phrase, plural

#: Columns of the table of likeness before the characteristics: number, name, code and weight.
_FIXED = 4
_MONTH = re.compile(r"\b\d{4}-\d\d\b")
#: What a note names that a browser does not have: files, and keys of a study file.
_FILES = re.compile(r"`|\w\.(parquet|csv|zip)\b")


def design_sections(
    result: Result, likeness: DataTable, outlines: local_map.Outlines | None
) -> tuple[Section, ...]:
    """Return who the place is set beside, why, and how alike they are.

    `result` is of a sealed plan, without findings; `outlines` are of all areas, None without boundaries.
    """
    design = result.designs[0] if result.designs else None
    if design is None:
        none = Paragraph(PHRASES["compare.none"], lead=True)
        return (Section("benchmarks", "Your benchmark areas", (none,)),)
    n = len(design.benchmark_areas)
    lead = phrase(
        "compare.who",
        place=design.neighbourhood,
        own=plural(len(design.areas), "small area"),
        benchmarks=plural(n, "benchmark area"),
        start=written_period(design.start),
        named=phrase("compare.named", shown=HEAVIEST) if n > HEAVIEST else "",
    )
    exact = phrase("compare.close" if design.exact else "compare.apart", worst=f"{design.imbalance:.2f}")
    picture, table = _map(result, outlines) if outlines else None, _likeness(result, likeness)
    head, rows = ("Before the start", "Your place", "Benchmark areas"), table.rows
    sides = tuple(zip(table.head[_FIXED:], rows[0][_FIXED:], rows[1][_FIXED:], strict=True))
    blocks: list[Block | None] = [
        Paragraph(lead, lead=True),
        Paragraph(exact),
        picture,
        Paragraph(PHRASES["compare.why"]),
        Data(Table(table.caption, head, sides, frozenset({1, 2}))),
        Folded(f"Each of the {len(rows) - 2} that count most", (Data(table, "likeness"),)),
    ]
    who = Section("benchmarks", "Your benchmark areas", tuple(b for b in blocks if b))
    return (named(who), named(replace(backing.balance(result), title="Are they alike?", parts=())))


def power_sections(report: PowerReport) -> tuple[Section, ...]:
    """Return what this selection could detect, in words a reader can repeat.

    What it says will be answered is what the answer holds: the rest is named with its reason.
    """
    claim = "change" if any(row.claim == "change" for row in report.real) else "level"
    said = tuple(_could_see(row, report.step) for row in report.real if row.mde is not None)
    unknown = tuple(_title(row.label) for row in report.real if row.mde is None)
    blocks: list[Block] = [Paragraph(PHRASES[f"compare.before_{claim}"], lead=True)]
    if said:
        blocks += [Bullets(said, PHRASES[f"compare.noticed_{claim}"]), Paragraph(PHRASES["compare.smaller"])]
    if unknown:
        blocks.append(Bullets(unknown, PHRASES["compare.unknown"]))
    if report.refused:
        blocks.append(Bullets(tuple(map(without_keys, report.refused)), PHRASES["compare.refused"]))
    caveats = tuple(text for text in warnings(report) if not text.startswith("Cannot be estimated"))
    if caveats and claim == "change":
        blocks.append(Bullets(caveats, "What to bear in mind"))
    blocks.append(Folded("The numbers", (Data(in_words(power_table(report))),)))
    title = "What this could detect" if said else "What will be answered"
    return (Section("power", title, tuple(blocks)),)


def without_keys(text: str) -> str:
    """Return a reason without what it says of keys of a study file, which a page does not have."""
    return re.sub(r" \([^()]*`[^()]*\)", "", text)


def answer_sections(result: Result) -> tuple[Section, ...]:
    """Return the answer in short: what was found, its chart, what may be said, and if it holds.

    Each check, every number and the notes on files and keys are in the annex, which the page links to.
    """
    checks = next(s for s in annex_sections(result) if s.key == "does-it-hold")
    annex = Paragraph(PHRASES["compare.annex"], note=True)
    shown = {s.key: s for s in summary_document(result, {}).sections}
    series = {(s.group, s.outcome): s for s in result.series}
    main = [f for f in wording.main_findings(result.findings) if f.verdict is not Verdict.NOT_ESTIMABLE]
    together = figures.effects(main[0].group, main) if len(main) > 1 else None
    charts = [together] if together else []
    for f in main:
        path = series.get((f.group, f.outcome))
        if path and len(path.periods) > 1:  # one date is in the sentence already
            charts.append(figures.trend(f, path, events_of(result, f.group)))
    notes = Bullets(tuple(note for note in result.notes if not _FILES.search(note)))
    key = Paragraph(PHRASES["annex.key"], note=True)
    more = (Folded("The six families", _families(result)), Folded("How to read it", (key, notes)))
    sections = (
        replace(shown["answer"], title="What was found"),
        *[Section("charts", "Beside its benchmark areas", tuple(charts))][: len(charts)],
        *(shown[key] for key in ("says",) if key in shown),
        replace(checks, parts=(), blocks=(checks.blocks[0], Folded("Each check", checks.blocks[1:]), annex)),
        Section("more", "More about this answer", more),
    )
    return tuple(named(s) for s in sections)


def _families(result: Result) -> tuple[Block, ...]:
    """Return all six families, those without an outcome too, each with its verdict."""
    main, rows = [f for f in wording.main_findings(result.findings) if f.outcome], []
    for key, family in FAMILIES.items():
        own = [(wording.verdict_name(f.verdict), wording.name_of(f)) for f in main if f.family == key]
        none = [("not estimable", "these data hold nothing on it")]
        rows += [(family.title, *said) for said in own or none]
    return (Data(Table("Each family and its verdict", ("Family", "Verdict", "By"), tuple(rows))),)


def around(outlines: local_map.Outlines, areas: Sequence[str]) -> local_map.Outlines:
    """Return the outlines around some areas, where these lie in a small part of the whole map."""
    at = [outlines.number[area] for area in areas if area in outlines.number]
    low, high = outlines.bounds[:, :2], outlines.bounds[:, 2:]
    if not at or np.ptp(outlines.bounds, axis=0).max() < 2 * (high[at].max(0) - low[at].min(0)).max():
        return outlines
    room = 0.2 * (high[at].max(0) - low[at].min(0)).max()
    near = (low <= high[at].max(0) + room).all(axis=1) & (high >= low[at].min(0) - room).all(axis=1)
    shapes = tuple(outlines.shapes[i] for i in np.flatnonzero(near))
    return local_map.Outlines(shapes, outlines.attribution)


def _map(result: Result, outlines: local_map.Outlines) -> Figure | None:
    design, title = result.designs[0], "Where your benchmark areas are"
    heaviest = design.benchmark_areas[:HEAVIEST]
    outlines = around(outlines, (*design.areas, *heaviest))
    chart = local_map.benchmark_map(outlines, design.areas, heaviest, key="like", title=title)
    names = {a.area: a.name for a in result.areas}
    rows = tuple((str(i), names.get(a, ""), a) for i, a in enumerate(heaviest, 1))
    table = Table(title, ("Number", "Area", "Code"), rows, frozenset({0}))
    return Figure(chart=chart, title=title, table=table, data="", name="like") if chart else None


def _likeness(result: Result, likeness: DataTable) -> Table:
    """Return the table in words: the name leads, the number on the map follows it."""
    labels = {o["name"]: o["label"] for o in result.plan.get("outcome", []) if o.get("label")}
    plain = (figures.plain_name(c.name, labels) for c in likeness.columns[_FIXED:])
    head = tuple(_MONTH.sub(lambda m: written_period(m[0]), name) for name in plain)
    rows = (("" if c == NONE_GIVEN else c for c in cells) for cells in in_words(likeness).rows)
    moved = tuple((name, code, number_, *rest) for number_, name, code, *rest in rows)
    first = ("Area", "Code", "Number on the map", "Weight")
    return Table(likeness.title, (*first, *head), moved, frozenset(range(2, len(likeness.columns))))


def _could_see(row: PowerRow, step: str) -> str:
    """Say what one outcome could show; the sign is that of an improvement."""
    amount = number(abs(row.mde or 0.0), row.form, 0 if row.form == "ratio" else 1)
    what = "or more, higher or lower"
    if row.claim == "change":
        what = "lower or more" if row.better == "lower" else "higher or more"
    length = ""
    if row.years is not None:
        length = f" over {row.years:.1f}".removesuffix(".0") + f" {step}{'' if row.years == 1 else 's'}"
    rough = " (extrapolated from shorter spans)" if row.basis == "extrapolated" else ""
    return f"{_title(row.label)}: {amount} {what}{length}{rough}."


def _title(label: str) -> str:
    return label[:1].upper() + label[1:]
