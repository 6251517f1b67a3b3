from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from areaeffect.assembly.assemble import Assembled, assemble
from areaeffect.commands.check import NO_POWER, design_into, write_plan
from areaeffect.commands.evaluate import planned
from areaeffect.errors import StudyError
from areaeffect.findings.plan import make_plan
from areaeffect.placebo.workers import single_threaded
from areaeffect.simulate import CountySpec, ProgrammeSpec, simulate_county, write_county
from areaeffect.study.file import StudyFile, read_study

START = 48  # months after 2012-01
LED = ProgrammeSpec(
    name="Residents First",
    resident_led=True,
    n_neighbourhoods=3,
    starts=("2016-01-01",),
    effects={"crime": -0.15},
    sizes=(2, 3),
)
FILES = ("plan.html", "plan.pdf", "design.json")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = CountySpec(n_areas=150, seed=5, programmes=(LED,))
    return write_county(simulate_county(spec), tmp_path_factory.mktemp("county"), voices=False)


@pytest.fixture(scope="module")
def parts(study: Path) -> tuple[StudyFile, Assembled]:
    with single_threaded():
        file = read_study(study)
        return file, assemble(file)


def written(file: StudyFile, data: Assembled, out: Path) -> dict[str, bytes]:
    with single_threaded():
        write_plan(planned(file, data, make_plan(file, data, "0")), NO_POWER, out)
    return {name: (out / name).read_bytes() for name in FILES}


def multiplied(data: Assembled, *, after: bool) -> Assembled:
    """Return the data with every outcome from the start on (or before it) times a million."""
    measures = {}
    for name, measure in data.panel.measures.items():
        cut = START if measure.periods.n > START else START // 12
        values = np.array(measure.values, dtype=float)
        values[:, cut:] *= 1e6 if after else 1.0
        values[:, :cut] *= 1.0 if after else np.linspace(1, 9, cut)
        measures[name] = replace(measure, values=values)
    return replace(data, panel=replace(data.panel, measures=measures))


def test_no_outcome_after_a_start_is_in_the_plan(parts: tuple[StudyFile, Assembled], tmp_path: Path) -> None:
    file, data = parts
    whole = written(file, data, tmp_path / "a")
    assert written(file, multiplied(data, after=True), tmp_path / "b") == whole
    assert written(file, multiplied(data, after=False), tmp_path / "c") != whole


def test_the_command_writes_the_plan_with_its_seal(study: Path, tmp_path: Path) -> None:
    sealed = design_into(study, tmp_path / "plan", power=False)
    text = (tmp_path / "plan" / "plan.html").read_text(encoding="utf-8")
    held = json.loads((tmp_path / "plan" / "design.json").read_text(encoding="utf-8"))
    assert sealed in text
    assert held["seal"]["sha256"] == sealed
    assert (tmp_path / "plan" / "plan.pdf").read_bytes().startswith(b"%PDF")
    for part in ("The question", "What will be estimated", "alike?", "What this study could see"):
        assert part in text
    assert "Estimate</th>" not in text
    assert design_into(study, tmp_path / "plan", power=False) == sealed


def test_a_foreign_folder_is_left_alone(study: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_bytes(b"years of work")
    with pytest.raises(StudyError):
        design_into(study, tmp_path)
    assert (tmp_path / "thesis.docx").read_bytes() == b"years of work"
