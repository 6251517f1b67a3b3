"""Every command of the tutorial works, in its order, in an empty folder; so does every cell."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import REPOSITORY
from tests.shared.small_london import shrink

DOCS = REPOSITORY / "docs"
PAGE = (DOCS / "tutorial.md").read_text(encoding="utf-8")
#: The cells are run on fewer boroughs and placebos than the page that is shown.
SMALLER = f"""
import sys
sys.path.insert(0, {str(REPOSITORY / "tests" / "shared")!r})
import areaeffect as ae
from small_london import shrink
whole = ae.example
def example(name, folder=None):
    study = whole(name, folder)
    shrink(study.path.parent)
    return study
ae.example = example
"""


@pytest.mark.slow
def test_the_tutorial_leads_from_an_empty_folder_to_a_report(tmp_path: Path) -> None:
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()
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
        if words[0] == "init":
            shrink(tmp_path / "london")
    assert (tmp_path / "plan" / "plan.html").is_file()
    assert (tmp_path / "results" / "report.html").is_file()


def test_the_notebook_is_what_its_maker_writes() -> None:
    written = nbformat.read(DOCS / "tutorial.ipynb", as_version=4)
    made = runpy.run_path(str(DOCS / "make_tutorial.py"))["make_notebook"]()
    assert [(c.cell_type, c.source) for c in written.cells] == [
        (c.cell_type, c.source) for c in made.cells
    ], "run `python docs/make_tutorial.py` and commit what it writes"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the kernel's own remarks are not ours to mend
def test_every_cell_of_the_notebook_runs_and_shows_what_it_shows_on_the_page() -> None:
    notebook = nbformat.read(DOCS / "tutorial.ipynb", as_version=4)
    shown = [[set(o.data) for o in c.get("outputs", ())] for c in notebook.cells]
    for cell in notebook.cells:
        cell.source = cell.source.replace("placebos=199", "placebos=39")
    notebook.cells.insert(0, nbformat.v4.new_code_cell(SMALLER))
    NotebookClient(notebook, timeout=600).execute()
    ran = [
        [set(o.data) for o in c.get("outputs", ()) if o.output_type == "execute_result"]
        for c in notebook.cells[1:]
    ]
    assert ran == shown
    assert sum("<svg" in str(c.get("outputs", "")) for c in notebook.cells) == 3
