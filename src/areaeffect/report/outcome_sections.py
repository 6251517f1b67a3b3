"""The part of the annex that answers: every result, over time, against chance, and how strong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect import wording
from areaeffect.document.blocks import Beside, Bullets, Data, Folded, Links, Paragraph, Place, Section
from areaeffect.further.stories import events_of
from areaeffect.outcomes import FAMILIES
from areaeffect.report import figures, sections
from areaeffect.results import ALL_INITIATIVES
from areaeffect.wording import terms
from areaeffect.wording.numbers import plural
from areaeffect.wording.terms import PHRASES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from areaeffect.document.blocks import Block
    from areaeffect.document.chart_tables import Figure
    from areaeffect.results import Finding, Result

MANY = 60  # with more, single neighbourhoods are on their own pages alone


def by_group(result: Result) -> dict[str, list[Finding]]:
    """Return the findings of each group, in the order of the result."""
    groups: dict[str, list[Finding]] = {}
    for finding in result.findings:
        groups.setdefault(finding.group, []).append(finding)
    return groups


def leading_group(result: Result) -> str:
    """Return the group that a report leads with: all initiatives together, else the first."""
    groups = by_group(result)
    return ALL_INITIATIVES if ALL_INITIATIVES in groups else next(iter(groups), "")


def found(result: Result) -> Section:
    """Return every result as a table a group, then what a technical reader asks of each."""
    groups = by_group(result)
    main = {name: wording.main_findings(own) for name, own in groups.items()}
    blocks: list[Block] = [Paragraph(PHRASES["annex.no_findings"])] if not groups else []
    for name, own in main.items():
        blocks.append(Paragraph(wording.overall(groups[name]), begins=f"{_title(name)}."))
        if own:
            blocks.append(Data(sections.results_table(own, _title(name)), "findings"))
    blocks.append(Paragraph(PHRASES["annex.key"], note=True))
    missing = [
        family.title
        for key, family in FAMILIES.items()
        if groups and key not in {f.family for f in result.findings if f.outcome}
    ]
    if missing:
        blocks.append(Paragraph(PHRASES["annex.not_studied"].format(names=", ".join(missing))))
    every = [f for own in main.values() for f in own]
    for table, printed in ((sections.technical(every), None), (sections.companions(every), "")):
        if table is not None:
            blocks.append(Folded(table.caption, (Data(table, "findings"),), in_print=printed))
    further = sections.further_findings(result)
    blocks += [Data(further, "findings")] if further else []
    return Section("found", PHRASES["annex.found"], tuple(blocks), place=Place.ANSWER)


def over_time(result: Result) -> Section | None:
    """Return the trend of every outcome, group by group."""
    paths = {(s.group, s.outcome): s for s in result.series if s.periods}
    parts = []
    for i, (name, findings) in enumerate(by_group(result).items()):
        events = events_of(result, name)
        drawn = [
            figures.trend(f, paths[f.group, f.outcome], events, title=wording.name_of(f))
            for f in wording.main_findings(findings)
            if (f.group, f.outcome) in paths
        ]
        if drawn:
            note = (Paragraph(figures.events_note(events), note=True),) if events else ()
            parts.append(Section(f"trends-{i}", _title(name), (Beside(tuple(drawn)), *note)))
    if not parts:
        return None
    blocks = (Paragraph(PHRASES["annex.how_to_read_trends"], note=True),)
    return Section("trends", PHRASES["annex.trends"], blocks, tuple(parts), Place.ANSWER)


def chance(result: Result) -> Section | None:
    """Return each finding among its placebo estimates; print shows the leading group's."""
    draws = {(d.group, d.outcome, d.claim, d.form): d for d in result.placebos}
    drawn: dict[str, list[Figure]] = {}
    for name, findings in by_group(result).items():
        for f in wording.main_findings(findings):
            own = draws.get((f.group, f.outcome, f.claim, f.form))
            figure = figures.placebo(f, own) if own else None
            drawn.setdefault(name, []).extend([figure] if figure else [])
    drawn = {name: own for name, own in drawn.items() if own}
    if not drawn:
        return None
    leads = leading_group(result)
    leads = leads if leads in drawn else next(iter(drawn))
    blocks: list[Block] = [Paragraph(PHRASES["annex.how_to_read_placebos"], note=True)]
    blocks.append(Beside(tuple(drawn.pop(leads))))
    blocks += [
        Folded(_title(name), (Beside(tuple(own)),), "placebo programmes", in_print="")
        for name, own in drawn.items()
    ]
    return Section("chance", PHRASES["annex.chance"], tuple(blocks), place=Place.ANSWER)


