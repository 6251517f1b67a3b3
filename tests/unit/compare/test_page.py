"""What the app says of one question, part by part."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.compare.page import around
from areaeffect.report.local_map import Outlines
from areaeffect.results import Shape


@pytest.fixture
def outlines() -> Outlines:
    """Squares of a kilometre, 20 by 20."""
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * 1000.0
    places = [(i, j) for i in range(20) for j in range(20)]
    return Outlines(tuple(Shape(f"{i} {j}", (square + 1000 * np.array([i, j]),)) for i, j in places), "")


def test_areas_close_by_are_drawn_with_all_that_lies_around_them(outlines: Outlines) -> None:
    found = around(outlines, ["3 3", "6 4", "elsewhere"])
    kept = {f"{i} {j}" for i in range(2, 8) for j in range(2, 6)}
    assert {shape.area for shape in found.shapes} == kept
    assert found.attribution == outlines.attribution


def test_areas_far_apart_and_areas_without_an_outline_have_the_whole_map(outlines: Outlines) -> None:
    assert around(outlines, ["0 0", "15 2"]) is outlines
    assert around(outlines, ["elsewhere"]) is outlines
