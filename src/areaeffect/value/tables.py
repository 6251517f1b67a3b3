"""The columns of the tables that `value` writes, and the published figures beside them."""

from __future__ import annotations

from dataclasses import dataclass

from areaeffect.records import described


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
class CrimeRate:
    """A group's effect on all crime, in crimes per 1,000 a year."""

    group: str
    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSettings:
    """What the amounts of a study rest on."""

    #: currency, price_year, discount_rate, base_year: of the amounts
    currency: str
    price_year: str
    discount_rate: float
    base_year: int | None
    cost_range: float  # by how much costs without a published range may be off, a fraction
    deflator: str | None  # what prices were uprated with; None where none were.
    left_out: tuple[str, ...]  # costs that nobody has read, which are not multiplied
    funding_prices: str | None  # year of the funding's prices
    #: scale, published: effects in rates, and the published difference where all crime is valued
    scale: tuple[CrimeRate, ...]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What one outcome of a group may be worth, or all together; or why there is no amount."""

    group: str = described("Whose effect")
    outcome: str = described("What was avoided; all valued outcomes added up in one line")
    label: str = described("Its name in print")
    unit: str | None = described("What one incident is called", None)
    verdict: str | None = described("Verdict on the effect", None)
    observed: float | None = described("Incidents counted after the start", None)
    avoided: float | None = described("Avoided incidents: expected less observed", None)
    avoided_low: float | None = described("Low end of their 95% interval, from the effect's", None)
    avoided_high: float | None = described("High end of their 95% interval", None)
    kept: float | None = described("Share that is left after discounting", None)
    share_costed: float | None = described("Share of the incidents that carry a unit cost", None)
    value: float | None = described("Worth at the estimate and the central costs, recorded only", None)
    low: float | None = described("Low end of its 95% interval, by simulation", None)
    high: float | None = described("High end of its 95% interval, by simulation", None)
    share_positive: float | None = described("Share of the simulated values above zero", None)
    fiscal: float | None = described("Part of it on public services; empty where the costs do not say", None)
    fiscal_low: float | None = described("Low end of that part's 95% interval", None)
    fiscal_high: float | None = described("High end of that part's 95% interval", None)
    funding: float | None = described("Funding in the same prices", None)
    per_pound: float | None = described("Worth for each unit of funding", None)
    per_pound_low: float | None = described("Low end of its 95% interval", None)
    per_pound_high: float | None = described("High end of its 95% interval", None)
    share_above_one: float | None = described("Share of the simulated values above the funding", None)
    note: str = described("Why there is no amount", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCost:
    """A unit cost that a mix names, or the share that has none."""

    outcome: str = described("Outcome that is valued")
    item: str = described("Kind of incident")
    label: str = described("Its name in print")
    share: float = described("Share of the outcome's incidents, as the study assumes")
    cost: float | None = described("Unit cost as published", None)
    price_year: str | None = described("Year of those prices", None)
    cost_now: float | None = described("The same in the prices asked for", None)
    low: float | None = described("Low end used, in the prices asked for", None)
    high: float | None = described("High end used", None)
    fiscal_share: float | None = described("Part that falls on public services", None)
    status: str | None = described("How far the cost was checked", None)
    source: str | None = described("Where it stands", None)
