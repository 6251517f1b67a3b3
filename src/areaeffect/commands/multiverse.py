"""`areaeffect multiverse`: every defensible choice at once, with one joint placebo test."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.commands.evaluate import begin, estimate
from areaeffect.document.folders import RUN_FILE, add_listed, prepare, write_whole
from areaeffect.errors import DataError, StudyError
from areaeffect.estimate.inference import ReferencePlaces
from areaeffect.findings.case import Group, groups_of
from areaeffect.findings.plan import Plan, disjoint, pool_of
from areaeffect.geography.boundaries import within
from areaeffect.multiverse.branches import Choice, Curve, CurveCase, Universe, grid, name_of, run_branch
from areaeffect.multiverse.curves import curves_annex
from areaeffect.placebo.programmes import run_programme
from areaeffect.placebo.workers import default_threads, over_processes, single_threaded, version_of_code
from areaeffect.report.files import read_result, write_files
from areaeffect.results import Floats, Result
from areaeffect.study.file import StudyFile, read_study, refuse_missing_cluster
from areaeffect.study.model import Outcome, Study

FOLDER = "branches"
#: Buffer of the second pool where the study's own is 0 km.
_SOME_BUFFER = 1.0


def multiverse(
    path: Path,
    out: Path,
    draws: int,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    store: Path | None = None,
    cluster: str | None = None,
) -> Result:
    """Put a study through every branch, and its results folder with the annex in place.

    A run that is broken off leaves its finished tasks in the folder and goes on from there.

    Parameters
    ----------
    path : the study file.
    out : a results folder of this very study, or a new one (the study is evaluated first).
    draws : placebo programmes that go through every branch.
    threads : worker processes; default one a processor. No number depends on it.
    progress : called with (step, done, of).
    store : folder of the store.
    cluster : address of a Dask scheduler that runs the branches instead.

    Raises
    ------
    StudyError
        Where the folder holds results of another plan, or no outcome makes a claim of change.
    """
    tell = progress or (lambda _step, _done, _of: None)
    n_threads = threads or default_threads()
    prepare(out, lambda *_: None)  # earlier results are added to
    with single_threaded():
        file = read_study(path)
        _refuse_levels(file)
        data, plan = begin(file, store, tell)
        if (out / RUN_FILE).is_file():
            result = _already_evaluated(out, plan)
        else:
            result = estimate(file, data, plan, n_threads, tell)
            write_whole(out, lambda aside: write_files(result, aside))
        universe, choices = make_universe(file.study, data, plan, draws)
        curves = run_tasks(
            universe, choices, out / FOLDER, n_threads, cluster, lambda done, of: tell("branches", done, of)
        )
        annex = curves_annex(universe, file.study, choices, curves, result)
        kept = tuple(a for a in result.annexes if a.name != annex.name)
        result = replace(result, annexes=(*kept, annex))
        tell("report", 0, 1)
        files = [f"{name_of(universe, choice)}.json" for choice in choices]
        write_whole(out, lambda aside: _write(result, files, out, aside))
    return result


def _already_evaluated(out: Path, plan: Plan) -> Result:
    result = read_result(out)
    if result.seal.sha256 != plan.seal.sha256:
        raise StudyError(
            "the folder holds results of another plan: its seal is not this study's.",
            str(out),
            "Evaluate the study into it again, or name a new folder.",
        )
    return result


def _refuse_levels(file: StudyFile) -> None:
    if not any(o.claim == "change" for o in file.study.outcome):
        raise StudyError(
            "no outcome makes a claim of change, and only those have branches.",
            file.where("outcome"),
            'Give an outcome claim = "change".',
        )


def _write(result: Result, branches: Sequence[str], out: Path, aside: Path) -> None:
    """Write the folder with the branch files of this run; those of another plan stay behind."""
    write_files(result, aside)
    (aside / FOLDER).mkdir()
    for name in branches:
        shutil.copyfile(out / FOLDER / name, aside / FOLDER / name)


def make_universe(study: Study, data: Assembled, plan: Plan, draws: int) -> tuple[Universe, list[Choice]]:
    """Gather what every task shares, and list the tasks."""
    arm = plan.leading
    members = tuple(u.areas for u in plan.units)
    real = run_programme(plan.machine, members)
    cases = tuple(
        _curve_case(plan, group, real[:, o], o, outcome)
        for group in groups_of(plan.units)
        for o, outcome in enumerate(study.outcome)
        if outcome.claim == "change"
    )
    pools = {
        km: (plan.pool.eligible, data.panel.near) if is_own else _pool(study, data, km)
        for km, is_own in _buffers(study, data)
    }
    bare = replace(data.panel, attributes={}, contiguity=None, near=None, gaps=(), releases=(), notes=())
    light = replace(arm, panel=bare, _cohorts={}, _sums={})
    universe = Universe(
        arm=light,
        machine=replace(plan.machine, arms=(light,)),
        members=members,
        eligible={km: eligible for km, (eligible, _) in pools.items()},
        near={km: near for km, (_, near) in pools.items()},
        cases=cases,
        n_draws=draws,
        key=hashlib.sha256(f"{plan.seal.sha256} {version_of_code()}".encode()).hexdigest(),
    )
    return universe, grid(study, list(pools))


def _curve_case(plan: Plan, group: Group, real: Floats, position: int, outcome: Outcome) -> CurveCase:
    units = tuple(g for g in group.units if np.isfinite(real[g]).all())
    taken = ReferencePlaces(len(units), disjoint(plan, group.units)[1]).taken
    is_count = outcome.kind == "count"
    return CurveCase(
        group=group.name, outcome=outcome.name, position=position, units=units, is_count=is_count, taken=taken
    )


def _buffers(study: Study, data: Assembled) -> list[tuple[float, bool]]:
    """Return the buffers in km, and whether each is the study's own, which comes first."""
    own = study.register_.buffer_km
    if data.boundaries is None:
        return [(own, True)]
    return [(own, True), (2 * own if own else _SOME_BUFFER, False)]


def _pool(study: Study, data: Assembled, km: float) -> tuple[Any, Any]:
    near = within(data.boundaries, km * 1000) if data.boundaries is not None else None
    register = study.register_.model_copy(update={"buffer_km": km})
    other = study.model_copy(update={"register_": register})
    measures = tuple(data.panel.measures[o.name] for o in study.outcome)
    moved = replace(data, panel=replace(data.panel, near=near))
    return pool_of(other, moved, measures).eligible, near


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
        raise DataError(what, f"--cluster {address}", fix) from None
    with client:
        shared = client.scatter(universe, broadcast=True)
        futures = {client.submit(run_branch, shared, c, pure=False): c for c in choices}
        try:
            for future in distributed.as_completed(futures, loop=client.loop):
                yield futures[future], future.result()
        finally:
            client.cancel(list(futures))
