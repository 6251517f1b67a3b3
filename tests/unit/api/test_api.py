"""Studies in Python: frames in, findings out, the same numbers as the study file they write."""

from __future__ import annotations

import datetime
import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import areaeffect as ae
from areaeffect import wording
from areaeffect.commands.evaluate import evaluate_into
from areaeffect.commands.init import quick
from areaeffect.errors import AreaEffectError, StudyError
from areaeffect.results import ALL_INITIATIVES
from tests.shared.sample_result import sample_result
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


@pytest.mark.parametrize("column", ["area_code", "month"])
def test_a_missing_area_or_period_is_refused_by_its_row(folder: Path, column: str) -> None:
    counts, listed = (pd.read_csv(folder / f"{name}.csv") for name in ("crime", "members"))
    counts[column] = counts[column].where(counts.index != 39)
    with pytest.raises(AreaEffectError, match="row 41"):
        ae.Study(outcomes=counts, areas=listed, start="2013-01").check()


def test_the_numbers_of_rows_are_no_outcome(folder: Path) -> None:
    counts, listed = (pd.read_csv(folder / f"{name}.csv") for name in ("crime", "members"))
    left = counts[counts["month"] >= "2012-03"]  # its index is what is left of the rows' numbers
    made = ae.Study(outcomes=left, areas=listed, start="2013-01")
    assert "'index' numbers the rows, so it is not measured." in made.guesses
    assert made.path.read_text().count("[[outcome]]") == 1


def test_a_start_beside_a_list_with_other_starts_is_said_to_be_unused(folder: Path) -> None:
    counts, listed = (pd.read_csv(folder / f"{name}.csv") for name in ("crime", "members"))
    text = ae.Study(outcomes=counts, areas=listed, start="2013-07").check()
    assert "start_date holds in 6 rows; the study's start, 2013-07, is not used." in text


def test_areas_as_a_dict_are_refused_with_what_to_give(folder: Path) -> None:
    with pytest.raises(StudyError, match="Give a frame with the columns area_code and neighbourhood"):
        ae.Study(outcomes=pd.read_csv(folder / "crime.csv"), areas={"Abbey": ["T009"]}, start="2013-01")


def test_findings_are_a_frame_with_units(found: ae.Evaluation) -> None:
    frame = found.findings
    assert list(frame["outcome"]) == ["n"]
    assert frame.attrs["units"]
    assert (frame["low"] <= frame["estimate"]).all()


def test_what_is_shown_is_short(study: ae.Study, found: ae.Evaluation) -> None:
    assert len(repr(found)) <= 1500
    assert len(repr(found.result)) <= 1500
    assert "guess:" in repr(study)
    box = found._repr_html_()
    main = wording.main_findings(found.result.findings)
    assert html.escape(wording.quote(main)) in box
    assert all(html.escape(wording.name_of(f)) in box for f in main)
    assert "<style" not in box, "a style sheet would change the rest of the notebook"


@pytest.mark.parametrize("kind", ["trend", "effects", "map", "balance"])
def test_a_chart_shows_itself_and_can_be_saved(found: ae.Evaluation, kind: str, tmp_path: Path) -> None:
    picture = found.plot(kind)
    assert picture._repr_html_().count("<svg") == 1
    assert picture.save(tmp_path / "chart.svg").read_text(encoding="utf-8") == picture.svg


def test_an_unknown_chart_is_refused(found: ae.Evaluation) -> None:
    with pytest.raises(StudyError, match="no chart"):
        found.plot("trend", outcome="nothing")
    with pytest.raises(StudyError, match="Did you mean 'trend'"):
        found.plot("trnd")
    with pytest.raises(StudyError, match="there is no group 'Nobody'"):
        found.plot(group="Nobody")


def test_a_group_has_charts_of_its_own() -> None:
    whole = ae.Evaluation(sample_result(placebos=19))
    groups = ["Residents First", "Council Partnership", ALL_INITIATIVES]
    titles = {group: whole.plot(group=group).title for group in groups}
    assert len(set(titles.values())) == len(groups)
    assert whole.plot().title == titles[ALL_INITIATIVES]


# ---------------------------------------------------------------- what a study may be made of


@pytest.fixture(scope="module")
def crime(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "crime.csv")


