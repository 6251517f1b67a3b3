"""Trend and placebo charts: one function for the rows drawn, one that draws them."""

from __future__ import annotations

import re
from calendar import month_abbr
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from areaeffect.document import marks, svg
from areaeffect.document.chart_tables import Columns, Table, cell
from areaeffect.document.svg import Frame, printed, scaled
from areaeffect.periods import PeriodKind
from areaeffect.results import Finding, PlaceboDraws, Series
from areaeffect.wording.numbers import known, plural

HISTOGRAM_BINS = 30
PLACEBO_HEIGHT = 200.0
MONTHS = 12
STARTS_NAMED = 2
STARTS_APART = 0.45  # share of the axis two start labels need between them
ZERO_SHARE = 0.4  # the axis begins at zero where the smallest value is below this share of the largest
BAND = "#F9D9C7"
BENCHMARK_TEXT = "#A33A08"  # the orange of the line is too light for words
_LINES = ("observed", "benchmark", "observed_mean_12", "benchmark_mean_12")
_ENDS = ("expected_low", "expected_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRow:
    """One period: observed, benchmark, their 12-month means, and what was to be expected."""

    period: str
    observed: float | None
    benchmark: float | None
    observed_mean_12: float | None
    benchmark_mean_12: float | None
    is_gap: bool
    expected_low: float | None = None
    expected_high: float | None = None


def trend_rows(series: Series) -> list[TrendRow]:
    """Return one row a period: observed, benchmark, their 12-month means, gap or not.

    Only monthly series have means, and only where all twelve months are known on both lines.
    """
    monthly = svg.kind(series.periods) is PeriodKind.MONTH
    observed = [known(v) for v in series.observed]
    benchmark = [known(v) for v in series.counterfactual]
    both = [a is not None and b is not None for a, b in zip(observed, benchmark, strict=True)]
    rows = []
    for i, period in enumerate(series.periods):
        span = slice(i - MONTHS + 1, i + 1)
        is_year = monthly and i >= MONTHS - 1 and all(both[span])
        rows.append(
            TrendRow(
                period=period,
                observed=observed[i],
                benchmark=benchmark[i],
                observed_mean_12=_mean(observed[span]) if is_year else None,
                benchmark_mean_12=_mean(benchmark[span]) if is_year else None,
                is_gap=period in series.gaps or observed[i] is None,
            )
        )
    return rows


def _mean(values: Sequence[float | None]) -> float:
    return fmean(v for v in values if v is not None)


def with_interval(rows: Sequence[TrendRow], finding: Finding) -> list[TrendRow]:
    """Return rows with the paths of the benchmark line at both ends of the interval.

    The interval is that of the whole effect after the start. Where the effect is θ̂ and the
    interval runs from θ₁ to θ₂, what would have been expected lies between (1 + θ̂)/(1 + θ₂)
    and (1 + θ̂)/(1 + θ₁) times the line for a ratio, and θ̂ − θ₂ to θ̂ − θ₁ above it for a
    difference. It belongs to the periods of the finding as a whole, not to single ones.
    """
    periods = [row.period for row in rows]
    first = svg.start_position(finding.post.split(" to ")[0], periods)
    last = svg.start_position(finding.post.split(" to ")[-1], periods)
    smooth = any(row.benchmark_mean_12 is not None for row in rows)
    made = []
    for row in rows:
        at = svg.start_position(row.period, periods)
        ends: tuple[float | None, float | None] = (None, None)
        after = False
        if at is not None and first is not None and last is not None:
            after = first <= at <= last
        value = row.benchmark_mean_12 if smooth else row.benchmark
        if after and value is not None:
            ends = _expected(finding, value)
        made.append(replace(row, expected_low=ends[0], expected_high=ends[1]))
    return made


def _expected(finding: Finding, value: float) -> tuple[float | None, float | None]:
    estimate, low, high = known(finding.estimate), known(finding.low), known(finding.high)
    if estimate is None or low is None or high is None:
        return None, None
    if finding.form != "ratio":
        return value + estimate - high, value + estimate - low
    if min(low, high) <= -1:
        return None, None
    share = (1 + estimate) * value
    return share / (1 + high), share / (1 + low)


def trend_chart(
    rows: Sequence[TrendRow],
    *,
    key: str,
    title: str,
    starts: Sequence[str] = (),
    events: Sequence[str] = (),
    unit: str = "",
    names: tuple[str, str] = ("observed", "benchmark areas"),
) -> str:
    """Draw observed (solid) against benchmark areas (dashed, with its interval shaded).

    Starts are marked, events numbered at the foot and gaps hatched; rows come from `trend_rows`
    or `with_interval`. `names` says what the two lines are.
    """
    periods = [str(row.period) for row in rows]
    x = svg.positions(periods)
    smooth = any(row.observed_mean_12 is not None for row in rows)
    shown = ("observed_mean_12", "benchmark_mean_12") if smooth else ("observed", "benchmark")
    lines = {name: [getattr(row, name) for row in rows] for name in (*_LINES, *_ENDS)}
    values = [v for line in lines.values() for v in line if v is not None]
    frame = Frame(42, 56, svg.WIDTH - 60, 128, x=svg.span(x), y=_limits(values))
    parts = [
        svg.hatch_pattern(key),
        marks.band(frame, x, lines[_ENDS[0]], lines[_ENDS[1]], columns=_ENDS, fill=BAND),
        svg.up_axis(frame, 4),
        *_gaps(frame, rows, x, key),
        svg.foot_axis(frame, *svg.ticks(x, periods)),
        *_trend_key(names),
    ]
    if smooth:
        for name, colour in (("observed", svg.BLUE), ("benchmark", svg.ORANGE)):
            parts.append(
                marks.line(frame, x, lines[name], column=name, colour=colour, width=0.6, opacity=0.45)
            )
    parts += [*_starts(frame, starts, periods), *_events(frame, events, periods)]
    for name, colour, dash in ((shown[1], svg.ORANGE, svg.DASHED), (shown[0], svg.BLUE, "")):
        parts.append(marks.line(frame, x, lines[name], column=name, colour=colour, width=2.2, dash=dash))
        if len(rows) <= 2 * MONTHS:
            parts.append(marks.dots(frame, x, lines[name], colour=colour, radius=2.4))
    parts.append(svg.text(4, 12, unit, size=11.5, fill=svg.GREY))
    description = _trend_description(rows, unit, smooth=smooth)
    body = frame.group(parts, (0, len(rows)))
    view = f"0 0 {svg.WIDTH:g} {frame.bottom + 24:g}"
    return svg.accessible(body, view, key, title, description)


def _trend_key(names: tuple[str, str]) -> list[str]:
    """Say what the two lines are, above the chart."""
    second = 36 + 7.0 * len(names[0])
    return [
        svg.rule(4, 28, 26, 28, svg.BLUE, 2.6),
        svg.text(31, 32, names[0], size=11.5, fill=svg.BLUE),
        svg.rule(second, 28, second + 22, 28, svg.ORANGE, 2.6, "8 4"),
        svg.text(second + 27, 32, names[1], size=11.5, fill=BENCHMARK_TEXT),
    ]


@dataclass(frozen=True, slots=True)
class PlaceboBin:
    """A bin of the placebo histogram, or, last and without edges, the finding's own estimate."""

    low: float | None = None
    high: float | None = None
    draws: int | None = None
    estimate: float | None = None


def placebo_rows(draws: PlaceboDraws, estimate: float | None) -> list[PlaceboBin]:
    """Return the bins of the placebo histogram and, last, the finding's own estimate.

    A bin has its edges and how many draws it holds; all values are in print units. Without
    draws there are no rows.
    """
    import numpy as np

    values = [v for v in (scaled(e, draws.form) for e in draws.estimates) if v is not None]
    if not values:
        return []
    n_bins = min(HISTOGRAM_BINS, max(5, round(2 * len(values) ** 0.5)))
    counts, edges = np.histogram(values, bins=n_bins)
    bins = [
        PlaceboBin(low=float(edges[i]), high=float(edges[i + 1]), draws=int(count))
        for i, count in enumerate(counts)
    ]
    own = scaled(estimate, draws.form)
    return bins if own is None else [*bins, PlaceboBin(estimate=own)]


def bins_of(rows: Sequence[PlaceboBin]) -> list[PlaceboBin]:
    """Return the rows of a placebo histogram that are bins."""
    return [row for row in rows if row.draws is not None]


def placebo_chart(rows: Sequence[PlaceboBin], *, key: str, title: str, form: str, unit: str = "") -> str:
    """Draw the placebo estimates as a histogram with this finding's own estimate as a line."""
    own = rows[-1].estimate
    bins = bins_of(rows)
    lows, highs = [r.low or 0.0 for r in bins], [r.high or 0.0 for r in bins]
    counts = [r.draws or 0 for r in bins]
    reach = [lows[0], highs[-1], 0.0, *([] if own is None else [own])]
    pad = 0.04 * (max(reach) - min(reach) or 1.0)
    limits = (min(reach) - pad, max(reach) + pad)
    frame = Frame(42, 42, svg.WIDTH - 60, PLACEBO_HEIGHT - 86, x=limits, y=(0.0, max(counts) * 1.12))
    values = svg.nice(*limits, 5)
    name = "per cent" if form == "ratio" else unit
    columns = ("low", "high", "draws")
    parts = [
        svg.up_axis(frame, 4),
        marks.bars(frame, lows, highs, counts, columns=columns, fill="#5B83A8"),
        svg.rule(frame.px(0), frame.top, frame.px(0), frame.bottom, svg.GREY),
        svg.foot_axis(frame, values, svg.written(values)),
        svg.text(frame.left + frame.width / 2, PLACEBO_HEIGHT - 10, name, anchor="middle"),
        svg.text(4, 14, "placebo programmes", size=11.5, fill=svg.GREY),
    ]
    if own is not None:
        at = frame.px(own)
        middle = frame.y[1] / 2
        parts.append(marks.stroke(frame, own, middle, "estimate", svg.ORANGE, frame.height / 2))
        anchor = "end" if at > frame.left + frame.width / 2 else "start"
        words = "This finding: " + printed(own, form)
        parts.append(svg.text(at, 35, words, size=12, anchor=anchor, fill=BENCHMARK_TEXT, bold=True))
    text = f"{sum(counts):,} placebo programmes between {printed(lows[0], form)} and "
    text += f"{printed(highs[-1], form)}. This finding: {printed(own, form)}."
    body = frame.group(parts, (0, len(rows)))
    return svg.accessible(body, f"0 0 {svg.WIDTH:g} {PLACEBO_HEIGHT:g}", key, title, text)


def trend_table(rows: Sequence[TrendRow], unit: str, *, smooth: bool) -> Table:
    """Return the rows of a trend chart as a table."""
    means = {"observed_mean_12": "Observed, 12-month mean", "benchmark_mean_12": "Benchmark, 12-month mean"}
    named = {"observed": "Observed", "benchmark": "Benchmark areas"} | (means if smooth else {})
    named |= {"expected_low": "Interval, low", "expected_high": "Interval, high"}

    def written(name: str) -> Callable[[TrendRow], str]:
        return lambda row: "gap" if getattr(row, name) is None and row.is_gap else cell(getattr(row, name))

    columns: dict[str, Callable[[TrendRow], str]] = {"Period": lambda row: row.period}
    columns |= {heading: written(name) for name, heading in named.items()}
    caption = f"What the chart shows ({unit})" if unit else "What the chart shows"
    return Table.of(caption, rows, columns, range(1, len(columns)))


def placebo_table(rows: Sequence[PlaceboBin], finding: Finding) -> Table:
    """Return the bins of a placebo histogram as a table."""
    unit = "per cent" if finding.form == "ratio" else finding.unit
    columns: Columns[PlaceboBin] = {
        f"From ({unit})": lambda r: cell(r.low, 2),
        f"To ({unit})": lambda r: cell(r.high, 2),
        "Placebo programmes": lambda r: f"{r.draws or 0:,}",
    }
    return Table.of("What the chart shows", rows, columns, range(3))


def _starts(frame: Frame, starts: Sequence[str], periods: Sequence[str]) -> list[str]:
    found = ((svg.start_position(s, periods), s) for s in set(starts))
    placed = sorted((p, s) for p, s in found if p is not None and frame.x[0] <= p <= frame.x[1])
    width = 1.4 if len(placed) == 1 else 0.9
    made = [svg.rule(frame.px(p), frame.top, frame.px(p), frame.bottom, svg.GREY, width) for p, _ in placed]
    if not placed:
        return made
    reach = frame.x[1] - frame.x[0]
    apart = placed[-1][0] - placed[0][0] >= STARTS_APART * reach
    several = len(placed) > STARTS_NAMED or (len(placed) > 1 and not apart)
    for position, start in placed[:1] if several else placed:
        late = position > frame.x[0] + 0.75 * reach
        words = f"{len(placed)} starts, first {_short(start)}" if several else f"start {_short(start)}"
        anchor = "end" if late else "start"
        made.append(
            svg.text(frame.px(position), frame.top - 5, words, size=11.5, anchor=anchor, fill=svg.GREY)
        )
    return made


def _short(start: str) -> str:
    """Write a month as 'Jul 2013', and any other start as it is."""
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])(-\d\d)?", start)
    return f"{month_abbr[int(found[2])]} {found[1]}" if found else start[:7]


