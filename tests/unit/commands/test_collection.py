from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from areaeffect.commands.collection import evaluate_any, rebuild
from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import DataError, StudyError
from areaeffect.report.collection import rebuild_collection
from areaeffect.study.file import read_collection
from tests.shared.small_study import write_small_study

COLLECTION = """\
[collection]
title = "Two looks at one programme"
question = "Do they agree?"
notes = ["The parts share their areas."]

[[collection.part]]
name = "announced"
study = "study.toml"
title = "Since the announcement"

[[collection.part]]
name = "begun"
study = "work.toml"
title = "Since work began"

[[collection.published]]
source = "A report (2020)"
said = "less crime <b>"
family = "crime"
claim = "change"
figure = "-8.6 per 1,000"
part = "announced"
outcome = "crime"
differ = "It asked about other years."

[[collection.published]]
source = "A report (2020)"
said = "fewer empty homes"
family = "empty_homes"
claim = "level"
reason = "No source holds empty homes here."
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    study = write_small_study(tmp_path)
    text = study.read_text()
    (tmp_path / "work.toml").write_text(
        text.replace("resident_led = true", "resident_led = true\nphase_in_months = 6")
    )
    (tmp_path / "collection.toml").write_text(COLLECTION)
    return tmp_path


def test_every_part_has_its_folder_and_one_report_stands_over_them(folder: Path) -> None:
    results = evaluate_any(folder / "collection.toml", folder / "out", threads=1)
    assert len(results) == 2
    found = json.loads((folder / "out/findings.json").read_text())
    assert {f["part"] for f in found["findings"]} == {"announced", "begun"}
    assert set(found["seals"]) == {"announced", "begun"}
    text = (folder / "out/report.html").read_text()
    assert "less crime &lt;b&gt;" in text
    assert "No source holds empty homes here." in text
    assert "It asked about other years." in text
    verdict = results[0].findings[0].verdict
    assert f"2 published findings, asked again of these data: {verdict} in 1; not est" in text
    assert (folder / "out/begun/report.html").is_file()
    assert (folder / "out/report.pdf").read_bytes().startswith(b"%PDF")
    before = {p: p.read_bytes() for p in sorted((folder / "out").rglob("report.*"))}
    assert rebuild(folder / "out") == folder / "out/report.html"
    assert {p: p.read_bytes() for p in sorted((folder / "out").rglob("report.*"))} == before


def test_a_phase_between_start_and_work_is_in_neither_side(folder: Path) -> None:
    plain = evaluate(folder / "work.toml", threads=1).findings[0]
    crime = pd.read_csv(folder / "crime.csv")
    between = crime["month"].between("2013-01", "2013-06")
    crime.loc[between, "n"] *= 1000
    crime.to_csv(folder / "crime.csv", index=False)
    moved = evaluate(folder / "work.toml", threads=1).findings[0]
    assert moved.estimate == plain.estimate
    assert moved.observed == plain.observed
    assert plain.post == "2013-07 to 2013-12"
    assert "end of their phase-in" in plain.estimand
    since_start = evaluate(folder / "study.toml", threads=1).findings[0]
    assert since_start.post == "2013-01 to 2013-12"
    assert since_start.observed is not None
    assert plain.observed is not None
    assert since_start.observed > 100 * plain.observed


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "begun"', 'name = "announced"', "two parts have the same name"),
        ('part = "announced"', 'part = "anounced"', "no part is named 'anounced'.*announced"),
        ('study = "work.toml"', 'study = "wrk.toml"', "no study file 'wrk.toml'.*work.toml"),
        ('reason = "No source holds empty homes here."', "", "name the `part`"),
        ('family = "crime"', 'family = "crimes"', "collection.published.0.family"),
        ("title = ", "tittle = ", "tittle"),
    ],
)
def test_faults_are_told_with_their_place(folder: Path, old: str, new: str, says: str) -> None:
    path = folder / "collection.toml"
    path.write_text(COLLECTION.replace(old, new, 1))
    with pytest.raises(StudyError, match=says):
        read_collection(path)


def test_parts_beside_each_other_give_the_same_files(folder: Path) -> None:
    steps: list[str] = []
    evaluate_any(folder / "collection.toml", folder / "one", threads=1)
    evaluate_any(folder / "collection.toml", folder / "two", 2, lambda step, _done, _of: steps.append(step))
    assert {"announced: design", "begun: design", "report"} <= set(steps)
    files = {p.relative_to(folder / "one") for p in (folder / "one").rglob("*") if p.is_file()}
    assert files == {p.relative_to(folder / "two") for p in (folder / "two").rglob("*") if p.is_file()}
    for name in files:
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes(), name


def test_a_part_that_fails_beside_another_stops_all(folder: Path) -> None:
    work = folder / "work.toml"
    work.write_text(work.read_text().replace('value = "n"', 'value = "m"'))
    with pytest.raises(DataError, match="no column 'm'"):
        evaluate_any(folder / "collection.toml", folder / "out", threads=2)
    assert not (folder / "out").exists()


def test_a_folder_without_a_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no collection"):
        rebuild_collection(tmp_path)
