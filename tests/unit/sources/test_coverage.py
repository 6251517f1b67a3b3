"""Coverage: a recording gap is not a fall, and a code that did not exist is not a quiet area."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.sources.coverage import codes_not_in_use, group_gaps, new_codes, sum_by_group

N_MONTHS = 60


def monthly_totals(mean: float = 900.0, seed: int = 3) -> np.ndarray:
    """One police force: seasonal counts with chance noise, (1, N_MONTHS)."""
    rng = np.random.default_rng(seed)
    season = 1 + 0.15 * np.sin(2 * np.pi * np.arange(N_MONTHS) / 12)
    return rng.poisson(mean * season)[None, :].astype(float)


def flagged(totals: np.ndarray) -> list[int]:
    return np.flatnonzero(group_gaps(totals)[0]).tolist()


def test_a_whole_record_has_no_gap() -> None:
    assert flagged(monthly_totals()) == []


@pytest.mark.parametrize("residue", [0.0, 0.005, 0.1, 0.4])
def test_a_residue_of_the_records_is_a_gap(residue: float) -> None:
    totals = monthly_totals()
    totals[0, 30:36] = np.floor(residue * totals[0, 30:36])
    assert flagged(totals) == list(range(30, 36))


def test_a_real_fall_of_thirty_per_cent_is_no_gap() -> None:
    totals = monthly_totals()
    totals[0, 30:] *= 0.7
    assert flagged(totals) == []


def test_a_slow_fall_to_a_quarter_is_no_gap() -> None:
    totals = monthly_totals() * np.linspace(1.0, 0.25, N_MONTHS)
    assert flagged(totals) == []


def test_a_long_gap_stays_a_gap() -> None:
    totals = monthly_totals()
    totals[0, 20:50] *= 0.01
    assert flagged(totals) == list(range(20, 50))


def test_a_gap_at_the_very_start_is_found_against_what_follows() -> None:
    totals = monthly_totals()
    totals[0, :4] = 0
    assert flagged(totals) == [0, 1, 2, 3]


def test_a_gap_in_one_group_leaves_the_others_alone() -> None:
    totals = np.vstack([monthly_totals(seed=1), monthly_totals(seed=2)])
    totals[1, 40] = 3
    found = group_gaps(totals)
    assert not found[0].any()
    assert np.flatnonzero(found[1]).tolist() == [40]


def test_a_small_group_may_halve_by_chance() -> None:
    totals = np.full((1, N_MONTHS), 12.0)
    totals[0, 30] = 2
    assert flagged(totals) == []


def test_an_unknown_period_is_not_flagged_and_enters_no_median() -> None:
    totals = monthly_totals()
    totals[0, 20:26] = np.nan
    totals[0, 26] = 5
    assert flagged(totals) == [26]


def test_every_scale_of_counts_gives_the_same_gaps() -> None:
    totals = monthly_totals()
    totals[0, 30:33] *= 0.2
    assert flagged(totals) == flagged(totals * 1e6) == [30, 31, 32]


def test_totals_are_added_by_group_and_unknown_where_nobody_reported() -> None:
    values = np.array([[1.0, np.nan], [2.0, np.nan], [4.0, np.nan]])
    names, group, totals = sum_by_group(values, np.array(["b", "a", "b"]))
    assert names.tolist() == ["a", "b"]
    assert group.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(totals, [[2.0, np.nan], [5.0, np.nan]])


# ---------------------------------------------------------------- new codes


def area_counts(n_areas: int = 200, mean: float = 5.0) -> np.ndarray:
    return np.random.default_rng(11).poisson(mean, (n_areas, N_MONTHS)).astype(float)


def test_codes_that_begin_together_are_new() -> None:
    values = area_counts()
    values[10:30, :20] = 0
    values[10:30, 20] = 3
    areas, first = new_codes(values)
    assert areas.tolist() == list(range(10, 30))
    assert first == 20


def test_a_new_code_that_was_quiet_at_first_is_new_too() -> None:
    values = area_counts()
    values[10:30, :20] = 0
    values[10:30, 20] = 3
    values[12, 20:23] = 0
    assert 12 in new_codes(values)[0]


def test_areas_that_begin_one_by_one_are_quiet_not_new() -> None:
    values = area_counts()
    for i, area in enumerate(range(10, 30)):
        values[area, : 15 + 2 * i] = 0
    assert len(new_codes(values)[0]) == 0


def test_few_codes_that_begin_together_are_left_alone() -> None:
    values = area_counts()
    values[:4, :20] = 0
    assert len(new_codes(values)[0]) == 0


def test_codes_that_begin_within_the_first_year_are_left_alone() -> None:
    values = area_counts()
    values[10:30, :11] = 0
    assert len(new_codes(values)[0]) == 0


def test_areas_without_any_event_are_not_new() -> None:
    values = area_counts()
    values[10:30] = 0
    assert len(new_codes(values)[0]) == 0


def test_an_area_that_is_already_missing_is_not_new() -> None:
    values = area_counts()
    values[10:30, :20] = 0
    values[10:30, 20] = 3
    values[10:13, :20] = np.nan
    assert new_codes(values)[0].tolist() == list(range(13, 30))


@pytest.mark.parametrize("change", [4, 30, 56])
def test_codes_that_end_where_others_begin_are_missing_on_either_side(change: int) -> None:
    rng = np.random.default_rng(5)
    values = rng.poisson(4.0, (60, N_MONTHS)).astype(float) + 1
    values[:6, change:] = 0  # six old codes
    values[6:14, :change] = 0  # the eight that took their place
    unused = codes_not_in_use(values)
    expected = np.zeros(values.shape, dtype=bool)
    expected[:6, change:] = True
    expected[6:14, :change] = True
    np.testing.assert_array_equal(unused, expected)


def test_codes_that_end_together_without_a_successor_are_missing_after() -> None:
    rng = np.random.default_rng(6)
    values = rng.poisson(4.0, (60, N_MONTHS)).astype(float) + 1
    values[:6, 40:] = 0
    assert codes_not_in_use(values)[:6, 40:].all()
    assert codes_not_in_use(values).sum() == 6 * 20


def test_rare_events_are_not_taken_for_codes_that_begin_or_end() -> None:
    for seed in range(20):
        values = np.random.default_rng(seed).poisson(0.05, (2000, N_MONTHS)).astype(float)
        assert not codes_not_in_use(values).any()
