"""The specification curve: every branch in order of its effect, its choices beneath it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.report import svg
from areaeffect.report.axes import Row, plain, printed, scaled
from areaeffect.report.chart_tables import Figure, Table
from areaeffect.report.curve_words import joint_sentence, without_sentence
from areaeffect.report.document import Bullets, Paragraph, Section
from areaeffect.report.numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from areaeffect.results import Annex, Result

WIDTH = 680.0
_CURVE_HEIGHT = 190.0
_LINE = 15.5
_HEAD, _FOOT = 44.0, 16.0
_GAP = 10.0
#: The choices drawn beneath the curve, and how each reads.
_CHOICES = (
    ("buffer_km", "buffer", lambda v: f"buffer {v:g} km"),
    ("common_support", "pool", lambda v: "common support" if v else "no common support"),
    ("weighting", "weights", str),
    ("window", "time before", str),
    ("estimator", "estimator", str),
    ("form", "form", str),
)
LEAD = (
    "Other defensible choices of pool, weights, time before the start, estimator and form would "
    "have given other numbers. Every combination was computed, none was left out, and the same "
    "placebo programmes went through each of them."
)
NOT_TESTS = (
    "Branches share their data, so no branch counts as a test of its own; the joint test asks how "
    "often placebo programmes have a median, or a share of branches below zero, as far out.",
    "The study's own choices lead, whatever the branches say: they were sealed before an outcome "
    "was read.",
)


def curve_rows(branches: Sequence[Mapping[str, Any]], form: str) -> list[Row]:
    """Return one row a branch that could be computed, lowest effect first, in print units.

    Parameters
    ----------
    branches : rows of the table `multiverse` of one group and outcome.
    form : 'ratio' for fractions, else 'additive'.
    """
    kept = sorted((b for b in branches if b["rank"] is not None), key=lambda b: b["rank"])
    names = ("effect", "placebo_low", "placebo_high", "band_low", "band_high")
    return [{**b, **{name: scaled(b[name], form) for name in names}} for b in kept]


def curve_chart(
    rows: Sequence[Row], *, key: str, title: str, form: str, unit: str, missing: int = 0
) -> str:
    """Draw the curve over the middle 95 % of placebo curves, and what was chosen in each branch."""
    lines = _lines(rows)
    below = _LINE * len(lines) + _GAP * max(0, len({name for name, _, _ in lines}) - 1)
    height = _HEAD + _CURVE_HEIGHT + below + _FOOT
    with svg.canvas(WIDTH, height) as figure:
        left, width = 0.29, 0.69
        bottom = (below + _FOOT) / height
        axes = figure.add_axes((left, bottom + 0.02, width, _CURVE_HEIGHT / height - 0.02))
        _draw_curve(axes, rows, form, unit)
        marks = figure.add_axes((left, _FOOT / height, width, below / height))
        _draw_choices(marks, rows, lines, below)
        place: dict[str, Any] = {"xycoords": "figure points", "va": "center", "fontsize": 11.5}
        top = height - 16
        axes.annotate("● branch", (0.29 * WIDTH, top), color=svg.BLUE, **place)
        axes.annotate("◆ the study's own", (0.42 * WIDTH, top), color="#A33A08", **place)
        axes.annotate("■ 95% of placebo curves", (0.66 * WIDTH, top), color=svg.GREY, **place)
        return svg.to_svg(figure, key, title, _description(rows, form, missing))


def _draw_curve(axes: Axes, rows: Sequence[Row], form: str, unit: str) -> None:
    x = list(range(1, len(rows) + 1))
    if all(row["band_low"] is not None and row["band_high"] is not None for row in rows):
        low, high = [row["band_low"] for row in rows], [row["band_high"] for row in rows]
        axes.fill_between(x, low, high, color="#DDE3E8", lw=0)
    axes.axhline(0, color=svg.TEXT, lw=1)
    axes.scatter(x, [row["effect"] for row in rows], s=14, color=svg.BLUE, zorder=3)
    for i, row in zip(x, rows, strict=True):
        if row["is_study"]:
            axes.scatter([i], [row["effect"]], s=70, marker="D", color=svg.ORANGE, zorder=4)
    axes.set_xlim(0, len(rows) + 1)
    axes.set_xticks([])
    plain(axes, "y")
    axes.locator_params(axis="y", nbins=6)
    axes.set_ylabel("per cent" if form == "ratio" else unit)


def _lines(rows: Sequence[Row]) -> list[tuple[str, Any, str]]:
    """Return (choice, value, label) of every value that some branch takes, where several do."""
    lines = []
    for name, _, told in _CHOICES:
        values = list(dict.fromkeys(row[name] for row in rows))
        if len(values) > 1:
            lines += [(name, v, told(v)) for v in sorted(values, key=str)]
    return lines


def _draw_choices(
    axes: Axes, rows: Sequence[Row], lines: Sequence[tuple[str, Any, str]], height: float
) -> None:
    y, before = height, None
    for name, value, label in lines:
        y -= _GAP if before not in (None, name) else 0.0
        y -= _LINE
        before = name
        x = [i for i, row in enumerate(rows, 1) if row[name] == value]
        axes.scatter(x, [y + _LINE / 2] * len(x), s=42, marker="|", color=svg.BLUE, lw=1.4)
        axes.annotate(
            label,
            (-0.015, y + _LINE / 2),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="center",
            fontsize=10.5,
        )
    axes.set_xlim(0, len(rows) + 1)
    axes.set_ylim(0, max(height, 1.0))
    axes.set_axis_off()


def _description(rows: Sequence[Row], form: str, missing: int) -> str:
    if not rows:
        return "No branch could be computed."
    text = f"{len(rows)} branches from {printed(rows[0]['effect'], form)} to "
    text += f"{printed(rows[-1]['effect'], form)}."
    own = [row for row in rows if row["is_study"]]
    if own:
        text += f" The study's own: {printed(own[0]['effect'], form)}."
    return text + (f" {missing} could not be computed." if missing else "")


def curve_table(branches: Sequence[Mapping[str, Any]], form: str) -> Table:
    """Return every branch as a table, those that could not be computed last, with the reason."""
    ordered = sorted(branches, key=lambda b: (b["rank"] is None, b["rank"] or 0))
    body = tuple(
        (
            str(b["rank"]) if b["rank"] is not None else "–",
            number(b["effect"], form) if b["effect"] is not None else b["reason"],
            f"{b['p_value']:.3f}" if b["p_value"] is not None else "–",
            *(told(b[name]) for name, _, told in _CHOICES),
            "yes" if b["is_study"] else "",
        )
        for b in ordered
    )
    head = (
        "Rank",
        "Effect, or why there is none",
        "Placebo p of this branch alone",
        *(title.capitalize() for _, title, _ in _CHOICES),
        "The study's own",
    )
    return Table("Every branch", head, body, frozenset({0, 2}))


def multiverse_section(result: Result, annex: Annex) -> Section:
    """Print the joint test and the curve of every finding of change."""
    labels = {f.outcome: f.label for f in result.findings}
    branches = annex.table("multiverse").records()
    parts = []
    for number_, row in enumerate(annex.table("multiverse_joint").records()):
        own = [b for b in branches if (b["group"], b["outcome"]) == (row["group"], row["outcome"])]
        form = "ratio" if row["unit"] == "fraction" else "additive"
        label = labels.get(row["outcome"], row["outcome"])
        title = f"{label[:1].upper()}{label[1:]}: every branch, {row['group']}"
        key = f"multiverse-{number_}"
        drawn = curve_rows(own, form)
        chart = curve_chart(
            drawn, key=key, title=title, form=form, unit=row["unit"], missing=row["n_missing"]
        )
        table = curve_table(own, form)
        parts.append(
            Section(
                f"{key}-part",
                title,
                (
                    Paragraph(joint_sentence(row, label)),
                    Figure(chart, title, table, "multiverse", name=key),
                ),
            )
        )
    varied = tuple(f"Not varied: {reason}." for reason in annex.values["not_varied"])
    without = tuple(without_sentence(name) for name in annex.values["without_branches"])
    blocks = (Paragraph(LEAD, lead=True), Bullets((*NOT_TESTS, *varied, *without)))
    return Section("multiverse", "Other choices: the multiverse", blocks, tuple(parts))
