"""London under laws of placement: a small version of what `make simulate` measures."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.worlds.generate import LAWS
from benchmarks.worlds.london import STARTS, programmes
from benchmarks.worlds.rows import measure
from benchmarks.worlds.table import of_programme


@pytest.mark.parametrize("law", LAWS)
def test_programmes_of_a_law_share_no_area(law: str) -> None:
    areas = np.concatenate([a for places in programmes(law, 4, STARTS[0]) for a in places])
    assert len(np.unique(areas)) == len(areas)


def test_a_programme_of_london_is_evaluated_and_nothing_is_called_worse_for_sure() -> None:
    world = measure("London, most deprived, 4", 1)
    (finding,) = of_programme(world, "nothing")
    assert abs(finding["estimate"]) < 0.5
    assert finding["p"] > 0.001
