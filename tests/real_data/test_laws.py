"""London: a small version of `python -m benchmarks.laws`."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.checks.placement import harmful_tails, placement
from areaeffect.estimate.counterfactual import OBSERVED_PRE, log_ratio
from areaeffect.estimate.inference import infer
from areaeffect.placebo.programmes import programme_of, run_draws, run_programme
from areaeffect.placebo.workers import single_threaded
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
    taken = laws.share_of(city, _SIZE)
    wrong = []
    with single_threaded():
        for i in range(_PROGRAMMES):
            programme = law(_SIZE, np.random.default_rng([9, i]))
            assert programme is not None
            total = run_programme(machine, programme).sum(axis=0)[0]
            effect, count = float(log_ratio(total, "change")), float(total[OBSERVED_PRE])
            wrong.append(infer(effect, *bank, count, "lower", taken).p_value <= 0.05)
    assert np.mean(wrong) <= 0.08 + 4 * (0.08 * 0.92 / _PROGRAMMES) ** 0.5


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("one borough", 0.8, 1.0), ("most deprived", 0.8, 1.0), ("high level", 0.0, 0.4)],
)
def test_laws_that_are_not_supported_are_warned_of_and_others_seldom(
    city: laws.London, bank: tuple[Floats, Floats], name: str, least: float, most: float
) -> None:
    """A share of 0.2 is allowed to supported laws; two and a half Monte Carlo errors over it."""
    machine, law = laws.machine_of(city, _SIZE), laws.laws(city)[name]
    drawn = []
    for number in range(_BANK):
        programme = programme_of(machine, number)
        assert programme is not None
        drawn.append(laws.placed(city, programme))
    profiles = np.array(drawn)
    counted = harmful_tails(laws.NAMES, profiles, bank[0], laws.ANSWERED)
    warned = []
    for i in range(_PROGRAMMES):
        programme = law(_SIZE, np.random.default_rng([9, i]))
        assert programme is not None
        placed = laws.placed(city, programme)
        warned.append(placement(laws.NAMES, placed, profiles, counted).is_unlike)
    assert least <= np.mean(warned) <= most
