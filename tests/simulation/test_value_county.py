"""Value on a small version of the demo's county, held against a calculation by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.estimate.inference import COPIES
from areaeffect.results import Annex, Result
from areaeffect.simulate import CountySpec, ProgrammeSpec, simulate_county, write_county
from areaeffect.value import worth
from areaeffect.value.worth import Stream

STARTS = {"2016-01-01": 2016, "2018-01-01": 2018}
PROGRAMME = ProgrammeSpec(
    name="Residents First",
    resident_led=True,
    n_neighbourhoods=8,
    starts=tuple(STARTS),
    effects={"crime": -0.15},
)
#: The made-up unit costs of the county, at prices of 2016: share, low, cost and high.
COSTS = {
    "violence": (0.2, 3000, 4000, 6000),
    "theft": (0.2, 800, 1000, 1500),
    "criminal_damage": (0.15, 400, 500, 700),
}
EACH = sum(share * cost for share, _, cost, _ in COSTS.values())
DEFLATED = 100 / 76.4554
N_BY_HAND = 400_000


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result, Annex, Stream]:
    folder = tmp_path_factory.mktemp("county")
    spec = CountySpec(n_areas=400, seed=11, programmes=(PROGRAMME,), gap_months=None)
    path = write_county(simulate_county(spec), folder, voices=False)
    text = path.read_text(encoding="utf-8")
    outcomes, rest = text.split("[analysis]")
    value = rest[rest.index("[value]") :]
    first = outcomes.split("[[outcome]]")[:2]
    text = f"{'[[outcome]]'.join(first)}[analysis]\nplacebos = 79\n\n{value}"
    path.write_text(text, encoding="utf-8")
    seen: list[Stream] = []
    simulate = worth.simulate

    def watched(streams: Sequence[Stream], unit_cost: Any) -> Any:
        seen.extend(streams)
        return simulate(streams, unit_cost)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worth, "simulate", watched)
        result = evaluate(path, threads=1)
    annex = result.annex("value")
    assert annex is not None
    return folder, result, annex, seen[0]


def kept_by_hand(folder: Path) -> float:
    """Share left after discounting to 2016, over the treated areas' crimes from their starts."""
    crime = pd.read_parquet(folder / "crime_monthly.parquet")
    members = pd.read_csv(folder / "residents_first.csv")
    treated = crime.merge(members[["area_code", "start_date"]], on="area_code")
    treated = treated[treated["month"] >= treated["start_date"].str[:7]]
    years = treated["month"].str[:4].astype(int)
    return float((treated["crime"] / 1.035 ** (years - 2016)).sum() / treated["crime"].sum())


def test_the_value_is_that_of_a_calculation_by_hand(county: tuple[Path, Result, Annex, Stream]) -> None:
    folder, result, annex, _ = county
    (finding,) = (
        f for f in result.findings if f.outcome == "crime" and f.form == "ratio" and f.neighbourhood is None
    )
    assert finding.avoided is not None
    row = annex.table("value").records()[0]
    kept = kept_by_hand(folder)
    assert row["kept"] == pytest.approx(kept, rel=1e-9)
    assert row["value"] == pytest.approx(finding.avoided * kept * EACH * DEFLATED, rel=1e-9)
    assert row["share_costed"] == pytest.approx(0.55)
    funding = 400_000 * 8 * 100 / (0.75 * 76.4554 + 0.25 * 77.6367)
    assert row["per_pound"] == pytest.approx(row["value"] / funding)


def test_the_interval_is_that_of_a_simulation_by_hand(county: tuple[Path, Result, Annex, Stream]) -> None:
    """Drawn again apart: effects and costs independently, with other random numbers.

    A quantile is off by sqrt(p (1 - p) / n) in probability; four of them are allowed, for the
    program's own simulation (n = 20,000).
    """
    _, _, annex, stream = county
    row = annex.table("value").records()[0]
    rng = np.random.default_rng(77)
    effects = stream.effects[np.isfinite(stream.effects)]
    avoided = stream.observed * (1 / np.exp(rng.choice(effects, N_BY_HAND)) - 1)
    each = np.zeros(N_BY_HAND)
    for share, low, cost, high in COSTS.values():
        each += share * rng.triangular(low, cost, high, N_BY_HAND)
    values = np.sort(avoided * each * DEFLATED * stream.kept)
    n = len(effects) / COPIES
    k = int(COPIES * (0.025 * (n + 1) - 1) + 1) / len(effects)
    error = 4 * np.sqrt(k * (1 - k) / worth.SIMULATIONS)
    for end, share in (("low", k), ("high", 1 - k)):
        bounds = np.quantile(values, [share - error, share + error])
        assert bounds[0] <= row[end] <= bounds[1], end


def test_the_truth_s_worth_lies_in_the_interval(county: tuple[Path, Result, Annex, Stream]) -> None:
    """What the county was told to be: 15 % fewer crimes. One county, so this may fail 1 in 20."""
    _, _, annex, stream = county
    row = annex.table("value").records()[0]
    each = EACH * DEFLATED
    avoided = stream.observed * (1 / (1 - 0.15) - 1)
    assert row["low"] <= avoided * stream.kept * each <= row["high"]
