"""Reading a TOML file into a model: every fault at once, each with its line and what is allowed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from areaeffect.errors import Problem, StudyError, did_you_mean
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
    """Read a file; raise StudyError where there is none, or it is not UTF-8 or not TOML.

    Parameters
    ----------
    path : the file.
    what : what it should be, such as 'study'.
    """
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
    """Write down every fault that validation found, with its place and the way out."""
    return [_problem(e, file, root, kinds) for e in _causes(error)]


def line_of(lines: dict[str, int], key: str) -> int:
    """Return the line of a key, or of the nearest table around it; 0 where none is known."""
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return 0


def where(path: Path, lines: dict[str, int], key: str) -> str:
    """Write the place of a key: file and, where known, line."""
    line = line_of(lines, key)
    if line:
        return f"{path}, line {line}, {key}"
    return f"{path}, {key}" if key else str(path)


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


def _causes(error: ValidationError) -> list[Any]:
    """Leave out lists that are too short only because their entries have faults of their own."""
    errors: list[Any] = list(error.errors())
    return [
        e
        for e in errors
        if e["type"] != "too_short"
        or not any(e["loc"] == o["loc"][: len(e["loc"])] for o in errors if o is not e)
    ]


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
