"""The made-up survey of a simulated county: what the report says of it, held against the truth."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.results import Annex, Result
from areaeffect.simulate import County, CountySpec, ProgrammeSpec, simulate_county, survey_of, write_county

PROGRAMME = ProgrammeSpec(
    name="Residents First",
    resident_led=True,
    n_neighbourhoods=10,
    starts=("2017-01-01",),
    effects={"social_relationships": 6.0},
)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> tuple[County, Result, Annex]:
    folder = tmp_path_factory.mktemp("county")
    spec = CountySpec(n_areas=240, seed=5, programmes=(PROGRAMME,), gap_months=None)
    made = simulate_county(spec)
    path = write_county(made, folder)
    text = path.read_text(encoding="utf-8")
    text = re.sub("placebos = [0-9]+", "placebos = 39\nchecks = false", text, count=1)
    path.write_text(text, encoding="utf-8")
    result = evaluate(path, threads=1)
    annex = result.annex("survey")
    assert annex is not None
    return made, result, annex


def truth_of(county: County, wave: str) -> pd.DataFrame:
    """Number and mean score of everybody in each area."""
    truth = survey_of(county).truth
    return truth[truth["wave"] == wave].set_index("area_code")


@pytest.mark.parametrize("claim", ["level", "change"])
def test_the_comparison_of_groups_covers_the_truth(county: tuple[County, Result, Annex], claim: str) -> None:
    made, result, annex = county
    (values,) = annex.found.asked.values()
    (row,) = [
        r for r in annex.table("survey_comparisons").records()
        if r["claim"] == claim and r["group"] == "Residents First"
    ]  # fmt: skip
    after = truth_of(made, values.after)
    truth, people = after["mean"], after["people"]
    if claim == "change":
        truth = truth - truth_of(made, values.before)["mean"]
    asked = survey_of(made).answers["area_code"].unique()
    weight = pd.Series(0.0, truth.index)
    sides = []
    for role in ("treated", "benchmark"):
        for area in result.areas:
            if area.role == role and area.area in asked:
                weight[area.area] = area.weight if role == "benchmark" else 1.0
        mine = weight * people
        sides.append(float((mine * truth).sum() / mine.sum()))
        weight[:] = 0.0
    assert row["low"] <= sides[0] - sides[1] <= row["high"]
    assert sides[0] - sides[1] > 0  # what the county put in is there to be found
