"""The span of time that a study looks at."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from areaeffect.periods import PeriodKind, kind_of, parse_period
from areaeffect.study.parts import PeriodText
from areaeffect.study.toml_file import Part


class Window(Part):
    """First and last period that the study looks at."""

    start: PeriodText = Field(description="first period: '2012-04', '2012-Q2', '2012' or a number")
    end: PeriodText = Field(description="last period, written like the first")

    @property
    def kind(self) -> PeriodKind:
        """What one period of the window is."""
        kind = kind_of(self.start)
        if kind is None:  # `PeriodText` has refused it
            raise ValueError(self.start)
        return kind

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if kind_of(self.start) != kind_of(self.end):
            msg = (
                f"start is a {kind_of(self.start)} and end is a {kind_of(self.end)}; "
                "write both the same way"
            )
            raise ValueError(msg)
        first, last = (parse_period(t, self.kind) for t in (self.start, self.end))
        if first is None or last is None or last <= first:
            msg = f"the window ends ({self.end}) before it begins ({self.start})"
            raise ValueError(msg)
        return self
