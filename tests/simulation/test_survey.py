"""Small-area estimates of simulated surveys: a small version of `benchmarks/surveys.py`."""

from __future__ import annotations

from benchmarks.surveys import measure


def test_small_area_intervals_cover_and_borrow_strength() -> None:
    found = measure(n_surveys=2, n_people=1000, n_areas=100, seed=5)
    # 200 areas at 0.90: 0.90 +- 3.5 Monte Carlo standard errors of sqrt(0.9 * 0.1 / 200), doubled
    # because areas of one survey share their parameters
    assert 0.75 <= found.coverage <= 1.0
    assert found.error_ratio < 0.6
    assert found.worst_rhat < 1.05
