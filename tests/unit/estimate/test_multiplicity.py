"""Several findings at once: what max-T costs, and what it must not cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.estimate.inference import PlaceboInference, ReferencePlaces, infer, max_t

N_DRAWS = 1999
MANY = ReferencePlaces(1, 10**9)


def columns(n: int, correlation: float, seed: int = 5, n_draws: int = N_DRAWS) -> np.ndarray:
    """Placebo estimates of n findings, (n_draws, n)."""
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(size=(n_draws, 1)), rng.normal(size=(n_draws, n))
    return np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own


def each(drawn: np.ndarray, observed: float = -2.5) -> list[PlaceboInference]:
    ones = np.ones(len(drawn))
    return [infer(observed, column, ones, 1.0, MANY) for column in drawn.T]


@given(seed=st.integers(0, 500), observed=st.floats(-4, 4))
def test_one_finding_costs_nothing(seed: int, observed: float) -> None:
    (found,) = each(columns(1, 0.0, seed, 199), observed)
    joint = max_t([found])
    assert (joint.low[0], joint.high[0]) == pytest.approx(found.critical)
    assert joint.p_adjusted[0] == joint.p_step_down[0] == found.p_value


def test_the_same_finding_five_times_costs_nothing() -> None:
    one = columns(1, 0.0)
    found = each(np.repeat(one, 5, axis=1))
    joint = max_t(found)
    np.testing.assert_allclose(joint.low, found[0].critical[0])
    np.testing.assert_allclose(joint.high, found[0].critical[1])


@pytest.mark.parametrize("n", [2, 5, 10])
def test_independent_findings_cost_about_what_sidak_says(n: int) -> None:
    drawn = columns(n, 0.0, n_draws=20_000)
    joint = max_t(each(drawn))
    own = drawn / np.sqrt(((drawn - np.median(drawn, axis=0)) ** 2).mean(axis=0))
    outside = ((own < joint.low) | (own > joint.high)).mean()
    # 20,000 draws: the share of one column outside is known to a tenth of itself
    assert outside == pytest.approx(1 - 0.95 ** (1 / n), rel=0.15)


def test_correlated_findings_cost_less_than_independent_ones() -> None:
    free, bound = max_t(each(columns(8, 0.0))), max_t(each(columns(8, 0.9)))
    assert np.abs(bound.low).mean() < np.abs(free.low).mean()


def test_draws_stay_together_where_some_finding_has_none() -> None:
    """The second column repeats the first: the adjustment must see it, holes or not."""
    one = columns(1, 0.0)[:, 0]
    holes = one.copy()
    holes[::3] = np.nan
    found = each(np.column_stack([one, holes]))
    joint = max_t(found)
    # the same draws are the worst in both columns, so hardly anything is paid
    assert joint.low[0] == pytest.approx(found[0].critical[0], rel=0.06)


def test_a_draw_that_found_no_place_does_not_undo_the_adjustment() -> None:
    drawn = columns(5, 0.0)
    holes = np.vstack([drawn, np.full((150, 5), np.nan)])
    plain, holed = max_t(each(drawn)), max_t(each(holes))
    np.testing.assert_allclose(holed.low, plain.low)
    np.testing.assert_allclose(holed.high, plain.high)
    np.testing.assert_allclose(holed.p_adjusted, plain.p_adjusted)


@given(seed=st.integers(0, 500), n=st.integers(2, 6), observed=st.floats(-5, 5))
def test_adjusting_never_narrows(seed: int, n: int, observed: float) -> None:
    found = each(columns(n, 0.3, seed, 199), observed)
    joint = max_t(found)
    for k, one in enumerate(found):
        assert joint.low[k] <= one.critical[0] + 1e-12
        assert joint.high[k] >= one.critical[1] - 1e-12
        assert 0 < joint.p_adjusted[k] <= 1


def test_a_finding_more_extreme_has_no_larger_p() -> None:
    drawn = columns(4, 0.2)
    ones = np.ones(N_DRAWS)
    found = [
        infer(x, column, ones, 1.0, MANY) for x, column in zip((-1.0, -2.0, -3.0, -6.0), drawn.T, strict=True)
    ]
    p = max_t(found).p_adjusted
    assert (np.diff(p) <= 0).all()
    assert p[-1] == pytest.approx(2 / (N_DRAWS + 1))


def test_a_long_tail_in_one_finding_does_not_rule_the_others() -> None:
    drawn = columns(3, 0.0)
    tailed = drawn.copy()
    tailed[:, 2] = np.sign(tailed[:, 2]) * np.abs(tailed[:, 2]) ** 4
    plain, joint = max_t(each(drawn)), max_t(each(tailed))
    np.testing.assert_allclose(joint.low[:2], plain.low[:2], rtol=0.35)


def test_placebos_all_on_one_side_give_no_interval_of_the_wrong_sign() -> None:
    drawn = np.abs(columns(2, 0.0)) + 0.5
    joint = max_t(each(drawn))
    assert (joint.low < 0).all()
    assert (joint.high > 0).all()


@given(seed=st.integers(0, 200), n=st.integers(1, 6), observed=st.floats(-4, 4))
def test_a_joint_interval_leaves_zero_out_exactly_where_its_p_is_at_most_five_per_cent(
    seed: int, n: int, observed: float
) -> None:
    found = each(columns(n, 0.3, seed, 199), observed)
    joint = max_t(found)
    for k, one in enumerate(found):
        low, high = one.ends(joint.critical(k))
        if min(abs(low), abs(high)) > 1e-9:
            assert (low > 0 or high < 0) == (joint.p_adjusted[k] <= 0.05)


@given(seed=st.integers(0, 200), n=st.integers(1, 6), observed=st.floats(-1, 1), disjoint=st.integers(5, 60))
def test_joint_interval_and_p_agree_where_placebos_are_skewed_and_places_few(
    seed: int, n: int, observed: float, disjoint: int
) -> None:
    drawn = np.exp(3 * columns(n, 0.3, seed, 199))
    places = ReferencePlaces(1, disjoint)
    found = [infer(float(observed * c.std()), c, np.ones(len(c)), 1.0, places) for c in drawn.T]
    joint = max_t(found)
    for k, one in enumerate(found):
        low, high = one.ends(joint.critical(k))
        if min(abs(low), abs(high)) > 1e-9:
            assert (low > 0 or high < 0) == (joint.p_adjusted[k] <= 0.05)


@given(seed=st.integers(0, 200), n=st.integers(2, 6))
def test_stepping_down_is_never_harder_than_a_single_step_nor_easier_than_alone(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = columns(n, 0.3, seed, 199)
    ones = np.ones(len(drawn))
    found = [infer(float(x), c, ones, 1.0, MANY) for x, c in zip(rng.normal(0, 2, n), drawn.T, strict=True)]
    joint = max_t(found)
    alone = np.array([f.p_value for f in found])
    assert (joint.p_step_down <= joint.p_adjusted + 1e-12).all()
    assert (joint.p_step_down >= alone - 1e-12).all()


def test_stepping_down_finds_a_second_effect_that_a_single_step_misses() -> None:
    drawn = columns(10, 0.0)
    ones = np.ones(N_DRAWS)
    observed = [-9.0, *[0.1] * 9]
    found = [infer(x, c, ones, 1.0, MANY) for x, c in zip(observed, drawn.T, strict=True)]
    two = [infer(-2.72, drawn[:, 0], ones, 1.0, MANY), *found[1:2]]
    assert max_t(two).p_step_down[0] == pytest.approx(max_t(two).p_adjusted[0])
    many = [*[infer(-9.0, c, ones, 1.0, MANY) for c in drawn.T[1:]], two[0]]
    joint = max_t(many)
    assert joint.p_adjusted[-1] > 0.05
    assert joint.p_step_down[-1] == pytest.approx(two[0].p_value, abs=0.01)
