"""A page for each neighbourhood, for the people who live there, and the list of all pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from areaeffect.document import maps
from areaeffect.document.blocks import (
    Answers,
    Badge,
    Beside,
    Block,
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
from areaeffect.report import figures, local_map
from areaeffect.report.local_map import Outlines
from areaeffect.report.sections import HEAVIEST
from areaeffect.results import AreaStatus, Finding, NeighbourhoodDesign, Result, Series, Verdict
from areaeffect.wording import main_findings, name_of, short, when
from areaeffect.wording.numbers import PHRASES, interval_head, plural, signed, signed_interval, size

FOLDER = "neighbourhoods"
INDEX = "index"
FEW = 40  # neighbourhoods that one list names; more are listed by first letter
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
    found = findings_by_place(result)
    if not found:
        return
    slugs = places(result)
    yield f"{INDEX}.html", _index(result, slugs)
    drawn = tuple(s for s in result.shapes if any(len(ring) for ring in s.rings))
    credit = maps.credit(result.releases)
    maker = _Maker(result, local_map.Outlines(drawn, credit))
    for place, slug in slugs.items():
        yield f"{slug}.html", maker.page(place, slug, found.get(place, []))


def findings_by_place(result: Result) -> dict[Place, list[Finding]]:
    """Return the findings that are on the page of each neighbourhood."""
    findings: dict[Place, list[Finding]] = {}
    for f in result.findings:
        if f.neighbourhood is not None:
            findings.setdefault((f.initiative, f.neighbourhood), []).append(f)
    return {place: _main(own) for place, own in findings.items()}


def _main(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings of one neighbourhood for its page: ratios before their rates."""
    whole = [replace(f, neighbourhood=None, primary=True) for f in findings]
    chosen = {(f.outcome, f.claim, f.form) for f in main_findings(whole)}
    return [f for f in findings if (f.outcome, f.claim, f.form) in chosen]


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def _index(result: Result, slugs: Mapping[Place, str]) -> Document:
    """Return the list of all neighbourhoods, of many a section for each first letter."""
    letters: dict[str, list[tuple[str, str]]] = {}
    several = len({initiative for initiative, _ in slugs}) > 1
    for (initiative, name), slug in slugs.items():
        first = name[:1].upper() if name[:1].isalpha() and len(slugs) > FEW else ""
        words = f"{name}, {initiative}" if several else name
        letters.setdefault(first, []).append((words, f"{slug}.html"))
    text = PHRASES["place.index_text"].format(many=plural(len(slugs), "neighbourhood"))
    lists = [(letter, Links(tuple(own))) for letter, own in sorted(letters.items())]
    whole = [own for letter, own in lists if not letter]
    first_section = Section("find", PHRASES["place.index_find"], (Paragraph(text), *whole))
    rest = [Section(f"letter-{i}", letter, (own,)) for i, (letter, own) in enumerate(lists) if letter]
    return _document(PHRASES["place.index_title"], result, (first_section, *rest))


def _document(title: str, result: Result, sections: Sequence[Section], initiative: str = "") -> Document:
    return Document(
        title=title,
        kind=result.title,
        question=initiative,
        sections=tuple(named(s) for s in sections),
        footer=PHRASES["place.footer"],
        home=(PHRASES["annex.back"], "../report.html"),
        compact=True,
    )


