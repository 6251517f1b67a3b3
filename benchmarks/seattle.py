"""Seattle, 9,603 areas and 58 constraints: our calibration beside mlsynth's, and 250 placebos.

The peer is mlsynth's MicroSynth with `weight_method="panel"`, one run that balances the same
nine covariates and four outcomes at twelve quarters. Both sides are timed in this process, one
thread of linear algebra each, data in memory before the clock starts.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from areaeffect.assembly.assemble import assemble
from areaeffect.commands.evaluate import single_threaded, version_of_code
from areaeffect.design.calibration import calibrate
from areaeffect.findings.plan import make_plan
from areaeffect.placebo.programmes import Machine
from areaeffect.placebo.workers import default_threads, run_all
from areaeffect.study.file import read_study
from areaeffect.study.parts import resolve

STUDY = Path(__file__).resolve().parent.parent / "studies" / "seattle_dmi" / "study.toml"
_REPEATS = 9
_PLACEBOS = 250


def run() -> list[str]:
    """Measure, and return lines to print."""
    with single_threaded():
        return _run()


def _run() -> list[str]:
    file = read_study(STUDY)
    data = assemble(file)
    plan = make_plan(file, data, version_of_code())
    cohort = plan.leading.cohort(0, plan.units[0].areas)
    treated = plan.units[0].areas
    pool = np.setdiff1d(np.arange(len(data.panel.areas)), treated)
    distance = cohort.scaled[pool] - cohort.scaled[treated].mean(axis=0)
    times = []
    for _ in range(_REPEATS + 1):
        begin = time.perf_counter()
        found = calibrate(distance)
        times.append(time.perf_counter() - begin)
    one = float(np.median(times[1:]))
    names = [o.name for o in file.study.outcome]
    ours = [
        float(len(treated) * found.weights @ data.panel.measures[n].values[pool, 12:].sum(axis=1))
        for n in names
    ]
    begin = time.perf_counter()
    for n in names:  # what the peer's timing holds too: weights, and each series' counterfactual
        weights = calibrate(distance).weights * len(treated)
        _ = weights @ data.panel.measures[n].values[pool]
    four = time.perf_counter() - begin
    draws, like_theirs = _seconds(plan.machine), _seconds(_without_held_out_year(plan.machine))
    frame = pd.read_parquet(resolve(file.study.source["seattle"].path, file.folder))
    theirs, peer = _peer(frame, [o.value for o in file.study.outcome])
    lines = [
        f"one calibration, {len(pool):,} areas x {distance.shape[1] + 1} constraints: "
        f"{1000 * one:.1f} ms (median of {_REPEATS} after warm-up), {found.steps} Newton steps, "
        f"largest residual {np.abs(found.imbalance).max():.1e}",
        f"{_PLACEBOS} whole placebo programmes on {default_threads()} processes: {draws:.1f} s, "
        f"{draws / one:.0f} calibrations' time; without the held-out year, as R microsynth, which took "
        f"655 s: {like_theirs:.1f} s, {like_theirs / one:.0f} calibrations' time",
        f"four series, weights and counterfactual: ours {four:.3f} s, mlsynth {peer:.1f} s, "
        f"ratio {peer / four:.0f}",
        "counterfactual totals, ours | mlsynth | difference:",
    ]
    lines += [
        f"  {n}: {a:.2f} | {b:.2f} | {100 * (a / b - 1):+.3f}%"
        for n, a, b in zip(names, ours, theirs, strict=True)
    ]
    return lines


def _seconds(machine: Machine) -> float:
    begin = time.perf_counter()
    run_all(machine, _PLACEBOS, default_threads(), lambda _n: None)
    return time.perf_counter() - begin


def _without_held_out_year(machine: Machine) -> Machine:
    """Return the machine with one design a programme: the held-out year takes a second one."""
    arms = (a if a.draws is None else replace(a, draws=0) for a in machine.arms)
    return replace(machine, arms=tuple(arms))


def _peer(frame: pd.DataFrame, outcomes: list[str]) -> tuple[list[float], float]:
    """Fit mlsynth once a series, as its interface asks; return totals and seconds."""
    from mlsynth import MicroSynth  # the peer is in the `bench` extra only

    covariates = [
        "TotalPop", "BLACK", "HISPANIC", "Males_1521", "HOUSEHOLDS",
        "FAMILYHOUS", "FEMALE_HOU", "RENTER_HOU", "VACANT_HOU",
    ]  # fmt: skip
    totals, seconds = [], 0.0
    for outcome in outcomes:
        config = {
            "df": frame, "outcome": outcome, "treat": "Intervention", "unitid": "ID",
            "time": "time", "covariates": covariates, "outcome_lag_periods": list(range(1, 13)),
            "match_outcomes": outcomes, "weight_method": "panel",
            "run_inference": False, "display_graphs": False,
        }  # fmt: skip
        begin = time.perf_counter()
        result = MicroSynth(config).fit()
        seconds += time.perf_counter() - begin
        totals.append(float(np.sum(result.counterfactual_post)))
    return totals, seconds
