"""The made-up survey of a simulated county: what the report says of it, held against the truth."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.results import Annex, Result
from areaeffect.simulate import CountySpec, ProgrammeSpec, simulate_county, write_county

PROGRAMME = ProgrammeSpec(
    "Residents First", True, 10, ("2017-01-01",), {"social_relationships": 6.0}
)
LEVEL = 0.9


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result, Annex]:
    pytest.importorskip("numpyro")
    folder = tmp_path_factory.mktemp("county")
    spec = CountySpec(n_areas=240, n_towns=4, seed=5, programmes=(PROGRAMME,), gap=False)
    path = write_county(simulate_county(spec), folder)
    text = path.read_text(encoding="utf-8")
    text = re.sub("placebos = [0-9]+", "placebos = 39\nchecks = false", text, count=1)
    path.write_text(text, encoding="utf-8")
    result = evaluate(path, threads=1)
    annex = result.annex("survey")
    assert annex is not None
    return folder, result, annex


def truth_of(folder: Path, wave: str) -> pd.Series:
    """Mean of everybody in each area."""
    truth = pd.read_csv(folder / "survey_truth.csv", dtype={"wave": str})
    return truth[truth["wave"] == wave].set_index("area_code")["mean"]


def test_intervals_of_single_areas_cover_the_truth(county: tuple[Path, Result, Annex]) -> None:
    folder, _, annex = county
    (values,) = annex.values.values()
    assert values["small_areas"]["converged"]
    rows = pd.DataFrame(annex.table("survey_areas_residents").records()).set_index("area")
    truth = truth_of(folder, values["after"])[rows.index]
    covered = ((rows["low"] <= truth) & (truth <= rows["high"])).to_numpy()
    # 3.5 Monte Carlo standard errors, doubled: areas of one survey share their parameters
    margin = 2 * 3.5 * np.sqrt(LEVEL * (1 - LEVEL) / len(rows))
    assert len(rows) > 100
    assert LEVEL - margin <= covered.mean() <= 1.0
    asked = rows[rows["direct"].notna()]
    ours = ((asked["estimate"] - truth[asked.index]) ** 2).mean()
    theirs = ((asked["direct"] - truth[asked.index]) ** 2).mean()
    assert ours < theirs


@pytest.mark.parametrize("claim", ["level", "change"])
def test_the_comparison_of_groups_covers_the_truth(
    county: tuple[Path, Result, Annex], claim: str
) -> None:
    folder, result, annex = county
    (values,) = annex.values.values()
    (row,) = [
        r for r in annex.table("survey_comparisons").records()
        if r["claim"] == claim and r["group"] == "Residents First"
    ]  # fmt: skip
    truth = truth_of(folder, values["after"])
    if claim == "change":
        truth = truth - truth_of(folder, values["before"])
    people = pd.read_csv(folder / "census_cells.csv").groupby("area_code")["people"].sum()
    asked = pd.read_csv(folder / "survey.csv")["area_code"].unique()
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
