"""Placement by a rank with a cap: who is taken, who just missed, and made-up programmes."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.design.cutoff import Ranked, ranked


def _rule(groups: list[int], at_most: int | None, n: int) -> Ranked:
    """One place an area, in the order given."""
    count = len(groups)
    return ranked(
        [np.array([i]) for i in range(count)],
        score=np.arange(count, dtype=float),
        group=np.array(groups),
        at_most=at_most,
        first=np.arange(count) < n,
        n_areas=count,
    )


def _walk(groups: list[int], at_most: int, n: int, may: np.ndarray) -> list[int]:
    """Take places one by one: the rule as it is written."""
    taken: list[int] = []
    for i in np.flatnonzero(may):
        if len(taken) < n and sum(groups[j] == groups[i] for j in taken) < at_most:
            taken.append(int(i))
    return taken


@pytest.mark.parametrize("seed", range(5))
def test_the_rule_takes_what_walking_down_the_rank_takes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 12, 200).tolist()
    may = rng.random(200) < 0.7
    found = _rule(groups, 2, 15).taken(may, 15)
    assert found.tolist() == _walk(groups, 2, 15, may)


def test_without_a_cap_the_first_are_taken() -> None:
    assert _rule([0] * 10, None, 4).taken(np.ones(10, dtype=bool), 4).tolist() == [0, 1, 2, 3]


def test_of_equal_scores_those_that_were_chosen_come_first() -> None:
    rule = ranked(
        [np.array([i]) for i in range(4)],
        score=np.array([1.0, 2.0, 2.0, 2.0]),
        group=np.zeros(4, dtype=int),
        at_most=None,
        first=np.array([True, False, False, True]),
        n_areas=4,
    )
    assert [int(p[0]) for p in rule.places] == [0, 3, 1, 2]


def test_just_missed_are_those_beyond_the_cut_and_those_that_the_cap_shut_out() -> None:
    groups = [0, 0, 0, 1, 2, 0, 1, 2]
    rule = _rule(groups, 2, 4)
    members = rule.taken(np.ones(8, dtype=bool), 4)
    assert members.tolist() == [0, 1, 3, 4]
    found = rule.just_missed(members, np.ones(8, dtype=bool))
    assert np.flatnonzero(found).tolist() == [2, 5, 6, 7]


def test_a_place_that_a_made_up_programme_left_out_at_random_did_not_just_miss_it() -> None:
    rule = _rule([0, 1, 2, 3, 4, 5], None, 2)
    found = rule.just_missed(np.array([0, 3]), np.ones(6, dtype=bool))
    assert np.flatnonzero(found).tolist() == [4, 5]


def test_made_up_programmes_keep_to_the_cap_and_share_no_place() -> None:
    rng = np.random.default_rng(5)
    groups = rng.integers(0, 30, 400).tolist()
    rule = _rule(groups, 2, 20)
    options = [np.array([i]) for i in range(20, 400)]
    for seed in range(20):
        programme = rule.programme(options, [1] * 20, np.random.default_rng(seed))
        assert programme is not None
        places = np.concatenate(programme)
        assert len(np.unique(places)) == 20
        assert np.bincount(np.array(groups)[places]).max() <= 2
        assert places.min() >= 20


def test_a_programme_of_one_design_gets_all_its_places() -> None:
    rule = _rule(list(range(50)), 1, 5)
    programme = rule.programme([np.array([i]) for i in range(5, 50)], [5], np.random.default_rng(1))
    assert programme is not None
    assert len(programme) == 1
    assert len(programme[0]) == 5


def test_no_programme_where_too_few_places_are_left() -> None:
    rule = _rule([0] * 10, 1, 1)
    assert rule.programme([np.array([i]) for i in range(10)], [1, 1], np.random.default_rng(1)) is None


def test_areas_in_no_place_are_not_compared_with() -> None:
    rule = ranked(
        [np.array([0]), np.array([2, 3])],
        score=np.array([1.0, 2.0]),
        group=np.zeros(2, dtype=int),
        at_most=None,
        first=np.array([True, False]),
        n_areas=5,
    )
    found = rule.resembling(np.array([0]), np.array([False, True, True, False, True]))
    assert found.tolist() == [False, False, True, False, False]
