"""Every check can fail: outcomes made so that it should warn of one, and hold for another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from areaeffect.checks.base import CheckedFinding
from areaeffect.checks.registry import ANNEX
from areaeffect.commands.evaluate import evaluate
from areaeffect.results import Annex

SIDE, N_MONTHS, START = 12, 60, 36
N = SIDE * SIDE
CODES = [f"T{i:03d}" for i in range(N)]
MONTHS = [f"{2012 + t // 12}-{t % 12 + 1:02d}" for t in range(N_MONTHS)]
PLACES = {"Abbey": (26, 27), "Bridge": (68, 69), "Castle": (111, 112)}
TREATED = np.array([i for areas in PLACES.values() for i in areas])
#: In the far corner, and so many that a fair share of weight touches them.
OTHERS = [*range(0, 6), *range(36, 42), *range(132, 140)]

STUDY = """\
[study]
title = "Made to be broken"
window = { start = "2012-01", end = "2016-12" }
seed = 7

[source.crime]
kind = "panel"
path = "crime.csv"
area = "area_code"
period = "month"
boundaries = "areas.geojson"

[source.areas]
kind = "panel"
path = "areas.csv"
area = "area_code"

[[initiative]]
name = "Residents First"
areas = "members.csv"

[register]
buffer_km = 0.0
others = ["others.csv"]

[design]
covariates = ["areas.population"]
nearest = 0
common_support = false

[analysis]
placebos = 199
rings_km = [0.4, 0.8]
"""

OUTCOME = """
[[outcome]]
name = "{name}"
family = "crime"
source = "crime"
value = "{name}"
smallest_effect_of_interest = {threshold}
should_move = {should_move}
"""


def outcomes() -> dict[str, np.ndarray]:
    """Counts by area and month; nothing happens but what each outcome's name says."""
    rng = np.random.default_rng(12)
    row, column = np.divmod(np.arange(N), SIDE)
    of = TREATED
    apart = np.maximum(np.abs(row[:, None] - row[of]), np.abs(column[:, None] - column[of])).min(axis=1)
    level = rng.uniform(20, 40, N)
    changed = {name: np.ones((N, N_MONTHS)) for name in ("still", "parted", "pushed", "one", "sky")}
    changed["parted"][TREATED, START - 12 :] = 0.6  # a year before anything began
    changed["pushed"][apart == 1, START:] = 1.5  # next door
    changed["one"][list(PLACES["Abbey"]), START:] = 0.1
    changed["sky"][TREATED, START:] = 0.6
    return {name: rng.poisson(level[:, None] * change) for name, change in changed.items()}


@pytest.fixture(scope="module")
def annex(tmp_path_factory: pytest.TempPathFactory) -> Annex:
    folder = tmp_path_factory.mktemp("broken")
    counts = outcomes()
    crime = pd.DataFrame({"area_code": np.repeat(CODES, N_MONTHS), "month": MONTHS * N})
    crime = crime.assign(**{name: values.ravel() for name, values in counts.items()})
    crime.to_csv(folder / "crime.csv", index=False)
    population = np.random.default_rng(3).integers(1200, 1800, N)
    pd.DataFrame({"area_code": CODES, "population": population}).to_csv(folder / "areas.csv", index=False)
    pd.DataFrame(
        [(CODES[i], name, "2015-01-01") for name, areas in PLACES.items() for i in areas],
        columns=["area_code", "neighbourhood", "start_date"],
    ).to_csv(folder / "members.csv", index=False)
    pd.DataFrame({"area_code": [CODES[i] for i in OTHERS]}).to_csv(folder / "others.csv", index=False)
    write_squares(folder / "areas.geojson")
    text = STUDY
    for name in counts:
        should_move = str(name != "sky").lower()
        threshold = 0.2 if name == "still" else 0.05
        text += OUTCOME.format(name=name, threshold=threshold, should_move=should_move)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    found = evaluate(folder / "study.toml").annex(ANNEX)
    assert found is not None
    return found


def write_squares(path: Path) -> None:
    """Squares of half a kilometre, in metres of the British National Grid."""
    import geopandas

    corners = [divmod(i, SIDE) for i in range(N)]
    squares = [
        shapely.box(4e5 + 500 * c, 5e5 + 500 * r, 4e5 + 500 * c + 500, 5e5 + 500 * r + 500)
        for r, c in corners
    ]
    frame = geopandas.GeoDataFrame({"area_code": CODES}, geometry=squares, crs=27700)
    path.write_text(frame.to_crs(4326).to_json(), encoding="utf-8")


def answer_of(annex: Annex, check: str, outcome: str) -> CheckedFinding:
    (found,) = [c for c in annex.found.checks if c.name == check]
    (answer,) = [f for f in found.findings if f.outcome == outcome]
    return answer


def rows(annex: Annex, check: str, outcome: str) -> list[dict[str, Any]]:
    return [r for r in annex.table(f"check_{check}").records() if r["outcome"] == outcome]


@pytest.mark.parametrize(
    ("check", "outcome"),
    [
        ("held_out", "parted"),
        ("leads", "parted"),
        ("earlier", "parted"),
        ("rings", "pushed"),
        ("leave_out", "one"),
        ("unmoved", "sky"),
        ("contamination", "still"),
    ],
)
def test_a_check_warns_where_it_should(check: str, outcome: str, annex: Annex) -> None:
    answer = answer_of(annex, check, outcome)
    assert answer.status == "warns"


@pytest.mark.parametrize(
    ("check", "outcome"),
    [
        ("held_out", "still"),
        ("leads", "still"),
        ("earlier", "still"),
        ("rings", "still"),
        ("leave_out", "still"),
        ("treated_benchmark", "still"),
        ("mean_reversion", "still"),
        ("placement", "still"),
    ],
)
def test_a_check_holds_where_nothing_is_wrong(check: str, outcome: str, annex: Annex) -> None:
    answer = answer_of(annex, check, outcome)
    assert answer.status == "holds"


def test_the_numbers_are_those_that_were_made(annex: Annex) -> None:
    (gap,) = rows(annex, "held_out", "parted")
    assert gap["gap"] == pytest.approx(-0.4, abs=0.06)
    (ring,) = [r for r in rows(annex, "rings", "pushed") if r["from_km"] == 0.0]
    assert ring["to_km"] == 0.4
    assert ring["estimate"] == pytest.approx(0.5, abs=0.1)
    assert "without Abbey" in answer_of(annex, "leave_out", "one").reason
    (sky,) = rows(annex, "unmoved", "sky")
    assert sky["estimate"] == pytest.approx(-0.4, abs=0.06)
    assert sum(r["kind"] == "lead" for r in rows(annex, "leads", "still")) == 4
    early = rows(annex, "earlier", "still")
    assert [r["spans_early"] for r in early] == [1, 2]  # three years before, two of them spare
    assert all(abs(r["estimate"]) < 0.06 and r["low"] < r["high"] for r in early)
