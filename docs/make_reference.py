"""Write docs/reference/ from the code: `python docs/make_reference.py [RESULTS]`.

`study.md` comes from the models of a study file and from the studies that use each key,
`commands.md` from the command line, and `results.md` from a results folder (RESULTS, by default
build/demo/county).
"""

from __future__ import annotations

import json
import sys
import tomllib
import types
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from areaeffect.cli import app
from areaeffect.study.file import CollectionFileContent
from areaeffect.study.index import Index
from areaeffect.study.model import Study

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click
    from pydantic.fields import FieldInfo

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = """
# A folder of results

What `areaeffect evaluate` writes, here for the simulated county. A table that a study does not ask
for is not there. Every table has its description beside it, as CSV on the Web
(`*.csv-metadata.json`).
"""
#: Files that show how keys are used, the first that uses a key gives its example.
STUDIES = sorted([*ROOT.glob("studies/**/*.toml"), *ROOT.glob("indices/*.toml"),
                  *ROOT.glob("src/areaeffect/commands/example/*.toml")])  # fmt: skip


def models_in(kind: Any) -> list[type[BaseModel]]:
    """Return the models that a field's type holds: of a list, a table, or a choice of kinds."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for part in get_args(kind) for model in models_in(part)]


def type_name(kind: Any) -> str:
    """Return a field's type as a person writes it in TOML."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return type_name(parts[0])
    if origin is Literal:
        return " or ".join(f"`{part!r}`".replace("'", '"') for part in parts)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_name(p) for p in parts if p is not type(None)))
    if origin is tuple:
        return f"list of {type_name(parts[0])}"
    if origin is dict:
        return f"table of {type_name(parts[1])}"
    if models_in(kind):
        return "table"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any"}
    return names.get(kind, getattr(kind, "__name__", str(kind)).lower())


def as_toml(value: Any) -> str:
    """Return a value as it is written in TOML, on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {as_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(as_toml(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def tables(model: type[BaseModel], place: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Return every table of a file with its heading, the file's own keys first."""
    yield place, model
    for name, field in model.model_fields.items():
        key = field.alias or name
        inner = models_in(field.annotation)
        origin = get_origin(field.annotation)
        for one in inner:
            above = f"{place}.{key}" if place else key
            if origin is dict:
                above += ".NAME"
            kind = one.model_fields.get("kind")
            literal = get_args(kind.annotation) if kind is not None and len(inner) > 1 else ()
            yield from tables(one, f"{above} {literal[0]}" if literal else above)


def used(place: str, key: str) -> Iterator[tuple[Path, Any]]:
    """Return the value that each study gives a key of a table."""
    path, _, kind = place.partition(" ")
    for file in STUDIES:
        found = [tomllib.loads(file.read_text(encoding="utf-8"))]
        for part in [p for p in path.split(".") if p]:
            below: list[Any] = []
            for one in found:
                if not isinstance(one, dict):
                    continue
                inner = list(one.values()) if part == "NAME" else [one.get(part)]
                for value in inner:
                    below += value if isinstance(value, list) else [value]
            found = below
        for one in found:
            if isinstance(one, dict) and key in one and (not kind or one.get("kind") == kind):
                yield file, one[key]
                break


def meaning(field: FieldInfo) -> str:
    """Return what a key means: its description, or what its table is."""
    inner = models_in(field.annotation)
    return field.description or ((inner[0].__doc__ or "").partition(".")[0] if inner else "")


