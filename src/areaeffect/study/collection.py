"""What a collection says: several studies of one programme, and what others published of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from areaeffect.errors import Problem, StudyError, did_you_mean
from areaeffect.outcomes import FamilyName
from areaeffect.study.toml_file import NO_KINDS, Part, problems_of, read_toml


class CollectionPart(Part):
    """One study of the collection."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="short name, also of its folder")
    study: str = Field(description="its study file, relative to this file")
    title: str = Field(min_length=1, description="what it asks, in print")


class Published(Part):
    """One finding that others have published, and our finding to compare with it."""

    source: str = Field(min_length=1, description="who published it, and when")
    said: str = Field(min_length=1, description="what was found, in their words or close to them")
    family: FamilyName = Field(description="which of the six families it belongs to")
    claim: Literal["change", "level"] = Field(description="the kind of claim they made")
    figure: str = Field(default="", description="their figure with its interval, where given")
    part: str | None = Field(default=None, description="the part that asks the same")
    outcome: str | None = Field(default=None, description="the outcome of that part")
    group: str | None = Field(default=None, description="whose finding; default the first group")
    reason: str = Field(default="", description="why no finding of ours compares with it")
    differ: str = Field(default="", description="why the two may differ")

    @model_validator(mode="after")
    def _has_ours_or_a_reason(self) -> Self:
        if (self.part is None) != (self.outcome is None):
            msg = "give `part` and `outcome` together"
            raise ValueError(msg)
        if self.part is None and not self.reason:
            msg = "name the `part` and `outcome` beside it, or the `reason` why there is none"
            raise ValueError(msg)
        return self


class Collection(Part):
    """A whole collection."""

    title: str = Field(min_length=1, description="what the report is called")
    question: str = Field(default="", description="the question, in one sentence")
    notes: tuple[str, ...] = Field(default=(), description="what to know before reading on")
    part: tuple[CollectionPart, ...] = Field(min_length=1)
    published: tuple[Published, ...] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [p.name for p in self.part]
        if len(set(names)) < len(names):
            msg = "two parts have the same name"
            raise ValueError(msg)
        for beside in self.published:
            if beside.part is not None and beside.part not in names:
                msg = f"no part is named '{beside.part}'. {did_you_mean(beside.part, names)}"
                raise ValueError(msg.strip())
        return self


class CollectionFileContent(Part):
    """The one table of a collection file."""

    collection: Collection


@dataclass(frozen=True, slots=True)
class CollectionFile:
    """A collection with the place it was read from."""

    collection: Collection
    path: Path

    def study(self, part: CollectionPart) -> Path:
        """Return the path of a part's study file."""
        return self.path.parent / part.study


def is_collection(path: Path) -> bool:
    """Say whether a file is a collection, which has one table of that name."""
    return "collection" in read_toml(path, "study").content


def read_collection(path: Path) -> CollectionFile:
    """Read and validate a collection.

    Raises
    ------
    StudyError
        With every fault found, and parts whose study file is not there.
    """
    file = read_toml(path, "collection")
    try:
        content = CollectionFileContent.model_validate(file.content)
    except ValidationError as error:
        raise StudyError(problems_of(error, file, CollectionFileContent, NO_KINDS)) from None
    read = CollectionFile(content.collection, path)
    missing = [
        Problem(
            f"there is no study file '{part.study}'.",
            file.where(f"collection.part.{i}"),
            did_you_mean(part.study, [p.name for p in path.parent.glob("*.toml")]),
        )
        for i, part in enumerate(content.collection.part)
        if not read.study(part).is_file()
    ]
    if missing:
        raise StudyError(missing)
    return read
