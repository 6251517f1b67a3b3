"""The page about incidents with a date and a place: its study runs from check to report."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from areaeffect.commands.check import check
from areaeffect.commands.evaluate import evaluate
from areaeffect.report.files import write_result
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "points.md").read_text(encoding="utf-8")
WEST, SOUTH, STEP, COLUMNS, N_AREAS = -87.7, 41.8, 0.01, 12, 96


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(11)
    codes = [f"T-{i:03d}" for i in range(N_AREAS)]
    corners = [(WEST + STEP * (i % COLUMNS), SOUTH + STEP * (i // COLUMNS)) for i in range(N_AREAS)]
    calls = []
    for day in range(731):
        written = (date(2019, 1, 1) + timedelta(days=day)).strftime("%m/%d/%Y 09:15:00 PM")
        for i in rng.integers(0, N_AREAS, 60):
            x, y = np.array(corners[i]) + rng.uniform(0, STEP, 2)
            kind = ("noise", "litter")[int(rng.random() < 0.2)]
            calls.append([written, kind, f"{x:.4f}", f"{y:.4f}"])
    calls += [["01/31/2019 09:15:00 PM", "noise", "", ""]] * 3
    tables = {
        "calls": calls,
        "areas": [[c, int(rng.integers(1200, 1800)), round(float(rng.normal(20, 5)), 1)] for c in codes],
        "members": [
            [codes[i], name, "2020-01-01"]
            for name, i in (("Abbey", 20), ("Abbey", 21), ("Bridge", 50), ("Castle", 80))
        ],
    }
    headers = re.findall(r"```csv\n(.+)\n", PAGE)
    for (name, rows), header in zip(tables.items(), headers, strict=True):
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header.split(","), *rows])
    features = [
        {
            "type": "Feature",
            "properties": {"area_code": code},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, y], [x + STEP, y], [x + STEP, y + STEP], [x, y + STEP], [x, y]]],
            },
        }
        for code, (x, y) in zip(codes, corners, strict=True)
    ]
    (tmp_path / "areas.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
    (study,) = re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    (tmp_path / "study.toml").write_text(f"{study}\n[analysis]\nplacebos = 39\n", encoding="utf-8")
    return tmp_path


def test_the_study_of_the_page_is_checked_and_evaluated(folder: Path) -> None:
    said: list[str] = []
    assert "96 areas" in check(folder / "study.toml", None, said.append).text()
    assert "incidents of your own, from calls.csv" in said[0]
    result = evaluate(folder / "study.toml", 1)
    assert result.findings[0].estimate is not None
    (release,) = [r for r in result.releases if r.source == "calls"]
    assert (release.rows_read, release.rows_rejected) == (731 * 60 + 3, 3)
    write_result(result, folder / "results")
    with (folder / "results" / "data" / "rejected_rows.csv").open(encoding="utf-8") as file:
        rejected = Counter(row["reason"] for row in csv.DictReader(file))
    assert rejected == {"no coordinates": 3}
