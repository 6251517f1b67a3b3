"""How periods, columns and paths are written in a study, and what every source may say."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from areaeffect.disk import store_path
from areaeffect.errors import Problem, StudyError, did_you_mean
from areaeffect.periods import PeriodKind, kind_of, parse_period, why_ambiguous
from areaeffect.records import Json

_HEADER = re.compile(r"(\[\[?)([^\]]+)\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""^\s*(?:"([^"]+)"|([A-Za-z0-9_-]+))\s*=""")

#: Models that the key `kind` of a table chooses between, by the name of the table around it.
Kinds = Mapping[str, Mapping[str, type[BaseModel]]]
NO_KINDS: Kinds = {}


class Part(BaseModel):
    """A table of a file; a key that it does not name is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A TOML file as read."""

    path: Path  # the file
    text: str  # its text
    content: Json  # what it says, not yet validated
    lines: dict[str, int]  # line number of each key path, such as `outcome.0.family`

    def where(self, key: str) -> str:
        """Write the place of a key: file and, where known, line."""
        return where(self.path, self.lines, key)


def read_toml(path: Path, what: str) -> TomlFile:
    """Read a file of a kind, such as 'study'; refuse what is not there, not UTF-8 or not TOML."""
    if not path.is_file():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.toml")])
        fix = near or "Write one with `areaeffect init`."
        raise StudyError(f"there is no such {what} file.", str(path), fix)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError(
            f"the file is not UTF-8 (byte {error.start}).", str(path), "Save it as UTF-8."
        ) from None
    return parse_toml(text, path)


def parse_toml(text: str, path: Path) -> TomlFile:
    """Read TOML text as if it stood at a path; raise StudyError where it is not TOML."""
    try:
        content = tomllib.loads(text)
    except RecursionError:
        what = "not valid TOML: lists or tables are nested too deeply."
        raise StudyError(what, str(path), "No key needs more than three levels.") from None
    except ValueError as error:
        if not isinstance(error, tomllib.TOMLDecodeError):
            what = "not valid TOML: a number has thousands of digits."
            raise StudyError(what, str(path), "Shorten it.") from None
        line = re.search(r"at line (\d+)", str(error))
        place = f"{path}, line {line[1]}" if line else str(path)
        fault = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise StudyError(f"not valid TOML: {fault}.", place, "Text goes in quotes; one key a line.") from None
    return TomlFile(path, text, content, _lines_of_keys(text))


def problems_of(error: ValidationError, file: TomlFile, root: type[BaseModel], kinds: Kinds) -> list[Problem]:
    """Write down every fault that validation found, with its place and the way out.

    A list that is too short only because its entries have faults of their own is left out.
    """
    errors: list[Any] = list(error.errors())
    return [
        _problem(e, file, root, kinds)
        for e in errors
        if e["type"] != "too_short"
        or not any(e["loc"] == o["loc"][: len(e["loc"])] for o in errors if o is not e)
    ]


def line_of(lines: dict[str, int], key: str) -> int:
    """Return the line of a key, or of the nearest table around it; 0 where none is known."""
    while key and key not in lines:
        key = key.rpartition(".")[0]
    return lines.get(key, 0)


def where(path: Path, lines: dict[str, int], key: str) -> str:
    """Write the place of a key: file and, where known, line."""
    line = line_of(lines, key)
    parts = (str(path), f"line {line}" if line else "", key)
    return ", ".join(p for p in parts if p)


