"""What can be had, what is here, what the store holds: to read, as JSON, and before a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from areaeffect.commands.sources import list_sources
from areaeffect.errors import DataError, StudyError
from areaeffect.sources.police_uk.counting import require_spark
from areaeffect.sources.police_uk.force_coverage import in_window
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.publishers.releases import catalogue
from tests.shared.street_files import ASB, month_of, put, street


def listed(store: Path) -> dict[str, Any]:
    listing = json.loads(json.dumps(list_sources(store).to_dict()))
    listing["releases"] = {r["release"]: r for r in listing["releases"]}
    return listing


@pytest.fixture(autouse=True)
def _nothing_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(tmp_path / "shared"))
    monkeypatch.setenv("AREAEFFECT_STORE", str(tmp_path / "own" / "store"))


def test_without_a_store_the_catalogue_is_listed_all_the_same(tmp_path: Path) -> None:
    found = listed(tmp_path / "none")
    assert set(found["releases"]) == {"police_uk", *catalogue()}
    assert not found["store"]
    assert "there is none yet" in list_sources(tmp_path / "none").text()
    assert all(r["periods"] and r["use"] and r["how"] for r in found["releases"].values())


def test_a_figure_of_a_local_authority_is_a_covariate_and_one_date_no_change(tmp_path: Path) -> None:
    found = listed(tmp_path)["releases"]
    for release in catalogue().values():
        if release.geography == "local_authority":
            assert found[release.id]["use"] in {"covariate", "geography"}
        if release.as_of:
            assert found[release.id]["use"] != "level or change"


def test_where_a_release_is_and_how_it_is_had(tmp_path: Path) -> None:
    release = catalogue()["imd_2010"]
    files = {"shared": release.copies, "own/fetched": release.copies}
    for (folder, form), word in zip(files.items(), ("shared folder", "fetched"), strict=True):
        for file in form:
            put(tmp_path / folder, b"x", file.path)
        assert listed(tmp_path)["releases"]["imd_2010"]["here"] == word
    (tmp_path / "own" / "fetched" / release.copies[0].path).unlink()
    found = listed(tmp_path)["releases"]
    assert found["imd_2010"]["here"] == "shared folder"  # a part of it is not enough
    assert found["imd_2010"]["how"] == "areaeffect fetch imd_2010"
    assert found["loneliness"]["how"].startswith("No command gets it: It is data of an R package")


def test_the_store_is_held_against_the_window_of_a_study(tmp_path: Path) -> None:
    for month in ("2023-02", "2023-03", "2023-05"):
        put(tmp_path / "in", month_of(month, 50), f"{month}-cleveland-street.csv")
    put(tmp_path / "in", street(ASB), "2023-01-durham-street.csv")
    ingest_police_uk([tmp_path / "in"], tmp_path / "store")
    held = list_sources(tmp_path / "store").coverage
    assert in_window(held, "2023-01", "2023-06") == (
        "cleveland 2023-02 to 2023-05 (nothing before 2023-02; nothing after 2023-05; "
        "missing 2023-04), durham 2023-01 to 2023-01 (nothing after 2023-01)"
    )
    assert in_window(held, "2023-02", "2023-03") == (
        "cleveland 2023-02 to 2023-05 (whole in the window), "
        "durham 2023-01 to 2023-01 (nothing of the window)"
    )
    assert in_window((), "2023-02", "2023-03") == "of which the store holds nothing"


def test_spark_that_is_not_here_is_said_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyspark", None)
    with pytest.raises(StudyError, match=r"needs PySpark, which is not installed.*\[spark\]"):
        ingest_police_uk([tmp_path / "no.zip"], tmp_path / "store", engine="spark")
    assert not (tmp_path / "store").exists()


def test_spark_without_java_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyspark", __import__("types"))
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(StudyError, match=r"needs Java 17.*without bin/java.*openjdk-17"):
        require_spark()
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StudyError, match="there is no `java`"):
        require_spark()


def test_a_study_of_a_release_that_is_not_here_is_told_how_to_get_it(tmp_path: Path) -> None:
    from areaeffect.sources.publishers.tables import read

    with pytest.raises(DataError, match="Get it with `areaeffect fetch imd_2019`"):
        read("imd_2019", tmp_path)
    with pytest.raises(DataError, match=r"See https://github\.com/humaniverse/loneliness\. Put it"):
        read("loneliness", tmp_path)
