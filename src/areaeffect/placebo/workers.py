"""Work shared out over processes; the same results however many there are."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Protocol, TypeVar

import numpy as np

from areaeffect.results import Floats, Ints

#: Draws that one task holds: small enough for a smooth progress display.
_CHUNK = 9
_LOOKS_EVERY = 0.05  # seconds

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Done = TypeVar("Done")

_run_and_shared: tuple[Callable[[Any, Any], Any], Any] | None = None


class Job(Protocol):
    """Work that can be shared out over processes, draw by draw."""

    def prepare(self) -> None:
        """Make what every draw needs, once, before draws are shared out."""

    def run(self, draws: Ints) -> Floats:
        """Return the totals of some draws, along the first axis."""


@contextmanager
def single_threaded() -> Iterator[None]:
    """Keep linear algebra on one thread.

    Many small problems gain nothing from more, and sums in another order change last digits.
    """
    import scipy.linalg  # noqa: F401  # loads the linear algebra that is limited below
    from threadpoolctl import threadpool_limits

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

    (n_draws, n_neighbourhoods, n_outcomes, N_TOTALS), in the order of the draws.
    """
    job.prepare()
    tasks = np.array_split(np.arange(n_draws), max(1, -(-n_draws // _CHUNK)))
    found: dict[int, Floats] = {}
    for i, part in over_processes(_run_draws, job, tasks, threads):
        found[i] = part
        tick(len(part))
    return np.concatenate([found[i] for i in range(len(tasks))])


def _run_draws(job: Job, draws: Ints) -> Floats:
    return job.run(draws)


def over_processes(
    run: Callable[[Shared, Task], Done],
    shared: Shared,
    tasks: Sequence[Task],
    threads: int,
    *,
    start: str = "fork",
    tasks_each: int | None = None,
    while_waiting: Callable[[], None] = lambda: None,
) -> Iterator[tuple[int, Done]]:
    """Run tasks on the processes of this machine; yield each one's position and result when done.

    Parameters
    ----------
    start : 'spawn' where the processes of this program hold threads or OpenMP, which survive no
        fork; 'fork' copies nothing, and becomes what the system has where it has none.
    tasks_each : tasks of a process before it ends and gives its memory back; None for any number.
    """
    if threads == 1 or len(tasks) <= 1:
        yield from ((i, run(shared, task)) for i, task in enumerate(tasks))
        return
    method = start if start in multiprocessing.get_all_start_methods() else None
    context = multiprocessing.get_context(method)
    size = min(threads, len(tasks))
    with context.Pool(size, _hold, (run, shared), maxtasksperchild=tasks_each) as pool:
        done = pool.imap_unordered(_run, enumerate(tasks))
        while True:
            try:
                found = done.next(_LOOKS_EVERY)
            except multiprocessing.TimeoutError:
                while_waiting()
            except StopIteration:
                break
            else:
                yield found
    while_waiting()


def _hold(run: Callable[[Any, Any], Any], shared: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    global _run_and_shared  # noqa: PLW0603  # one copy a process: sending it with each task costs more
    _run_and_shared = (run, shared)


def _run(numbered: tuple[int, Any]) -> tuple[int, Any]:
    if _run_and_shared is None:
        raise RuntimeError
    run, shared = _run_and_shared
    position, task = numbered
    return position, run(shared, task)
