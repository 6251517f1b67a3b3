"""A tiny study on disk: 48 areas on a grid, 24 months, three neighbourhoods of two areas."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

ROWS, COLUMNS, N_MONTHS = 6, 8, 24
CODES = [f"T{i:03d}" for i in range(ROWS * COLUMNS)]
MONTHS = [f"{2012 + t // 12}-{t % 12 + 1:02d}" for t in range(N_MONTHS)]
#: Neighbours on the grid, well apart.
NEIGHBOURHOODS = {"Abbey": (9, 10), "Bridge": (21, 22), "Castle": (33, 34)}
START = "2013-01-01"

STUDY = """\
[study]
title = "A tiny study"
window = { start = "2012-01", end = "2013-12" }
seed = 4

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
resident_led = true

[register]
buffer_km = 0.0

[design]
covariates = ["areas.population", "areas.deprivation"]
nearest = 15
common_support = false

[[outcome]]
name = "crime"
family = "crime"
source = "crime"
value = "n"
exposure = "areas.population"
smallest_effect_of_interest = 0.05

[analysis]
placebos = 39
"""


def write_small_study(folder: Path) -> Path:
    """Write the study and its files; the same bytes each time."""
    rng = np.random.default_rng(20)
    n = len(CODES)
    population = rng.integers(1200, 1800, n)
    deprivation = rng.normal(20.0, 5.0, n).round(2)
    mean = population / 1500 * (10 + deprivation / 2)
    counts = rng.poisson(mean[:, None], (n, N_MONTHS))
    crime = pd.DataFrame(
        {"area_code": np.repeat(CODES, N_MONTHS), "month": np.tile(MONTHS, n), "n": counts.ravel()}
    )
    areas = pd.DataFrame({"area_code": CODES, "population": population, "deprivation": deprivation})
    members = pd.DataFrame(
        [(CODES[i], name, START) for name, positions in NEIGHBOURHOODS.items() for i in positions],
        columns=["area_code", "neighbourhood", "start_date"],
    )
    for name, table in (("crime", crime), ("areas", areas), ("members", members)):
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    (folder / "areas.geojson").write_text(json.dumps(_grid()), encoding="utf-8")
    study = folder / "study.toml"
    study.write_text(STUDY, encoding="utf-8")
    return study


def _grid() -> dict[str, object]:
    """Squares of about half a kilometre in the north of England."""
    side = 0.005
    features = []
    for i, code in enumerate(CODES):
        west, south = -1.5 + side * (i % COLUMNS), 54.5 + side * (i // COLUMNS)
        east, north = west + side, south + side
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        features.append(
            {
                "type": "Feature",
                "properties": {"area_code": code},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def edit(path: Path, old: str, new: str, count: int = 1) -> None:
    """Replace a text that stands in a file exactly `count` times."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == count, (old, text.count(old))
    path.write_text(text.replace(old, new), encoding="utf-8")


def edit_table(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change a CSV table, all of it text."""
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)
