"""What the web app says of one question: who is compared, what could be seen, what was found.

Three parts, in the order in which they may be read: the benchmark areas and what could be seen are
settled before any outcome after the start is used; the answer comes last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from areaeffect import wording
from areaeffect.compare.preflight import written_period
from areaeffect.document.blocks import Block, Bullets, Data, Folded, Paragraph, Section, named
from areaeffect.document.chart_tables import NONE_GIVEN, Figure, Table, in_words
from areaeffect.further.stories import events_of
from areaeffect.outcomes import FAMILIES
from areaeffect.power.page import table as power_table
from areaeffect.power.page import warnings
from areaeffect.power.result import PowerReport, PowerRow
from areaeffect.records import DataTable
from areaeffect.report import figures, local_map
from areaeffect.report import outcome_sections as backing
from areaeffect.report.contents import annex_sections
from areaeffect.report.sections import HEAVIEST
from areaeffect.report.summary import summary_document
from areaeffect.results import Finding, Result, Verdict
from areaeffect.wording.numbers import number, plural
from areaeffect.wording.terms import PHRASES

#: What leads each part on the page.
_WHY = (
    "The first row is your place, the second is its benchmark areas together: the closer "
    "these two are, the fairer the comparison. No single benchmark area has to match on "
    "everything; their weights make them alike on average."
)
_BEFORE = (
    "This was worked out only from the years before the start. Nothing that happened after the "
    "start has been used yet."
)


_BEFORE_LEVELS = (
    "These figures have one date each, so they say how a place stands, not how it has changed. "
    "Your place’s own figures have not been used yet."
)
_IN_ANNEX = "The annex, among the downloads, has each check with its chart and every number."
#: What a note names that a browser does not have: files, and keys of a study file.
_FILES = re.compile(r"`|\w\.(parquet|csv|zip)\b")
_NOTICED_LEVELS = "This comparison would notice a difference, 8 times in 10, only if it is this large"
_UNKNOWN = "Will be answered; how small a difference it would notice cannot be known beforehand"
_REFUSED = "Cannot be answered here"
_NOTICED = "This comparison would detect a change, 8 times in 10, only if it is this large"
_SMALLER = "For a smaller change the answer would most likely be ‘cannot tell’."


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
        text = "No benchmark area could be found: no area is similar enough and outside every buffer."
        return (Section("benchmarks", "Your benchmark areas", (Paragraph(text, lead=True),)),)
    n, own = len(design.benchmark_areas), len(design.areas)
    named_here = f"; the {HEAVIEST} that count most are named here" if n > HEAVIEST else ""
    lead = (
        f"{design.neighbourhood} is {plural(own, 'small area')}. It is compared with "
        f"{plural(n, 'benchmark area')} that were like it before {written_period(design.start)}"
        f"{named_here}."
    )
    exact = (
        "With their weights they match your place on every characteristic below."
        if design.exact
        else f"They do not match on every characteristic: the worst is {design.imbalance:.2f} "
        "standard deviations away. Read what follows with more caution."
    )
    blocks: list[Block] = [Paragraph(lead, lead=True), Paragraph(exact)]
    picture = _map(result, outlines) if outlines else None
    blocks += [picture] if picture else []
    table = _likeness(result, likeness)
    together = _without_empty(replace(table, rows=table.rows[:2]))
    every = Folded(f"Each of the {len(table.rows) - 2} that count most", (Data(table, "likeness"),))
    blocks += [Paragraph(_WHY), Data(together), every]
    title = "Your benchmark areas"
    return tuple(named(s) for s in (Section("benchmarks", title, tuple(blocks)), _balance(result)))


def power_sections(report: PowerReport) -> tuple[Section, ...]:
    """Return what this selection could detect, in words a reader can repeat.

    What it says will be answered is what the answer holds: the rest is named with its reason.
    """
    changes = any(row.claim == "change" for row in report.real)
    said = tuple(_could_see(row, report.step) for row in report.real if row.mde is not None)
    unknown = tuple(_title(row.label) for row in report.real if row.mde is None)
    folded = Folded("The numbers", (Data(in_words(power_table(report))),))
    blocks: list[Block] = [Paragraph(_BEFORE if changes else _BEFORE_LEVELS, lead=True)]
    if said:
        blocks += [Bullets(said, _NOTICED if changes else _NOTICED_LEVELS), Paragraph(_SMALLER)]
    if unknown:
        blocks.append(Bullets(unknown, _UNKNOWN))
    if report.refused:
        blocks.append(Bullets(tuple(map(without_keys, report.refused)), _REFUSED))
    caveats = [text for text in warnings(report) if not text.startswith("Cannot be estimated")]
    if caveats and changes:
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
    shown = {s.key: s for s in summary_document(result, {}).sections}
    series = {(s.group, s.outcome): s for s in result.series}
    charts = [
        figures.trend(f, path, events_of(result, f.group))
        for f in wording.main_findings(result.findings)
        if f.verdict is not Verdict.NOT_ESTIMABLE
        and (path := series.get((f.group, f.outcome)))
        and len(path.periods) > 1  # one date is in the sentence already
    ]
    notes = (Paragraph(PHRASES["annex.key"], note=True), Bullets(result.notes))
    sections = (
        replace(shown["answer"], title="What was found"),
        *[Section("charts", "Beside its benchmark areas", tuple(charts))][: len(charts)],
        *(shown[key] for key in ("says",) if key in shown),
        replace(checks, parts=(), blocks=_in_short(checks.blocks)),
        Section("more", "More about this answer", (Folded("The six families", _families(result)),
                Folded("How to read it", _without_files(notes)))),
    )  # fmt: skip
    return tuple(named(s) for s in sections)


def _in_short(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Fold the table of checks, under how many hold."""
    first, *rest = blocks
    return (first, Folded("Each check", tuple(rest)), Paragraph(_IN_ANNEX, note=True))


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


def _map(result: Result, outlines: local_map.Outlines) -> Figure | None:
    design = result.designs[0]
    heaviest = design.benchmark_areas[:HEAVIEST]
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
    fixed = 4
    known = (_of_source(result, i, c.name) for i, c in enumerate(likeness.columns[fixed:]))
    head = tuple(figures.plain_name(name, labels) for name in known)
    rows = tuple(
        tuple("" if c == NONE_GIVEN else c for c in (cells[1], cells[2], cells[0], *cells[3:]))
        for cells in words.rows
    )
    first = ("Area", "Code", "Number on the map", "Weight")
    numeric = frozenset(range(2, len(likeness.columns)))
    return Table(likeness.title, (*first, *head), rows, numeric)


def _without_empty(table: Table) -> Table:
    """Leave out the columns that no row has a value for."""
    kept = [i for i in range(len(table.head)) if any(row[i] for row in table.rows)]
    rows = tuple(tuple(row[i] for i in kept) for row in table.rows)
    numeric = frozenset(at for at, i in enumerate(kept) if i in table.numeric)
    return replace(table, head=tuple(table.head[i] for i in kept), rows=rows, numeric=numeric)


def _of_source(result: Result, position: int, name: str) -> str:
    """Return a covariate's name, with that of the table it is from where the table is a user's."""
    covariates = result.plan["design"]["covariates"]
    if position >= len(covariates):
        return name
    source = covariates[position]["column"].partition(".")[0]
    kind = result.plan["source"][source]["kind"]
    return f"{source.replace('_', ' ')}: {name}" if kind == "panel" else name


def _balance(result: Result) -> Section:
    section = backing.balance(result)
    return Section(section.key, "Are they alike?", section.blocks)


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
