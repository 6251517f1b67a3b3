"""The contrast between two sides: what it is, and what the words say of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from areaeffect.estimate.counterfactual import N_TOTALS
from areaeffect.findings.case import Case, Group, contrast_groups
from areaeffect.panel import Measure, Neighbourhood
from areaeffect.periods import PeriodKind, Periods
from areaeffect.study.model import Outcome


def unit(name: str, led: bool | None) -> Neighbourhood:  # a value of the table
    return Neighbourhood(
        initiative="i",
        name=name,
        areas=np.array([0]),
        start=24_000,
        start_kind=PeriodKind.MONTH,
        resident_led=led,
    )


def case(*, is_ratio: bool) -> Case:
    periods = Periods(PeriodKind.MONTH, 23_990, 20)
    blank = np.zeros((1, 20))
    measure = Measure(
        name="crime",
        is_count=True,
        periods=periods,
        values=blank,
        reasons=blank.astype(np.uint8),
        exposure=None,
    )
    kind = "count" if is_ratio else "score"
    outcome = Outcome(name="crime", family="crime", source="s", kind=kind)
    group = Group(name="contrast", units=(0,), against=(1,))
    return Case(
        group=group,
        position=0,
        outcome=outcome,
        measure=measure,
        units=(0,),
        disjoint=(20, 40),
        against=(1,),
        n_places=2,
    )


def totals(post_led: float, post_other: float) -> np.ndarray:
    """Two units: (observed, expected) before are equal; exposures are one."""
    found = np.ones((2, N_TOTALS))
    found[:, 0:4] = [[100, post_led, 100, 100], [200, post_other, 200, 200]]
    return found


def test_the_contrast_of_ratios_is_the_ratio_of_the_two_ratios() -> None:
    effect = case(is_ratio=True).statistic(totals(80, 180))
    assert float(np.exp(effect)) == pytest.approx(0.8 / 0.9)


def test_equal_effects_have_no_contrast() -> None:
    assert float(case(is_ratio=True).statistic(totals(70, 140))) == pytest.approx(0.0)


def test_the_additive_contrast_is_the_difference_of_the_two_differences() -> None:
    assert float(case(is_ratio=False).statistic(totals(80, 180))) == pytest.approx(-20 - -20)


def test_a_contrast_goes_over_any_leading_axes() -> None:
    drawn = np.stack([totals(80, 180), totals(70, 140)])
    assert case(is_ratio=True).statistic(drawn).shape == (2,)


def test_the_rarer_side_rules_the_standard_error() -> None:
    assert float(case(is_ratio=True).counts(totals(80, 180))) == pytest.approx(1 / (1 / 100 + 1 / 200))


def test_only_a_study_with_both_sides_has_a_contrast() -> None:
    both = contrast_groups([unit("a", True), unit("b", False), unit("c", None)])
    assert [(g.units, g.against) for g in both] == [((0,), (1,))]
    assert contrast_groups([unit("a", True), unit("b", None)]) == []
    assert contrast_groups([unit("a", False)]) == []


def test_a_contrast_of_places_from_a_small_pool_varies_as_from_a_large_one() -> None:
    both = case(is_ratio=True)
    alone = replace(both, group=Group(name="one side", units=(0,)), against=(), n_places=1)
    assert (both.places.taken, alone.places.taken) == (0.0, 1 / 40)
    rng = np.random.default_rng(8)
    places, n = rng.normal(size=60), 24
    drawn = places[rng.random((20_000, 60)).argsort(axis=1)]
    led, others = drawn[:, :n].mean(axis=1), drawn[:, n : 2 * n].mean(axis=1)
    square = places.var(ddof=1)
    # a variance from 20,000 draws is known to one per cent
    assert led.var() == pytest.approx(square / n * (1 - n / 60), rel=0.04)
    assert (led - others).var() == pytest.approx(square * 2 / n, rel=0.04)
