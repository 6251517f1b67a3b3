"""Coverage and error of small-area estimates on simulated surveys.

    python -m benchmarks.surveys [--surveys 200] [--people 3000] [--areas 300] [--seed 1]

Each survey is fresh: areas with two characteristics, twelve census cells, people drawn at random.
The truth is the census-weighted mean of each area. Printed as a table for docs/validation.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from areaeffect.survey.small_area import SmallAreaData, estimate_apart, grouped

TENURE = np.array([-6.0, 0.0, 6.0])
AGE = np.array([-4.0, -1.0, 2.0, 5.0])
CELLS = np.array([[i, j] for i in range(3) for j in range(4)])
AREA_SD, PERSON_SD = 5.0, 20.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Shares over areas and surveys."""

    coverage: float
    coverage_by_survey: tuple[float, ...]
    error_ratio: float
    worst_rhat: float
    seconds_a_fit: float


def draw(
    rng: np.random.Generator, n_people: int, n_areas: int
) -> tuple[SmallAreaData, np.ndarray, np.ndarray]:
    """Draw one survey: its data, the truth, and the direct means (NaN where nobody was asked)."""
    x = rng.standard_normal((n_areas, 2))
    level = 60 + x @ np.array([4.0, -2.0]) + AREA_SD * rng.standard_normal(n_areas)
    lean = 0.4 * rng.standard_normal((n_areas, 12)) + 0.3 * x[:, :1] * (CELLS[:, 0] - 1)
    people = rng.poisson(60 * np.exp(lean)).astype(np.float64) + 1
    mean = level[:, None] + TENURE[CELLS[:, 0]] + AGE[CELLS[:, 1]]
    truth = (mean * people).sum(axis=1) / people.sum(axis=1)
    area = rng.integers(0, n_areas, n_people)
    share = np.cumsum(people / people.sum(axis=1, keepdims=True), axis=1)
    cell = (rng.random(n_people)[:, None] > share[area]).sum(axis=1).clip(0, 11)
    score = mean[area, cell] + PERSON_SD * rng.standard_normal(n_people)
    asked = np.bincount(area, minlength=n_areas)
    direct = np.bincount(area, score, n_areas) / np.where(asked > 0, asked, np.nan)
    return grouped(score, area, cell, x, people, CELLS), truth, direct


def measure(n_surveys: int, n_people: int, n_areas: int, seed: int) -> Measured:
    """Fit fresh surveys, and compare 90 % intervals and errors with the truth."""
    drawn = [draw(np.random.default_rng([seed, i]), n_people, n_areas) for i in range(n_surveys)]
    began = time.perf_counter()
    halves = [[data for data, _, _ in drawn[i::2]] for i in range(2)]
    with ThreadPoolExecutor(2) as pool:  # each half is fitted in a process of its own
        found = pool.map(estimate_apart, [h for h in halves if h], [seed, seed + n_surveys])
        fits = [fit for pair in zip_longest(*found) for fit in pair if fit is not None]
    seconds = (time.perf_counter() - began) / n_surveys
    covered = [
        ((f.low <= t) & (t <= f.high)).mean() for f, (_, t, _) in zip(fits, drawn, strict=True)
    ]
    ours = theirs = 0.0
    for fit, (_, truth, direct) in zip(fits, drawn, strict=True):
        held = np.isfinite(direct)
        ours += float(((fit.mean - truth)[held] ** 2).sum())
        theirs += float(((direct - truth)[held] ** 2).sum())
    return Measured(
        float(np.mean(covered)),
        tuple(float(c) for c in covered),
        ours / theirs,
        max(f.worst_rhat for f in fits),
        seconds,
    )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--surveys", type=int, default=200)
    parser.add_argument("--people", type=int, default=3000)
    parser.add_argument("--areas", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    found = measure(a.surveys, a.people, a.areas, a.seed)
    by_survey = np.array(found.coverage_by_survey)
    print("| what | figure | asked for |\n|---|---|---|")
    print(f"| coverage of 90 % intervals | {found.coverage:.3f} | 0.86 to 0.94 |")
    low, high = np.quantile(by_survey, [0.05, 0.95])
    print(f"| the same by survey, 5th to 95th percentile | {low:.3f} to {high:.3f} | |")
    print(f"| mean squared error over that of direct means | {found.error_ratio:.3f} | ≤ 0.60 |")
    print(f"| largest R-hat | {found.worst_rhat:.3f} | < 1.05 |")
    print(f"| seconds a fit, compiling shared | {found.seconds_a_fit:.1f} | ≤ 60 |")


if __name__ == "__main__":
    main()
