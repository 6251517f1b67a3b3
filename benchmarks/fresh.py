"""Fresh counties on a grid, straight into a panel: what size, coverage and speed are measured on.

A lean sibling of `areaeffect.simulate`: the same kinds of noise, no files, no map. The design,
the placebos and the inference are those of the package, from the panel on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.geography.neighbours import graph_of
from areaeffect.panel import Graph, Measure, Neighbourhood, Panel
from areaeffect.periods import PeriodKind, Periods
from areaeffect.register.registered import Registered
from areaeffect.results import Floats, Ints
from areaeffect.simulate.noise import draw_ar1, draw_field, draw_moving_field
from areaeffect.study.file import StudyFile
from areaeffect.study.model import Study

FIRST = 2012 * 12
_KM = 0.5  # side of an area
_NOT_PUBLISHED = 1


@dataclass(frozen=True, slots=True)
class County:
    """Knobs of a fresh county.

    Parameters
    ----------
    rows, columns : areas of the grid.
    forces : police forces, in blocks of rows.
    months, starts : the window, and the months from its beginning at which work begins.
    neighbourhoods, size : how many, of how many areas.
    outcomes, covariates : how many; the first two covariates are deprivation and population.
    per_month : mean count of an area and month.
    overdispersion : variance of the gamma noise of each cell.
    area_sd, area_rho : an area's own AR(1) noise.
    spatial_sd, spatial_rho : noise that neighbours share.
    force_sd, force_rho : noise that a force shares.
    gap : months of the last force that were not published, (first, after the last).
    deprived : neighbourhoods are placed at random in this most deprived share.
    """

    rows: int = 40
    columns: int = 45
    forces: int = 6
    months: int = 84
    starts: tuple[int, ...] = (48, 54, 60)
    neighbourhoods: int = 10
    size: int = 5
    outcomes: int = 1
    covariates: int = 3
    per_month: float = 5.0
    overdispersion: float = 0.15
    area_sd: float = 0.15
    area_rho: float = 0.7
    spatial_sd: float = 0.08
    spatial_rho: float = 0.9
    force_sd: float = 0.05
    force_rho: float = 0.95
    gap: tuple[int, int] | None = (20, 24)
    deprived: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One county: what an evaluation reads, and what it may not know.

    Parameters
    ----------
    file, data : as the pipeline takes them.
    mean : (n_areas, n_months), what the first outcome's counts were drawn around, untreated.
    """

    file: StudyFile
    data: Assembled
    mean: Floats


def fresh(county: County, seed: int, placebos: int = 199) -> Drawn:
    """Draw one county in which nothing was done."""
    rng = np.random.default_rng([seed, 77])
    n = county.rows * county.columns
    xy = np.column_stack(np.divmod(np.arange(n), county.columns)).astype(float) * _KM
    force = np.arange(n) * county.forces // n
    deprivation = 0.7 * draw_field(rng, xy, 3.0) + 0.7 * rng.standard_normal(n)
    population = np.round(np.exp(rng.normal(7.35, 0.2, n)))
    others = [draw_field(rng, xy, 4.0) + rng.standard_normal(n) for _ in range(county.covariates)]
    described = np.column_stack([deprivation, population, *others])[:, : county.covariates]
    level = 0.35 * deprivation + np.log(population / 1556) + 0.3 * rng.standard_normal(n)
    contiguity = grid(county.rows, county.columns)
    measures, mean = {}, np.empty((n, county.months))
    for o in reversed(range(county.outcomes)):
        mean = county.per_month * np.exp(level[:, None] + _noise(county, rng, xy, force))
        values = rng.poisson(mean).astype(float)
        reasons = np.zeros(values.shape, dtype=np.uint8)
        if county.gap is not None:
            cells = np.ix_(force == county.forces - 1, np.arange(*county.gap))
            values[cells], reasons[cells] = np.nan, _NOT_PUBLISHED
        periods = Periods(PeriodKind.MONTH, FIRST, county.months)
        measures[f"outcome_{o}"] = Measure(
            f"outcome_{o}", True, periods, values, reasons, population
        )
    codes = np.array([f"F{i:05d}" for i in range(n)])
    names = tuple(f"x{k}" for k in range(county.covariates))
    panel = Panel(
        codes, codes, measures, described, names, ("",) * len(names), {}, contiguity,
        contiguity, (), (), (), xy * 1000,
    )  # fmt: skip
    placed = place(contiguity, deprivation, county, rng)
    file = study_file(county, placebos, seed)
    return Drawn(file, Assembled(panel, Registered(placed), None), mean)


def _noise(county: County, rng: np.random.Generator, xy: Floats, force: Ints) -> Floats:
    shape = (len(xy), county.months)
    moving = draw_moving_field(rng, xy, 1.5, county.months, county.spatial_rho)
    of_force = draw_ar1(rng, (county.forces, county.months), county.force_rho)[force]
    own = draw_ar1(rng, shape, county.area_rho)
    lumps = rng.gamma(1 / county.overdispersion, county.overdispersion, shape)
    season = 0.1 * np.cos(2 * np.pi * np.arange(county.months) / 12)
    return np.asarray(
        county.spatial_sd * moving + county.force_sd * of_force + county.area_sd * own
        + np.log(np.maximum(lumps, 1e-9)) + season
    )  # fmt: skip


def place(
    graph: Graph, deprivation: Floats, county: County, rng: np.random.Generator
) -> tuple[Neighbourhood, ...]:
    """Place disjoint contiguous neighbourhoods at random among the most deprived areas."""
    free = deprivation >= np.quantile(deprivation, 1 - county.deprived)
    found = []
    while len(found) < county.neighbourhoods:
        members = [int(rng.choice(np.flatnonzero(free)))]
        while len(members) < county.size:
            edge = {int(a) for m in members for a in graph.of(m) if free[a]} - set(members)
            if not edge:
                break
            members.append(int(rng.choice(sorted(edge))))
        free[members] = False
        if len(members) == county.size:
            start = FIRST + county.starts[len(found) % len(county.starts)]
            found.append(
                Neighbourhood(
                    "Fresh", f"N{len(found) + 1}", np.array(sorted(members)), start,
                    PeriodKind.MONTH, None,
                )
            )  # fmt: skip
    return tuple(found)


def grid(rows: int, columns: int) -> Graph:
    """Squares that touch at borders and corners."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    left, right = [], []
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            r, c = row + down, column + across
            inside = (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
            if down or across:
                left.append(np.flatnonzero(inside))
                right.append((r * columns + c)[inside])
    return graph_of(np.concatenate(left), np.concatenate(right), rows * columns)


def study_file(county: County, placebos: int, seed: int) -> StudyFile:
    """Return the study that a user would write for the county."""
    study = Study.model_validate(
        {
            "study": {"title": "Fresh county", "window": {"start": "2012-01", "end": "2020-12"},
                      "seed": seed},
            "source": {"fresh": {"kind": "panel", "path": "fresh.csv", "area": "area"}},
            "initiative": [{"name": "Fresh", "areas": "areas.csv"}],
            "outcome": [
                {"name": f"outcome_{o}", "family": "crime", "source": "fresh",
                 "exposure": "fresh.population"}
                for o in range(county.outcomes)
            ],
            "analysis": {"placebos": placebos},
        }
    )  # fmt: skip
    return StudyFile(study, Path("fresh.toml"), f"{county}", {})
