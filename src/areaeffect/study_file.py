"""Reading `study.toml`: every fault at once, each with its line and what is allowed."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from areaeffect.errors import Problem, StudyError, did_you_mean
from areaeffect.study import SOURCE_KINDS, Study, split_reference

if TYPE_CHECKING:
    from pathlib import Path

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*(?:"([^"]+)"|([A-Za-z0-9_-]+))\s*=""")


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A validated study, where it stands, and its text (which the seal hashes).

    Parameters
    ----------
    study : the validated content.
    path : the file.
    text : its text, as read.
    lines : line number of each key path, such as `outcome.0.family`.
    """

    study: Study
    path: Path
    text: str
    lines: dict[str, int]

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.path.parent

    def where(self, key: str) -> str:
        """Write the place of a key: file and, where known, line."""
        return _where(self.path, self.lines, key)


def read_study(path: Path) -> StudyFile:
    """Read and validate a study file.

    Raises
    ------
    StudyError
        With every fault found: syntax, unknown keys (did you mean), missing keys, wrong
        values, sources that are named but not declared.
    """
    if not path.is_file():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.toml")])
        fix = near or "Write one with `areaeffect init`."
        raise StudyError(Problem("there is no such study file.", str(path), fix))
    try:
        text = path.read_bytes().decode("utf-8-sig")
        content = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise StudyError(
            Problem(f"the file is not UTF-8 (byte {error.start}).", str(path), "Save it as UTF-8.")
        ) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{path}, line {line[1]}" if line else str(path)
        what = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise StudyError(
            Problem(f"not valid TOML: {what}.", place, "Text goes in quotes; one key a line.")
        ) from None
    lines = _lines_of_keys(text)
    try:
        study = Study.model_validate(content)
    except ValidationError as error:
        problems = [_problem(e, path, lines) for e in _causes(error)]
        raise StudyError(problems + _undeclared(content, path, lines)) from None
    problems = _undeclared(content, path, lines)
    if problems:
        raise StudyError(problems)
    return StudyFile(study, path, text, lines)


def _line(lines: dict[str, int], key: str) -> int:
    """Return the line of a key, or of the nearest table around it; 0 where none is known."""
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return 0


def _where(path: Path, lines: dict[str, int], key: str) -> str:
    line = _line(lines, key)
    if line:
        return f"{path}, line {line}, {key}"
    return f"{path}, {key}" if key else str(path)


def _lines_of_keys(text: str) -> dict[str, int]:
    """Map key paths to line numbers; enough TOML for tables, arrays of tables and plain keys."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
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


def _model_at(location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """Return the model whose keys are allowed at a place of the study."""
    model: Any = Study
    if _is_tagged(location):  # ('source', name, kind, …)
        model, location = SOURCE_KINDS[str(location[2])], location[3:]
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


def _is_tagged(location: tuple[int | str, ...]) -> bool:
    """Say whether a place leads through a kind of source, which the file does not write."""
    return len(location) > 2 and location[0] == "source" and location[2] in SOURCE_KINDS  # noqa: PLR2004


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


def _problem(error: Any, path: Path, lines: dict[str, int]) -> Problem:
    location = tuple(error["loc"])
    written = (*location[:2], *location[3:]) if _is_tagged(location) else location
    key = ".".join(str(part) for part in written)
    where = _where(path, lines, key)
    name = str(location[-1]) if location else ""
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        allowed = list(SOURCE_KINDS)
        given = str(error.get("ctx", {}).get("tag", ""))
        what = f"'{given}' is not a kind of source" if given else "'kind' is missing"
        near = did_you_mean(given, allowed)
        fix = f"{near} Allowed: {', '.join(allowed)}.".strip()
        return Problem(f"{what}.", _where(path, lines, f"{key}.kind"), fix)
    if error["type"] == "extra_forbidden":
        model = _model_at(location[:-1])
        allowed = [f.alias or n for n, f in model.model_fields.items()] if model else []
        near = did_you_mean(name, allowed)
        return Problem(
            f"'{name}' is not a key here.", where, near or f"Allowed: {', '.join(sorted(allowed))}."
        )
    if error["type"] == "missing":
        return Problem(
            f"'{name}' is missing.", where, "Add it; `areaeffect init` shows an example."
        )
    if error["type"] == "literal_error":
        given, expected = error["input"], error["ctx"]["expected"]
        allowed = re.findall(r"'([^']+)'", expected)
        near = did_you_mean(str(given), allowed)
        return Problem(f"'{given}' is not allowed.", where, f"{near} Allowed: {expected}.".strip())
    message = str(error["msg"]).removeprefix("Value error, ")
    return Problem(f"{message[0].lower()}{message[1:]}.", where)


def _undeclared(content: dict[str, Any], path: Path, lines: dict[str, int]) -> list[Problem]:
    """Find sources that are named but not declared, and names given twice.

    Reads the content as written, so that these faults show beside a key that is misspelt.
    """
    declared = sorted(_table(content.get("source")))
    problems = [
        Problem(
            f"source '{source}' is not declared.",
            _where(path, lines, place),
            did_you_mean(source, declared) or f"Declared: {', '.join(declared)}.",
        )
        for place, source in sorted(_named_sources(content), key=lambda n: _line(lines, n[0]))
        if source not in declared
    ]
    for kind in ("outcome", "initiative"):
        names = [str(entry.get("name")) for _, entry in _entries(content, kind)]
        problems += [
            Problem(
                f"two {kind}s are named '{n}'.", _where(path, lines, kind), "Names must differ."
            )
            for n in sorted({n for n in names if names.count(n) > 1})
        ]
    return problems


def _named_sources(content: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (place, source) for every 'source' and 'source.column' of a study as written."""
    design, analysis = _table(content.get("design")), _table(content.get("analysis"))
    outcomes = _entries(content, "outcome")
    found = [(f"{place}.source", entry.get("source")) for place, entry in outcomes]
    columns = [(f"{place}.exposure", entry.get("exposure")) for place, entry in outcomes]
    columns += [
        (f"{place}.treated_column", entry.get("treated_column"))
        for place, entry in _entries(content, "initiative")
    ]
    columns += [
        (f"design.{place}", _table(entry).get("column", entry))
        for kind in ("covariates", "exclude")
        for place, entry in _entries(design, kind, tables_only=False)
    ]
    columns.append(("analysis.placebo_neighbourhoods", analysis.get("placebo_neighbourhoods")))
    found += [(place, split_reference(c)[0]) for place, c in columns if isinstance(c, str)]
    return [(place, source) for place, source in found if isinstance(source, str)]


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _entries(content: dict[str, Any], kind: str, *, tables_only: bool = True) -> list[Any]:
    """Return (place, entry) of a list in the study, such as `outcome.0`."""
    listed = content.get(kind)
    entries = listed if isinstance(listed, list) else []
    return [
        (f"{kind}.{i}", entry)
        for i, entry in enumerate(entries)
        if isinstance(entry, dict) or not tables_only
    ]
