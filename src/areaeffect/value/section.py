"""The section 'What it may be worth': amounts, intervals, costs, and what they rest on."""

from __future__ import annotations

from collections.abc import Sequence

from areaeffect.document import marks, svg
from areaeffect.document.blocks import Block, Bullets, Data, Folded, Paragraph, Section, SectionPlace
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.svg import Frame, cut
from areaeffect.records import rows_of
from areaeffect.results import Annex, Result, Verdict
from areaeffect.value.worth import EVERY_OUTCOME, Amount, UsedCost, ValueSettings
from areaeffect.wording.numbers import NOT_ESTIMABLE, PHRASES, known, number, phrase

_LINE, _FOOT, _TOP = 40.0, 46.0, 6.0
_MILLION = 1e6
_LETTERS = 52  # of the name of an amount


def value_section(_result: Result, annex: Annex[ValueSettings]) -> Section:
    """Return the section of the annex `value`."""
    values = annex.found
    rows = rows_of(annex.table("value"), Amount)
    costs = rows_of(annex.table("value_costs"), UsedCost)
    blocks: list[Block] = [Paragraph(lead(row, values)) for row in _one_a_group(rows)]
    funded = [text for row in rows if (text := per_pound(row, values))]
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
    said = [*limits(costs, values), *without_amount(rows)]
    blocks.append(Bullets(tuple(said)))
    blocks.append(Folded("Unit costs used", (Data(costs_table(costs, values), "value_costs"),)))
    return Section("value", "What it may be worth", tuple(blocks), place=SectionPlace.VALUE)


def _one_a_group(rows: Sequence[Amount]) -> list[Amount]:
    """Return one row a group: all outcomes together where there are several, else each."""
    together = {r.group for r in rows if r.outcome == EVERY_OUTCOME}
    return [
        r for r in rows if r.value is not None and (r.group not in together or r.outcome == EVERY_OUTCOME)
    ]


