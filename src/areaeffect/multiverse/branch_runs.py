"""Running the tasks of a multiverse: over processes or a cluster, one file a task, resumable."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

from areaeffect.document.folders import add_listed
from areaeffect.errors import DataError, Problem
from areaeffect.multiverse.branches import Curve, Universe, name_of, run_branch
from areaeffect.placebo.workers import over_processes
from areaeffect.study.file import refuse_missing_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from areaeffect.multiverse.branches import Choice

_CONNECT_SECONDS = 20


def run_tasks(
    universe: Universe,
    choices: Sequence[Choice],
    folder: Path,
    threads: int,
    cluster: str | None,
    tick: Callable[[int, int], None],
) -> list[list[Curve]]:
    """Run every task that has no file yet, and return the curves of all.

    Parameters
    ----------
    universe, choices : what to run.
    folder : one file a task, named by the hash of its plan; each appears whole or not at all.
    threads : worker processes; 1 runs here.
    cluster : address of a Dask scheduler, instead of processes of this machine.
    tick : called with (tasks done, of).

    Returns
    -------
    In the order of the choices. The same bytes however the tasks were run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = {choice: name_of(universe, choice) for choice in choices}
    missing = [c for c in choices if _read(folder, names[c]) is None]
    done = len(choices) - len(missing)
    tick(done, len(choices))
    run = _over_cluster if cluster else _over_processes
    for choice, text in run(universe, _longest_first(missing), cluster or threads):
        add_listed(folder.parent, f"{folder.name}/{names[choice]}.json", text)
        done += 1
        tick(done, len(choices))
    found = [_read(folder, names[c]) for c in choices]
    return [curves for curves in found if curves is not None]


def _read(folder: Path, name: str) -> list[Curve] | None:
    """Return what an earlier run left; None where there is nothing whole."""
    try:
        content = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if content.get("plan") != name:
        return None
    return [Curve(**{**c, "placebos": tuple(c["placebos"])}) for c in content["curves"]]


def _longest_first(choices: Sequence[Choice]) -> list[Choice]:
    """Begin with what takes longest, so that no process is left alone with it at the end."""
    return sorted(
        choices, key=lambda c: (not c.library, c.calibration == "none", c.nearest > 0, c.calibration)
    )


def _over_processes(
    universe: Universe, choices: Sequence[Choice], threads: Any
) -> Iterator[tuple[Choice, str]]:
    # Spawned: every task searches for nearest areas, and the OpenMP of that survives no fork.
    found = over_processes(run_branch, universe, choices, threads, start="spawn")
    return ((choices[i], text) for i, text in found)


def _over_cluster(
    universe: Universe, choices: Sequence[Choice], address: Any
) -> Iterator[tuple[Choice, str]]:
    """Send the tasks to a Dask cluster whose workers have this program installed."""
    refuse_missing_cluster(address)
    distributed: Any = import_module("distributed")  # extra, heavy, untyped
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        what = f"no cluster answers there ({type(error).__name__})."
        fix = "Start one with `dask scheduler` and `dask worker`, and give its address."
        raise DataError(Problem(what, f"--cluster {address}", fix)) from None
    with client:
        shared = client.scatter(universe, broadcast=True)
        futures = {client.submit(run_branch, shared, c, pure=False): c for c in choices}
        try:
            for future in distributed.as_completed(futures, loop=client.loop):
                yield futures[future], future.result()
        finally:
            client.cancel(list(futures))