def row(place: str, name: str, field: FieldInfo) -> str:
    """Return a key's line: type, default, meaning, example and the studies that use it."""
    key = field.alias or name
    uses = list(used(place, key))
    example = uses[0][1] if uses else (field.examples or [None])[0]
    shown = as_toml(example)
    names = [file.relative_to(ROOT).as_posix().removeprefix("src/areaeffect/") for file, _ in uses]
    if field.default is PydanticUndefined and field.default_factory is None:
        default = "**required**"
    else:
        value = field.get_default(call_default_factory=True)
        bare = value is None or models_in(field.annotation) or value in ((), {}, "")
        default = "" if bare else f"`{as_toml(value)}`"
    cells = (
        f"`{key}`", type_name(field.annotation), default, meaning(field),
        "" if example is None or models_in(field.annotation) else f"`{shown}`",
        ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else ""),  # noqa: PLR2004
    )  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def keys_page(title: str, intro: str, model: type[BaseModel]) -> str:
    """Return the page of a kind of file: a table of keys for each of its tables."""
    lines = [f"# {title}", "", intro, ""]
    for place, one in tables(model, ""):
        path, _, kind = place.partition(" ")
        heading = f"`[{path}]`" + (f", kind `{kind}`" if kind else "") if place else "The file"
        lines += [f"## {heading}", "", (one.__doc__ or "").strip().partition("\n\n")[0], ""]
        lines += ["| key | type | default | meaning | example | used in |", "|---|---|---|---|---|---|"]
        lines += [row(place, name, field) for name, field in one.model_fields.items()]
        lines.append("")
    return "\n".join(lines)


def is_argument(parameter: click.Parameter) -> bool:
    """Return whether a word of a command has its place, not a name."""
    return parameter.param_type_name == "argument"


def commands_page() -> str:
    """Return the page of the command line: what each command does, its arguments and options."""
    lines = ["# Commands", "", "What `areaeffect --help` lists, with every argument and option.", ""]

    def describe(command: click.Command, path: str) -> None:
        inner = getattr(command, "commands", None)
        if inner:
            for name, one in inner.items():
                describe(one, f"{path} {name}")
            return
        lines.extend([f"## `{path}`", "", (command.help or "").strip(), ""])
        shown = [p for p in command.params if getattr(p, "help", None) or is_argument(p)]
        if shown:
            lines.extend(["| | meaning |", "|---|---|"])
        for p in shown:
            name = (p.name or "").upper() if is_argument(p) else ", ".join(p.opts)
            text = " ".join((getattr(p, "help", "") or "").split()).replace("|", "\\|")
            lines.append(f"| `{name}` | {text} |")
        lines.append("")

    describe(typer.main.get_command(app), "areaeffect")
    return "\n".join(lines)


def results_page(folder: Path) -> str:
    """Return the page of a results folder: every file, and every column of every table."""
    crate = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    files = [f for f in crate["@graph"] if f["@id"] == "./" or (folder / f["@id"]).is_file()]
    lines = [RESULTS.strip(), "", "## Files", "", "| file | what it is |", "|---|---|"]
    named = {f["@id"]: f.get("description") or f.get("name", "") for f in files if f["@id"] != "./"}
    named["manifest.json"] = "SHA-256 of every file: what may be replaced by a later run"
    lines += [f"| `{name}` | {text} |" for name, text in sorted(named.items()) if "/" not in name]
    lines += ["", "## Tables", ""]
    for path in sorted((folder / "data").glob("*.csv-metadata.json")):
        described = json.loads(path.read_text(encoding="utf-8"))
        lines += [f"### `data/{described['url']}`", "", str(described.get("dc:title", "")), "",
                  "| column | type | meaning |", "|---|---|---|"]  # fmt: skip
        for column in described["tableSchema"]["columns"]:
            kind = column.get("datatype", "string")
            kind = kind.get("base", "string") if isinstance(kind, dict) else kind
            meaning = column.get("dc:description", column.get("titles", ""))
            lines.append(f"| `{column['name']}` | {kind} | {meaning} |")
        lines.append("")
    return "\n".join(lines)


def pages(results: Path | None) -> dict[str, str]:
    """Return every page of docs/reference by its file name."""
    made = {
        "study.md": keys_page(
            "The study file",
            "Every key of `study.toml`. Paths are relative to the file, and variables such as "
            "`${AREAEFFECT_SHARED_DATA}` are expanded.",
            Study,
        ),
        "collection.md": keys_page(
            "The collection file",
            "Every key of a file that brings several studies together.",
            CollectionFileContent,
        ),
        "index.md": keys_page("The index file", "Every key of a composite index's file.", Index),
        "commands.md": commands_page(),
    }
    if results is not None:
        made["results.md"] = results_page(results)
    return {name: text.rstrip("\n") + "\n" for name, text in made.items()}


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "demo" / "county"
    for page, content in pages(folder if folder.is_dir() else None).items():
        (HERE / "reference" / page).write_text(content, encoding="utf-8")
