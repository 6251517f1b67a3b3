"""Placebo programmes: made-up neighbourhoods like the real ones, and the same ones each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from areaeffect.design.calibration import features
from areaeffect.design.programme import Cohort, Rules, make_cohort
from areaeffect.estimate.counterfactual import N_TOTALS, Sums, sums
from areaeffect.panel import Graph
from areaeffect.periods import PeriodKind
from areaeffect.placebo import programmes
from areaeffect.placebo.programmes import (
    Candidates,
    Machine,
    count_disjoint,
    draw_programme,
    grouped,
    grow,
    mean_traits,
    most_alike,
    run_programme,
)
from areaeffect.placebo.workers import run_all
from areaeffect.streams import generator
from tests.shared.small_panel import grid, measure, panel

SIDE = 12
N = SIDE * SIDE
START = 12
EVERYWHERE = np.ones(N, dtype=bool)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return grid(SIDE, SIDE)


def is_contiguous(graph: Graph, areas: np.ndarray) -> bool:
    inside = np.zeros(N, dtype=bool)
    inside[areas] = True
    return bool((graph.component_sizes(inside)[areas] == len(areas)).all())


# ---------------------------------------------------------------- growing


@pytest.mark.parametrize("size", [1, 3, 7])
def test_grown_neighbourhoods_are_contiguous_and_of_the_size_asked_for(graph: Graph, size: int) -> None:
    allowed = np.random.default_rng(1).random(N) > 0.2
    grown = grow(graph, allowed, size, np.random.default_rng(2))
    assert grown
    for areas in grown:
        assert len(areas) == len(set(areas.tolist())) == size
        assert allowed[areas].all()
        assert is_contiguous(graph, areas)


def test_component_sizes_agree_with_a_plain_count(graph: Graph) -> None:
    allowed = np.random.default_rng(3).random(N) > 0.5
    rows = np.repeat(np.arange(N), np.diff(graph.indptr))
    keep = allowed[rows] & allowed[graph.indices]
    links = csr_matrix((np.ones(keep.sum()), (rows[keep], graph.indices[keep])), shape=(N, N))
    part = connected_components(links, directed=False)[1]
    expected = [int(((part == part[i]) & allowed).sum()) if allowed[i] else 0 for i in range(N)]
    assert graph.component_sizes(allowed).tolist() == expected


def test_an_island_too_small_grows_nothing(graph: Graph) -> None:
    allowed = np.zeros(N, dtype=bool)
    allowed[[0, 1, 50]] = True
    assert grow(graph, allowed, 3, np.random.default_rng(1)) == []
    assert [a.tolist() for a in grow(graph, allowed, 2, np.random.default_rng(1))] == [[0, 1]]


def test_the_same_seed_grows_the_same_neighbourhoods(graph: Graph) -> None:
    one, two = (grow(graph, EVERYWHERE, 4, np.random.default_rng(7)) for _ in range(2))
    other = grow(graph, EVERYWHERE, 4, np.random.default_rng(8))
    assert [a.tolist() for a in one] == [a.tolist() for a in two]
    assert [a.tolist() for a in one] != [a.tolist() for a in other]


def test_of_more_seeds_than_are_needed_so_many_are_drawn(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = grow(graph, EVERYWHERE, 3, np.random.default_rng(1))
    monkeypatch.setattr(programmes, "MOST_SEEDS", 10)
    few = grow(graph, EVERYWHERE, 3, np.random.default_rng(1))
    assert 10 <= len(few) <= 30 < len(whole)
    assert all(len(areas) == 3 for areas in few)


def test_no_grown_neighbourhood_stands_twice(graph: Graph) -> None:
    grown = grow(graph, EVERYWHERE, 2, np.random.default_rng(7))
    assert len({a.tobytes() for a in grown}) == len(grown)


# ---------------------------------------------------------------- given groups


def test_given_groups_count_where_all_their_covered_areas_are_allowed() -> None:
    groups = np.array(["a", "a", "b", "b", "c", "c", "", "d"])
    allowed = np.array([1, 1, 1, 0, 1, 0, 1, 0], dtype=bool)
    complete = np.array([1, 1, 1, 1, 1, 0, 1, 0], dtype=bool)
    # b has an area that may not be treated; c's other area is not covered; d is not covered at all
    assert [g.tolist() for g in grouped(groups, allowed, complete)] == [[0, 1], [4]]


# ---------------------------------------------------------------- likeness


def test_the_candidates_kept_are_those_nearest_on_their_mean() -> None:
    traits = np.arange(10.0)[:, None]
    candidates = [np.array([i, i + 1]) for i in range(9)]
    kept = most_alike(candidates, mean_traits(candidates, traits), np.array([4.5]), 3)
    assert [c.tolist() for c in kept] == [[3, 4], [4, 5], [5, 6]]


def test_no_more_candidates_than_asked_for_are_all_kept() -> None:
    candidates = [np.array([i]) for i in range(4)]
    assert most_alike(candidates, np.zeros((4, 1)), np.zeros(1), 4) == candidates
    assert most_alike([], np.zeros((4, 1)), np.zeros(1), 4) == []


def test_a_trait_that_all_candidates_share_does_not_decide() -> None:
    traits = np.column_stack([np.arange(10.0), np.full(10, 3.0)])
    candidates = [np.array([i]) for i in range(10)]
    kept = most_alike(candidates, mean_traits(candidates, traits), np.array([8.0, 99.0]), 2)
    assert [c.tolist() for c in kept] == [[7], [8]]


# ---------------------------------------------------------------- programmes


def banks(graph: Graph, sizes: tuple[int, ...] = (3, 3, 5)) -> tuple[Candidates, ...]:
    rng = np.random.default_rng(4)
    return tuple(Candidates((tuple(grow(graph, EVERYWHERE, size, rng)),)) for size in sizes)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40)
def test_the_neighbourhoods_of_a_programme_share_no_area(seed: int) -> None:
    found = draw_programme(banks(GRAPH), N, None, np.random.default_rng(seed))
    assert found is not None
    assert [len(areas) for areas in found] == [3, 3, 5]
    joined = np.concatenate(found)
    assert len(set(joined.tolist())) == len(joined)


GRAPH = grid(SIDE, SIDE)


def test_a_programme_keeps_off_the_areas_taken(graph: Graph) -> None:
    taken = np.zeros(N, dtype=bool)
    taken[: N // 2] = True
    for seed in range(20):
        found = draw_programme(banks(graph), N, taken, np.random.default_rng(seed))
        assert found is not None
        assert not taken[np.concatenate(found)].any()


def test_where_nothing_fits_there_is_no_programme(graph: Graph) -> None:
    rng = np.random.default_rng(1)
    assert draw_programme(banks(graph), N, EVERYWHERE, rng) is None
    assert draw_programme((Candidates(((),)),), N, None, rng) is None


def test_a_neighbourhood_in_pieces_is_drawn_in_pieces() -> None:
    singles = tuple(np.array([i]) for i in range(N))
    bank = Candidates((singles, singles, singles))
    found = draw_programme((bank, bank), N, None, np.random.default_rng(2))
    assert found is not None
    assert [len(a) for a in found] == [3, 3]
    assert len(set(np.concatenate(found).tolist())) == 6


def test_disjoint_programmes_are_a_lower_bound_that_a_grid_allows(graph: Graph) -> None:
    pairs = (Candidates((tuple(grow(graph, EVERYWHERE, 2, np.random.default_rng(4))),)),)
    programmes, neighbourhoods = count_disjoint(pairs, N, 250)
    assert programmes == neighbourhoods
    assert N // 4 <= programmes <= N // 2  # no packing of pairs leaves two free neighbours


def test_disjoint_programmes_are_counted_up_to_a_limit(graph: Graph) -> None:
    programmes, neighbourhoods = count_disjoint(banks(graph), N, 3)
    assert (programmes, neighbourhoods) == (3, 9)


def test_what_is_left_over_still_holds_single_neighbourhoods(graph: Graph) -> None:
    programmes, neighbourhoods = count_disjoint(banks(graph), N, 250)
    assert programmes >= N // 11 // 3
    assert 3 * programmes <= neighbourhoods <= N // 3


# ---------------------------------------------------------------- draws through design and estimate


class OneArm:
    """A claim with one outcome and one start for all."""

    outcomes = (0,)
    is_adjusted = False

    def __init__(self, seed: int = 9, draws: int | None = None) -> None:
        self.draws = draws
        values = np.random.default_rng(seed).poisson(30.0, (N, 24)).astype(float)
        self.measure = measure(values)
        used = np.ones(24, dtype=bool)
        built = features(
            panel([self.measure]),
            [self.measure],
            [used],
            2012 * 12 + START,
            PeriodKind.MONTH,
            "12-month blocks",
        )
        self.one = make_cohort(built, EVERYWHERE, EVERYWHERE, 20)
        before = np.arange(24) < START
        self.added = {0: sums(self.measure, before, ~before)}

    def cohort(self, unit: int, areas: np.ndarray) -> Cohort:  # noqa: ARG002
        return self.one

    def sums(self, unit: int, areas: np.ndarray) -> Mapping[int, Sums]:  # noqa: ARG002
        return self.added


@pytest.fixture(scope="module")
def machine(graph: Graph) -> Machine:
    rules = Rules(20, common_support=False, near=None)
    return Machine(
        arms=(OneArm(),), banks=banks(graph), eligible=EVERYWHERE, rules=rules, n_outcomes=1, seed=42
    )


def test_draws_are_the_same_however_they_are_shared_out(machine: Machine) -> None:
    whole = machine.run(np.arange(20))
    turned = machine.run(np.arange(20)[::-1])[::-1]
    parts = np.concatenate([machine.run(part) for part in np.split(np.arange(20), [3, 11])])
    assert whole.shape == (20, 3, 1, N_TOTALS)
    np.testing.assert_array_equal(whole, parts)
    np.testing.assert_array_equal(whole, turned)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_draws_are_the_same_at_any_number_of_processes(machine: Machine, threads: int) -> None:
    ticks: list[int] = []
    found = run_all(machine, 25, threads, ticks.append)
    np.testing.assert_array_equal(found, machine.run(np.arange(25)))
    assert sum(ticks) == 25


def test_another_seed_draws_other_programmes(machine: Machine) -> None:
    other = Machine(
        arms=machine.arms,
        banks=machine.banks,
        eligible=machine.eligible,
        rules=machine.rules,
        n_outcomes=machine.n_outcomes,
        seed=43,
    )
    assert not np.array_equal(machine.run(np.arange(5)), other.run(np.arange(5)))


def test_no_two_draws_of_one_seed_are_alike(machine: Machine) -> None:
    found = machine.run(np.arange(30)).reshape(30, -1)
    assert len(np.unique(found, axis=0)) == 30


def test_a_placebo_goes_through_the_same_design_as_the_real_programme(machine: Machine) -> None:
    rng = generator(machine.use, machine.seed, 7)
    programme = draw_programme(machine.banks, N, None, rng)
    assert programme is not None
    np.testing.assert_array_equal(run_programme(machine, programme), machine.run(np.array([7]))[0])


def test_an_arm_of_the_first_draws_is_missing_in_the_later_ones(machine: Machine) -> None:
    few = replace(machine, arms=(OneArm(draws=3),))
    found = few.run(np.arange(6))
    np.testing.assert_array_equal(found[:3], machine.run(np.arange(3)))
    assert np.isnan(found[3:]).all()


def test_a_draw_that_finds_no_place_is_missing_not_zero(graph: Graph) -> None:
    rules = Rules(20, common_support=False, near=None)
    nowhere = Machine(
        arms=(OneArm(),), banks=(Candidates(((),)),), eligible=EVERYWHERE, rules=rules, n_outcomes=1, seed=42
    )
    assert np.isnan(nowhere.run(np.arange(3))).all()


def test_a_programme_that_leaves_no_pool_is_missing_not_zero(graph: Graph) -> None:
    rules = Rules(20, common_support=False, near=None)
    nobody = np.zeros(N, dtype=bool)
    machine = Machine(
        arms=(OneArm(),), banks=banks(graph), eligible=nobody, rules=rules, n_outcomes=1, seed=42
    )
    assert np.isnan(machine.run(np.arange(2))).all()
