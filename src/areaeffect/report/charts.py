"""Trend and placebo charts: one function for the rows drawn, one that draws them."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING

from areaeffect.periods import PeriodKind, kind_of, parse_period
from areaeffect.report import svg
from areaeffect.report.axes import Row, plain, printed, scaled
from areaeffect.report.numbers import known, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from areaeffect.results import PlaceboDraws, Series

HISTOGRAM_BINS = 30
WIDTH = 680.0
TREND_HEIGHT = 310.0
MONTHS = 12
STARTS_NAMED = 2
STARTS_APART = 0.3  # share of the axis two start labels need between them
ZERO_SHARE = (
    0.4  # the axis begins at zero where the smallest value is below this share of the largest
)


def trend_rows(series: Series) -> list[Row]:
    """Return one row a period: observed, benchmark, their 12-month means, gap or not.

    Only monthly series have means, and only where all twelve months are known on both lines.
    """
    monthly = _kind(series.periods) is PeriodKind.MONTH
    observed = [known(v) for v in series.observed]
    benchmark = [known(v) for v in series.counterfactual]
    both = [a is not None and b is not None for a, b in zip(observed, benchmark, strict=True)]
    rows = []
    for i, period in enumerate(series.periods):
        row: Row = {"period": period, "observed": observed[i], "benchmark": benchmark[i]}
        span = slice(i - MONTHS + 1, i + 1)
        whole = monthly and i >= MONTHS - 1 and all(both[span])
        row["observed_mean_12"] = (
            fmean(v for v in observed[span] if v is not None) if whole else None
        )
        row["benchmark_mean_12"] = (
            fmean(v for v in benchmark[span] if v is not None) if whole else None
        )
        row["is_gap"] = period in series.gaps or observed[i] is None
        rows.append(row)
    return rows


def trend_chart(
    rows: Sequence[Row], *, key: str, title: str, starts: Sequence[str] = (), unit: str = ""
) -> str:
    """Draw observed (solid) against benchmark areas (dashed), with starts and gaps marked."""
    periods = [str(row["period"]) for row in rows]
    x = _positions(periods)
    smooth = any(row["observed_mean_12"] is not None for row in rows)
    lines = {
        name: [math.nan if row[name] is None else row[name] for row in rows] for name in _LINES
    }
    with svg.canvas(WIDTH, TREND_HEIGHT) as figure:
        axes = figure.add_axes((0.085, 0.1, 0.735, 0.75))
        if smooth:
            axes.plot(x, lines["observed"], color=svg.BLUE, lw=0.7, alpha=0.45)
            axes.plot(x, lines["benchmark"], color=svg.ORANGE, lw=0.7, alpha=0.55)
        shown = ("observed_mean_12", "benchmark_mean_12") if smooth else ("observed", "benchmark")
        marker = "" if len(rows) > 2 * MONTHS else "o"
        axes.plot(x, lines[shown[0]], color=svg.BLUE, lw=2.6, marker=marker, ms=4.5)
        axes.plot(
            x, lines[shown[1]], color=svg.ORANGE, lw=2.6, ls=(0, (4, 1.6)), marker=marker, ms=4.5
        )
        _value_axis(axes, [v for name in _LINES for v in lines[name] if math.isfinite(v)], unit)
        _time_axis(axes, x, periods)
        _mark_gaps(axes, rows, x)
        _mark_starts(axes, starts, periods)
        ends = [(_last(lines[shown[0]]), "Observed", svg.BLUE)]
        ends.append((_last(lines[shown[1]]), "Benchmark\nareas", "#B8430B"))
        _label_ends(axes, ends)
        return svg.to_svg(figure, key, title, _trend_description(rows, unit, smooth=smooth))


def placebo_rows(draws: PlaceboDraws) -> list[Row]:
    """Return the bins of the placebo histogram: low, high and how many draws, in print units."""
    import numpy as np  # noqa: PLC0415  # heavy

    values = [v for v in (scaled(e, draws.form) for e in draws.estimates) if v is not None]
    if not values:
        return []
    n_bins = min(HISTOGRAM_BINS, max(5, round(2 * len(values) ** 0.5)))
    counts, edges = np.histogram(values, bins=n_bins)
    return [
        {"low": float(edges[i]), "high": float(edges[i + 1]), "draws": int(count)}
        for i, count in enumerate(counts)
    ]


def placebo_chart(
    rows: Sequence[Row], *, key: str, title: str, estimate: float | None, form: str, unit: str = ""
) -> str:
    """Draw the placebo estimates as a histogram with this finding's own estimate as a line."""
    own = scaled(estimate, form)
    total = sum(row["draws"] for row in rows)
    with svg.canvas(WIDTH, 250) as figure:
        axes = figure.add_axes((0.085, 0.2, 0.735, 0.66))
        lows = [row["low"] for row in rows]
        widths = [row["high"] - row["low"] for row in rows]
        counts = [row["draws"] for row in rows]
        axes.bar(
            lows, counts, widths, align="edge", color="#5B83A8", edgecolor="white", linewidth=0.8
        )
        axes.axvline(0, color=svg.GREY, lw=1, ls=(0, (2, 2)))
        top = max(counts) * 1.12
        axes.set_ylim(0, top)
        if own is not None:
            axes.axvline(own, color=svg.ORANGE, lw=3)
            axes.annotate(
                "This finding: " + printed(own, form),
                (own, 1.02),
                xycoords=("data", "axes fraction"),
                ha=_side_of(own, axes),
                color="#A33A08",
                fontweight="bold",
            )
        plain(axes, "y")
        axes.locator_params(axis="y", integer=True, nbins=5)
        axes.set_ylabel("placebo programmes")
        axes.set_xlabel("per cent" if form == "ratio" else unit)
        text = f"{total:,} placebo programmes between {printed(min(lows), form)} and "
        text += f"{printed(rows[-1]['high'], form)}. This finding: {printed(own, form)}."
        return svg.to_svg(figure, key, title, text)


