from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from areaeffect.errors import DataError
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind
from areaeffect.study.analysis import Item, Survey
from areaeffect.survey.answers import read_answers, reliability, scale_scores
from areaeffect.survey.step import _straddle, compare

AREAS = np.array(["A", "B", "C"])
SURVEY = Survey(
    path="survey.csv",
    area="area",
    items=(Item(column="q1", lowest=1, highest=5), Item(column="q2", lowest=1, highest=5)),
    weight="w",
    missing=("", "-9"),
)
HEAD = "area,w,q1,q2\n"


def ones(n: int) -> np.ndarray:
    return np.ones(n)


def test_items_are_brought_to_0_to_100_and_averaged() -> None:
    answers = np.array([[1.0, 5.0], [5.0, 1.0], [3.0, np.nan], [np.nan, np.nan]])
    score = scale_scores(answers, (1, 1), (5, 5), (False, True), least_items=1)
    np.testing.assert_allclose(score[:3], [0.0, 100.0, 50.0])
    assert np.isnan(score[3])
    two = scale_scores(answers, (1, 1), (5, 5), (False, True), least_items=2)
    assert np.isnan(two[2])


def test_alpha_of_equal_items_is_one_and_of_unrelated_ones_near_zero() -> None:
    x = np.arange(10.0)
    assert reliability(np.column_stack([x, x, x]), (False,) * 3) == pytest.approx(1.0)
    assert reliability(np.column_stack([x, -x]), (False, True)) == pytest.approx(1.0)
    rng = np.random.default_rng(1)
    alpha = reliability(rng.standard_normal((4000, 3)), (False,) * 3)
    assert alpha is not None
    assert abs(alpha) < 0.1
    assert reliability(x[:, None], (False,)) is None


def test_one_person_a_cluster_gives_the_ordinary_two_sample_error() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(5, 2, 40), rng.normal(4, 3, 60)
    score = np.concatenate([a, b])
    side = np.repeat([0, 1], [40, 60])
    found = compare(score, ones(100), np.arange(100), side, side, np.array([1.0, -1.0]))
    assert found.estimate == pytest.approx(a.mean() - b.mean())
    expected = np.sqrt(a.var(ddof=1) / 40 + b.var(ddof=1) / 60)
    assert found.standard_error == pytest.approx(expected)
    assert found.degrees_of_freedom == 98


def test_people_who_answer_alike_in_a_cluster_count_once() -> None:
    rng = np.random.default_rng(3)
    means = rng.normal(0, 1, 30)
    side = np.repeat([0, 1], 15)
    once = compare(means, ones(30), np.arange(30), side, side, np.array([1.0, -1.0]))
    many = compare(
        np.repeat(means, 20),
        ones(600),
        np.repeat(np.arange(30), 20),
        np.repeat(side, 20),
        np.repeat(side, 20),
        np.array([1.0, -1.0]),
    )
    assert many.standard_error == pytest.approx(once.standard_error)


def test_an_area_asked_twice_keeps_its_covariance() -> None:
    rng = np.random.default_rng(4)
    place = rng.normal(0, 5, 40)
    score = np.concatenate([place + rng.normal(0, 0.1, 40) for _ in range(2)])
    cluster, side = np.tile(np.arange(40), 2), np.tile(np.repeat([0, 1], 20), 2)
    domain = side + 2 * np.repeat([0, 1], 40)
    change = np.array([1.0, -1.0, -1.0, 1.0])
    found = compare(score, ones(80), cluster, side, domain, change)
    assert found.standard_error is not None
    assert found.standard_error < 0.1  # the places' own differences fall out
    two = np.array([0, 1])
    none = compare(score[:2], ones(2), two, two, two, np.array([1.0, -1.0]))
    assert none.standard_error is None


