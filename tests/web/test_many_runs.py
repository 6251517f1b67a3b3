"""Many questions one after the other: each whole, and memory stays where it is.

`make soak` asks a thousand; `make test` a few.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from areaeffect.compare.question import Question
from areaeffect.web.atlas import Atlas, find_atlas
from areaeffect.web.runs import Runs
from tests.web.small_atlas import write_small_atlas

RUNS = int(os.environ.get("AREAEFFECT_SOAK_RUNS", "2"))
MAY_GROW = 1.1


def memory(pid: int) -> float:
    """Return the MiB a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def question(atlas: Atlas, i: int) -> Question:
    """Return question number i: other areas, another start."""
    codes = sorted(map(str, atlas.position))
    first = int(np.random.default_rng([7, i]).integers(len(codes) - 2))
    start = f"2013-{1 + i % 12:02d}"
    return Question(
        areas=tuple(codes[first : first + 2]),
        start=start,
        name=f"Place {i}",
        placebos=199,
        nearest=30,
        buffer_km=0.0,
    )


def finish(runs: Runs, key: str) -> str:
    """Wait for a run; return how it ended."""
    while runs.standing(key).active:
        time.sleep(0.02)
    job = runs.standing(key).job
    assert job is not None
    return f"{job.state} {job.what}".strip()


def test_memory_stays_where_it_is_over_many_runs(tmp_path: Path) -> None:
    settings = write_small_atlas(tmp_path)
    atlas, runs = find_atlas(settings, ""), Runs(settings=settings)
    ends: dict[str, int] = {}
    seconds: list[float] = []
    held: list[tuple[float, float]] = []
    try:
        for i in range(1, RUNS + 1):
            began = time.monotonic()
            key = runs.submit(atlas, question(atlas, i))
            end = finish(runs, key)
            if end == "done":
                runs.answer(key, atlas)
                end = finish(runs, key)
            ends[end] = ends.get(end, 0) + 1
            seconds.append(time.monotonic() - began)
            (worker,) = runs._workers.values()
            held.append((memory(os.getpid()), memory(worker.process.pid)))
            if i % max(1, RUNS // 10) == 0:
                row = f"| {i} | {np.median(seconds):.1f} | {held[-1][0]:.0f} | {held[-1][1]:.0f} |"
                print(f"{row} {'; '.join(f'{n} {end}' for end, n in sorted(ends.items()))} |")  # noqa: T201
                seconds = []
    finally:
        runs.close()
    assert ends == {"done": RUNS}
    for server_or_worker in zip(*held, strict=True):
        assert server_or_worker[-1] <= MAY_GROW * server_or_worker[RUNS // 3]
