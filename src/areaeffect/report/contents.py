"""The annex: everything of a result, as one document in the order of reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from areaeffect.document.blocks import Beside, Bullets, Data, Document, Folded, Paragraph, Section, named
from areaeffect.document.chart_tables import Figure
from areaeffect.further.registry import FURTHER
from areaeffect.report import neighbourhood_pages
from areaeffect.report import outcome_sections as outcome
from areaeffect.report.outcome_sections import planned_outcomes
from areaeffect.results import Result
from areaeffect.wording.numbers import PHRASES, phrase, plural

FEW = 20  # lines of a last section that fit on a page


def report_document(result: Result, files: Mapping[str, str]) -> Document:
    """Return the annex, everything a result holds: answer first, then what it rests on.

    Parameters
    ----------
    result : everything the evaluation found.
    files : where each table can be downloaded, relative to the report.
    """
    sections = [
        outcome.found(result),
        outcome.over_time(result),
        outcome.chance(result),
        outcome.places(result, neighbourhood_pages.links(result) if files else {}),
        outcome.evidence(result),
        outcome.who(result),
        outcome.designs(result),
        outcome.area_map(result),
        outcome.balance(result),
        outcome.method(result),
        outcome.data(result, files),
        outcome.again(result),
        *annex_sections(result),
    ]
    kept = sorted((s for s in sections if s is not None), key=lambda s: s.place)
    return Document(
        title=result.title,
        kind=PHRASES["annex.kind"],
        question=result.question,
        sections=tuple(map(named, kept)),
        footer=PHRASES["annex.footer"],
        home=(PHRASES["annex.back"], "report.html") if files else ("", ""),
        keeps_end=len(result.seal.covers) <= FEW,
    )


def plan_document(result: Result, power: Section) -> Document:
    """Return a plan for registration: everything that is settled before outcomes are read.

    Parameters
    ----------
    result : of a sealed plan, without findings.
    power : what the study could see, or why that is not known.
    """
    plan = result.plan
    neighbourhoods = len({(d.initiative, d.neighbourhood) for d in result.designs})
    first = Section(
        "question",
        "The question",
        (
            Paragraph(result.question or result.title, lead=True),
            Paragraph(phrase("plan.their_benchmark", neighbourhoods=plural(neighbourhoods, "neighbourhood"))),
            *((Bullets(result.notes, "What is known of the data"),) if result.notes else ()),
        ),
    )
    asked = Section(
        "outcomes",
        "What will be estimated",
        (Paragraph(PHRASES["plan.outcomes_marked"]), Data(planned_outcomes(plan))),
    )
    sections = (
        first,
        asked,
        outcome.who(result),
        outcome.designs(result),
        outcome.area_map(result),
        outcome.balance(result),
        power,
        outcome.method(result),
        outcome.data(result, {}),
        outcome.again(result),
    )
    return Document(
        title=result.title,
        kind="Plan of an evaluation, for registration",
        question="",
        sections=tuple(named(s) for s in sections if s is not None),
        footer=PHRASES["plan.footer"],
    )


#: What a plan's two printed pages hold of each section: how many blocks, and which parts. The page
#: for the screen has everything.
_ON_TWO_PAGES: dict[str, tuple[int, tuple[str, ...]]] = {
    "question": (2, ()),
    "outcomes": (2, ()),
    "who": (2, ()),
    "power": (12, ()),  # or fewer
    "method": (1, ("method-pool", "method-weights", "method-sure")),
    "seal": (3, ()),
}


def plan_in_print(plan: Document, on_power: int) -> Document:
    """Return what is settled, in short: question, outcomes, areas, power, method and seal.

    Parameters
    ----------
    plan : the whole document.
    on_power : most sentences on what the study could see.
    """
    kept = [s for s in plan.sections if s.key in _ON_TWO_PAGES]
    short = []
    for section in kept:
        most, parts = _ON_TWO_PAGES[section.key]
        most = min(most, on_power) if section.key == "power" else most
        blocks = [b for b in section.blocks if not isinstance(b, (Beside, Figure, Folded))]
        own = tuple(part for part in section.parts if part.key in parts)
        if len(blocks) > most:
            blocks[most:] = [Paragraph(PHRASES["plan.plan_page"], note=True)]
        short.append(replace(section, blocks=tuple(blocks), parts=own))
    return replace(plan, sections=tuple(short))


def annex_sections(result: Result) -> list[Section]:
    """Return the sections of all annexes, in the order of the registry."""
    by_name = {annex.name: annex for annex in result.annexes}
    return [one.section(result, by_name[one.name]) for one in FURTHER if one.name in by_name]


def annex_files(result: Result) -> dict[str, str]:
    """Return where each table of the annexes can be downloaded, relative to the page."""
    return {t.name: f"data/{t.name}.csv" for a in result.annexes for t in a.tables}
