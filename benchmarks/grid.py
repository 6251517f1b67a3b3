"""Size, coverage and power over fresh counties: `make simulate`.

Each replicate draws a county in which nothing was done (`benchmarks.fresh`), places a programme
in it, and sends it through plan, placebos and inference as `evaluate` would. Effects are put in
afterwards: only the treated counts after the start depend on them, so that one design and one set
of placebos serve every effect. The cells of a row therefore share their counties; the replicates
of a cell do not.

    python -m benchmarks.grid --replicates 1000          # goes on where it stopped
    python -m benchmarks.grid --power 400                # the smallest effects printed beforehand
    python -m benchmarks.grid --table                    # what docs/validation/grid.md holds
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.estimate import counterfactual as cf
from areaeffect.estimate.inference import infer
from areaeffect.findings.conclude import case_of
from areaeffect.findings.describe import Case, Evidence, groups_of
from areaeffect.findings.plan import Plan, disjoint, make_plan
from areaeffect.placebo.programmes import Machine, run_programme
from areaeffect.placebo.workers import run_all, single_threaded
from areaeffect.power.backtest import horizon_of
from areaeffect.power.calculation import Size, earlier_arms, machine_of, measure_point, own_count
from benchmarks.fresh import County, fresh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.results import Floats

SIZES = (1, 3, 10, 30)
EFFECTS = (-0.2, -0.1, 0.0, 0.1)
SPREADS = (0.0, 0.15)
PLACEBOS = 79  # the smallest number at which a two-sided 5 % test is exact with room to spare
RESULTS = Path("build/simulate/grid.jsonl")
POWER = Path("build/simulate/power.jsonl")


def county(n: int) -> County:
    """Return the county that programmes of n neighbourhoods are placed in."""
    return County(
        neighbourhoods=n, size=3, per_month=8.0, months=96, starts=(60, 66, 72), gap=(62, 65)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A county ready for its effects.

    Parameters
    ----------
    plan : its sealed plan, without the held-out year, which is another test.
    case : the finding, of the neighbourhoods that can be estimated.
    real : (n_units, N_TOTALS), NaN where a neighbourhood found no benchmark areas.
    around : (n_units,), what the treated counts after the start are drawn around.
    """

    plan: Plan
    case: Case
    real: Floats
    around: Floats


def _prepared(n: int, seed: int) -> Prepared:
    drawn = fresh(county(n), seed, PLACEBOS)
    plan = make_plan(drawn.file, drawn.data, "simulation")
    plan = replace(plan, machine=replace(plan.machine, arms=plan.machine.arms[:1]))
    real = run_programme(plan.machine, [u.areas for u in plan.units])
    arm = plan.machine.arms[0]
    around = np.zeros(n)
    for g, unit in enumerate(plan.units):
        _, post = arm.used(g, unit.areas)[0]
        around[g] = drawn.mean[np.ix_(unit.areas, post)].sum()
    (group,) = groups_of(plan.units)
    measures = (drawn.data.panel.measures["outcome_0"],)
    evidence = Evidence(drawn.file.study, plan, measures, real, real[None])
    case = case_of(evidence, group, 0, disjoint(plan, group.units), is_ratio=True)
    return Prepared(plan, case, real[:, 0], around)


def _placebos(machine: Machine) -> Floats:
    return run_all(machine, PLACEBOS, 1, lambda _n: None)


def with_effect(
    real: Floats, around: Floats, logs: Floats, rng: np.random.Generator
) -> tuple[Floats, float]:
    """Put log effects into the treated counts after the start; return totals and realised effect.

    Counts are Poisson given `around`: thinned for a fall, added to for a rise, so that effects
    share what they can.
    """
    changed, known = real.copy(), np.isfinite(real[:, cf.OBSERVED_POST])
    ratio, around = np.exp(logs[known]), around[known]
    before = real[known, cf.OBSERVED_POST].astype(np.int64)
    thinned = rng.binomial(before, np.minimum(ratio, 1.0))
    added = rng.poisson(around * np.maximum(ratio - 1.0, 0.0))
    changed[known, cf.OBSERVED_POST] = np.where(ratio < 1, thinned, before + added)
    return changed, float((around * ratio).sum() / around.sum() - 1)


def replicate(n: int, seed: int) -> dict[str, Any]:
    """Evaluate one county with every effect."""
    ready = _prepared(n, seed)
    plan, case, real = ready.plan, ready.case, ready.real
    if not case.units:
        return {"n": n, "seed": seed, "rows": None}  # not estimable
    placebos = _placebos(plan.machine)[:, :, 0]
    estimates, counts = case.statistic(placebos), case.counts(placebos)
    rows = []
    for spread in SPREADS:
        for k, effect in enumerate(EFFECTS):
            rng = np.random.default_rng([seed, 99, int(100 * spread), k])
            logs = np.log1p(effect) + spread * rng.standard_normal(n)
            changed, truth = with_effect(real, ready.around, logs, rng)
            estimate = float(case.statistic(changed))
            count = float(case.counts(real))
            found = infer(estimate, estimates, counts, count, "lower", case.taken)
            rows.append(
                [spread, effect, truth, np.expm1(estimate), np.expm1(found.low),
                 np.expm1(found.high), found.p_value]
            )  # fmt: skip
    return {
        "n": n, "seed": seed, "centre": found.centre, "deviation": found.deviation,
        "taken": case.taken, "mde": float(np.expm1(found.mde)), "rows": rows,
    }  # fmt: skip


