"""Best fit of drawn shapes: 2,000 of them against the 35,672 LSOAs of 2021."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import shapely

from areaeffect.geography.overlay import area_shares
from areaeffect.study.parts import SHARED_DATA_VARIABLE, resolve

_SHAPES, _VERTICES, _RUNS = 2000, 60, 5


def run() -> list[str]:
    """Measure, and return lines to print."""
    import geopandas

    path = resolve(f"${{{SHARED_DATA_VARIABLE}}}/geography/lsoa21_boundaries_bgc.parquet", Path.cwd())
    outlines = geopandas.read_parquet(path).to_crs(27700).geometry.to_numpy()
    shapes = draw(outlines, np.random.default_rng(20231219))
    seconds, processor = [], []
    for _ in range(_RUNS):
        begun, worked = time.perf_counter(), time.process_time()
        shares = area_shares(shapes, outlines)
        seconds.append(time.perf_counter() - begun)
        processor.append(time.process_time() - worked)
    kept = int((shares.share >= 0.5).sum())
    cells = (
        f"{_SHAPES:,}",
        f"{len(outlines):,}",
        f"{len(shares.share):,}",
        f"{kept:,}",
        f"{np.median(processor):.2f}",
        f"{np.median(seconds):.2f}",
        str(_RUNS),
    )
    return [
        "| shapes | areas | pairs | areas kept | processor, s | wall, s | runs (medians) |",
        "|---|---|---|---|---|---|---|",
        f"| {' | '.join(cells)} |",
    ]


def draw(outlines: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return wavy shapes of 300 m to 1.5 km around the middles of random areas."""
    middles = shapely.get_coordinates(shapely.centroid(outlines))
    angle = np.linspace(0, 2 * np.pi, _VERTICES, endpoint=False)
    shapes = []
    for x, y in middles[rng.choice(len(outlines), _SHAPES, replace=False)]:
        waves = np.cos(rng.integers(1, 6) * angle + rng.uniform(0, 6))
        radius = rng.uniform(300, 1500) * (1 + 0.3 * waves)
        ring = np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])
        shapes.append(shapely.Polygon(ring))
    return np.array(shapes, dtype=object)
