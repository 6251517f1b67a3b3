"""The part of a report that it rests on: who was compared, how, on which data and seal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from areaeffect import wording
from areaeffect.document.blocks import Beside, Bullets, Code, Data, Folded, Links, Paragraph, Place, Section
from areaeffect.document.chart_tables import NONE_GIVEN
from areaeffect.report import figures, sections
from areaeffect.report.outcome_sections import MANY
from areaeffect.report.plan_text import setting, settings
from areaeffect.wording import terms
from areaeffect.wording.terms import PHRASES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.document.blocks import Block
    from areaeffect.results import Result


def who(result: Result) -> Section:
    """Return who was analysed and who was left out, with the heaviest benchmark areas by name."""
    first = (Paragraph(PHRASES["who.lead"]), Data(sections.analysed(result), "areas"))
    parts = []
    designs = sections.designs(result)
    if designs:
        shown: Block = Data(designs, "benchmark_areas")
        if len(designs.rows) > MANY:
            shown = Folded(designs.caption, (shown,), in_print="")
        lists = sections.heaviest(result)
        blocks: tuple[Block, ...] = (Paragraph(PHRASES["who.designs_lead"]), shown)
        if len(lists) <= MANY:
            heaviest = tuple(Folded(title, tuple(own)) for title, own in lists.items())
            blocks = (*blocks, Folded(PHRASES["who.heaviest"], heaviest, in_print=""))
        if any(f.neighbourhood is not None for f in result.findings):
            blocks = (*blocks, Paragraph(PHRASES["who.heaviest_lead"], note=True))
        parts.append(Section("designs", PHRASES["who.designs"], blocks))
    return Section("who", PHRASES["who.title"], first, tuple(parts), Place.WHO)


def area_map(result: Result) -> Section:
    """Return the map, or why there is none."""
    figure = figures.area_map(result)
    shown = figure or Paragraph(PHRASES["who.no_map"])
    return Section("map-section", PHRASES["who.map"], (shown,), (), Place.WHO)


def balance(result: Result) -> Section:
    """Return how alike treated and benchmark areas are."""
    charts = figures.balance(result)
    blocks: tuple[Block, ...] = (Paragraph(PHRASES["who.balance_none"]),)
    if charts:
        blocks = (Paragraph(PHRASES["who.balance_lead"]), Beside(tuple(charts)))
    return Section("balance", PHRASES["who.balance"], blocks, (), Place.WHO)


def method(result: Result) -> Section:
    """Return who may be compared, how they are weighted, estimated, tested and judged."""
    plan = result.plan
    first = Paragraph(
        PHRASES["method.window"].format(
            start=wording.when(setting(plan, "study", "window", "start")),
            end=wording.when(setting(plan, "study", "window", "end")),
            unit=setting(plan, "design", "unit"),
            seed=setting(plan, "study", "seed"),
        )
    )
    nearest = setting(plan, "design", "nearest")
    key = "method.pool_all" if nearest in {"0", NONE_GIVEN} else "method.pool_nearest"
    pool = PHRASES["method.pool_text"].format(
        buffer=setting(plan, "register", "buffer_km"),
        support=setting(plan, "design", "common_support"),
        chosen=PHRASES[key].format(nearest=nearest),
        history=setting(plan, "design", "history"),
        covariates=setting(plan, "design", "covariates"),
    )
    score = setting(plan, "design", "score")
    is_placed = score != NONE_GIVEN
    placed = PHRASES["method.pool_placed"].format(score=score, chosen=setting(plan, "design", "chosen"))
    sure = PHRASES["method.sure_text"].format(
        placebos=setting(plan, "analysis", "placebos"),
        where=PHRASES[f"method.sure_{'placed' if is_placed else 'chance'}"],
    )
    is_matched = setting(plan, "design", "calibration") == "none"
    weights = PHRASES[f"method.weights_{'matched' if is_matched else 'text'}"].format(
        ratio=setting(plan, "design", "ratio")
    )
    grades = Bullets(tuple(_sentence(terms.grade_words(n)) for n in range(1, 6)), mark="numbered")
    every = Folded(PHRASES["method.settings"], (Data(settings(plan)),), in_print="")
    texts: dict[str, tuple[Block, ...]] = {
        "pool": (Paragraph(pool), *([Paragraph(placed)] if is_placed else [])),
        "weights": (Paragraph(weights),),
        "estimate": (Paragraph(PHRASES["method.estimate_text"]),),
        "sure": (Paragraph(sure),),
        "verdicts": tuple(Paragraph(PHRASES[f"method.verdict_{name}"]) for name in ("read", "mde")),
        "grades": (Paragraph(PHRASES["method.grades_text"]), grades),
    }
    parts = [Section(f"method-{key}", PHRASES[f"method.{key}"], blocks) for key, blocks in texts.items()]
    return Section("method", PHRASES["method.title"], (first, every), tuple(parts), Place.METHOD)


def data(result: Result, files: Mapping[str, str]) -> Section:
    """Return the releases, what is known of them, the gaps and every table as a file."""
    gaps = sections.gaps(result)
    blocks: tuple[Block, ...] = (Data(gaps, "gaps"),) if gaps.rows else (Paragraph(PHRASES["data.no_gaps"]),)
    parts = [Section("gaps", PHRASES["data.gaps"], blocks)]
    if files:
        pairs = []
        for name, path in files.items():
            title = name.replace("_", " ")
            pairs.append((f"{title[:1].upper()}{title[1:]} (CSV)", path))
            pairs.append((f"{title}: metadata", f"{path}-metadata.json"))
        links = Folded(PHRASES["data.files"], (Links(tuple(pairs)),), in_print="")
        parts[0] = replace(parts[0], blocks=(*blocks, links))
    notes = (Bullets(result.notes, PHRASES["data.notes"]),) if result.notes else ()
    first = (Data(sections.releases(result)), *notes)
    return Section("data", PHRASES["data.title"], first, tuple(parts), Place.DATA)


def again(result: Result) -> Section:
    """Return the seal of the plan, what it covers, and how to reproduce the results."""
    blocks: list[Block] = [
        Code(result.seal.sha256, PHRASES["seal.label"]),
        Bullets(result.seal.covers, PHRASES["seal.covers"]),
        Paragraph(PHRASES["seal.text"]),
        Paragraph(PHRASES["seal.again"]),
        Code("areaeffect evaluate study.toml --out results", PHRASES["seal.again_label"]),
        Paragraph(PHRASES["seal.report"]),
        Code("areaeffect report results", PHRASES["seal.report_label"]),
    ]
    if result.versions:
        made = ", ".join(f"{name} {version}" for name, version in result.versions.items())
        blocks.append(Paragraph(PHRASES["seal.versions"].format(versions=made)))
    return Section("seal", PHRASES["seal.title"], tuple(blocks), (), Place.AGAIN)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
