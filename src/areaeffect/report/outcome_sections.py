"""The part of a report that answers: headlines, numbers, and a card for every finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect import wording
from areaeffect.document.blocks import (
    Answers,
    Badge,
    Bullets,
    Card,
    Data,
    Facts,
    Folded,
    Links,
    Paragraph,
    Place,
    Section,
)
from areaeffect.further.stories import events_of
from areaeffect.outcomes import FAMILIES
from areaeffect.report import figures, sections
from areaeffect.wording import terms
from areaeffect.wording.numbers import plural
from areaeffect.wording.terms import PHRASES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from areaeffect.document.blocks import Block
    from areaeffect.results import Finding, Result

SHOWN_OPEN = 15  # longer tables are folded away
HOW_TO_READ = (
    "Trends: bold lines are the mean of the twelve months up to each month, where all twelve are "
    "known on both lines; thin lines are single months. Shaded: where the benchmark line may lie, "
    "by the 95% interval of the whole difference; single periods stray further. Hatched: no data, "
    "which is not zero.",
    "Histograms: each placebo programme is a set of places where nothing of the kind was done, put "
    "through the same design and estimate. They show how far an estimate strays by chance alone.",
)
MANY = 60  # with more, names and numbers of single neighbourhoods are on their own pages


def by_group(result: Result) -> dict[str, list[Finding]]:
    """Return the findings of each group, in the order of the result."""
    groups: dict[str, list[Finding]] = {}
    for finding in result.findings:
        groups.setdefault(finding.group, []).append(finding)
    return groups


def answer(result: Result) -> Section:
    """Return the answers: for each group one sentence over all, and one headline a finding."""
    parts = _answers(result)
    none = () if parts else (Paragraph("The study has no findings."),)
    notes = (Bullets(result.notes),) if result.notes else ()
    title = "What to know about these answers"
    parts.append(Section("notes", title, (*notes, Paragraph(terms.KEY, note=True))))
    return Section("answer", PHRASES["word.answer"], none, tuple(parts), Place.ANSWER)


def _answers(result: Result) -> list[Section]:
    parts = []
    for i, (name, findings) in enumerate(by_group(result).items()):
        blocks: list[Block] = [Paragraph(wording.overall(findings), lead=True)]
        main = wording.main_findings(findings)
        if main:
            items = [
                (Badge(f.verdict), PHRASES[f"claim.{f.claim}"], wording.headline(f)) for f in main
            ]
            blocks.append(Answers(tuple(items)))
        parts.append(Section(f"group-{i}", wording.group_title(name), tuple(blocks)))
    return parts


def numbers(result: Result) -> Section:
    """Return the families by group, and each group's results as table and chart."""
    parts = []
    groups = by_group(result)
    for i, (name, findings) in enumerate(groups.items()):
        main = wording.main_findings(findings)
        title = wording.group_title(name)
        table = sections.results_table(main, title)
        blocks: list[Block] = [Data(table, "findings")] if table.rows else []
        missing = [
            f.title
            for key, f in FAMILIES.items()
            if key not in {f.family for f in findings if f.outcome}
        ]
        if missing:
            blocks.append(Paragraph(f"Families this study did not look at: {', '.join(missing)}."))
        figure = figures.effects(name, main)
        blocks += [figure] if figure else []
        parts.append(Section(f"numbers-{i}", title, tuple(blocks)))
    first: tuple[Block, ...] = ()
    if len(groups) > 1:
        first = (Data(sections.families_by_group(groups), "findings"),)
    return Section("table", "The results in numbers", first, tuple(parts), Place.ANSWER)


def outcomes(result: Result, pages: Mapping[str, str]) -> Section:
    """Return the cards, family by family, then single neighbourhoods and where their pages are."""
    cards: dict[str, list[Card]] = {}
    series = {(s.group, s.outcome): s for s in result.series}
    draws = {(d.group, d.outcome, d.claim, d.form): d for d in result.placebos}
    number = 0
    for findings in by_group(result).values():
        for finding in wording.main_findings(findings):
            path = series.get((finding.group, finding.outcome))
            own = draws.get((finding.group, finding.outcome, finding.claim, finding.form))
            events = events_of(result, finding.group)
            trend = figures.trend(finding, path, events) if path and path.periods else None
            placebo = figures.placebo(finding, own) if own else None
            charts = [figure for figure in (trend, placebo) if figure]
            cards.setdefault(finding.family, []).append(
                _card(f"finding-{number}", finding, findings, charts)
            )
            number += 1
    order = [*FAMILIES, *(key for key in cards if key not in FAMILIES)]
    parts = [_family(key, cards[key]) for key in order if key in cards]
    parts += _single_neighbourhoods(result, pages)
    further = sections.further_findings(result)
    if further:
        parts.append(Section("further", "Further findings", (Data(further, "findings"),)))
    first = (Bullets(HOW_TO_READ, "How to read the charts"),) if number else ()
    return Section("outcomes", "Outcome by outcome", first, tuple(parts), Place.OUTCOMES)


