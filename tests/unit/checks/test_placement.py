from __future__ import annotations

import numpy as np
import pytest

from areaeffect.checks.placement import (
    SHARE_IN_ONE,
    SPREAD,
    WHOLE_GROUPS,
    feature_names,
    harmful_tails,
    percentiles,
    placement,
    profile,
    tilt,
)

SIDE = 30
N = SIDE * SIDE
CENTRES = np.stack(np.divmod(np.arange(N), SIDE), axis=1) * 500.0
DISTRICTS = np.array([f"D{r // 5}{c // 5}" for r, c in np.stack(np.divmod(np.arange(N), SIDE), 1)])
LEVEL = percentiles(np.random.default_rng(5).normal(size=N))[:, None]
NAMES = feature_names(["level"], centres=True, districts=True)
EVERY = np.ones((4, 2), dtype=bool)


def pairs(rng: np.random.Generator, allowed: np.ndarray, n: int = 6) -> list[np.ndarray]:
    """Neighbourhoods of one area and its right-hand neighbour."""
    left = allowed[allowed % SIDE < SIDE - 1]
    return [np.array([a, a + 1]) for a in rng.choice(left, n, replace=False)]


def described(members: list[np.ndarray]) -> np.ndarray:
    return profile(members, [LEVEL] * len(members), CENTRES, DISTRICTS)


@pytest.fixture(scope="module")
def placebos() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.array([described(pairs(rng, np.arange(N))) for _ in range(199)])


def test_a_profile_says_what_it_says_it_does() -> None:
    found = described([np.array([0, 1]), np.array([2, 3])])
    level, apart, in_one, whole = found
    assert level == pytest.approx(LEVEL[:4].mean())
    assert apart == pytest.approx(1000.0)
    assert in_one == 1.0
    assert whole == pytest.approx(4 / 25)
    assert NAMES == ("level", SPREAD, SHARE_IN_ONE, WHOLE_GROUPS)


def test_percentiles_share_ties_and_leave_unknown_values_out() -> None:
    np.testing.assert_allclose(
        percentiles(np.array([1.0, 2.0, 2.0, np.nan])), [100 / 6, 200 / 3, 200 / 3, np.nan]
    )


def test_programmes_of_the_generator_are_warned_of_one_time_in_twenty(placebos: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    odd = [
        placement(NAMES, described(pairs(rng, np.arange(N))), placebos, EVERY).is_unlike for _ in range(400)
    ]
    assert np.mean(odd) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert np.mean(odd) > 0.01  # the ranks of 199 placebos come close to the nominal size


@pytest.mark.parametrize(
    ("rule", "oddest"),
    [
        (np.flatnonzero((LEVEL[:-1, 0] > 75) & (LEVEL[1:, 0] > 75)), "level"),
        (np.flatnonzero((DISTRICTS == "D22") | (DISTRICTS == "D23")), SPREAD),
    ],
    ids=["the highest levels", "one corner of the map"],
)
def test_a_placement_rule_that_the_generator_does_not_know_is_found(
    rule: np.ndarray, oddest: str, placebos: np.ndarray
) -> None:
    rng = np.random.default_rng(3)
    found = [placement(NAMES, described(pairs(rng, rule)), placebos, EVERY) for _ in range(20)]
    assert all(p.is_unlike for p in found)
    assert oddest in {p.oddest for p in found}


def test_one_whole_district_is_found(placebos: np.ndarray) -> None:
    inside = np.flatnonzero(DISTRICTS == "D22")
    members = [inside[i : i + 4] for i in range(0, 24, 4)]
    found = placement(NAMES, described(members), placebos, EVERY)
    assert found.is_unlike
    assert found.p_values[NAMES.index(WHOLE_GROUPS)] <= 0.05


def test_a_feature_that_is_unknown_is_left_out(placebos: np.ndarray) -> None:
    real = described(pairs(np.random.default_rng(4), np.arange(N)))
    real[0] = np.nan
    assert "level" not in placement(NAMES, real, placebos, EVERY).names
    assert placement(NAMES, np.full(4, np.nan), placebos, EVERY).joint_p == 1.0


def test_only_tails_that_could_do_harm_count(placebos: np.ndarray) -> None:
    rng = np.random.default_rng(6)
    level = (placebos[:, 0] - placebos[:, 0].mean()) / placebos[:, 0].std()
    grows = rng.normal(0.0, np.exp(0.6 * level))
    up = harmful_tails(NAMES, placebos, grows)
    np.testing.assert_array_equal(up, [[False, True], [True, False], [False, True], [False] * 2])
    shrinks = harmful_tails(NAMES, placebos, rng.normal(0.0, np.exp(-0.6 * level)))
    assert shrinks[0].tolist() == [True, False]
    assert harmful_tails(NAMES, placebos, np.ones(199))[0].tolist() == [True, True]
    answered = harmful_tails(NAMES, placebos, grows, ["level"])
    assert answered[0].tolist() == [False, False]


def test_a_high_level_is_warned_of_only_where_effects_grow_with_it(placebos: np.ndarray) -> None:
    highest = np.flatnonzero((LEVEL[:-1, 0] > 75) & (LEVEL[1:, 0] > 75))
    rng = np.random.default_rng(7)
    real = [described(pairs(rng, highest)) for _ in range(40)]

    def warned(*, high: bool) -> float:
        counted = np.array([[not high, high], [True, False], [False, True], [False, False]])
        return float(np.mean([placement(NAMES, r, placebos, counted).is_unlike for r in real]))

    assert warned(high=True) == 1.0
    assert warned(high=False) <= 0.2


def test_placement_that_leans_by_the_tilt_brings_the_p_value_to_the_level() -> None:
    """By hand: 4 of 400 programmes are as extreme; each counts `tilt` times."""
    extreme, others = 4, 396
    lean = tilt(extreme / (extreme + others))
    assert lean * extreme / (lean * extreme + others) == pytest.approx(0.05)
    assert tilt(0.05) == pytest.approx(1.0)
    assert tilt(0.2) < 1
