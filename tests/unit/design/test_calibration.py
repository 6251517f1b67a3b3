"""Calibration: the constraints hold, the weights are unique, and a slow solver agrees."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from areaeffect.design.calibration import EXACT, RIDGE, calibrate

#: Agreement of two solvers in double precision on problems of this size; weights are under 1.
SAME = 1e-6


def random_distance(seed: int, m: int, p: int) -> np.ndarray:
    """Characteristics of m areas around a target that lies inside their convex hull."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(m, p))
    inside = rng.dirichlet(np.full(m, 0.5))
    return values - inside @ values


def slow_weights(distance: np.ndarray, ridge: float) -> np.ndarray | None:
    """Try every set of areas with weight: on the right one the constraints alone decide.

    With `ridge` 0 the weights nearest to equal ones that meet every constraint; else those with
    the smallest m/2 |w - 1/m|^2 + |imbalance|^2 / (2 ridge) that add up to 1.
    """
    m = len(distance)
    best, best_value = None, np.inf
    for size in range(1, m + 1):
        for chosen in combinations(range(m), size):
            rows = distance[list(chosen)]
            if ridge == 0:
                constraints = np.column_stack([np.ones(size), rows]).T
                right = np.zeros(len(constraints))
                right[0] = 1.0
                part = np.linalg.lstsq(constraints, right, rcond=None)[0]
                if np.abs(constraints @ part - right).max() > 1e-9:
                    continue
            else:
                curvature = m * np.eye(size) + rows @ rows.T / ridge
                part = np.linalg.solve(curvature, np.ones(size))
                part = part / part.sum()
            if part.min() < -1e-12:
                continue
            weights = np.zeros(m)
            weights[list(chosen)] = part
            value = m / 2 * ((weights - 1 / m) ** 2).sum()
            value += 0 if ridge == 0 else ((weights @ distance) ** 2).sum() / (2 * ridge)
            if value < best_value - 1e-13:
                best, best_value = weights, value
    return best


def test_two_areas_are_weighted_by_their_distances() -> None:
    found = calibrate(np.array([[-1.0], [3.0]]))
    np.testing.assert_allclose(found.weights, [0.75, 0.25], atol=1e-12)
    assert found.exact


def test_areas_on_target_are_weighted_equally() -> None:
    found = calibrate(np.array([[-1.0], [1.0], [-2.0], [2.0]]))
    np.testing.assert_allclose(found.weights, 0.25, atol=1e-12)
    assert found.n_effective == pytest.approx(4.0)


def test_without_characteristics_every_area_counts_the_same() -> None:
    found = calibrate(np.empty((5, 0)))
    np.testing.assert_allclose(found.weights, 0.2, atol=1e-12)
    assert found.exact


def test_one_area_takes_all_the_weight() -> None:
    found = calibrate(np.array([[0.5, -0.2]]))
    np.testing.assert_allclose(found.weights, [1.0])
    assert not found.exact
    np.testing.assert_allclose(found.imbalance, [0.5, -0.2])


@pytest.mark.parametrize("seed", range(12))
def test_a_slow_solver_finds_the_same_weights(seed: int) -> None:
    distance = random_distance(seed, m=9, p=1 + seed % 3)
    expected = slow_weights(distance, ridge=0.0)
    assert expected is not None
    np.testing.assert_allclose(calibrate(distance).weights, expected, atol=SAME)


@pytest.mark.parametrize("seed", range(8))
def test_a_slow_solver_finds_the_same_weights_where_the_target_is_out_of_reach(seed: int) -> None:
    distance = random_distance(seed, m=8, p=2) + np.array([0.0, 6.0])
    assert slow_weights(distance, ridge=0.0) is None
    expected = slow_weights(distance, ridge=RIDGE)
    found = calibrate(distance)
    np.testing.assert_allclose(found.weights, expected, atol=SAME)
    assert not found.exact


@given(seed=st.integers(0, 10_000), m=st.integers(5, 60), p=st.integers(1, 4))
def test_every_constraint_of_a_feasible_target_holds(seed: int, m: int, p: int) -> None:
    assume(m > p + 1)
    distance = random_distance(seed, m, p)
    found = calibrate(distance)
    assert (found.weights >= 0).all()
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(found.imbalance, found.weights @ distance, atol=1e-12)
    assert found.exact == (np.abs(found.imbalance).max() <= EXACT)
    assert found.exact
    assert 1 - 1e-9 <= found.n_effective <= m + 1e-9