def _gaps(frame: Frame, rows: Sequence[TrendRow], x: Sequence[float], key: str) -> list[str]:
    half = (x[1] - x[0]) / 2 if len(x) > 1 else 0.5
    made, first = [], None
    for i, is_gap in enumerate([*(row.is_gap for row in rows), False]):
        if is_gap and first is None:
            first = i
        elif not is_gap and first is not None:
            made.append(svg.hatched(frame, x[first] - half, x[i - 1] + half, key))
            first = None
    return made


def _events(frame: Frame, dates: Sequence[str], periods: Sequence[str]) -> list[str]:
    """Mark dated events inside the axis by a tick and their number, from 1 in the order given.

    A number that would overprint the one before it is written a line higher.
    """
    made: list[str] = []
    taken: list[tuple[float, int]] = []  # right end of the last number on each line
    for number, date in enumerate(dates, 1):
        place = svg.start_position(date[:7], periods)
        if place is None or not frame.x[0] <= place <= frame.x[1]:
            continue
        x, words = frame.px(place), str(number)
        line = max((at + 1 for right, at in taken if right > x), default=0)
        taken.append((x + 5 + 7.5 * len(words), line))
        made.append(svg.rule(x, frame.bottom - 14, x, frame.bottom, svg.TEXT, 1.2))
        label = svg.text(x + 3, frame.bottom - 4 - 13 * line, words, size=11.5)
        made.append(svg.with_halo(label, 3))
    return made


def _limits(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    pad = 0.12 * (high - low or abs(high) or 1.0)
    return (0.0 if 0 <= low < ZERO_SHARE * high else low - pad), high + pad


def _trend_description(rows: Sequence[TrendRow], unit: str, *, smooth: bool) -> str:
    if not rows:
        return "No periods."
    text = f"Observed neighbourhoods and benchmark areas, {rows[0].period} to {rows[-1].period}"
    text += f", {unit}." if unit else "."
    pairs = [
        (r.period, r.observed_mean_12, r.benchmark_mean_12) if smooth else (r.period, r.observed, r.benchmark)
        for r in reversed(rows)
    ]
    for period, observed, benchmark in pairs:
        if observed is not None and benchmark is not None:
            text += f" At {period}{' (12-month mean)' if smooth else ''}: "
            text += f"observed {observed:,.1f}, benchmark areas {benchmark:,.1f}."
            break
    gaps = sum(row.is_gap for row in rows)
    return f"{text} {plural(gaps, 'period')} with a gap." if gaps else text
