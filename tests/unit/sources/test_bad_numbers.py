"""Numbers and starts that no effect follows from: a reason or an error, never a fine number.

Each case runs through the whole evaluation of the tiny study.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import AreaEffectError
from areaeffect.results import Finding, Result, Verdict
from tests.shared.small_study import CODES, NEIGHBOURHOODS, START, edit, edit_table, write_small_study

Change = Callable[[Path], None]
Rows = Callable[[pd.DataFrame], "pd.Series[bool]"]
TREATED = [CODES[i] for areas in NEIGHBOURHOODS.values() for i in areas]
CAREFUL = {Verdict.CANNOT_TELL, Verdict.NOT_ESTIMABLE}


def everywhere(table: pd.DataFrame) -> pd.Series[bool]:
    return pd.Series(data=True, index=table.index)


def put(value: str, column: str, rows: Rows = everywhere, table: str = "areas.csv") -> Change:
    def change(folder: Path) -> None:
        def edited(frame: pd.DataFrame) -> pd.DataFrame:
            frame.loc[rows(frame), column] = value
            return frame

        edit_table(folder / table, edited)

    return change


def counts(value: str, rows: Rows = everywhere) -> Change:
    return put(value, "n", rows, "crime.csv")


def in_parquet(value: float, table: str, column: str, row: int) -> Change:
    """Infinities and NaN as a binary file holds them."""

    def change(folder: Path) -> None:
        frame = pd.read_csv(folder / f"{table}.csv")
        frame[column] = frame[column].astype(float)
        frame.loc[row, column] = value
        frame.to_parquet(folder / f"{table}.parquet")
        edit(folder / "study.toml", f'"{table}.csv"', f'"{table}.parquet"')

    return change


def members(areas: list[str], start: str = START) -> Change:
    def change(folder: Path) -> None:
        rows = "".join(f"{area},Abbey,{start}\n" for area in areas)
        (folder / "members.csv").write_text(f"area_code,neighbourhood,start_date\n{rows}")

    return change


def study(old: str, new: str) -> Change:
    return lambda folder: edit(folder / "study.toml", old, new)


def together(*changes: Change) -> Change:
    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


def gap(areas: str, first: str = "2013-03", last: str = "2013-08") -> Change:
    return study(
        'boundaries = "areas.geojson"',
        'boundaries = "areas.geojson"\n[[source.crime.not_covered]]\n'
        f'column = "area_code"\nvalues = {areas}\nfrom_period = "{first}"\nto_period = "{last}"',
    )


def result_of(folder: Path, change: Change) -> Result:
    path = write_small_study(folder)
    change(folder)
    return evaluate(path, threads=1)


def of_crime(result: Result) -> list[Finding]:
    """Findings of the only outcome; families without data have rows of their own."""
    return [f for f in result.findings if f.outcome == "crime"]


def first_area(table: pd.DataFrame) -> pd.Series[bool]:
    return table["area_code"] == "T009"


def treated(table: pd.DataFrame) -> pd.Series[bool]:
    return table["area_code"].isin(TREATED)


def treated_after(table: pd.DataFrame) -> pd.Series[bool]:
    return treated(table) & (table["month"] >= "2013")


def benchmark(table: pd.DataFrame) -> pd.Series[bool]:
    return ~treated(table)


def ten_areas(folder: Path) -> None:
    """Write five neighbourhoods of two areas."""
    places = [(CODES[i + k], f"Place {i}") for i in (0, 9, 21, 33, 46) for k in (0, 1)]
    rows = "".join(f"{code},{name},{START}\n" for code, name in places)
    (folder / "members.csv").write_text(f"area_code,neighbourhood,start_date\n{rows}")


SCORE = study('value = "n"\nexposure = "areas.population"', 'value = "n"\nkind = "score"')

NOT_ESTIMABLE: dict[str, tuple[Change, str]] = {
    "all zero": (counts("0"), "only 0 incidents before the start"),
    "zero in treated areas": (counts("0", treated), "only 0 incidents before the start"),
    "zero after the start": (
        together(
            study('path = "crime.csv"', 'path = "crime.csv"\nfind_new_codes = false'),
            counts("0", treated_after),
        ),
        "a total is zero",
    ),
    "treated codes that all end at the start": (
        counts("0", treated_after),
        "enough periods before and after its start without gaps",
    ),
    "zero in benchmark areas": (counts("0", benchmark), "a total is zero"),
    "one treated area, whose range no other shares": (
        together(members(["T009"]), study("common_support = false", "common_support = true")),
        "within the range of the treated areas",
    ),
    "a start in the last period": (
        members(["T009", "T010"], "2013-12-01"),
        "the start is in the last period",
    ),
    "one treated area": (members(["T009"]), "only one treated area"),
    "a gap over most of the time after": (
        gap(str(TREATED).replace("'", '"'), "2013-02", "2013-12"),
        "enough periods before and after its start without gaps",
    ),
}

#: A number there is, but nothing says how far it would move by itself.
NO_INTERVAL: dict[str, Change] = {
    "no variation": counts("7"),
    "a score that never varies": together(SCORE, counts("7")),
}

#: T009 of Abbey's T009 and T010, or both: Abbey has no number, and those of all three say so.
PARTLY: dict[str, Change] = {
    "an area without exposure": put("0", "population", first_area),
    "a neighbourhood that straddles a gap": gap('["T009"]'),
    "a neighbourhood inside a gap": gap('["T009", "T010"]'),
}

REFUSED: dict[str, tuple[Change, str]] = {
    "everyone treated at once": (members(CODES), "no area is left to compare with: 48 treated"),
    "nobody left after exclusions": (
        study(
            "[[outcome]]",
            '[[design.exclude]]\ncolumn = "areas.population"\nreason = "left out"\nvalues = '
            "[POPULATIONS]\n\n[[outcome]]",
        ),
        "no area is left to compare with",
    ),
    "treated from the first period": (
        members(["T009", "T010"], "2012-01-01"),
        "The window needs periods before and after every start.",
    ),
    "no exposure anywhere": (put("0", "population"), "no exposure above zero"),
    "no exposure in treated areas": (put("0", "population", treated), "no exposure above zero"),
    "a covariate beyond computing": (
        put("1e300", "deprivation", first_area),
        "over 50 times off from all others",
    ),
    "a constant covariate": (put("5", "deprivation"), "'deprivation' is the same in all areas that count"),
    "collinear covariates": (
        together(
            lambda folder: edit_table(
                folder / "areas.csv", lambda t: t.assign(twice=2 * t.population.astype(int))
            ),
            study('"areas.deprivation"]', '"areas.deprivation", "areas.twice"]'),
        ),
        "'twice' follows from 'population', 'deprivation'",
    ),
    "a count that is NaN in text": (counts("nan", first_area), "'nan' in 'n' is not a number"),
    "a count that is infinite in text": (counts("inf", first_area), "'inf' in 'n' is infinite"),
    "an infinite count": (in_parquet(np.inf, "crime", "n", 0), "'inf' in 'n' is infinite"),
    "a negative exposure": (put("-5.5", "population", first_area), "is below zero"),
    "a mark for missing in an exposure": (put("-99", "population", first_area), "holds -99"),
    "an infinite exposure": (in_parquet(np.inf, "areas", "population", 9), "is infinite"),
    "an infinite covariate": (in_parquet(np.inf, "areas", "deprivation", 9), "is infinite"),
    "a count of minus infinity": (in_parquet(-np.inf, "crime", "n", 0), "'-inf' in 'n'"),
}

#: A tenth of the treated areas at most is missing: a number comes out, and says so.
SAID: dict[str, tuple[Change, str]] = {
    "one of ten treated areas without exposure": (
        together(ten_areas, put("0", "population", first_area)),
        "1 of 10 treated areas are",
    )
}


@pytest.mark.parametrize("case", NOT_ESTIMABLE)
def test_it_is_not_estimable_and_says_why(case: str, tmp_path: Path) -> None:
    change, reason = NOT_ESTIMABLE[case]
    result = result_of(tmp_path, change)
    leading = [f for f in of_crime(result) if f.form == "ratio" or "score" in case]
    assert leading
    for finding in leading:
        assert finding.verdict is Verdict.NOT_ESTIMABLE
        assert finding.estimate is finding.low is finding.high is finding.p_value is None
        assert reason in finding.caveats[0]
    # an additive form that can be computed carries no verdict of its own
    assert {f.verdict for f in result.findings} <= CAREFUL


@pytest.mark.parametrize("case", NO_INTERVAL)
def test_a_number_that_nothing_says_the_noise_of_has_no_interval_and_no_verdict(
    case: str, tmp_path: Path
) -> None:
    found = of_crime(result_of(tmp_path, NO_INTERVAL[case]))
    leading = [f for f in found if f.form == "ratio" or "score" in case]
    assert {f.neighbourhood for f in leading} == {None, "Abbey", "Bridge", "Castle"}
    for finding in leading:
        assert finding.estimate == pytest.approx(0.0, abs=1e-9)
        assert finding.interval is finding.single is finding.mde is None
        verdict = Verdict.DESCRIBED if finding.neighbourhood else Verdict.CANNOT_TELL
        assert finding.verdict is verdict
        assert finding.held_back.startswith("every placebo programme gives the same number")
        assert finding.held_back in finding.caveats[0]


@pytest.mark.parametrize("case", PARTLY)
def test_a_neighbourhood_that_lost_a_part_has_no_number(case: str, tmp_path: Path) -> None:
    findings = of_crime(result_of(tmp_path, PARTLY[case]))
    (abbey,) = [f for f in findings if f.neighbourhood == "Abbey"]
    assert abbey.verdict is Verdict.NOT_ESTIMABLE
    assert abbey.estimate is abbey.low is abbey.high is abbey.p_value is None
    assert abbey.caveats
    for finding in findings:
        if finding.neighbourhood is None:
            assert finding.n_neighbourhoods == 2
            assert "1 of 3 neighbourhoods have too many gaps or no pool here." in finding.caveats
        elif finding is not abbey:
            assert finding.estimate is not None


def test_a_single_neighbourhood_that_straddles_a_gap_is_not_estimable(tmp_path: Path) -> None:
    change = together(members(["T009", "T010"]), gap('["T009"]'))
    for finding in of_crime(result_of(tmp_path, change)):
        assert finding.verdict is Verdict.NOT_ESTIMABLE
        assert "1 of 2 treated areas cannot be used here" in finding.caveats[0]


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_with_what_to_change(case: str, tmp_path: Path) -> None:
    change, reason = REFUSED[case]
    path = write_small_study(tmp_path)
    change(tmp_path)
    text = path.read_text(encoding="utf-8")
    populations = pd.read_csv(tmp_path / "areas.csv", dtype=str)["population"].unique()
    listed = ", ".join(f'"{p}", "{p}.0"' for p in populations)
    path.write_text(text.replace("POPULATIONS", listed), encoding="utf-8")
    with pytest.raises(AreaEffectError) as caught:
        evaluate(path, threads=1)
    (problem, *_) = caught.value.problems
    assert reason in str(problem)
    assert problem.where


@pytest.mark.parametrize("case", SAID)
def test_what_is_odd_stands_beside_the_number(case: str, tmp_path: Path) -> None:
    change, remark = SAID[case]
    result = result_of(tmp_path, change)
    for finding in of_crime(result):
        if finding.neighbourhood is None:
            assert finding.estimate is not None
            assert any(remark in caveat for caveat in finding.caveats), finding.caveats


def test_counts_of_billions_give_the_same_ratio(tmp_path: Path) -> None:
    def billions(folder: Path) -> None:
        edit_table(folder / "crime.csv", lambda t: t.assign(n=(t.n.astype("int64") * 10**9).astype(str)))

    (tmp_path / "plain").mkdir()
    (tmp_path / "large").mkdir()
    plain = result_of(tmp_path / "plain", lambda _folder: None)
    large = result_of(tmp_path / "large", billions)
    for a, b in zip(of_crime(plain), of_crime(large), strict=True):
        if a.form == "ratio" and a.neighbourhood is None:
            names = ("estimate", "low", "high", "p_value", "mde")
            for name in names:
                assert getattr(b, name) == pytest.approx(getattr(a, name), abs=1e-9), name
            assert b.observed == 1e9 * (a.observed or 0)
