"""The part of a report that it rests on: who was compared, how, on which data and seal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.document import maps
from areaeffect.document.blocks import (
    Bullets,
    Code,
    Data,
    Folded,
    Links,
    Paragraph,
    Place,
    Section,
)
from areaeffect.report import figures, sections
from areaeffect.report.method_text import method_parts, setting, settings
from areaeffect.report.outcome_sections import MANY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.document.blocks import Block
    from areaeffect.results import Result


def who(result: Result) -> Section:
    """Return who was analysed and who was left out, with the heaviest benchmark areas by name."""
    first = (
        Paragraph(
            "The areas of the initiatives are compared with benchmark areas: similar areas, known "
            "to be in no initiative of the register, with weights that make them alike on average. "
            "An area that could not serve was left out for one of the reasons below."
        ),
        Data(sections.analysed(result), "areas"),
    )
    parts = []
    designs = sections.designs(result)
    if designs:
        text = (
            "Calibration is exact where the weighted benchmark areas match the neighbourhood on "
            "every characteristic; where they cannot, the worst remaining difference is printed in "
            "standard deviations."
        )
        blocks: tuple[Block, ...] = (Paragraph(text), Data(designs, "benchmark_areas"))
        parts.append(Section("designs", "Neighbourhood by neighbourhood", blocks))
        lists = sections.heaviest(result)
        where = "In full: data/benchmark_areas.csv, and a page for each neighbourhood."
        if len(lists) <= MANY:
            heaviest = tuple(Folded(title, tuple(own)) for title, own in lists.items())
            blocks = (Folded("Benchmark areas by name", heaviest, in_print=where),)
        else:
            blocks = (Paragraph(where),)
        parts.append(Section("heaviest", "The benchmark areas that weigh most", blocks))
    title = "Who was analysed, and who was left out"
    return Section("who", title, first, tuple(parts), Place.WHO)


def area_map(result: Result) -> Section:
    """Return the map, or why there is none."""
    figure = figures.area_map(result)
    return Section("map-section", "Map", (figure or Paragraph(maps.NO_MAP),), (), Place.WHO)


def balance(result: Result) -> Section:
    """Return how alike treated and benchmark areas are."""
    charts = figures.balance(result)
    blocks: tuple[Block, ...] = (Paragraph("There are no characteristics to compare."),)
    if charts:
        text = (
            "Each line is one characteristic. The further right, the less alike the places are, in "
            "standard deviations, averaged over neighbourhoods. A difference over 0.1 after "
            "weighting deserves caution."
        )
        blocks = (Paragraph(text), *charts)
    return Section("balance", "Balance: are the benchmark areas alike?", blocks, (), Place.WHO)


def method(result: Result) -> Section:
    """Return the method annex, with every setting of the plan."""
    plan = result.plan
    first = Paragraph(
        f"Window: {setting(plan, 'study', 'window', 'start')} to "
        f"{setting(plan, 'study', 'window', 'end')}. "
        f"Designed by {setting(plan, 'design', 'unit')}. "
        f"Seed: {setting(plan, 'study', 'seed')}."
    )
    every = Folded(
        "Every setting of the plan", (Data(settings(plan)),), in_print="Every setting: run.json."
    )
    parts = (*method_parts(plan), Section("settings", "The plan", (every,)))
    return Section("method", "Method annex", (first,), parts, Place.METHOD)


def data(result: Result, files: Mapping[str, str]) -> Section:
    """Return the releases, the gaps and every table as a file."""
    gaps = sections.gaps(result)
    blocks: tuple[Block, ...] = (
        (Data(gaps, "gaps"),) if gaps.rows else (Paragraph("No gaps were found."),)
    )
    parts = [Section("gaps", "Gaps", blocks)]
    if files:
        pairs = []
        for name, path in files.items():
            title = name.replace("_", " ")
            pairs.append((f"{title[:1].upper()}{title[1:]} (CSV)", path))
            pairs.append((f"{title}: metadata", f"{path}-metadata.json"))
        parts.append(Section("files", "Every table as a file", (Links(tuple(pairs)),)))
    first = (Data(sections.releases(result)),)
    return Section("data", "Data annex", first, tuple(parts), Place.DATA)


def seal(result: Result) -> Section:
    """Return the hash of the plan, what it covers, and what it does not show."""
    blocks = (
        Code(result.seal.sha256, "SHA-256 of the plan"),
        Bullets(result.seal.covers, "It covers"),
        Paragraph(
            "The seal shows that these estimates used this plan. It does not show that nobody had "
            "looked at public data before the plan was written."
        ),
    )
    return Section("seal", "Seal", blocks, (), Place.AGAIN)


def again(result: Result) -> Section:
    """Return how to reproduce the results and the report."""
    blocks: list[Block] = [
        Paragraph(
            "With the study file and the same releases (their SHA-256 is in the data annex), this "
            "command gives the same numbers and the same bytes:"
        ),
        Code("areaeffect evaluate study.toml --out results", "Command to evaluate the study"),
        Paragraph("This report can be made again from its own folder:"),
        Code("areaeffect report results", "Command to make the report again"),
    ]
    if result.versions:
        made = ", ".join(f"{name} {version}" for name, version in result.versions.items())
        blocks.append(Paragraph(f"Made with {made}."))
    return Section("again", "How to do it again", tuple(blocks), (), Place.AGAIN)
