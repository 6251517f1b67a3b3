"""What the app answers is what `areaeffect evaluate` gives for the study file it hands out."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from areaeffect.commands.evaluate import evaluate_into
from areaeffect.compare.explore import Base, answer_into, load_base, plan_into
from areaeffect.compare.question import Question
from areaeffect.findings.conclude import EXPLORATORY
from areaeffect.report.files import read_result
from tests.shared.small_study import write_small_study

QUESTION = Question(
    areas=("T009", "T010"), start="2013-01", name="Abbey", placebos=199, nearest=30, buffer_km=0.0
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    write_small_study(folder)
    return folder


@pytest.fixture(scope="module")
def base(data: Path) -> Base:
    return load_base(data / "study.toml", data)


@pytest.fixture(scope="module")
def run(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "k3y"
    steps: list[str] = []
    plan_into(base, QUESTION, folder, lambda step, _done, _of: steps.append(step))
    assert not (folder / "answer").exists(), "nothing of the answer is known before it is asked for"
    answer_into(base, QUESTION, folder, lambda step, _done, _of: steps.append(step))
    assert steps[0] == "choosing benchmark areas"
    assert "placebo programmes" in steps
    return folder


def test_the_app_and_the_command_give_the_same_files(run: Path, data: Path) -> None:
    for name in ("study.toml", "chosen_areas.csv"):
        text = (run / "asked" / name).read_text(encoding="utf-8")
        assert str(data) not in text, "a file to be handed out names no folder of the server"
        (data / f"my_{name}").write_text(text, encoding="utf-8")
    mine = data.parent / "mine"
    shutil.copytree(data, mine)
    for name in ("study.toml", "chosen_areas.csv"):
        (mine / f"my_{name}").replace(mine / name)
    evaluate_into(mine / "study.toml", mine / "out", threads=1)
    made = sorted(p.relative_to(mine / "out") for p in (mine / "out").rglob("*") if p.is_file())
    own = sorted(p.relative_to(run / "result") for p in (run / "result").rglob("*") if p.is_file())
    assert made == own
    for path in made:
        assert (mine / "out" / path).read_bytes() == (run / "result" / path).read_bytes(), path


def test_the_answer_is_told_before_the_report_and_with_the_same_numbers(run: Path) -> None:
    told = json.loads((run / "answer" / "findings.json").read_text(encoding="utf-8"))
    assert told == json.loads((run / "result" / "findings.json").read_text(encoding="utf-8"))
    page = (run / "answer" / "page.html").read_text(encoding="utf-8")
    assert "This does not say" in page
    assert "The six families" in page
    assert page.count("not estimable") >= 5
    for fragment in run.glob("*/page.html"):
        text = fragment.read_text(encoding="utf-8")
        assert not any(mark in text for mark in ("<style", "<script", " style="))
        assert "k3y/data/" not in text or fragment.parent.name == "answer"


def test_the_report_says_that_it_is_exploratory(run: Path) -> None:
    assert read_result(run / "result").notes.count(EXPLORATORY) == 1
    assert "Exploratory: the outcomes were public" in (run / "result" / "annex.html").read_text(
        encoding="utf-8"
    )


def test_each_benchmark_area_stands_beside_the_place_with_what_it_was_chosen_by(run: Path) -> None:
    with (run / "design" / "likeness.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    chosen = json.loads((run / "design" / "design.json").read_text(encoding="utf-8"))["designs"][0]
    assert header[:4] == ["number", "name", "area_code", "weight"]
    assert {"population", "deprivation"} <= set(header)
    assert [row[1] for row in rows[:2]] == ["Abbey (your place)", "All its benchmark areas, weighted"]
    own, together = ([float(cell) for cell in row[4:]] for row in rows[:2])
    assert chosen["exact"]
    assert own == pytest.approx(together)
    assert [row[2] for row in rows[2:]] == chosen["benchmark_areas"][:20]
    page = (run / "design" / "page.html").read_text(encoding="utf-8")
    assert all(code in page for code in chosen["benchmark_areas"][:20])
    assert "control" not in page.lower()


def test_what_could_be_seen_is_of_this_selection_alone(run: Path) -> None:
    power = json.loads((run / "power" / "power.json").read_text(encoding="utf-8"))
    assert {row["group"] for row in power["rows"]} == {"Abbey"}
    page = (run / "power" / "page.html").read_text(encoding="utf-8")
    assert "cannot be known beforehand" in page, "one year of history is too short to try a design on"


def test_parquet_holds_the_findings(run: Path) -> None:
    rows = pq.read_table(run / "parquet" / "findings.parquet").to_pylist()
    told = json.loads((run / "answer" / "findings.json").read_text(encoding="utf-8"))["findings"]
    assert [r["estimate"] for r in rows] == [f["estimate"] for f in told]
    assert [r["outcome"] for r in rows] == [f["outcome"] for f in told]
