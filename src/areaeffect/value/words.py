"""Sentences about what avoided incidents may be worth, each number as the files hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.results import Verdict
from areaeffect.wording.numbers import NOT_ESTIMABLE, known, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.value.tables import Amount, UnitCost, ValueSettings

_SIGNS = {"GBP": "£", "USD": "$", "EUR": "€"}
_MILLION, _THOUSAND = 1e6, 1e3
_TEN, _HUNDRED = 10.0, 100.0
_SMALLEST = 0.01
EVERY_OUTCOME = "all valued outcomes"
RECORDED_ONLY = (
    "Recorded incidents only. Unit costs are those of a crime committed, and many crimes are never "
    "recorded, so for crime the amounts are on the low side."
)


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
    text = (
        f"{row.group}: {_avoided(row)}at prices of {values.price_year}, the difference in "
        f"{what} may be worth {money(row.value, currency)} "
        f"(95% interval {span(row.low, row.high, currency)}), recorded only{_counted(row)}."
    )
    if row.verdict is not None and row.verdict != str(Verdict.BETTER):
        text += (
            f" The verdict on the effect itself is ‘{row.verdict}’, so this is a range that the "
            "data allow, not a saving."
        )
    elif row.low is not None and row.high is not None and row.low < 0 < row.high:
        text += " The range holds zero: it may be a saving or a loss."
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
    return (
        f"{row.group}: {money(row.funding, currency)} of funding, so "
        f"{money(row.per_pound, currency)} for each {unit} (95% interval "
        f"{span(row.per_pound_low, row.per_pound_high, currency)}); the probability that it "
        f"exceeds {unit} is {probability(row.share_above_one)}. What else the funding brought "
        "is not in it."
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


def limits(rows: Sequence[Amount], costs: Sequence[UnitCost], values: ValueSettings) -> list[str]:
    """Return what the amounts are made of, and what they leave out."""
    said = [RECORDED_ONLY, _mix(costs)]
    said.append(
        f"Prices of {values.price_year}"
        + (f", uprated with {values.deflator}" if values.deflator else "")
        + _discounting(values)
    )
    said.append("The study brings its own unit costs; the table names the source of each.")
    if values.left_out:
        names = ", ".join(values.left_out)
        said.append(f"Left out, because nobody has checked their costs yet: {names}.")
    said.append(
        f"Costs without a published range may be off by {number(values.cost_range, 'ratio', 0)} "
        "either way: an assumption of the study."
        if values.cost_range
        else "Costs without a published range are taken as exact: the interval is the effect's."
    )
    if all(row.fiscal is None for row in rows):
        said.append(
            "What part falls on public services is not estimable: the unit costs do not say. "
            "The amounts are economic and social ones, most of them not in anybody's budget."
        )
    said.append(
        "No incident counts twice: all crime and its parts are not added up, and anti-social "
        "behaviour is not part of crime."
    )
    return said


def scale(values: ValueSettings) -> list[str]:
    """Set the effect in rates beside that of the published study, where all crime is valued."""
    published, said = values.published, []
    for row in values.scale:
        own, low, high = (number(x, "additive", 1) for x in (row.estimate, row.low, row.high))
        said.append(f"{row.group}: {own} crimes per 1,000 a year (95% interval {low} to {high}).")
    if published is None:
        return said
    theirs, benchmark, difference = (
        number(x, "additive", 1)
        for x in (published.initiative_change, published.benchmark_change, published.difference)
    )
    said.append(
        f"For scale, {published.source} reported {theirs} per 1,000 in areas with an initiative "
        f"against {benchmark} in {published.benchmark_areas} benchmark areas over "
        f"{published.years} years, a "
        f"difference of {difference} (our subtraction), with no interval."
    )
    return said


def _mix(costs: Sequence[UnitCost]) -> str:
    parts = []
    for outcome in dict.fromkeys(c.outcome for c in costs):
        own = [c for c in costs if c.outcome == outcome]
        if len(own) == 1:
            continue
        shares = ", ".join(f"{number(c.share, 'ratio', 0)} {c.label}" for c in own)
        parts.append(f"{outcome.replace('_', ' ')}: {shares}")
    if not parts:
        return "Each outcome is one kind of incident with one unit cost."
    return f"The mix of incidents is an assumption of the study ({'; '.join(parts)})."


def _discounting(values: ValueSettings) -> str:
    if not values.discount_rate:
        return "; nothing is discounted."
    return (
        f"; each year after {values.base_year} counts "
        f"{number(values.discount_rate, 'ratio')} a year less."
    )
