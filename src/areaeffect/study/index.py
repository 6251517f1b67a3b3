"""What `index.toml` may say: indicators, direction, standardisation, weights, missing rule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from areaeffect.errors import Problem, StudyError, repeated
from areaeffect.study.parts import NO_KINDS, Part, PeriodText, TomlFile, problems_of, read_toml

Standard = Literal["exponential", "z-score", "rank", "none"]
Vintage = Literal["lsoa11", "lsoa21"]


class ColumnOf(Part):
    """A column: of a release of the catalogue, or of a CSV or Parquet file, one row an area."""

    release: str | None = Field(default=None, description="a release of the catalogue")
    path: str | None = Field(default=None, description="or a file, relative to the index file")
    area: str = Field(default="area_code", description="the file's column of area codes")
    column: str = Field(description="its column")
    leave_out: tuple[str, ...] = Field(
        default=(), description="codes of the file's rows that are no areas, such as totals"
    )
    accept: tuple[Literal["outlying cells"], ...] = Field(
        default=(), description="what would be refused and is right"
    )

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if (self.release is None) == (self.path is None):
            raise ValueError("give either `release` (of the catalogue) or `path` (a file)")
        return self

    @property
    def place(self) -> str:
        """Its position, for print and comparison."""
        return f"{self.release or self.path}: {self.column}"


class Indicator(ColumnOf):
    """One indicator of an index."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="short name: lower case, digits, _")
    worse: Literal["high", "low"] = Field(description="which values are worse")
    weight: Annotated[float, Field(gt=0)] = Field(default=1.0, description="its weight")
    denominator: ColumnOf | None = Field(
        default=None, description="what `column` is a count of: the indicator is their ratio"
    )
    shrink: bool = Field(
        default=False, description="shrink uncertain ratios towards that of the local authority"
    )

    @model_validator(mode="after")
    def _shrinks_a_ratio(self) -> Self:
        if self.shrink and self.denominator is None:
            raise ValueError("`shrink` needs a `denominator`: a count says how uncertain a ratio is")
        return self


class IndexPart(Part):
    """Title, rules that hold for all indicators, and the areas' authorities."""

    title: str = Field(min_length=1, description="what the page is called")
    about: str = Field(default="", description="what it is and what it is not")
    vintage: Vintage = Field(default="lsoa21", description="census vintage of its areas")
    as_of: PeriodText | None = Field(default=None, description="the latest date it describes")
    standardise: Standard = Field(
        default="exponential", description="how every indicator is brought to one scale"
    )
    weights_total: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="what the weighted sum is divided by; default the weights' sum"
    )
    authorities: ColumnOf | None = Field(
        default=None, description="in which local authority an area lies; default the official one"
    )
    boundaries: str | None = Field(
        default=None, description="a file of the areas' outlines, for the map of the page"
    )
    boundaries_area: str = Field(default="area_code", description="that file's column of area codes")


class LeftBehind(ColumnOf):
    """The deprivation that, with this index of need, makes an area 'left behind'."""

    worse: Literal["high", "low"] = Field(description="which values are more deprived")
    share: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.1, description="share of areas that is worst, on each of the two"
    )


class Index(Part):
    """A whole index."""

    index: IndexPart
    indicator: Annotated[tuple[Indicator, ...], Field(min_length=1)]
    left_behind: LeftBehind | None = None


@dataclass(frozen=True, slots=True)
class IndexFile:
    """A validated index and its file."""

    index: Index
    file: TomlFile

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.file.path.parent


def read_index(path: Path) -> IndexFile:
    """Read and validate an index file; raise StudyError with every fault and its line."""
    file = read_toml(path, "index")
    listed = file.content.get("indicator")
    entries = listed if isinstance(listed, list) else []
    names = [str(e.get("name")) for e in entries if isinstance(e, dict)]
    twice = [
        Problem(f"two indicators are named '{n}'.", file.where("indicator"), "Names must differ.")
        for n in repeated(names)
    ]
    try:
        index = Index.model_validate(file.content)
    except ValidationError as error:
        raise StudyError(problems_of(error, file, Index, NO_KINDS) + twice) from None
    if twice:
        raise StudyError(twice)
    return IndexFile(index, file)
