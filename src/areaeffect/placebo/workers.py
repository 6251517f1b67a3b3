"""Placebo draws over processes, with progress; the same numbers however many there are."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from areaeffect.placebo.programmes import Job
    from areaeffect.results import Floats, Ints

#: Draws that one task holds: small enough for a smooth progress display.
_CHUNK = 9

_job: Job | None = None


@contextmanager
def single_threaded() -> Iterator[None]:
    """Keep linear algebra on one thread.

    Many small problems gain nothing from more, and sums in another order change last digits.
    """
    import sklearn.neighbors  # noqa: F401, PLC0415  # loads the OpenMP that is limited below
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  # heavy

    with threadpool_limits(limits=1):
        yield


def version_of_code() -> str:
    """Return the installed version of this program."""
    return version("areaeffect")


def default_threads() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(job: Job, n_draws: int, threads: int, tick: Callable[[int], None]) -> Floats:
    """Run every placebo draw.

    Parameters
    ----------
    job : what is done with each draw.
    n_draws : how many.
    threads : worker processes; 1 runs here.
    tick : called with the number of draws finished since the last call.

    Returns
    -------
    (n_draws, n_neighbourhoods, n_outcomes, N_TOTALS), in the order of the draws.
    """
    job.prepare()
    tasks = np.array_split(np.arange(n_draws), max(1, -(-n_draws // _CHUNK)))
    found = []
    if threads == 1:
        for task in tasks:
            found.append(job.run(task))
            tick(len(task))
        return np.concatenate(found)
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    context = multiprocessing.get_context(method)
    with context.Pool(threads, initializer=_hold, initargs=(job,)) as pool:
        for task, part in zip(tasks, pool.imap(_run, tasks), strict=True):
            found.append(part)
            tick(len(task))
    return np.concatenate(found)


def _hold(job: Job) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    global _job  # noqa: PLW0603  # one copy a process: sending it with each task costs more
    _job = job


def _run(draws: Ints) -> Floats:
    if _job is None:
        raise RuntimeError
    return _job.run(draws)
