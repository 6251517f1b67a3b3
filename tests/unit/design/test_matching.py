"""Matched areas: ratio, exact factors, and the rules of the pool."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from areaeffect.design.calibration import Features, Matching, match
from areaeffect.design.programme import Cohort, Rules, design_programme, make_cohort
from areaeffect.findings.choices import design_exclusions, strata_of
from areaeffect.study.analysis import DesignPart
from tests.shared.small_panel import panel

N = 60
ALL = np.ones(N, dtype=bool)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def cohort(nearest: int = 60, strata: np.ndarray | None = None, seed: int = 2) -> Cohort:
    values = np.random.default_rng(seed).normal(size=(N, 2))
    built = Features(("x0", "x1"), values, np.zeros((N, 0)))
    return make_cohort(built, ALL, ALL, nearest, strata)


def rules(nearest: int = 0, **matching: Any) -> Rules:
    return Rules(nearest, False, None, Matching(**matching))


def distances(one: Cohort, area: int) -> np.ndarray:
    return np.asarray(np.sqrt(((one.scaled - one.scaled[area]) ** 2).mean(axis=1)))


def test_each_treated_area_is_matched_with_its_nearest_ones_in_equal_parts() -> None:
    one = cohort()
    (found,) = design_programme([one], [ints(3, 7)], ALL, rules(calibration="none", ratio=4))
    assert found is not None
    expected = np.zeros(N)
    for area in (3, 7):
        apart = distances(one, area)
        apart[[3, 7]] = np.inf
        expected[np.argsort(apart)[:4]] += 0.25
    np.testing.assert_allclose(found.weights, expected[found.pool])
    assert found.weights.sum() == pytest.approx(2.0)
    assert not found.exact


def test_a_treated_area_without_a_match_leaves_no_design() -> None:
    order = np.array([[2, 3], [1, 0]])
    assert match(order, np.array([False, False, True, True]), Matching("none", 2)) is None
    assert match(order, np.ones(4, dtype=bool), Matching("none", 2)) is not None


@pytest.mark.parametrize("calibration", ["chi-square", "entropy", "none"])
def test_exact_factors_are_shared_in_the_treated_proportions(calibration: str) -> None:
    strata = np.arange(N) % 3
    one = cohort(strata=strata)
    treated = ints(0, 3, 7)  # two of stratum 0, one of stratum 1
    (found,) = design_programme([one], [treated], ALL, rules(calibration=calibration))
    assert found is not None
    held = np.bincount(strata[found.pool], found.weights, minlength=3)
    np.testing.assert_allclose(held, [2.0, 1.0, 0.0], atol=1e-7)


def test_a_small_stratum_does_not_borrow_from_another() -> None:
    strata = np.zeros(N, dtype=np.int64)
    strata[[0, 1, 2]] = 1
    one = cohort(strata=strata)
    (found,) = design_programme([one], [ints(0)], ALL, rules(calibration="none", ratio=5))
    assert found is not None
    assert set(found.pool.tolist()) == {1, 2}


def study_rules(**keys: object) -> list[tuple[list[int], str]]:
    """Positions that a design's rules leave out of six areas of which the first two are treated."""
    base = panel(covariates=np.zeros((6, 0)), n_areas=6)
    given = replace(
        base,
        attributes={
            "a.score": np.array(["1.0", "3.0", "2.0", "4.0", "nan", "0.5"]),
            "a.region": np.array(["N", "S", "N", "W", "", "S"]),
        },
    )
    found = design_exclusions(DesignPart.model_validate(keys), given, ints(0, 1))
    return [(np.flatnonzero(mask).tolist(), reason) for mask, reason in found]


def test_a_bare_rule_is_the_treated_areas_own_band_or_values() -> None:
    assert study_rules(only=[{"column": "a.score"}]) == [
        ([3, 4, 5], "outside the study's rule: score from 1 up to 3")
    ]
    assert study_rules(only=[{"column": "a.region"}]) == [
        ([3, 4], "outside the study's rule: region is N, S")
    ]


def test_a_rule_names_values_or_a_range() -> None:
    assert study_rules(only=[{"column": "a.score", "values": ["2", "4"]}])[0][0] == [0, 1, 4, 5]
    assert study_rules(only=[{"column": "a.score", "high": 2}])[0] == (
        [1, 3, 4],
        "outside the study's rule: score up to 2",
    )
    with pytest.raises(ValueError, match="either values, or low and high"):
        study_rules(only=[{"column": "a.score", "values": ["2"], "low": 1}])


def test_areas_whose_exact_factor_nobody_treated_has_are_left_out() -> None:
    assert study_rules(exact=["a.region"]) == [
        ([4], "region is not known"),
        ([3, 4], "no treated area has its region"),
    ]


def test_exact_factors_are_combined() -> None:
    base = panel(covariates=np.zeros((4, 0)), n_areas=4)
    given = replace(base, attributes={"a.x": np.array(list("AABB")), "a.y": np.array(list("CDCC"))})
    strata = strata_of(["a.x", "a.y"], given)
    assert strata is not None
    assert strata.tolist() == [0, 1, 2, 2]
    assert strata_of([], given) is None


def test_settings_that_would_do_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="ratio belongs to calibration = 'none'"):
        DesignPart.model_validate({"ratio": 3})
