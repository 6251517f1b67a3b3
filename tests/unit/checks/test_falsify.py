"""Small parts of the falsification set, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from areaeffect.checks.base import Answer, CheckResult, CheckStatus, CheckSummary
from areaeffect.checks.leave_out import turns
from areaeffect.checks.mean_reversion import HIGH, reversion, worst
from areaeffect.checks.refits import percentile_among
from areaeffect.checks.rings import rings_of
from areaeffect.checks.section import WARNINGS_SHOWN, _warnings
from areaeffect.checks.treated_benchmark import effect_if_treated, rise_needed, several, shares_of_heaviest
from areaeffect.checks.unmoved import UNMOVED, Effect
from areaeffect.geography.boundaries import Boundaries, bands
from areaeffect.wording.numbers import phrase
from tests.shared.sample_result import sample_result

# ---------------------------------------------------------------- what a check returns


FINDING = sample_result().findings[0]
NUMBERS = Effect(estimate=0.1, low=0.0, high=0.2, p_value=0.05)


def check(*statuses: CheckStatus) -> CheckSummary:
    answers = [Answer(finding=FINDING, status=s, numbers=NUMBERS, why="x") for s in statuses]
    return CheckResult(UNMOVED, tuple(answers)).summary()


def test_of_many_warnings_of_one_check_three_are_printed_and_the_rest_counted() -> None:
    one = check(CheckStatus.WARNS).findings[0]
    reasons = [f"the estimate is {n}." for n in range(5)]
    own = tuple(replace(one, reason=reason) for reason in reasons)
    rows = _warnings(
        [replace(check(CheckStatus.WARNS), findings=(*own, replace(one, reason=reasons[0])))]
    ).rows
    assert [why for _, _, why in rows[:-1]] == reasons[:WARNINGS_SHOWN]
    assert rows[-1][2] == phrase("checks.more", n=2)


def test_the_worst_answer_is_that_of_the_check() -> None:
    assert check(CheckStatus.HOLDS, CheckStatus.WARNS, CheckStatus.NOT_ESTIMABLE).status is CheckStatus.WARNS
    assert check(CheckStatus.NOT_ESTIMABLE, CheckStatus.HOLDS).status is CheckStatus.HOLDS
    assert check(CheckStatus.NOT_ESTIMABLE).status is CheckStatus.NOT_ESTIMABLE
    assert check().status is CheckStatus.NOT_ESTIMABLE


# ---------------------------------------------------------------- without one neighbourhood


def test_what_turns_a_finding() -> None:
    without = np.array(
        [
            [-0.2, -0.3, -0.1],  # the same
            [-0.1, -0.3, 0.1],  # no longer leaves zero out
            [0.2, 0.1, 0.3],  # the other sign
            [-0.1, np.nan, -0.05],  # an end that was not found
        ]
    )
    found = turns(np.array([-0.2, -0.3, -0.1]), without)
    assert found.tolist() == [False, True, True, False]


def test_two_estimates_about_zero_say_the_same() -> None:
    assert not turns(np.array([-0.01, -0.2, 0.2]), np.array([[0.01, -0.2, 0.2]])).any()
    assert turns(np.array([-0.01, -0.2, 0.2]), np.array([[-0.1, -0.2, -0.01]])).all()


# ---------------------------------------------------------------- treated benchmark areas


@pytest.mark.parametrize("effect", [-0.3, -0.05, 0.0, 0.2])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_the_effect_is_found_again(effect: float, share: float) -> None:
    ratio = (1 + effect) / (1 + share * effect) - 1
    assert effect_if_treated(ratio, share, is_ratio=True) == pytest.approx(effect)
    difference = effect * (1 - share)
    assert effect_if_treated(difference, share, is_ratio=False) == pytest.approx(effect)


def test_a_share_that_cannot_have_had_it_says_so() -> None:
    assert effect_if_treated(1.0, 0.6, is_ratio=True) == np.inf
    assert effect_if_treated(-1.0, 1.0, is_ratio=False) == -np.inf


def test_the_rise_that_would_make_the_difference() -> None:
    share, rise = 0.25, rise_needed(-0.2, 0.25)
    assert 1 / (1 + share * rise) == pytest.approx(0.8)


def test_the_heaviest_come_first() -> None:
    np.testing.assert_allclose(shares_of_heaviest(np.array([1.0, 3.0, 4.0])), [0.5, 0.875, 1.0])
    assert several(100).tolist() == [1, 5, 10, 25, 50]
    assert several(3).tolist() == [1]


# ---------------------------------------------------------------- regression to the mean


def test_places_chosen_at_a_worst_improve_by_themselves() -> None:
    """A level that lasts and noise that does not; the same places chosen at random stay."""
    rng = np.random.default_rng(4)
    lasting, n = rng.normal(size=3000), 3000
    before, after = (lasting + rng.normal(size=n) for _ in range(2))
    bad = worst(before[:, None], 0.1)
    assert bad.sum() == 300
    own = np.full(5, 95.0)
    change = after - before
    draws = np.array([change[rng.choice(np.flatnonzero(bad), 20)].mean() for _ in range(99)])
    plain = np.array([change[rng.choice(n, 20)].mean() for _ in range(99)])
    found, calm = reversion(own, draws), reversion(own, plain)
    deviation = float(plain.std())
    assert found.bias < -0.5
    assert found.could_explain(-0.3, deviation, 0.25)
    assert not found.could_explain(0.3, deviation, 0.25)  # it points the other way
    assert not reversion(np.full(5, HIGH - 1), draws).could_explain(-0.3, deviation, 0.25)
    assert not calm.could_explain(-0.3, deviation, 0.25)


def test_the_worst_are_bad_over_all_outcomes_and_known() -> None:
    scores = np.array([[9.0, 9.0], [9.0, 0.0], [1.0, 1.0], [np.nan, 9.0], [2.0, 2.0]])
    assert worst(scores, 0.1).tolist() == [True, False, False, False, False]
    assert not worst(np.full((3, 1), np.nan), 0.1).any()
    assert percentile_among(np.array([5.0, np.nan]), np.array([1.0, 5.0]))[0] == 75.0


# ---------------------------------------------------------------- rings


@pytest.fixture(scope="module")
def row_of_squares() -> Boundaries:
    """Twelve squares of 500 m in a row: area k begins at 500 k metres."""
    squares = [shapely.box(500 * k, 0, 500 * k + 500, 500) for k in range(12)]
    return Boundaries(np.array(squares, dtype=object))


def test_bands_are_distances_between_outlines(row_of_squares: Boundaries) -> None:
    near, band = bands(row_of_squares, (400.0, 1000.0))
    assert near.of(5).tolist() == [2, 3, 4, 6, 7, 8]
    assert band[near.indptr[5] : near.indptr[6]].tolist() == [1, 1, 0, 0, 1, 1]


def test_each_area_is_in_the_ring_it_is_nearest_in_once(row_of_squares: Boundaries) -> None:
    near, band = bands(row_of_squares, (400.0, 1000.0))
    programme = [np.array([2]), np.array([5, 6])]
    rings, inside = rings_of(programme, near, band, 2)
    assert [[a.tolist() for a in ring] for ring in rings] == [[[1, 3], [4, 7]], [[0], [8, 9]]]
    assert np.flatnonzero(~inside).tolist() == [10, 11]
    every = np.concatenate([a for ring in rings for a in ring] + programme)
    assert len(every) == len(set(every.tolist())) == inside.sum()
