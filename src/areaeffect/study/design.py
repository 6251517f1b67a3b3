"""What a study may say of its design: who is compared, on what, and how areas are weighted."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from areaeffect.study.parts import ColumnText, PeriodText
from areaeffect.study.toml_file import Part

#: Matches of each treated area where places were chosen by a score, unless the study says more.
PLACED_RATIO = 60


class Covariate(Part):
    """A characteristic of areas that benchmark areas must share."""

    column: ColumnText = Field(description="'source.column'")
    as_of: PeriodText | None = Field(default=None, description="the date it describes")


def _covariate(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


class Exclusion(Part):
    """Areas that may not serve as benchmark areas, and why."""

    column: ColumnText = Field(description="'source.column'")
    values: tuple[str, ...] = Field(min_length=1, description="values of areas to leave out")
    reason: str = Field(min_length=1, description="why, as the report prints it")


class Only(Part):
    """A rule that benchmark areas must keep to: named values, or a range of numbers.

    With neither values nor an end of a range, it is the treated areas' own range (numbers) or
    own values (text): a deprivation band, a region, a police force.
    """

    column: ColumnText = Field(description="'source.column'")
    values: tuple[str, ...] = Field(default=(), min_length=1, description="values that may serve")
    low: float | None = Field(default=None, description="smallest number that may serve")
    high: float | None = Field(default=None, description="largest number that may serve")

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        if self.values and (self.low is not None or self.high is not None):
            msg = "give either values, or low and high"
            raise ValueError(msg)
        if self.low is not None and self.high is not None and self.high < self.low:
            msg = f"the range ends ({self.high:g}) before it begins ({self.low:g})"
            raise ValueError(msg)
        return self


class Cap(Part):
    """The most places of one group that the rule of placement takes."""

    by: ColumnText = Field(description="'source.column' of the group: the authority")
    at_most: int = Field(ge=1, description="places of one group that are taken")


class DesignPart(Part):
    """How benchmark areas are chosen."""

    unit: Literal["neighbourhood", "programme"] = Field(
        default="neighbourhood", description="one set of weights each, or one for all treated areas"
    )
    covariates: tuple[Annotated[Covariate, BeforeValidator(_covariate)], ...] = Field(
        default=(), description="what benchmark areas must share: 'source.column', with its date"
    )
    history: Literal["12-month blocks", "every period"] = Field(
        default="12-month blocks", description="outcomes before the start that they must share"
    )
    nearest: int = Field(default=60, ge=0, description="nearest areas of each treated one; 0: whole pool")
    common_support: bool = Field(
        default=True, description="leave out areas outside the treated areas' range before the start"
    )
    last_to_start: Literal["treated", "benchmark"] = Field(
        default="treated",
        description="benchmark: where no area stays untreated, those that start last serve as "
        "benchmark areas, and the periods from their start on are not used",
    )
    exclude: tuple[Exclusion, ...] = Field(
        default=(), description="areas that may not serve as benchmark areas"
    )
    only: tuple[Only, ...] = Field(
        default=(), description="rules that benchmark areas must keep to: a deprivation band, …"
    )
    exact: tuple[ColumnText, ...] = Field(
        default=(), description="'source.column' whose value a benchmark area must share"
    )
    calibration: Literal["chi-square", "entropy", "none"] = Field(
        default="chi-square",
        description="distance from equal weights that is kept small; none: matched areas only",
    )
    ratio: int = Field(default=5, ge=1, description="matches of each treated area, where calibration is none")

    score: ColumnText | None = Field(
        default=None,
        description="'source.column' by whose rank places were chosen; it becomes a covariate, and "
        "`calibration` is 'none' with `ratio` 60 unless they are given",
    )
    chosen: str | None = Field(
        default=None,
        pattern=r"^(lowest|highest) [1-9][0-9]*$",
        description="which places: 'lowest 150', 'highest 40'",
    )
    cap: Cap | None = Field(
        default=None, description='the most places of one group: { by = "…", at_most = 3 }'
    )

    @property
    def takes_highest(self) -> bool:
        """Whether the places with the highest scores were chosen."""
        return (self.chosen or "").startswith("highest")

    @property
    def n_chosen(self) -> int:
        """How many places the rule takes; 0 without one."""
        return int(self.chosen.split()[1]) if self.chosen else 0

    @model_validator(mode="before")
    @classmethod
    def _is_matched_near_the_cut(cls, given: object) -> object:
        """Match on the score, and leave what matching cannot reach to the regression.

        The places chosen are the extreme of a rank: weights that reach their mean rest on the few
        areas beyond the cut that look most like them, and on what those areas share.
        """
        if not isinstance(given, dict) or "score" not in given:
            return given
        score, listed = given["score"], given.get("covariates", ())
        named = [c.get("column") if isinstance(c, dict) else c for c in listed]
        changed = given if score in named else given | {"covariates": [*listed, score]}
        if "calibration" in given:
            return changed
        return {"calibration": "none", "ratio": PLACED_RATIO} | changed

    @model_validator(mode="after")
    def _has_a_whole_rule(self) -> Self:
        if (self.score is None) != (self.chosen is None):
            msg = "score and chosen belong together: score = 'source.column', chosen = 'lowest 150'"
            raise ValueError(msg)
        if self.cap is not None and self.score is None:
            msg = "cap belongs to a rule of placement: give score and chosen too"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.calibration != "none" and "ratio" in self.model_fields_set:
            msg = "ratio belongs to calibration = 'none' (matched areas only)"
            raise ValueError(msg)
        return self
