"""A page for each neighbourhood, for the people who live there, and the list of all pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from areaeffect.document.blocks import (
    Answers,
    Badge,
    Beside,
    Bullets,
    Data,
    Document,
    Folded,
    Links,
    Paragraph,
    Section,
    named,
)
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.svg import key_of
from areaeffect.report import local_map, small_multiples
from areaeffect.report.sections import HEAVIEST
from areaeffect.results import Verdict
from areaeffect.wording import main_findings, plain
from areaeffect.wording.numbers import signed, signed_interval, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from areaeffect.document.blocks import Block
    from areaeffect.report.local_map import Outlines
    from areaeffect.results import AreaStatus, Finding, NeighbourhoodDesign, Result, Series

FOLDER = "neighbourhoods"
INDEX = "index"
Place = tuple[str, str]  # initiative and neighbourhood


def places(result: Result) -> dict[Place, str]:
    """Return every neighbourhood with the name of its page, without ending."""
    found = dict.fromkeys((d.initiative, d.neighbourhood) for d in result.designs)
    own = ((f.initiative, f.neighbourhood) for f in result.findings)
    found |= dict.fromkeys((initiative, name) for initiative, name in own if name is not None)
    several = len({initiative for initiative, _ in found}) > 1
    taken = {INDEX}
    made = {}
    for initiative, name in sorted(found, key=lambda p: (p[1].casefold(), p)):
        base = key_of(name, initiative) if several else key_of(name)
        slug = next(s for s in _numbered(base) if s not in taken)
        taken.add(slug)
        made[initiative, name] = slug
    return made


def links(result: Result) -> dict[str, str]:
    """Return where each page is, relative to the report; nothing where there are none."""
    if not any(f.neighbourhood is not None for f in result.findings):
        return {}
    own = {f"{name}, {initiative}": slug for (initiative, name), slug in places(result).items()}
    return {name: f"{FOLDER}/{slug}.html" for name, slug in ({INDEX: INDEX} | own).items()}


def pages(result: Result) -> Iterator[tuple[str, Document]]:
    """Return every page with its file name: the list of all, then one a neighbourhood.

    Nothing for a study whose findings are of whole programmes only.
    """
    told = findings_by_place(result)
    if not told:
        return
    slugs = places(result)
    yield f"{INDEX}.html", _index(result, slugs, told)
    drawn = tuple(s for s in result.shapes if any(len(ring) for ring in s.rings))
    credit = " ".join(dict.fromkeys(r.attribution for r in result.releases if r.attribution))
    maker = _Maker(result, local_map.Outlines(drawn, credit))
    for place, slug in slugs.items():
        yield f"{slug}.html", maker.page(place, slug, told.get(place, []))


def findings_by_place(result: Result) -> dict[Place, list[Finding]]:
    """Return the findings that the page of each neighbourhood tells."""
    findings: dict[Place, list[Finding]] = {}
    for f in result.findings:
        if f.neighbourhood is not None:
            findings.setdefault((f.initiative, f.neighbourhood), []).append(f)
    return {place: _main(own) for place, own in findings.items()}


def own_figure(
    place: Place, slug: str, pairs: Sequence[tuple[Finding, Series]], start: str
) -> Figure:
    """Draw every outcome of one neighbourhood beside its benchmark areas.

    Parameters
    ----------
    place : initiative and neighbourhood.
    slug : name of its page.
    pairs : at least one finding with the path of its outcome there.
    start : when the work began; empty where that is not known.
    """
    rows = small_multiples.panel_rows(pairs)
    title = f"{place[1]} beside its benchmark areas"
    chart = small_multiples.panels_chart(rows, key=f"{slug}-charts", title=title, start=start)
    return Figure(
        chart=chart,
        title=title,
        table=small_multiples.panel_table(rows),
        data="neighbourhood_series",
        rows=tuple(rows),
    )


def _main(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings of one neighbourhood that its page tells: ratios before their rates."""
    whole = [replace(f, neighbourhood=None, primary=True) for f in findings]
    chosen = {(f.outcome, f.claim, f.form) for f in main_findings(whole)}
    return [f for f in findings if (f.outcome, f.claim, f.form) in chosen]


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def _index(
    result: Result, slugs: Mapping[Place, str], told: Mapping[Place, Sequence[Finding]]
) -> Document:
    """Return the list of all neighbourhoods, a section for each first letter."""
    letters: dict[str, list[tuple[str, str]]] = {}
    for (initiative, name), slug in slugs.items():
        first = name[:1].upper() if name[:1].isalpha() else "#"
        words = f"{name}, {initiative}. {plain.in_short(told.get((initiative, name), ()))}"
        letters.setdefault(first, []).append((words, f"{slug}.html"))
    many = "1 neighbourhood" if len(slugs) == 1 else f"{len(slugs):,} neighbourhoods"
    text = (
        f"There is a page for each of {many}. Pick the first letter of a name, or use the search "
        "of your browser (Ctrl and F, or Command and F)."
    )
    first_section = Section("find", "Find a place", (Paragraph(text),))
    rest = [
        Section(f"letter-{i}", letter, (Links(tuple(own)),))
        for i, (letter, own) in enumerate(sorted(letters.items()))
    ]
    return _document("Neighbourhoods", result, (first_section, *rest))


