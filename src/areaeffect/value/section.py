"""The section 'What it may be worth': amounts, intervals, costs, and what they rest on."""

from __future__ import annotations

from collections.abc import Sequence

from areaeffect.document.blocks import Block, Bullets, Data, Folded, Paragraph, Section, SectionPlace
from areaeffect.document.chart_tables import Columns, Table, cell
from areaeffect.records import rows_of
from areaeffect.results import Annex, Result, Verdict
from areaeffect.value.worth import EVERY_OUTCOME, Amount, UsedCost, ValueSettings
from areaeffect.wording.numbers import NOT_ESTIMABLE, PHRASES, known, number, phrase

_MILLION = 1e6
_SIGNS = {"GBP": "£", "USD": "$", "EUR": "€"}
_TEN, _HUNDRED = 10.0, 100.0
_SMALLEST = 0.01


def value_section(_result: Result, annex: Annex[ValueSettings]) -> Section:
    """Return the section of the annex `value`."""
    values = annex.found
    rows = rows_of(annex.table("value"), Amount)
    costs = rows_of(annex.table("value_costs"), UsedCost)
    blocks: list[Block] = [Paragraph(lead(row, values)) for row in _one_a_group(rows)]
    blocks += [Paragraph(text) for row in rows if (text := per_pound(row, values))]
    blocks.append(Data(amounts_table(rows, values), "value"))
    blocks.append(Bullets((*limits(costs, values), *without_amount(rows))))
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
    columns: Columns[Amount] = {
        "Group": lambda r: r.group,
        "Outcome": lambda r: r.label,
        "Avoided": lambda r: "–" if r.avoided is None else number(r.avoided, "count"),
        "Share with a cost": lambda r: "–" if r.share_costed is None else number(r.share_costed, "ratio", 0),
        "Worth": lambda r: _cell(r.value, currency),
        "Low": lambda r: _cell(r.low, currency),
        "High": lambda r: _cell(r.high, currency),
        "For each unit of funding": lambda r: _cell(r.per_pound, currency),
        "Probability above one": lambda r: cell(r.share_above_one, 2),
        "Remark": lambda r: r.note or "",
    }
    return Table.of("Worth of avoided incidents", rows, columns, range(2, 9))


def costs_table(rows: Sequence[UsedCost], values: ValueSettings) -> Table:
    """Return the unit costs in words."""
    currency = values.currency
    columns: Columns[UsedCost] = {
        "Outcome": lambda r: r.outcome.replace("_", " "),
        "Kind of incident": lambda r: r.label,
        "Share": lambda r: number(r.share, "ratio", 1),
        "Cost as published": lambda r: _cell(r.cost, currency),
        "Prices of": lambda r: r.price_year or "–",
        f"Cost, prices of {values.price_year}": lambda r: _cell(r.cost_now, currency),
        "Range used": lambda r: "–" if r.low is None else span(r.low, r.high, currency),
        "Status": lambda r: r.status or "–",
        "Source": lambda r: r.source or "–",
    }
    return Table.of("Unit costs used", rows, columns, {2, 3, 5})


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


def _cell(value: float | None, currency: str) -> str:
    return "–" if value is None else money(value, currency)


def span(low: float | None, high: float | None, currency: str) -> str:
    """Write an interval of amounts."""
    return f"{money(low, currency)} to {money(high, currency)}"


def lead(row: Amount, values: ValueSettings) -> str:
    """Return the account of one group's amount: what, how much, how sure, in which prices."""
    currency, several = values.currency, row.outcome == EVERY_OUTCOME
    until = more = ""
    if row.avoided is not None:
        word = "avoided" if row.avoided >= 0 else "more than expected"
        until = f"{number(abs(row.avoided), 'count')} {row.unit} {word}; "
    if row.share_costed is not None and row.share_costed <= 1 - _SMALLEST:
        more = f", counting a cost for {number(row.share_costed, 'ratio', 0)} of them"
    what = "avoided incidents of all valued outcomes together" if several else row.label
    text = phrase(
        "value.prices_difference",
        group=row.group,
        until=until,
        price_year=values.price_year,
        what=what,
        value=money(row.value, currency),
        interval=span(row.low, row.high, currency),
        more=more,
    )
    if row.verdict is not None and row.verdict != str(Verdict.BETTER):
        text += phrase("value.verdict_effect", verdict=row.verdict)
    elif row.low is not None and row.high is not None and row.low < 0 < row.high:
        text += PHRASES["value.range_holds"]
    return text


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
    parts = []
    for outcome in dict.fromkeys(c.outcome for c in costs):
        own = [c for c in costs if c.outcome == outcome]
        if len(own) > 1:
            shares = ", ".join(f"{number(c.share, 'ratio', 0)} {c.label}" for c in own)
            parts.append(f"{outcome.replace('_', ' ')}: {shares}")
    mix = phrase("value.mix_incidents", parts="; ".join(parts)) if parts else PHRASES["value.outcome_one"]
    prices = f"Prices of {values.price_year}"
    prices += f", uprated with {values.deflator}" if values.deflator else ""
    if values.discount_rate:
        rate = number(values.discount_rate, "ratio")
        prices += f"; each year after {values.base_year} counts {rate} a year less."
    else:
        prices += "; nothing is discounted."
    said = [PHRASES["value.recorded_incidents"], mix, prices, PHRASES["value.study_brings"]]
    if values.left_out:
        said.append(phrase("value.left_out", names=", ".join(values.left_out)))
    return [*said, PHRASES["value.costs_without_published"], PHRASES["value.incident_counts"]]
