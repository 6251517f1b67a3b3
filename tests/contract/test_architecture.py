"""The picture of the rooms in ARCHITECTURE.md is the contract that import-linter holds."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def drawn() -> list[set[str]]:
    """The rooms of each line of the table, from the top down."""
    lines: list[set[str]] = []
    for number, rooms in re.findall(r"^\| (\d*) +\| (`.+?`) \|", _text(), flags=re.MULTILINE):
        if number:
            lines.append(set())
        lines[-1] |= {name.removesuffix("/").removesuffix(".py") for name in re.findall(r"`(.+?)`", rooms)}
    return lines


def _text() -> str:
    return (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_table_of_rooms_is_the_contract_of_layers() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (c["layers"] for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    assert drawn() == [set(re.split(r" [|:] ", layer)) for layer in layers]


def test_no_module_is_over_400_lines_and_no_function_over_60() -> None:
    modules = {p: p.read_text(encoding="utf-8") for p in (ROOT / "src").rglob("*.py")}
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = [
        f"{path.name}: {node.name}"
        for path, text in modules.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, kinds) and (node.end_lineno or 0) - node.lineno >= 60
    ]

    assert len(modules) > 100
    assert [path.name for path, text in modules.items() if text.count("\n") > 400] == []
    assert long == []
