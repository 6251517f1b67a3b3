"""The page about other countries: its study runs on files laid out as the page says."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest

from areaeffect.commands.check import check
from areaeffect.commands.evaluate import evaluate
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "another-country.md").read_text(encoding="utf-8")
#: A plain east of the Andes, far from Britain.
WEST, SOUTH, STEP = -68.0, -35.0, 0.02
COLUMNS, N_AREAS = 18, 324


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(7)
    codes = [f"DZ-{i:03d}" for i in range(N_AREAS)]
    months = [f"{2012 + t // 12}-{t % 12 + 1:02d}" for t in range(24)]
    residents = rng.integers(1200, 1800, N_AREAS)
    tables = {
        "counts": [[c, m, n] for c in codes for m, n in zip(months, rng.poisson(15, 24), strict=True)],
        "areas": [
            [c, int(r), round(float(rng.normal(20, 5)), 1)] for c, r in zip(codes, residents, strict=True)
        ],
        "members": [
            [codes[i], name, "2013-01-01"]
            for name, i in (("Abbey", 40), ("Abbey", 41), ("Bridge", 210), ("Castle", 300))
        ],
    }
    headers = re.findall(r"```csv\n(.+)\n", PAGE)
    assert len(headers) == 3
    for (name, rows), header in zip(tables.items(), headers, strict=True):
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header.split(","), *rows])
    features = []
    for i, code in enumerate(codes):
        x, y = WEST + STEP * (i % COLUMNS), SOUTH + STEP * (i // COLUMNS)
        ring = [[x, y], [x + STEP, y], [x + STEP, y + STEP], [x, y + STEP], [x, y]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"area_code": code}, "geometry": geometry})
    outlines = {"type": "FeatureCollection", "features": features}
    (tmp_path / "areas.geojson").write_text(json.dumps(outlines), encoding="utf-8")
    (study,) = re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    quick = "\n[analysis]\nplacebos = 39\n"
    (tmp_path / "study.toml").write_text(study + quick, encoding="utf-8")
    return tmp_path


def test_the_study_of_the_page_is_checked_and_evaluated(folder):
    assert "324 areas" in check(folder / "study.toml", None, lambda _: None).text()
    finding = evaluate(folder / "study.toml", 1).findings[0]
    assert finding.estimate is not None