class _Maker:
    """Makes pages from one result, which it sorts by neighbourhood once."""

    def __init__(self, result: Result, outlines: Outlines) -> None:
        self.result = result
        self.outlines = outlines
        self.names = {area.area: area.name for area in result.areas}
        self.councils = local_map.council_names(result.areas)
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
        sections += self._charts(place, findings, design)
        sections.append(_sure(findings))
        todo = tuple(PHRASES[f"place.todo_{i}"] for i in range(1, 6))
        sections.append(Section("todo", PHRASES["place.todo"], (Bullets(todo),)))
        several = len({initiative for initiative, _ in self.designs}) > 1
        return _document(place[1], self.result, sections, place[0] if several else "")

    def _where(self, place: Place, slug: str, design: NeighbourhoodDesign | None) -> Section:
        own = [a.area for a in self.result.areas if a.role == "treated" and _place(a) == place]
        if design is not None:
            own = list(design.areas)
        started = f" The work began in {when(design.start)}." if design else ""
        count = "1 small area" if len(own) == 1 else f"{len(own)} small areas"
        blocks: list[Block] = [Paragraph(f"This place is made of {count}.{started}")]
        heaviest = _heaviest(design)
        ours = local_map.own_map(self.outlines, own, key=f"{slug}-own", title=f"Where we are: {place[1]}")
        theirs = local_map.benchmark_map(
            self.outlines,
            own,
            heaviest,
            key=f"{slug}-like",
            title="Where our benchmark areas are",
            names=self.councils,
        )
        if ours and theirs:
            table = self._names("Our areas", own)
            like = self._names("Our benchmark areas, the closest match first", heaviest)
            blocks.append(
                Beside(
                    (
                        Figure(chart=ours, title=f"Where we are: {place[1]}", table=table, data=""),
                        Figure(chart=theirs, title="Where our benchmark areas are", table=like, data=""),
                    )
                )
            )
        if heaviest:
            lines = tuple(self.names.get(code) or code for code in heaviest)
            title = PHRASES["place.our_benchmark"]
            blocks.append(Bullets(lines, title, "areas"))
        return Section("where", PHRASES["place.where"], tuple(blocks))

    def _charts(
        self, place: Place, findings: Sequence[Finding], design: NeighbourhoodDesign | None
    ) -> list[Section]:
        found = [(f, self.series.get((*place, f.outcome))) for f in findings]
        start = (design.start,) if design else ()
        drawn = tuple(
            figures.trend(f, replace(s, start=start), title=name_of(f)) for f, s in found if s is not None
        )
        if not drawn:
            return []
        first = Paragraph(PHRASES["place.how_to_read"])
        return [Section("charts", PHRASES["place.charts"], (first, Beside(drawn)))]

    def _names(self, title: str, codes: Sequence[str]) -> Table:
        rows = tuple((str(i), self._name(code)) for i, code in enumerate(codes, 1))
        return Table(title, ("Number", "Area"), rows, frozenset({0}))

    def _name(self, code: str) -> str:
        name = self.names.get(code, "")
        return f"{name} ({code})" if name and name != code else code


def _answer(findings: Sequence[Finding]) -> Section:
    blocks: list[Block] = [Paragraph(PHRASES["place.what_it_is"])]
    if findings:
        judged = any(f.verdict is not Verdict.DESCRIBED for f in findings)
        blocks += [Paragraph(short.in_short_here(findings), lead=True)] if judged else []
        items = [
            (Badge(f.verdict, is_plain=True), PHRASES[f"place.claim_{f.claim}"], short.plain_answer(f))
            for f in findings
        ]
        blocks.append(Answers(tuple(items)))
    blocks.append(Paragraph(PHRASES["place.on_one_place"]))
    return Section("answer", PHRASES["place.answer"], tuple(blocks))


def _sure(findings: Sequence[Finding]) -> Section:
    lines = tuple(text for f in findings if (text := short.how_sure(f)))
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
    head = ("Outcome", "Unit", "Estimate", interval_head(findings), "Smallest detectable")
    if rows:
        table = Table("The same in numbers", head, rows, frozenset({2, 3, 4}))
        blocks.append(Folded("Show the numbers", (Data(table, "findings"),)))
    return Section("sure", PHRASES["place.sure"], tuple(blocks))


def _heaviest(design: NeighbourhoodDesign | None) -> list[str]:
    if design is None:
        return []
    pairs = sorted(zip(design.benchmark_areas, design.weights, strict=True), key=lambda p: (-p[1], p[0]))
    return [code for code, _ in pairs[:HEAVIEST]]


def _place(area: AreaStatus) -> Place:
    return area.initiative, area.neighbourhood
