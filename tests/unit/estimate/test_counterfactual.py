"""Totals and effects: the algebra that no data can change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.estimate import counterfactual as cf
from areaeffect.periods import PeriodKind
from tests.shared.small_panel import measure

N_AREAS, N_MONTHS, START = 12, 24, 12
MEMBERS, POOL = np.array([0, 1]), np.arange(2, N_AREAS)
PRE = np.arange(N_MONTHS) < START
positive = st.floats(1.0, 1e6)


def counts(seed: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).poisson(20.0, (N_AREAS, N_MONTHS)).astype(float)


def weights(seed: int = 4) -> np.ndarray:
    share = np.random.default_rng(seed).dirichlet(np.ones(len(POOL)))
    return share * len(MEMBERS)


def totals_of(values: np.ndarray, *, is_count: bool = True, exposure: float | None = None) -> np.ndarray:
    people = None if exposure is None else np.full(N_AREAS, exposure)
    one = measure(values, is_count=is_count, exposure=people)
    return cf.totals(cf.sums(one, PRE, ~PRE), MEMBERS, POOL, weights())


def effect(values: np.ndarray) -> float:
    return float(np.expm1(cf.log_ratio(totals_of(values), "change")))


def test_the_totals_are_those_of_treated_and_weighted_areas() -> None:
    values = counts()
    total = totals_of(values, exposure=1500.0)
    assert total[cf.OBSERVED_PRE] == values[MEMBERS][:, PRE].sum()
    assert total[cf.OBSERVED_POST] == values[MEMBERS][:, ~PRE].sum()
    assert total[cf.EXPECTED_POST] == pytest.approx(weights() @ values[POOL][:, ~PRE].sum(axis=1))
    assert total[cf.EXPOSURE_PRE] == pytest.approx(2 * 1500.0)  # person-years: one year before


def test_a_path_like_the_benchmark_areas_has_no_effect() -> None:
    same = np.tile(counts()[:1], (N_AREAS, 1))
    assert effect(same) == pytest.approx(0.0, abs=1e-12)


def test_twice_as_much_after_the_start_is_a_hundred_per_cent_more() -> None:
    values = np.tile(counts()[:1], (N_AREAS, 1))
    values[np.ix_(MEMBERS, ~PRE)] *= 2
    assert effect(values) == pytest.approx(1.0)


@given(factor=st.floats(0.1, 10.0), seed=st.integers(0, 100))
def test_a_factor_after_the_start_multiplies_the_effect(factor: float, seed: int) -> None:
    values = counts(seed)
    changed = values.copy()
    changed[np.ix_(MEMBERS, ~PRE)] *= factor
    assert 1 + effect(changed) == pytest.approx(factor * (1 + effect(values)))


@given(scale=st.sampled_from([1e-6, 0.5, 3.0, 1e6]), seed=st.integers(0, 100))
def test_the_unit_of_a_count_does_not_change_its_ratio(scale: float, seed: int) -> None:
    assert effect(counts(seed) * scale) == pytest.approx(effect(counts(seed)))


@given(scale=st.sampled_from([1e-3, 7.0]), seed=st.integers(0, 100))
def test_a_level_that_the_treated_always_had_does_not_change_the_ratio(scale: float, seed: int) -> None:
    values = counts(seed)
    higher = values.copy()
    higher[MEMBERS] *= scale
    assert effect(higher) == pytest.approx(effect(values))


def difference(values: np.ndarray, claim: str = "change") -> float:
    return float(cf.rate_difference(totals_of(values, is_count=False), claim))


@given(shift=st.floats(-1e3, 1e3), seed=st.integers(0, 100))
def test_a_shift_of_a_score_everywhere_changes_no_difference(shift: float, seed: int) -> None:
    for claim in ("change", "level"):
        moved = difference(counts(seed) + shift, claim)
        assert moved == pytest.approx(difference(counts(seed), claim), abs=1e-8)


@given(shift=st.floats(-1e3, 1e3), seed=st.integers(0, 100))
def test_a_shift_of_the_treated_at_all_times_changes_the_level_and_not_the_change(
    shift: float, seed: int
) -> None:
    values = counts(seed)
    moved = values.copy()
    moved[MEMBERS] += shift
    assert difference(moved) == pytest.approx(difference(values), abs=1e-8)
    level = difference(values, "level")
    assert difference(moved, "level") == pytest.approx(level + shift, abs=1e-8)


def test_points_added_after_the_start_are_the_change() -> None:
    values = np.tile(counts()[:1], (N_AREAS, 1))
    values[np.ix_(MEMBERS, ~PRE)] += 4.0
    assert difference(values) == pytest.approx(4.0)


@given(total=st.lists(positive, min_size=cf.N_TOTALS, max_size=cf.N_TOTALS))
def test_effect_and_avoided_number_never_disagree_in_sign(total: list[float]) -> None:
    array = np.array(total)
    theta = float(np.expm1(cf.log_ratio(array, "change")))
    expected = cf.expected_total(array, "change")
    avoided = expected - array[cf.OBSERVED_POST]
    assert avoided == pytest.approx(-theta * expected, rel=1e-9, abs=1e-9 * expected)
    if abs(theta) > 1e-9:
        assert np.sign(avoided) == -np.sign(theta)


@given(total=st.lists(positive, min_size=cf.N_TOTALS, max_size=cf.N_TOTALS))
def test_a_level_and_its_expected_total_agree(total: list[float]) -> None:
    array = np.array(total)
    ratio = float(np.exp(cf.log_ratio(array, "level")))
    expected = cf.expected_total(array, "level")
    assert expected * ratio == pytest.approx(array[cf.OBSERVED_POST])


@pytest.mark.parametrize("position", [cf.OBSERVED_PRE, cf.OBSERVED_POST, cf.EXPECTED_PRE, cf.EXPECTED_POST])
def test_a_total_of_zero_gives_no_ratio_rather_than_an_infinite_one(position: int) -> None:
    total = np.full(cf.N_TOTALS, 10.0)
    total[position] = 0.0
    assert np.isnan(cf.log_ratio(total, "change"))


@pytest.mark.parametrize("claim", ["change", "level"])
def test_nothing_to_compare_with_expects_nothing(claim: str) -> None:
    assert np.isnan(cf.expected_total(np.zeros(cf.N_TOTALS), claim))


def test_nothing_after_the_start_leaves_no_mean() -> None:
    one = measure(counts(), is_count=False)
    nobody = np.zeros(N_MONTHS, dtype=bool)
    assert np.isnan(cf.sums(one, PRE, nobody).post).all()


@pytest.mark.parametrize(
    ("kind", "years"), [(PeriodKind.MONTH, 1.0), (PeriodKind.QUARTER, 3.0), (PeriodKind.YEAR, 12.0)]
)
def test_exposure_is_counted_in_years(kind: PeriodKind, years: float) -> None:
    one = measure(counts(), kind=kind, exposure=np.full(N_AREAS, 100.0))
    np.testing.assert_allclose(cf.sums(one, PRE, ~PRE).columns[:, 2], 100.0 * years)


def test_the_order_of_areas_changes_no_total() -> None:
    values, w = counts(), weights()
    order = np.random.default_rng(1).permutation(len(POOL))
    one = measure(values)
    sums = cf.sums(one, PRE, ~PRE)
    np.testing.assert_allclose(
        cf.totals(sums, MEMBERS[::-1], POOL[order], w[order]), cf.totals(sums, MEMBERS, POOL, w)
    )