_LINES = ("observed", "benchmark", "observed_mean_12", "benchmark_mean_12")


def _kind(periods: Sequence[str]) -> PeriodKind | None:
    return kind_of(periods[0]) if periods else None


def _position(period: str, kind: PeriodKind, *, middle: bool) -> float | None:
    """Return the place of a period on an axis in years (its own numbers: as they are)."""
    ordinal = parse_period(period, kind)
    if ordinal is None:
        return None
    if kind is PeriodKind.NUMBER:
        return ordinal if middle else ordinal - 0.5
    return (ordinal + (0.5 if middle else 0.0)) / (kind.per_year or 1)


def _positions(periods: Sequence[str]) -> list[float]:
    kind = _kind(periods)
    if kind is None:
        return [float(i) for i in range(len(periods))]
    placed = [_position(p, kind, middle=True) for p in periods]
    return [float(i) if p is None else p for i, p in enumerate(placed)]


def _start_position(start: str, periods: Sequence[str]) -> float | None:
    kind = _kind(periods)
    if kind is PeriodKind.NUMBER:
        return _position(start, kind, middle=False)
    kinds = (PeriodKind.MONTH, PeriodKind.QUARTER, PeriodKind.YEAR)
    found = (_position(start, k, middle=False) for k in kinds)
    return next((p for p in found if p is not None), None)


def _mark_starts(axes: Axes, starts: Sequence[str], periods: Sequence[str]) -> None:
    placed = sorted((p, s) for s in set(starts) if (p := _start_position(s, periods)) is not None)
    left, right = axes.get_xlim()
    for position, _ in placed:
        axes.axvline(position, color=svg.GREY, lw=1.4 if len(placed) == 1 else 0.9, zorder=1)
    if not placed:
        return
    apart = placed[-1][0] - placed[0][0] >= STARTS_APART * (right - left)
    several = len(placed) > STARTS_NAMED or (len(placed) > 1 and not apart)
    named = placed[:1] if several else placed
    for position, start in named:
        late = position > left + 0.75 * (right - left)
        name = start[:7]
        text = (
            f"start {name}" if len(named) == len(placed) else f"{len(placed)} starts, first {name}"
        )
        axes.annotate(
            text,
            (position, 1.02),
            xycoords=("data", "axes fraction"),
            ha="right" if late else "left",
            fontsize=12,
            color=svg.GREY,
        )


