from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from areaeffect.errors import DataError
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind
from areaeffect.study.survey import CensusCells, Item, Survey
from areaeffect.survey.answers import read_answers
from areaeffect.survey.areas import read_cells
from areaeffect.survey.comparison import compare
from areaeffect.survey.scale import reliability, scale_scores
from areaeffect.survey.small_area import grouped
from areaeffect.survey.step import _straddle

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
    assert answers.left_out == (
        ("the area is not in the panel", 1),
        ("too few answers for the scale", 1),
    )


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


CELLS = CensusCells(path="cells.csv", area="area", count="n", cells=("tenure", "age"))


def test_census_cells_are_laid_out_by_area_and_combination(tmp_path: Path) -> None:
    text = "area,tenure,age,n\nA,owns,old,5\nA,rents,young,7\nB,owns,old,2\nC,rents,old,1\n"
    (tmp_path / "cells.csv").write_text(text)
    people, levels, keys = read_cells(CELLS, tmp_path, AREAS)
    assert people[0, keys["rents", "young"]] == 7
    assert people.sum(axis=1).tolist() == [12.0, 2.0, 1.0]
    assert levels.shape == (3, 2)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("A,owns,old,-1\n", "not a number of people"),
        ("A,owns,old,many\n", "not a number of people"),
        ("A,owns,old,5\nB,owns,old,5\n", "1 treated or benchmark areas have no people, 'C'"),
    ],
)
def test_bad_census_cells_are_refused(rows: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "cells.csv").write_text("area,tenure,age,n\n" + rows)
    with pytest.raises(DataError, match=says):
        read_cells(CELLS, tmp_path, AREAS)


def test_adding_up_by_cell_keeps_number_mean_and_spread() -> None:
    score, area, cell = np.array([1.0, 3.0, 10.0]), np.array([0, 0, 1]), np.array([1, 1, 0])
    data = grouped(score, area, cell, np.empty((2, 0)), np.ones((2, 2)), np.array([[0], [1]]))
    assert data.number.tolist() == [[0.0, 2.0], [1.0, 0.0]]
    assert data.mean.tolist() == [[0.0, 2.0], [10.0, 0.0]]
    assert data.within == 2.0


@pytest.mark.parametrize(
    ("before", "after", "fits"),
    [("2014", "2017", True), ("2015", "2017", False), ("2014-06", "2016", True), ("1", "2", False)],
)
def test_waves_must_lie_on_both_sides_of_every_start(before: str, after: str, fits: bool) -> None:
    survey = SURVEY.model_copy(update={"wave": "w", "before": before, "after": after})
    start = (2015 - 0) * 12 + 5
    unit = Neighbourhood("I", "N", np.array([0]), start, PeriodKind.MONTH, None)
    assert _straddle(survey, [unit]) is fits


#: JAX starts threads, and Python warns at every fork of a process that has some: not in this one.
LOG_LIKELIHOOD = """
import json, sys
from functools import partial
import numpy as np
import numpyro
from areaeffect.survey.small_area import _model

data, given = json.load(sys.stdin)
data = [np.array(x) for x in data]
given = {name: np.array(x) for name, x in given.items()}
fixed = numpyro.handlers.substitute(partial(_model, n_levels=(2,)), given)
print(float(numpyro.handlers.trace(fixed).get_trace(*data)["y"]["fn"].log_factor))
"""


@pytest.mark.skipif(find_spec("numpyro") is None, reason="the extra 'survey' is not installed")
def test_the_areas_effects_are_integrated_out() -> None:
    """The model's likelihood is the integral over u that the docstring promises, by quadrature."""
    rng = np.random.default_rng(5)
    number = np.array([[2.0, 1.0], [0.0, 3.0], [0.0, 0.0]])
    mean = np.where(number > 0, rng.normal(size=number.shape), 0.0)
    within, covariates, levels = 1.7, rng.normal(size=(3, 1)), np.array([[0, 1]])
    a, b, v, tau, sigma = 0.2, 0.4, 0.3, 0.6, 0.9
    given = {"a": a, "b": [b], "v0": [v, -v], "tau": tau, "sigma": sigma}
    square = within + (number * mean**2).sum()
    data = [number, number * mean, square, covariates, levels]
    told = json.dumps([[np.asarray(x).tolist() for x in data], given])
    run = subprocess.run(
        [sys.executable, "-c", LOG_LIKELIHOOD], input=told, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr

    u = np.linspace(-8 * tau, 8 * tau, 20_001)
    prior = np.exp(-0.5 * (u / tau) ** 2) / (tau * np.sqrt(2 * np.pi))
    expected = -number.sum() * np.log(sigma) - within / (2 * sigma**2)
    for n, m, x in zip(number, mean, covariates[:, 0], strict=True):
        gaps = m[:, None] - (a + b * x + np.array([v, -v])[:, None] + u)
        likelihood = np.exp(-(n[:, None] * gaps**2).sum(axis=0) / (2 * sigma**2))
        expected += np.log((likelihood * prior).sum() * (u[1] - u[0]))
    assert float(run.stdout) == pytest.approx(expected, abs=1e-4)