def say(result: Result) -> Section:
    """Return what may be said of each group, and what may not."""
    parts = []
    for i, (name, findings) in enumerate(by_group(result).items()):
        main = wording.main_findings(findings)
        can, cannot = _sayings(main)
        parts.append(Section(f"say-{i}", wording.group_title(name), (can, cannot)))
    title = "What this says, and what it does not say"
    return Section("say", title, (), tuple(parts), Place.SAY)


def _sayings(findings: Sequence[Finding]) -> tuple[Bullets, Bullets]:
    can = dict.fromkeys(text for f in findings for text in wording.can_say(f))
    cannot = dict.fromkeys(text for f in findings for text in wording.cannot_say(f))
    return (
        Bullets(tuple(can), "This says", "can"),
        Bullets(tuple(cannot), "This does not say", "cannot"),
    )


def _family(key: str, cards: Sequence[Card]) -> Section:
    asked: tuple[Block, ...] = ()
    if key in FAMILIES:
        asked = (Paragraph(FAMILIES[key].question, note=True),)
    anchor = f"family-{key.replace('_', '-')}"
    return Section(anchor, wording.family_title(key), (*asked, *cards))


def _card(key: str, finding: Finding, findings: Sequence[Finding], charts: Sequence[Block]) -> Card:
    group = wording.group_title(finding.group)
    about = f"{finding.label}, {group}"
    blocks: list[Block] = [Paragraph(wording.headline(finding), lead=True)]
    facts = sections.facts(finding)
    blocks += [Facts(facts)] if facts else []
    blocks.append(Paragraph(wording.sentence(finding)))
    additive = wording.additive_companion(finding, findings)
    if additive is not None:
        blocks.append(Paragraph(wording.headline(additive), note=True, begins="As a rate."))
    evidence = terms.maryland_words(finding.maryland)
    blocks.append(Paragraph(evidence, note=True, begins="Strength of evidence."))
    if finding.caveats:
        blocks.append(Bullets(finding.caveats, "Caveats"))
    blocks += charts
    where = "the section ‘What this says, and what it does not say’"
    blocks.append(Folded("What this says and does not say", _sayings([finding]), about, where))
    companions = sections.companions(finding)
    if companions is not None:
        where = "findings.json for intervals of other kinds"
        technical = (Facts(sections.annex_facts(finding)), Data(companions))
        blocks.append(Folded("Technical annex of this finding", technical, about, where))
    meaning = terms.verdict_words(finding.verdict, finding.claim)
    meaning = f"{meaning[:1].upper()}{meaning[1:]}. {terms.CLAIMS[finding.claim]}"
    title = f"{wording.name_of(finding)}: {group}"
    return Card(key, title, Badge(finding.verdict), meaning, tuple(blocks))


def _single_neighbourhoods(result: Result, pages: Mapping[str, str]) -> list[Section]:
    kinds = sections.neighbourhood_findings(result)
    if not kinds:
        return []
    blocks: list[Block] = [
        Paragraph(
            "A single neighbourhood is small: most of these will say ‘cannot tell’, and the "
            "highest and lowest are the ones chance has moved most."
        )
    ]
    if pages:
        names = [("All neighbourhoods, by name", pages["index"])]
        if len(pages) <= MANY:
            names += [(name, path) for name, path in pages.items() if name != "index"]
        blocks += [Paragraph("Each has a page of its own:"), Links(tuple(names))]
    for own in kinds:
        table = sections.places_table(own)
        title = f"{table.caption} ({plural(len(own), 'neighbourhood')})"
        where = f"{title}: in data/findings.csv."
        shown = Data(table, "findings") if len(own) > MANY else figures.places(own)
        folded = len(own) > SHOWN_OPEN
        blocks.append(Folded(title, (shown,), in_print=where) if folded else shown)
    return [Section("one-by-one", "One neighbourhood at a time", tuple(blocks))]
