"""The seal: it changes with every part of the plan, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from areaeffect.design.pool import seal
from areaeffect.results import NeighbourhoodDesign, Release, Seal

RELEASE = Release(
    source="crime", file="crime.csv", sha256="ab" * 32, rows_read=10, rows_kept=10, rows_rejected=0
)
DESIGN = NeighbourhoodDesign(
    initiative="Residents First",
    neighbourhood="North",
    claim="change",
    start="2014-01",
    areas=("A1", "A2"),
    benchmark_areas=("B1", "B2"),
    weights=(1.25, 0.75),
    n_pool=60,
    n_effective=1.9,
    exact=True,
    imbalance=0.0,
)
PLAN: dict[str, Any] = {
    "study_text": "[study]",
    "version": "0.1.0",
    "seed": 1,
    "releases": (RELEASE,),
    "designs": (DESIGN,),
}


def sealed(**changes: Any) -> Seal:
    return seal(**PLAN | changes)


def test_the_same_plan_has_the_same_seal() -> None:
    assert sealed() == sealed()
    assert len(sealed().sha256) == 64


@pytest.mark.parametrize(
    "changes",
    [
        {"study_text": "[study] "},
        {"version": "0.1.1"},
        {"seed": 2},
        {"releases": (replace(RELEASE, sha256="cd" * 32),)},
        {"releases": ()},
        {"designs": (replace(DESIGN, weights=(1.26, 0.74)),)},
        {"designs": (replace(DESIGN, benchmark_areas=("B1", "B3")),)},
        {"designs": (replace(DESIGN, areas=("A1", "A3")),)},
        {"designs": (replace(DESIGN, claim="level"),)},
        {"designs": (DESIGN, replace(DESIGN, neighbourhood="South"))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_part_of_the_plan_changes_the_seal(changes: dict[str, Any]) -> None:
    assert sealed(**changes).sha256 != sealed().sha256


def test_the_last_bits_of_a_weight_do_not_change_the_seal() -> None:
    shaken = replace(DESIGN, weights=(1.25 * (1 + 1e-14), 0.75 * (1 - 1e-14)))
    assert sealed(designs=(shaken,)).sha256 == sealed().sha256


def test_the_seal_says_what_it_covers() -> None:
    assert sealed().covers == (
        "the study file as written",
        "areaeffect 0.1.0",
        "the seed 1",
        f"crime.csv, sha256 {'ab' * 32}",
        "the benchmark areas and weights of 1 designs",
    )