@given(seed=st.integers(0, 10_000), shift=st.floats(4.0, 1e3))
def test_a_target_out_of_reach_leaves_less_imbalance_than_no_weighting(seed: int, shift: float) -> None:
    distance = random_distance(seed, m=20, p=3)
    distance[:, 0] += shift + np.abs(distance[:, 0].min())  # every area lies on one side
    found = calibrate(distance)
    assert not found.exact
    assert (found.weights >= 0).all()
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-9)
    before = np.linalg.norm(distance.mean(axis=0))
    assert np.linalg.norm(found.imbalance) <= before * (1 + 1e-9)
    assert found.imbalance[0] >= distance[:, 0].min()


@given(seed=st.integers(0, 10_000), feasible=st.booleans())
def test_the_order_of_areas_and_characteristics_changes_no_weight(seed: int, feasible: bool) -> None:
    rng = np.random.default_rng(seed)
    distance = random_distance(seed, m=25, p=3) + (0.0 if feasible else 5.0)
    rows, columns = rng.permutation(25), rng.permutation(3)
    plain = calibrate(distance)
    turned = calibrate(distance[rows][:, columns])
    np.testing.assert_allclose(turned.weights, plain.weights[rows], atol=SAME)
    assert turned.exact == plain.exact


def test_a_characteristic_given_twice_changes_no_weight() -> None:
    distance = random_distance(5, m=30, p=2)
    twice = np.column_stack([distance, distance[:, 0]])
    found = calibrate(twice)
    assert found.exact
    np.testing.assert_allclose(found.weights, calibrate(distance).weights, atol=SAME)


def test_a_sum_of_other_characteristics_changes_no_weight() -> None:
    distance = random_distance(6, m=30, p=3)
    found = calibrate(np.column_stack([distance, distance.sum(axis=1)]))
    assert found.exact
    np.testing.assert_allclose(found.weights, calibrate(distance).weights, atol=SAME)


def test_a_characteristic_that_all_share_with_the_target_changes_no_weight() -> None:
    distance = random_distance(7, m=30, p=2)
    found = calibrate(np.column_stack([distance, np.zeros(30)]))
    assert found.exact
    np.testing.assert_allclose(found.weights, calibrate(distance).weights, atol=SAME)


def test_a_characteristic_that_all_share_but_not_the_target_cannot_be_met() -> None:
    distance = np.column_stack([random_distance(8, m=30, p=2), np.full(30, 0.3)])
    found = calibrate(distance)
    assert not found.exact
    assert found.imbalance[-1] == pytest.approx(0.3)
    # nothing can be done about it, so the others are nearly as good as without it
    assert np.abs(found.imbalance[:2]).max() < 0.1


@pytest.mark.parametrize("scale", [0.01, 100.0, 1e6])
def test_a_common_unit_changes_no_weight(scale: float) -> None:
    distance = random_distance(9, m=30, p=2)
    np.testing.assert_allclose(calibrate(distance * scale).weights, calibrate(distance).weights, atol=SAME)


def test_many_areas_and_constraints_are_met_exactly() -> None:
    distance = random_distance(10, m=2000, p=58)
    found = calibrate(distance)
    assert found.exact
    assert found.steps < 40


# ---------------------------------------------------------------- entropy


@pytest.mark.parametrize("seed", range(8))
def test_entropy_weights_are_the_one_solution(seed: int) -> None:
    """Strictly convex: constraints met and log weights linear in X hold at the optimum alone."""
    distance = random_distance(seed, 60, 4)
    found = calibrate(distance, "entropy")
    assert found.exact
    assert (found.weights > 0).all()
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(found.weights @ distance, 0.0, atol=EXACT)
    design = np.column_stack([np.ones(60), distance])
    logs = np.log(found.weights)
    fitted = design @ np.linalg.lstsq(design, logs, rcond=None)[0]
    np.testing.assert_allclose(logs, fitted, atol=1e-6)


def test_entropy_weights_of_two_values_are_known() -> None:
    """Three areas at -1 and one at 2: weights 2/9 each and 1/3 by hand."""
    found = calibrate(np.array([[-1.0], [-1.0], [-1.0], [2.0]]), "entropy")
    np.testing.assert_allclose(found.weights, [2 / 9, 2 / 9, 2 / 9, 1 / 3], atol=1e-10)


def test_where_no_weights_reach_the_target_entropy_has_bounded_imbalance() -> None:
    distance = np.abs(np.random.default_rng(1).normal(size=(40, 3))) + 0.5
    found = calibrate(distance, "entropy")
    assert not found.exact
    assert found.weights.sum() == pytest.approx(1.0)
    equal = np.abs(distance.mean(axis=0)).max()
    assert np.abs(found.imbalance).max() < equal
