"""`areaeffect check` says what the sources hold before anything that takes long, or that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.commands.check import check
from areaeffect.errors import AreaEffectError
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from tests.shared.small_study import edit, edit_table, write_small_study
from tests.shared.street_files import month_of, put

POLICE = """[source.police]
kind = "police_uk"
store = "store"

[source.imd]
kind = "published"
release = "imd_2019"

[source.areas]
"""


def test_the_sources_are_said_first_and_the_rest_after(tmp_path: Path) -> None:
    said: list[str] = []
    report = check(write_small_study(tmp_path), None, said.append)
    block = ("crime: a table of your own", "areas: a table of your own")
    assert said == ["Sources:\n  crime: a table of your own\n  areas: a table of your own\n"]
    assert report.sources == block
    assert "Sources" not in report.text()
    assert "48 areas, 48 with a value in every period." in report.text()


def test_gaps_of_a_store_are_said_although_the_study_fails_after(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    edit(study, "[source.areas]\n", POLICE)
    for month in ("2012-02", "2012-03", "2012-05"):
        put(tmp_path / "in", month_of(month, 50), f"{month}-cleveland-street.csv")
    ingest_police_uk([tmp_path / "in"], tmp_path / "store")
    (tmp_path / "members.csv").unlink()
    said: list[str] = []
    with pytest.raises(AreaEffectError):
        check(study, None, said.append)
    assert len(said) == 1
    assert (
        "police: police_uk, cleveland 2012-02 to 2012-05 (nothing before 2012-02; nothing after "
        "2012-05; missing 2012-04)" in said[0]
    )
    assert "imd: imd_2019, 2019-" in said[0]
    assert "; use: covariate" in said[0]


def test_files_that_a_study_ingests_itself_are_counted(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    with_files = POLICE.replace('store = "store"', 'ingest = ["a.zip", "b.zip"]')
    edit(study, "[source.areas]\n", with_files)
    said: list[str] = []
    with pytest.raises(AreaEffectError):
        check(study, None, said.append)
    assert "police: police_uk, ingested from 2 files named" in said[0]


def test_a_fault_in_a_survey_is_found_before_anything_is_estimated(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    (tmp_path / "survey.csv").write_text("area,q\nT001,11\n")
    items = 'items = [{ column = "q", lowest = 0, highest = 10 }]\n'
    survey = f'\n[survey.residents]\npath = "survey.csv"\narea = "area"\n{items}'
    study.write_text(study.read_text(encoding="utf-8") + survey, encoding="utf-8")
    with pytest.raises(AreaEffectError, match="the answer '11' is outside its scale"):
        check(study, None, lambda _: None)


def test_faults_of_all_files_are_listed_at_once(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    edit_table(
        tmp_path / "crime.csv", lambda t: t.assign(month=t["month"].str.replace("-12", "-13"))
    )
    edit_table(
        tmp_path / "members.csv",
        lambda t: t.assign(start_date=t["start_date"].str.replace("-01-01", "-31-01")),
    )
    (tmp_path / "areas.csv").unlink()
    (tmp_path / "areas.geojson").write_text("{", encoding="utf-8")
    with pytest.raises(AreaEffectError) as caught:
        check(study, None, lambda _text: None)
    said = "\n".join(map(str, caught.value.problems))
    for file in ("crime.csv", "members.csv", "areas.csv", "areas.geojson"):
        assert f"{file}" in said
