"""Time of one London question of the web app, stage by stage, on a base study that is warm.

Wall and processor seconds since 'go', the latter of all processes together: on a machine that has
other work it is the processor seconds that say what a quiet one would take at most.

    python -m benchmarks.compare            # docs/web.md; needs the shared data
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from areaeffect.compare.explore import STAGES, load_base
from areaeffect.compare.question import Question

BASE = Path(__file__).resolve().parents[1] / "studies" / "explore" / "london.toml"
#: One neighbourhood of seven, six, … areas in Hackney Wick; 499 placebo programmes.
CODES = tuple(f"E0100{i}" for i in range(1844, 1851))


def cpu() -> float:
    """Return processor seconds of this process and of those it has waited for."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def timed(work: Callable[[Callable[[str, int, int], None]], None]) -> str:
    """Carry out a stage; return when each of its steps began, and when it ended."""
    marks: dict[str, str] = {}
    wall, used = time.perf_counter(), cpu()

    def tell(step: str, _done: int, _of: int) -> None:
        marks.setdefault(step, f"{time.perf_counter() - wall:.2f}/{cpu() - used:.2f}")

    work(tell)
    tell("end", 0, 1)
    return "; ".join(f"{step} {when}" for step, when in marks.items())


def main() -> None:
    """Ask five questions, each in a child of its own as the server does; print wall/processor."""
    base = load_base(BASE, BASE.parent)
    for n in range(5):
        if os.fork() == 0:
            folder = Path(tempfile.mkdtemp())
            question = Question(areas=CODES[n:], start="2013-04", name="Hackney Wick")
            for name, stage in STAGES.items():
                times = timed(partial(stage, base, question, folder / "run"))
                print(f"{name}: {times}", flush=True)
            shutil.rmtree(folder)
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    main()
