"""One HTML file that needs no script: answer first, then what it rests on."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from areaeffect.outcomes import FAMILIES
from areaeffect.report import (
    chart_tables,
    charts,
    forest,
    maps,
    plan_text,
    sections,
    terms,
    wording,
)
from areaeffect.report.annexes import annex_files, annex_sections
from areaeffect.report.chart_tables import Figure, Table
from areaeffect.report.tables import DATA_FILES
from areaeffect.results import Finding, PlaceboDraws, Result, Series

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN_OPEN = 15  # longer tables are folded away
Kind = tuple[str, str]


def render(result: Result, attachments: Mapping[str, str] = DATA_FILES) -> str:
    """Return the report as one self-contained HTML page.

    Parameters
    ----------
    result : everything the evaluation found.
    attachments : where each table (`findings`, `series`, `placebo_draws`, `balance`,
        `areas`, `benchmark_areas`, `gaps`) can be downloaded, relative to the page; a
        table that is not named gets no link.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # heavy

    environment = Environment(
        loader=PackageLoader("areaeffect.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = lambda block: type(block).__name__
    environment.filters["capital"] = lambda text: text[:1].upper() + text[1:]
    groups = _by_group(result)
    files = {**attachments, **annex_files(result)} if attachments else {}
    links = {name: PurePath(path).as_posix() for name, path in files.items()}
    text = environment.get_template("report.html.j2").render(
        result=result,
        links=links,
        groups=[_group(result, name, own, i) for i, (name, own) in enumerate(groups.items())],
        families=_families(result, groups),
        neighbourhoods=sections.neighbourhood_findings(result),
        further=sections.further_findings(result),
        analysed=sections.analysed(result),
        designs=sections.designs(result),
        annexes=annex_sections(result),
        heaviest=sections.heaviest(result),
        map=_map(result),
        balance=_balance(result),
        setting=lambda *path: plan_text.setting(result.plan, *path),
        settings=plan_text.settings(result.plan),
        data=sections.data(result),
        maryland=terms.MARYLAND,
        no_map=maps.NO_MAP,
        shown_open=SHOWN_OPEN,
    )
    return text if text.endswith("\n") else text + "\n"


def _by_group(result: Result) -> dict[str, list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in result.findings:
        groups.setdefault(finding.group, []).append(finding)
    return groups


def _group(result: Result, name: str, findings: list[Finding], number: int) -> dict[str, Any]:
    """Return what the page says of one group before the outcome cards."""
    main = wording.main_findings(findings)
    rows = forest.effect_rows(main)
    title = f"Effects and differences: {wording.group_title(name)}"
    missing = [
        family.title for key, family in FAMILIES.items() if key not in {f.family for f in findings}
    ]
    chart = forest.effects_chart(rows, key=f"effects-{number}", title=title) if rows else ""
    return {
        "id": f"group-{number}",
        "title": wording.group_title(name),
        "overall": wording.overall(findings),
        "answers": [sections.answer(finding) for finding in main],
        "table": sections.results_table(main, wording.group_title(name)),
        "missing": missing,
        "figure": Figure(chart, title, chart_tables.effect_table(rows), "findings")
        if rows
        else None,
        "can": list(dict.fromkeys(text for f in main for text in wording.can_say(f))),
        "cannot": list(dict.fromkeys(text for f in main for text in wording.cannot_say(f))),
        "initiatives": sorted({f.initiative for f in findings}),
        "planned": len(result.findings),
    }


def _families(result: Result, groups: Mapping[str, list[Finding]]) -> list[dict[str, Any]]:
    """Return the cards, family by family and, within one, group by group."""
    made: dict[str, list[dict[str, Any]]] = {}
    series = {(s.group, s.outcome): s for s in result.series}
    draws = {(d.group, d.outcome, d.claim, d.form): d for d in result.placebos}
    number = 0
    for findings in groups.values():
        for finding in wording.main_findings(findings):
            card = sections.card(finding, findings)
            card["id"] = f"finding-{number}"
            path = series.get((finding.group, finding.outcome))
            own = draws.get((finding.group, finding.outcome, finding.claim, finding.form))
            card["trend"] = _trend(finding, path, number) if path and path.periods else None
            card["placebo"] = _placebo(finding, own, number) if own else None
            made.setdefault(finding.family, []).append(card)
            number += 1
    order = [*FAMILIES, *(key for key in made if key not in FAMILIES)]
    return [
        {
            "id": f"family-{i}",
            "title": wording.family_title(key),
            "question": FAMILIES[key].question if key in FAMILIES else "",
            "cards": made[key],
        }
        for i, key in enumerate(order)
        if key in made
    ]


def _trend(finding: Finding, series: Series, number: int) -> Figure:
    rows = charts.trend_rows(series)
    unit = ", ".join(part for part in (wording.name_of(finding), series.unit) if part)
    group = wording.group_title(finding.group)
    title = f"{wording.name_of(finding)}: observed and benchmark areas, {group}"
    chart = charts.trend_chart(
        rows, key=f"trend-{number}", title=title, starts=series.start, unit=unit
    )
    smooth = any(row["observed_mean_12"] is not None for row in rows)
    note = ""
    if smooth:
        note = (
            "Bold lines: mean of the twelve months up to each month, "
            "where all twelve are known on both lines. Thin lines: single months."
        )
    if any(row["is_gap"] for row in rows):
        note = f"{note} Hatched: no data, which is not zero.".strip()
    return Figure(
        chart, title, chart_tables.trend_table(rows, series.unit, smooth=smooth), "series", note
    )


def _placebo(finding: Finding, draws: PlaceboDraws, number: int) -> Figure | None:
    rows = charts.placebo_rows(draws)
    if not rows:
        return None
    title = f"{wording.name_of(finding)}: placebo programmes, {wording.group_title(finding.group)}"
    chart = charts.placebo_chart(
        rows,
        key=f"placebo-{number}",
        title=title,
        estimate=finding.estimate,
        form=finding.form,
        unit=finding.unit,
    )
    note = (
        "Each placebo programme is a set of places where nothing of the kind was done, "
        "put through the same design and estimate. "
        "They show how far the estimate strays by chance alone."
    )
    return Figure(chart, title, chart_tables.placebo_table(rows, finding), "placebo_draws", note)


def _map(result: Result) -> Figure | None:
    attribution = " ".join(dict.fromkeys(r.attribution for r in result.releases if r.attribution))
    table = Table(
        "Areas by the part they play",
        ("Part", "Initiative", "Reason", "Areas"),
        tuple(
            (row["role"], row["initiative"], row["reason"], f"{row['areas']:,}")
            for row in maps.status_rows(result.areas)
        ),
        frozenset({3}),
    )
    title = "Where the treated and the benchmark areas are"
    chart = maps.map_svg(
        result.shapes, result.areas, key="map", title=title, attribution=attribution
    )
    return Figure(chart, title, table, "areas") if chart else None


def _balance(result: Result) -> list[Figure]:
    figures = []
    for i, claim in enumerate(dict.fromkeys(row.claim for row in result.balance)):
        rows = charts.balance_rows(result.balance, claim)
        title = f"Balance before and after weighting: {claim} claims"
        chart = charts.balance_chart(rows, key=f"balance-{i}", title=title)
        figures.append(Figure(chart, title, chart_tables.balance_table(rows, claim), "balance"))
    return figures
