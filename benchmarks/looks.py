"""False alarms over the planned looks of a study that is evaluated more than once.

    python -m benchmarks.looks                      the looks of studies/pride_in_place
    python -m benchmarks.looks --study STUDY.toml   by the study's own placebo programmes

A look is a two-sided test at the error that O'Brien and Fleming's spending function (Lan & DeMets
1983, doi 10.1093/biomet/70.3.659) releases at it. What is spent sums to 5 %, so the chance of a
false alarm at any look is at most 5 % however the looks depend on each other.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from areaeffect.findings.units import spent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.results import Floats

#: Years of follow-up at the looks of 2027, 2028, 2030 and 2036, from April 2026 on.
YEARS = (1.0, 2.0, 4.0, 10.0)
ERROR = 0.05
PROGRAMMES = 400_000
SEED = 20260401


def false_alarm(statistics: Floats, levels: Floats) -> tuple[float, float]:
    """Return the share of programmes without effect that any look calls one, and its error.

    Parameters
    ----------
    statistics : (n_programmes, n_looks), standard normal at each look.
    levels : (n_looks,), two-sided error of each look.
    """
    any_look = (2.0 * norm.sf(np.abs(statistics)) <= levels).any(axis=1)
    rate = float(any_look.mean())
    return rate, float(np.sqrt(rate * (1.0 - rate) / len(any_look)))


def placebo_false_alarm(effects: Floats, levels: Floats) -> float:
    """Return the share of placebo programmes that any look would call changed by the others.

    Parameters
    ----------
    effects : (n_programmes, n_looks), of the same programmes at each look.
    levels : (n_looks,).
    """
    n = len(effects)
    rank = effects.argsort(axis=0).argsort(axis=0)  # among the others, from 0
    tail = np.minimum(rank, n - 1 - rank)
    p = np.minimum(1.0, 2.0 * (tail + 1) / n)
    return float((p <= levels).any(axis=1).mean())


def _programmes(kind: str, times: Sequence[float], rng: np.random.Generator) -> Floats:
    """Draw standardised effects at the looks of programmes that change nothing."""
    n = len(times)
    draws = rng.standard_normal((PROGRAMMES, n))
    if kind == "independent":
        return draws
    if kind == "the same":
        return np.repeat(draws[:, :1], n, axis=1)
    steps = np.sqrt(np.diff(times, prepend=0.0))
    total = np.cumsum(draws * steps, axis=1) / np.sqrt(times)
    if kind == "each year adds":
        return np.asarray(total)
    lasting = rng.standard_normal((PROGRAMMES, 1))  # places that drift apart for good
    return np.asarray((total + lasting) / np.sqrt(2.0))


def main() -> None:
    """Print the levels of the looks and the simulated false alarm."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, help="draw its placebo programmes as well")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    levels = spent(YEARS)
    print("year  follow-up  two-sided error  placebos for it")
    for years, level in zip(YEARS, levels, strict=True):
        print(f"{2026 + years:4.0f}  {years:4.0f} years  {level:15.2e}  {2.0 / level - 1.0:15,.0f}")
    rng = np.random.default_rng(SEED)
    print(f"\nfalse alarm at any look, of {PROGRAMMES:,} programmes (5 % at each: for comparison)")
    for kind in ("each year adds", "places drift apart", "independent", "the same"):
        statistics = _programmes(kind, YEARS, rng)
        rate, error = false_alarm(statistics, levels)
        plain, _ = false_alarm(statistics, np.full(len(YEARS), ERROR))
        print(f"{kind:20} {rate:.4f} (± {error:.4f})   {plain:.4f}")
    if asked.study:
        _by_placebos(asked.study, asked.threads)


def _by_placebos(path: Path, threads: int) -> None:
    """Hold every placebo programme of a study against the others, at a look a year of follow-up."""
    from areaeffect.commands.evaluate import begin
    from areaeffect.findings.case import Case, Group
    from areaeffect.placebo.workers import run_all, single_threaded
    from areaeffect.power.backtest import backtests, horizon_of
    from areaeffect.power.calculation import machine_of, sizes_of
    from areaeffect.study.file import read_study

    with single_threaded():
        file = read_study(path)
        data, plan = begin(file, None, lambda *_: None)
        study = file.study
        measures = [data.panel.measures[o.name] for o in study.outcome]
        horizon = horizon_of(measures, plan.units)
        arms = backtests(plan.arms, horizon)
        size = next(s for s in sizes_of(plan, study) if s.group)
        drawn = run_all(machine_of(plan, arms, size), study.analysis.placebos, threads, lambda _n: None)
    levels = spent([float(k + 1) for k in range(horizon.measured)])
    units = tuple(range(len(size.patterns)))
    for o, (outcome, measure) in enumerate(zip(study.outcome, measures, strict=True)):
        case = Case(
            group=Group(name="", units=units), position=o, outcome=outcome, measure=measure,
            units=units, disjoint=(0, 0),
        )  # fmt: skip
        at = [drawn[:, :, o + len(measures) * k] for k in range(horizon.measured)]
        effects = np.column_stack([case.statistic(totals) for totals in at])
        effects = effects[np.isfinite(effects).all(axis=1)]
        print(
            f"{outcome.name}: {placebo_false_alarm(effects, levels):.4f} over {horizon.measured} "
            f"yearly looks of {len(effects)} placebo programmes"
        )


if __name__ == "__main__":
    main()
