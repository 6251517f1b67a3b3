"""The whole table of verdicts, and that none contradicts the interval that is printed."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.estimate.inference import ReferencePlaces, decide, infer, max_t
from areaeffect.findings.describe import too_few_places
from areaeffect.results import Better, Claim, Interval, IntervalKind, Verdict

BETTER, WORSE, LITTLE, CANNOT = (
    Verdict.BETTER,
    Verdict.WORSE,
    Verdict.LITTLE_DIFFERENCE,
    Verdict.CANNOT_TELL,
)


def interval(low: float | None, high: float | None) -> Interval:
    return Interval(kind=IntervalKind.JOINT, level=0.95, low=low, high=high, p_value=None)


@pytest.mark.parametrize(
    ("low", "high", "lower_is_better", "higher_is_better", "level"),
    [
        (-0.30, -0.10, BETTER, WORSE, Verdict.LOWER),
        (0.10, 0.30, WORSE, BETTER, Verdict.HIGHER),
        (-0.20, 0.20, CANNOT, CANNOT, CANNOT),
        (-0.04, 0.04, LITTLE, LITTLE, Verdict.ALIKE),
        # inside the threshold and yet not zero: too small to matter comes first
        (-0.04, -0.01, LITTLE, LITTLE, Verdict.ALIKE),
        (0.01, 0.04, LITTLE, LITTLE, Verdict.ALIKE),
        # an end on the threshold is not inside it
        (-0.05, 0.04, CANNOT, CANNOT, CANNOT),
        (-0.04, 0.05, CANNOT, CANNOT, CANNOT),
        # an end on zero does not exclude zero
        (-0.20, 0.0, CANNOT, CANNOT, CANNOT),
        (0.0, 0.20, CANNOT, CANNOT, CANNOT),
        # an end that was not found leaves nothing out
        (None, -0.1, BETTER, WORSE, Verdict.LOWER),
        (None, None, CANNOT, CANNOT, CANNOT),
    ],
)
def test_the_verdict_follows_from_the_interval(
    low: float | None, high: float | None, lower_is_better: Verdict, higher_is_better: Verdict, level: Verdict
) -> None:
    found = interval(low, high)
    for claim in (Claim.CHANGE, Claim.CONTRAST):
        assert decide(found, 0.05, Better.LOWER, claim) is lower_is_better
        assert decide(found, 0.05, Better.HIGHER, claim) is higher_is_better
    for better in Better:
        assert decide(found, 0.05, better, Claim.LEVEL) is level


def test_no_verdict_contradicts_the_interval_it_stands_beside() -> None:
    """1,200 findings of families of one to eight, with and without effects."""
    rng = np.random.default_rng(19)
    seen, found = set(), 0
    while found < 1200:
        n, places = int(rng.integers(1, 9)), ReferencePlaces(int(rng.integers(2, 20)), 200)
        drawn = rng.normal(0, 0.02, (199, n)) + rng.normal(0, 0.02, (199, 1))
        effects = rng.choice([0.0, -0.05, 0.1], n) + rng.normal(0, 0.02, n)
        family = [
            infer(float(e), c, np.ones(199), 1.0, places) for e, c in zip(effects, drawn.T, strict=True)
        ]
        joint = max_t(family)
        for k, one in enumerate(family):
            low, high = one.ends(joint.critical(k))
            threshold, better = float(rng.choice([0.05, 0.15])), rng.choice(list(Better))
            verdict = decide(interval(low, high), threshold, Better(better), Claim.CHANGE)
            leaves_zero_out, is_inside = low > 0 or high < 0, max(-low, high) < threshold
            assert (verdict is LITTLE) == is_inside
            assert (verdict in {BETTER, WORSE}) == (leaves_zero_out and not is_inside)
            assert (verdict is CANNOT) == (not leaves_zero_out and not is_inside)
            seen.add(verdict)
            found += 1
    assert seen == {BETTER, WORSE, LITTLE, CANNOT}


@pytest.mark.parametrize(
    ("programme", "disjoint", "says"),
    [
        (1, 26, "only 26 separate places can be compared with this one"),
        (1, 38, "only 38"),
        (1, 39, ""),
        (2, 20, ""),
        (15, 20, ""),
        (16, 20, "its 16 places are most of the pool's 20"),
    ],
)
def test_a_pool_of_too_few_places_says_so(programme: int, disjoint: int, says: str) -> None:
    found = too_few_places(ReferencePlaces(programme, disjoint))
    assert found.startswith(says)
    assert bool(found) is bool(says)
