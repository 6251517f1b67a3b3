"""What the web app says of one question: who is compared, what could be seen, what was found.

Three parts, in the order in which they may be read: the benchmark areas and what could be seen are
settled before any outcome after the start is used; the answer comes last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.outcomes import FAMILIES
from areaeffect.report import backing_sections as backing
from areaeffect.report import figures, local_map, wording
from areaeffect.report import outcome_sections as outcome
from areaeffect.report.annexes import annex_sections
from areaeffect.report.chart_tables import Figure, Table
from areaeffect.report.data_words import in_words
from areaeffect.report.document import Bullets, Data, Folded, Paragraph, Section, named
from areaeffect.report.numbers import number, plural
from areaeffect.report.power_text import table as power_table
from areaeffect.report.power_text import warnings
from areaeffect.report.sections import HEAVIEST

if TYPE_CHECKING:
    from areaeffect.report.document import Block
    from areaeffect.report.power_text import PowerReport, PowerRow
    from areaeffect.results import DataTable, Result

#: What leads each part on the page.
_WHY = (
    "Each row is one benchmark area. The more alike its numbers are to the first row, the more it "
    "looked like your place before the start. The weights make them alike on average, so no single "
    "one has to match on everything."
)
_BEFORE = (
    "This was worked out from the years before the start alone. Nothing that happened after the "
    "start has been used yet."
)


def design_sections(
    result: Result, likeness: DataTable, outlines: local_map.Outlines | None
) -> tuple[Section, ...]:
    """Return who the place is set beside, why, and how alike they are.

    Parameters
    ----------
    result : of a sealed plan, without findings.
    likeness : the place in its first row, then its benchmark areas, the heaviest first; its last
        columns are the characteristics they were chosen by.
    outlines : of all areas; None where there are no boundaries.
    """
    design = result.designs[0] if result.designs else None
    if design is None:
        text = "No benchmark area could be found: no area is alike enough and outside every buffer."
        return (Section("benchmarks", "Your benchmark areas", (Paragraph(text, lead=True),)),)
    n, own = len(design.benchmark_areas), len(design.areas)
    shown = min(HEAVIEST, n)
    lead = (
        f"{design.neighbourhood} is {plural(own, 'small area')}. It is set beside "
        f"{plural(n, 'benchmark area')} that looked alike before {design.start}; the {shown} that "
        "count most are named here."
    )
    exact = (
        "With their weights they match your place on every characteristic below."
        if design.exact
        else f"They do not match on everything: the worst characteristic is {design.imbalance:.2f} "
        "standard deviations away. Read what follows with more caution."
    )
    blocks: list[Block] = [Paragraph(lead, lead=True), Paragraph(exact)]
    picture = _map(result, outlines) if outlines else None
    blocks += [picture] if picture else []
    blocks += [Paragraph(_WHY), Data(_likeness(result, likeness), "likeness")]
    title = "Your benchmark areas"
    return tuple(named(s) for s in (Section("benchmarks", title, tuple(blocks)), _balance(result)))


def power_sections(report: PowerReport) -> tuple[Section, ...]:
    """Return what this selection could detect, in words a reader can repeat."""
    said = tuple(_could_see(row, report.step) for row in report.real)
    folded = Folded("The numbers", (Data(in_words(power_table(report))),))
    blocks: tuple[Block, ...] = (
        Paragraph(_BEFORE, lead=True),
        Bullets(said, "If your place really changed"),
        Bullets(tuple(warnings(report)), "What to bear in mind") if warnings(report) else folded,
        *((folded,) if warnings(report) else ()),
    )
    return (Section("power", "What this could detect", blocks),)


def answer_sections(result: Result) -> tuple[Section, ...]:
    """Return the answer, what may be said of it, each outcome, and whether it holds."""
    kept = {"does-it-hold", "families-without-outcome"}
    further = {s.key: s for s in annex_sections(result) if s.key in kept}
    sections = (
        _answer(result),
        outcome.say(result),
        outcome.outcomes(result, {}),
        *(further[key] for key in ("does-it-hold", "families-without-outcome") if key in further),
    )
    return tuple(named(s) for s in sections)


def _answer(result: Result) -> Section:
    """Return the answer with its table of all six families, those without an outcome too."""
    whole = outcome.answer(result)
    main = wording.main_findings(result.findings)
    told = {f.family: f for f in reversed(main) if f.outcome}
    rows = tuple(
        (
            family.title,
            wording.verdict_name(told[key].verdict) if key in told else "not estimable",
            wording.headline(told[key]) if key in told else "These data hold nothing on it.",
        )
        for key, family in FAMILIES.items()
    )
    table = Table("The six families", ("Family", "Verdict", "In one sentence"), rows)
    return Section("answer", "What was found", (*whole.blocks, Data(table)), whole.parts)


def _map(result: Result, outlines: local_map.Outlines) -> Figure | None:
    design = result.designs[0]
    heaviest = design.benchmark_areas[:HEAVIEST]
    title = "Where your benchmark areas are"
    chart = local_map.benchmark_map(outlines, design.areas, heaviest, key="like", title=title)
    names = {a.area: a.name for a in result.areas}
    rows = tuple((str(i), names.get(a, ""), a) for i, a in enumerate(heaviest, 1))
    table = Table(title, ("Number", "Area", "Code"), rows, frozenset({0}))
    return Figure(chart, title, table, "", name="like") if chart else None


def _likeness(result: Result, likeness: DataTable) -> Table:
    labels = {o["name"]: o["label"] for o in result.plan.get("outcome", []) if o.get("label")}
    words = in_words(likeness)
    fixed = 4
    head = tuple(figures.plain_name(c.name, labels) for c in likeness.columns[fixed:])
    rows = tuple(
        (*cells[1:3], cells[0], *cells[3:]) for cells in words.rows
    )  # the name leads; the number follows it
    first = ("Area", "Code", "Number on the map", "Weight")
    return Table(likeness.title, (*first, *head), rows, frozenset(range(2, len(likeness.columns))))


def _balance(result: Result) -> Section:
    section = backing.balance(result)
    return Section(section.key, "Are they alike?", section.blocks)


def _could_see(row: PowerRow, step: str) -> str:
    """Say what one outcome could show; the sign is that of an improvement."""
    if row.mde is None:
        return f"{row.label}: what could be detected cannot be worked out from these years."
    what = "lower" if row.better == "lower" else "higher"
    amount = number(abs(row.mde), row.form, 0 if row.form == "ratio" else 1)
    length = ""
    if row.years is not None:
        steps = f"{row.years:.1f}".removesuffix(".0")
        length = f" over {steps} {step}{'' if row.years == 1 else 's'}"
    rough = " (roughly: extrapolated from shorter spans)" if row.basis == "extrapolated" else ""
    said = (
        f"{row.label}: only if it became {amount} {what} or more{length} than it would have been "
        f"would this comparison be likely to notice, 8 times in 10{rough}. A smaller change would "
        "mostly go unnoticed, and ‘cannot tell’ would be the answer."
    )
    return said[:1].upper() + said[1:]
