"""The columns of the tables that `value` writes, and the published figures beside them."""

from __future__ import annotations

from dataclasses import dataclass

from areaeffect.results import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedScale:
    """A published difference in crimes per 1,000, for scale."""

    source: str
    initiative_change: float
    benchmark_change: float
    difference: float
    benchmark_areas: int
    years: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A group's effect on all crime, in crimes per 1,000 a year."""

    group: str
    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSettings:
    """What the amounts of a study rest on.

    Parameters
    ----------
    currency, price_year, discount_rate, base_year : of the amounts.
    cost_range : by how much costs without a published range may be off, a fraction.
    costs, is_own_costs : where the unit costs are from.
    deflator : what prices were uprated with; None where none were.
    left_out : whether costs that are still to be verified are left out.
    funding_prices : year of the funding's prices.
    scale, published : effects in rates, and the published difference where all crime is valued.
    """

    currency: str
    price_year: str
    discount_rate: float
    base_year: int | None
    cost_range: float
    costs: str
    is_own_costs: bool
    deflator: str | None
    left_out: bool
    funding_prices: str | None
    scale: tuple[Rate, ...]
    published: PublishedScale | None


#: Local Trust, 3ni, Shared Intelligence and OCSI, 1 July 2025 (a news page; no interval there).
PUBLISHED_SCALE = PublishedScale(
    source="Local Trust with 3ni, Shared Intelligence and OCSI, July 2025",
    initiative_change=-19.1,
    benchmark_change=-10.5,
    difference=-8.6,
    benchmark_areas=29,
    years=15,
)

AMOUNT_COLUMNS = (
    Column("group", "string", "Whose effect"),
    Column("outcome", "string", "What was avoided; all valued outcomes added up in one line"),
    Column("label", "string", "Its name in print"),
    Column("unit", "string", "What one incident is called"),
    Column("basis", "string", "Which unit costs count: those read, or also those to be verified"),
    Column("verdict", "string", "Verdict on the effect"),
    Column("observed", "number", "Incidents counted after the start"),
    Column("avoided", "number", "Avoided incidents: expected less observed"),
    Column("avoided_low", "number", "Low end of their 95% interval, from the effect's"),
    Column("avoided_high", "number", "High end of their 95% interval"),
    Column("kept", "number", "Share that is left after discounting"),
    Column("share_costed", "number", "Share of the incidents that carry a unit cost"),
    Column("value", "number", "Worth at the estimate and the central costs, recorded only"),
    Column("low", "number", "Low end of its 95% interval, by simulation"),
    Column("high", "number", "High end of its 95% interval, by simulation"),
    Column("share_positive", "number", "Share of the simulated values above zero"),
    Column("fiscal", "number", "Part of it on public services; empty where the costs do not say"),
    Column("fiscal_low", "number", "Low end of that part's 95% interval"),
    Column("fiscal_high", "number", "High end of that part's 95% interval"),
    Column("funding", "number", "Funding in the same prices"),
    Column("per_pound", "number", "Worth for each unit of funding"),
    Column("per_pound_low", "number", "Low end of its 95% interval"),
    Column("per_pound_high", "number", "High end of its 95% interval"),
    Column("share_above_one", "number", "Share of the simulated values above the funding"),
    Column("note", "string", "Why there is no amount"),
)

COST_COLUMNS = (
    Column("outcome", "string", "Outcome that is valued"),
    Column("item", "string", "Kind of incident"),
    Column("label", "string", "Its name in print"),
    Column("share", "number", "Share of the outcome's incidents, as the study assumes"),
    Column("cost", "number", "Unit cost as published"),
    Column("price_year", "string", "Year of those prices"),
    Column("cost_now", "number", "The same in the prices asked for"),
    Column("low", "number", "Low end used, in the prices asked for"),
    Column("high", "number", "High end used"),
    Column("fiscal_share", "number", "Part that falls on public services"),
    Column("status", "string", "How far the cost was checked"),
    Column("source", "string", "Where it stands"),
)
