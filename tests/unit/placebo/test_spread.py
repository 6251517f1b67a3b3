"""Placebo programmes lie as far apart as the real one."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.placebo.programmes import (
    ALIKE_WITHIN,
    Candidates,
    Spread,
    centre_of,
    draw_programme,
    matched_spread,
    mean_distance,
    propose,
)

SIDE = 30
N = SIDE * SIDE
CENTRES = np.array([(1000.0 * (i % SIDE), 1000.0 * (i // SIDE)) for i in range(N)])
PAIRS = tuple(np.array([i, i + 1]) for i in range(N) if i % SIDE < SIDE - 1)
OF_PAIRS = centre_of(PAIRS, CENTRES)
N_PLACES = 5
BANKS = tuple(Candidates((PAIRS,)) for _ in range(N_PLACES))


def spread_for(target: float) -> Spread:
    return matched_spread(BANKS, N, [OF_PAIRS] * N_PLACES, target)


def drawn_spreads(spread: Spread | None, n: int = 60) -> np.ndarray:
    found = []
    for number in range(n):
        programme = draw_programme(BANKS, N, None, np.random.default_rng([5, number]), spread)
        assert programme is not None
        joined = np.concatenate(programme)
        assert len(np.unique(joined)) == len(joined)
        found.append(mean_distance(centre_of(programme, CENTRES)))
    return np.array(found)


def test_the_mean_distance_of_a_square() -> None:
    square = np.array([(0, 0), (0, 3), (4, 0), (4, 3)], dtype=float)
    assert mean_distance(square) == pytest.approx((3 + 3 + 4 + 4 + 5 + 5) / 6)


@pytest.mark.parametrize("target", [3000.0, 7000.0, 14000.0])
def test_programmes_are_as_near_together_as_the_real_one(target: float) -> None:
    found = drawn_spreads(spread_for(target))
    assert np.median(np.maximum(found / target, target / found)) <= ALIKE_WITHIN
    free = drawn_spreads(None)
    assert np.abs(np.log(found / target)).mean() < np.abs(np.log(free / target)).mean()


def test_a_spread_that_no_programme_has_is_come_near_to() -> None:
    found = drawn_spreads(spread_for(35_000.0))
    assert found.mean() > drawn_spreads(None).mean()


def test_near_programmes_are_not_all_in_one_place() -> None:
    spread = spread_for(3000.0)
    firsts = {
        tuple(centre_of(programme, CENTRES).mean(axis=0).round(-3))
        for number in range(40)
        if (programme := draw_programme(BANKS, N, None, np.random.default_rng([6, number]), spread))
    }
    assert len(firsts) > 30


def test_shocks_of_a_region_make_near_programmes_vary_more() -> None:
    """What matching is for: scattered placebos understate the noise of a near programme."""
    rng = np.random.default_rng(3)
    far = np.sqrt(((CENTRES[:, None] - CENTRES[None, ::45]) ** 2).sum(-1))
    noise = np.exp(-((far / 4000.0) ** 2)) @ rng.normal(size=far.shape[1])

    def sd(spread: Spread | None) -> float:
        means = []
        for number in range(200):
            programme = draw_programme(BANKS, N, None, np.random.default_rng([7, number]), spread)
            assert programme is not None
            means.append(noise[np.concatenate(programme)].mean())
        return float(np.std(means))

    assert sd(spread_for(3000.0)) > 1.5 * sd(None)


def test_a_taken_area_is_not_proposed() -> None:
    taken = np.ones(N, dtype=bool)
    taken[:100] = False
    picked = propose(BANKS, N, taken, np.random.default_rng(1), spread_for(7000.0))
    if picked is not None:
        assert all((PAIRS[i] < 100).all() for i in picked)
    nowhere = propose(BANKS, N, np.ones(N, dtype=bool), np.random.default_rng(1), spread_for(7000.0))
    assert nowhere is None
