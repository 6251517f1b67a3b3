"""Evaluating a collection: every part into a folder of its own, then one report over all."""

from __future__ import annotations

import multiprocessing
import signal
import time
from typing import TYPE_CHECKING

from areaeffect.commands.evaluate import evaluate, evaluate_into
from areaeffect.document.folders import refuse_foreign, write_whole
from areaeffect.placebo.workers import default_threads
from areaeffect.report.collection_files import write_over_parts, write_part
from areaeffect.study.collection import is_collection, read_collection
from areaeffect.wording.phrases import refuse_language

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.queues import SimpleQueue
    from pathlib import Path

    from areaeffect.results import Result

    _Task = tuple[str, Path, Path | None]

_LOOKS_EVERY = 0.05  # seconds
_told_parent: SimpleQueue[tuple[str, int, int]] | None = None


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
    refuse_foreign(out)
    tell = progress or (lambda _step, _done, _of: None)
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
    language: str = "",
) -> list[Result]:
    """Evaluate a study or a collection into a folder; return the result of every study.

    `language` is that of the report's first answers; empty: that of the study.

    Raises
    ------
    StudyError
        For a language without phrases, and for one asked of a collection.
    """
    if is_collection(path):
        refuse_language(language, path)
        return list(evaluate_collection(path, out, threads, progress, store).values())
    return [evaluate_into(path, out, threads, progress, store, language)]


def _evaluate_all(
    tasks: list[_Task], folder: Path, threads: int, tell: Callable[[str, int, int], None]
) -> dict[str, Result]:
    """Evaluate and write the parts beside each other, a process a part, as many as allowed.

    A part's steps between its placebo draws use one processor, so that parts beside each other
    are done sooner than draws beside each other.
    """
    if threads == 1 or len(tasks) == 1:
        return {
            name: write_part(evaluate(path, threads, _told(name, tell), store), folder / name)
            for name, path, store in tasks
        }
    context = multiprocessing.get_context("spawn")  # a fork keeps locks of typst's threads, if any
    told: SimpleQueue[tuple[str, int, int]] = context.SimpleQueue()
    # One part a process: what a part held goes back to the machine when it is done.
    with context.Pool(min(threads, len(tasks)), _hold, (told,), maxtasksperchild=1) as pool:
        waiting = [pool.apply_async(_evaluate, (task, folder)) for task in tasks]
        while any(not w.ready() for w in waiting):
            failed = [w for w in waiting if w.ready() and not w.successful()]
            if failed:
                failed[0].get()  # raises what the part raised
            while not told.empty():
                tell(*told.get())
            time.sleep(_LOOKS_EVERY)
        return {name: w.get() for (name, _, _), w in zip(tasks, waiting, strict=True)}


def _hold(told: SimpleQueue[tuple[str, int, int]]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    global _told_parent  # noqa: PLW0603  # one a process
    _told_parent = told


def _evaluate(task: _Task, folder: Path) -> Result:
    name, path, store = task
    if _told_parent is None:
        raise RuntimeError
    queue = _told_parent
    found = evaluate(path, 1, _told(name, lambda *step: queue.put(step)), store)
    return write_part(found, folder / name)


def _told(name: str, tell: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    return lambda step, done, of: tell(f"{name}: {step}", done, of)