def evidence(result: Result) -> Section | None:
    """Return the grade of each finding, and each caveat once with the findings that have it."""
    main = [f for own in by_group(result).values() for f in wording.main_findings(own)]
    if not main:
        return None
    graded: dict[int | None, list[Finding]] = {}
    for f in main:
        graded.setdefault(f.maryland, []).append(f)
    grades = tuple(f"{terms.maryland_words(grade)} {_whose(own, main)}" for grade, own in graded.items())
    blocks: list[Block] = [Bullets(grades)]
    caveats: dict[str, list[Finding]] = {}
    for f in main:
        for text in f.caveats:
            if not text.startswith(wording.CHECK_WARNS):  # the checks say it, with their numbers
                caveats.setdefault(text, []).append(f)
    ordered = sorted(caveats.items(), key=lambda item: -len(item[1]))
    said = tuple(f"{text} {_whose(own, main)}" for text, own in ordered)
    blocks += [Bullets(said, PHRASES["annex.caveats"])] if said else []
    return Section("evidence", PHRASES["annex.evidence"], tuple(blocks), place=Place.SAY)


def _whose(own: Sequence[Finding], among: Sequence[Finding]) -> str:
    """Say which findings a text holds for: all, or outcomes by group."""
    if len(own) == len(among):
        return "" if len(among) == 1 else PHRASES["annex.of_all"]
    groups: dict[str, list[str]] = {}
    for f in own:
        groups.setdefault(_title(f.group), []).append(wording.name_of(f))
    whole = {name: sum(_title(f.group) == name for f in among) for name in groups}
    said = [
        name if len(labels) == whole[name] and len(whole) > 1 else f"{wording.listed(labels)} ({name})"
        for name, labels in groups.items()
    ]
    return f"[{'; '.join(said)}]"


def places(result: Result, pages: Mapping[str, str]) -> Section | None:
    """Return every neighbourhood as one row with all its outcomes, and where its page is."""
    kinds = sections.neighbourhood_findings(result)
    if not kinds:
        return None
    blocks: list[Block] = [Paragraph(PHRASES["annex.places_lead"])]
    if pages:
        names = [(PHRASES["annex.places_index"], pages["index"])]
        if len(pages) <= MANY:
            names += [(name, path) for name, path in pages.items() if name != "index"]
        blocks.append(Folded(PHRASES["annex.places_pages"], (Links(tuple(names)),), in_print=""))
    tables = [sections.places_table(own) for own in kinds.values()]
    if sum(len(t.rows) for t in tables) > MANY:
        n = plural(len({(f.initiative, f.neighbourhood) for own in kinds.values() for f in own}),
                   "neighbourhood")  # fmt: skip
        note = PHRASES["annex.places_many"].format(n=n)
        blocks += [Folded(t.caption, (Data(t, "findings"),), in_print=note) for t in tables[:1]]
        blocks += [Folded(t.caption, (Data(t, "findings"),), in_print="") for t in tables[1:]]
    else:
        blocks += [Data(t, "findings") for t in tables]
    return Section("one-by-one", PHRASES["annex.places"], tuple(blocks), place=Place.OUTCOMES)


def _title(group: str) -> str:
    return wording.group_title(group)