def amounts_table(rows: Sequence[Amount], values: ValueSettings) -> Table:
    """Return the amounts in words."""
    currency = values.currency

    def count(value: float | None) -> str:
        return "–" if value is None else number(value, "count")

    def amount(value: float | None) -> str:
        return "–" if value is None else money(value, currency)

    body = tuple(
        (
            r.group,
            r.label,
            count(r.avoided),
            "–" if r.share_costed is None else number(r.share_costed, "ratio", 0),
            *(amount(v) for v in (r.value, r.low, r.high, r.per_pound)),
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
        "For each unit of funding",
        "Probability above one",
        "Remark",
    )
    return Table("Worth of avoided incidents", head, body, frozenset(range(2, 9)))


def costs_table(rows: Sequence[UsedCost], values: ValueSettings) -> Table:
    """Return the unit costs in words."""
    currency = values.currency

    def amount(value: float | None) -> str:
        return "–" if value is None else money(value, currency)

    body = tuple(
        (
            r.outcome.replace("_", " "),
            r.label,
            number(r.share, "ratio", 1),
            amount(r.cost),
            r.price_year or "–",
            amount(r.cost_now),
            "–" if r.low is None else span(r.low, r.high, currency),
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
    box = (8.0, _TOP, svg.WIDTH - 24, _LINE * len(rows))
    frame = Frame(*box, x=(min(ends) - pad, max(ends) + pad), y=(len(rows) + 0.5, 0.5))
    ticks = svg.nice(frame.x[0] / size, frame.x[1] / size, 5)
    places = [tick * size for tick in ticks]
    zero = frame.px(0.0)
    name = f"{values.currency} {unit}, prices of {values.price_year}".replace(" ,", ",")
    parts = [
        svg.across_grid(frame, places),
        svg.rule(zero, frame.top, zero, frame.bottom, svg.TEXT),
        svg.foot_axis(frame, places, svg.written(ticks)),
        svg.text(frame.left + frame.width / 2, frame.bottom + 37, name, anchor="middle"),
    ]
    for at, row in enumerate(rows, 1):
        parts += _amount(frame, at, row)
    body = frame.group(parts, (0, len(rows)))
    height = frame.bottom + _FOOT
    return svg.accessible(body, f"0 0 {svg.WIDTH:g} {height:g}", key, title, _description(rows, values))


def _amount(frame: Frame, at: int, row: Amount) -> list[str]:
    ends, name, under = (row.low, row.high), marks.across("low", "high"), at + 0.2
    words = cut(f"{row.group}: {row.label}", _LETTERS)
    return [
        svg.with_halo(svg.text(frame.left, frame.py(at) - 4, words, size=11.5)),
        marks.interval(frame, under, ends, name, colour=svg.BLUE, width=4.0),
        marks.dot(frame, row.value, under, marks.across("value"), colour=svg.BLUE),
    ]


def _description(rows: Sequence[Amount], values: ValueSettings) -> str:
    currency = values.currency
    parts = [
        f"{r.group}, {r.label}: {money(r.value, currency)} ({span(r.low, r.high, currency)})" for r in rows
    ]
    return "; ".join(parts) + "."


_SIGNS = {"GBP": "£", "USD": "$", "EUR": "€"}
_TEN, _HUNDRED = 10.0, 100.0
_SMALLEST = 0.01


def money(value: float | None, currency: str) -> str:
    """Write an amount: '£1.23 million', '−£45,300', '£0.33'.

    Three significant digits from a hundred on, two decimals below; rounded once.
    """
    amount = known(value)
    if amount is None:
        return NOT_ESTIMABLE
    small = abs(amount) < _HUNDRED
    rounded = round(abs(amount), 2) if small else float(f"{abs(amount):.3g}")
    sign = "−" if amount < 0 and rounded else ""
    symbol = _SIGNS.get(currency, f"{currency} ")
    if rounded >= _MILLION:
        millions = rounded / _MILLION
        places = 2 if millions < _TEN else 1 if millions < _HUNDRED else 0
        return f"{sign}{symbol}{millions:,.{places}f} million"
    places = 0 if rounded >= _HUNDRED or rounded == 0 else 2
    return f"{sign}{symbol}{rounded:,.{places}f}"


def span(low: float | None, high: float | None, currency: str) -> str:
    """Write an interval of amounts."""
    return f"{money(low, currency)} to {money(high, currency)}"


def lead(row: Amount, values: ValueSettings) -> str:
    """Return the account of one group's amount: what, how much, how sure, in which prices."""
    currency, several = values.currency, row.outcome == EVERY_OUTCOME
    what = "avoided incidents of all valued outcomes together" if several else row.label
    text = phrase(
        "value.prices_difference",
        group=row.group,
        until=_avoided(row),
        price_year=values.price_year,
        what=what,
        value=money(row.value, currency),
        interval=span(row.low, row.high, currency),
        more=_counted(row),
    )
    if row.verdict is not None and row.verdict != str(Verdict.BETTER):
        text += phrase("value.verdict_effect", verdict=row.verdict)
    elif row.low is not None and row.high is not None and row.low < 0 < row.high:
        text += PHRASES["value.range_holds"]
    return text


def _counted(row: Amount) -> str:
    """Say for what share of the incidents a cost counts, where that is not all."""
    share = row.share_costed
    if share is None or share > 1 - _SMALLEST:
        return ""
    return f", counting a cost for {number(share, 'ratio', 0)} of them"


def _avoided(row: Amount) -> str:
    if row.avoided is None:
        return ""
    word = "avoided" if row.avoided >= 0 else "more than expected"
    return f"{number(abs(row.avoided), 'count')} {row.unit} {word}; "


def per_pound(row: Amount, values: ValueSettings) -> str:
    """Return what each pound of funding was worth, with the probability that it exceeds one."""
    if row.per_pound is None or row.share_above_one is None:
        return ""
    currency = values.currency
    unit = f"{_SIGNS.get(currency, currency)}1"
    return phrase(
        "value.funding_interval",
        group=row.group,
        funding=money(row.funding, currency),
        per_pound=money(row.per_pound, currency),
        unit=unit,
        interval=span(row.per_pound_low, row.per_pound_high, currency),
        unit_2=unit,
        chance=probability(row.share_above_one),
    )


def probability(share: float) -> str:
    """Write a simulated share: no simulation makes anything certain."""
    if share > 1 - _SMALLEST:
        return "above 0.99"
    return "below 0.01" if share < _SMALLEST else number(share, "additive", 2)


def without_amount(rows: Sequence[Amount]) -> list[str]:
    """Return, once each, which outcomes have no amount and why."""
    said = [f"{r.label}: no amount; {r.note}." for r in rows if r.value is None]
    return [text[:1].upper() + text[1:] for text in dict.fromkeys(said)]


def limits(costs: Sequence[UsedCost], values: ValueSettings) -> list[str]:
    """Return what the amounts are made of, and what they leave out."""
    said = [PHRASES["value.recorded_incidents"], _mix(costs)]
    said.append(
        f"Prices of {values.price_year}"
        + (f", uprated with {values.deflator}" if values.deflator else "")
        + _discounting(values)
    )
    said.append(PHRASES["value.study_brings"])
    if values.left_out:
        names = ", ".join(values.left_out)
        said.append(phrase("value.left_out", names=names))
    return [*said, PHRASES["value.costs_without_published"], PHRASES["value.incident_counts"]]


def _mix(costs: Sequence[UsedCost]) -> str:
    parts = []
    for outcome in dict.fromkeys(c.outcome for c in costs):
        own = [c for c in costs if c.outcome == outcome]
        if len(own) == 1:
            continue
        shares = ", ".join(f"{number(c.share, 'ratio', 0)} {c.label}" for c in own)
        parts.append(f"{outcome.replace('_', ' ')}: {shares}")
    if not parts:
        return PHRASES["value.outcome_one"]
    return phrase("value.mix_incidents", parts="; ".join(parts))


def _discounting(values: ValueSettings) -> str:
    if not values.discount_rate:
        return "; nothing is discounted."
    return f"; each year after {values.base_year} counts {number(values.discount_rate, 'ratio')} a year less."
