"""Further findings by attribute, and the same effect in other forms, from a study file."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.document.blocks import Data
from areaeffect.errors import DataError, StudyError
from areaeffect.further.effect_forms import effect_forms_section
from areaeffect.further.groups import groups_section
from areaeffect.report.files import read_result, write_result
from areaeffect.results import Annex, Finding, Result
from tests.shared.small_study import edit, edit_table, write_small_study

PARTNERS = {"Abbey": "council", "Bridge": "trust", "Castle": "council"}
STARTS = {"Abbey": "2013-01-01", "Bridge": "2013-04-01", "Castle": "2013-01-01"}


def grouped_study(folder: Path, keys: str = '["lead_partner", "start", "resident_led"]') -> Path:
    study = write_small_study(folder)
    edit_table(
        folder / "members.csv",
        lambda t: t.assign(
            lead_partner=t.neighbourhood.map(PARTNERS), start_date=t.neighbourhood.map(STARTS)
        ),
    )
    edit(study, "placebos = 39", f"placebos = 99\ngroups = {keys}")
    return study


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return evaluate(grouped_study(tmp_path_factory.mktemp("groups")), threads=1)


def annex_of(result: Result, name: str) -> Annex:
    annex = result.annex(name)
    assert annex is not None
    return annex


def of_crime(result: Result, form: str = "ratio") -> list[Finding]:
    return [f for f in result.findings if (f.outcome, f.form) == ("crime", form)]


def test_each_value_has_its_finding_and_two_values_their_contrast(result: Result) -> None:
    rows = annex_of(result, "groups").table("groups").records()
    partners = [r for r in rows if r["attribute"] == "lead_partner"]
    assert [(r["value"], r["against"], r["neighbourhoods"]) for r in partners] == [
        ("council", "", 2),
        ("trust", "", 1),
        ("council", "trust", 3),
    ]
    assert [(r["value"], r["neighbourhoods"]) for r in rows if r["attribute"] == "start"] == [
        ("2013-01", 2),
        ("2013-04", 1),
        ("2013-01", 3),
    ]
    council, trust, contrast = partners
    assert 1 + contrast["estimate"] == pytest.approx((1 + council["estimate"]) / (1 + trust["estimate"]))
    assert contrast["claim"] == "contrast"
    assert all(r["low"] < r["high"] for r in rows)


def test_a_value_of_one_neighbourhood_is_that_neighbourhood_s_finding(result: Result) -> None:
    (bridge,) = [f for f in of_crime(result) if f.neighbourhood == "Bridge"]
    trust = annex_of(result, "groups").table("groups").records()[1]
    for name in ("estimate", "low", "high", "p_value", "mde"):
        assert trust[name] == pytest.approx(getattr(bridge, name)), name


def test_further_findings_change_no_main_one(result: Result, tmp_path: Path) -> None:
    alone = evaluate(grouped_study(tmp_path, "[]"), threads=1)
    assert alone.findings == result.findings
    assert alone.annex("groups") is None


def test_findings_json_holds_them_and_gives_them_back(result: Result, tmp_path: Path) -> None:
    write_result(result, tmp_path / "out")
    rows = json.loads((tmp_path / "out" / "findings.json").read_text())["findings"]
    own = [r for r in rows if r["attribute"] == "lead_partner"]
    assert [(r["group"], r["claim"]) for r in own] == [
        ("lead partner: council", "change"),
        ("lead partner: trust", "change"),
        ("lead partner: council against trust", "contrast"),
    ]
    table = annex_of(result, "groups").table("groups").records()
    assert [r["estimate"] for r in own] == pytest.approx([r["estimate"] for r in table[:3]])
    places = {r["group"]: r["n_neighbourhoods"] for r in own}
    assert {r["primary"] for r in own if places[r["group"]] > 1} == {True}
    assert {r["verdict"] for r in own if places[r["group"]] == 1} == {"described"}
    assert {r["n_together"] for r in own} == {1}
    assert all(r["group"] in r["sentence"] for r in own)
    assert "One of 7 findings by attribute" in own[0]["caveats"][-1]
    back = read_result(tmp_path / "out")
    assert [f.group for f in back.by_attribute] == [f.group for f in result.by_attribute]
    assert [f.group for f in back.findings] == [f.group for f in result.findings]


def test_an_attribute_all_share_is_said(result: Result) -> None:
    annex = annex_of(result, "groups")
    assert annex.found.notes == ("All neighbourhoods have the same resident led: yes.",)
    assert [r["value"] for r in annex.table("groups").records()][-1] == "yes"


def test_the_section_prints_every_row_once(result: Result) -> None:
    annex = annex_of(result, "groups")
    tables = [b.table for b in groups_section(result, annex).blocks if isinstance(b, Data)]
    assert [t.caption for t in tables] == ["By lead partner", "By start", "By resident led"]
    assert sum(len(t.rows) for t in tables) == annex.found.n_findings == 7
    assert tables[0].rows[2][0] == "council against trust"


def test_an_attribute_that_no_file_has_is_refused(tmp_path: Path) -> None:
    study = grouped_study(tmp_path, '["lead_partnr"]')
    with pytest.raises(StudyError) as caught:
        evaluate(study, threads=1)
    assert "'lead_partnr' is no column of the areas files. Did you mean 'lead_partner'?" in str(
        caught.value.problems[0]
    )


def test_a_group_the_study_names_is_a_further_finding(result: Result, tmp_path: Path) -> None:
    study = grouped_study(tmp_path, "[]")
    (tmp_path / "size.csv").write_text("area_name,people\nAbbey,900\nBridge,1200\nCastle,-\n")
    edit(study, 'areas = "members.csv"', 'areas = "members.csv"\nattributes = "size.csv"')
    with study.open("a") as file:
        file.write(
            '[[group]]\nname = "Council, and small"\n'
            'where = [{ lead_partner = ["council"], people = { at_most = 1000 } }]\n'
            '[[group]]\nname = "Trust or council"\n'
            'where = [{ lead_partner = ["trust"] }, { lead_partner = ["council"] }]\n'
            '[[group]]\nname = "Nobody"\nwhere = [{ people = { at_least = 5000 } }]\n'
        )
    named = evaluate(study, threads=1)
    annex = annex_of(named, "groups")
    rows = annex.table("groups").records()
    assert [(r["attribute"], r["value"], r["neighbourhoods"]) for r in rows] == [
        ("group", "Council, and small", 1),
        ("group", "Trust or council", 3),
    ]
    assert annex.found.notes == ("No neighbourhood belongs to 'Nobody'.",)
    whole = of_crime(result)[0]
    assert rows[1]["estimate"] == pytest.approx(whole.estimate)
    edit(study, "people = { at_least", "peple = { at_least")
    with pytest.raises(StudyError, match=r"'peple' is no column.*'people'"):
        evaluate(study, threads=1)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("ward,people\nAbbey,1\n", "no column says which neighbourhood"),
        ("name,people\nAbbey,1\nAbbey,2\nBridge,1\nCastle,1\n", "'Abbey' is in two rows"),
        ("name,people\nAbbey,1\nBridge,1\nCastel,1\n", "'Castle' has no row.*'Castel'"),
    ],
)
def test_a_table_of_attributes_that_does_not_fit_is_refused(tmp_path: Path, table: str, says: str) -> None:
    study = grouped_study(tmp_path, "[]")
    (tmp_path / "size.csv").write_text(table)
    edit(study, 'areas = "members.csv"', 'areas = "members.csv"\nattributes = "size.csv"')
    with pytest.raises(DataError, match=says):
        evaluate(study, threads=1)


def test_a_start_instead_of_the_file_s(tmp_path: Path) -> None:
    study = grouped_study(tmp_path, '["start"]')
    edit(study, 'areas = "members.csv"', 'areas = "members.csv"\nstart_instead = "2013-02"')
    annex = annex_of(evaluate(study, threads=1), "groups")
    assert annex.found.notes == ("All neighbourhoods have the same start: 2013-02.",)


# ---------------------------------------------------------------- forms


def test_the_forms_repeat_the_findings_and_the_incidents_behind_them(result: Result) -> None:
    rows = annex_of(result, "effect_forms").table("effect_forms").records()
    ratio, additive, mean = rows
    (whole,) = [f for f in of_crime(result) if f.neighbourhood is None]
    (rate,) = [f for f in of_crime(result, "additive") if f.neighbourhood is None]
    assert (ratio["estimate"], additive["estimate"]) == (whole.estimate, rate.estimate)
    assert ratio["avoided"] == pytest.approx(whole.avoided)
    assert ratio["avoided_low"] < ratio["avoided"] < ratio["avoided_high"]
    assert (ratio["avoided"] > 0) == (whole.estimate is not None and whole.estimate < 0)
    assert mean["neighbourhoods"] == 3


def test_the_mean_form_counts_every_neighbourhood_the_same(result: Result) -> None:
    logs = [1 + (f.estimate or 0) for f in of_crime(result) if f.neighbourhood is not None]
    mean = annex_of(result, "effect_forms").table("effect_forms").records()[2]
    assert 1 + mean["estimate"] == pytest.approx((logs[0] * logs[1] * logs[2]) ** (1 / 3))
    assert mean["low"] < mean["estimate"] < mean["high"]


def test_a_quiet_neighbourhood_is_left_out_of_the_mean_and_said(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)

    def quiet(table: pd.DataFrame) -> pd.DataFrame:
        frame = table.copy()
        rows = frame.area_code.isin(["T009", "T010"])
        frame.loc[rows, "n"] = ["1" if i % 4 == 0 else "0" for i in range(rows.sum())]
        return frame

    edit_table(tmp_path / "crime.csv", quiet)
    rows = annex_of(evaluate(study, threads=1), "effect_forms").table("effect_forms").records()
    assert rows[2]["neighbourhoods"] == 2
    assert rows[2]["remark"].startswith("1 of 3 neighbourhoods have under 20 events")


def test_the_section_on_forms_has_a_row_a_finding_and_a_column_a_form(result: Result) -> None:
    (table,) = [
        b.table
        for b in effect_forms_section(result, annex_of(result, "effect_forms")).blocks
        if isinstance(b, Data)
    ]
    assert table.head == (
        "Group",
        "Outcome",
        "Ratio of totals",
        "Mean over neighbourhoods",
        "Difference of rates",
        "Avoided",
    )
    (row,) = table.rows
    assert "per 1,000 a year (" in row[4]
    assert "% (" in row[2]


def test_a_level_stands_beside_its_number_before_adjustment(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    edit(study, 'value = "n"', 'value = "n"\nclaim = "level"')
    result = evaluate(study, threads=1)
    rows = annex_of(result, "effect_forms").table("effect_forms").records()
    assert [r["kind"] for r in rows] == ["ratio of totals", "difference of rates", "not regression-adjusted"]
    adjusted, _, plain = rows
    assert adjusted["estimate"] != plain["estimate"]
    # every area is matched on both covariates: little is left to take off
    assert adjusted["estimate"] == pytest.approx(plain["estimate"], abs=0.02)
    assert plain["low"] < plain["estimate"] < plain["high"]
    assert {r["p_value"] for r in rows} == {None}
    assert {r["avoided"] for r in rows} == {None}
    assert result.annex("event_time") is None
