"""`areaeffect check` says what the sources hold before anything that takes long, or that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.commands.check import check, check_any
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


def test_every_fault_of_every_file_is_listed_at_once(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    more = """
[stories]
events = "events.csv"

[survey.well]
path = "survey.csv"
area = "area"
items = [{ column = "q", lowest = 1, highest = 5 }]

[value]
price_year = "2024"
costs = "costs.csv"
"""
    study.write_text(study.read_text() + more)
    edit(study, "buffer_km = 0.0", 'buffer_km = 0.0\nothers = ["others.csv"]')
    edit(study, 'exposure = "areas.population"', 'exposure = "areas.population"\nvalued_as = "x"')
    (tmp_path / "crime.csv").write_text("area_code,month,n\nT000,2012-01,many\n")
    (tmp_path / "areas.csv").write_text('area_code,population,deprivation\n"T000,1,2\n')
    (tmp_path / "areas.geojson").write_text("no shapes")
    (tmp_path / "members.csv").write_text('area_code,neighbourhood\nT009,"Abbey\n')
    (tmp_path / "others.csv").unlink(missing_ok=True)
    (tmp_path / "events.csv").write_text("date,neighbourhood,what\nsoon,,a\n")
    (tmp_path / "survey.csv").write_text("area,q\nT000,9\n")
    (tmp_path / "costs.csv").write_text("item,value\n")
    with pytest.raises(AreaEffectError) as caught:
        check(study, None, lambda _: None)
    said = [str(p).replace(f"{tmp_path}/", "") for p in caught.value.problems]
    for name in (
        "crime.csv", "areas.csv", "areas.geojson", "members.csv", "others.csv", "events.csv",
        "survey.csv", "costs.csv",
    ):  # fmt: skip
        assert any(p.startswith(name) for p in said), (name, said)
    assert len(said) == len(set(said))


def test_the_rows_of_every_file_are_said(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    more = """
[stories]
events = "events.csv"

[survey.well]
path = "survey.csv"
area = "area"
items = [{ column = "q", lowest = 1, highest = 5 }]
"""
    study.write_text(study.read_text() + more)
    edit(study, "buffer_km = 0.0", 'buffer_km = 0.0\nothers = ["others.csv"]')
    edit(study, 'areas = "members.csv"', 'areas = "members.csv"\nattributes = "about.csv"')
    (tmp_path / "others.csv").write_text("programme,area_code\nX,T001\nX,T001\nX,T999\n")
    (tmp_path / "about.csv").write_text("neighbourhood,kind\nabbey,a\nBridge,b\nCastle,b\nD,c\n")
    (tmp_path / "events.csv").write_text("date,neighbourhood,what\n2013,ABBEY,a\n2013,Abbey,a\n")
    (tmp_path / "survey.csv").write_text("area,q\nt000,3\nT001,4\nZ,1\n")
    notes = check(study, None, lambda _: None).notes
    for said in (
        "areas.geojson: 48 rows read, 48 kept, 0 left out.",
        "members.csv: 6 rows read, 6 kept, 0 left out.",
        "about.csv: 4 rows read, 4 kept, 0 left out.",
        "about.csv: 1 row is of no neighbourhood of the study (D).",
        "others.csv: 3 rows read, 2 kept, 1 left out.",
        "others.csv: 1 area codes are not in the panel (T999).",
        "events.csv: 2 rows read, 1 kept, 1 left out.",
        "survey.csv: 3 rows read, 2 kept, 1 left out.",
    ):
        assert said in notes


def test_every_study_of_a_collection_is_checked(tmp_path: Path) -> None:
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
        write_small_study(tmp_path / part)
    listed = "".join(
        f'[[collection.part]]\nname = "{p}"\nstudy = "{p}/study.toml"\ntitle = "{p}"\n'
        for p in ("one", "two")
    )
    path = tmp_path / "collection.toml"
    path.write_text(f'[collection]\ntitle = "Both"\n{listed}')
    said: list[str] = []
    assert [r.title for r in check_any(path, None, said.append)] == ["A tiny study"] * 2
    assert [s for s in said if s.endswith("toml):")] == [
        "one (one/study.toml):", "two (two/study.toml):"
    ]  # fmt: skip
    for part in ("one", "two"):
        (tmp_path / part / "members.csv").write_text("area_code\nT999\n")
    with pytest.raises(AreaEffectError) as caught:
        check_any(path, None, said.append)
    assert {"one" in str(p) for p in caught.value.problems} == {True, False}


def test_faults_of_all_files_are_listed_at_once(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    edit_table(tmp_path / "crime.csv", lambda t: t.assign(month=t["month"].str.replace("-12", "-13")))
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
