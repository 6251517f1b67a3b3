"""The balance chart: how alike treated and benchmark areas are, before and after weighting."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from areaeffect.document import marks, svg
from areaeffect.document.chart_tables import Table, cell
from areaeffect.document.svg import Frame, cut

if TYPE_CHECKING:
    from areaeffect.results import BalanceRow

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
    frame = Frame(*box, (-0.025 * most, 1.08 * most), (lines + 0.5, 0.5))
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
