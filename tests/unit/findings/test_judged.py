"""Who gets a verdict, which one, and what holds it back: a grid of areas with a known effect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.diff import summary
from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import DataError
from areaeffect.results import Finding, Result, Verdict
from areaeffect.wording import headline
from tests.shared.small_study import edit, edit_table, write_small_study

ROWS, COLUMNS, N_MONTHS = 13, 14, 36
CODES = [f"G{i:03d}" for i in range(ROWS * COLUMNS)]
PLACES = {"Abbey": (32, 33), "Bridge": (88, 89), "Castle": (130, 131)}
EFFECT = 0.45

STUDY = """\
[study]
title = "A grid"
window = { start = "2012-01", end = "2014-12" }
seed = 4

[source.crime]
kind = "panel"
path = "crime.csv"
area = "area_code"
period = "month"
neighbours = "touching.csv"

[[initiative]]
name = "Residents First"
areas = "members.csv"

[register]
buffer_km = 0.0

[design]
nearest = 40
common_support = false

[[outcome]]
name = "crime"
family = "crime"
source = "crime"
value = "n"

[[outcome]]
name = "burglary"
family = "crime"
source = "crime"
value = "part"

[analysis]
placebos = 199
checks = false
"""


def write(folder: Path, names: tuple[str, ...]) -> Path:
    rng = np.random.default_rng(11)
    n = len(CODES)
    mean = np.repeat(rng.uniform(25.0, 35.0, n)[:, None], N_MONTHS, axis=1)
    for name in names:
        mean[list(PLACES[name]), 24:] *= EFFECT
    part = rng.poisson(0.3 * mean)
    counts = part + rng.poisson(0.7 * mean)
    months = [f"{2012 + t // 12}-{t % 12 + 1:02d}" for t in range(N_MONTHS)]
    table = {"area_code": np.repeat(CODES, N_MONTHS), "month": np.tile(months, n)}
    pd.DataFrame(table | {"n": counts.ravel(), "part": part.ravel()}).to_csv(
        folder / "crime.csv", index=False
    )
    members = [(CODES[i], name, "2014-01-01") for name in names for i in PLACES[name]]
    columns = ["area_code", "neighbourhood", "start_date"]
    pd.DataFrame(members, columns=columns).to_csv(folder / "members.csv", index=False)
    right = [(i, i + 1) for i in range(n) if (i + 1) % COLUMNS]
    below = [(i, i + COLUMNS) for i in range(n - COLUMNS)]
    touching = [(CODES[a], CODES[b]) for a, b in (*right, *below)]
    pd.DataFrame(touching, columns=["area", "neighbour"]).to_csv(folder / "touching.csv", index=False)
    study = folder / "study.toml"
    study.write_text(STUDY, encoding="utf-8")
    return study


def whole(result: Result, outcome: str) -> Finding:
    return next(
        f for f in result.findings if (f.outcome, f.form, f.neighbourhood) == (outcome, "ratio", None)
    )


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return evaluate(write(tmp_path_factory.mktemp("one"), ("Abbey",)), threads=1)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return evaluate(write(tmp_path_factory.mktemp("three"), tuple(PLACES)), threads=1)


def test_a_programme_that_is_one_place_may_get_a_verdict_and_is_graded_two(one: Result) -> None:
    found = whole(one, "crime")
    assert (found.n_disjoint_neighbourhoods or 0) >= 39
    assert found.verdict is Verdict.BETTER
    assert found.is_one_place
    assert found.maryland == 2
    assert "this place did better than places like it" in headline(found)
    assert any("One place cannot say why" in caveat for caveat in found.caveats)


def test_one_place_beside_too_few_others_has_an_open_end_where_zero_would_be_left_out(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    edit(study, "placebos = 39", "placebos = 39\nchecks = false")
    edit_table(tmp_path / "members.csv", lambda t: t[t["neighbourhood"] == "Abbey"])

    def treble(t: pd.DataFrame) -> pd.DataFrame:
        after = t["area_code"].isin(["T009", "T010"]) & (t["month"] >= "2013-01")
        return t.assign(n=t["n"].astype(int) * (1 + 2 * after))

    edit_table(tmp_path / "crime.csv", treble)
    result = evaluate(study, threads=1)
    found = whole(result, "crime")
    assert (found.n_disjoint_neighbourhoods or 0) < 39
    assert found.verdict is Verdict.CANNOT_TELL
    assert found.interval is not None
    assert found.interval.p_value == pytest.approx(2 / (1 + (found.n_disjoint_neighbourhoods or 0)))
    assert found.low is None
    assert (found.high or 0) > (found.estimate or 0) > 1
    assert any(caveat.startswith("So few separate places can be compared") for caveat in found.caveats)
    assert "no end found to +" in summary(result)


def test_its_places_are_described_where_a_programme_has_several(three: Result) -> None:
    assert whole(three, "crime").verdict is Verdict.BETTER
    assert not whole(three, "crime").is_one_place
    places = [f for f in three.findings if f.neighbourhood is not None]
    assert {f.verdict for f in places} == {Verdict.DESCRIBED}
    assert all(f.high is not None and f.high < 0 for f in places if f.outcome == "crime")


def test_places_unlike_every_other_area_get_no_verdict_and_the_reason(tmp_path: Path) -> None:
    study = write(tmp_path, tuple(PLACES))
    treated = {i for pair in PLACES.values() for i in pair}
    score = [80.0 + i % 7 if i in treated else i % 11 for i in range(len(CODES))]
    table = pd.DataFrame({"area_code": CODES, "score": score})
    table.to_csv(tmp_path / "need.csv", index=False)
    source = '[source.need]\nkind = "panel"\npath = "need.csv"\narea = "area_code"\n\n[[initiative]]'
    edit(study, "[[initiative]]", source)
    asked = 'covariates = [{ column = "need.score", as_of = "2011" }]\nnearest = 40'
    edit(study, "nearest = 40", asked)
    found = whole(evaluate(study, threads=1), "crime")
    assert found.verdict is Verdict.CANNOT_TELL
    assert found.held_back == "no untreated areas are like its places in score"
    assert any("by more than 1 standard deviation" in caveat for caveat in found.caveats)


def test_a_part_of_a_total_is_described_unless_the_study_says_otherwise(one: Result, tmp_path: Path) -> None:
    part = whole(one, "burglary")
    assert (part.verdict, part.primary, part.n_together) == (Verdict.DESCRIBED, False, 1)
    assert any("burglary is part of crime" in note for note in one.notes)
    study = write(tmp_path, ("Abbey",))
    edit(study, 'value = "part"\n', 'value = "part"\nprimary = true\n')
    result = evaluate(study, threads=1)
    assert {whole(result, name).n_together for name in ("crime", "burglary")} == {2}
    assert whole(result, "burglary").verdict is Verdict.BETTER
    alone, together = whole(one, "crime"), whole(result, "crime")
    assert alone.estimate == together.estimate
    assert abs(together.low or 0.0) > abs(alone.low or 0.0)


def test_without_outlines_or_neighbours_nobody_can_tell(tmp_path: Path) -> None:
    study = write(tmp_path, tuple(PLACES))
    edit(study, 'neighbours = "touching.csv"\n', "")
    found = whole(evaluate(study, threads=1), "crime")
    assert found.verdict is Verdict.CANNOT_TELL
    assert found.held_back == "the study does not say where its areas lie"
    assert found.high is not None
    assert found.high < 0
    assert "because the study does not say where its areas lie" in headline(found)


def test_a_list_of_neighbours_that_names_no_area_of_the_study_is_refused(tmp_path: Path) -> None:
    study = write(tmp_path, ("Abbey",))
    (tmp_path / "touching.csv").write_text("area,neighbour\nX,Y\n", encoding="utf-8")
    with pytest.raises(DataError, match="no row names two areas of the study"):
        evaluate(study, threads=1)


def test_a_level_is_lower_and_never_better(tmp_path: Path) -> None:
    study = write(tmp_path, tuple(PLACES))
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace('value = "n"', 'value = "n"\nclaim = "level"'), encoding="utf-8")
    found = whole(evaluate(study, threads=1), "crime")
    assert found.verdict is Verdict.LOWER
    assert found.maryland == 2


def test_the_additive_form_never_disagrees_with_the_ratio(three: Result) -> None:
    for outcome in ("crime", "burglary"):
        ratio = whole(three, outcome)
        rate = next(f for f in three.findings if (f.outcome, f.form) == (outcome, "additive"))
        assert ratio.estimate is not None
        assert rate.estimate is not None
        factor = rate.estimate / ratio.estimate
        assert rate.mde == pytest.approx((ratio.mde or 0.0) * factor)
        for mine, theirs in ((ratio.interval, rate.interval), (ratio.single, rate.single)):
            assert mine is not None
            assert theirs is not None
            assert replace(mine.times(factor), low=theirs.low, high=theirs.high) == theirs
            assert mine.times(factor).low == pytest.approx(theirs.low)


def test_a_verdict_that_other_draws_could_change_says_so(
    one: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any("The verdict is close" in c for c in whole(one, "crime").caveats)
    monkeypatch.setitem(globals(), "EFFECT", 0.88)
    found = whole(evaluate(write(tmp_path, tuple(PLACES)), threads=1), "crime")
    assert found.p_value == pytest.approx(0.05, abs=0.04)  # 199 draws know it to within 0.044
    assert any("with 199 placebo programmes p is known to within 0.04" in caveat for caveat in found.caveats)
