"""London: a small version of `python -m benchmarks.laws`."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.estimate.counterfactual import OBSERVED_PRE, log_ratio
from areaeffect.estimate.inference import infer
from areaeffect.falsify.placebo import draw_programme, run_draws, run_programme
from areaeffect.falsify.placement import placement
from areaeffect.pipeline.workers import single_threaded
from areaeffect.results import Floats
from benchmarks import laws

_BANK, _PROGRAMMES, _SIZE = 119, 24, 3


@pytest.fixture(scope="module")
def city() -> laws.London:
    with single_threaded():
        return laws.london()


@pytest.fixture(scope="module")
def bank(city: laws.London) -> tuple[Floats, Floats]:
    with single_threaded():
        total = run_draws(laws.machine_of(city, _SIZE), np.arange(_BANK)).sum(axis=1)[:, 0]
    return log_ratio(total, "change"), total[:, OBSERVED_PRE]


def test_the_bank_is_centred_without_subtracting(bank: tuple[Floats, Floats]) -> None:
    estimates, _ = bank
    assert abs(estimates.mean()) <= 0.005 + 4 * estimates.std() / _BANK**0.5


@pytest.mark.parametrize("name", ["the bank's own", "whole wards"])
def test_programmes_of_supported_laws_are_seldom_called_an_effect(
    city: laws.London, bank: tuple[Floats, Floats], name: str
) -> None:
    """0.08 is allowed to the supported laws; four Monte Carlo errors over it."""
    machine, law = laws.machine_of(city, _SIZE), laws.laws(city)[name]
    wrong = []
    with single_threaded():
        for i in range(_PROGRAMMES):
            programme = law(_SIZE, np.random.default_rng([9, i]))
            assert programme is not None
            total = run_programme(machine, programme).sum(axis=0)[0]
            effect, count = float(log_ratio(total, "change")), float(total[OBSERVED_PRE])
            wrong.append(infer(effect, *bank, count, "lower").p_value <= 0.05)
    assert np.mean(wrong) <= 0.08 + 4 * (0.08 * 0.92 / _PROGRAMMES) ** 0.5


@pytest.mark.parametrize("name", ["one borough", "most deprived"])
def test_laws_that_are_not_supported_are_warned_of(city: laws.London, name: str) -> None:
    machine, law = laws.machine_of(city, 10), laws.laws(city)[name]
    drawn = []
    for number in range(299):
        rng = np.random.default_rng([machine.seed, number])
        programme = draw_programme(machine.banks, len(city.eligible), None, rng)
        assert programme is not None
        drawn.append(laws.placed(city, programme))
    warned = []
    for i in range(_PROGRAMMES):
        programme = law(10, np.random.default_rng([9, i]))
        assert programme is not None
        found = placement(laws.NAMES, laws.placed(city, programme), np.array(drawn))
        warned.append(found.is_unlike)
    assert np.mean(warned) >= 0.8
