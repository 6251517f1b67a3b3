"""One outcome in every neighbourhood: estimates with intervals, ordered by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from areaeffect import wording
from areaeffect.document import marks, plot, svg
from areaeffect.document.axes import cut, scaled
from areaeffect.document.plot import Frame
from areaeffect.results import Verdict
from areaeffect.wording import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from areaeffect.results import Finding

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
