"""Standard deviations that no single area makes."""

from __future__ import annotations

import numpy as np

from areaeffect.design.programme import spread_of


def test_without_an_outlier_it_is_the_plain_standard_deviation() -> None:
    values = np.random.default_rng(1).lognormal(3, 1, (400, 3))
    np.testing.assert_array_equal(spread_of(values), values.std(axis=0))


def test_a_total_among_the_areas_does_not_move_it() -> None:
    values = np.random.default_rng(2).normal(50, 8, (60, 1))
    with_total = np.concatenate([values, values.sum(axis=0, keepdims=True)])
    np.testing.assert_allclose(spread_of(with_total), values.std(axis=0))
    assert with_total.std(axis=0)[0] > 40 * values.std(axis=0)[0]


def test_two_totals_do_not_hide_each_other() -> None:
    values = np.random.default_rng(3).normal(50, 8, (200, 1))
    two = np.concatenate([values, [[10_000.0]], [[10_000.0]]])
    np.testing.assert_allclose(spread_of(two), values.std(axis=0))


def test_a_rare_mark_keeps_its_spread() -> None:
    rare = np.zeros((40, 1))
    rare[3] = 1.0
    assert spread_of(rare)[0] == rare.std()