def _mark_gaps(axes: Axes, rows: Sequence[Row], x: Sequence[float]) -> None:
    half = (x[1] - x[0]) / 2 if len(x) > 1 else 0.5
    i = 0
    while i < len(rows):
        j = i
        while j < len(rows) and rows[j]["is_gap"]:
            j += 1
        if j > i:
            left, right = x[i] - half, x[j - 1] + half
            axes.axvspan(
                left, right, facecolor="#F3F2F1", edgecolor="#8A8A8A", hatch="///", lw=0, zorder=0
            )
            axes.annotate(
                "gap",
                ((left + right) / 2, 0.04),
                xycoords=("data", "axes fraction"),
                ha="center",
                fontsize=11.5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
            )
        i = max(j, i + 1)


def _value_axis(axes: Axes, values: Sequence[float], unit: str) -> None:
    plain(axes, "y")
    if values:
        low, high = min(values), max(values)
        pad = 0.12 * (high - low or abs(high) or 1.0)
        axes.set_ylim(0 if 0 <= low < ZERO_SHARE * high else low - pad, high + pad)
    axes.annotate(
        unit,
        (6, TREND_HEIGHT - 14),
        xycoords="figure points",
        ha="left",
        va="center",
        fontsize=12.5,
    )


def _time_axis(axes: Axes, x: Sequence[float], periods: Sequence[str]) -> None:
    if not x:
        return
    half = (x[1] - x[0]) / 2 if len(x) > 1 else 0.5
    left, right = x[0] - half, x[-1] + half
    axes.set_xlim(left, right)
    if _kind(periods) in {None, PeriodKind.NUMBER}:
        step = max(1, len(x) // 8)
        axes.set_xticks(x[::step], periods[::step])
        return
    first, last = math.ceil(left - 1e-9), math.floor(right + 1e-9)
    step = max(1, math.ceil((last - first) / 7))
    centre = 0.5 if _kind(periods) is PeriodKind.YEAR else 0.0
    years = [y for y in range(first, last + 1, step) if y + centre <= right]
    axes.set_xticks([y + centre for y in years], [str(y) for y in years])


def _last(values: Sequence[float]) -> tuple[int, float] | None:
    found = [(i, v) for i, v in enumerate(values) if math.isfinite(v)]
    return found[-1] if found else None


def _label_ends(axes: Axes, ends: Sequence[tuple[tuple[int, float] | None, str, str]]) -> None:
    """Name the lines at their right ends, moved apart where they would overlap."""
    placed = [(end[1], text, colour) for end, text, colour in ends if end is not None]
    low, high = axes.get_ylim()
    room = 0.14 * (high - low)
    placed.sort(key=lambda p: p[0])
    if len(placed) > 1 and placed[1][0] - placed[0][0] < room:
        middle = min(max((placed[0][0] + placed[1][0]) / 2, low + room / 2), high - room / 2)
        placed = [
            (middle + (i - 0.5) * room, text, colour) for i, (_, text, colour) in enumerate(placed)
        ]
    for y, text, colour in placed:
        axes.annotate(
            text,
            (1.015, y),
            xycoords=("axes fraction", "data"),
            color=colour,
            va="center",
            fontweight="bold",
            fontsize=12.5,
            linespacing=1.0,
        )


def _trend_description(rows: Sequence[Row], unit: str, *, smooth: bool) -> str:
    if not rows:
        return "No periods."
    text = (
        f"Observed neighbourhoods and benchmark areas, {rows[0]['period']} to {rows[-1]['period']}"
    )
    text += f", {unit}." if unit else "."
    shown = ("observed_mean_12", "benchmark_mean_12") if smooth else ("observed", "benchmark")
    last = next(
        (r for r in reversed(rows) if r[shown[0]] is not None and r[shown[1]] is not None), None
    )
    if last:
        text += f" At {last['period']}{' (12-month mean)' if smooth else ''}: "
        text += f"observed {last[shown[0]]:,.1f}, benchmark areas {last[shown[1]]:,.1f}."
    missing = sum(row["is_gap"] for row in rows)
    return f"{text} {plural(missing, 'period')} with a gap." if missing else text


def _side_of(value: float, axes: Axes) -> str:
    left, right = axes.get_xlim()
    return "left" if value < left + 0.5 * (right - left) else "right"
