"""Small versions of `make simulate`: fresh counties, and London under other laws of placement."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.estimate import counterfactual as cf
from areaeffect.placebo.workers import single_threaded
from benchmarks import grid
from benchmarks.fresh import County, fresh

pytestmark = pytest.mark.simulation

_REPLICATES = 24
_SMALL = County(
    rows=20, columns=24, forces=3, neighbourhoods=3, size=3, per_month=8.0, months=84,
    starts=(48, 54, 60), gap=(52, 55),
)  # fmt: skip


@pytest.fixture(scope="module")
def counties() -> list[dict]:
    kept = grid.county
    grid.county = lambda _n: _SMALL
    try:
        with single_threaded():
            return [grid.replicate(3, seed) for seed in range(1, _REPLICATES + 1)]
    finally:
        grid.county = kept


def test_intervals_cover_the_realised_effect_also_where_places_differ(counties: list[dict]) -> None:
    """The eight cells of a county share it: the bound treats them as one, four errors below."""
    covered = np.mean(
        [[low <= truth <= high for _, _, truth, _, low, high, _ in c["rows"]] for c in counties]
    )
    assert covered >= 0.95 - 4 * (0.95 * 0.05 / _REPLICATES) ** 0.5


def test_where_nothing_was_done_few_are_called_an_effect(counties: list[dict]) -> None:
    nothing = [r for c in counties for r in c["rows"] if r[0] == 0 and r[1] == 0]
    wrong = np.mean([r[-1] <= 0.05 for r in nothing])
    assert wrong <= 0.05 + 4 * (0.05 * 0.95 / _REPLICATES) ** 0.5


def test_a_fall_of_a_fifth_moves_the_estimate_by_a_fifth(counties: list[dict]) -> None:
    moved = [c["rows"][0][3] - c["rows"][2][3] for c in counties]  # the same county, with and not
    assert np.mean(moved) == pytest.approx(-0.2, abs=4 * 0.02 / _REPLICATES**0.5 + 0.01)


def test_effects_that_are_put_in_are_those_reported() -> None:
    rng = np.random.default_rng(3)
    real = np.zeros((2, cf.N_TOTALS))
    real[:, cf.OBSERVED_POST] = [40_000, 60_000]
    around = real[:, cf.OBSERVED_POST].copy()
    for logs in (np.log([0.8, 0.8]), np.log([0.5, 1.5]), np.zeros(2)):
        changed, truth = grid.with_effect(real, around, logs, rng)
        assert truth == pytest.approx(float(around @ np.exp(logs) / around.sum() - 1))
        total = changed[:, cf.OBSERVED_POST].sum()
        assert total / 100_000 - 1 == pytest.approx(truth, abs=4 / 100_000**0.5)


def test_a_fresh_county_is_the_same_for_the_same_seed_only() -> None:
    one, two, other = (fresh(_SMALL, seed).data.panel.measures["outcome_0"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.values, two.values)
    assert not np.array_equal(one.values, other.values)
    assert np.isnan(one.values).any()  # the gap


def test_an_effect_of_the_size_printed_beforehand_is_mostly_found() -> None:
    """0.8 is asked for; sixteen replicates, four errors."""
    kept = grid.county
    grid.county = lambda _n: County(
        rows=20, columns=24, forces=3, neighbourhoods=5, size=3, per_month=8.0, months=84,
        starts=(60,), gap=None,
    )  # fmt: skip
    try:
        with single_threaded():
            found = [grid.power(5, seed)["p"] <= 0.05 for seed in range(1, 17)]
    finally:
        grid.county = kept
    assert np.mean(found) >= 0.8 - 4 * (0.8 * 0.2 / 16) ** 0.5
