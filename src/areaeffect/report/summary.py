"""The two pages that people read: the answer, one chart, the map, what it says, what it rests on.

Everything else is in the annex (`contents.py`). Each list has a length that keeps the whole within
two printed pages; what is left out is counted, and is in the annex.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from areaeffect import wording
from areaeffect.document import maps, page
from areaeffect.document.blocks import (
    Answers,
    Badge,
    Beside,
    Block,
    Bullets,
    Data,
    Document,
    Facts,
    Links,
    Paragraph,
    Section,
    named,
)
from areaeffect.document.chart_tables import Figure
from areaeffect.document.svg import cut
from areaeffect.report import figures, local_map, neighbourhood_pages
from areaeffect.report.outcome_sections import by_group, leading_group
from areaeffect.report.sections import families_by_group
from areaeffect.results import Finding, Result
from areaeffect.wording import numbers
from areaeffect.wording.numbers import PHRASES, phrase, plural

ANNEX_FILE, ANNEX_PDF, PDF_FILE = "annex.html", "annex.pdf", "report.pdf"
MOST_GROUPS = 5  # columns of the table of groups
MOST_PLACES = 4  # named in the text
MOST_SAID = 4
MOST_CREDIT = 5  # times the letters of a text: a licence's credit is printed whole or in the annex
CAVEATS = 3
PAGES = 2


@dataclass(frozen=True, slots=True)
class Room:
    """How much the two pages take in: outcomes, trends, and letters of a name and of a text."""

    outcomes: int
    trends: int
    name: int
    text: int


#: The first with which a report is printed on two pages is taken.
ROOMS = (Room(8, 6, 90, 220), Room(8, 3, 60, 160), Room(6, 0, 40, 120), Room(4, 0, 30, 60))


def two_pages(result: Result, files: Mapping[str, str]) -> tuple[Document, bytes]:
    """Return the two pages of a result, and the same as PDF.

    Parameters
    ----------
    result : everything the evaluation found.
    files : where each table can be downloaded, relative to the report; empty: the report stands
        alone, without links.
    """
    for room in ROOMS:
        document = summary_document(_cut(result, room), files, room)
        printed = page.to_pdf(document)
        if page.pages(printed) <= PAGES:
            break
    return document, printed


def _cut(result: Result, room: Room) -> Result:
    """Return a result whose names and texts are as short as there is room for."""
    return replace(
        result,
        title=cut(result.title, room.text),
        question=cut(result.question, room.text),
        findings=tuple(
            replace(
                f,
                group=cut(f.group, room.name),
                label=cut(f.label, room.name),
                unit=cut(f.unit, room.name),
                caveats=tuple(c for c in f.caveats if len(c) <= room.text or f.estimate is None),
            )
            for f in result.findings
        ),
        series=tuple(
            replace(s, group=cut(s.group, room.name), unit=cut(s.unit, room.name)) for s in result.series
        ),
        areas=tuple(
            replace(a, initiative=cut(a.initiative, room.name), neighbourhood=cut(a.neighbourhood, room.name))
            for a in result.areas
        ),
    )


def summary_document(result: Result, files: Mapping[str, str], room: Room = ROOMS[0]) -> Document:
    """Return the report of a result with as much of it as there is room for."""
    groups = by_group(result)
    own = groups.get(leading_group(result), [])
    main = wording.main_findings(own)
    sections = [
        _answer(own, main, room),
        _done(result, room),
        *_charts(result, groups, main, room),
        _says(own, main),
        _rests(result, main, room, with_links=bool(files)),
    ]
    return Document(
        title=result.title,
        kind=PHRASES["summary.kind"],
        question=result.question,
        sections=tuple(named(s) for s in sections if s is not None),
        footer=PHRASES["summary.footer"],
        home=(PHRASES["summary.annex"], ANNEX_FILE) if files else ("", ""),
        compact=True,
        keeps_end=True,
    )


def _answer(own: Sequence[Finding], main: Sequence[Finding], room: Room) -> Section:
    if not main:
        return Section("answer", PHRASES["word.answer"], (Paragraph(wording.overall(own)),))
    told = len(main) == 1  # the sentence to quote holds its size already
    items = [(Badge(f.verdict), wording.name_of(f), wording.answer(f, is_told=told)) for f in main]
    blocks: list[Block] = [Paragraph(wording.quote(own), lead=True), Answers(tuple(items[: room.outcomes]))]
    if len(main) > room.outcomes:
        blocks.append(_more(len(main) - room.outcomes, "outcome"))
    return Section("answer", PHRASES["word.answer"], tuple(blocks))


#: Of the answer box: a cell, and ground and ink of the verdicts that are set off; others are outlined.
_CELL = "text-align:left;vertical-align:top;padding:.4em"
_BADGES = {"better": ("#0f5f59", "#fff"), "worse": ("#801650", "#fff")}


def answer_box(result: Result) -> str:
    """Return the answer of a result as HTML that changes nothing around it: it has no style sheet."""
    own = by_group(result).get(leading_group(result), [])
    main = wording.main_findings(own)
    rows = []
    for f in main:
        badge = Badge(f.verdict)
        ground, ink = _BADGES.get(badge.look, ("transparent", "inherit"))
        look = (
            f"background:{ground};color:{ink};border:2px solid {ground if ink == '#fff' else 'currentColor'}"
        )
        rows.append(
            f'<tr style="background:none"><td style="{_CELL} 1em .4em 0">'
            f'<span style="{look};display:inline-block;padding:0 .5em;font-weight:bold;white-space:nowrap">'
            f"{escape(badge.symbol)} {escape(badge.word)}</span><br>{escape(wording.name_of(f))}</td>"
            f'<td style="{_CELL} 0">{escape(wording.answer(f, is_told=len(main) == 1))}</td></tr>'
        )
    return (
        f'<div style="max-width:50em"><h3>{escape(result.title)}</h3><p>{escape(result.question)}</p>'
        f'<p style="font-size:1.15em;font-weight:bold">{escape(wording.quote(own))}</p>'
        f'<table style="border-collapse:collapse">{"".join(rows)}</table></div>'
    )


def _more(count: int, noun: str) -> Paragraph:
    return Paragraph(PHRASES["summary.more"].format(what=plural(count, f"more {noun}")), note=True)


def _done(result: Result, room: Room) -> Section:
    """Return what was done, where, when, in how many places, and who asks."""
    study = result.plan.get("study", {})
    done = [cut(i.get("description") or i["name"], room.text) for i in result.plan.get("initiative", ())]
    done = done or list(dict.fromkeys(d.initiative for d in result.designs if d.initiative))
    treated = [a for a in result.areas if a.role == "treated"]
    starts = sorted({d.start for d in result.designs if d.start})
    window = study.get("window") or {}
    places = len({(a.initiative, a.neighbourhood) for a in treated})
    n_places = f"{plural(places, 'neighbourhood')}, {plural(len(treated), 'small area')}"
    began = wording.when(" to ".join(dict.fromkeys((starts[0], starts[-1])))) if starts else ""
    span = wording.when(f"{window['start']} to {window['end']}") if window else ""
    made = phrase("summary.made", version=result.versions.get("areaeffect", ""))
    pairs = (
        ("What was done", ". ".join(d.rstrip(".") for d in done[:MOST_PLACES])),
        ("Where", local_map.where(treated, MOST_PLACES)),
        ("When work began", began),
        ("In how many places", n_places if treated else ""),
        ("Author", cut(str(study.get("author") or ""), room.text)),
        ("Date", phrase("summary.date", span=span, made=made) if span else made),
    )
    return Section("done", PHRASES["summary.done"], (Facts(tuple(p for p in pairs if p[1])),))


def _charts(
    result: Result, groups: Mapping[str, Sequence[Finding]], main: Sequence[Finding], room: Room
) -> list[Section | None]:
    """Return the one chart of all outcomes with the map beside it, the groups as a table, the trends.

    The only outcome of a study has its trend in the same place, beside the map.
    """
    effects = figures.effects(main[0].group, main[: room.outcomes]) if main else None
    drawn = [effects] if effects else []
    areas = local_map.named_map(result)
    trends, note = _trends(result, main[: room.trends])
    if len(main) == 1 and trends and areas:
        blocks: list[Block] = [Beside((*drawn, *trends, areas), is_tall=True), note]
        return [_with_groups(Section("results", PHRASES["summary.result"], tuple(blocks)), groups)]
    drawn += [areas] if areas else []
    one_chart = Section("results", PHRASES["summary.results"], (Beside(tuple(drawn)),) if drawn else ())
    several: list[Section | None] = [_with_groups(one_chart, groups)]
    if trends:
        blocks = [note, Beside(tuple(trends))]
        if len(main) > room.trends:
            blocks.append(_more(len(main) - room.trends, "trend"))
        several.append(Section("trends", PHRASES["summary.trends"], tuple(blocks)))
    return several


def _with_groups(section: Section, groups: Mapping[str, Sequence[Finding]]) -> Section | None:
    """Return a section with the groups as a table; None where it would be empty."""
    blocks = list(section.blocks)
    if 1 < len(groups) <= MOST_GROUPS:
        blocks.append(Data(families_by_group(groups), "findings"))
    elif len(groups) > 1:
        blocks.append(_more(len(groups) - 1, "group"))
    return replace(section, blocks=tuple(blocks)) if blocks else None


def _trends(result: Result, main: Sequence[Finding]) -> tuple[list[Figure], Paragraph]:
    """Draw the trend of each finding that has one, and say what the lines are."""
    paths = {(s.group, s.outcome): s for s in result.series if s.periods}
    pairs = [(f, paths[f.group, f.outcome]) for f in main if (f.group, f.outcome) in paths]
    drawn = [figures.trend(f, series, title=wording.name_of(f)) for f, series in pairs]
    rows = [row for figure in drawn for row in figure.rows]
    text = PHRASES["summary.lines"]
    text += PHRASES["summary.lines_gaps"] if any(row.is_gap for row in rows) else ""
    smooth = any(row.observed_mean_12 is not None for row in rows)
    text += PHRASES["summary.lines_months"] if smooth else ""
    return drawn, Paragraph(text, note=True)


def _says(own: Sequence[Finding], main: Sequence[Finding]) -> Section | None:
    if not main:
        return None
    cannot = Counter(text for f in main for text in wording.cannot_say(f))
    said = tuple(text for text, _ in cannot.most_common(MOST_SAID))
    if len(main) == 1:  # the answer has said the rest
        return Section("says", PHRASES["summary.cannot"], (Bullets(said, "", "cannot"),))
    can = Bullets(tuple(wording.in_short(own)), PHRASES["summary.can"], "can")
    cannot_say = Bullets(said, PHRASES["summary.cannot"], "cannot")
    return Section("says", PHRASES["summary.says"], (can, cannot_say))


def _rests(result: Result, main: Sequence[Finding], room: Room, *, with_links: bool) -> Section:
    """Return the caveats that matter most, the strength of evidence, the data and the seal."""
    grades = Counter(f.maryland for f in main)
    evidence = numbers.maryland_of(grades)
    over, among = _balance(result, main)
    if among and not over:  # else it is the first of the caveats
        evidence += " " + phrase("strength.alike", among=among, limit=f"{figures.SMD_LIMIT:g}")
    credit = maps.credit(result.releases)
    blocks: list[Block] = [Bullets(caveats(result, main), "", "numbered")]
    if grades:
        blocks.append(Paragraph(evidence, begins="Strength of evidence."))
    if credit:
        is_short = len(credit) <= MOST_CREDIT * room.text
        blocks.append(
            Paragraph(credit if is_short else PHRASES["summary.credits"], note=True, begins="Data.")
        )
    blocks.append(Paragraph(result.seal.sha256, note=True, begins="Seal of the plan (SHA-256)."))
    if with_links:
        pairs = [
            (PHRASES["summary.annex"], ANNEX_FILE),
            (PHRASES["summary.annex_pdf"], ANNEX_PDF),
            (PHRASES["summary.report_pdf"], PDF_FILE),
        ]
        index = neighbourhood_pages.links(result).get(neighbourhood_pages.INDEX)
        pairs += [(PHRASES["summary.pages"], index)] if index else []
        blocks.append(Links(tuple(pairs)))
    return Section("care", PHRASES["summary.care"], tuple(blocks))


def _balance(result: Result, main: Sequence[Finding]) -> tuple[int, int]:
    """Return on how many characteristics places and benchmark areas differ, and of how many."""
    claims = {f.claim for f in main}
    rows = [
        row
        for claim in dict.fromkeys(b.claim for b in result.balance)
        if claim in claims or len(claims) == 0
        for row in figures.balance_rows(result.balance, claim)
    ]
    return sum((row.after or 0.0) > figures.SMD_LIMIT for row in rows), len(rows)


def caveats(result: Result, main: Sequence[Finding]) -> tuple[str, ...]:
    """Return the three caveats that matter most, in plain words.

    First that the question was asked after looking, then how unlike the benchmark areas stay, then
    what holds for most of the findings; what is left is always true.
    """
    made: list[str] = []
    if result.plan.get("study", {}).get("exploratory"):
        made.append(PHRASES["caveat.exploratory"])
    over, among = _balance(result, main)
    if over:
        limit = f"{figures.SMD_LIMIT:g}"
        made.append(PHRASES["caveat.unlike"].format(over=over, among=among, limit=limit))
    shared = Counter(text for f in main for text in f.caveats if _is_plain(text))
    made += [text for text, _ in shared.most_common()]
    has_few_places = any(text.startswith(_opening("finding.however_many")) for text in made)
    made += [PHRASES["caveat.unseen"]]
    made += [] if has_few_places else [PHRASES["caveat.elsewhere"]]  # which it says already
    made += [PHRASES["caveat.one_study"]]
    return tuple(made[:CAVEATS])


def _opening(key: str) -> str:
    """Return how a phrase begins, up to its first name."""
    return PHRASES[key].split("{")[0]


def _is_plain(text: str) -> bool:
    """Tell whether a caveat can stand alone: neither a grade, a check nor a design's detail."""
    design = (_opening("grading.held_out"), _opening("grading.weights_make"))
    technical = ("Graded ", wording.CHECK_WARNS, *design)
    return not text.startswith(technical) and not any(s in text for s in ("`", "_", "placebo"))
