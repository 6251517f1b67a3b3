"""National size, simulated: 33,755 areas × 60 months, 150 neighbourhoods in three cohorts.

Times are wall and processor seconds: the latter hold on a busy machine too (a shared cache still
makes them longer). `python -m benchmarks.national --scaling` shows that time grows in proportion
to areas and to draws, and that 1, 2 and 4 processes give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import time
from dataclasses import replace

import numpy as np

from areaeffect.findings.plan import Plan, make_plan
from areaeffect.placebo.programmes import Machine, run_programme
from areaeffect.placebo.workers import default_threads, run_all, single_threaded
from areaeffect.results import Floats
from benchmarks.worlds.generate import World
from benchmarks.worlds.rig import Studied, studied

#: 16 characteristics (10 covariates, 2 outcomes × 3 years) and the sum of weights: 17 constraints.
NATION = World(
    areas=33_755, boroughs=300, forces=43, months=60, starts=(36, 40, 44), places=150, size=5,
    outcomes=2, covariates=10, per_month=5.0, gap=(20, 23),
)  # fmt: skip
_PLACEBOS = 999
_MEGABYTE = 1024


def _processor() -> float:
    return sum(
        resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def planned(world: World) -> tuple[Studied, Plan]:
    """Draw a country and plan its study."""
    drawn = studied(world, 1, _PLACEBOS)
    return drawn, make_plan(drawn.file, drawn.data, "benchmark")


def timed(machine: Machine, n_draws: int, processes: int) -> tuple[Floats, float, float]:
    """Run placebo programmes; return totals, wall and processor seconds."""
    begin, before = time.perf_counter(), _processor()
    totals = run_all(machine, n_draws, processes, lambda _n: None)
    return totals, time.perf_counter() - begin, _processor() - before


def run(areas: int = NATION.areas) -> list[str]:
    """Measure, and return lines to print."""
    with single_threaded():
        begin, before = time.perf_counter(), _processor()
        drawn = studied(replace(NATION, areas=areas), 1, _PLACEBOS)
        lines = [
            f"{areas:,} areas drawn: {time.perf_counter() - begin:.1f} s, processor "
            f"{_processor() - before:.1f} s"
        ]
        begin, before = time.perf_counter(), _processor()
        plan = make_plan(drawn.file, drawn.data, "benchmark")
        lines += [
            f"study planned: {time.perf_counter() - begin:.1f} s, processor {_processor() - before:.1f} s"
        ]
        machine, n = plan.machine, default_threads()
        totals, wall, cpu = timed(machine, _PLACEBOS, n)
        done = np.isfinite(totals[:, :, 0, 0]).mean()
        lines.append(
            f"{_PLACEBOS} whole-design programmes of {len(plan.units)} neighbourhoods "
            f"({100 * done:.0f}% with a pool), and the held-out year for the first "
            f"{plan.machine.arms[-1].draws}, on {n} processes: {wall:.1f} s, processor {cpu:.1f} s"
        )
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _MEGABYTE
    return [*lines, f"peak memory: {here:.0f} MB, and {child:.0f} MB in the largest worker"]


def main_effect() -> list[str]:
    """Time the main effect: cohorts, nearest areas of the treated, weights and totals."""
    with single_threaded():
        drawn, plan = planned(NATION)
        arm = replace(plan.leading, _cohorts={}, _sums={})
        machine = replace(plan.machine, arms=(arm,))
        begin, before = time.perf_counter(), _processor()
        totals = run_programme(machine, [u.areas for u in plan.units])
        wall, cpu = time.perf_counter() - begin, _processor() - before
        frame = _long(drawn)
        from diff_diff import CallawaySantAnna

        begin, before = time.perf_counter(), _processor()
        found = CallawaySantAnna(control_group="never_treated").fit(
            frame, outcome="y", unit="unit", time="time", first_treat="first"
        )
        peer, peer_cpu = time.perf_counter() - begin, _processor() - before
    added = totals[:, 0].sum(axis=0)
    ratio = added[1] / added[3] * added[2] / added[0] - 1
    return [
        f"main effect, one thread: {wall:.2f} s (processor {cpu:.2f} s), ratio of totals "
        f"{ratio:+.4f}, nothing put in",
        f"diff-diff CallawaySantAnna on the same panel: {peer:.2f} s (processor {peer_cpu:.2f} s), "
        f"{found.overall_att:+.4f} a cell (standard error {found.overall_se:.4f})",
        f"ratio of wall times: {peer / wall:.1f}",
    ]


def _long(drawn: Studied):  # type: ignore[no-untyped-def]  # a data frame of pandas
    import pandas as pd

    panel = drawn.data.panel
    values = next(iter(panel.measures.values())).values
    n, periods = values.shape
    first = np.zeros(n)
    for unit in drawn.data.neighbourhoods:
        first[unit.areas] = unit.start - next(iter(panel.measures.values())).periods.first + 1
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n), periods), "time": np.tile(np.arange(1, periods + 1), n),
            "y": values.ravel(), "first": np.repeat(first, periods),
        }
    )  # fmt: skip
    whole = np.isfinite(values).all(axis=1)
    return frame[np.repeat(whole, periods)]


def scaling() -> list[str]:
    """Show how time grows with areas and draws, and that processes change no byte."""
    lines = []
    with single_threaded():
        for factor in (4, 2, 1):
            world = replace(NATION, areas=NATION.areas // factor, places=30)
            begin = _processor()
            _, plan = planned(world)
            plan.machine.prepare()
            made = _processor() - begin
            times = [timed(plan.machine, n, 1)[2] for n in (25, 50, 100)]
            lines.append(
                f"{world.areas:,} areas, 30 neighbourhoods: plan and preparation "
                f"{made:.1f} s; 25, 50, 100 draws {', '.join(f'{t:.2f}' for t in times)} s "
                "(processor seconds)"
            )
        hashes = {
            n: hashlib.sha256(timed(plan.machine, 60, n)[0].tobytes()).hexdigest()[:16] for n in (1, 2, 4)
        }
    lines.append(f"sha256 of 60 draws at 1, 2, 4 processes: {', '.join(hashes.values())}")
    return lines


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--main-effect", action="store_true")
    parser.add_argument("--areas", type=int, default=NATION.areas, help="output areas: 190000")
    options = parser.parse_args()
    measure = scaling if options.scaling else main_effect if options.main_effect else None
    for line in measure() if measure else run(options.areas):
        print(line)


if __name__ == "__main__":
    main()
