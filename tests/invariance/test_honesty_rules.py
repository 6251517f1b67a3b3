"""The rules of docs/rules.md that can be tested on a whole evaluation of a small county."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.assembly.assemble import assemble
from areaeffect.commands.evaluate import evaluate, single_threaded
from areaeffect.design.programme import design_programme
from areaeffect.errors import DataError
from areaeffect.estimate.inference import decide
from areaeffect.findings.cohorts import ClaimCohorts
from areaeffect.findings.plan import Plan, make_plan
from areaeffect.periods import label
from areaeffect.report.files import write_result
from areaeffect.results import ALL_INITIATIVES, RESIDENT_LED_CONTRAST, Finding, Result, Verdict
from areaeffect.simulate import CountySpec, ProgrammeSpec, simulate_county, smallest_force, write_county
from areaeffect.study.file import read_study
from areaeffect.wording import sentence

STARTS = ("2016-01", "2018-01")
LED = ProgrammeSpec(
    name="Residents First",
    resident_led=True,
    n_neighbourhoods=4,
    starts=("2016-01-01", "2018-01-01"),
    effects={"crime": -0.15},
    sizes=(2, 3),
)
COUNCIL = ProgrammeSpec(
    name="Council Partnership",
    resident_led=False,
    n_neighbourhoods=2,
    starts=("2016-01-01",),
    effects={},
    sizes=(2, 3),
)
SPEC = CountySpec(n_areas=250, seed=5, programmes=(LED, COUNCIL))
PLACEBOS = 39
MEMBERS = "residents_first.csv"
MONTHLY, YEARLY = "crime_monthly.parquet", "indicators_yearly.csv"


# ---------------------------------------------------------------- a county, and copies that differ


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small county; its design also looks at one dated covariate."""
    folder = tmp_path_factory.mktemp("county")
    study = write_county(simulate_county(SPEC), folder, voices=False)
    dated = '    { column = "indicators.empty_homes", as_of = "2015" },\n'
    text = study.read_text(encoding="utf-8")
    fewer = f"placebos = {PLACEBOS}\nchecks = false"  # tests/contract/test_checks.py has them
    text = text.replace("placebos = 499", fewer)
    text = text.replace('    { column = "areas.deprivation"', dated + '    { column = "areas.deprivation"')
    assert "2015" in text
    study.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def result(county: Path) -> Result:
    return evaluate(county / "study.toml", threads=1)


Change = Callable[[Path], None]


def copy_of(county: Path, folder: Path, *changes: Change) -> Path:
    """Copy the county, change the copy, and return its study file."""
    copied = folder / "copy"
    shutil.copytree(county, copied)
    for change in changes:
        change(copied)
    return copied / "study.toml"


