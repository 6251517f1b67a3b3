"""Evaluating a collection: every part into a folder of its own, then one report over all."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.commands.evaluate import evaluate, evaluate_into
from areaeffect.document.folders import prepare, write_whole
from areaeffect.placebo.workers import default_threads, over_processes
from areaeffect.report.collection import held_collection, rebuild_collection, write_over_parts, write_part
from areaeffect.report.files import rebuild_report
from areaeffect.study.file import is_collection, read_collection

if TYPE_CHECKING:
    from areaeffect.results import Result

    _Task = tuple[str, Path, Path | None]


def evaluate_collection(
    path: Path,
    out: Path,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    store: Path | None = None,
) -> dict[str, Result]:
    """Evaluate every study of a collection, and write one folder that appears whole or not at all.

    Returns
    -------
    dict
        The result of each part, by its name.

    Raises
    ------
    AreaEffectError
        Of the first part that fails; nothing is written then.
    """
    file = read_collection(path)
    tell = progress or (lambda _step, _done, _of: None)
    prepare(out, tell)
    tasks = [(part.name, file.study(part), store) for part in file.collection.part]
    results: dict[str, Result] = {}

    def write(folder: Path) -> None:
        results.update(_evaluate_all(tasks, folder, threads or default_threads(), tell))
        tell("report", 0, 1)
        write_over_parts(file.collection, results, folder)

    write_whole(out, write)
    return results


def evaluate_any(
    path: Path,
    out: Path,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    store: Path | None = None,
) -> list[Result]:
    """Evaluate a study or a collection into a folder; return the result of every study."""
    if is_collection(path):
        return list(evaluate_collection(path, out, threads, progress, store).values())
    return [evaluate_into(path, out, threads, progress, store)]


def _evaluate_all(
    tasks: list[_Task], folder: Path, threads: int, tell: Callable[[str, int, int], None]
) -> dict[str, Result]:
    """Evaluate and write the parts beside each other, a process a part, as many as allowed.

    A part's steps between its placebo draws use one processor, so that parts beside each other
    are done sooner than draws beside each other.
    """
    messages = multiprocessing.get_context("spawn").SimpleQueue()

    def pass_on() -> None:
        while not messages.empty():
            tell(*messages.get())

    beside = threads > 1 and len(tasks) > 1
    found = over_processes(
        _evaluate,
        _CollectionRun(
            folder, 1 if beside else threads, messages.put if beside else lambda step: tell(*step)
        ),
        tasks,
        threads,
        start="spawn",  # a fork keeps locks of typst's threads, if any
        tasks_each=1,  # what a part held goes back to the machine when it is done
        while_waiting=pass_on,
    )
    results = dict(found)
    return {name: results[i] for i, (name, _, _) in enumerate(tasks)}


@dataclass(frozen=True, slots=True)
class _CollectionRun:
    """What every part of a collection shares: the folder, its processes, and whom it tells."""

    folder: Path
    threads: int
    tell: Callable[[tuple[str, int, int]], None]


def _evaluate(whole: _CollectionRun, task: _Task) -> Result:
    name, path, store = task
    found = evaluate(path, whole.threads, _named(name, whole.tell), store)
    return write_part(found, whole.folder / name)


def _named(name: str, tell: Callable[[tuple[str, int, int]], None]) -> Callable[[str, int, int], None]:
    return lambda step, done, of: tell((f"{name}: {step}", done, of))


def rebuild(folder: Path) -> Path:
    """Rebuild the report; return its path."""
    if held_collection(folder) is not None:
        return rebuild_collection(folder)
    return rebuild_report(folder)
