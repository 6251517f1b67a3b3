"""Studies in Python: frames in, findings out, the same numbers as the study file they write."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

import areaeffect as ae
from areaeffect.commands.evaluate import evaluate_into
from areaeffect.commands.quick import quick
from areaeffect.errors import StudyError
from tests.shared.small_study import write_small_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_study(tmp_path_factory.mktemp("tables")).parent


@pytest.fixture(scope="module")
def study(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ae.Study:
    return ae.Study(
        outcomes=pd.read_csv(folder / "crime.csv"),
        areas=pd.read_csv(folder / "members.csv"),
        start="2013-01",
        boundaries=gpd.read_file(folder / "areas.geojson"),
        characteristics=pd.read_csv(folder / "areas.csv"),
        title="Residents First",
        buffer_km=0.0,
        placebos=39,
        folder=tmp_path_factory.mktemp("study"),
    )


@pytest.fixture(scope="module")
def found(study: ae.Study) -> ae.Evaluation:
    return study.evaluate(threads=1)


def test_findings_are_a_frame_with_units(found: ae.Evaluation) -> None:
    frame = found.findings
    assert list(frame["outcome"]) == ["n"]
    assert frame.attrs["units"]
    assert (frame["low"] <= frame["estimate"]).all()


def test_what_is_shown_is_short(study: ae.Study, found: ae.Evaluation) -> None:
    assert len(repr(found)) <= 1500
    assert len(repr(found.result)) <= 1500
    assert "guess:" in repr(study)
    assert "<li>" in found._repr_html_()


@pytest.mark.parametrize("kind", ["trend", "effects", "map", "balance"])
def test_a_chart_shows_itself_and_can_be_saved(
    found: ae.Evaluation, kind: str, tmp_path: Path
) -> None:
    picture = found.plot(kind)
    assert picture._repr_html_().count("<svg") == 1
    assert picture.save(tmp_path / "chart.svg").read_text(encoding="utf-8") == picture.svg


def test_an_unknown_chart_is_refused(found: ae.Evaluation) -> None:
    with pytest.raises(StudyError, match="no chart"):
        found.plot("trend", outcome="nothing")


def test_the_study_file_gives_the_same_bytes(
    study: ae.Study, found: ae.Evaluation, tmp_path: Path
) -> None:
    found.save(tmp_path / "python")
    evaluate_into(study.path, tmp_path / "file", threads=1)
    names = [p.relative_to(tmp_path / "file") for p in (tmp_path / "file").rglob("*.json")]
    assert names
    for name in names:
        assert (tmp_path / "python" / name).read_bytes() == (tmp_path / "file" / name).read_bytes()
    assert repr(ae.load(tmp_path / "python")) == repr(found)


def test_a_study_file_can_be_loaded_and_checked(study: ae.Study) -> None:
    assert "the study is valid" in ae.load_study(study.path).check()


def test_quick_writes_the_study_file_it_used(folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    out = tmp_path / "results"
    quick(
        folder / "crime.csv", folder / "members.csv", "2013-01", out,
        boundaries=folder / "areas.geojson", buffer_km=0.0, placebos=39, threads=1, say=said.append,
    )  # fmt: skip
    assert (out / "report.html").is_file()
    text = (tmp_path / "results-study" / "study.toml").read_text(encoding="utf-8")
    guesses = [s for s in said if s.startswith("Guess: ")]
    assert guesses
    assert all(f"# {g}" in text for g in guesses)
    findings = json.loads((out / "findings.json").read_text(encoding="utf-8"))["findings"]
    assert any(f["estimate"] is not None for f in findings)


def test_importing_the_package_loads_no_slow_library() -> None:
    slow = "('pandas', 'numpy', 'duckdb')"
    code = f"import sys, areaeffect; print([m for m in {slow} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
