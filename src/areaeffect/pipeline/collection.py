"""Evaluating a collection: every part into a folder of its own, then one report over all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.pipeline.evaluate import evaluate, evaluate_into
from areaeffect.report.collection_files import write_collection
from areaeffect.report.files import refuse_foreign, write_whole
from areaeffect.study_collection import is_collection, read_collection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from areaeffect.results import Result


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
    results = {}
    for part in file.collection.part:
        tell = _told(part.name, progress) if progress else None
        results[part.name] = evaluate(file.study(part), threads, tell, store)
    if progress:
        progress("report", 0, 1)
    write_whole(out, lambda folder: write_collection(file.collection, results, folder))
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


def _told(name: str, progress: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    return lambda step, done, of: progress(f"{name}: {step}", done, of)
