"""Every command of the tutorial works, in its order, in an empty folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "tutorial.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_tutorial_leads_from_an_empty_folder_to_a_report(tmp_path: Path) -> None:
    commands = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) >= 6
    for command in commands:
        words = command.removeprefix("areaeffect ").split()
        program = "from areaeffect.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program, *words],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        for study in (tmp_path / "london").glob("*.toml"):  # as fast as a test may be
            text = study.read_text(encoding="utf-8").replace("placebos = 999", "placebos = 59")
            study.write_text(text, encoding="utf-8")
    assert (tmp_path / "plan" / "plan.html").is_file()
    assert (tmp_path / "results" / "report.html").is_file()


@pytest.mark.slow
def test_the_python_of_the_tutorial_gives_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from areaeffect.commands.init import init

    init(tmp_path / "london", "london")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("placebos=99", "placebos=39"), "tutorial.md", "exec"), {})
    assert "crimes" in capsys.readouterr().out
    assert "<svg" in (tmp_path / "trend.svg").read_text(encoding="utf-8")
