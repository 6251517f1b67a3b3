"""The effects chart: every finding of a group on one scale, with its intervals and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.report import svg, terms, wording
from areaeffect.report.axes import Row, cut, plain, printed, scaled
from areaeffect.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from areaeffect.results import Finding

WIDTH = 680.0
_EFFECT_VALUES = ("estimate", "low", "high", "low_adjusted", "high_adjusted", "threshold", "mde")


def effect_rows(findings: Iterable[Finding]) -> list[Row]:
    """Return one row for each finding that is drawn, effects in per cent or in units."""
    return [
        {
            "outcome": finding.outcome,
            "label": wording.name_of(finding),
            "claim": finding.claim,
            "form": finding.form,
            "unit": "%" if finding.form == "ratio" else finding.unit,
            "better": finding.better,
            "verdict": str(finding.verdict),
            **{name: scaled(getattr(finding, name), finding.form) for name in _EFFECT_VALUES},
        }
        for finding in findings
    ]


def effects_chart(rows: Sequence[Row], *, key: str, title: str) -> str:
    """Draw estimates with intervals: ratios in one panel, every other outcome in its own."""
    ratio = [row for row in rows if row["form"] == "ratio"]
    panels = ([ratio] if ratio else []) + [[row] for row in rows if row["form"] != "ratio"]
    line, foot, head = 46.0, 46.0, 34.0
    feet = [0.0 if all(row["estimate"] is None for row in panel) else foot for panel in panels]
    height = head + sum(line * len(panel) for panel in panels) + sum(feet) + 1
    with svg.canvas(WIDTH, height) as figure:
        top = height - head
        _effects_key(figure.add_axes((0, top / height, 1, head / height)))
        for panel, below in zip(panels, feet, strict=True):
            bottom = top - line * len(panel)
            axes = figure.add_axes((0.27, bottom / height, 0.5, line * len(panel) / height))
            _effects_panel(axes, panel)
            top = bottom - below
        return svg.to_svg(figure, key, title, _effects_description(rows))


def _effects_key(axes: Axes) -> None:
    """Draw the key of the effects chart above it, in words and marks."""
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(0, 30)
    axes.plot([8, 40], [15, 15], color=svg.BLUE, lw=4.5, solid_capstyle="butt")
    axes.plot([24], [15], color=svg.BLUE, marker="o", ms=8, mec="white")
    axes.text(46, 15, "estimate, 95% interval", va="center", fontsize=11.5)
    axes.plot([192, 224], [15, 15], color=svg.BLUE, lw=1.2)
    axes.text(230, 15, "all findings together", va="center", fontsize=11.5)
    axes.fill_between([364, 390], 8, 22, color="#DDE3E8", lw=0)
    axes.text(396, 15, "counts as little", va="center", fontsize=11.5)
    axes.plot([504, 504], [7, 23], color=svg.PLUM, lw=2.2)
    axes.text(510, 15, "smallest detectable", va="center", fontsize=11.5, color=svg.PLUM)


def _effects_panel(axes: Axes, panel: Sequence[Row]) -> None:
    n = len(panel)
    axes.set_ylim(0.5, n + 0.5)
    axes.set_xlim(*_effect_limits(panel))
    for y, row in zip(range(n, 0, -1), panel, strict=True):
        _effect_line(axes, y, row)
    if all(row["estimate"] is None for row in panel):
        axes.set_axis_off()
        return
    axes.axvline(0, color=svg.TEXT, lw=1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    plain(axes, "x")
    axes.locator_params(axis="x", nbins=7)
    name = "per cent" if panel[0]["form"] == "ratio" else panel[0]["unit"]
    better = {row["better"] for row in panel}
    sides = {"lower": "← better", "higher": "better →"}
    side = f"   ({sides[better.pop()]})" if len(better) == 1 and better <= set(sides) else ""
    axes.set_xlabel(f"{name}{side}", fontsize=12)


def _effect_line(axes: Axes, y: float, row: Row) -> None:
    place: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "va": "center",
        "fontsize": 12.5,
    }
    verdict = Verdict(row["verdict"])
    note = "\n(level)" if row["claim"] == "level" else ""
    axes.annotate(cut(row["label"], 26) + note, (-0.53, y), **place)
    axes.annotate(f"{terms.VERDICT_SYMBOLS[verdict]} {verdict}", (1.03, y), **place)
    if row["estimate"] is None:
        return
    threshold = row["threshold"] or 0.0
    axes.fill_between([-threshold, threshold], y - 0.5, y + 0.5, color="#DDE3E8", lw=0, zorder=0)
    for low, high, width in (("low_adjusted", "high_adjusted", 1.2), ("low", "high", 4.5)):
        if row[low] is not None and row[high] is not None:
            axes.plot(
                [row[low], row[high]], [y, y], color=svg.BLUE, lw=width, solid_capstyle="butt"
            )
    axes.plot([row["estimate"]], [y], color=svg.BLUE, marker="o", ms=8.5, mec="white")
    if row["mde"] is not None:
        mde = abs(row["mde"]) * (-1 if row["better"] == "lower" else 1)
        axes.plot([mde, mde], [y - 0.24, y + 0.24], color=svg.PLUM, lw=2.2)


def _effect_limits(panel: Sequence[Row]) -> tuple[float, float]:
    names = ("estimate", "low", "high", "low_adjusted", "high_adjusted")
    values = [row[name] for row in panel for name in names if row[name] is not None] + [0.0]
    for row in panel:
        values += [-row["threshold"], row["threshold"]] if row["threshold"] else []
        if row["mde"] is not None:
            values.append(abs(row["mde"]) * (-1 if row["better"] == "lower" else 1))
    low, high = min(values), max(values)
    pad = 0.05 * (high - low or 1.0)
    return low - pad, high + pad


def _effects_description(rows: Sequence[Row]) -> str:
    parts = []
    for row in rows:
        if row["estimate"] is None:
            parts.append(f"{row['label']}: {row['verdict']}")
            continue
        low, high = (printed(row[end], row["form"]) for end in ("low", "high"))
        estimate = printed(row["estimate"], row["form"])
        parts.append(f"{row['label']}: {estimate} ({low} to {high}), {row['verdict']}")
    return "; ".join(parts) + "."