def _document(title: str, result: Result, sections: Sequence[Section]) -> Document:
    return Document(
        title=title,
        kind=result.title,
        question="",
        sections=tuple(named(s) for s in sections),
        footer="Made by areaeffect. Every number on this page is in the files of the full report.",
        home=("Back to the report", "../report.html"),
        compact=True,
    )


class _Maker:
    """Makes pages from one result, which it sorts by neighbourhood once."""

    def __init__(self, result: Result, outlines: Outlines) -> None:
        self.result = result
        self.outlines = outlines
        self.names = {area.area: area.name for area in result.areas}
        self.designs: dict[Place, NeighbourhoodDesign] = {}
        for design in result.designs:
            self.designs.setdefault((design.initiative, design.neighbourhood), design)
        self.series: dict[tuple[str, str, str], Series] = {
            (s.group, s.neighbourhood, s.outcome): s for s in result.neighbourhood_series
        }

    def page(self, place: Place, slug: str, findings: Sequence[Finding]) -> Document:
        """Return the page of one neighbourhood."""
        design = self.designs.get(place)
        sections = [_answer(findings), self._where(place, slug, design)]
        sections += self._charts(place, slug, findings, design)
        sections.append(_sure(findings))
        sections.append(Section("todo", "What to do with this page", (Bullets(plain.TO_DO),)))
        title = f"{place[1]}, {place[0]}"
        return _document(title, self.result, sections)

    def _where(self, place: Place, slug: str, design: NeighbourhoodDesign | None) -> Section:
        own = [a.area for a in self.result.areas if a.role == "treated" and _place(a) == place]
        if design is not None:
            own = list(design.areas)
        started = f" The work began in {design.start}." if design else ""
        count = "1 small area" if len(own) == 1 else f"{len(own)} small areas"
        blocks: list[Block] = [Paragraph(f"This place is made of {count}.{started}")]
        heaviest = _heaviest(design)
        ours = local_map.own_map(
            self.outlines, own, key=f"{slug}-own", title=f"Where we are: {place[1]}"
        )
        theirs = local_map.benchmark_map(
            self.outlines, own, heaviest, key=f"{slug}-like", title="Where our benchmark areas are"
        )
        if ours and theirs:
            table = self._names("Our areas", own)
            like = self._names("Our benchmark areas, the closest match first", heaviest)
            blocks.append(
                Beside(
                    (
                        Figure(chart=ours, title=f"Where we are: {place[1]}", table=table, data=""),
                        Figure(
                            chart=theirs, title="Where our benchmark areas are", table=like, data=""
                        ),
                    )
                )
            )
        if heaviest:
            lines = tuple(self._name(code) for code in heaviest)
            title = "Our benchmark areas, those that count most first"
            blocks.append(Bullets(lines, title, "areas"))
        return Section("where", "Where we are, and who we are set beside", tuple(blocks))

    def _charts(
        self,
        place: Place,
        slug: str,
        findings: Sequence[Finding],
        design: NeighbourhoodDesign | None,
    ) -> list[Section]:
        found = [(f, self.series.get((*place, f.outcome))) for f in findings]
        pairs = [(f, s) for f, s in found if s is not None]
        if not pairs:
            return []
        figure = own_figure(place, slug, pairs, design.start if design else "")
        return [Section("charts", "How things went", (Paragraph(plain.CHARTS), figure))]

    def _names(self, title: str, codes: Sequence[str]) -> Table:
        rows = tuple((str(i), self._name(code)) for i, code in enumerate(codes, 1))
        return Table(title, ("Number", "Area"), rows, frozenset({0}))

    def _name(self, code: str) -> str:
        name = self.names.get(code, "")
        return f"{name} ({code})" if name and name != code else code


def _answer(findings: Sequence[Finding]) -> Section:
    blocks: list[Block] = [Paragraph(plain.WHAT_IT_IS)]
    if findings:
        blocks.append(Paragraph(plain.in_short(findings), lead=True))
        items = [(Badge(f.verdict), plain.CLAIMS[f.claim], plain.plain_answer(f)) for f in findings]
        blocks.append(Answers(tuple(items)))
    blocks.append(Paragraph(plain.ON_ONE_PLACE))
    return Section("answer", "In short", tuple(blocks))


def _sure(findings: Sequence[Finding]) -> Section:
    lines = tuple(text for f in findings if (text := plain.how_sure(f)))
    blocks: list[Block] = [Bullets(lines)] if lines else []
    rows = tuple(
        (
            f.label,
            f.unit if f.form == "additive" else "per cent",
            signed(f.estimate, f),
            signed_interval(f.low, f.high, f),
            size(f.mde, f),
        )
        for f in findings
        if f.verdict is not Verdict.NOT_ESTIMABLE
    )
    head = ("Outcome", "Unit", "Estimate", "95% interval", "Smallest detectable")
    if rows:
        table = Table("The same in numbers", head, rows, frozenset({2, 3, 4}))
        blocks.append(Folded("Show the numbers", (Data(table, "findings"),)))
    return Section("sure", "How sure can we be?", tuple(blocks))


def _heaviest(design: NeighbourhoodDesign | None) -> list[str]:
    if design is None:
        return []
    pairs = sorted(
        zip(design.benchmark_areas, design.weights, strict=True), key=lambda p: (-p[1], p[0])
    )
    return [code for code, _ in pairs[:HEAVIEST]]


def _place(area: AreaStatus) -> Place:
    return area.initiative, area.neighbourhood
