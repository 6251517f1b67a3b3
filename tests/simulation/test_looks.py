"""Error over several looks: what is spent sums to 5 %, and no dependence makes it more."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from areaeffect.findings.units import spent
from benchmarks.looks import YEARS, false_alarm, placebo_false_alarm


def test_what_is_spent_is_obrien_and_fleming_and_sums_to_the_error() -> None:
    levels = spent((1.0, 2.0))
    assert levels[0] == pytest.approx(2 * norm.sf(1.959964 * np.sqrt(2)), rel=1e-5)
    assert levels.sum() == pytest.approx(0.05)
    assert (np.diff(spent(YEARS)) > 0).all()


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_false_alarms_over_all_looks_stay_under_five_per_cent(shared: float) -> None:
    rng = np.random.default_rng(4)
    own = rng.standard_normal((100_000, len(YEARS)))
    both = np.sqrt(shared) * rng.standard_normal((100_000, 1)) + np.sqrt(1 - shared) * own
    rate, error = false_alarm(both, spent(YEARS))
    assert 0.04 < rate < 0.05 + 3 * error
    assert false_alarm(both, np.full(len(YEARS), 0.2))[0] > 0.15


def test_placebos_held_against_each_other_alarm_as_often_as_they_may() -> None:
    effects = np.random.default_rng(5).standard_normal((2000, 3))
    assert placebo_false_alarm(effects, np.array([0.0, 0.0, 0.05])) == pytest.approx(0.05, abs=2e-3)
    assert placebo_false_alarm(effects, np.zeros(3)) == 0.0
