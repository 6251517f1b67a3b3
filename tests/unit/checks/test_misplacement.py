"""Where a programme truly was, drawn; and how much of an effect is then seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import StudyError
from areaeffect.further.misplacement_model import Matched, Unlocated, draw_true_areas, grow, share_seen
from areaeffect.panel import Graph
from tests.shared.small_study import edit, write_small_study

SIDE = 8
RESIDENTS = np.full(SIDE * SIDE, 1000.0)


def _grid() -> Graph:
    """Return a square of areas that touch along their sides."""
    rows = []
    for i in range(SIDE * SIDE):
        r, c = divmod(i, SIDE)
        near = [(r - 1, c), (r, c - 1), (r, c + 1), (r + 1, c)]
        rows.append([a * SIDE + b for a, b in near if 0 <= a < SIDE and 0 <= b < SIDE])
    starts = np.cumsum([0, *map(len, rows)])
    return Graph(starts.astype(np.int64), np.concatenate(rows).astype(np.int64))


GRID = _grid()
BLOCK = np.array([9, 10, 11, 17, 18, 19], dtype=np.int64)


def _connected(areas: np.ndarray) -> bool:
    inside = np.zeros(SIDE * SIDE, dtype=np.bool_)
    inside[areas] = True
    return int(GRID.component_sizes(inside).max()) == len(areas)


@given(st.integers(0, 2**32 - 1), st.sampled_from([2000.0, 3000.0, 5000.0]))
def test_a_match_that_is_too_large_becomes_a_connected_part_of_itself(seed: int, people: float) -> None:
    rng = np.random.default_rng(seed)
    true = draw_true_areas([Matched(BLOCK, 0.0, people)], [], RESIDENTS, GRID, 0.5, rng)
    found = np.flatnonzero(true)
    assert np.isin(found, BLOCK).all()
    assert RESIDENTS[found].sum() == people
    assert _connected(found)


@given(st.integers(0, 2**32 - 1))
def test_a_wrong_match_has_half_its_people_next_to_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = draw_true_areas([Matched(BLOCK, 1.0, np.inf)], [], RESIDENTS, GRID, 0.5, rng)
    inside = np.isin(np.flatnonzero(true), BLOCK)
    assert inside.sum() == 3
    assert 1 <= (~inside).sum() <= 3  # fewer where the part kept has no way out but through the block


@given(st.integers(0, 2**32 - 1))
def test_a_place_that_was_not_found_lies_beside_the_matched_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    around = np.array([8, 40, 41])
    lost = Unlocated(around, np.array([0.5, 0.25, 0.25]), 3000.0)
    true = draw_true_areas([Matched(BLOCK, 0.0, np.inf)], [lost], RESIDENTS, GRID, 0.5, rng)
    outside = np.setdiff1d(np.flatnonzero(true), BLOCK)
    assert true[BLOCK].all()
    assert len(outside) == 3
    assert np.isin(outside, around).any()


def test_growing_stops_where_nothing_touches() -> None:
    rng = np.random.default_rng(1)
    assert sorted(grow([0], {0, 1}.__contains__, RESIDENTS, GRID, 9e9, rng)) == [0, 1]


def test_the_share_seen_by_hand() -> None:
    own, expected = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.5, 0.5])
    true = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 1], [0, 0, 1, 1]], dtype=np.bool_)
    np.testing.assert_allclose(share_seen(true, own, expected, None), [1.0, 0.5, 0.75, -1.0])
    ratio = share_seen(true, own * 10, expected * 10, -0.2)
    by_hand = [np.log(0.8), np.log(0.9), np.log(0.8) - np.log(0.95), -np.log(0.8)]
    np.testing.assert_allclose(ratio, np.array(by_hand) / np.log(0.8))


MATCHES = {"Abbey": "sure", "Bridge": "weak", "Castle": "weak"}
SAYS = """
[initiative.approximate]
attribute = "match"
certain = ["sure"]
wrong_in_part = { weak = 0.5 }
people = "areas.population"
true_people = 1500
larger_than = 5000
draws = 200

[register]
"""


def _approximate(folder: Path) -> Path:
    study = write_small_study(folder)
    edit(study, "\n[register]\n", SAYS)
    rows = "".join(f"{name},{match}\n" for name, match in MATCHES.items())
    (folder / "matches.csv").write_text("neighbourhood,match\n" + rows, encoding="utf-8")
    edit(study, 'areas = "members.csv"', 'areas = "members.csv"\nattributes = "matches.csv"')
    return study


def test_a_study_says_how_much_of_an_effect_it_would_see(tmp_path: Path) -> None:
    result = evaluate(_approximate(tmp_path), threads=1)
    annex = result.annex("misplacement")
    assert annex is not None
    assert annex.found.too_large == 0
    assert annex.found.wrong_expected == 1.0
    (row,) = annex.table("misplacement").records()
    # Abbey is all true; Bridge and Castle half of the time, else one of their two areas is
    assert row["treated_true"] == pytest.approx((1 + 0.75 + 0.75) / 3, abs=0.05)
    assert 0 < row["benchmark_true"] < 0.2
    assert row["seen_low"] < row["seen"] < row["seen_high"]
    assert row["seen"] == pytest.approx(row["treated_true"] - row["benchmark_true"], abs=0.02)


def test_the_simulation_does_not_touch_the_findings(tmp_path: Path) -> None:
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    alone.mkdir()
    beside.mkdir()
    plain = evaluate(write_small_study(alone), threads=1).findings
    again = evaluate(_approximate(beside), threads=1).findings
    assert plain == again


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('certain = ["sure"]', 'certain = ["shure"]', "no neighbourhood has the match 'shure'.*sure"),
        ('attribute = "match"', 'attribute = "mach"', "no neighbourhood has the mach"),
        ("true_people = ", "true_peple = ", "true_peple"),
        ('boundaries = "areas.geojson"\n', "", "which areas touch"),
    ],
)
def test_what_cannot_be_simulated_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    study = _approximate(tmp_path)
    edit(study, old, new)
    with pytest.raises(StudyError, match=says):
        evaluate(study, threads=1)
