"""The recipes of docs/contributing.md, carried out in a copy of the package and run."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

import areaeffect
from tests.conftest import REPOSITORY
from tests.shared.small_study import CODES, edit, write_small_study

PACKAGE = Path(areaeffect.__file__).parent
BLOCKS = re.findall(
    r"^```toml\n(recipe = .*?)^```$",
    (REPOSITORY / "docs" / "contributing.md").read_text(encoding="utf-8"),
    flags=re.DOTALL | re.MULTILINE,
)
RECIPES = {found["recipe"]: found for found in map(tomllib.loads, BLOCKS)}
STUDY = """
[source.numbers]
kind = "json"
path = "numbers.json"

[[outcome]]
name = "weather"
family = "environment"
source = "crime"
value = "n"
exposure = "areas.population"
should_move = false

[analysis]"""


@dataclass(frozen=True)
class Made:
    """What a small study gave with all recipes in it."""

    changed: dict[str, set[str]]
    results: Path
    check: str


def carry_out(recipe: dict[str, str], package: Path) -> None:
    """Make the file that a recipe asks for, and add its line to the registry."""
    text = recipe["text"].lstrip() if "text" in recipe else ""
    if "copy" in recipe:
        text = (package / recipe["copy"]).read_text(encoding="utf-8")
        for old, new in recipe["rename"].items():
            assert old in text or old.replace("-", "_") in text
            text = text.replace(old, new)
    (package / recipe["to"]).write_text(text, encoding="utf-8")
    with (package / "wording" / "phrases.toml").open("a", encoding="utf-8") as phrases:
        phrases.write(recipe.get("phrases", ""))
    registry = package / recipe["registry"]
    listed = registry.read_text(encoding="utf-8")
    if "import" in recipe:
        future = "from __future__ import annotations\n"
        listed = listed.replace(future, f"{future}\n{recipe['import']}\n", 1)
    head, tail = re.split(rf"(?m)(?=^{recipe['into']}\b)", listed, maxsplit=1)
    end = re.search(r"(?m)^[)}\]]", tail)
    assert end is not None
    tail = f"{tail[: end.start()]}{recipe['line']}\n{tail[end.start() :]}"
    registry.write_text(head + tail, encoding="utf-8")


def contents(package: Path) -> dict[str, bytes]:
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in package.rglob("*.py")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("recipes")
    package = folder / "src" / "areaeffect"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    changed = {}
    for name, recipe in RECIPES.items():
        before = contents(package)
        carry_out(recipe, package)
        after = contents(package)
        changed[name] = {path for path in after if before.get(path) != after[path]}
    (folder / "study").mkdir()
    study = write_small_study(folder / "study")
    edit(study, "\n[analysis]", STUDY)
    edit(study, 'covariates = ["areas.population", ', 'covariates = ["numbers.own", ')
    numbers = {code: i % 7 for i, code in enumerate(CODES)}
    (folder / "study" / "numbers.json").write_text(json.dumps(numbers), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    run = [sys.executable, "-c", "from areaeffect.cli import main; main()"]

    def out_of(*words: str) -> str:
        done = subprocess.run(
            [*run, *words], env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    out_of("evaluate", str(study), "--out", "results", "--threads", "1")
    return Made(changed, folder / "results", out_of("check", str(study)))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_touches_two_files(name: str, made: Made) -> None:
    recipe = RECIPES[name]
    assert made.changed[name] == {recipe["to"], recipe["registry"]}
    assert (REPOSITORY / recipe["test"]).exists()


def test_a_new_check_is_in_the_report_and_in_the_data(made: Made) -> None:
    with (made.results / "data" / "check_every_outcome.csv").open(encoding="utf-8") as file:
        assert [row["outcome"] for row in csv.DictReader(file)] == ["weather"]
    assert 'href="data/check_every_outcome.csv"' in (made.results / "annex.html").read_text(encoding="utf-8")


def test_a_new_question_is_in_the_report_and_in_the_data(made: Made) -> None:
    data = made.results / "data"
    again, first = (data / f"{n}.csv" for n in ("forms_again", "effect_forms"))
    assert again.read_bytes() == first.read_bytes()
    run = json.loads((made.results / "run.json").read_text(encoding="utf-8"))
    assert "forms_again" in [annex["name"] for annex in run["annexes"]]
    assert 'id="forms-again"' in (made.results / "annex.html").read_text(encoding="utf-8")


def test_a_new_kind_of_source_is_read_described_and_used(made: Made) -> None:
    assert "numbers: numbers of areas in numbers.json" in made.check
    design = json.loads((made.results / "design.json").read_text(encoding="utf-8"))
    assert "own" in {row["covariate"] for row in design["balance"]}
