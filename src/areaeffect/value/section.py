"""The section 'What it may be worth': amounts, intervals, costs, and what they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.document import marks, plot, svg
from areaeffect.document.axes import cut
from areaeffect.document.blocks import Block, Bullets, Data, Folded, Paragraph, Place, Section
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.plot import Frame
from areaeffect.records import rows_of
from areaeffect.value import words as value_words
from areaeffect.value.tables import Amount, UnitCost
from areaeffect.wording.numbers import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.results import Annex, Result
    from areaeffect.value.tables import ValueSettings

_LINE, _FOOT, _TOP = 40.0, 46.0, 6.0
_MILLION = 1e6
_LETTERS = 52  # of the name of an amount


def value_section(_result: Result, annex: Annex[ValueSettings]) -> Section:
    """Return the section of the annex `value`."""
    values = annex.found
    rows = rows_of(annex.table("value"), Amount)
    costs = rows_of(annex.table("value_costs"), UnitCost)
    blocks: list[Block] = [Paragraph(value_words.lead(row, values)) for row in _one_a_group(rows)]
    funded = [text for row in rows if (text := value_words.per_pound(row, values))]
    blocks += [Paragraph(text) for text in funded]
    drawn = [row for row in rows if row.value is not None]
    if drawn:
        title = f"Worth of avoided incidents, prices of {values.price_year}"
        chart = amounts_chart(drawn, values, key="value", title=title)
        note = "Bars are 95% intervals; recorded incidents only."
        blocks.append(
            Figure(
                chart=chart,
                title=title,
                table=amounts_table(rows, values),
                data="value",
                note=note,
                name="value",
                rows=tuple(drawn),
            )
        )
    else:
        blocks.append(Data(amounts_table(rows, values), "value"))
    limits = [*value_words.limits(rows, costs, values), *value_words.without_amount(rows)]
    blocks.append(Bullets(tuple(limits)))
    if values.scale:
        blocks.append(Bullets(tuple(value_words.scale(values))))
    blocks.append(Folded("Unit costs used", (Data(costs_table(costs, values), "value_costs"),)))
    return Section("value", "What it may be worth", tuple(blocks), place=Place.VALUE)


def _one_a_group(rows: Sequence[Amount]) -> list[Amount]:
    """Return one row a group: all outcomes together where there are several, else each."""
    together = {r.group for r in rows if r.outcome == value_words.EVERY_OUTCOME}
    return [
        r
        for r in rows
        if r.value is not None
        and (r.group not in together or r.outcome == value_words.EVERY_OUTCOME)
    ]


def amounts_table(rows: Sequence[Amount], values: ValueSettings) -> Table:
    """Return the amounts in words."""
    currency = values.currency

    def count(value: float | None) -> str:
        return "–" if value is None else number(value, "count")

    def amount(value: float | None) -> str:
        return "–" if value is None else value_words.money(value, currency)

    body = tuple(
        (
            r.group,
            r.label,
            count(r.avoided),
            "–" if r.share_costed is None else number(r.share_costed, "ratio", 0),
            *(amount(v) for v in (r.value, r.low, r.high, r.fiscal, r.per_pound)),
            "–" if r.share_above_one is None else number(r.share_above_one, "additive", 2),
            r.note or "",
        )
        for r in rows
    )
    head = (
        "Group",
        "Outcome",
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
    return Table("Worth of avoided incidents", head, body, frozenset(range(2, 10)))


def costs_table(rows: Sequence[UnitCost], values: ValueSettings) -> Table:
    """Return the unit costs in words."""
    currency = values.currency

    def amount(value: float | None) -> str:
        return "–" if value is None else value_words.money(value, currency)

    body = tuple(
        (
            r.outcome.replace("_", " "),
            r.label,
            number(r.share, "ratio", 1),
            amount(r.cost),
            r.price_year or "–",
            amount(r.cost_now),
            "–" if r.low is None else value_words.span(r.low, r.high, currency),
            r.status or "–",
            r.source or "–",
        )
        for r in rows
    )
    head = (
        "Outcome",
        "Kind of incident",
        "Share",
        "Cost as published",
        "Prices of",
        f"Cost, prices of {values.price_year}",
        "Range used",
        "Status",
        "Source",
    )
    return Table("Unit costs used", head, body, frozenset({2, 3, 5}))


def amounts_chart(rows: Sequence[Amount], values: ValueSettings, *, key: str, title: str) -> str:
    """Draw each amount with its interval on one scale."""
    ends = [v for r in rows for v in (r.value, r.low, r.high) if v is not None] + [0.0]
    size, unit = (_MILLION, "million") if max(map(abs, ends)) >= _MILLION else (1.0, "")
    pad = 0.05 * (max(ends) - min(ends) or 1.0)
    box = (8.0, _TOP, plot.WIDTH - 24, _LINE * len(rows))
    frame = Frame(*box, (min(ends) - pad, max(ends) + pad), (len(rows) + 0.5, 0.5))
    ticks = plot.nice(frame.x[0] / size, frame.x[1] / size, 5)
    places = [tick * size for tick in ticks]
    zero = frame.px(0.0)
    name = f"{values.currency} {unit}, prices of {values.price_year}".replace(" ,", ",")
    parts = [
        plot.across_grid(frame, places),
        plot.rule(zero, frame.top, zero, frame.bottom, svg.TEXT),
        plot.foot_axis(frame, places, plot.written(ticks)),
        plot.text(frame.left + frame.width / 2, frame.bottom + 37, name, anchor="middle"),
    ]
    for at, row in enumerate(rows, 1):
        parts += _amount(frame, at, row)
    body = frame.group(parts, (0, len(rows)))
    height = frame.bottom + _FOOT
    return svg.accessible(
        body, f"0 0 {plot.WIDTH:g} {height:g}", key, title, _description(rows, values)
    )


def _amount(frame: Frame, at: int, row: Amount) -> list[str]:
    ends, name, under = (row.low, row.high), marks.across("low", "high"), at + 0.2
    words = cut(f"{row.group}: {row.label}", _LETTERS)
    return [
        plot.with_halo(plot.text(frame.left, frame.py(at) - 4, words, size=11.5)),
        marks.interval(frame, under, ends, name, colour=svg.BLUE, width=4.0),
        marks.dot(frame, row.value, under, marks.across("value"), colour=svg.BLUE),
    ]


def _description(rows: Sequence[Amount], values: ValueSettings) -> str:
    currency = values.currency
    parts = [
        f"{r.group}, {r.label}: {value_words.money(r.value, currency)} "
        f"({value_words.span(r.low, r.high, currency)})"
        for r in rows
    ]
    return "; ".join(parts) + "."
