"""The charts of a report with their tables: which rows are drawn, under which title."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from areaeffect import wording
from areaeffect.document import maps, marks, plot, svg
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.plot import Frame
from areaeffect.document.svg import cut, key_of, scaled
from areaeffect.report import balance_chart, charts, forest, sections
from areaeffect.results import Verdict
from areaeffect.wording import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from areaeffect.results import Finding, PlaceboDraws, Result, Series


def effects(name: str, findings: Sequence[Finding]) -> Figure | None:
    """Draw all findings of one group on one scale; None where there are none."""
    rows = forest.effect_rows(findings)
    if not rows:
        return None
    title = wording.effects_title(name, findings)
    key = key_of(name, "effects")
    chart = forest.effects_chart(rows, key=key, title=title)
    return Figure(
        chart=chart,
        title=title,
        table=forest.effect_table(rows),
        data="findings",
        note="",
        name=key,
        rows=tuple(rows),
    )


def trend(finding: Finding, series: Series, events: Sequence[tuple[str, str, str]] = ()) -> Figure:
    """Draw the observed path of a finding's outcome beside its benchmark areas.

    `events` are dates, places (empty: everywhere) and what happened; each is numbered on the chart
    and told in its note.
    """
    rows = charts.with_interval(charts.trend_rows(series), finding)
    unit = ", ".join(part for part in (wording.name_of(finding), series.unit) if part)
    title = wording.chart_title(finding)
    key = key_of(finding.group, finding.outcome, finding.claim, "trend")
    chart = charts.trend_chart(
        rows,
        key=key,
        title=title,
        starts=series.start,
        events=[date for date, _, _ in events],
        unit=unit,
    )
    smooth = any(row.observed_mean_12 is not None for row in rows)
    told = [
        f"{i}: {what} ({place or 'everywhere'}, {when})"
        for i, (when, place, what) in enumerate(events, 1)
    ]
    note = f"Events: {'; '.join(told)}." if told else ""
    table = charts.trend_table(rows, series.unit, smooth=smooth)
    return Figure(
        chart=chart, title=title, table=table, data="series", note=note, name=key, rows=tuple(rows)
    )


def placebo(finding: Finding, draws: PlaceboDraws) -> Figure | None:
    """Draw a finding among its placebo estimates; None where there are none."""
    rows = charts.placebo_rows(draws, finding.estimate)
    if not rows:
        return None
    title = wording.placebo_title(finding, draws)
    key = key_of(finding.group, finding.outcome, finding.claim, "placebo")
    chart = charts.placebo_chart(
        rows,
        key=key,
        title=title,
        form=finding.form,
        unit=finding.unit,
    )
    table = charts.placebo_table(charts.bins_of(rows), finding)
    return Figure(
        chart=chart,
        title=title,
        table=table,
        data="placebo_draws",
        note="",
        name=key,
        rows=tuple(rows),
    )


def places(findings: Sequence[Finding]) -> Figure:
    """Draw one outcome in every neighbourhood of a group, by name."""
    first = findings[0]
    rows = place_rows(findings)
    key = key_of(first.group, first.outcome, first.claim, first.form, "neighbourhoods")
    title = wording.places_title(findings)
    chart = places_chart(rows, key=key, title=title)
    table = sections.places_table(findings)
    note = "By name, not by size: with intervals this wide an order by size would be mostly chance."
    return Figure(
        chart=chart,
        title=title,
        table=table,
        data="findings",
        note=note,
        name=key,
        rows=tuple(rows),
    )


def area_map(result: Result) -> Figure | None:
    """Draw where treated and benchmark areas are; None without outlines."""
    rows = maps.status_rows(result.areas)
    attribution = " ".join(dict.fromkeys(r.attribution for r in result.releases if r.attribution))
    table = Table(
        "Areas by the part they play",
        ("Part", "Initiative", "Reason", "Areas"),
        tuple((row.role, row.initiative, row.reason, f"{row.areas:,}") for row in rows),
        frozenset({3}),
    )
    title = wording.map_title(result.areas)
    chart = maps.map_svg(
        result.shapes, result.areas, key="map", title=title, attribution=attribution
    )
    return (
        Figure(
            chart=chart,
            title=title,
            table=table,
            data="areas",
            note="",
            name="map",
            rows=tuple(rows),
        )
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
                chart=chart,
                title=title,
                table=table,
                data="balance",
                note="",
                name=key,
                rows=tuple(drawn),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRow:
    """One neighbourhood, its effect in per cent or in units."""

    neighbourhood: str
    verdict: str
    unit: str
    estimate: float | None
    low: float | None
    high: float | None
    mde: float | None


def place_rows(findings: Iterable[Finding]) -> list[PlaceRow]:
    """Return one row a neighbourhood by name, effects in per cent or in units.

    Not by size: the order of estimates this noisy is mostly chance, and reads as a ranking.
    """
    rows = [
        PlaceRow(
            neighbourhood=finding.neighbourhood or "",
            verdict=str(finding.verdict),
            unit="per cent" if finding.form == "ratio" else finding.unit,
            estimate=scaled(finding.estimate, finding.form),
            low=scaled(finding.low, finding.form),
            high=scaled(finding.high, finding.form),
            mde=scaled(finding.mde, finding.form),
        )
        for finding in findings
    ]
    return sorted(rows, key=lambda row: row.neighbourhood)


def places_chart(rows: Sequence[PlaceRow], *, key: str, title: str) -> str:
    """Draw every neighbourhood's estimate (dot) with its interval (bar), zero marked."""
    ends = [v for row in rows for v in (row.estimate, row.low, row.high) if v is not None]
    reach = [*ends, 0.0]
    pad = 0.04 * (max(reach) - min(reach) or 1.0)
    height = HEAD + LINE * len(rows) + FOOT
    box = (228.0, HEAD, WIDTH - 362, LINE * len(rows))
    frame = Frame(*box, (min(reach) - pad, max(reach) + pad), (len(rows) + 0.5, 0.5))
    values = plot.nice(*frame.x, 6)
    parts = [plot.foot_axis(frame, values, plot.written(values))]
    zero = frame.px(0.0)
    parts.append(plot.rule(zero, frame.top, zero, frame.bottom, svg.GREY))
    for i, row in enumerate(rows, 1):
        parts += _line(frame, i, row)
    parts.append(plot.text(frame.left + frame.width / 2, height - 8, rows[0].unit, anchor="middle"))
    parts.append(plot.rule(8, 14, 40, 14, svg.BLUE, 4))
    parts.append(f'<circle cx="24" cy="14" r="4.5" fill="{svg.BLUE}" stroke="#FFFFFF"/>')
    parts.append(plot.text(46, 18, "estimate, 95% interval"))
    count = len([row for row in rows if row.estimate is not None])
    said = f"{count} of {len(rows)} neighbourhoods have an estimate. The table gives every one."
    body = frame.group(parts, (0, len(rows)))
    return svg.accessible(body, f"0 0 {WIDTH:g} {height:g}", key, title, said)


def _line(frame: Frame, at: int, row: PlaceRow) -> list[str]:
    y = frame.py(at)
    verdict = Verdict(row.verdict)
    said = f"{terms.VERDICT_SYMBOLS[verdict]} {wording.verdict_name(verdict)}"
    made = [
        plot.text(6, y + 4, cut(row.neighbourhood, 34), size=11.5),
        plot.text(frame.right + 10, y + 4, said, size=11.5),
    ]
    name, ends = marks.across("low", "high"), (row.low, row.high)
    made.append(marks.interval(frame, at, ends, name, colour=svg.BLUE, width=4))
    name = marks.across("estimate")
    made.append(marks.dot(frame, row.estimate, at, name, colour=svg.BLUE))
    return made
