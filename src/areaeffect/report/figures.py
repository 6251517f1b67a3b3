"""Figures of a report: each chart with its title, table and data, and the balance of designs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from areaeffect import wording
from areaeffect.document import maps, marks, svg
from areaeffect.document.chart_tables import Figure, Table, cell
from areaeffect.document.svg import Frame, cut, key_of
from areaeffect.report import charts, forest
from areaeffect.results import ALL_INITIATIVES, BalanceRow, Finding, PlaceboDraws, Result, Series
from areaeffect.wording.numbers import PHRASES, interval_head


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
            for row in balance_rows(result.balance, claim)
        ]
        over = sum((row.after or 0.0) > SMD_LIMIT for row in rows)
        title = wording.balance_title(over, len(rows), SMD_LIMIT, claim)
        key = key_of("balance", claim)
        drawn = drawn_rows(rows)
        chart = balance_chart(drawn, key=key, title=title, over=over, among=len(rows))
        table = balance_table(rows, claim)
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


def figure_of(
    result: Result, kind: str, outcome: str | None = None, group: str | None = None
) -> Figure | None:
    """Return one chart of a result; None where it has none of that kind.

    Parameters
    ----------
    result : of an evaluation.
    kind : 'trend', 'effects', 'map' or 'balance'.
    outcome : of a trend, by its name or label; None for the first finding's.
    group : of neighbourhoods; None for the one that leads the report.
    """
    main = wording.main_findings(result.findings)
    main = [f for f in main if f.group == (group or ALL_INITIATIVES)] or main
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


SMD_LIMIT = 0.1  # the usual limit for balance; Austin 2009, doi 10.1002/sim.3697
BALANCE_ROWS_DRAWN = 15
LINE, HEAD = 31.0, 30.0
LETTERS = 52
BEFORE = "#A33A08"
_UNDER = 0.25  # how far marks lie under the middle of their line, whose name is above them


@dataclass(frozen=True, slots=True, kw_only=True)
class ImbalanceRow:
    """One covariate's mean absolute imbalance over neighbourhoods, before and after weighting."""

    covariate: str
    before: float | None
    after: float | None
    worst_after: float | None
    neighbourhoods: int


def balance_rows(rows: Iterable[BalanceRow], claim: str) -> list[ImbalanceRow]:
    """Return the mean absolute imbalance over neighbourhoods of each covariate, worst first."""
    before: dict[str, list[float]] = defaultdict(list)
    after: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.claim == claim:
            for store, value in ((before, row.smd_before), (after, row.smd_after)):
                store[row.covariate] += [abs(value)] if math.isfinite(value) else []
    made = [
        ImbalanceRow(
            covariate=name,
            before=fmean(before[name]) if before[name] else None,
            after=fmean(after[name]) if after[name] else None,
            worst_after=max(after[name], default=None),
            neighbourhoods=len(after[name]),
        )
        for name in before
    ]
    return sorted(made, key=lambda r: (-(r.after or 0.0), -(r.before or 0.0), r.covariate))


def drawn_rows(rows: Sequence[ImbalanceRow]) -> list[ImbalanceRow]:
    """Return the rows that the chart draws: the worst, where both differences are known."""
    known = [r for r in rows if r.before is not None and r.after is not None]
    return known[:BALANCE_ROWS_DRAWN]


def balance_chart(rows: Sequence[ImbalanceRow], *, key: str, title: str, over: int, among: int) -> str:
    """Draw covariates before (hollow) and after weighting (filled), with the limit.

    Parameters
    ----------
    rows : those drawn, as `drawn_rows` gives them.
    over, among : how many of all characteristics differ by more than the limit.
    """
    lines = max(1, len(rows))
    most = max([SMD_LIMIT, *(v for r in rows for v in (r.before, r.after) if v is not None)])
    box = (8.0, HEAD, svg.WIDTH - 16, LINE * lines)
    frame = Frame(*box, x=(-0.025 * most, 1.08 * most), y=(lines + 0.5, 0.5))
    values = svg.nice(*frame.x, 6)
    limit = frame.px(SMD_LIMIT)
    parts = [
        svg.across_grid(frame, values),
        svg.foot_axis(frame, values, svg.written(values)),
        svg.rule(limit, frame.top, limit, frame.bottom, svg.GREY, 1.2, "5 3"),
    ]
    for at, row in enumerate(rows, 1):
        on = at + _UNDER
        y = frame.py(on)
        ends = (frame.px(row.before or 0.0), frame.px(row.after or 0.0))
        parts.append(svg.rule(ends[0], y, ends[1], y, svg.FAINT, 1.5))
        label = svg.text(frame.left, frame.py(at) - 2, _label(row.covariate), size=11.5)
        parts.append(svg.with_halo(label))
        name = marks.across("before")
        parts.append(marks.diamond(frame, row.before, on, name, colour=BEFORE, radius=4.0, hollow=True))
        parts.append(marks.dot(frame, row.after, on, marks.across("after"), colour=svg.BLUE))
    foot = frame.bottom + 38
    words = "difference in standard deviations, mean over neighbourhoods"
    parts += [
        svg.text(frame.left + frame.width / 2, foot, words, size=11.5, anchor="middle"),
        svg.text(frame.left, 14, "◇ before weighting", size=11.5, fill=BEFORE),
        svg.text(136, 14, "● after weighting", size=11.5, fill=svg.BLUE),
        svg.text(256, 14, f"┆ limit {SMD_LIMIT}", size=11.5, fill=svg.GREY),
    ]
    text = f"After weighting {over} of {among} characteristics differ by over {SMD_LIMIT}. "
    text += f"The {len(rows)} with the largest difference are drawn."
    body = frame.group(parts, (0, len(rows)))
    return svg.accessible(body, f"0 0 {svg.WIDTH:g} {foot + 8:g}", key, title, text)


def balance_table(rows: Sequence[ImbalanceRow], claim: str) -> Table:
    """Return every covariate's imbalance, worst first."""
    head = ("Characteristic", "Before", "After", "Worst neighbourhood after", "Neighbourhoods")
    body = tuple(
        (r.covariate, *(cell(v, 3) for v in (r.before, r.after, r.worst_after)), str(r.neighbourhoods))
        for r in rows
    )
    return Table(
        f"Mean absolute standardised differences, {claim} claims", head, body, frozenset({1, 2, 3, 4})
    )


def _label(covariate: str) -> str:
    """Shorten what is measured, never when."""
    name, comma, when = covariate.partition(", ")
    return (
        f"{cut(name, LETTERS - len(comma + when))}{comma}{when}"
        if len(when) < LETTERS / 2
        else cut(covariate, LETTERS)
    )
