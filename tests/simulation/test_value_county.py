"""Value on a small version of the demo's county, held against a calculation by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.evaluate import evaluate
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
#: Home Office RR99 at 2015/16 prices as printed in the section of the report, share, cost.
READ = {
    "violence_with_injury": (0.05, 14050),
    "robbery": (0.02, 11320),
    "theft_of_vehicle": (0.02, 10290),
    "theft_from_vehicle": (0.06, 870),
    "arson": (0.01, 8420),
    "other_criminal_damage": (0.14, 1350),
}
UNVERIFIED = {
    "violence_without_injury": (0.15, 5930),
    "domestic_burglary": (0.06, 5930),
    "theft_from_person": (0.02, 1380),
}
DEFLATED = 100 / (0.75 * 75.1536 + 0.25 * 76.4554)
RANGE = 0.2
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


def test_the_value_is_that_of_a_calculation_by_hand(
    county: tuple[Path, Result, Annex, Stream],
) -> None:
    folder, result, annex, _ = county
    (finding,) = (
        f
        for f in result.findings
        if f.outcome == "crime" and f.form == "ratio" and f.neighbourhood is None
    )
    assert finding.avoided is not None
    rows = {r["basis"]: r for r in annex.table("value").records()}
    kept = kept_by_hand(folder)
    for basis, costs in (
        ("costs read", READ),
        ("with costs to be verified", READ | UNVERIFIED),
    ):
        each = sum(share * cost for share, cost in costs.values()) * DEFLATED
        assert rows[basis]["kept"] == pytest.approx(kept, rel=1e-9)
        assert rows[basis]["value"] == pytest.approx(finding.avoided * kept * each, rel=1e-9)
        assert rows[basis]["share_costed"] == pytest.approx(sum(s for s, _ in costs.values()))
    funding = 400_000 * 8 * 100 / (0.75 * 76.4554 + 0.25 * 77.6367)
    per_pound = rows["costs read"]["value"] / funding
    assert rows["costs read"]["per_pound"] == pytest.approx(per_pound)


def test_the_interval_is_that_of_a_simulation_by_hand(
    county: tuple[Path, Result, Annex, Stream],
) -> None:
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
    for share, cost in READ.values():
        low, high = cost * (1 - RANGE), cost * (1 + RANGE)
        each += share * rng.triangular(low, cost, high, N_BY_HAND)
    values = np.sort(avoided * each * DEFLATED * stream.kept)
    k = int(0.025 * (len(effects) + 1)) / len(effects)
    error = 4 * np.sqrt(k * (1 - k) / worth.SIMULATIONS)
    for end, share in (("low", k), ("high", 1 - k)):
        bounds = np.quantile(values, [share - error, share + error])
        assert bounds[0] <= row[end] <= bounds[1], end


def test_the_truth_s_worth_lies_in_the_interval(
    county: tuple[Path, Result, Annex, Stream],
) -> None:
    """What the county was told to be: 15 % fewer crimes. One county, so this may fail 1 in 20."""
    _, _, annex, stream = county
    row = annex.table("value").records()[0]
    each = sum(share * cost for share, cost in READ.values()) * DEFLATED
    avoided = stream.observed * (1 / (1 - 0.15) - 1)
    assert row["low"] <= avoided * stream.kept * each <= row["high"]
