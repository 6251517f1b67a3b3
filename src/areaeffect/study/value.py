"""What the section `[value]` of a study may say: prices, costs, mixes and funding."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from areaeffect.study.toml_file import Part

#: The share of a mix that no unit cost is put on.
NOT_VALUED = "not_valued"
#: Every crime, which anti-social behaviour is not: its incidents are no notifiable offences.
ALL_CRIME = "all_crime"
_TOLERANCE = 1e-6


def _sums_to_one(mix: dict[str, float]) -> dict[str, float]:
    total = sum(mix.values())
    if abs(total - 1.0) > _TOLERANCE:
        msg = f"the shares of a mix must add up to 1, and these add up to {total:g}"
        raise ValueError(msg)
    return mix


Share = Annotated[float, Field(ge=0, le=1)]
Mix = Annotated[dict[str, Share], Field(min_length=1), AfterValidator(_sums_to_one)]
PriceYear = Annotated[str, Field(pattern=r"^(19|20)\d{2}(/\d{2})?$")]


class ValuePart(Part):
    """What avoided incidents are worth: unit costs, prices, discounting and funding."""

    price_year: PriceYear = Field(description="year in whose prices all is given: '2024'")
    discount_rate: float = Field(default=0.035, ge=0, lt=1, description="a year; 0.035 is the Green Book's")
    costs: str = Field(
        description="CSV of the study's own unit costs, each with price year, status and source"
    )
    cost_range: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="an assumption: costs without a range of their own may be off by this share",
    )
    mix: dict[str, Mix] = Field(
        default_factory=dict,
        description="category to shares of its unit costs, and `not_valued`; adding up to 1",
    )
    funding: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="initiative to its funding, in the currency of the costs"
    )
    funding_prices: PriceYear | None = Field(
        default=None, description="year in whose prices funding is given"
    )

    @model_validator(mode="after")
    def _funding_has_prices(self) -> Self:
        if self.funding and self.funding_prices is None:
            msg = "`funding` has no price year; write `funding_prices`"
            raise ValueError(msg)
        return self
