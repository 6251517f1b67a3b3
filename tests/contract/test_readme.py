"""README does what it says: its commands exist, its links lead somewhere, its Python runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import areaeffect as ae
from areaeffect.cli import COMMANDS
from areaeffect.commands.diff import summary
from areaeffect.commands.evaluate import evaluate
from areaeffect.commands.init import init
from tests.conftest import REPOSITORY
from tests.shared.small_london import shrink

DOCS = REPOSITORY / "docs"
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(REPOSITORY).as_posix())
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    files = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in files if not (page.parent / link).exists()] == []


def test_every_picture_is_shown_on_a_page() -> None:
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in LINK.findall(page.read_text(encoding="utf-8"))
    }
    pictures = {p.resolve() for p in DOCS.rglob("*") if p.suffix in {".png", ".svg", ".jpg"}}
    assert pictures - shown == set()


def test_every_command_of_readme_exists() -> None:
    named = set(re.findall(r"areaeffect ([a-z][a-z-]+)", README)) - {"as"}
    assert named >= {"demo", "quick", "init", "check", "power", "design", "evaluate", "serve"}
    assert named <= set(COMMANDS) | {"ingest", "store"}


@pytest.mark.slow
def test_readme_prints_what_its_study_gives(tmp_path: Path) -> None:
    init(tmp_path, "county")
    said = str(summary(evaluate(tmp_path / "study.toml", 1)))
    block = "".join(f"    {line}\n" if line else "\n" for line in said.splitlines())
    assert block in README


@pytest.mark.slow
def test_the_python_of_readme_gives_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = ae.example

    def small(name: str) -> ae.Study:
        study = whole(name)
        shrink(study.path.parent)
        return study

    monkeypatch.setattr(ae, "example", small, raising=False)
    code = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)[0]
    assert len([line for line in code.splitlines() if line.strip()]) <= 6
    exec(compile(code, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert "the study is valid" in said
    assert "total recorded crime" in said
