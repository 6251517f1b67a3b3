"""The specification curve: every branch in order of its effect, its choices beneath it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from html import escape
from typing import Any

from areaeffect.document import marks, svg
from areaeffect.document.blocks import Bullets, Paragraph, Section
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.svg import Frame, cut, printed, scaled
from areaeffect.multiverse.curves import Branch, Branched, Together
from areaeffect.records import Json, rows_of
from areaeffect.results import Annex, Result
from areaeffect.wording.numbers import PHRASES, number, phrase

_CURVE_HEIGHT = 150.0
_LINE = 16.0
_HEAD, _FOOT, _LEFT = 58.0, 8.0, 128.0
_GAP = 8.0
_LETTERS = 21  # of the name of a choice
#: The choices drawn beneath the curve, and how each reads.
_CHOICES = (
    ("buffer_km", "buffer", lambda v: f"buffer {v:g} km"),
    ("common_support", "pool", lambda v: "common support" if v else "no common support"),
    ("weighting", "weights", str),
    ("window", "time before", str),
    ("estimator", "estimator", str),
    ("form", "form", str),
)


def curve_rows(branches: Sequence[Branch], form: str) -> list[Branch]:
    """Return one row a branch that could be computed, lowest effect first, in print units.

    Parameters
    ----------
    branches : rows of the table `multiverse` of one group and outcome.
    form : 'ratio' for fractions, else 'additive'.
    """
    kept = sorted((b for b in branches if b.rank is not None), key=lambda b: b.rank or 0)
    return [
        replace(
            b,
            effect=scaled(b.effect, form),
            placebo_low=scaled(b.placebo_low, form),
            placebo_high=scaled(b.placebo_high, form),
            band_low=scaled(b.band_low, form),
            band_high=scaled(b.band_high, form),
        )
        for b in kept
    ]


def curve_chart(
    rows: Sequence[Branch], *, key: str, title: str, form: str, unit: str, missing: int = 0
) -> str:
    """Draw the curve over the middle 95% of placebo curves, and what was chosen in each branch."""
    across = (0.0, len(rows) + 1.0)
    drawn = [v for row in rows for v in (row.effect, row.band_low, row.band_high)]
    reach = [*(v for v in drawn if v is not None), 0.0]
    pad = 0.06 * (max(reach) - min(reach) or 1.0)
    limits = (min(reach) - pad, max(reach) + pad)
    frame = Frame(_LEFT, _HEAD, svg.WIDTH - _LEFT - 8, _CURVE_HEIGHT, x=across, y=limits)
    lines = _lines(rows)
    choices, bottom = _choices(frame, rows, lines)
    parts = [
        *_curve(frame, rows),
        svg.text(4, 50, "per cent" if form == "ratio" else unit, size=11.5),
        svg.text(4, 14, PHRASES["multiverse.one"], size=11.5, fill=svg.BLUE),
        svg.text(170, 14, PHRASES["multiverse.own"], size=11.5, fill="#A33A08"),
        '<rect x="4" y="23" width="12" height="10" fill="#DDE3E8"/>',
        svg.text(21, 32, PHRASES["multiverse.band"], size=11.5, fill=svg.GREY),
        *choices,
    ]
    body = frame.group(parts, (0, len(rows)))
    view = f"0 0 {svg.WIDTH:g} {bottom + _FOOT:g}"
    return svg.accessible(body, view, key, title, _description(rows, form, missing))


def _curve(frame: Frame, rows: Sequence[Branch]) -> list[str]:
    x = [float(i) for i in range(1, len(rows) + 1)]
    low, high = [row.band_low for row in rows], [row.band_high for row in rows]
    zero = frame.py(0.0)
    made = [
        marks.band(frame, x, low, high, columns=("band_low", "band_high"), fill="#DDE3E8"),
        svg.up_axis(frame),
        svg.rule(frame.left, zero, frame.right, zero, svg.TEXT),
    ]
    for at, row in zip(x, rows, strict=True):
        mark, colour, radius = marks.dot, svg.BLUE, 2.0
        if row.is_study:
            mark, colour, radius = marks.diamond, svg.ORANGE, 5.0
        made.append(mark(frame, at, row.effect, marks.up("effect"), colour=colour, radius=radius))
    return made


def _lines(rows: Sequence[Branch]) -> list[tuple[str, Any, str]]:
    """Return (choice, value, label) of every value that some branch takes, where several do."""
    lines = []
    for name, _, written in _CHOICES:
        values = list(dict.fromkeys(getattr(row, name) for row in rows))
        if len(values) > 1:
            lines += [(name, v, written(v)) for v in sorted(values, key=str)]
    return lines


def _choices(
    frame: Frame, rows: Sequence[Branch], lines: Sequence[tuple[str, Any, str]]
) -> tuple[list[str], float]:
    """Return a stroke under each branch in the line of what it chose, and where that ends.

    A line names its column and value (`data-choice`), and its strokes stand under their branches.
    """
    made, y, before = [], frame.bottom + _GAP, None
    for name, value, label in lines:
        y += _GAP if before not in {None, name} else 0.0
        before = name
        under = [i for i, row in enumerate(rows, 1) if getattr(row, name) == value]
        path = "".join(f"M{x} {svg.unit(y + 3)}v9" for x in (svg.unit(frame.px(i)) for i in under))
        choice = escape(f"{name}={value}")
        look = f'stroke="{svg.BLUE}" stroke-width="1"'
        made.append(f'<path data-choice="{choice}" d="{path}" fill="none" {look}/>')
        made.append(svg.text(4, y + 12, cut(label, _LETTERS), size=11))
        y += _LINE
    return made, y


def _description(rows: Sequence[Branch], form: str, missing: int) -> str:
    if not rows:
        return "No branch could be computed."
    text = f"{len(rows)} branches from {printed(rows[0].effect, form)} to "
    text += f"{printed(rows[-1].effect, form)}."
    own = [row for row in rows if row.is_study]
    if own:
        text += f" The study's own: {printed(own[0].effect, form)}."
    return text + (f" {missing} could not be computed." if missing else "")


def curve_table(branches: Sequence[Branch], form: str) -> Table:
    """Return every branch as a table, those that could not be computed last, with the reason."""
    ordered = sorted(branches, key=lambda b: (b.rank is None, b.rank or 0))
    columns: dict[str, Callable[[Branch], str]] = {
        "Rank": lambda b: "–" if b.rank is None else str(b.rank),
        "Effect, or why there is none": lambda b: b.reason if b.effect is None else number(b.effect, form),
        "Placebo p of this branch alone": lambda b: "–" if b.p_value is None else f"{b.p_value:.3f}",
    }

    def choice(name: str, written: Callable[[Any], str]) -> Callable[[Branch], str]:
        return lambda b: written(getattr(b, name))

    columns |= {title.capitalize(): choice(name, written) for name, title, written in _CHOICES}
    columns["The study's own"] = lambda b: "yes" if b.is_study else ""
    return Table.of("Every branch", ordered, columns, {0, 2})


def multiverse_section(result: Result, annex: Annex[Branched]) -> Section:
    """Print the joint test and the curve of every finding of change."""
    labels = {f.outcome: f.label for f in result.findings}
    branches = rows_of(annex.table("multiverse"), Branch)
    parts = []
    for number_, row in enumerate(rows_of(annex.table("multiverse_joint"), Together)):
        own = [b for b in branches if (b.group, b.outcome) == (row.group, row.outcome)]
        form = "ratio" if row.unit == "fraction" else "additive"
        label = labels.get(row.outcome, row.outcome)
        title = phrase("multiverse.figure", label=f"{label[:1].upper()}{label[1:]}", group=row.group)
        key = f"multiverse-{number_}"
        drawn = curve_rows(own, form)
        chart = curve_chart(drawn, key=key, title=title, form=form, unit=row.unit, missing=row.n_missing)
        table = curve_table(own, form)
        parts.append(
            Section(
                f"{key}-part",
                title,
                (
                    Paragraph(joint_sentence(row, label)),
                    Figure(
                        chart=chart, title=title, table=table, data="multiverse", name=key, rows=tuple(drawn)
                    ),
                ),
            )
        )
    varied = tuple(phrase("multiverse.not_varied", why=reason) for reason in annex.found.not_varied)
    without = tuple(without_sentence(name) for name in annex.found.without_branches)
    notes = (PHRASES["multiverse.not_tests"], PHRASES["multiverse.sealed"], *varied, *without)
    blocks = (Paragraph(PHRASES["multiverse.lead"], lead=True), Bullets(notes))
    return Section("multiverse", PHRASES["multiverse.title"], blocks, tuple(parts))


def joint_sentence(row: Together, label: str) -> str:
    """Say what all branches of one finding give together.

    Parameters
    ----------
    row : of the table `multiverse_joint`.
    label : the outcome's name in print.
    """
    form = "ratio" if row.unit == "fraction" else "additive"
    who = f"{label[:1].upper()}{label[1:]} ({row.group})"
    if not row.n_branches:
        return phrase("multiverse.none", who=who, missing=row.n_missing)
    values = {
        "unit": "" if form == "ratio" else f" {row.unit}",
        "median": number(row.median, form),
        "lowest": number(row.lowest, form),
        "highest": number(row.highest, form),
    }
    said = [phrase("multiverse.curve", who=who, n=row.n_branches, below=f"{row.share_below:.0%}", **values)]
    said += [phrase("multiverse.missing", n=row.n_missing)] if row.n_missing else []
    if row.median_p is None:
        return " ".join([*said, PHRASES["multiverse.few"]])
    joint = phrase(
        "multiverse.joint",
        n=row.n_placebos,
        low=number(row.median_low, form),
        high=number(row.median_high, form),
        unit=values["unit"],
        median_p=f"{row.median_p:.3f}",
        share_p=f"{row.share_p:.3f}",
    )
    return " ".join([*said, joint])


def without_sentence(name: str) -> str:
    """Say that a finding has no branches, because the study itself cannot estimate it."""
    return phrase("multiverse.without", name=f"{name[:1].upper()}{name[1:]}")


def as_dict(result: Result) -> Json:
    """Return every branch and the joint tests as plain values."""
    annex = _annex(result)
    return {
        "study": result.title,
        "seal": result.seal.sha256,
        **asdict(annex.found),
        "joint": annex.table("multiverse_joint").records(),
        "branches": annex.table("multiverse").records(),
    }


def as_text(result: Result) -> str:
    """Return one sentence a finding."""
    annex, labels = _annex(result), {f.outcome: f.label for f in result.findings}
    sentences = [
        joint_sentence(row, labels[row.outcome]) for row in rows_of(annex.table("multiverse_joint"), Together)
    ]
    return "\n".join([*sentences, *map(without_sentence, annex.found.without_branches)])


def _annex(result: Result) -> Annex[Branched]:
    annex = result.annex("multiverse")
    if annex is None:
        raise RuntimeError
    return annex
