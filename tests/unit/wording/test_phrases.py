"""Every long sentence that a report or a page prints is in one file, but those of templates.

The templates of the web app are prose already: each can be read from top to bottom where it is. Its
refusals of a request, like those of a file, say what to do beside the check that makes them.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given

import areaeffect
from areaeffect import wording
from areaeffect.checks.registry import CHECKS
from areaeffect.results import Finding, Verdict
from areaeffect.wording.numbers import PHRASES
from tests.unit.wording.test_wording import findings

ONE_LEFT_OUT = ("warns", "holds", "more")
ROOMS = (
    "checks", "compare", "further", "index", "multiverse", "power", "report", "survey", "value", "where_next",
    "wording", "web/selection.py", "web/area.py",
)  # fmt: skip
#: What describes a column of a file, refuses a file, or is a record of something published.
NOT_PRINTED = {"base.py", "costs.py", "faces.py", "files.py", "question.py", "source.py", "tables.py"}
NAMES_A_FILE = (
    "<!--",
    "## What both kinds",
    "| family",
    "+++",
    "evidence of an initiative in the register",
    "initiative of its authority",
    "when: ",
    "agreed to be",
)
DESCRIBES = {"described", "Column", "Problem"}
WORDS = 8
SOURCE = Path(areaeffect.__file__).parent


@given(findings())
def test_every_phrase_gets_what_it_asks_for(finding: Finding) -> None:
    for text in (wording.headline(finding), wording.overall([finding])):
        assert text
        assert not re.search(r"[{}]", text)


def test_every_verdict_and_claim_has_a_name_of_its_own() -> None:
    names = [wording.verdict_name(verdict) for verdict in Verdict]
    assert len(set(names)) == len(Verdict)
    claims = [PHRASES[f"claim.{claim}"] for claim in ("change", "level", "contrast")]
    assert len(set(claims)) == len(claims)


def test_no_phrase_is_left_over() -> None:
    code = "\n".join(p.read_text(encoding="utf-8") for p in SOURCE.rglob("*.py"))
    pages = "\n".join(p.read_text(encoding="utf-8") for p in SOURCE.rglob("*.j2"))
    begins = set(re.findall(r"""f["']([a-z_]+\.[a-z_]*)\{""", code))
    begins |= set(re.findall(r'"([a-z_]+\.[a-z_]*)" ~', pages))
    begins |= {f"check_{c.name}.{key}" for c in CHECKS for key in ("title", "question", "caption")}
    begins |= {f"check_{c.name}.along" for c in CHECKS if c.drawn} | {f"check.{c.why}" for c in CHECKS}
    begins |= {f"check_{c}.{key}" for c in ("leave_out", "leave_area_out") for key in ONE_LEFT_OUT}
    for key in PHRASES:
        spelt = f'"{key}"' in code or f"'{key}'" in code
        built = any(key.startswith(begin) for begin in begins)
        assert spelt or built, key


def sentences_in(path: Path) -> list[str]:
    """Return what code says in eight words or more: no docstring, error or description of a column."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if isinstance(node, ast.Raise) or (is_call and node.func.id in DESCRIBES):
            silent |= {id(n) for n in ast.walk(node)}
    parts = [n for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) and id(n) not in silent]
    texts = [" ".join(v.value for v in n.values if isinstance(v, ast.Constant)) for n in parts]
    silent |= {id(v) for n in parts for v in n.values}
    alone = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in silent)
    texts += [n.value for n in alone if isinstance(n.value, str)]
    return [
        text for text in texts if len(re.findall(r"(?<![<\w=\"-])[A-Za-z’]+(?=[ .,;:]|$)", text)) >= WORDS
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_sentences_of_a_report_are_in_the_file_of_phrases(room: str) -> None:
    inside = SOURCE / room
    for path in [inside] if inside.is_file() else sorted(inside.rglob("*.py")):
        if path.name not in NOT_PRINTED:
            said = [t for t in sentences_in(path) if not any(part in t for part in NAMES_A_FILE)]
            assert said == [], path.name


def test_every_phrase_that_is_asked_for_by_name_gets_its_values() -> None:
    asked = 0
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_phrase = (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "phrase"
            )
            if not is_phrase or not isinstance(node.args[0], ast.Constant):
                continue
            names = {name for _, name, _, _ in Formatter().parse(PHRASES[node.args[0].value]) if name}
            given = {k.arg for k in node.keywords}
            assert names == given or (None in given and names >= given - {None}), node.args[0].value
            asked += 1
    assert asked > 100
