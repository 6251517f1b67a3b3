from __future__ import annotations

from pathlib import Path

from areaeffect.commands.evaluate import evaluate
from tests.shared.small_study import edit, write_small_study


def test_a_study_of_levels_without_covariates_carries_its_checks(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    edit(study, 'covariates = ["areas.population", "areas.deprivation"]\n', "")
    edit(study, 'exposure = "areas.population"', 'exposure = "areas.population"\nclaim = "level"')
    result = evaluate(study, threads=1)
    assert result.annex("checks") is not None
