"""Match on shrunken history and on counts, and see which comes nearer to the truth.

A place picked for a bad last year has a bad year's noise in its history too, and falls back. Here
every area's counts in the blocks of history are replaced by what they say of its rate: with x the
blocks of an area, m and S their mean and covariance over the pool, and V their noise,

    E[rate | x] = m + S_rate (S_rate + V)^-1 (x - m),   S_rate = S less the noise on its diagonal,

the best linear prediction (the empirical Bayes estimate where all is normal). The noise of a block
is its variance less the covariance of the sums of its odd and of its even months, which share the
rate and not the noise; for each area it is in proportion to its own level. 'Matched' uses the
shrunken blocks to find and weight benchmark areas; 'matched and counted' also for the totals before
the start. Nothing was done in the worlds, so that every estimate is an error; no placebo is drawn.

    python -m benchmarks.worlds.shrunk --worlds 400      # docs/validation/shrunken_history.md
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.design.calibration import Features, Matching, blocks_of
from areaeffect.design.programme import Cohort, Rules, design_programme, make_cohort
from areaeffect.estimate import counterfactual as cf
from areaeffect.findings.cohorts import ClaimCohorts
from areaeffect.findings.plan import arms_of, covered_units, pool_of
from benchmarks.worlds.generate import CannotPlace, World
from benchmarks.worlds.rig import Studied, studied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.results import Bools, Floats, Ints

LAWS = ("high last year", "recent rise", "high level", "random")
RATES = (6.0, 1.0)
_PAGE = Path(__file__).resolve().parents[2] / "docs" / "validation" / "shrunken_history.md"
_LEAST = 0.25  # of the mean level: an area that counted nothing has noise all the same


@dataclass(slots=True, eq=False, kw_only=True)
class ShrunkCohorts(ClaimCohorts):
    """Cohorts whose history is shrunken; `counted` also shrinks the totals before the start."""

    counted: bool = False
    _before: dict[int, Floats] = field(default_factory=dict)

    def cohort(self, unit: int, areas: Ints) -> Cohort:
        """Return the cohort with shrunken blocks in place of the counted ones."""
        plain = ClaimCohorts.cohort(self, unit, areas)
        start = self.start(unit)
        measure, values = self.measures[0], plain.features.values.copy()
        ((pre, _),) = self.used(unit, areas).values()
        before, _ = measure.periods.split(start, self.units[unit].start_kind)
        past = measure.values[:, before]
        cells = [past[:, block] for block in blocks_of(pre[before], measure, self.history)]
        blocks = shrunken(cells, self.eligible)
        values[:, -len(cells) :] = blocks
        self._before[start] = np.maximum(blocks.sum(axis=1), 0.1)
        built = Features(plain.features.names, values, plain.level)
        return make_cohort(built, plain.usable, self.eligible, self.nearest)

    def sums(self, unit: int, areas: Ints) -> Mapping[int, cf.Sums]:
        """Return the sums, with the shrunken history as what was counted before the start."""
        found = ClaimCohorts.sums(self, unit, areas)
        if not self.counted:
            return found
        columns = found[0].columns.copy()
        columns[:, 0] = self._before[self.start(unit)]
        return {0: replace(found[0], columns=columns)}


def shrunken(cells: list[Floats], pool: Bools) -> Floats:
    """Return what the counts of some blocks say of each area's rate, (n_areas, n_blocks).

    Parameters
    ----------
    cells : for each block (n_areas, n_months).
    pool : (n_areas,), the areas that the mean, the covariance and the noise are read off.
    """
    x = np.column_stack([block.sum(axis=1) for block in cells])
    halves = [np.column_stack([2 * b[:, k::2].sum(axis=1) for b in cells]) for k in (0, 1)]
    mean = x[pool].mean(axis=0)
    cov = np.cov(x[pool].T).reshape(len(mean), len(mean))
    shared = [np.cov(odd, even)[0, 1] for odd, even in zip(*(h[pool].T for h in halves), strict=True)]
    noise = np.maximum(np.diag(cov) - shared, 0.0) / mean
    np.fill_diagonal(cov, np.maximum(shared, 0.0))
    values, vectors = np.linalg.eigh(cov)
    rate = (vectors * np.maximum(values, 0.0)) @ vectors.T
    level = np.maximum(x.mean(axis=1), _LEAST * mean.mean())
    within = rate + level[:, None, None] * np.diag(noise)
    return np.asarray(mean + (rate @ np.linalg.solve(within, (x - mean)[..., None]))[..., 0])


def error_of(made: Studied, kind: str) -> float:
    """Return the log ratio that is estimated where nothing was done.

    Parameters
    ----------
    made : a world with one outcome.
    kind : 'counts', 'matched' or 'matched and counted'.
    """
    study, panel = made.file.study, made.data.panel
    measures = tuple(panel.measures[o.name] for o in study.outcome)
    units, _ = covered_units(study, panel, measures, made.data.neighbourhoods)
    pool = pool_of(study, made.data, measures)
    (arm,) = arms_of(study, panel, measures, pool.eligible, units)
    if kind != "counts":
        arm = ShrunkCohorts(
            claim=arm.claim, outcomes=arm.outcomes, panel=panel, measures=measures,
            coverage=arm.coverage, eligible=arm.eligible, units=units, history=arm.history,
            nearest=arm.nearest, counted=kind == "matched and counted",
        )  # fmt: skip
    members = [unit.areas for unit in units]
    cohorts = [arm.cohort(g, m) for g, m in enumerate(members)]
    design = study.design
    matching = Matching(design.calibration, design.ratio)
    rules = Rules(design.nearest, design.common_support, panel.near, matching)
    chosen = design_programme(cohorts, members, pool.eligible, rules)
    total = np.zeros(cf.N_TOTALS + cf.N_PATH * arm.bins.n)
    for g, (areas, w) in enumerate(zip(members, chosen, strict=True)):
        if w is not None:
            left = None if w.exact else w.imbalance
            total += cf.totals(arm.sums(g, areas)[0], areas, w.pool, w.weights, None, left)
    return float(cf.log_ratio(total, "change"))


def _line(law: str, per_month: float, worlds: int) -> str:
    """Measure one law and rate: bias and root mean square error of each kind."""
    kinds, errors = ("counts", "matched", "matched and counted"), []
    world = World(outcomes=1, places=4, areas=600, law=law, per_month=per_month)
    for seed in range(1, worlds + 1):
        try:
            made = studied(world, seed)
        except CannotPlace:
            continue
        errors.append([error_of(made, kind) for kind in kinds])
    found = np.array(errors)
    square = found**2
    rmse, n = np.sqrt(square.mean(axis=0)), len(found)
    cells = [f"{law}", f"{per_month:g}", str(n)]
    for k in range(len(kinds)):
        cells.append(f"{found[:, k].mean():+.3f}")
        apart = square[:, k] / rmse[k] ** 2 - square[:, 0] / rmse[0] ** 2
        ratio = rmse[k] / rmse[0]
        error = ratio / 2 * apart.std() / np.sqrt(n)
        cells.append(f"{rmse[k]:.4f}" + (f" ({ratio:.3f} ± {error:.3f})" if k else ""))
    return f"| {' | '.join(cells)} |"


_INTRODUCTION = """\
# Shrunken history: measured, not adopted

Written by `python -m benchmarks.worlds.shrunk`, whose docstring says how counts are shrunken; do
not edit by hand. Log errors of programmes of four places in worlds where nothing was done, on the
same worlds for each kind of history: bias, and root mean square error with its ratio to that of
counts and the Monte Carlo error of the ratio.

Shrunken history was to be adopted if it came nearer to the truth where places were picked for a
high last year or a recent rise, and was never further from it. Weights that match on counts already
take benchmark areas whose counts were as high by as much chance, so shrinking both sides alike
gains nothing. Where the totals before the start are shrunken too, the treated places' own bad year
stays in. So benchmark areas are matched on what was counted.

| places picked for | crimes a month | worlds | bias, counts | error | bias, matched | error \
| bias, matched and counted | error |
|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Measure every law and rate, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worlds.shrunk", description=__doc__)
    parser.add_argument("--worlds", type=int, default=400)
    parser.add_argument("--out", type=Path, default=_PAGE)
    given = parser.parse_args()
    lines = [_line(law, rate, given.worlds) for rate in RATES for law in LAWS]
    given.out.write_text("\n".join([_INTRODUCTION, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
