"""How uncertainty is measured, and means before any matching."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from areaeffect.study.parts import ColumnText
from areaeffect.study.toml_file import Part

EstimatorName = Literal[
    "counterfactual", "callaway_santanna", "synthetic_did", "imputation", "random_timing", "poisson"
]


class Analysis(Part):
    """How uncertainty is measured."""

    placebos: int = Field(
        default=999, ge=39, le=99_999, description="placebo programmes; under 39 give no interval"
    )
    also_with: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="also give what this many neighbourhoods could detect, as in a whole programme",
    )
    placebo_neighbourhoods: str | None = Field(
        default=None, description="'source.column' whose values are the pseudo-neighbourhoods"
    )
    event_time_months: Literal[3, 6, 12] = Field(
        default=12, description="months that one step of the effect over time adds up"
    )
    groups: tuple[str, ...] = Field(
        default=(), description="separate findings by 'start', 'resident_led' or a column of the areas file"
    )
    estimators: tuple[EstimatorName, ...] = Field(
        default=("counterfactual",),
        description="'counterfactual' is the main estimator; the others are cross-checks "
        "(extra `crosscheck`)",
    )
    checks: bool = Field(
        default=True, description="run the falsification tests: leads, rings, earlier starts, …"
    )
    rings_km: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(0.5, 1.0, 2.0),
        min_length=1,
        description="outer edges of the rings in which spill-over is looked for, ascending",
    )
    linearised: bool = Field(default=False, description="add the linearised companion interval")
    between_neighbourhoods: bool = Field(
        default=True, description="add cluster-robust and bootstrap intervals, from ten on"
    )

    @model_validator(mode="after")
    def _has_rings_in_order(self) -> Self:
        if list(self.rings_km) != sorted(set(self.rings_km)):
            msg = "rings_km are outer edges, each further out than the one before: [0.5, 1, 2]"
            raise ValueError(msg)
        return self


class PlainMeans(Part):
    """Unadjusted means beside those of other areas with the same mix of classes."""

    by: ColumnText = Field(description="'source.column' with the classes: a decile, a region")
    label: str = Field(min_length=1, description="what the classes are, in print")
    also: tuple[ColumnText, ...] = Field(
        default=(), description="further 'source.column' to show beside the level outcomes"
    )
