"""The charts of a report with their tables: which rows are drawn, under which title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from areaeffect import wording
from areaeffect.document import maps
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.svg import key_of
from areaeffect.report import balance_chart, charts, forest
from areaeffect.wording.numbers import interval_head
from areaeffect.wording.terms import PHRASES

if TYPE_CHECKING:
    from areaeffect.results import Finding, PlaceboDraws, Result, Series


def effects(name: str, findings: Sequence[Finding]) -> Figure | None:
    """Draw all findings of one group on one scale; None where there are none."""
    rows = forest.effect_rows(findings)
    if not rows:
        return None
    title = wording.effects_title(name, findings)
    key = key_of(name, "effects")
    chart = forest.effects_chart(rows, interval=interval_head(findings), key=key, title=title)
    return Figure(
        chart=chart,
        title=title,
        table=forest.effect_table(rows),
        data="findings",
        note="",
        name=key,
        rows=tuple(rows),
    )


def trend(
    finding: Finding, series: Series, events: Sequence[tuple[str, str, str]] = (), *, title: str = ""
) -> Figure:
    """Draw the observed path of a finding's outcome beside its benchmark areas.

    `events` are dates, places (empty: everywhere) and what happened; each has its number on the
    chart (`events_note` has the words). Without a `title` the chart says what was found.
    """
    rows = charts.with_interval(charts.trend_rows(series), finding)
    title = title or wording.chart_title(finding)
    place = (finding.neighbourhood,) if finding.neighbourhood else ()
    key = key_of(finding.group, *place, finding.outcome, finding.claim, "trend")
    chart = charts.trend_chart(
        rows,
        key=key,
        title=title,
        starts=series.start,
        events=[date for date, _, _ in events],
        unit=finding.unit if series.unit == "mean" and finding.unit else series.unit,
        names=(PHRASES["line.one" if place else "line.several"], PHRASES[f"line.{finding.claim}"]),
    )
    smooth = any(row.observed_mean_12 is not None for row in rows)
    return Figure(
        chart=chart,
        title=title,
        table=charts.trend_table(rows, series.unit, smooth=smooth),
        data="neighbourhood_series" if place else "series",
        name=key,
        rows=tuple(rows),
    )


def events_note(events: Sequence[tuple[str, str, str]]) -> str:
    """Return what the numbers of the events in a trend stand for."""
    happened = (
        f"{i}: {what} ({where or 'everywhere'}, {wording.when(date)})"
        for i, (date, where, what) in enumerate(events, 1)
    )
    return f"Events: {'; '.join(happened)}."


def placebo(finding: Finding, draws: PlaceboDraws) -> Figure | None:
    """Draw a finding among its placebo estimates; None where there are none."""
    rows = charts.placebo_rows(draws, finding.estimate)
    if not rows:
        return None
    title = wording.placebo_title(finding, draws)
    key = key_of(finding.group, finding.outcome, finding.claim, "placebo")
    chart = charts.placebo_chart(rows, key=key, title=title, form=finding.form, unit=finding.unit)
    table = charts.placebo_table(charts.bins_of(rows), finding)
    return Figure(
        chart=chart, title=title, table=table, data="placebo_draws", note="", name=key, rows=tuple(rows)
    )


def area_map(result: Result) -> Figure | None:
    """Draw where treated and benchmark areas are; None without outlines."""
    rows = maps.status_rows(result.areas)
    attribution = maps.credit(result.releases)
    table = Table(
        "Areas by the part they play",
        ("Part", "Initiative", "Reason", "Areas"),
        tuple((row.role, row.initiative, row.reason, f"{row.areas:,}") for row in rows),
        frozenset({3}),
    )
    title = wording.map_title(result.areas)
    chart = maps.map_svg(result.shapes, result.areas, key="map", title=title, attribution=attribution)
    return (
        Figure(chart=chart, title=title, table=table, data="areas", note="", name="map", rows=tuple(rows))
        if chart
        else None
    )


def balance(result: Result) -> list[Figure]:
    """Draw how alike the places are before and after weighting, one chart a kind of claim."""
    labels = {f.outcome: f.label for f in result.findings if f.outcome}
    labels |= {o["name"]: o["label"] for o in result.plan.get("outcome", []) if o.get("label")}
    made = []
    for claim in dict.fromkeys(row.claim for row in result.balance):
        rows = [
            replace(row, covariate=plain_name(row.covariate, labels))
            for row in balance_chart.balance_rows(result.balance, claim)
        ]
        over = sum((row.after or 0.0) > balance_chart.SMD_LIMIT for row in rows)
        title = wording.balance_title(over, len(rows), balance_chart.SMD_LIMIT, claim)
        key = key_of("balance", claim)
        drawn = balance_chart.drawn_rows(rows)
        chart = balance_chart.balance_chart(drawn, key=key, title=title, over=over, among=len(rows))
        table = balance_chart.balance_table(rows, claim)
        made.append(
            Figure(
                chart=chart, title=title, table=table, data="balance", note="", name=key, rows=tuple(drawn)
            )
        )
    return made


def plain_name(covariate: str, labels: Mapping[str, str]) -> str:
    """Return a characteristic in words: outcomes by their label, columns without underscores."""
    name, comma, when = covariate.partition(", ")
    words = labels.get(name, name.replace("_", " "))
    return f"{words[:1].upper()}{words[1:]}{comma}{when}"


def figure_of(result: Result, kind: str, outcome: str | None = None) -> Figure | None:
    """Return one chart of a result; None where it has none of that kind.

    Parameters
    ----------
    result : of an evaluation.
    kind : 'trend', 'effects', 'map' or 'balance'.
    outcome : of a trend, by its name or label; None for the first finding's.
    """
    main = wording.main_findings(result.findings)
    chosen = [f for f in main if outcome in (None, f.outcome, f.label)]
    if kind == "map":
        return area_map(result)
    if kind == "balance":
        return next(iter(balance(result)), None)
    if not chosen:
        return None
    first = chosen[0]
    if kind == "effects":
        return effects(first.group, [f for f in main if f.group == first.group])
    own = (s for s in result.series if (s.group, s.outcome) == (first.group, first.outcome))
    return next((trend(first, path) for path in own), None)


WIDTH = 680.0
LINE, HEAD, FOOT = 21.0, 34.0, 44.0
