"""All outcomes of one neighbourhood beside its benchmark areas, in small charts of one look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from areaeffect.document import marks, plot, svg
from areaeffect.document.chart_tables import Table, cell
from areaeffect.document.plot import Frame
from areaeffect.document.svg import cut
from areaeffect.report.charts import BAND, BENCHMARK_TEXT, trend_rows, with_interval
from areaeffect.results import Verdict
from areaeffect.wording import terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.report.charts import TrendRow
    from areaeffect.results import Finding, Series

PANEL_WIDTH, PANEL_HEIGHT = 340.0, 178.0
COLUMNS = 2
HEAD = 26.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRow:
    """One period of one outcome: observed, benchmark, and the interval of the benchmark."""

    outcome: str
    label: str
    unit: str
    verdict: str
    period: str
    observed: float | None
    benchmark: float | None
    expected_low: float | None
    expected_high: float | None
    is_gap: bool


def panel_rows(pairs: Sequence[tuple[Finding, Series]], *, smooth: bool = False) -> list[PanelRow]:
    """Return one row an outcome and period: observed, benchmark, and its interval.

    Where `smooth`, months give way to the means of the twelve months up to each.
    """
    return [
        PanelRow(
            outcome=finding.outcome,
            label=finding.label,
            unit=series.unit,
            verdict=str(finding.verdict),
            period=row.period,
            observed=row.observed,
            benchmark=row.benchmark,
            expected_low=row.expected_low,
            expected_high=row.expected_high,
            is_gap=row.is_gap,
        )
        for finding, series in pairs
        for row in _shown(with_interval(trend_rows(series), finding), smooth=smooth)
    ]


def _shown(rows: Sequence[TrendRow], *, smooth: bool) -> Sequence[TrendRow]:
    if not smooth or all(row.observed_mean_12 is None for row in rows):
        return rows
    return [
        replace(row, observed=row.observed_mean_12, benchmark=row.benchmark_mean_12) for row in rows
    ]


def panel_table(rows: Sequence[PanelRow]) -> Table:
    """Return the rows of a neighbourhood's small charts as a table."""
    names = ("observed", "benchmark", "expected_low", "expected_high")
    head = (
        "Outcome",
        "Unit",
        "Year",
        "This place",
        "Benchmark areas",
        "Chance, low",
        "Chance, high",
    )
    body = tuple(
        (
            row.label,
            row.unit,
            row.period,
            *("gap" if row.is_gap and n == "observed" else cell(getattr(row, n)) for n in names),
        )
        for row in rows
    )
    return Table("What the charts show", head, body, frozenset(range(3, 7)))


def panels_chart(
    rows: Sequence[PanelRow], *, key: str, title: str, start: str, columns: int = COLUMNS
) -> str:
    """Draw one panel an outcome, each on a scale of its own, the start marked in all.

    With a single column there is no key: the text around the chart says what its lines are.
    """
    outcomes = list(dict.fromkeys(row.outcome for row in rows))
    head = HEAD if columns > 1 else 0.0
    body = [plot.hatch_pattern(key), *(_key() if head else ())]
    for i, outcome in enumerate(outcomes):
        across, down = i % columns, i // columns
        places = [j for j, row in enumerate(rows) if row.outcome == outcome]
        first, last = places[0], places[-1] + 1
        corner = (across * PANEL_WIDTH, head + down * PANEL_HEIGHT)
        body.append(_panel(rows[first:last], first, corner, start, key, named=columns > 1))
    width = columns * PANEL_WIDTH
    height = head + -(-len(outcomes) // columns) * PANEL_HEIGHT
    said = "; ".join(
        f"{row.label}: {row.verdict}" for row in {row.outcome: row for row in rows}.values()
    )
    return svg.accessible(
        "\n".join(body), f"0 0 {width:g} {height:g}", key, title, f"Start {start}. {said}."
    )


def _key() -> list[str]:
    return [
        plot.rule(8, 12, 40, 12, svg.BLUE, 2.6),
        plot.text(46, 16, "this place", fill=svg.BLUE, bold=True),
        f'<path d="M150 12L182 12" stroke="{svg.ORANGE}" stroke-width="2.6" '
        f'stroke-dasharray="{plot.DASHED}"/>',
        plot.text(188, 16, "benchmark areas", fill=BENCHMARK_TEXT, bold=True),
        f'<rect x="340" y="4" width="32" height="16" fill="{BAND}"/>',
        plot.text(378, 16, "room for chance"),
        plot.rule(520, 3, 520, 21, svg.GREY, 1.4),
        plot.text(527, 16, "start"),
    ]


def _panel(
    rows: Sequence[PanelRow],
    first: int,
    corner: tuple[float, float],
    start: str,
    key: str,
    *,
    named: bool,
) -> str:
    left, top = corner
    periods = [row.period for row in rows]
    x = svg.positions(periods)
    names = ("observed", "benchmark", "expected_low", "expected_high")
    lines = {name: [getattr(row, name) for row in rows] for name in names}
    values = [v for name in names for v in lines[name] if v is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    pad = 0.1 * (high - low or abs(high) or 1.0)
    head = 42 if named else 26
    box = (left + 48, top + head, PANEL_WIDTH - 66, PANEL_HEIGHT - 36 - head)
    frame = Frame(*box, svg.span(x), (low - pad, high + pad))
    half = (x[1] - x[0]) / 2 if len(x) > 1 else 0.5
    at = svg.start_position(start, periods)
    verdict = Verdict(rows[0].verdict)
    said = cut(f"{terms.VERDICT_SYMBOLS[verdict]} {verdict}, {rows[0].unit}", 48)
    edges = [0, len(x) // 2, len(x) - 1] if len(x) > COLUMNS else range(len(x))
    parts = [
        marks.band(
            frame, x, lines["expected_low"], lines["expected_high"],
            columns=("expected_low", "expected_high"), fill=BAND,
        ),
        plot.up_axis(frame, 4),
        *(
            plot.hatched(frame, p - half, p + half, key, "")
            for p, row in zip(x, rows, strict=True)
            if row.is_gap
        ),
        plot.foot_axis(frame, [x[i] for i in edges], [_year(periods[i]) for i in edges]),
        plot.rule(frame.px(at), frame.top, frame.px(at), frame.bottom, svg.GREY, 1.4)
        if at is not None and frame.x[0] <= at <= frame.x[1]
        else "",
        marks.line(
            frame, x, lines["benchmark"], column="benchmark", colour=svg.ORANGE, width=2.2,
            dash=plot.DASHED,
        ),
        marks.line(frame, x, lines["observed"], column="observed", colour=svg.BLUE, width=2.4),
        plot.text(left + 6, top + 16, _capital(cut(rows[0].label, 40)), bold=True)
        if named
        else "",
        plot.text(left + 6, top + (33 if named else 16), said, size=11.5, fill=svg.GREY),
    ]  # fmt: skip
    return frame.group(parts, (first, first + len(rows)))


def _year(period: str) -> str:
    """Return the year of a month; other periods as they are."""
    return period[:4] if period[4:5] == "-" and period[5:].isdigit() else period


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
