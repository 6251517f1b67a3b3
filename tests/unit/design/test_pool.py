"""The comparison pool: who may serve as a benchmark area, and the first reason why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from areaeffect.commands.evaluate import evaluate
from areaeffect.design.pool import Pool, make_pool
from areaeffect.panel import Graph
from tests.shared.small_panel import grid
from tests.shared.small_study import edit, write_small_study

NONE = np.empty(0, dtype=np.int64)
N = 25  # a grid of 5 x 5


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def mask(*areas: int) -> np.ndarray:
    found = np.zeros(N, dtype=bool)
    found[list(areas)] = True
    return found


def pool(treated: np.ndarray, others: np.ndarray = NONE, **options: Any) -> Pool:
    rules: dict[str, Any] = {
        "exclusions": (),
        "near": None,
        "buffer_km": 1.0,
        "contiguity": None,
        "smallest": 1,
    }
    return make_pool(N, treated, others, **rules | options)


def test_areas_of_any_initiative_are_left_out() -> None:
    found = pool(ints(0, 1), ints(1, 2))
    assert found.reasons[:3] == ("treated", "treated", "in another initiative of the register")
    assert found.eligible.sum() == N - 3


def test_an_eligible_area_has_no_reason_and_every_other_one_has() -> None:
    found = pool(ints(0), ints(3), exclusions=[(mask(3, 4), "no data")])
    assert [r == "" for r in found.reasons] == found.eligible.tolist()


def test_the_first_reason_counts() -> None:
    found = pool(ints(0), exclusions=[(mask(0, 5), "not covered"), (mask(5, 6), "too rich")])
    assert (found.reasons[0], found.reasons[5], found.reasons[6]) == ("treated", "not covered", "too rich")


def test_the_buffer_runs_around_the_studied_and_the_other_initiatives() -> None:
    near = grid(5, 5)
    found = pool(ints(0), ints(24), near=near, buffer_km=0.5)
    around = {1, 5, 6, 18, 19, 23}
    assert {i for i, r in enumerate(found.reasons) if r.startswith("within")} == around
    assert found.reasons[1] == "within 0.5 km of a treated area"


def test_an_area_that_could_be_part_of_no_neighbourhood_is_left_out() -> None:
    # areas 0 and 1 are cut off from the rest by excluded ones
    wall = mask(2, 5, 6, 7)
    found = pool(ints(24), exclusions=[(wall, "elsewhere")], contiguity=grid(5, 5), smallest=3)
    assert found.reasons[0] == "isolated: could not be part of a neighbourhood of 3 areas"
    assert found.reasons[1] == found.reasons[0]
    assert found.eligible.sum() == N - 1 - 4 - 2


def test_two_areas_are_room_enough_for_a_neighbourhood_of_two() -> None:
    found = pool(ints(24), exclusions=[(mask(2, 5, 6, 7), "elsewhere")], contiguity=grid(5, 5), smallest=2)
    assert found.eligible[:2].all()


def test_a_pool_may_be_empty() -> None:
    found = pool(np.arange(N), contiguity=grid(5, 5), smallest=2)
    assert not found.eligible.any()


def test_areas_without_neighbours_are_isolated() -> None:
    alone = Graph(np.zeros(N + 1, dtype=np.int64), NONE)
    found = pool(ints(0), contiguity=alone, smallest=2)
    assert not found.eligible.any()


def test_common_support_is_on_unless_a_study_says_otherwise(tmp_path: Path) -> None:
    """Every benchmark area's rate before the start lies within the range of the treated ones."""
    study = write_small_study(tmp_path)
    edit(study, "common_support = false\n", "")
    result = evaluate(study, threads=1)
    crime = pd.read_csv(tmp_path / "crime.csv")
    people = pd.read_csv(tmp_path / "areas.csv").set_index("area_code")["population"]
    before = crime[crime["month"] < "2013"].groupby("area_code")["n"].sum() / people
    treated = before[[a for d in result.designs for a in d.areas]]
    benchmark = before[[a for d in result.designs for a in d.benchmark_areas]]
    assert len(benchmark)
    assert treated.min() <= benchmark.min()
    assert benchmark.max() <= treated.max()
    everywhere = before.drop(treated.index)
    assert everywhere.min() < treated.min() or everywhere.max() > treated.max()
