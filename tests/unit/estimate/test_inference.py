"""Placebo inference: p-values counted by hand, intervals that agree with them, the MDE."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from areaeffect.estimate.inference import (
    COPIES,
    PlaceboInference,
    ReferencePlaces,
    around_zero,
    infer,
    known_from,
    predicted_scale,
    share_beyond,
    spread_about_zero,
)


def draws(n: int = 999, seed: int = 6, spread: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, spread, n)


#: So many places that their number does not matter.
MANY = ReferencePlaces(1, 10**9)


def inference(estimate: float, placebos: np.ndarray, places: ReferencePlaces = MANY) -> PlaceboInference:
    """Without a model of the counts: every draw has the same scale."""
    return infer(estimate, placebos, np.ones(len(placebos)), 1.0, places)


def mde_of(found: PlaceboInference, better: str = "lower") -> float:
    return found.detectable(better, found.critical)


def test_p_is_twice_the_smaller_tail_with_the_estimate_counted_as_a_draw() -> None:
    placebos = np.arange(-20.0, 20.0) + 0.5  # 40 draws, 20 on either side of zero
    found = inference(-18.0, placebos)
    # -19.5 and -18.5 are as low: (1 + 2) / (40 + 1)
    assert found.p_value == pytest.approx(6 / 41)


def test_a_draw_that_equals_the_estimate_counts_against_it() -> None:
    drawn = np.repeat(np.arange(40.0), COPIES)
    # 38 and 39 are as high: (1 + 2) / (40 + 1)
    assert share_beyond(drawn, 38.0) == pytest.approx(3 / 41)


def test_no_p_is_smaller_than_the_draws_allow() -> None:
    found = inference(-100.0, draws(99))
    assert found.p_value == pytest.approx(2 / 100)


def test_p_is_never_over_one() -> None:
    assert inference(0.0, np.zeros(39) + np.tile([-1.0, 0.0, 1.0], 13)).p_value == 1.0


@given(
    seed=st.integers(0, 10_000),
    n=st.sampled_from([39, 59, 79, 99, 199, 250, 999]),
    estimate=st.floats(-0.6, 0.6),
)
def test_zero_is_inside_the_interval_exactly_where_p_is_over_five_per_cent(
    seed: int, n: int, estimate: float
) -> None:
    found = inference(estimate, draws(n, seed))
    cuts = np.array(found.critical)
    assume(np.abs(found.statistic - cuts).min() > 1e-9)  # not on the edge, where rounding decides
    assert (found.low <= 0 <= found.high) == (found.p_value > 0.05)


@given(n=st.integers(39, 1200))
def test_the_interval_rejects_as_many_draws_as_p_does(n: int) -> None:
    placebos = np.sort(around_zero(draws(n, seed=n), 0.0))
    found = inference(0.0, placebos)
    at_cut = inference(placebos[0], placebos)
    drawn = np.sort(found.drawn)
    # values that p rejects on a side
    k = next(k for k in range(len(drawn)) if 2 * (k / COPIES + 1) / (n + 1) > 0.05 + 1e-9)
    assert found.critical == (drawn[k - 1], drawn[-k])
    assert at_cut.p_value <= 2 * 2 / (n + 1)


def test_the_ninety_per_cent_interval_rejects_a_draw_in_ten() -> None:
    placebos = np.sort(around_zero(draws(999), 0.0))
    found = inference(0.0, placebos)
    # 0.05 x 1000 = 50 draws on either side, the fiftieth included
    assert found.critical_at(0.9) == pytest.approx(
        (placebos[49] / found.scale, placebos[-50] / found.scale), rel=1e-4
    )


def test_the_interval_holds_the_estimate_less_what_placebos_do() -> None:
    placebos = around_zero(draws(999), 0.0)
    found = inference(-0.3, placebos)
    ordered = np.sort(placebos)
    assert found.low == pytest.approx(-0.3 - ordered[-25], rel=1e-4)
    assert found.high == pytest.approx(-0.3 - ordered[24], rel=1e-4)


def test_too_few_draws_leave_the_interval_open() -> None:
    found = inference(-0.3, draws(30))
    assert (found.low, found.high) == (-np.inf, np.inf)


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_an_effect_of_the_mde_is_found_in_four_of_five_draws(better: str) -> None:
    placebos = draws(9999, seed=8)
    mde = mde_of(inference(0.0, placebos), better)
    assert (mde < 0) == (better == "lower")
    found = np.array([inference(float(x) + mde, placebos).p_value for x in placebos[:400]])
    # 400 draws of a share of 0.8: four standard errors are 0.08
    assert (found <= 0.05).mean() == pytest.approx(0.8, abs=0.08)


def test_the_mde_of_a_normal_placebo_is_the_textbook_one() -> None:
    n = 200_000
    spread = 0.1
    mde = mde_of(inference(0.0, draws(n, spread=spread)))
    assert mde == pytest.approx(-(1.960 + 0.842) * spread, rel=0.02)


def test_the_mde_does_not_depend_on_the_estimate() -> None:
    placebos = draws()
    assert mde_of(inference(-0.5, placebos)) == mde_of(inference(0.3, placebos))


@given(scale=st.sampled_from([1e-6, 3.0, 1e6]), seed=st.integers(0, 100))
def test_the_unit_changes_no_p_and_scales_the_interval(scale: float, seed: int) -> None:
    placebos = draws(199, seed)
    plain, scaled = inference(-0.1, placebos), inference(-0.1 * scale, placebos * scale)
    assert scaled.p_value == plain.p_value
    for name in ("low", "high", "centre", "deviation"):
        assert getattr(scaled, name) == pytest.approx(getattr(plain, name) * scale, rel=1e-4)


@given(seed=st.integers(0, 1000), estimate=st.floats(-0.5, 0.5))
def test_turning_every_sign_turns_the_result(seed: int, estimate: float) -> None:
    placebos = draws(199, seed)
    plain = inference(estimate, placebos)
    turned = inference(-estimate, -placebos)
    assert turned.p_value == plain.p_value
    assert turned.low == pytest.approx(-plain.high)
    assert mde_of(turned, "higher") == pytest.approx(-mde_of(plain))


def test_the_centre_is_printed_and_widens_and_never_shifts() -> None:
    placebos = around_zero(draws(), 0.0) + 0.05
    found, plain = inference(-0.3, placebos), inference(-0.3, placebos - 0.05)
    assert found.centre == pytest.approx(placebos.mean())
    assert found.centre_error == pytest.approx(placebos.std(ddof=1) / np.sqrt(999))
    assert found.centre_is_off
    wider = np.sqrt((placebos**2).mean() / ((placebos - 0.05) ** 2).mean())
    assert wider > 1.05
    for end in ("low", "high"):
        assert getattr(found, end) + 0.3 == pytest.approx(wider * (getattr(plain, end) + 0.3)), end
    assert mde_of(found) == pytest.approx(wider * mde_of(plain))
    assert not inference(0.0, draws() + 0.01).centre_is_off


def test_what_is_put_around_zero_keeps_its_shape_and_mean_square() -> None:
    skewed = np.random.default_rng(2).exponential(0.1, 999) - 0.02
    moved = around_zero(skewed, 0.0)
    assert moved.mean() == pytest.approx(0.0, abs=1e-12)
    assert (moved**2).mean() == pytest.approx((skewed**2).mean())
    assert np.corrcoef(moved, skewed)[0, 1] == pytest.approx(1.0)
    np.testing.assert_array_equal(around_zero(np.full(5, 0.3), 0.0), np.zeros(5))


def rejections(r: float, q: float, shape: tuple[int, int] = (4000, 199)) -> tuple[float, float]:
    """Share of wrong rejections of estimates that hang together with their placebos.

    Placebos correlate by r with each other and by q with the estimate. Returned are the share
    of `infer`, and that of ranks among the placebos as they lie.
    """
    rng = np.random.default_rng(31)
    own, shared = rng.normal(size=shape), rng.normal(size=(shape[0], 1))
    placebos = np.sqrt(1 - r) * own + np.sqrt(r) * shared
    tied = q / np.sqrt(r)
    estimates = tied * shared[:, 0] + np.sqrt(1 - tied**2) * rng.normal(size=shape[0])
    at_most = (placebos <= estimates[:, None]).sum(axis=1)
    smaller = np.minimum(at_most, shape[1] - at_most)
    p = [inference(float(e), d).p_value for e, d in zip(estimates, placebos, strict=True)]
    return float((np.array(p) <= 0.05).mean()), float((2 * (1 + smaller) / 200 <= 0.05).mean())


@pytest.mark.parametrize(("r", "q"), [(0.02, -0.013), (0.07, -0.09), (0.2, -0.2), (0.05, 0.05)])
def test_size_holds_where_placebos_share_areas_and_stand_in_the_benchmark(r: float, q: float) -> None:
    """Correlations measured in fresh counties at 3, 10 and 30 neighbourhoods; and exchangeable."""
    found, as_they_lie = rejections(r, q)
    # 4,000 replicates: a standard error of 0.0034 at 0.05
    assert 0.035 <= found <= 0.06
    if q < -0.05:
        assert as_they_lie > 0.075


def test_a_lean_that_the_programme_shares_does_not_reject_too_often() -> None:
    rng = np.random.default_rng(5)
    for lean in (0.25, 0.5, 1.0):
        placebos = rng.normal(lean, 1.0, (2000, 199))
        estimates = rng.normal(lean, 1.0, 2000)
        p = [inference(float(e), d).p_value for e, d in zip(estimates, placebos, strict=True)]
        assert (np.array(p) <= 0.05).mean() <= 0.06


def large_programmes(n_pools: int = 1500) -> tuple[np.ndarray, ...]:
    """Programmes of 36 places held against draws of 36 out of 100 others, as in a small county.

    Returned are the centre of each pool's placebos, in deviations of a programme, and the p-values
    by the mean square alone and with the share of the pool.
    """
    rng = np.random.default_rng(17)
    centres, alone, shared = [], [], []
    for _ in range(n_pools):
        places = rng.normal(size=100)
        picked = rng.random((199, 100)).argsort(axis=1)[:, :36]
        placebos, estimate = places[picked].mean(axis=1), float(rng.normal(0.0, 1 / 6))
        centres.append(6 * placebos.mean())
        alone.append(inference(estimate, placebos).p_value)
        shared.append(inference(estimate, placebos, ReferencePlaces(36, 100)).p_value)
    return np.array(centres), np.array(alone), np.array(shared)


def test_a_programme_that_takes_up_a_third_of_the_pool_is_held_to_the_spread_of_fresh_places() -> None:
    centres, alone, shared = large_programmes()
    near = np.abs(centres) < 0.3
    assert 0.3 < near.mean() < 0.5
    assert (alone[near] <= 0.05).mean() > 0.09  # one draw of the centre happens to lie near zero
    # about 560 and 1,500 pools: Monte Carlo errors of 0.009 and 0.006 at 0.05
    assert (shared[near] <= 0.05).mean() <= 0.078
    assert 0.025 <= (shared <= 0.05).mean() <= 0.06


@given(seed=st.integers(0, 1000), taken=st.floats(0.0, 0.75))
def test_the_spread_is_the_larger_of_two_and_grows_with_the_share(seed: int, taken: float) -> None:
    placebos = draws(99, seed) + 0.02
    spread = spread_about_zero(placebos, taken)
    assert spread**2 >= (placebos**2).mean() * (1 - 1e-12)
    assert spread**2 >= placebos.var() / (1 - taken) * (1 - 1e-12)
    assert around_zero(placebos, taken).std() == pytest.approx(spread)
    assert spread >= spread_about_zero(placebos, taken / 2)


def test_columns_are_put_around_zero_each_by_itself() -> None:
    columns = np.column_stack([draws(99), 3 + draws(99, 2), np.zeros(99)])
    each = [around_zero(column, 0.2) for column in columns.T]
    np.testing.assert_allclose(around_zero(columns, 0.2), np.column_stack(each))


def test_the_share_of_a_pool_is_at_most_three_quarters_and_nothing_of_a_contrast() -> None:
    assert ReferencePlaces(36, 100).taken == pytest.approx(0.36)
    assert ReferencePlaces(90, 100).taken == ReferencePlaces(5, 0).taken == 0.75
    assert ReferencePlaces(36, 100, is_contrast=True).taken == 0.0


@pytest.mark.parametrize(
    ("programme", "disjoint", "least"),
    [(1, 26, 2 / 27), (1, 38, 2 / 39), (1, 39, 2 / 40), (2, 20, 2 / 231), (4, 26, 2 / 27405)],
)
def test_no_p_claims_more_than_the_separate_places_can_show(
    programme: int, disjoint: int, least: float
) -> None:
    places = ReferencePlaces(programme, disjoint)
    assert places.least_p == pytest.approx(least)
    assert inference(-100.0, draws(999), places).p_value >= least


@given(
    seed=st.integers(0, 10_000),
    disjoint=st.integers(2, 60),
    programme=st.integers(1, 3),
    estimate=st.floats(-0.9, 0.9),
)
def test_an_interval_on_few_places_leaves_zero_out_only_where_p_says_so(
    seed: int, disjoint: int, programme: int, estimate: float
) -> None:
    found = inference(estimate, draws(199, seed), ReferencePlaces(programme, disjoint))
    assume(np.abs(found.statistic - np.array(found.critical)).min() > 1e-9)
    assert (found.low <= 0 <= found.high) == (found.p_value > 0.05)


def test_an_end_that_would_leave_zero_out_is_open_where_no_p_can_reach_five_per_cent() -> None:
    few, enough = (inference(-0.9, draws(199), ReferencePlaces(1, m)) for m in (25, 39))
    assert few.p_value == pytest.approx(2 / 26)
    assert few.high == np.inf
    assert enough.p_value == pytest.approx(2 / 40)
    assert enough.high < 0
    inside = inference(0.01, draws(199), ReferencePlaces(1, 25))
    assert -0.4 < inside.low < 0 < inside.high < 0.4


@pytest.mark.parametrize("programme", [1, 4])
@pytest.mark.parametrize("disjoint", [20, 40, 60, 200])
def test_size_holds_however_few_separate_places_there_are(programme: int, disjoint: int) -> None:
    """Placebos overlap: 999 programmes of few places, each place drawn many times."""
    rng = np.random.default_rng(disjoint + programme)
    n, rejected = 1000, 0
    for _ in range(n):
        pool, own = rng.normal(size=disjoint), float(rng.normal(size=programme).mean())
        picked = rng.random((199, disjoint)).argpartition(programme - 1, axis=1)[:, :programme]
        found = inference(own, pool[picked].mean(axis=1), ReferencePlaces(programme, disjoint))
        rejected += not found.low <= 0 <= found.high
    # 1,000 replicates: a standard error of 0.007 at 0.05
    assert rejected / n <= 0.065 + 0.014


def test_statistics_over_a_spread_of_few_places_follow_students_t() -> None:
    moved = known_from(draws(99_999, spread=1.0), 25)
    # t with 25 degrees of freedom; 99,999 draws: 0.02 at its 97.5th percentile
    assert np.quantile(moved, 0.975) == pytest.approx(2.060, abs=0.03)
    assert np.abs(known_from(draws(), 10**9) - draws()[:, None]).max() < 1e-3


def test_estimates_that_are_found_at_little_power_exaggerate() -> None:
    found = inference(0.0, draws(9999, spread=1.0))
    # Gelman & Carlin 2014: at a power of 0.06 the exaggeration ratio is 9 or more, at 0.8 1.12
    assert found.exaggeration(0.25, found.critical) > 7
    assert found.exaggeration(mde_of(found), found.critical) == pytest.approx(1.12, abs=0.03)


def test_a_draw_that_gave_nothing_is_left_out_but_keeps_its_place() -> None:
    placebos = draws(199)
    holes = placebos.copy()
    holes[[3, 50]] = np.nan
    found = inference(-0.1, holes)
    assert np.flatnonzero(np.isnan(found.statistics).all(axis=1)).tolist() == [3, 50]
    assert found.n_draws == 197
    whole = inference(-0.1, np.delete(placebos, [3, 50]))
    assert found.p_value == whole.p_value
    assert found.low == pytest.approx(whole.low, rel=1e-3)


# ---------------------------------------------------------------- the scale


def test_the_scale_finds_the_variance_that_was_put_in() -> None:
    rng = np.random.default_rng(12)
    counts = rng.uniform(50.0, 2000.0, 40_000)
    a, b = 0.004, 3.0
    estimates = rng.normal(0.0, np.sqrt(a + b / counts))
    scales, scale = predicted_scale(estimates, counts, 100.0)
    # 40,000 draws: the variance at any count is known to a few per cent
    np.testing.assert_allclose(scales**2, a + b / counts, rtol=0.08)
    assert scale**2 == pytest.approx(a + b / 100.0, rel=0.08)


def test_a_programme_of_many_events_is_held_to_a_narrower_scale() -> None:
    rng = np.random.default_rng(12)
    counts = rng.uniform(50.0, 2000.0, 4000)
    estimates = rng.normal(0.0, np.sqrt(3.0 / counts))
    few, many = (predicted_scale(estimates, counts, c)[1] for c in (100.0, 1600.0))
    assert few == pytest.approx(4 * many, rel=0.1)


@pytest.mark.parametrize("counts", [np.full(200, 50.0), np.r_[np.zeros(1), np.full(199, 50.0)]])
def test_without_counts_to_tell_draws_apart_all_have_one_scale(counts: np.ndarray) -> None:
    estimates = draws(200)
    scales, scale = predicted_scale(estimates, counts, 50.0)
    expected = np.sqrt((estimates**2).mean())
    np.testing.assert_allclose(scales, expected)
    assert scale == pytest.approx(expected)


def test_placebos_without_any_spread_do_not_divide_by_zero() -> None:
    scales, scale = predicted_scale(np.zeros(50), np.ones(50), 1.0)
    assert (scales > 0).all()
    assert scale > 0


def test_a_slope_that_the_placebos_cannot_tell_is_left_out() -> None:
    """Placebos matched on level: the real programme has a fifth more events, and equal spread."""
    rng = np.random.default_rng(9)
    ratios = []
    for _ in range(400):
        estimates, counts = rng.normal(0.0, 0.1, 79), rng.normal(2000.0, 200.0, 79)
        scales, scale = predicted_scale(estimates, counts, 2400.0)
        ratios.append(scale / np.sqrt((scales**2).mean()))
    # a plain non-negative fit gives 0.95: its slope cannot be negative, and is wrong upwards
    assert 0.98 <= np.mean(ratios) <= 1.0


@pytest.mark.parametrize(("shift", "is_off"), [(0.2, False), (-0.2, False), (0.3, True)])
def test_placebos_centred_over_a_quarter_of_their_deviation_away_are_flagged(
    shift: float, is_off: bool
) -> None:
    drawn = np.random.default_rng(3).normal(size=4000)
    drawn = (drawn - drawn.mean()) / drawn.std(ddof=1) + shift
    found = infer(0.0, drawn, np.ones(4000), 1.0, MANY)
    assert found.centre == pytest.approx(shift)
    assert found.centre_error == pytest.approx(1 / np.sqrt(4000))
    assert found.centre_is_off is is_off
