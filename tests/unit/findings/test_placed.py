"""A study whose places do not follow the rule it names is refused, and the places are named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.evaluate import begin
from areaeffect.errors import AreaEffectError, DataError, StudyError
from areaeffect.findings.plan import Plan
from areaeffect.study.analysis import DesignPart
from areaeffect.study.file import read_study
from tests.conftest import REPOSITORY
from tests.shared.cutoff_study import CODES, chosen_by_hand, need_and_authority, write_cutoff_study
from tests.shared.small_study import edit, edit_table


def _plan(study: Path) -> Plan:
    return begin(read_study(study), None, lambda *_: None)[1]


def _refused(study: Path, kind: type[AreaEffectError] = StudyError) -> str:
    with pytest.raises(kind) as caught:
        _plan(study)
    return str(caught.value)


def test_the_study_that_follows_its_rule_is_planned(tmp_path: Path) -> None:
    plan = _plan(write_cutoff_study(tmp_path))
    chosen = set(chosen_by_hand())
    need, authority = need_and_authority()
    cut = need[list(chosen)].min()
    compared = {CODES.index(a) for d in plan.designs for a in d.benchmark_areas}
    assert compared
    full = [a for a in np.unique(authority) if (authority[list(chosen)] == a).sum() == 3]
    for i in compared:
        assert i not in chosen
        assert need[i] < cut or authority[i] in full
    assert plan.machine.spread is None


def test_places_that_the_cap_shut_out_are_compared_with(tmp_path: Path) -> None:
    plan = _plan(write_cutoff_study(tmp_path))
    need, _ = need_and_authority()
    cut = need[chosen_by_hand()].min()
    compared = {CODES.index(a) for d in plan.designs for a in d.benchmark_areas}
    assert any(need[i] > cut for i in compared)


def test_a_place_that_the_rule_does_not_take_is_named(tmp_path: Path) -> None:
    study = write_cutoff_study(tmp_path)
    need, _ = need_and_authority()
    least = int(np.argmin(need))
    out = min(chosen_by_hand())

    def swap(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[table["area_code"] == CODES[out], ["area_code", "neighbourhood"]] = [
            CODES[least], "Left Field",
        ]  # fmt: skip
        return table

    edit_table(tmp_path / "members.csv", swap)
    said = _refused(study)
    assert "the rule does not take 'Left Field' (rank 400 of 400" in said
    assert "it lies beyond the cut" in said
    assert f"the rule takes the place of {CODES[out]}" in said
    assert "study.toml, line " in said


def test_a_place_that_the_cap_shuts_out_is_said_to_be(tmp_path: Path) -> None:
    study = write_cutoff_study(tmp_path)
    edit(study, "at_most = 3", "at_most = 2")
    assert "the cap shuts it out" in _refused(study)


def test_another_number_of_places_is_refused(tmp_path: Path) -> None:
    study = write_cutoff_study(tmp_path)
    edit(study, "highest 30", "highest 31")
    assert "the rule takes 31 places, and the study names 30" in _refused(study)


def test_a_treated_place_without_a_score_is_named(tmp_path: Path) -> None:
    study = write_cutoff_study(tmp_path)
    out = min(chosen_by_hand())

    def blank(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[out, "need"] = ""
        return table

    edit_table(tmp_path / "areas.csv", blank)
    assert f"1 of 30 places have no score: Place {out:03d}." in _refused(study, DataError)


def test_an_unknown_group_of_the_cap_is_named(tmp_path: Path) -> None:
    study = write_cutoff_study(tmp_path)

    def blank(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[5, "authority"] = ""
        return table

    edit_table(tmp_path / "areas.csv", blank)
    said = _refused(study, DataError)
    assert "'areas.authority' is not known for 1 ranked place: C005." in said


def test_a_column_that_is_not_there_suggests_the_nearest(tmp_path: Path) -> None:
    study = write_cutoff_study(tmp_path)
    edit(study, 'by = "areas.authority"', 'by = "areas.autority"')
    edit(study, 'score = "areas.need"', 'score = "areas.needs"')
    said = _refused(study, AreaEffectError)
    assert "authority" in said
    assert "'need'" in said


def test_text_is_no_score(tmp_path: Path) -> None:
    study = write_cutoff_study(tmp_path)
    edit(study, 'score = "areas.need"', 'score = "areas.authority"')
    assert "'areas.authority' is text, not numbers." in _refused(study, DataError)


def test_neighbourhoods_of_several_areas_need_the_places_that_were_ranked(tmp_path: Path) -> None:
    study = write_cutoff_study(tmp_path)
    edit_table(tmp_path / "members.csv", lambda t: t.assign(neighbourhood="One"))
    said = _refused(study)
    assert "neighbourhoods hold more than one of the places that were ranked: One." in said
    assert "analysis.placebo_neighbourhoods" in said


def test_the_score_is_a_covariate_and_areas_are_matched_not_calibrated(tmp_path: Path) -> None:
    study = write_cutoff_study(tmp_path)
    design = read_study(study).study.design
    assert [c.column for c in design.covariates] == ["areas.need"]
    assert (design.calibration, design.ratio) == ("none", 60)
    edit(study, "[design]\n", '[design]\ncalibration = "entropy"\ncovariates = ["areas.need"]\n')
    design = read_study(study).study.design
    assert (design.calibration, len(design.covariates)) == ("entropy", 1)


def test_the_example_of_the_documentation_is_a_rule(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "methods" / "cutoff.md").read_text(encoding="utf-8")
    written = tomllib.loads(page.split("```toml\n")[1].split("```")[0])
    design = DesignPart.model_validate(written["design"])
    assert (design.takes_highest, design.n_chosen) == (True, 150)
    assert design.cap is not None
    assert design.cap.at_most == 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('chosen = "highest 30"\n', "", "score and chosen belong together"),
        ('score = "areas.need"\n', "", "score and chosen belong together"),
        ("highest 30", "best 30", "chosen"),
        ("at_most = 3", "at_most = 0", "at_most"),
        ('score = "areas.need"', 'score = "aeras.need"', "Did you mean 'areas'?"),
    ],
)
def test_half_a_rule_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    study = write_cutoff_study(tmp_path)
    edit(study, old, new)
    with pytest.raises(StudyError) as caught:
        read_study(study)
    assert said in str(caught.value)
