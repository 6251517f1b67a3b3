"""The whole table of verdicts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.estimate.inference import pool_share
from areaeffect.estimate.verdict import decide, placebos_carry
from areaeffect.findings.describe import pool_caveat
from areaeffect.results import Verdict

THRESHOLD = (-0.05, 0.05)
BETTER, WORSE, LITTLE, CANNOT = (
    Verdict.BETTER,
    Verdict.WORSE,
    Verdict.LITTLE_DIFFERENCE,
    Verdict.CANNOT_TELL,
)


@pytest.mark.parametrize(
    ("interval", "interval_90", "lower_is_better", "higher_is_better"),
    [
        ((-0.30, -0.10), (-0.28, -0.12), BETTER, WORSE),
        ((0.10, 0.30), (0.12, 0.28), WORSE, BETTER),
        ((-0.20, 0.20), (-0.15, 0.15), CANNOT, CANNOT),
        ((-0.20, 0.01), (-0.15, -0.01), CANNOT, CANNOT),
        ((-0.06, 0.06), (-0.04, 0.04), LITTLE, LITTLE),
        # inside the threshold and yet not zero: too small to matter comes first
        ((-0.04, -0.01), (-0.035, -0.015), LITTLE, LITTLE),
        ((0.01, 0.04), (0.015, 0.035), LITTLE, LITTLE),
        # an end on the threshold is not inside it
        ((-0.08, 0.06), (-0.05, 0.04), CANNOT, CANNOT),
        ((-0.08, 0.06), (-0.04, 0.05), CANNOT, CANNOT),
        # an end on zero does not exclude zero
        ((-0.20, 0.0), (-0.15, -0.01), CANNOT, CANNOT),
        ((0.0, 0.20), (0.01, 0.15), CANNOT, CANNOT),
    ],
)
def test_the_verdict_follows_from_the_intervals(
    interval: tuple[float, float],
    interval_90: tuple[float, float],
    lower_is_better: Verdict,
    higher_is_better: Verdict,
) -> None:
    assert decide(interval, interval_90, THRESHOLD, "lower", carried=True) == lower_is_better
    assert decide(interval, interval_90, THRESHOLD, "higher", carried=True) == higher_is_better


@given(
    ends=st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted),
    better=st.sampled_from(["lower", "higher"]),
)
def test_placebos_that_carry_nothing_allow_no_verdict(ends: list[float], better: str) -> None:
    interval = (ends[0], ends[1])
    assert decide(interval, interval, THRESHOLD, better, carried=False) == CANNOT


@given(
    ends=st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted),
    better=st.sampled_from(["lower", "higher"]),
)
def test_no_verdict_of_a_direction_has_an_interval_that_holds_zero(
    ends: list[float], better: str
) -> None:
    interval = (ends[0], ends[1])
    if interval[0] <= 0 <= interval[1]:
        assert decide(interval, interval, THRESHOLD, better, carried=True) in {LITTLE, CANNOT}


@pytest.mark.parametrize(
    ("neighbourhoods", "programmes", "apart", "carry"),
    [
        (1, 20, 20, True),
        (1, 19, 19, False),
        (4, 5, 22, False),
        (9, 7, 63, False),
        (10, 6, 60, True),
        (10, 5, 59, False),
        (24, 2, 60, True),
        (24, 0, 0, False),
    ],
)
def test_few_separate_placebos_carry_no_verdict(
    neighbourhoods: int, programmes: int, apart: int, *, carry: bool
) -> None:
    assert placebos_carry(neighbourhoods, programmes, apart) is carry


@pytest.mark.parametrize(
    ("n", "programmes", "places", "says"),
    [
        (24, 3, 40, "Only 3 placebo programmes of this size share no area"),
        (24, 3, 95, "24 neighbourhoods are many for a pool that holds 95 such places"),
        (20, 5, 100, "20 neighbourhoods are many"),  # a fifth: intervals are wider by a tenth
        (20, 5, 101, ""),
        (1, 20, 20, ""),
    ],
)
def test_a_programme_that_is_large_for_its_pool_says_so(
    n: int, programmes: int, places: int, says: str
) -> None:
    told = pool_caveat(n, (programmes, places), pool_share(n, places))
    assert told.startswith(says)
    assert bool(told) is bool(says)
