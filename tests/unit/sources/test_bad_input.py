"""Bad input from end to end: one clear message with file and place, and nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from areaeffect.commands.evaluate import evaluate, evaluate_into
from areaeffect.errors import AreaEffectError, DataError, StudyError
from areaeffect.results import AreaStatus, Result, Verdict
from tests.shared.small_study import CODES, MONTHS, NEIGHBOURHOODS, edit, edit_table, write_small_study


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return write_small_study(folder)


def refused(study: Path, kind: type[AreaEffectError]) -> list[str]:
    """The problems of a study, without the folder; nothing may be left behind."""
    out = study.parent.parent / "out"
    with pytest.raises(AreaEffectError) as caught:
        evaluate_into(study, out, threads=1)
    assert type(caught.value) is kind
    assert sorted(p.name for p in study.parent.parent.iterdir()) == [study.parent.name]
    return [str(p).replace(f"{study.parent}/", "") for p in caught.value.problems]


def run(study: Path) -> Result:
    return evaluate(study, threads=1)


def status(result: Result, area: str) -> AreaStatus:
    return next(a for a in result.areas if a.area == area)


def first_finding_is_estimated(result: Result) -> bool:
    return result.findings[0].estimate is not None


# ---------------------------------------------------------------- the study itself


def test_the_tiny_study_can_be_evaluated(study: Path) -> None:
    result = run(study)
    assert first_finding_is_estimated(result)
    assert result.findings[0].n_neighbourhoods == 3
    assert {len(d.areas) for d in result.designs} == {2}


def test_a_result_folder_appears_whole(study: Path) -> None:
    out = study.parent.parent / "out"
    evaluate_into(study, out, threads=1)
    assert {"findings.json", "design.json", "run.json", "report.html"} <= {p.name for p in out.iterdir()}
    findings = json.loads((out / "findings.json").read_text(encoding="utf-8"))["findings"]
    assert {f["outcome"] for f in findings} == {"crime", ""}  # a family without an outcome has none


def test_a_typo_in_a_key(study: Path) -> None:
    edit(study, "placebos = 39", "placebo = 39")
    assert refused(study, StudyError) == [
        "study.toml, line 40, analysis.placebo: 'placebo' is not a key here. Did you mean 'placebos'?"
    ]


def test_a_toml_syntax_error(study: Path) -> None:
    edit(study, "seed = 4", "seed = four")
    assert refused(study, StudyError) == [
        "study.toml, line 4: not valid TOML: Invalid value. Text goes in quotes; one key a line."
    ]


def test_no_study_at_all(study: Path) -> None:
    assert refused(study.with_name("stdy.toml"), StudyError) == [
        "stdy.toml: there is no such study file. Did you mean 'study.toml'?"
    ]


# ---------------------------------------------------------------- areas and starts


def test_an_area_code_that_does_not_exist(study: Path) -> None:
    edit(study.parent / "members.csv", "T022", "T0222")
    assert refused(study, DataError) == [
        "members.csv, line 5: area 'T0222' is not in the panel. Did you mean 'T022'?"
    ]


def test_an_area_code_of_another_vintage(study: Path) -> None:
    edit(study.parent / "members.csv", "T022", "E01033574")
    assert refused(study, DataError) == [
        "members.csv, line 5: area 'E01033574' is not in the panel. "
        "It may be of another census vintage, or outside the table's territory."
    ]


def test_a_start_outside_the_window(study: Path) -> None:
    edit(study.parent / "members.csv", "Castle,2013-01-01", "Castle,2014-01-01", 2)
    assert refused(study, DataError) == [
        "members.csv, line 6: 'Castle' starts at 2014-01-01, outside the window 2012-01 to "
        "2013-12. The window needs periods before and after every start."
    ]


def test_an_area_in_two_initiatives(study: Path) -> None:
    more = '[[initiative]]\nname = "Council"\nareas = "council.csv"\n\n[register]'
    edit(study, "[register]", more)
    text = "area_code,neighbourhood,start_date\nT010,Dale,2013-01\n"
    (study.parent / "council.csv").write_text(text, encoding="utf-8")
    assert refused(study, DataError) == [
        "initiative: area 'T010' is in 'Abbey' (Residents First) and in 'Dale' (Council). Keep it in one."
    ]


def test_a_missing_file_of_areas(study: Path) -> None:
    (study.parent / "members.csv").unlink()
    (problem,) = refused(study, StudyError)
    assert problem.startswith("members.csv: there is no such file of areas.")


def test_an_initiative_that_swallows_the_pool(study: Path) -> None:
    rows = "".join(f"{code},N{i // 2},2013-01-01\n" for i, code in enumerate(CODES))
    text = "area_code,neighbourhood,start_date\n" + rows
    (study.parent / "members.csv").write_text(text, encoding="utf-8")
    assert refused(study, StudyError) == [
        "study.toml: no area is left to compare with: 48 treated. "
        "Give a panel with more areas that the initiative does not touch."
    ]


def test_a_buffer_that_swallows_the_pool(study: Path) -> None:
    edit(study, "buffer_km = 0.0", "buffer_km = 50.0")
    (problem,) = refused(study, StudyError)
    assert "42 within 50 km of a treated area; 6 treated. Shorten `buffer_km` or give" in problem


# ---------------------------------------------------------------- the panel


def test_a_missing_file(study: Path) -> None:
    edit(study, '"crime.csv"', '"crimes.csv"')
    assert refused(study, DataError) == ["crimes.csv: there is no such file. Did you mean 'crime.csv'?"]


def test_duplicate_area_periods(study: Path) -> None:
    path = study.parent / "crime.csv"
    rows = len(CODES) * len(MONTHS)
    path.write_text(path.read_text(encoding="utf-8") + "T000,2012-01,5\n", encoding="utf-8")
    assert refused(study, DataError) == [
        f"crime.csv, row {rows + 2}: 1 row repeats the area_code and month of an earlier one, "
        "such as T000 2012-01. Keep one row each, or add them up."
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("-3", "'-3' in 'n' is a negative count. Counts are 0 or more."),
        ("2.5", "'2.5' in 'n' is not a whole number. Set kind = \"score\" for means."),
        ("some", "'some' in 'n' is not a number. Leave a missing value blank."),
    ],
)
def test_counts_that_are_none(study: Path, value: str, message: str) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[[3, 7], "n"] = value
        return frame

    edit_table(study.parent / "crime.csv", spoil)
    assert refused(study, DataError) == [f"crime.csv, row 5, 9: {message}"]


def test_an_empty_csv(study: Path) -> None:
    (study.parent / "crime.csv").write_bytes(b"")
    assert refused(study, DataError) == ["crime.csv: the file is empty. It needs a header and rows."]


def test_a_missing_column(study: Path) -> None:
    edit(study, 'value = "n"', 'value = "count"')
    (problem,) = refused(study, DataError)
    assert problem.startswith("crime.csv: there is no column 'count'.")


def test_every_source_is_read_before_the_faults_are_shown(study: Path) -> None:
    edit(study, 'value = "n"', 'value = "incidents"')
    edit(study, '"areas.csv"', '"area.csv"')
    found = refused(study, DataError)
    assert [p.partition(":")[0] for p in found] == ["crime.csv", "area.csv"]


def test_faults_of_areas_covariates_and_boundaries_are_shown_at_once(study: Path) -> None:
    edit(study.parent / "members.csv", "T022", "T0222")
    edit_table(study.parent / "areas.csv", lambda f: f.assign(deprivation="low"))
    edit(study, "areas.geojson", "area.geojson")
    found = refused(study, DataError)
    assert found == [
        "study.toml, line 27, design.covariates.1: 'areas.deprivation' is text, not numbers.",
        "area.geojson: there is no such boundary file. Did you mean 'areas.geojson'?",
        "members.csv, line 5: area 'T0222' is not in the panel. Did you mean 'T022'?",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_a_csv_in_another_encoding_is_read_the_same(study: Path, encoding: str) -> None:
    plain = run(study)
    path = study.parent / "crime.csv"
    edit_table(path, lambda f: f.assign(place="Café"))
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert run(study).findings == plain.findings


# ---------------------------------------------------------------- boundaries


def test_an_area_without_an_outline(study: Path) -> None:
    path = study.parent / "areas.geojson"
    collection = json.loads(path.read_text(encoding="utf-8"))
    del collection["features"][5]
    path.write_text(json.dumps(collection), encoding="utf-8")
    assert refused(study, DataError) == [
        "areas.geojson: 1 of 48 areas have no outline, such as T005. "
        "Use boundaries of the same census vintage as the table."
    ]


def test_an_area_with_an_empty_outline(study: Path) -> None:
    path = study.parent / "areas.geojson"
    collection = json.loads(path.read_text(encoding="utf-8"))
    collection["features"][5]["geometry"] = None
    path.write_text(json.dumps(collection), encoding="utf-8")
    (problem,) = refused(study, DataError)
    assert problem.startswith("areas.geojson: 1 of 48 areas have no outline, such as T005.")


def test_boundaries_that_are_none(study: Path) -> None:
    (study.parent / "areas.geojson").write_text("not a map", encoding="utf-8")
    (problem,) = refused(study, DataError)
    assert problem.startswith("areas.geojson: the file is not one of these: GeoJSON, ")


def test_outlines_of_a_release_that_is_not_here_say_how_to_get_it(study: Path) -> None:
    edit(study, '"areas.geojson"', '"elsewhere/LSOA_2021_EW_BGC_V5.gpkg"')
    (said,) = refused(study, DataError)
    assert "the file of release 'boundaries_lsoa21' is not here." in said
    assert said.endswith("Get it with `areaeffect fetch boundaries_lsoa21`.")


def test_outlines_that_the_portal_gave_as_geojson_are_found(study: Path) -> None:
    outlines = study.parent / "areas.geojson"
    outlines.rename(outlines.with_name("LSOA_2021_EW_BGC_V5.geojson"))
    edit(study, '"areas.geojson"', '"LSOA_2021_EW_BGC_V5.gpkg"')
    assert run(study).findings


def test_boundaries_without_the_column_of_codes(study: Path) -> None:
    edit(study, '"areas.geojson"', '"areas.geojson"\nboundaries_area = "area"')
    assert refused(study, DataError) == [
        "areas.geojson: there is no column 'area' with area codes. Did you mean 'area_code'?"
    ]


# ---------------------------------------------------------------- covariates and exposure


def test_a_constant_covariate_is_refused_with_the_line_to_drop(study: Path) -> None:
    edit(study, '"areas.deprivation"]', '"areas.deprivation", "areas.same"]')
    edit_table(study.parent / "areas.csv", lambda f: f.assign(same="7"))
    with pytest.raises(DataError) as caught:
        run(study)
    (problem,) = caught.value.problems
    assert "'same' is the same in all areas that count" in str(problem)
    assert "design.covariates.2" in problem.where


def test_a_covariate_missing_for_some_areas_names_them(study: Path) -> None:
    def blank(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(deprivation=frame["deprivation"].mask(frame["area_code"] == "T000", ""))

    edit_table(study.parent / "areas.csv", blank)
    result = run(study)
    assert first_finding_is_estimated(result)
    assert status(result, "T000").reason == "a covariate is missing"


def test_a_covariate_missing_for_a_treated_area_names_it(study: Path) -> None:
    def blank(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(deprivation=frame["deprivation"].mask(frame["area_code"] == "T021", ""))

    edit_table(study.parent / "areas.csv", blank)
    result = run(study)
    assert any(n.startswith("Bridge: 1 of 2 treated areas") and "T021" in n for n in result.notes)
    assert result.findings[0].n_areas == 4  # half a neighbourhood does not stand for it


def test_a_covariate_of_another_vintage(study: Path) -> None:
    edit_table(study.parent / "areas.csv", lambda f: f.assign(area_code="U" + f["area_code"]))
    found = refused(study, DataError)
    assert (
        "study.toml, line 27, design.covariates.0: 'areas.population' has no value for any area "
        "of the panel. Its area codes may be of another census vintage."
    ) in found


def test_a_covariate_that_changes_over_time_needs_a_date(study: Path) -> None:
    edit(study, '"areas.deprivation"]', '"crime.n"]')
    assert refused(study, DataError) == [
        "study.toml, line 27, design.covariates.1: 'crime.n' changes over time. "
        'Write { column = "crime.n", as_of = "..." } with a period before every start.'
    ]


def test_an_exposure_that_changes_over_time_is_taken_before_every_start(study: Path) -> None:
    edit(study, 'exposure = "areas.population"', 'exposure = "crime.homes"')
    homes = lambda f: f.assign(homes=100 + (f["month"] >= "2013").astype(int) * 900)  # noqa: E731
    edit_table(study.parent / "crime.csv", homes)
    result = evaluate(study, threads=1)
    assert any("2012-01, the first period" in note for note in result.notes)


def test_an_exposure_that_is_text(study: Path) -> None:
    edit_table(study.parent / "areas.csv", lambda f: f.assign(people="many"))
    edit(study, 'exposure = "areas.population"', 'exposure = "areas.people"')
    (problem,) = refused(study, DataError)
    assert "'areas.people' is not a column of numbers." in problem


def test_a_coverage_group_that_changes_over_time(study: Path) -> None:
    edit(study, 'period = "month"', 'period = "month"\ncoverage_group = "force"')
    edit_table(study.parent / "crime.csv", lambda f: f.assign(force=f["month"].str[:4]))
    (problem,) = refused(study, DataError)
    assert "'force' changes over time" in problem


def not_covered(study: Path, rule: str) -> None:
    edit_table(study.parent / "crime.csv", lambda f: f.assign(force="North"))
    table = f'[[source.crime.not_covered]]\ncolumn = "force"\n{rule}\n\n[source.areas]'
    edit(study, "[source.areas]", table)


def test_areas_not_covered_that_do_not_exist(study: Path) -> None:
    not_covered(study, 'values = ["South"]')
    (problem,) = refused(study, DataError)
    assert "no row has 'South' in 'force'." in problem


def test_a_period_not_covered_must_be_written_like_the_table(study: Path) -> None:
    not_covered(study, 'values = ["North"]\nfrom_period = "2013"')
    (problem,) = refused(study, DataError)
    assert "'2013'" in problem
    assert "month" in problem


def test_nothing_covered_at_all(study: Path) -> None:
    not_covered(study, 'values = ["North"]')
    with pytest.raises(AreaEffectError) as caught:
        run(study)
    assert caught.value.exit_code in {3, 4}


# ---------------------------------------------------------------- designs that cannot be exact


def test_infeasible_calibration_is_relaxed_and_said_so(study: Path) -> None:
    """Treated areas poorer than every other one: no weights reach them."""

    def poorest(frame: pd.DataFrame) -> pd.DataFrame:
        treated = [CODES[i] for pair in NEIGHBOURHOODS.values() for i in pair]
        value = frame["deprivation"].mask(frame["area_code"].isin(treated), "95.0")
        return frame.assign(deprivation=value)

    edit_table(study.parent / "areas.csv", poorest)
    result = run(study)
    assert first_finding_is_estimated(result)
    for design in result.designs:
        assert not design.exact
        assert design.imbalance > 1.0
        assert sum(design.weights) == pytest.approx(2.0)
    rows = [row for row in result.balance if row.covariate == "deprivation"]
    assert all(abs(row.smd_after) < abs(row.smd_before) for row in rows)


def test_too_small_a_pool_for_placebos_is_a_reason_not_a_crash(study: Path) -> None:
    """Four areas are left: enough to weight, too few for placebo programmes."""
    rows = "".join(f"{code},N{i // 11},2013-01-01\n" for i, code in enumerate(CODES[:44]))
    text = "area_code,neighbourhood,start_date\n" + rows
    (study.parent / "members.csv").write_text(text, encoding="utf-8")
    edit(study, 'boundaries = "areas.geojson"\n', "")
    result = run(study)
    for finding in (f for f in result.findings if f.outcome):
        assert finding.verdict is (Verdict.DESCRIBED if finding.neighbourhood else Verdict.CANNOT_TELL)
        assert finding.estimate is not None
        assert finding.interval is None
        assert finding.held_back == "too few placebo programmes could be drawn from the pool"
        assert finding.held_back in finding.caveats[0]


def test_a_result_folder_of_someone_else_is_not_touched(study: Path) -> None:
    out = study.parent.parent / "out"
    out.mkdir()
    (out / "thesis.docx").write_text("years of work", encoding="utf-8")
    with pytest.raises(StudyError):
        evaluate_into(study, out, threads=1)
    assert [p.name for p in out.iterdir()] == ["thesis.docx"]


def test_a_study_without_boundaries_says_what_its_placebos_are(study: Path) -> None:
    edit(study, 'boundaries = "areas.geojson"\n', "")
    notes = run(study).notes
    assert any("placebo programmes are made of single areas" in note for note in notes)


def test_one_design_for_a_programme_says_what_its_placebos_are(study: Path) -> None:
    """With boundaries too, its placebos are draws of single areas: nothing contiguous is grown."""
    edit(study, "nearest = 15", 'unit = "programme"\nnearest = 15')
    result = run(study)
    assert len(result.designs) == 1
    assert not any("contiguous groups" in note for note in result.notes)
    assert any("single areas" in note for note in result.notes)


def test_a_shared_data_folder_that_is_not_there(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(study.parent / "nowhere"))
    edit(study, '"crime.csv"', '"${AREAEFFECT_SHARED_DATA}/crime.csv"')
    assert refused(study, DataError) == ["nowhere/crime.csv: there is no such file. Check the path."]


def test_areas_that_are_described_and_have_no_outcome_are_named(study: Path) -> None:
    edit(study, 'boundaries = "areas.geojson"\n', "")
    gone = CODES[-3:]
    edit_table(study.parent / "crime.csv", lambda t: t[~t["area_code"].isin(gone)])
    listed = f"({', '.join(gone)})"
    assert f"areas.csv: 3 of {len(CODES)} areas are in no outcome's table and are left out " + (
        f"{listed}."
    ) in " ".join(run(study).notes)


def test_periods_that_look_incomplete_are_named_with_the_key_that_keeps_them(study: Path) -> None:
    text = study.read_text(encoding="utf-8")
    codes = ", ".join(f'"{CODES[i]}"' for pair in NEIGHBOURHOODS.values() for i in pair)
    text += (
        '\n[[source.crime.not_covered]]\ncolumn = "area_code"\nreason = "partial_month"\n'
        f'values = [{codes}]\nfrom_period = "2012-03"\nto_period = "{MONTHS[-1]}"\n'
    )
    study.write_text(text, encoding="utf-8")
    (finding, *_) = [f for f in run(study).findings if f.outcome == "crime"]
    assert finding.verdict is Verdict.NOT_ESTIMABLE
    assert "records look incomplete in 2012-03, 2012-04" in finding.caveats[0]
    assert "keep these periods with `real_falls` in the source" in finding.caveats[0]


def test_one_cell_of_text_in_a_covariate_is_named(study: Path) -> None:
    edit_table(study.parent / "areas.csv", lambda f: f.assign(deprivation=["?", *f["deprivation"][1:]]))
    (found,) = refused(study, DataError)
    assert "'areas.deprivation' holds text among its numbers: ?." in found