def test_weights_move_the_mean_towards_those_who_stand_for_more() -> None:
    side = np.array([0, 0, 1, 1])
    found = compare(
        np.array([0.0, 10.0, 4.0, 4.0]),
        np.array([1.0, 3.0, 1.0, 1.0]),
        np.arange(4),
        side,
        side,
        np.array([1.0, -1.0]),
    )
    np.testing.assert_allclose(found.means, [7.5, 4.0])


def test_respondents_are_placed_and_those_left_out_are_counted(tmp_path: Path) -> None:
    (tmp_path / "survey.csv").write_text(HEAD + "A,1,1,5\nB,2,-9,3\nX,1,1,1\nC,1,-9,\n")
    answers = read_answers(SURVEY, tmp_path, AREAS)
    assert answers.score.tolist() == [50.0, 50.0]
    assert answers.area.tolist() == [0, 1]
    assert answers.left_out == (("the area is not in the panel", 1), ("too few answers for the scale", 1))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("A,1,6,2\n", "the answer '6' is outside its scale"),
        ("A,1,often,2\n", "the answer 'often' is not a number"),
        ("A,0,1,2\n", "the weight '0' is not above zero"),
        ("A,-1,1,2\n", "the weight '-1' is not above zero"),
        ("A,,1,2\n", "the weight '' is not above zero"),
        ("X,1,1,2\n", "no respondent counts"),
    ],
)
def test_bad_answers_are_refused_with_their_place(rows: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "survey.csv").write_text(HEAD + rows)
    with pytest.raises(DataError, match=says):
        read_answers(SURVEY, tmp_path, AREAS)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "survey.csv").write_text("area,w,q1\nA,1,1\n")
    with pytest.raises(DataError, match="'q2'"):
        read_answers(SURVEY, tmp_path, AREAS)


@pytest.mark.parametrize(
    ("before", "after", "fits"),
    [("2014", "2017", True), ("2015", "2017", False), ("2014-06", "2016", True), ("1", "2", False)],
)
def test_waves_must_lie_on_both_sides_of_every_start(before: str, after: str, fits: bool) -> None:
    survey = SURVEY.model_copy(update={"wave": "w", "before": before, "after": after})
    start = (2015 - 0) * 12 + 5
    unit = Neighbourhood(
        initiative="I",
        name="N",
        areas=np.array([0]),
        start=start,
        start_kind=PeriodKind.MONTH,
        resident_led=None,
    )
    assert _straddle(survey, [unit]) is fits


def test_areas_and_marks_of_a_survey_are_compared_as_those_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "survey.csv").write_text(HEAD + " a ,1,1,5\nb,2,-9.0,3\nA,1,1,5\n")
    answers = read_answers(SURVEY, tmp_path, AREAS)
    assert answers.area.tolist() == [0, 1, 0]


def test_the_rows_of_a_survey_are_accounted_for(tmp_path: Path) -> None:
    (tmp_path / "survey.csv").write_text(HEAD + "A,1,1,5\nX,1,1,1\nB,1,1,2\nTotal,,,\n")
    assert read_answers(SURVEY, tmp_path, AREAS).notes == (
        "survey.csv: 1 row of totals at the end (Total) was left out.",
        "survey.csv: 4 rows read, 2 kept, 2 left out.",
        "survey.csv: 1 respondents are left out: the area is not in the panel.",
    )


def test_a_wave_that_no_row_has_and_a_blank_cluster_are_refused(tmp_path: Path) -> None:
    survey = SURVEY.model_copy(update={"wave": "y", "before": "2011", "after": "2016", "cluster": "c"})
    (tmp_path / "survey.csv").write_text("area,w,q1,q2,y,c\nA,1,1,5,2016.0,p\nB,1,1,5,2012,\n")
    with pytest.raises(DataError) as caught:
        read_answers(survey, tmp_path, AREAS)
    assert "no row has '2011' in 'y'" in str(caught.value)
    assert "1 respondents have no cluster" in str(caught.value)
    assert "'2016'" not in str(caught.value)