def text_of(folder: Path) -> str:
    return (folder / "study.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "kind", ["polars", "arrow", "index", "column index", "dates", "polars dates", "categories"]
)
def test_every_kind_of_table_gives_the_study_of_its_csv(
    crime: pd.DataFrame, kind: str, tmp_path: Path
) -> None:
    def as_dates(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(month=pd.to_datetime(frame["month"]))

    table: Any = {
        "polars": pl.from_pandas,
        "arrow": pa.table,
        "index": lambda t: t.set_index(["area_code", "month"]),
        "column index": lambda t: t.set_index("area_code"),
        "dates": as_dates,
        "polars dates": lambda t: pl.from_pandas(as_dates(t)),
        "categories": lambda t: t.astype({"area_code": "category"}),
    }[kind](crime)
    codes = ["T009", "T010", "T021"]
    ae.Study(outcomes=crime, areas=codes, start="2013-01", folder=tmp_path / "csv")
    ae.Study(outcomes=table, areas=codes, start="2013-01", folder=tmp_path / "other")
    assert text_of(tmp_path / "other") == text_of(tmp_path / "csv")
    read = [pd.read_parquet(tmp_path / d / "outcomes.parquet") for d in ("csv", "other")]
    read[1]["month"] = read[1]["month"].str[:7]
    pd.testing.assert_frame_equal(*read, check_dtype=False)


@pytest.mark.parametrize("kind", ["list", "series", "frame", "polars", "arrow", "shapes"])
def test_areas_are_codes_a_frame_or_chosen_shapes(
    crime: pd.DataFrame, folder: Path, kind: str, tmp_path: Path
) -> None:
    shapes = gpd.read_file(folder / "areas.geojson").iloc[[9, 10]]
    codes = pd.DataFrame({"area_code": ["T009", "T010"]})
    areas: Any = {
        "list": codes["area_code"].tolist(),
        "series": codes["area_code"],
        "frame": codes,
        "polars": pl.from_pandas(codes),
        "arrow": pa.table(codes),
        "shapes": shapes,
    }[kind]
    ae.Study(outcomes=crime, areas=areas, start="2013-01", folder=tmp_path)
    assert pd.read_csv(tmp_path / "areas.csv")["area_code"].tolist() == ["T009", "T010"]


def test_one_drawn_place_needs_no_name(crime: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    outlines = gpd.read_file(folder / "areas.geojson")
    drawn = gpd.GeoDataFrame(geometry=[outlines.geometry.iloc[9].buffer(0.001)], crs=4326)
    ae.Study(
        outcomes=crime, areas=drawn, start="2013-01", boundaries=outlines, title="Mill Lane",
        folder=tmp_path,
    )  # fmt: skip
    assert gpd.read_file(tmp_path / "areas.geojson")["name"].tolist() == ["Mill Lane"]


@pytest.mark.parametrize(
    ("start", "written"),
    [
        (datetime.date(2013, 1, 1), "2013-01-01"),
        (pd.Timestamp("2013-01-01"), "2013-01-01"),
        (pd.Period("2013-01", freq="M"), "2013-01"),
    ],
)
def test_a_start_may_be_a_date(crime: pd.DataFrame, start: object, written: str, tmp_path: Path) -> None:
    ae.Study(outcomes=crime, areas=["T009", "T010"], start=start, folder=tmp_path)
    assert f'start = "{written}"' in text_of(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"outcomes": "crime.csv"}, "outcomes: str is not a table"),
        ({"outcomes": pd.DataFrame([[1, 2]], columns=["n", "n"])}, "'n' appears more than once"),
        ({"areas": "T009"}, r"Write a list: \['T009'\]"),
        ({"areas": []}, "no area is named"),
        ({"areas": ["E01000001"]}, "outcomes: no column holds the areas of the list"),
        ({"start": "soon"}, "start: 'soon' is not a period"),
        ({"boundaries": pd.DataFrame({"area_code": ["T009"]})}, "DataFrame holds no outlines"),
    ],
)
def test_what_a_study_cannot_be_made_of_is_named(
    crime: pd.DataFrame, wrong: dict[str, Any], says: str
) -> None:
    given = {"outcomes": crime, "areas": ["T009", "T010"], "start": "2013-01"} | wrong
    with pytest.raises(AreaEffectError, match=says):
        ae.Study(**given)


def test_outlines_without_a_named_system_are_refused(crime: pd.DataFrame, folder: Path) -> None:
    outlines = gpd.read_file(folder / "areas.geojson").set_crs(None, allow_override=True)
    with pytest.raises(StudyError, match="coordinates have no named system"):
        ae.Study(outcomes=crime, areas=["T009"], start="2013-01", boundaries=outlines)


def test_an_example_outlives_the_name_it_was_given() -> None:
    folder = ae.example("london").path.parent
    assert (folder / "crime_by_month.parquet").is_file()
    with pytest.raises(StudyError, match="no example 'lodnon'"):
        ae.example("lodnon")


def test_texts_are_shown_as_they_are(study: ae.Study, found: ae.Evaluation) -> None:
    assert repr(study.check()) == study.check()
    assert repr(found.summary()).startswith("group ")


def test_the_study_file_gives_the_same_bytes(study: ae.Study, found: ae.Evaluation, tmp_path: Path) -> None:
    found.save(tmp_path / "python")
    evaluate_into(study.path, tmp_path / "file", threads=1)
    names = [p.relative_to(tmp_path / "file") for p in (tmp_path / "file").rglob("*.*")]
    assert {p.suffix for p in names} >= {".json", ".csv", ".html", ".pdf", ".svg"}
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
    assert re.search(r'^title = ".+ since January 2013"$', text, re.M)
    assert 'name = "Listed areas"' in text
    assert any("are one place: no column 'neighbourhood'" in g for g in guesses) is (
        "neighbourhood" not in (folder / "members.csv").read_text(encoding="utf-8").splitlines()[0]
    )
    findings = json.loads((out / "findings.json").read_text(encoding="utf-8"))["findings"]
    assert any(f["estimate"] is not None for f in findings)


def test_importing_the_package_loads_no_slow_library() -> None:
    slow = "('pandas', 'numpy', 'duckdb')"
    code = f"import sys, areaeffect; print([m for m in {slow} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_residents_of_the_characteristics_settle_what_counts_are_divided_by(
    study: ae.Study, crime: pd.DataFrame, tmp_path: Path
) -> None:
    assert [g for g in study.guesses if "divided" in g or "how many people" in g] == [
        "Counts are divided by 'population'."
    ]
    bare = ae.Study(outcomes=crime, areas=["T009"], start="2013-01", folder=tmp_path)
    assert any("how many people" in g for g in bare.guesses)


def test_the_areas_of_characteristics_are_found_by_the_codes_of_the_outcomes(
    crime: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    about = pd.read_csv(folder / "areas.csv").assign(area_name="somewhere", district="north")
    ae.Study(outcomes=crime, areas=["T009"], start="2013-01", characteristics=about, folder=tmp_path)
    assert '[source.areas]\nkind = "panel"\npath = "characteristics.parquet"\narea = "area_code"' in (
        text_of(tmp_path)
    )
