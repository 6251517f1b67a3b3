"""The effects chart: every finding of a group on one scale, with its intervals and limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from areaeffect import wording
from areaeffect.document import marks, svg
from areaeffect.document.chart_tables import Columns, Table, cell
from areaeffect.document.svg import Frame, both_ends, cut, printed, scaled
from areaeffect.results import Finding, Verdict
from areaeffect.wording import numbers

EDGE = 14.0
LINE, HEAD, FOOT = 47.0, 44.0, 42.0
BAR, BAR_AT = 20.0, 0.2  # height of a bar's band, and how far it lies under the middle of its line
LETTERS = 46  # of a label and its verdict on one line
LITTLE = "#DDE3E8"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """One finding in the effects chart, in print units.

    `threshold_low` and `threshold_high` are the edges of what counts as little, and `mde_drawn`
    the smallest detectable effect on the side that would be better.
    """

    outcome: str
    label: str
    claim: str
    form: str
    unit: str
    better: str | None
    verdict: str
    estimate: float | None
    low: float | None
    high: float | None
    threshold: float | None
    mde: float | None
    threshold_low: float | None
    threshold_high: float | None
    mde_drawn: float | None


def effect_rows(findings: Iterable[Finding]) -> list[EffectRow]:
    """Return one row a finding, ratios first, effects in per cent or in units."""
    rows = []
    for finding in sorted(findings, key=lambda f: f.form != "ratio"):
        form, there = finding.form, finding.estimate is not None
        mde, threshold = scaled(finding.mde, form), scaled(finding.threshold, form)
        side = -1.0 if finding.better == "lower" else 1.0
        rows.append(
            EffectRow(
                outcome=finding.outcome,
                label=wording.name_of(finding),
                claim=finding.claim,
                form=form,
                unit="%" if form == "ratio" else finding.unit,
                better=finding.better,
                verdict=str(finding.verdict),
                estimate=scaled(finding.estimate, form),
                low=scaled(finding.low, form),
                high=scaled(finding.high, form),
                threshold=threshold,
                mde=mde,
                threshold_low=-(threshold or 0.0) if there else None,
                threshold_high=threshold or 0.0 if there else None,
                mde_drawn=None if mde is None or not there else side * abs(mde),
            )
        )
    return rows


def effect_table(rows: Sequence[EffectRow]) -> Table:
    """Return the rows of an effects chart as a table."""
    columns: Columns[EffectRow] = {
        "Outcome": lambda row: row.label,
        "Claim": lambda row: row.claim,
        "Unit": lambda row: row.unit,
        "Estimate": lambda row: cell(row.estimate),
        "Low": lambda row: cell(row.low),
        "High": lambda row: cell(row.high),
        "Counts as little": lambda row: cell(row.threshold),
        "Smallest detectable": lambda row: cell(row.mde),
        "Verdict": lambda row: row.verdict,
    }
    return Table.of("What the chart shows", rows, columns, range(3, 8))


def effects_chart(rows: Sequence[EffectRow], *, interval: str, key: str, title: str) -> str:
    """Draw estimates with intervals: ratios in one panel, every other outcome in its own."""
    first = sum(row.form == "ratio" for row in rows)
    panels = ([(0, first)] if first else []) + [(i, i + 1) for i in range(first, len(rows))]
    top, parts = HEAD, _effects_key(interval)
    for start, stop in panels:
        parts.append(_effects_panel(rows[start:stop], (start, stop), top))
        empty = all(row.estimate is None for row in rows[start:stop])
        top += LINE * (stop - start) + (0.0 if empty else FOOT)
    view = f"0 0 {svg.WIDTH:g} {top + 1:g}"
    return svg.accessible("\n".join(parts), view, key, title, _effects_description(rows))


def _effects_key(interval: str) -> list[str]:
    """Draw the key of the effects chart above it, in words and marks."""
    return [
        svg.rule(8, 11, 40, 11, svg.BLUE, 4.5),
        f'<circle cx="24" cy="11" r="4.5" fill="{svg.BLUE}" stroke="#FFFFFF"/>',
        svg.text(46, 15, f"estimate, {interval}", size=11.5),
        f'<rect x="8" y="23" width="32" height="14" fill="{LITTLE}"/>',
        svg.text(46, 34, "too small to matter", size=11.5),
        svg.rule(190, 22, 190, 38, svg.PLUM, 2.2),
        svg.text(197, 34, "smallest it could detect", size=11.5, fill=svg.PLUM),
    ]


def _effects_panel(panel: Sequence[EffectRow], rows: tuple[int, int], top: float) -> str:
    n = len(panel)
    box = (EDGE, top, svg.WIDTH - 2 * EDGE, LINE * n)
    frame = Frame(*box, x=_effect_limits(panel), y=(n + 0.5, 0.5))
    parts: list[str] = []
    if any(row.estimate is not None for row in panel):
        values = svg.nice(*frame.x, 5)
        name = "per cent" if panel[0].form == "ratio" else panel[0].unit
        better = {row.better or "" for row in panel}
        sides = {"lower": "← better", "higher": "better →"}
        side = f"   ({sides[better.pop()]})" if len(better) == 1 and better <= set(sides) else ""
        middle = frame.left + frame.width / 2
        zero = frame.px(0.0)
        bands = [_little(frame, at, row) for at, row in enumerate(panel, 1)]
        parts = [
            *bands,
            svg.across_grid(frame, values),
            svg.rule(zero, frame.top, zero, frame.bottom, svg.TEXT),
            svg.foot_axis(frame, values, svg.written(values)),
            svg.text(middle, frame.bottom + 33, f"{name}{side}", size=12, anchor="middle"),
        ]
    for at, row in enumerate(panel, 1):
        parts += _effect_line(frame, at, row)
    return frame.group(parts, rows)


def _little(frame: Frame, at: float, row: EffectRow) -> str:
    """Shade what counts as little, behind the interval of a finding."""
    name = marks.across("threshold_low", "threshold_high")
    ends = (row.threshold_low, row.threshold_high)
    return marks.interval(frame, at + BAR_AT, ends, name, colour=LITTLE, width=BAR)


def _effect_line(frame: Frame, at: float, row: EffectRow) -> list[str]:
    verdict = Verdict(row.verdict)
    symbol = numbers.VERDICT_SYMBOLS[verdict]
    level = " (level)" if row.claim == "level" else ""
    is_long = len(f"{row.label}{level}{symbol} {verdict}") > LETTERS
    said = symbol if is_long else f"{symbol} {verdict}"  # rather than half a name
    label = cut(row.label, LETTERS - len(said) - len(level)) + level
    words, bar = frame.py(at) - 6, at + BAR_AT
    made = [
        svg.with_halo(svg.text(EDGE, words, label, bold=True)),
        svg.with_halo(svg.text(frame.right, words, said, anchor="end")),
    ]
    ends = (row.low, row.high)
    name = marks.across("low", "high")
    made.append(marks.interval(frame, bar, ends, name, colour=svg.BLUE, width=4.5))
    name = marks.across("estimate")
    made.append(marks.dot(frame, row.estimate, bar, name, colour=svg.BLUE))
    made.append(marks.stroke(frame, row.mde_drawn, bar, "mde_drawn", svg.PLUM, BAR / 2))
    return made


def _effect_limits(panel: Sequence[EffectRow]) -> tuple[float, float]:
    drawn = [(r.estimate, r.low, r.high, r.threshold_low, r.threshold_high, r.mde_drawn) for r in panel]
    values = [v for row in drawn for v in row if v is not None] + [0.0]
    low, high = min(values), max(values)
    pad = 0.05 * (high - low or 1.0)
    return low - pad, high + pad


def _effects_description(rows: Sequence[EffectRow]) -> str:
    parts = []
    for row in rows:
        if row.estimate is None:
            parts.append(f"{row.label}: {row.verdict}")
            continue
        estimate, ends = printed(row.estimate, row.form), both_ends(row.low, row.high, row.form)
        parts.append(f"{row.label}: {estimate} ({ends}), {row.verdict}")
    return "; ".join(parts) + "."
