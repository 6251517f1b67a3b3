"""The jump at a cut against rdrobust 2.1.1, and the density at it against rddensity 3.0.

Both programs are under the GPL and no dependency: their numbers on a made-up data set were written
down here, to the digits that they print. Estimates at given bandwidths are the same sums (1e-9); a
bandwidth goes through minima of its own (1e-6). rddensity's jackknife error differs by 0.2 %.

The published example of rdrobust is the advantage of an incumbent party in the US Senate (Cattaneo,
Frandsen & Titiunik 2015, doi 10.1515/jci-2013-0010). Its data come with the package: where it is
installed, the example is run.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.estimate.discontinuity import bunching_at, jump_at


def _made_up() -> tuple[np.ndarray, np.ndarray]:
    i = np.arange(1, 601)
    u, v = (i * 0.6180339887498949) % 1, (i * 0.4142135623730951) % 1
    x = np.round(3 * (u + v - 1) + 0.4 * np.sin(i), 6)
    return x, 1 + 0.8 * x - 0.3 * x**2 + 0.1 * x**3 + 1.5 * (x >= 0) + np.cos(7 * i)


def test_the_jump_at_given_bandwidths_is_that_of_rdrobust() -> None:
    found = jump_at(*_made_up(), (0.9, 1.4))
    assert found is not None
    assert found.estimate == pytest.approx(1.3430592462462583, abs=1e-9)
    assert found.corrected == pytest.approx(1.3555038819325014, abs=1e-9)
    assert found.error == pytest.approx(0.17574315371424554, abs=1e-9)
    assert found.robust_error == pytest.approx(0.2081767367638525, abs=1e-9)


def test_its_own_bandwidths_are_those_of_rdrobust() -> None:
    found = jump_at(*_made_up())
    assert found is not None
    assert found.bandwidth == pytest.approx(0.9939639179727143, abs=1e-6)
    assert found.bias_bandwidth == pytest.approx(1.5113582912777088, abs=1e-6)
    assert (found.n_below, found.n_above) == (162, 168)
    assert found.estimate == pytest.approx(1.3455876591577713, abs=1e-6)
    assert found.low == pytest.approx(0.9718923901994747, abs=1e-6)
    assert found.high == pytest.approx(1.7579573971095444, abs=1e-6)


def test_the_density_is_that_of_rddensity() -> None:
    found = bunching_at(_made_up()[0], 1.5)
    assert found is not None
    assert found.below == pytest.approx(0.3274578427441431, abs=1e-9)
    assert found.above == pytest.approx(0.26010072750657776, abs=1e-9)
    assert found.error == pytest.approx(0.08984397943847917, rel=5e-3)


@pytest.fixture(scope="module")
def senate() -> pd.DataFrame:
    found = find_spec("rdrobust")
    if found is None or not found.submodule_search_locations:
        pytest.skip("rdrobust, whose data this is, is not installed")
    path = Path(next(iter(found.submodule_search_locations))) / "data" / "rdrobust_RDsenate.csv"
    return pd.read_csv(path)


def test_the_published_example_of_the_us_senate_is_met(senate: pd.DataFrame) -> None:
    both = senate.dropna(subset=["vote", "margin"])
    found = jump_at(both["margin"].to_numpy(), both["vote"].to_numpy())
    assert found is not None
    assert found.estimate == pytest.approx(7.414130749110342, abs=1e-6)
    assert found.error == pytest.approx(1.4587159889061057, abs=1e-6)
    assert found.low == pytest.approx(4.0936986614539865, abs=1e-6)
    assert found.high == pytest.approx(10.919306068279026, abs=1e-6)
    assert found.bandwidth == pytest.approx(17.75439819268752, abs=1e-5)
    assert found.bias_bandwidth == pytest.approx(28.028088587703014, abs=1e-5)
    assert (found.n_below, found.n_above) == (360, 323)


def test_the_published_density_of_the_us_senate_is_met(senate: pd.DataFrame) -> None:
    found = bunching_at(senate["margin"].dropna().to_numpy(), 20.0)
    assert found is not None
    assert found.below == pytest.approx(0.021743, abs=1e-6)
    assert found.above == pytest.approx(0.018013, abs=1e-6)
    assert found.error == pytest.approx(0.004344, rel=5e-3)
