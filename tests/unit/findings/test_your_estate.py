"""The how-to page: its commands are run as they stand there, on the files that init writes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from areaeffect.assembly.assemble import assemble
from areaeffect.cli import app
from areaeffect.commands.init import init
from areaeffect.errors import DataError
from areaeffect.study.file import read_study
from tests.conftest import REPOSITORY
from tests.shared.small_study import edit, edit_table

PAGE = REPOSITORY / "docs" / "how-to" / "your-estate.md"


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    init(tmp_path, "estate")
    return tmp_path / "study.toml"


def test_the_commands_of_the_page_lead_from_a_boundary_to_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [c[:2] for c in commands()] == [
        ["areaeffect", "init"],
        ["areaeffect", "check"],
        ["areaeffect", "evaluate"],
    ]
    for _, *arguments in commands():
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
    results = tmp_path / "my-estate" / "results"
    findings = json.loads((results / "findings.json").read_text(encoding="utf-8"))["findings"]
    (homes,) = [f for f in findings if f["outcome"] == "empty_homes" and f["form"] == "ratio"]
    assert homes["estimate"] is not None
    assert (homes["n_neighbourhoods"], homes["claim"]) == (1, "change")
    fit = pd.read_csv(results / "data" / "boundary_fit.csv")
    assert fit["kept"].sum() == homes["n_areas"] == 5
    page = (results / "annex.html").read_text(encoding="utf-8")
    assert "How well areas fit the places meant" in page
    assert "council.dwellings" in (results / "run.json").read_text(encoding="utf-8")


def test_a_change_across_april_2013_is_refused_unless_accepted(study: Path) -> None:
    edit(study, 'start = "2014", end = "2021"', 'start = "2011", end = "2018"')
    edit(study, 'start = "2018"', 'start = "2015"')
    homes = study.parent / "empty_homes.csv"
    edit_table(homes, lambda t: t.assign(date=t["date"].map(lambda d: str(int(d) - 3))))
    with pytest.raises(DataError) as caught:
        assemble(read_study(study))
    (problem,) = caught.value.problems
    assert problem.what.startswith("'empty_homes' runs across 2013-04: council-tax exemptions")
    assert 'accept_breaks = ["2013-04"]' in problem.fix
    edit(study, 'better = "lower"', 'better = "lower"\naccept_breaks = ["2013-04"]')
    assert assemble(read_study(study)).panel.measures["empty_homes"].periods.n == 8


def test_a_window_after_the_break_is_not_refused(study: Path) -> None:
    assert assemble(read_study(study)).panel.measures["empty_homes"].periods.first == 2014


def test_dwellings_that_change_are_taken_at_the_first_period(study: Path) -> None:
    homes = study.parent / "empty_homes.csv"
    edit_table(homes, lambda t: t.assign(dwellings=t["dwellings"].astype(int) + t["date"].astype(int) - 2014))
    panel = assemble(read_study(study)).panel
    first = pd.read_csv(homes).query("date == 2014").sort_values("area_code")["dwellings"]
    assert (panel.measures["empty_homes"].exposure == first.to_numpy()).all()
    assert any("council.dwellings changes over time" in n for n in panel.notes)
