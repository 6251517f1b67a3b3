"""Value on Seattle, held against a calculation by hand with costs in dollars of the user's own.

British unit costs say nothing of Seattle, so the study itself values nothing; the dollars here
are made up for this test.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from areaeffect.commands.evaluate import evaluate
from areaeffect.estimate.inference import COPIES
from areaeffect.results import Annex, Result
from areaeffect.value import worth
from areaeffect.value.worth import SIMULATIONS, Stream

STUDY = Path(__file__).parents[2] / "studies" / "seattle_dmi" / "study.toml"
COST, LOW, HIGH, FUNDING = 3000.0, 1000.0, 9000.0, 250_000.0
COSTS = f"""item,category,label,value,low,high,currency,price_year,status,source
sure,sure,a crime,{COST},,,USD,2012,own,this test
ranged,ranged,a crime,{COST},{LOW},{HIGH},USD,2012,own,this test
"""
VALUE = f"""
[value]
price_year = "2012"
discount_rate = 0.0
costs = "costs.csv"
funding_prices = "2012"

[value.funding]
"Drug market intervention" = {FUNDING}
"""
N_PLACEBOS = 119


@pytest.fixture(scope="module")
def evaluated(
    tmp_path_factory: pytest.TempPathFactory, real_data: Path
) -> tuple[Result, Annex, dict[str, Stream]]:
    """The result, its annex, and the streams of avoided incidents that went into it."""
    folder = tmp_path_factory.mktemp("seattle")
    text = STUDY.read_text(encoding="utf-8").replace("${AREAEFFECT_SHARED_DATA}", str(real_data))
    text = text.replace("placebos = 999", f"placebos = {N_PLACEBOS}\nchecks = false")
    for column, item in (("i_felony", "sure"), ("any_crime", "ranged")):
        text = text.replace(f'value = "{column}"', f'value = "{column}"\nvalued_as = "{item}"')
    (folder / "costs.csv").write_text(COSTS, encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(text + VALUE, encoding="utf-8")
    seen: dict[str, Stream] = {}
    simulate = worth.simulate

    def watched(streams: Sequence[Stream], unit_cost: Any) -> Any:
        seen.update({stream.outcome: stream for stream in streams})
        return simulate(streams, unit_cost)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worth, "simulate", watched)
        result = evaluate(path)
    annex = result.annex("value")
    assert annex is not None
    return result, annex, seen


def row_of(annex: Annex, outcome: str) -> dict[str, Any]:
    return next(r for r in annex.table("value").records() if r["outcome"] == outcome)


def avoided(stream: Stream) -> np.ndarray:
    return stream.observed * (np.exp(-stream.effects) - 1)


def test_with_exact_costs_the_interval_is_the_effect_s_in_dollars(
    evaluated: tuple[Result, Annex, dict[str, Stream]],
) -> None:
    result, annex, _ = evaluated
    finding = next(f for f in result.findings if f.outcome == "felony" and f.form == "ratio")
    row = row_of(annex, "felony")
    assert finding.estimate is not None
    assert finding.low is not None
    assert finding.high is not None

    def dollars(effect: float) -> float:
        return (finding.observed or 0) * (1 / (1 + effect) - 1) * COST

    assert row["value"] == pytest.approx(dollars(finding.estimate))
    assert row["value"] == pytest.approx((68.22 - 46) * COST, rel=1e-3)  # R microsynth's total
    assert row["low"] == pytest.approx(dollars(finding.high))
    assert row["high"] == pytest.approx(dollars(finding.low))


def test_with_a_range_of_costs_the_interval_is_that_of_the_product(
    evaluated: tuple[Result, Annex, dict[str, Stream]],
) -> None:
    """The distribution of avoided x cost is mixed by hand from the exact triangular function.

    The interval's ends are then roots; a simulated quantile is off by its Monte Carlo error,
    sqrt(p (1 - p) / n) in probability, of which four are allowed.
    """
    _, annex, streams = evaluated
    row, amounts = row_of(annex, "any_crime"), avoided(streams["any_crime"])
    amounts = amounts[np.isfinite(amounts)]
    draws = len(amounts) / COPIES
    share = (
        COPIES * (0.025 * (draws + 1) - 1) / len(amounts)
    )  # of a test that rejects at (1 + beyond) / (1 + n)
    error = 4 * np.sqrt(share * (1 - share) / SIMULATIONS)

    def below(value: float) -> float:
        """P(avoided x cost <= value)."""
        cut = value / amounts
        return float(np.where(amounts > 0, triangular(cut), 1 - triangular(cut)).mean())

    for end, probability in (("low", share), ("high", 1 - share)):
        bounds = [
            brentq(lambda v, p=p: below(v) - p, -3e7, 3e7) for p in (probability - error, probability + error)
        ]
        assert bounds[0] <= row[end] <= bounds[1], end


def test_the_probability_of_more_than_its_funding_is_that_of_both_outcomes_together(
    evaluated: tuple[Result, Annex, dict[str, Stream]],
) -> None:
    """The same placebo draw stands for both outcomes, so their luck is shared."""
    _, annex, streams = evaluated
    row = row_of(annex, "all valued outcomes")
    assert row["funding"] == FUNDING
    assert row["per_pound"] == pytest.approx(row["value"] / FUNDING)
    felony, every = avoided(streams["felony"]) * COST, avoided(streams["any_crime"])
    known = np.isfinite(felony + every)
    needed = (FUNDING - felony[known]) / every[known]
    more = np.where(every[known] > 0, 1 - triangular(needed), triangular(needed)).mean()
    assert row["share_above_one"] == pytest.approx(more, abs=4 * 0.5 / np.sqrt(SIMULATIONS))


def triangular(x: np.ndarray) -> np.ndarray:
    """Distribution function of a cost from LOW over COST to HIGH."""
    x = np.clip(x, LOW, HIGH)
    rising = (x - LOW) ** 2 / ((HIGH - LOW) * (COST - LOW))
    falling = 1 - (HIGH - x) ** 2 / ((HIGH - LOW) * (HIGH - COST))
    return np.where(x < COST, rising, falling)
