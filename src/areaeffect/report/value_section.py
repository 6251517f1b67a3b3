"""The section 'What it may be worth': amounts, intervals, costs, and what they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.report import svg, value_words
from areaeffect.report.axes import cut, plain
from areaeffect.report.chart_tables import Figure, Table
from areaeffect.report.document import Block, Bullets, Data, Folded, Paragraph, Place, Section
from areaeffect.report.numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from areaeffect.results import Annex, Result

Row = dict[str, Any]

WIDTH = 680.0
_LINE, _FOOT, _TOP = 46.0, 46.0, 12.0
_MILLION = 1e6


def value_section(_result: Result, annex: Annex) -> Section:
    """Return the section of the annex `value`."""
    values = annex.values
    rows, costs = annex.table("value").records(), annex.table("value_costs").records()
    firm = [r for r in rows if r["basis"] == value_words.CHECKED]
    blocks: list[Block] = [Paragraph(value_words.lead(row, values)) for row in _whole(firm)]
    funded = [text for row in firm if (text := value_words.per_pound(row, values))]
    blocks += [Paragraph(text) for text in funded]
    drawn = [row for row in rows if row["value"] is not None]
    if drawn:
        title = f"Worth of avoided incidents, prices of {values['price_year']}"
        chart = amounts_chart(drawn, values, key="value", title=title)
        note = "Bars are 95% intervals; recorded incidents only."
        blocks.append(Figure(chart, title, amounts_table(rows, values), "value", note))
    else:
        blocks.append(Data(amounts_table(rows, values), "value"))
    limits = [*value_words.limits(rows, costs, values), *value_words.without_amount(firm)]
    blocks.append(Bullets(tuple(limits)))
    if values["scale"]:
        blocks.append(Bullets(tuple(value_words.scale(values))))
    blocks.append(Folded("Unit costs used", (Data(costs_table(costs, values), "value_costs"),)))
    return Section("value", "What it may be worth", tuple(blocks), place=Place.VALUE)


def _whole(rows: Sequence[Row]) -> list[Row]:
    """Return one row a group: all outcomes together where there are several, else each."""
    together = {r["group"] for r in rows if r["outcome"] == value_words.EVERY_OUTCOME}
    return [
        r
        for r in rows
        if r["value"] is not None
        and (r["group"] not in together or r["outcome"] == value_words.EVERY_OUTCOME)
    ]


def amounts_table(rows: Sequence[Row], values: Mapping[str, Any]) -> Table:
    """Return the amounts in words."""
    currency = values["currency"]

    def count(value: float | None) -> str:
        return "–" if value is None else number(value, "count")

    def amount(value: float | None) -> str:
        return "–" if value is None else value_words.money(value, currency)

    body = tuple(
        (
            r["group"],
            r["label"],
            r["basis"],
            count(r["avoided"]),
            "–" if r["share_costed"] is None else number(r["share_costed"], "ratio", 0),
            *(amount(r[name]) for name in ("value", "low", "high", "fiscal", "per_pound")),
            "–" if r["share_above_one"] is None else number(r["share_above_one"], "additive", 2),
            r["note"] or "",
        )
        for r in rows
    )
    head = (
        "Group",
        "Outcome",
        "Costs",
        "Avoided",
        "Share with a cost",
        "Worth",
        "Low",
        "High",
        "On public services",
        "For each unit of funding",
        "Probability above one",
        "Remark",
    )
    return Table("Worth of avoided incidents", head, body, frozenset(range(3, 11)))


def costs_table(rows: Sequence[Row], values: Mapping[str, Any]) -> Table:
    """Return the unit costs in words."""
    currency = values["currency"]

    def amount(value: float | None) -> str:
        return "–" if value is None else value_words.money(value, currency)

    body = tuple(
        (
            r["outcome"].replace("_", " "),
            r["label"],
            number(r["share"], "ratio", 1),
            amount(r["cost"]),
            r["price_year"] or "–",
            amount(r["cost_now"]),
            "–" if r["low"] is None else value_words.span(r["low"], r["high"], currency),
            r["status"] or "–",
            r["source"] or "–",
        )
        for r in rows
    )
    head = (
        "Outcome",
        "Kind of incident",
        "Share",
        "Cost as published",
        "Prices of",
        f"Cost, prices of {values['price_year']}",
        "Range used",
        "Status",
        "Source",
    )
    return Table("Unit costs used", head, body, frozenset({2, 3, 5}))


def amounts_chart(rows: Sequence[Row], values: Mapping[str, Any], *, key: str, title: str) -> str:
    """Draw each amount with its interval on one scale."""
    ends = [abs(r[name]) for r in rows for name in ("value", "low", "high")]
    scale, unit = (_MILLION, "million") if max(ends) >= _MILLION else (1.0, "")
    height = _TOP + _LINE * len(rows) + _FOOT
    with svg.canvas(WIDTH, height) as figure:
        axes = figure.add_axes((0.36, _FOOT / height, 0.6, _LINE * len(rows) / height))
        axes.set_ylim(0.5, len(rows) + 0.5)
        for y, row in zip(range(len(rows), 0, -1), rows, strict=True):
            firm = row["basis"] == value_words.CHECKED
            color, style = (svg.BLUE, "-") if firm else (svg.GREY, (0, (3, 1.5)))
            low, value, high = (row[name] / scale for name in ("low", "value", "high"))
            axes.plot([low, high], [y, y], color=color, lw=4.0 if firm else 2.0, linestyle=style)
            axes.plot([value], [y], color=color, marker="o", ms=8.5, mec="white")
            words = f"{cut(row['group'], 30)}\n{cut(row['label'], 32)}"
            words += "" if firm else "\n(with costs to be verified)"
            place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
            axes.annotate(words, (-0.6, y), fontsize=11.0, **place)
        axes.axvline(0, color=svg.TEXT, lw=1)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        plain(axes, "x")
        axes.locator_params(axis="x", nbins=6)
        label = f"{values['currency']} {unit}, prices of {values['price_year']}".replace("  ", " ")
        axes.set_xlabel(label, fontsize=12)
        return svg.to_svg(figure, key, title, _description(rows, values))


def _description(rows: Sequence[Row], values: Mapping[str, Any]) -> str:
    currency = values["currency"]
    parts = [
        f"{r['group']}, {r['label']} ({r['basis']}): {value_words.money(r['value'], currency)} "
        f"({value_words.span(r['low'], r['high'], currency)})"
        for r in rows
    ]
    return "; ".join(parts) + "."