def edit_table(name: str, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> Change:
    def change(folder: Path) -> None:
        path = folder / name
        if path.suffix == ".parquet":
            edit(pd.read_parquet(path)).to_parquet(path, index=False)
        else:
            edit(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)

    return change


def edit_text(old: str, new: str, name: str = "study.toml") -> Change:
    def change(folder: Path) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


def multiply(factor: float, start: str, *, after: bool) -> tuple[Change, Change]:
    """Multiply every outcome at or after a start (or before it)."""

    def monthly(frame: pd.DataFrame) -> pd.DataFrame:
        rows = (frame["month"] >= start) == after
        counts = ["crime", "antisocial_behaviour", "criminal_damage"]
        frame[counts] = frame[counts].astype("int64")
        frame.loc[rows, counts] *= int(factor)
        return frame

    def yearly(frame: pd.DataFrame) -> pd.DataFrame:
        rows = (frame["year"] >= start[:4]) == after
        for column in ("environment_score", "empty_homes", "social_relationships"):
            number = pd.to_numeric(frame[column])
            frame[column] = number.where(~rows, number * int(factor))
        return frame

    return edit_table(MONTHLY, monthly), edit_table(YEARLY, yearly)


def plan_of(study: Path) -> Plan:
    with single_threaded():
        file = read_study(study)
        return make_plan(file, assemble(file), "0")


def leading(result: Result, group: str, outcome: str) -> Finding:
    return next(f for f in result.findings if (f.group, f.outcome, f.neighbourhood) == (group, outcome, None))


def areas_of(result: Result, neighbourhood: str) -> tuple[str, ...]:
    return next(d.areas for d in result.designs if d.neighbourhood == neighbourhood)


def first_neighbourhood(result: Result) -> str:
    return next(d.neighbourhood for d in result.designs if d.initiative == LED.name)


# ---------------------------------------------------------------- 1. design before outcome


@pytest.fixture(scope="session")
def plan(county: Path) -> Plan:
    return plan_of(county / "study.toml")


@pytest.mark.parametrize("start", STARTS)
def test_no_outcome_at_or_after_a_start_moves_its_design(
    county: Path, plan: Plan, tmp_path: Path, start: str
) -> None:
    other = plan_of(copy_of(county, tmp_path, *multiply(10, start, after=True)))
    assert other.pool.reasons == plan.pool.reasons
    # a neighbourhood that began earlier saw none of these cells either
    designed = [d for d in plan.designs if d.start <= start]
    assert designed
    assert [d for d in other.designs if d.start <= start] == designed
    names = {d.neighbourhood for d in designed}
    balance = [row for row in plan.balance if row.neighbourhood in names]
    assert balance
    assert [row for row in other.balance if row.neighbourhood in names] == balance


@pytest.mark.parametrize("start", STARTS)
def test_outcomes_before_a_start_do_move_its_design(
    county: Path, plan: Plan, tmp_path: Path, start: str
) -> None:
    """The test above can fail: the same change on the other side of the start is seen."""

    def double_some(frame: pd.DataFrame) -> pd.DataFrame:
        rows = (frame["month"] < start) & (frame["area_code"].str[-1] == "1")
        frame.loc[rows, "crime"] *= 2
        return frame

    other = plan_of(copy_of(county, tmp_path, edit_table(MONTHLY, double_some)))
    before = [d.weights for d in plan.designs if d.start == start]
    assert [d.weights for d in other.designs if d.start == start] != before


def held_out_weights(plan: Plan, start: str) -> list[tuple[list[int], list[float]]]:
    """Pool and weights of the designs that do not see the last year before their start."""
    machine = plan.machine
    (arm,) = [a for a in machine.arms if isinstance(a, ClaimCohorts) and a.claim == "held-out"]
    members = [unit.areas for unit in plan.units]
    cohorts = [arm.cohort(g, areas) for g, areas in enumerate(members)]
    chosen = design_programme(cohorts, members, machine.eligible, machine.rules)
    return [
        (w.pool.tolist(), w.weights.tolist())
        for unit, w in zip(plan.units, chosen, strict=True)
        if w is not None and label(unit.start, unit.start_kind) == start
    ]


def test_the_held_out_design_does_not_see_the_year_it_is_tested_on(
    county: Path, plan: Plan, tmp_path: Path
) -> None:
    monthly, _ = multiply(10, "2015-01", after=True)
    other = plan_of(copy_of(county, tmp_path, monthly))
    before = held_out_weights(plan, "2016-01")
    assert len(before) == 4
    assert held_out_weights(other, "2016-01") == before


def test_a_later_edition_of_a_covariate_does_not_move_the_design(
    county: Path, plan: Plan, tmp_path: Path
) -> None:
    """Empty homes are a covariate as of 2015: those of later years are another matter."""

    def later(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame["year"] >= "2018"
        frame.loc[rows, "empty_homes"] += "000000"
        return frame

    other = plan_of(copy_of(county, tmp_path, edit_table(YEARLY, later)))
    assert other.designs == plan.designs
    assert other.balance == plan.balance


@pytest.mark.parametrize("as_of", ["2016", "2016-01", "2017", "2016-Q1"])
def test_a_covariate_dated_at_or_after_a_start_is_refused(county: Path, tmp_path: Path, as_of: str) -> None:
    change = edit_text('"areas.deprivation", as_of = "2011"', f'"areas.deprivation", as_of = "{as_of}"')
    with pytest.raises(DataError) as caught:
        plan_of(copy_of(county, tmp_path, change))
    (problem,) = caught.value.problems
    assert problem.what.startswith(f"'areas.deprivation' describes {as_of}, but '")
    assert problem.what.endswith("starts at 2016-01.")
    assert re.search(r"study\.toml, line \d+, design\.covariates\.2$", problem.where)
    assert problem.fix == "Use an earlier edition: one from after the start may hold the effect."


def test_a_year_that_holds_the_start_is_not_before_it(county: Path, tmp_path: Path) -> None:
    """A covariate 'as of 2015' may describe December 2015, and work may have begun in June."""
    change = edit_table(
        MEMBERS,
        lambda frame: frame.assign(start_date=frame["start_date"].replace("2016-01-01", "2015-06-01")),
    )
    with pytest.raises(DataError, match=r"'indicators\.empty_homes' describes 2015"):
        plan_of(copy_of(county, tmp_path, change))


def test_the_seal_covers_the_data(county: Path, plan: Plan, tmp_path: Path) -> None:
    changed = copy_of(county, tmp_path, edit_text("\n", "\n\n", "areas.csv"))
    assert plan_of(changed).seal.sha256 != plan.seal.sha256


# ---------------------------------------------------------------- 8. same input, same bytes


def without_shapes(result: Result) -> Result:
    return replace(result, shapes=())


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_result_does_not_depend_on_the_number_of_processes(
    county: Path, result: Result, tmp_path: Path
) -> None:
    again = evaluate(county / "study.toml", threads=2)
    assert without_shapes(again) == without_shapes(result)
    write_result(result, tmp_path / "one")
    write_result(again, tmp_path / "two")
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert list(one) == list(two)
    assert [name for name in one if one[name] != two[name]] == []


def test_no_result_file_names_the_folder_it_was_made_in(county: Path, result: Result, tmp_path: Path) -> None:
    write_result(result, tmp_path / "out")
    for name, raw in contents(tmp_path / "out").items():
        assert str(county).encode() not in raw, name


def numbers(result: Result) -> Result:
    """A result without what names its input files: the releases and the seal over them."""
    seal = replace(result.seal, sha256="", covers=())
    return replace(result, releases=(), seal=seal, shapes=(), plan={})


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sample(frac=1.0, random_state=3)


def shuffle_features(folder: Path) -> None:
    path = folder / "boundaries.geojson"
    collection = json.loads(path.read_text(encoding="utf-8"))
    collection["features"].reverse()
    path.write_text(json.dumps(collection), encoding="utf-8")


def test_the_order_of_rows_and_columns_changes_nothing(county: Path, result: Result, tmp_path: Path) -> None:
    tables = (MONTHLY, YEARLY, "areas.csv", MEMBERS, "council_partnership.csv")
    changes = [edit_table(name, lambda f: shuffled(f)[f.columns[::-1]]) for name in tables]
    study = copy_of(county, tmp_path, shuffle_features, *changes)
    assert numbers(evaluate(study, threads=1)) == numbers(result)


def relabel(rename: Callable[[str], str]) -> Change:
    """Give every area another code, in every file."""

    def change(folder: Path) -> None:
        for name in (MONTHLY, YEARLY, "areas.csv", MEMBERS, "council_partnership.csv"):
            edit_table(name, lambda f: f.assign(area_code=f["area_code"].map(rename)))(folder)
        path = folder / "boundaries.geojson"
        collection = json.loads(path.read_text(encoding="utf-8"))
        for feature in collection["features"]:
            feature["properties"]["area_code"] = rename(feature["properties"]["area_code"])
        path.write_text(json.dumps(collection), encoding="utf-8")

    return change


def test_other_codes_in_the_same_order_change_no_number(county: Path, result: Result, tmp_path: Path) -> None:
    other = evaluate(copy_of(county, tmp_path, relabel(lambda c: c.replace("S01", "X-"))), threads=1)
    assert other.findings == result.findings
    assert other.placebos == result.placebos
    assert [d.weights for d in other.designs] == [d.weights for d in result.designs]
    assert other.balance == result.balance


def test_other_codes_in_another_order_change_no_estimate(
    county: Path, result: Result, tmp_path: Path
) -> None:
    """Placebos are drawn in the order of codes, so only what does not rest on them is equal."""
    other = evaluate(copy_of(county, tmp_path, relabel(lambda c: c[::-1])), threads=1)
    assert len(other.findings) == len(result.findings)
    for one, two in zip(result.findings, other.findings, strict=True):
        assert (one.group, one.outcome, one.form) == (two.group, two.outcome, two.form)
        assert two.estimate == pytest.approx(one.estimate, rel=1e-6, abs=1e-9)
        assert two.n_benchmark_areas == one.n_benchmark_areas


# ---------------------------------------------------------------- 2. absence is not zero


def drop(areas: tuple[str, ...], first: str, last: str) -> Change:
    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        gone = frame["area_code"].isin(areas) & frame["month"].between(first, last)
        assert gone.any()
        return frame[~gone]

    return edit_table(MONTHLY, edit)


def zero(areas: tuple[str, ...], first: str, last: str) -> Change:
    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame["area_code"].isin(areas) & frame["month"].between(first, last)
        frame.loc[rows, ["crime", "antisocial_behaviour", "criminal_damage"]] = 0
        return frame

    return edit_table(MONTHLY, edit)


def test_a_few_missing_months_do_not_lower_the_estimate(county: Path, result: Result, tmp_path: Path) -> None:
    described = pd.read_csv(county / "areas.csv").set_index("area_code")["police_force"]
    gap = smallest_force(described)  # its neighbourhoods miss six months already
    led = (d for d in result.designs if d.initiative == LED.name)
    areas = tuple(a for d in led for a in d.areas if described[a] != gap)
    span = ("2019-03", "2019-07")  # 5 of 72 or 96 months after the start: under a tenth
    dropped = evaluate(copy_of(county, tmp_path / "a", drop(areas, *span)), threads=1)
    zeroed = evaluate(copy_of(county, tmp_path / "b", zero(areas, *span)), threads=1)
    whole, kept, fallen = (leading(r, LED.name, "crime") for r in (result, dropped, zeroed))
    assert whole.estimate is not None
    assert kept.estimate is not None
    assert fallen.estimate is not None
    assert kept.n_neighbourhoods == whole.n_neighbourhoods
    assert fallen.estimate < whole.estimate - 0.03  # what counting absence as zero would do
    assert abs(kept.estimate - whole.estimate) < 0.015
    # and it is said which periods are not counted
    left_out = {p for d in dropped.designs if d.initiative == LED.name for p in d.periods_left_out}
    assert {"2019-03", "2019-04", "2019-05", "2019-06", "2019-07"} <= left_out
    assert any(g.reason == "no_row" and g.first == "2019-03" for g in dropped.gaps)


def test_a_neighbourhood_with_over_a_tenth_missing_gets_no_estimate(
    county: Path, result: Result, tmp_path: Path
) -> None:
    name = first_neighbourhood(result)
    study = copy_of(county, tmp_path, drop(areas_of(result, name), "2019-01", "2019-12"))
    found = evaluate(study, threads=1)
    crime = leading(found, LED.name, "crime")
    assert crime.n_neighbourhoods == leading(result, LED.name, "crime").n_neighbourhoods - 1
    assert "1 of 4 neighbourhoods have too many gaps or no pool here." in crime.caveats
    # yearly outcomes come from another source and are still counted there
    assert leading(found, LED.name, "empty_homes").n_neighbourhoods == 4


def test_a_treated_area_with_long_gaps_is_left_out_and_named(
    county: Path, result: Result, tmp_path: Path
) -> None:
    name = first_neighbourhood(result)
    area = areas_of(result, name)[0]
    found = evaluate(copy_of(county, tmp_path, drop((area,), "2012-01", "2014-12")), threads=1)
    assert area not in areas_of(found, name)
    (note,) = [n for n in found.notes if n.startswith(f"{name}: 1 of ")]
    assert area in note
    assert "not covered throughout and are left out" in note
    (status,) = [a for a in found.areas if a.area == area]
    assert (status.role, status.reason) == ("left out", "treated, but not covered")


def test_the_recording_gap_of_a_force_is_missing_not_a_fall(result: Result) -> None:
    gaps = [g for g in result.gaps if g.outcome == "crime"]
    assert [(g.first, g.last, g.reason) for g in gaps] == [("2017-07", "2017-12", "partial_month")]


def test_an_area_without_a_covariate_is_left_out_of_the_pool_and_said_so(
    county: Path, result: Result, tmp_path: Path
) -> None:
    area = next(a.area for a in result.areas if a.role == "benchmark")

    def blank(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["area_code"] == area, "deprivation"] = ""
        return frame

    found = evaluate(copy_of(county, tmp_path, edit_table("areas.csv", blank)), threads=1)
    (status,) = [a for a in found.areas if a.area == area]
    assert (status.role, status.reason) == ("left out", "a covariate is missing")


@pytest.mark.parametrize("column", ["deprivation", "population"])
def test_a_treated_area_without_a_covariate_or_exposure_is_left_out_and_named(
    county: Path, result: Result, tmp_path: Path, column: str
) -> None:
    name = first_neighbourhood(result)
    area = areas_of(result, name)[0]

    def blank(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["area_code"] == area, column] = ""
        return frame

    found = evaluate(copy_of(county, tmp_path, edit_table("areas.csv", blank)), threads=1)
    assert area not in areas_of(found, name)
    assert any(n.startswith(f"{name}: 1 of ") and area in n for n in found.notes)


# ---------------------------------------------------------------- every family has its row


def families(result: Result, group: str) -> set[str]:
    return {f.family for f in result.findings if f.group == group}


def test_every_family_has_a_row_for_every_group(result: Result) -> None:
    groups = {f.group for f in result.findings}
    assert groups == {LED.name, COUNCIL.name, ALL_INITIATIVES, RESIDENT_LED_CONTRAST}
    for group in groups:
        assert len(families(result, group)) == 6


def treated_codes(county: Path, *names: str) -> set[str]:
    return {c for n in names for c in pd.read_csv(county / n)["area_code"]}


def test_a_family_without_data_for_the_treated_has_its_row_with_the_reason(
    county: Path, result: Result, tmp_path: Path
) -> None:
    treated = treated_codes(county, MEMBERS, "council_partnership.csv")

    def blank(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["area_code"].isin(treated), "environment_score"] = ""
        return frame

    found = evaluate(copy_of(county, tmp_path, edit_table(YEARLY, blank)), threads=1)
    for finding in found.findings:
        if finding.family == "environment":
            assert finding.verdict is Verdict.NOT_ESTIMABLE
            assert finding.estimate is None
            assert finding.caveats == (
                "no neighbourhood has enough periods before and after its start without gaps",
            )
    # and the others stand as they were
    for outcome in ("crime", "empty_homes"):
        assert leading(found, LED.name, outcome).estimate is not None
        assert leading(found, LED.name, outcome).n_neighbourhoods == 4


def test_an_initiative_without_any_covered_area_has_its_rows_with_the_reason(
    county: Path, tmp_path: Path
) -> None:
    gone = treated_codes(county, "council_partnership.csv")

    def blank(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["area_code"].isin(gone), "deprivation"] = ""
        return frame

    found = evaluate(copy_of(county, tmp_path, edit_table("areas.csv", blank)), threads=1)
    assert len(families(found, COUNCIL.name)) == 6
    for finding in found.findings:
        if finding.group == COUNCIL.name:
            assert finding.verdict is Verdict.NOT_ESTIMABLE
            assert finding.caveats


def test_whatever_is_not_estimable_says_why_and_carries_no_number(county: Path, tmp_path: Path) -> None:
    def rare(frame: pd.DataFrame) -> pd.DataFrame:
        frame["criminal_damage"] = 0
        return frame

    found = evaluate(copy_of(county, tmp_path, edit_table(MONTHLY, rare)), threads=1)
    damage = [f for f in found.findings if f.family == "criminal_damage" and f.form == "ratio"]
    assert {f.group for f in damage} == {LED.name, COUNCIL.name, ALL_INITIATIVES, RESIDENT_LED_CONTRAST}
    for finding in damage:
        assert finding.verdict is Verdict.NOT_ESTIMABLE
        (caveat,) = finding.caveats
        assert caveat.startswith("only 0 ")
        assert caveat.endswith(" before the start: too few for a percentage")
        numeric = (finding.estimate, finding.low, finding.high, finding.p_value, finding.mde)
        assert numeric == (None,) * 5


# ---------------------------------------------------------------- what a result must hold


def test_no_programme_and_no_effect_raise_no_alarm_by_construction(tmp_path: Path) -> None:
    """Zero effects: every number is there, inside its own interval, whatever it comes to."""
    nothing = ProgrammeSpec(
        name="Nothing",
        resident_led=False,
        n_neighbourhoods=3,
        starts=("2016-01-01",),
        effects={},
        sizes=(2, 3),
    )
    spec = CountySpec(n_areas=250, seed=8, programmes=(nothing,))
    study = write_county(simulate_county(spec), tmp_path, voices=False)
    edit_text("placebos = 499", "placebos = 59")(tmp_path)  # some may not be drawn; 39 are needed
    found = evaluate(study, threads=1)
    estimated = [f for f in found.findings if f.estimate is not None]
    assert estimated
    for f in estimated:
        assert f.low is not None
        assert f.high is not None
        assert f.p_value is not None
        assert 0 < f.p_value <= 1
        assert f.low <= f.high


def test_an_estimate_never_disagrees_with_its_avoided_number(result: Result) -> None:
    for f in result.findings:
        if f.claim == "contrast":  # two sides have no one total
            assert f.avoided is None
        elif f.form == "ratio" and f.estimate is not None:
            assert f.avoided is not None
            assert f.counterfactual is not None
            assert f.observed is not None
            assert f.avoided == pytest.approx(f.counterfactual - f.observed)
            assert f.observed / f.counterfactual - 1 == pytest.approx(f.estimate)


def test_the_printed_interval_is_never_narrower_than_that_of_one_outcome(result: Result) -> None:
    found = [f for f in result.findings if f.interval is not None and f.single is not None]
    assert found
    for f in found:
        assert f.interval is not None
        assert f.single is not None
        for end in ("low", "high"):
            printed, alone = getattr(f.interval, end), getattr(f.single, end)
            assert abs(printed - (f.estimate or 0.0)) >= abs(alone - (f.estimate or 0.0)) - 1e-12
        assert f.interval.p_value is not None
        assert f.p_step_down is not None
        assert f.interval.p_value >= f.p_step_down >= (f.single.p_value or 0.0)


def test_verdict_and_interval_never_contradict_each_other(result: Result) -> None:
    for f in result.every_finding:
        if f.interval is None or f.verdict is Verdict.DESCRIBED:
            continue
        if f.held_back:
            assert f.verdict is Verdict.CANNOT_TELL
            continue
        assert f.better is not None
        assert f.verdict is decide(f.interval, f.threshold, f.better, f.claim)


def test_the_additive_form_is_the_ratio_times_what_was_expected(result: Result) -> None:
    whole = [f for f in result.findings if f.neighbourhood is None]
    ratios = {(f.group, f.outcome): f for f in whole if f.form == "ratio"}
    rates = [f for f in result.findings if f.form == "additive" and f.avoided is not None]
    assert rates
    for f in rates:
        ratio = ratios[f.group, f.outcome]
        factor = (f.estimate or 0.0) / (ratio.estimate or 1.0)
        assert factor > 0
        assert f.low == pytest.approx((ratio.low or 0.0) * factor)
        assert f.high == pytest.approx((ratio.high or 0.0) * factor)
        assert f.verdict is ratio.verdict
        assert f.p_value == ratio.p_value


def test_a_single_place_of_a_programme_of_several_is_described_and_never_judged(result: Result) -> None:
    several = {u for u, n in Counter(d.initiative for d in result.designs).items() if n > 1}
    places = [f for f in result.findings if f.neighbourhood is not None]
    places = [f for f in places if f.initiative in several and f.estimate is not None]
    assert places
    assert {f.verdict for f in places} == {Verdict.DESCRIBED}


def test_the_minimum_detectable_effect_stands_beside_every_estimate(result: Result) -> None:
    for f in result.findings:
        if f.estimate is not None:
            assert f.mde is not None
            assert (f.mde < 0) == (f.better == "lower")


def test_a_change_is_graded_three_only_where_the_held_out_gap_was_tested(result: Result) -> None:
    graded = [f for f in result.findings if f.estimate is not None and f.claim == "change"]
    assert graded
    for f in graded:
        says_two = any(c.startswith("Graded 2 on the Maryland scale") for c in f.caveats)
        assert f.maryland == (2 if says_two else 3)


def test_a_level_claim_has_weights_without_history_and_the_latest_year_only(
    county: Path, tmp_path: Path
) -> None:
    study = copy_of(county, tmp_path)
    text = study.read_text(encoding="utf-8").replace('claim = "change"', 'claim = "level"')
    # a level avoids nothing that could be valued
    text = re.sub(r"^valued_as = .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\[value.*?(?=^\[(?!value)|\Z)", "", text, flags=re.MULTILINE | re.DOTALL)
    study.write_text(text, encoding="utf-8")
    found = evaluate(study, threads=1)
    assert {row.covariate for row in found.balance} == {
        "population",
        "empty_homes",
        "deprivation",
        "share_renting",
    }
    crime = leading(found, LED.name, "crime")
    assert crime.post == "2023-01 to 2023-12"
    assert "A difference in level is not an effect: the areas may have differed before." in crime.caveats
    assert crime.maryland == 2


def test_a_score_counted_per_thousand_is_not_multiplied(county: Path, result: Result, tmp_path: Path) -> None:
    """The unit of a score is a name: whatever stands in it, the number is the table's."""
    change = edit_text('unit = "points"', 'unit = "points per 1,000 a year"')
    found = evaluate(copy_of(county, tmp_path, change), threads=1)
    one, two = (leading(r, LED.name, "environment_score") for r in (result, found))
    assert two.estimate == one.estimate
    assert two.low == one.low


def test_every_row_read_is_kept_or_rejected(result: Result) -> None:
    for release in result.releases:
        assert release.rows_kept + release.rows_rejected == release.rows_read


def test_the_weights_of_a_design_add_up_to_its_treated_areas(result: Result) -> None:
    for design in result.designs:
        assert min(design.weights) > 0
        assert sum(design.weights) == pytest.approx(len(design.areas))
        assert not set(design.areas) & set(design.benchmark_areas)
        assert np.all(np.diff(design.weights) <= 0)


# ---------------------------------------------------------------- 4. level is not change


def as_level(folder: Path) -> None:
    path = folder / "study.toml"
    head, name, tail = path.read_text(encoding="utf-8").partition('name = "environment_score"')
    path.write_text(head + name + tail.replace('"change"', '"level"', 1), encoding="utf-8")


def level_designs(study: Path) -> list[tuple[tuple[str, ...], tuple[float, ...]]]:
    designs = [d for d in plan_of(study).designs if d.claim == "level"]
    assert designs
    return [(d.benchmark_areas, d.weights) for d in designs]


def test_a_level_claim_is_a_difference_of_grade_2_at_most(county: Path, tmp_path: Path) -> None:
    found = evaluate(copy_of(county, tmp_path, as_level), threads=1)
    level = [f for f in found.findings if f.claim == "level" and f.neighbourhood is None]
    assert len(level) == 3
    for finding in level:
        assert finding.estimate is not None
        assert finding.maryland == 2
        assert finding.held_out is None
        assert "places differ" in sentence(finding)
        assert "effect" not in sentence(finding)
        assert finding.verdict not in {Verdict.BETTER, Verdict.WORSE}
        assert any("not an effect" in caveat for caveat in finding.caveats)


def test_the_weights_of_a_level_claim_use_no_outcome_history(county: Path, tmp_path: Path) -> None:
    """With the history in them the gap would be zero before, and the level only the change."""
    plain = level_designs(copy_of(county, tmp_path / "plain", as_level))
    moved = copy_of(county, tmp_path / "moved", as_level, *multiply(2, STARTS[0], after=False))
    assert level_designs(moved) == plain
