"""What a study may say of surveys, events and stories."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from areaeffect.outcomes import FAMILIES, FamilyName
from areaeffect.study.toml_file import Part


class Item(Part):
    """One question of a survey, answered on a scale of whole or broken numbers."""

    column: str = Field(min_length=1, description="column with the answers")
    lowest: float = Field(description="number of the answer at the lower end")
    highest: float = Field(description="number of the answer at the upper end")
    reverse: bool = Field(default=False, description="the lower end is the better one (it becomes 100)")

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.highest <= self.lowest:
            msg = f"the scale of '{self.column}' ends ({self.highest:g}) before it begins"
            raise ValueError(msg)
        return self


class Survey(Part):
    """Answers of people, one row a person, with their area."""

    path: str = Field(description="CSV or Parquet: one row a respondent")
    area: str = Field(description="column with the area code")
    items: tuple[Item, ...] = Field(min_length=1, description="questions that form the scale")
    least_items: int = Field(default=1, ge=1, description="answers a respondent needs to count in the scale")
    missing: tuple[str, ...] = Field(default=("",), description="values that mean no answer: '-9', 'refused'")
    label: str = Field(default="", description="name of the scale in print")
    family: FamilyName = Field(
        default="social_relationships", description="which of the six families it belongs to"
    )
    weight: str | None = Field(default=None, description="column with the survey weight")
    cluster: str | None = Field(
        default=None, description="column with the sampling cluster; default the area"
    )
    wave: str | None = Field(default=None, description="column with the wave, as a period")
    before: str | None = Field(default=None, description="the wave before every start")
    after: str | None = Field(default=None, description="the wave after every start")

    @model_validator(mode="after")
    def _waves_belong_together(self) -> Self:
        given = [self.wave is not None, self.before is not None, self.after is not None]
        if any(given) and not all(given):
            msg = "give `wave`, `before` and `after` together, or none of them"
            raise ValueError(msg)
        if self.least_items > len(self.items):
            msg = f"least_items is {self.least_items}, and there are {len(self.items)} items"
            raise ValueError(msg)
        return self

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the study names for this survey."""
        return (self.path,)


class Stories(Part):
    """What people say, beside the numbers and never a part of them."""

    events: str | None = Field(default=None, description="CSV: date, neighbourhood, what happened")
    folder: str | None = Field(default=None, description="folder of case studies, one .md each")
    themes: dict[str, str] = Field(
        default_factory=dict,
        description="themes of the theory of change, and the outcome family each speaks of",
    )

    @model_validator(mode="after")
    def _themes_have_families(self) -> Self:
        if self.events is None and self.folder is None:
            msg = "give `events` (a CSV file), `folder` (of .md files), or both"
            raise ValueError(msg)
        for theme, family in self.themes.items():
            if family not in FAMILIES:
                msg = f"theme '{theme}' names family '{family}'; allowed: {', '.join(FAMILIES)}"
                raise ValueError(msg)
        return self
