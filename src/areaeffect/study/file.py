"""Reading `study.toml`: every fault at once, each with its line and what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from areaeffect.errors import Problem, StudyError, did_you_mean, repeated
from areaeffect.outcomes import FamilyName
from areaeffect.records import Json
from areaeffect.study.analysis import AddedLooks, Looks
from areaeffect.study.model import Study, split_reference
from areaeffect.study.parts import (
    NO_KINDS,
    Part,
    TomlFile,
    line_of,
    parse_toml,
    problems_of,
    read_toml,
    resolve,
    where,
)
from areaeffect.study.source_kinds import source_models


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A validated study, its path, and its text (which the seal hashes)."""

    study: Study  # the validated content
    path: Path  # the file
    text: str  # its text, as read
    lines: dict[str, int]  # line number of each key path, such as `outcome.0.family`
    added: AddedLooks | None = None  # looks that were written down after its plan was sealed

    @property
    def looks(self) -> Looks:
        """Last period of the data at each planned look; none where it is analysed once."""
        return self.added.looks if self.added else self.study.analysis.looks

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.path.parent

    def where(self, key: str) -> str:
        """Write the place of a key: file and, where known, line."""
        return where(self.path, self.lines, key)


def read_study(path: Path) -> StudyFile:
    """Read and validate a study file.

    Raises
    ------
    StudyError
        With every fault found: syntax, unknown keys (did you mean), missing keys, wrong
        values, sources that are named but not declared.
    """
    return _validated(read_toml(path, "study"), path)


def read_base(path: Path) -> StudyFile:
    """Read a base study: a study whose `[[initiative]]` is left to whoever uses its atlas.

    A place-holder replaces the initiatives, so that all else is held to the same rules.

    Raises
    ------
    StudyError
        As `read_study`.
    """
    file = read_toml(path, "base study")
    file.content["initiative"] = [{"name": "chosen later", "areas": "chosen later.csv"}]
    return _validated(file, path)


def parse_study(text: str, path: Path) -> StudyFile:
    """Validate a study's text as if it stood at a path, where its relative paths start.

    Raises
    ------
    StudyError
        As `read_study`.
    """
    return _validated(parse_toml(text, path), path)


def _validated(file: TomlFile, path: Path) -> StudyFile:
    undeclared = _undeclared(file.content, path, file.lines)
    try:
        study = Study.model_validate(file.content)
    except ValidationError as error:
        problems = problems_of(error, file, Study, {"source": source_models()})
        raise StudyError(problems + undeclared) from None
    if undeclared:
        raise StudyError(undeclared)
    return StudyFile(study, path, file.text, file.lines, _added_looks(study, path))


def _added_looks(study: Study, path: Path) -> AddedLooks | None:
    sealed = study.study.sealed
    beside = resolve(sealed, path.parent).with_name("looks.toml") if sealed else None
    if beside is None or not beside.is_file():
        return None
    if study.analysis.looks:
        raise StudyError("`looks` is given here and in the study file.", str(beside), "Drop one.")
    file = read_toml(beside, "looks")
    try:
        return AddedLooks.model_validate(file.content)
    except ValidationError as error:
        raise StudyError(problems_of(error, file, AddedLooks, NO_KINDS)) from None


def _undeclared(content: Json, path: Path, lines: dict[str, int]) -> list[Problem]:
    """Find sources that are named but not declared, and repeated names.

    Reads the content as written, so that these faults show beside a key that is misspelt.
    """
    declared = sorted(_table(content.get("source")))
    problems = [
        Problem(
            f"source '{source}' is not declared.",
            where(path, lines, place),
            did_you_mean(source, declared) or f"Declared: {', '.join(declared)}.",
        )
        for place, source in sorted(_named_sources(content), key=lambda n: line_of(lines, n[0]))
        if source not in declared
    ]
    for kind in ("outcome", "initiative"):
        names = [str(entry.get("name")) for _, entry in _entries(content, kind)]
        problems += [
            Problem(f"two {kind}s are named '{n}'.", where(path, lines, kind), "Names must differ.")
            for n in repeated(names)
        ]
    return problems


def _named_sources(content: Json) -> list[tuple[str, str]]:
    """Return (place, source) for every 'source' and 'source.column' of a study as written."""
    design, analysis = _table(content.get("design")), _table(content.get("analysis"))
    outcomes = _entries(content, "outcome")
    found = [(f"{place}.source", entry.get("source")) for place, entry in outcomes]
    columns = [(f"{place}.exposure", entry.get("exposure")) for place, entry in outcomes]
    columns += [
        (f"{place}.{key}", entry.get(key))
        for place, entry in _entries(content, "initiative")
        for key in ("treated_column", "start_column")
    ]
    columns += [
        (f"design.{place}", _table(entry).get("column", entry))
        for kind in ("covariates", "exclude")
        for place, entry in _entries(design, kind, tables_only=False)
    ]
    columns += [
        (f"atlas.{place}.column", entry.get("column"))
        for place, entry in _entries(_table(content.get("atlas")), "layers")
    ]
    columns.append(("design.score", design.get("score")))
    columns.append(("design.cap.by", _table(design.get("cap")).get("by")))
    columns.append(("register.authority", _table(content.get("register")).get("authority")))
    columns.append(("analysis.placebo_neighbourhoods", analysis.get("placebo_neighbourhoods")))
    found += [(place, split_reference(c)[0]) for place, c in columns if isinstance(c, str)]
    return [(place, source) for place, source in found if isinstance(source, str)]


def _table(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _entries(content: Json, kind: str, *, tables_only: bool = True) -> list[Any]:
    """Return (place, entry) of a list in the study, such as `outcome.0`."""
    listed = content.get(kind)
    entries = listed if isinstance(listed, list) else []
    return [
        (f"{kind}.{i}", entry)
        for i, entry in enumerate(entries)
        if isinstance(entry, dict) or not tables_only
    ]


#: The package that each estimator of `analysis.estimators` needs.
_NEEDS = {
    "callaway_santanna": "diff_diff",
    "synthetic_did": "diff_diff",
    "imputation": "diff_diff",
    "poisson": "pyfixest",
}


def refuse_missing_extras(file: StudyFile) -> None:
    """Refuse a study that names an estimator whose library is not installed.

    Raises
    ------
    StudyError
        With the extra to install, before anything long is begun.
    """
    asked = file.study.analysis.estimators
    missing = [n for n in asked if n in _NEEDS and find_spec(_NEEDS[n]) is None]
    if missing:
        raise StudyError(
            f"{', '.join(missing)} need the extra 'crosscheck', which is not installed.",
            file.where("analysis.estimators"),
            "Install it with `pip install 'areaeffect[crosscheck]'`, or leave them out.",
        )


def refuse_missing_cluster(address: str) -> None:
    """Refuse a cluster address where the extra that speaks to clusters is not installed."""
    if find_spec("distributed") is None:
        raise StudyError(
            "a cluster needs the extra 'cluster', which is not installed.",
            f"--cluster {address}",
            "Install it with `pip install 'areaeffect[cluster]'`, or leave --cluster out.",
        )


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
            raise ValueError("give `part` and `outcome` together")
        if self.part is None and not self.reason:
            raise ValueError("name the `part` and `outcome` beside it, or the `reason` why there is none")
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
            raise ValueError("two parts have the same name")
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