def power(n: int, seed: int) -> dict[str, Any]:
    """Print the smallest effect from the years before, put it in, and look for it afterwards."""
    ready = _prepared(n, seed)
    plan, case, real = ready.plan, ready.case, ready.real
    if not case.units:
        return {"n": n, "seed": seed, "mde": None}
    size = Size(tuple(range(n)), "Fresh")
    horizon = horizon_of([case.measure], plan.units)
    arms = earlier_arms(plan, horizon)
    machine = machine_of(plan, arms, size)
    earlier = _placebos(machine)
    position = horizon.measured
    count = own_count(plan, arms, size, case, position)
    point = measure_point(case, earlier, position, count)
    if point is None:
        return {"n": n, "seed": seed, "mde": None}
    later = _placebos(plan.machine)[:, :, 0]
    rng = np.random.default_rng([seed, 98])
    changed, _ = with_effect(real, ready.around, np.full(n, point.mde), rng)
    found = infer(
        float(case.statistic(changed)), case.statistic(later), case.counts(later),
        float(case.counts(real)), "lower", case.taken,
    )  # fmt: skip
    after = infer(
        float(case.statistic(real)), case.statistic(later), case.counts(later),
        float(case.counts(real)), "lower", case.taken,
    )  # fmt: skip
    return {
        "n": n, "seed": seed, "mde": float(np.expm1(point.mde)), "p": found.p_value,
        "mde_after": float(np.expm1(after.mde)), "deviation": point.deviation,
        "deviation_after": after.deviation,
    }  # fmt: skip


def _task(arguments: tuple[str, int, int]) -> dict[str, Any]:
    kind, n, seed = arguments
    with single_threaded():
        return replicate(n, seed) if kind == "grid" else power(n, seed)


def run(kind: str, path: Path, seeds: range, sizes: Sequence[int], processes: int) -> None:
    """Run what is not yet in the file, replicate by replicate over all sizes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {(r["n"], r["seed"]) for r in read(path)}
    todo = [(kind, n, seed) for seed in seeds for n in sizes if (n, seed) not in done]
    with multiprocessing.get_context("spawn").Pool(processes) as pool, path.open("a") as file:
        for row in pool.imap_unordered(_task, todo):
            file.write(json.dumps(row) + "\n")
            file.flush()


def read(path: Path) -> list[dict[str, Any]]:
    """Read what was simulated so far, in order of size and seed."""
    if not path.is_file():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    return sorted(rows, key=lambda r: (r["n"], r["seed"]))


def judged(share: float, n: int, low: float, high: float) -> str:
    """Write a share with what its Monte Carlo error lets one say of a band."""
    error = (max(share * (1 - share), 0.02) / n) ** 0.5
    if low <= share <= high:
        word = "inside" if low <= share - error and share + error <= high else "inside, uncertain"
    else:
        beyond = min(abs(share - low), abs(share - high)) > 2 * error
        word = "**outside**" if beyond else "outside, uncertain"
    return f"{share:.3f} ({error:.3f}) {word}"


def grid_table(rows: list[dict[str, Any]]) -> list[str]:
    """Write size, coverage, bias and power by number of neighbourhoods and effect."""
    lines = [
        "| neighbourhoods | sd of effects | effect | replicates | mean error | sd of error "
        "| 95 % coverage, band 0.935–0.965 | p ≤ 0.05 | size, band 0.035–0.065 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for n in SIZES:
        mine = [r["rows"] for r in rows if r["n"] == n and r["rows"]]
        for k in range(len(SPREADS) * len(EFFECTS)) if mine else ():
            cells = np.array([r[k] for r in mine])
            spread, effect, truth, estimate, low, high, p = cells.T
            error, count = estimate - truth, len(cells)
            covered = float(((low <= truth) & (truth <= high)).mean())
            rejected = float((p <= 0.05).mean())
            is_size = effect[0] == 0 and spread[0] == 0
            lines.append(
                f"| {n} | {spread[0]:g} | {100 * effect[0]:+.0f} % | {count} | {error.mean():+.4f} "
                f"| {error.std():.4f} | {judged(covered, count, 0.935, 0.965)} | {rejected:.3f} "
                f"| {judged(rejected, count, 0.035, 0.065) if is_size else ''} |"
            )
    return lines


def power_table(rows: list[dict[str, Any]]) -> list[str]:
    """Write how often an effect of the size printed beforehand is found afterwards."""
    lines = [
        "| neighbourhoods | replicates | median smallest effect, beforehand | afterwards "
        "| deviation before / after | found, band 0.75–0.85 |",
        "|---|---|---|---|---|---|",
    ]
    for n in SIZES:
        mine = [r for r in rows if r["n"] == n and r["mde"] is not None]
        if mine:
            found = float(np.mean([r["p"] <= 0.05 for r in mine]))
            ratio = np.median([r["deviation"] / r["deviation_after"] for r in mine])
            lines.append(
                f"| {n} | {len(mine)} | {100 * np.median([r['mde'] for r in mine]):.1f} % "
                f"| {100 * np.median([r['mde_after'] for r in mine]):.1f} % | {ratio:.2f} "
                f"| {judged(found, len(mine), 0.75, 0.85)} |"
            )
    return lines


def main() -> None:
    """Run replicates, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=0)
    parser.add_argument("--power", type=int, default=0)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if options.replicates:
        seeds = range(options.first_seed, options.first_seed + options.replicates)
        run("grid", RESULTS, seeds, options.sizes, options.processes)
    if options.power:
        seeds = range(options.first_seed, options.first_seed + options.power)
        run("power", POWER, seeds, options.sizes, options.processes)
    if options.table:
        print("\n".join([*grid_table(read(RESULTS)), "", *power_table(read(POWER))]))


if __name__ == "__main__":
    main()
