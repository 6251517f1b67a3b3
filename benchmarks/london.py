"""London: placebo programmes through the whole design; time and memory.

Pseudo-boroughs of the licensing study, and thirty neighbourhoods of five LSOAs.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path

from areaeffect.assembly.assemble import assemble
from areaeffect.findings.plan import make_plan
from areaeffect.placebo.workers import default_threads, run_all, single_threaded, version_of_code
from areaeffect.study.file import read_study
from benchmarks.national import timed
from benchmarks.worlds.london import study_of

STUDY = Path(__file__).resolve().parent.parent / "studies" / "london_licensing" / "study.toml"
_PLACEBOS = 999
_THIRTY = 30
_MEGABYTE = 1024


def run() -> list[str]:
    """Measure, and return lines to print."""
    with single_threaded():
        begin = time.perf_counter()
        file = read_study(STUDY)
        plan = make_plan(file, assemble(file), version_of_code())
        design = time.perf_counter() - begin
        begin = time.perf_counter()
        run_all(plan.machine, _PLACEBOS, default_threads(), lambda _n: None)
        draws = time.perf_counter() - begin
        thirty = make_plan(*study_of("random", _THIRTY, 0)[:2], version_of_code())
        _, wall, cpu = timed(thirty.machine, _PLACEBOS, default_threads())
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _MEGABYTE
    return [
        f"reading and design of {len(plan.pool.eligible):,} areas x 108 months: {design:.1f} s",
        f"{_PLACEBOS} programmes of 4 pseudo-boroughs on {default_threads()} processes: {draws:.1f} s",
        f"{_PLACEBOS} programmes of {_THIRTY} neighbourhoods of five: {wall:.1f} s, processor {cpu:.1f} s",
        f"peak memory: {here:.0f} MB, and {child:.0f} MB in the largest worker",
    ]


if __name__ == "__main__":
    print("\n".join(run()))