def _lines_of_keys(text: str) -> dict[str, int]:
    """Map key paths to line numbers; enough TOML for tables, arrays of tables and plain keys."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.fullmatch(line.strip())
        if header:
            prefix = header[2].replace('"', "").replace(" ", "")
            if header[1] == "[[":
                counts[prefix] = counts.get(prefix, -1) + 1
                prefix = f"{prefix}.{counts[prefix]}"
            lines.setdefault(prefix, number)
            continue
        key = _KEY.match(line)
        if key:
            name = key[1] or key[2]
            lines.setdefault(f"{prefix}.{name}" if prefix else name, number)
    return lines


def _model_at(location: tuple[int | str, ...], root: type[BaseModel], kinds: Kinds) -> type[BaseModel] | None:
    """Return the model whose keys are allowed at a place of the file."""
    model: Any = root
    if _is_tagged(location, kinds):  # ('source', name, kind, …)
        model, location = kinds[str(location[0])][str(location[2])], location[3:]
    for part in location:
        if isinstance(part, int):
            continue
        if isinstance(model, type) and issubclass(model, BaseModel):
            fields = {(f.alias or name): f for name, f in model.model_fields.items()}
            if part not in fields:
                return None
            model = _inner_model(fields[part].annotation)
        # a dict of models (`[source.NAME]`): the name itself leads no further
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _is_tagged(location: tuple[int | str, ...], kinds: Kinds) -> bool:
    """Say whether a place leads through a kind of table, which the file does not write."""
    return len(location) > 2 and location[2] in kinds.get(str(location[0]), {})  # noqa: PLR2004


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _inner_model(inner)
        if found is not None:
            return found
    return None


def _problem(error: Any, file: TomlFile, root: type[BaseModel], kinds: Kinds) -> Problem:
    location = tuple(error["loc"])
    written = (*location[:2], *location[3:]) if _is_tagged(location, kinds) else location
    key = ".".join(str(part) for part in written)
    where = file.where(key)
    name = str(location[-1]) if location else ""
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        allowed = list(kinds[str(location[0])])
        given = str(error.get("ctx", {}).get("tag", ""))
        what = f"'{given}' is not a kind of {location[0]}" if given else "'kind' is missing"
        near = did_you_mean(given, allowed)
        fix = f"{near} Allowed: {', '.join(allowed)}.".strip()
        return Problem(f"{what}.", file.where(f"{key}.kind"), fix)
    if error["type"] == "extra_forbidden":
        model = _model_at(location[:-1], root, kinds)
        allowed = [f.alias or n for n, f in model.model_fields.items()] if model else []
        near = did_you_mean(name, allowed)
        return Problem(
            f"'{name}' is not a key here.", where, near or f"Allowed: {', '.join(sorted(allowed))}."
        )
    if error["type"] == "missing":
        return Problem(f"'{name}' is missing.", where, "Add it; `areaeffect init` shows an example.")
    if error["type"] == "literal_error":
        given, expected = error["input"], error["ctx"]["expected"]
        allowed = re.findall(r"'([^']+)'", expected)
        near = did_you_mean(str(given), allowed)
        return Problem(f"'{given}' is not allowed.", where, f"{near} Allowed: {expected}.".strip())
    message = str(error["msg"]).removeprefix("Value error, ")
    return Problem(f"{message[0].lower()}{message[1:]}.", where)


#: A column of a source: 'source.column'.
ColumnText = Annotated[str, Field(pattern=r"^[^.]+\..+$")]


#: Why a number is missing.
MissingReason = Literal["not_published", "partial_month", "suppressed", "boundary_change", "not_located"]


def _text_of_period(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _is_period(text: str) -> str:
    if kind_of(text) is None:
        both = why_ambiguous(text) or f"'{text}' is not a period"
        raise ValueError(f"{both}; write '2012-04', '2012-Q2', '2012', '2012/13' or a number")
    return text


PeriodText = Annotated[str, BeforeValidator(_text_of_period), AfterValidator(_is_period)]


class NotCovered(Part):
    """Areas and periods that a source never reported: missing, not zero."""

    column: str = Field(description="column of the source that names the areas")
    values: tuple[str, ...] = Field(min_length=1, description="values of that column")
    from_period: PeriodText | None = Field(default=None, description="first period; default all")
    to_period: PeriodText | None = Field(default=None, description="last period; default all")
    reason: MissingReason = Field(default="not_published", description="why they are missing")


class RealFallOfAll(Part):
    """Periods in which a whole file looks like a gap of recording, and fell in truth."""

    from_period: PeriodText = Field(description="first period that is kept")
    to_period: PeriodText = Field(description="last period that is kept")
    why: str = Field(min_length=1, description="what made the fall: 'lockdown'; the report says it")


class RealFall(RealFallOfAll):
    """Months that look like a gap of recording, and are a real fall: kept, and said so."""

    column: str = Field(
        default="force", description="column in which gaps are looked for; police_uk: 'force'"
    )
    values: tuple[str, ...] = Field(min_length=1, description="values of that column")

    def text(self) -> str:
        """Return what is kept, for print."""
        span = f"{self.from_period} to {self.to_period}"
        return f"{', '.join(self.values)}, {span} ({self.why})"


class AnySource(Part):
    """What every kind of source may say."""

    kind: str = Field(description="what the source is")

    @property
    def from_release(self) -> str:
        """Release of the catalogue that the source is; empty for others."""
        return ""

    @property
    def falls(self) -> tuple[RealFall, ...]:
        """Periods that look like a gap of recording and are kept."""
        return ()

    @property
    def knows_its_gaps(self) -> bool:
        """Whether the reasons that the source gives for missing cells are all there are."""
        return True

    @property
    def zero_where_absent(self) -> bool:
        """Whether an area and period without a row is a zero."""
        return False

    not_covered: tuple[NotCovered, ...] = Field(
        default=(), description="areas and periods that the source never reported"
    )
    find_new_codes: bool = Field(
        default=True,
        description="flag codes that all begin, or all end, in one period as missing before or after it",
    )
    boundaries: str | None = Field(
        default=None, description="GeoJSON, GeoPackage, Shapefile, KML or GeoParquet"
    )
    boundaries_crs: str | None = Field(
        default=None, description="their coordinate system, where the file does not say it rightly"
    )
    boundaries_area: str | None = Field(default=None, description="its code column; default `area`")
    neighbours: str | None = Field(
        default=None,
        description="without boundaries: CSV or Parquet of areas that touch, a pair a row: `area` "
        "and `neighbour`",
    )


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
                f"start is a {kind_of(self.start)} and end is a {kind_of(self.end)}; write both the same way"
            )
            raise ValueError(msg)
        first, last = self.ordinals
        if last <= first:
            raise ValueError(f"the window ends ({self.end}) before it begins ({self.start})")
        return self

    @property
    def ordinals(self) -> tuple[int, int]:
        """Its first and its last period."""
        first, last = (parse_period(t, self.kind) for t in (self.start, self.end))
        if first is None or last is None:  # `PeriodText` has refused it
            raise ValueError(self.start)
        return first, last

    @property
    def months(self) -> tuple[int, int]:
        """Its first month, and the first month after it."""
        first, last = self.ordinals
        return self.kind.first_month(first), self.kind.first_month(last + 1)


class AtlasLayer(Part):
    """A further column to shade the map by, such as deprivation; no evaluation uses it."""

    column: ColumnText = Field(description="'source.column' with one number an area")
    label: str = Field(default="", description="name in print; default from the column")
    unit: str = Field(default="", description="what one unit is")
    better: Literal["", "lower", "higher"] = Field(
        default="", description="which is good, for the legend; empty: neither"
    )


class AtlasPart(Part):
    """Layers, names and postcodes of an atlas; `evaluate` does not look at them."""

    layers: tuple[AtlasLayer, ...] = Field(default=(), description="further layers of the map")
    places: str | None = Field(
        default=None,
        description="CSV of area_code with name, ward, authority and region; default the catalogue's lookups",
    )
    postcodes: str | None = Field(
        default=None,
        description="CSV of postcode and area_code, or a zip of the ONS Postcode Directory; "
        "default what `areaeffect fetch postcodes` has brought",
    )
    made_up: bool = Field(
        default=False, description="whether its places do not exist: such an atlas is shown last"
    )


SHARED_DATA_VARIABLE = "AREAEFFECT_SHARED_DATA"


def resolve(path: str, folder: Path) -> Path:
    """Expand variables, also those that are not set; relative to the study's folder.

    `${AREAEFFECT_SHARED_DATA}` and `${AREAEFFECT_FETCHED}` are known without being set.
    """
    shared = os.environ.get(SHARED_DATA_VARIABLE) or str(default_shared_data(folder))
    known = {SHARED_DATA_VARIABLE: shared, FETCHED_VARIABLE: str(default_fetched())}
    values = {**os.environ, **known}
    expanded = re.sub(r"\$\{(\w+)\}", lambda m: values.get(m[1], m[0]), path)
    return folder / expanded


def default_fetched() -> Path:
    """Return where fetched files go: `AREAEFFECT_FETCHED`, else `fetched` beside the store."""
    named = os.environ.get(FETCHED_VARIABLE)
    return Path(named) if named else store_path().with_name("fetched")


def default_shared_data(folder: Path) -> Path:
    """Return `../shared/data` beside the checkout that holds a folder (or beside the folder)."""
    here = folder.resolve()
    root = next((p for p in (here, *here.parents) if (p / "pyproject.toml").exists()), here)
    return root.parent / "shared" / "data"


FETCHED_VARIABLE = "AREAEFFECT_FETCHED"
