"""What the web app says of one question: who is compared, what could be seen, what was found.

Three parts, in the order in which they may be read: the benchmark areas and what could be seen are
settled before any outcome after the start is used; the answer comes last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from areaeffect import wording
from areaeffect.compare.preflight import written_period
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
from areaeffect.results import Finding, Result, Verdict
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

    Parameters
    ----------
    result : of a sealed plan, without findings.
    likeness : the place in its first row, the weighted benchmark areas in its second, then the
        benchmark areas one by one, the heaviest first; its columns from the fifth on are the
        characteristics they were chosen by.
    outlines : of all areas; None where there are no boundaries.
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
    blocks: list[Block] = [Paragraph(lead, lead=True), Paragraph(exact)]
    picture = _map(result, outlines) if outlines else None
    blocks += [picture] if picture else []
    table = _likeness(result, likeness)
    every = Folded(f"Each of the {len(table.rows) - 2} that count most", (Data(table, "likeness"),))
    blocks += [Paragraph(PHRASES["compare.why"]), Data(_side_by_side(table)), every]
    who = Section("benchmarks", "Your benchmark areas", tuple(blocks))
    balance = replace(backing.balance(result), title="Are they alike?", parts=())
    return (named(who), named(balance))


def power_sections(report: PowerReport) -> tuple[Section, ...]:
    """Return what this selection could detect, in words a reader can repeat.

    What it says will be answered is what the answer holds: the rest is named with its reason.
    """
    claim = "change" if any(row.claim == "change" for row in report.real) else "level"
    said = tuple(_could_see(row, report.step) for row in report.real if row.mde is not None)
    unknown = tuple(_title(row.label) for row in report.real if row.mde is None)
    folded = Folded("The numbers", (Data(in_words(power_table(report))),))
    blocks: list[Block] = [Paragraph(PHRASES[f"compare.before_{claim}"], lead=True)]
    if said:
        blocks += [Bullets(said, PHRASES[f"compare.noticed_{claim}"]), Paragraph(PHRASES["compare.smaller"])]
    if unknown:
        blocks.append(Bullets(unknown, PHRASES["compare.unknown"]))
    if report.refused:
        blocks.append(Bullets(tuple(map(without_keys, report.refused)), PHRASES["compare.refused"]))
    caveats = [text for text in warnings(report) if not text.startswith("Cannot be estimated")]
    if caveats and claim == "change":
        blocks.append(Bullets(tuple(caveats), "What to bear in mind"))
    title = "What this could detect" if said else "What will be answered"
    return (Section("power", title, (*blocks, folded)),)


def without_keys(text: str) -> str:
    """Return a reason without what it says of keys of a study file, which a page does not have."""
    return re.sub(r" \([^()]*`[^()]*\)", "", text)


def answer_sections(result: Result) -> tuple[Section, ...]:
    """Return the answer in short: what was found, its chart, what may be said, and if it holds.

    Each check, every number and the notes on data are in the annex, which the page links to.
    """
    checks = next(s for s in annex_sections(result) if s.key == "does-it-hold")
    in_short = (
        checks.blocks[0],
        Folded("Each check", checks.blocks[1:]),
        Paragraph(PHRASES["compare.annex"], note=True),
    )
    shown = {s.key: s for s in summary_document(result, {}).sections}
    series = {(s.group, s.outcome): s for s in result.series}
    main = [f for f in wording.main_findings(result.findings) if f.verdict is not Verdict.NOT_ESTIMABLE]
    together = figures.effects(main[0].group, main) if len(main) > 1 else None
    charts = [together] if together else []
    charts += [
        figures.trend(f, path, events_of(result, f.group))
        for f in main
        if (path := series.get((f.group, f.outcome)))
        and len(path.periods) > 1  # one date is in the sentence already
    ]
    notes = (Paragraph(PHRASES["annex.key"], note=True), Bullets(result.notes))
    sections = (
        replace(shown["answer"], title="What was found"),
        *[Section("charts", "Beside its benchmark areas", tuple(charts))][: len(charts)],
        *(shown[key] for key in ("says",) if key in shown),
        replace(checks, parts=(), blocks=in_short),
        Section("more", "More about this answer", (Folded("The six families", _families(result)),
                Folded("How to read it", _without_files(notes)))),
    )  # fmt: skip
    return tuple(named(s) for s in sections)


def _without_files(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Leave out notes about files and keys: the annex, for those who run the study, has them."""
    kept: list[Block] = []
    for block in blocks:
        if isinstance(block, Bullets):
            items = tuple(text for text in block.items if not _FILES.search(str(text)))
            kept += [replace(block, items=items)] if items else []
        else:
            kept.append(block)
    return tuple(kept)


