"""A plan sealed before its outcomes: refused until they exist, then held against the seal."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from areaeffect.commands.check import check, design_into, power
from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import DataError, NothingEstimableError, StudyError
from tests.shared.small_study import MONTHS, write_small_study

SEALED = 'seed = 4\nsealed = "plan/design.json"'


def _ahead(folder: Path) -> tuple[Path, pd.DataFrame]:
    """Write the small study as it stood in December 2012, a month before its start."""
    path = write_small_study(folder)
    path.write_text(path.read_text().replace("seed = 4", SEALED))
    whole = pd.read_csv(folder / "crime.csv")
    whole[whole["month"] < "2013-01"].to_csv(folder / "crime.csv", index=False)
    return path, whole


def test_a_plan_is_sealed_before_data_and_evaluated_when_they_are_there(tmp_path: Path) -> None:
    path, whole = _ahead(tmp_path)
    seal = design_into(path, tmp_path / "plan", 1, power=False)
    with pytest.raises(NothingEstimableError, match=r"known to 2012-12.*begins in 2013-01"):
        evaluate(path, 1)
    whole.to_csv(tmp_path / "crime.csv", index=False)
    found = evaluate(path, 1)
    assert any(f.estimate is not None for f in found.findings)
    assert any(f"sealed before, with the seal {seal}" in note for note in found.notes)


def test_check_and_power_work_before_the_start(tmp_path: Path) -> None:
    path, _ = _ahead(tmp_path)
    report = check(path, None, lambda _: None)
    assert any("crime is known to 2012-12" in line for line in report.refused)
    assert [row.group for row in power(path, 1).real] == ["Residents First"]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("nearest = 15", "nearest = 14", "`design.nearest` was 15 and is 14"),
        ("placebos = 39", "placebos = 59", "`analysis.placebos` was 39 and is 59"),
        ("seed = 4", "seed = 5", "`study.seed` was 4 and is 5"),
    ],
)
def test_another_plan_than_the_sealed_one_is_refused(tmp_path: Path, old: str, new: str, what: str) -> None:
    path, whole = _ahead(tmp_path)
    design_into(path, tmp_path / "plan", 1, power=False)
    whole.to_csv(tmp_path / "crime.csv", index=False)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(StudyError, match=what):
        evaluate(path, 1)


def test_a_key_that_no_study_has_any_more_does_not_part_a_study_from_its_seal(tmp_path: Path) -> None:
    path, whole = _ahead(tmp_path)
    design_into(path, tmp_path / "plan", 1, power=False)
    sealed = tmp_path / "plan" / "design.json"
    content = json.loads(sealed.read_text())
    content["plan"]["analysis"]["caliper"] = True
    content["plan"]["outcome"][0]["scale"] = "log"
    sealed.write_text(json.dumps(content))
    whole.to_csv(tmp_path / "crime.csv", index=False)
    notes = evaluate(path, 1).notes
    assert (
        "The sealed plan lists keys that a study no longer has: outcome.0.scale, analysis.caliper." in notes
    )
    content["plan"]["outcome"].append(content["plan"]["outcome"][0])
    sealed.write_text(json.dumps(content))
    with pytest.raises(StudyError, match=r"`outcome.1.name` was 'crime' and is None"):
        evaluate(path, 1)


def test_other_data_from_before_the_start_are_refused(tmp_path: Path) -> None:
    path, whole = _ahead(tmp_path)
    design_into(path, tmp_path / "plan", 1, power=False)
    early = whole["month"] == MONTHS[3]
    whole.loc[early, "n"] = whole.loc[early, "n"].to_numpy()[::-1]
    whole.to_csv(tmp_path / "crime.csv", index=False)
    with pytest.raises(StudyError, match=r"\(change\) has other .*weights"):
        evaluate(path, 1)


def test_what_is_no_sealed_plan_is_named(tmp_path: Path) -> None:
    path = write_small_study(tmp_path)
    path.write_text(path.read_text().replace("seed = 4", SEALED))
    with pytest.raises(DataError, match="the sealed plan cannot be read"):
        evaluate(path, 1)
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "design.json").write_text(json.dumps({"title": "other"}))
    with pytest.raises(DataError, match="this is no sealed plan: it lacks seal, designs, plan"):
        evaluate(path, 1)
