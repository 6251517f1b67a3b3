"""The balance chart: how alike treated and benchmark areas are, before and after weighting."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

from areaeffect.report import svg
from areaeffect.report.axes import Row, cut, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from areaeffect.results import BalanceRow

SMD_LIMIT = 0.1  # the usual limit for balance; Austin 2009, doi 10.1002/sim.3697
BALANCE_ROWS_DRAWN = 25
WIDTH = 680.0


def balance_rows(rows: Iterable[BalanceRow], claim: str) -> list[Row]:
    """Return the mean absolute imbalance over neighbourhoods of each covariate, worst first."""
    before: dict[str, list[float]] = defaultdict(list)
    after: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.claim == claim:
            for store, value in ((before, row.smd_before), (after, row.smd_after)):
                store[row.covariate] += [abs(value)] if math.isfinite(value) else []
    made: list[Row] = [
        {
            "covariate": name,
            "before": fmean(before[name]) if before[name] else None,
            "after": fmean(after[name]) if after[name] else None,
            "worst_after": max(after[name], default=None),
            "neighbourhoods": len(after[name]),
        }
        for name in before
    ]
    return sorted(made, key=lambda r: (-(r["after"] or 0.0), -(r["before"] or 0.0), r["covariate"]))


def balance_chart(rows: Sequence[Row], *, key: str, title: str) -> str:
    """Draw the worst covariates before (hollow) and after weighting (filled), with the limit."""
    drawn = [r for r in rows if r["before"] is not None and r["after"] is not None][
        :BALANCE_ROWS_DRAWN
    ]
    lines = max(1, len(drawn))
    height = 24.0 * lines + 84
    with svg.canvas(WIDTH, height) as figure:
        axes = figure.add_axes((0.37, 50 / height, 0.6, 24.0 * lines / height))
        y = range(len(drawn), 0, -1)
        for i, row in zip(y, drawn, strict=True):
            axes.plot([row["before"], row["after"]], [i, i], color=svg.FAINT, lw=1.5, zorder=1)
        before, after = [r["before"] for r in drawn], [r["after"] for r in drawn]
        axes.scatter(
            before, y, s=46, facecolor="white", edgecolor="#A33A08", lw=1.8, marker="D", zorder=2
        )
        axes.scatter(after, y, s=46, color=svg.BLUE, marker="o", zorder=3)
        axes.axvline(SMD_LIMIT, color=svg.GREY, lw=1.2, ls=(0, (4, 2)))
        most = max([*before, *after, SMD_LIMIT])
        axes.set_xlim(-0.025 * most, 1.08 * most)
        axes.set_ylim(0.3, lines + 0.7)
        axes.set_yticks(list(y), [cut(r["covariate"], 34) for r in drawn], fontsize=11.5)
        axes.tick_params(axis="y", length=0)
        plain(axes, "x")
        axes.set_xlabel("mean absolute standardised difference")
        kwargs: dict[str, Any] = {"xycoords": "figure points", "va": "center"}
        axes.annotate("◇ before weighting", (0.37 * WIDTH, height - 16), color="#A33A08", **kwargs)
        axes.annotate("● after weighting", (0.58 * WIDTH, height - 16), color=svg.BLUE, **kwargs)
        axes.annotate(f"┆ limit {SMD_LIMIT}", (0.79 * WIDTH, height - 16), color=svg.GREY, **kwargs)
        over = sum((r["after"] or 0.0) > SMD_LIMIT for r in rows)
        text = f"After weighting {over} of {len(rows)} characteristics differ by over {SMD_LIMIT}. "
        text += f"The {len(drawn)} with the largest difference are drawn."
        return svg.to_svg(figure, key, title, text)