def _families(result: Result) -> tuple[Block, ...]:
    """Return all six families, those without an outcome too, each with its verdict."""
    by_family: dict[str, list[Finding]] = {}
    for finding in wording.main_findings(result.findings):
        if finding.outcome:
            by_family.setdefault(finding.family, []).append(finding)
    rows = []
    for key, family in FAMILIES.items():
        if key not in by_family:
            rows.append((family.title, "not estimable", "these data hold nothing on it"))
        rows += [
            (family.title, wording.verdict_name(f.verdict), wording.name_of(f))
            for f in by_family.get(key, ())
        ]
    table = Table("Each family and its verdict", ("Family", "Verdict", "By"), tuple(rows))
    return (Data(table),)


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
    design = result.designs[0]
    heaviest = design.benchmark_areas[:HEAVIEST]
    outlines = around(outlines, (*design.areas, *heaviest))
    title = "Where your benchmark areas are"
    chart = local_map.benchmark_map(outlines, design.areas, heaviest, key="like", title=title)
    names = {a.area: a.name for a in result.areas}
    rows = tuple((str(i), names.get(a, ""), a) for i, a in enumerate(heaviest, 1))
    table = Table(title, ("Number", "Area", "Code"), rows, frozenset({0}))
    return Figure(chart=chart, title=title, table=table, data="", name="like") if chart else None


def _likeness(result: Result, likeness: DataTable) -> Table:
    """Return the table in words: the name leads, the number on the map follows it."""
    labels = {o["name"]: o["label"] for o in result.plan.get("outcome", []) if o.get("label")}
    words = in_words(likeness)
    plain = (figures.plain_name(c.name, labels) for c in likeness.columns[_FIXED:])
    head = tuple(_MONTH.sub(lambda m: written_period(m[0]), name) for name in plain)
    rows = tuple(
        tuple("" if c == NONE_GIVEN else c for c in (cells[1], cells[2], cells[0], *cells[3:]))
        for cells in words.rows
    )
    first = ("Area", "Code", "Number on the map", "Weight")
    numeric = frozenset(range(2, len(likeness.columns)))
    return Table(likeness.title, (*first, *head), rows, numeric)


def _side_by_side(table: Table) -> Table:
    """Return the place and its benchmark areas together, a characteristic a row."""
    own, together = table.rows[:2]
    head = ("Before the start", "Your place", "Benchmark areas")
    rows = tuple(zip(table.head[_FIXED:], own[_FIXED:], together[_FIXED:], strict=True))
    return Table(table.caption, head, rows, frozenset({1, 2}))


def _could_see(row: PowerRow, step: str) -> str:
    """Say what one outcome could show; the sign is that of an improvement."""
    mde = 0.0 if row.mde is None else row.mde
    amount = number(abs(mde), row.form, 0 if row.form == "ratio" else 1)
    what = "or more, higher or lower"
    if row.claim == "change":
        what = "lower or more" if row.better == "lower" else "higher or more"
    length = ""
    if row.years is not None:
        steps = f"{row.years:.1f}".removesuffix(".0")
        length = f" over {steps} {step}{'' if row.years == 1 else 's'}"
    rough = " (extrapolated from shorter spans)" if row.basis == "extrapolated" else ""
    return f"{_title(row.label)}: {amount} {what}{length}{rough}."


def _title(label: str) -> str:
    return label[:1].upper() + label[1:]
