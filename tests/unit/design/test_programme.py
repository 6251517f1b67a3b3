"""The design of a programme: pools, nearest areas, common support and weights."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.design.calibration import Features
from areaeffect.design.programme import Cohort, Nearest, Rules, common_support, design_programme, make_cohort
from tests.shared.small_panel import grid

N = 60
ALL = np.ones(N, dtype=bool)
OPEN = Rules(nearest=0, common_support=False, near=None)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def described(values: np.ndarray, level: np.ndarray | None = None) -> Features:
    level = np.zeros((len(values), 0)) if level is None else level
    return Features(tuple(f"x{k}" for k in range(values.shape[1])), values, level)


def cohort(nearest: int = 0, seed: int = 2, level: np.ndarray | None = None) -> Cohort:
    values = np.random.default_rng(seed).normal(size=(N, 2)) * [3.0, 0.01] + [100.0, 5.0]
    return make_cohort(described(values, level), ALL, ALL, nearest)


def test_weights_add_up_to_the_treated_areas_and_meet_their_mean() -> None:
    one = cohort()
    (found,) = design_programme([one], [ints(3, 7, 11)], ALL, OPEN)
    assert found is not None
    assert found.weights.sum() == pytest.approx(3.0)
    assert found.exact
    benchmark = found.weights @ one.features.values[found.pool] / 3
    np.testing.assert_allclose(benchmark, one.features.values[[3, 7, 11]].mean(axis=0), rtol=1e-9)


def test_no_treated_area_is_a_benchmark_area_of_any_neighbourhood() -> None:
    one = cohort(nearest=10)
    members = [ints(3, 7), ints(20)]
    for found in design_programme([one, one], members, ALL, Rules(10, False, None)):
        assert found is not None
        assert not set(found.pool) & {3, 7, 20}


def test_areas_within_the_buffer_are_no_benchmark_areas() -> None:
    near = grid(6, 10)
    (found,) = design_programme([cohort()], [ints(0)], ALL, Rules(0, False, near))
    assert found is not None
    assert not set(found.pool) & {0, 1, 10, 11}


def test_the_pool_is_the_union_of_the_nearest_areas_of_each_treated_one() -> None:
    one = cohort(nearest=5)
    treated = ints(3, 7)
    (found,) = design_programme([one], [treated], ALL, Rules(5, False, None))
    assert found is not None
    expected: set[int] = set()
    for area in treated:
        distance = ((one.scaled - one.scaled[area]) ** 2).sum(axis=1)
        distance[treated] = np.inf
        expected |= set(np.argsort(distance)[:5].tolist())
    assert set(found.pool.tolist()) == expected


@pytest.mark.parametrize("characteristics", [1, 8])
def test_areas_as_far_as_the_last_nearest_one_are_in_the_pool_too(characteristics: int) -> None:
    steps = np.repeat([0.0, 1.0, 2.0, 3.0], [1, 2, 5, N - 8])  # area 0, then groups alike
    values = np.repeat(steps[:, None], characteristics, axis=1)
    for order in (np.arange(N), np.arange(N)[::-1]):  # whatever the areas are called
        one = make_cohort(described(values[order]), ALL, ALL, 4)
        treated = ints(int(np.flatnonzero(order == 0)[0]))
        (found,) = design_programme([one], [treated], ALL, Rules(4, False, None))
        assert found is not None
        assert sorted(order[found.pool].tolist()) == [1, 2, 3, 4, 5, 6, 7]


def test_common_support_is_the_treated_areas_range() -> None:
    level = np.arange(10.0)[:, None]
    inside = common_support(level, ints(2, 5), np.ones(10, dtype=bool))
    assert np.flatnonzero(inside).tolist() == [2, 3, 4, 5]


def test_common_support_holds_for_every_outcome_at_once() -> None:
    level = np.column_stack([np.arange(10.0), np.arange(10.0)[::-1]])
    level[4, 1] = 99.0
    inside = common_support(level, ints(2, 5), np.ones(10, dtype=bool))
    assert np.flatnonzero(inside).tolist() == [2, 3, 5]


def test_a_treated_area_that_is_not_usable_does_not_set_the_range() -> None:
    usable = np.ones(10, dtype=bool)
    usable[9] = False
    inside = common_support(np.arange(10.0)[:, None], ints(2, 5, 9), usable)
    assert np.flatnonzero(inside).tolist() == [2, 3, 4, 5]


def test_common_support_narrows_the_pool() -> None:
    level = np.arange(float(N))[:, None]
    members = [ints(10, 30)]
    (found,) = design_programme([cohort(level=level)], members, ALL, Rules(0, True, None))
    assert found is not None
    assert (found.pool.min(), found.pool.max()) == (11, 29)


def test_a_neighbourhood_without_a_pool_has_no_benchmark_areas() -> None:
    eligible = np.zeros(N, dtype=bool)
    assert design_programme([cohort()], [ints(3)], eligible, OPEN) == [None]


def test_an_area_that_is_not_usable_is_no_benchmark_area() -> None:
    values = np.random.default_rng(2).normal(size=(N, 2))
    usable = ALL.copy()
    usable[[5, 6]] = False
    values[5] = np.nan
    one = make_cohort(described(values), usable, ALL, 0)
    (found,) = design_programme([one], [ints(3)], ALL, OPEN)
    assert found is not None
    assert not set(found.pool) & {5, 6}


def test_a_constant_characteristic_is_ignored() -> None:
    values = np.random.default_rng(2).normal(size=(N, 2))
    constant = np.column_stack([values, np.full(N, 7.0)])
    plain = make_cohort(described(values), ALL, ALL, 0)
    more = make_cohort(described(constant), ALL, ALL, 0)
    (one,) = design_programme([plain], [ints(3)], ALL, OPEN)
    (two,) = design_programme([more], [ints(3)], ALL, OPEN)
    assert one is not None
    assert two is not None
    assert two.exact
    np.testing.assert_allclose(one.weights, two.weights, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_and_origins_of_characteristics_change_no_weight(scale: float) -> None:
    values = np.random.default_rng(2).normal(size=(N, 2))
    plain = make_cohort(described(values), ALL, ALL, 8)
    moved = make_cohort(described(values * scale + 3.0), ALL, ALL, 8)
    rules = Rules(8, False, None)
    (one,) = design_programme([plain], [ints(3)], ALL, rules)
    (two,) = design_programme([moved], [ints(3)], ALL, rules)
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.pool, two.pool)
    np.testing.assert_allclose(one.weights, two.weights, atol=1e-6)


def test_without_characteristics_the_whole_pool_counts_the_same() -> None:
    one = make_cohort(described(np.empty((N, 0))), ALL, ALL, 8)
    (found,) = design_programme([one], [ints(3, 4)], ALL, Rules(8, False, None))
    assert found is not None
    assert len(found.pool) == N - 2
    np.testing.assert_allclose(found.weights, 2 / (N - 2))


@pytest.mark.parametrize("characteristics", [1, 3, 6, 7, 12])
def test_the_nearest_areas_are_those_that_comparing_with_all_finds(characteristics: int) -> None:
    """By a tree where there are few characteristics, by brute force where there are many."""
    rng = np.random.default_rng(17)
    scaled = rng.normal(size=(600, characteristics))
    scaled[300:360] = scaled[:60]  # areas that nothing tells apart
    pool = np.arange(600) % 4 > 0
    strata = np.arange(600) % 2
    asked = np.array([4, 7, 300, 599])
    nearest = Nearest(scaled, pool, 41, strata)
    order = nearest.of(asked)
    for row, area in enumerate(asked):
        gaps = np.sqrt(((scaled - scaled[area]) ** 2).mean(axis=1))
        gaps[~pool | (strata != strata[area])] = np.inf
        gaps[area] = np.inf if pool[area] else gaps[area]
        found = gaps[order[row][order[row] != area]]
        np.testing.assert_allclose(found, np.sort(gaps)[: len(found)], atol=1e-9)
        assert len(found) >= 40
        assert len(set(order[row])) == 41
