"""`areaeffect power`: the smallest effect a study could see, before it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.commands.begin import begin
from areaeffect.document.folders import prepare
from areaeffect.findings.refusals import refuse_everything_refused, refused
from areaeffect.placebo.workers import default_threads, single_threaded
from areaeffect.power.page import write_power
from areaeffect.power.result import PowerReport
from areaeffect.study.file import read_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

from areaeffect.power.calculation import power_of


def power(
    path: Path,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    store: Path | None = None,
    out: Path | None = None,
) -> PowerReport:
    """Plan a study and say what it could see; nothing at or after a start is read.

    Parameters
    ----------
    path : the study file.
    threads, progress, store : as in `evaluate`.
    out : folder for power.json, the tables and power.html; None to write nothing.

    Raises
    ------
    StudyError, DataError
        With every problem found; nothing is written.
    """
    tell = progress or (lambda _step, _done, _of: None)
    if out is not None:
        prepare(out, tell)
    with single_threaded():
        file = read_study(path)
        data, plan = begin(file, store, tell)
        measures = tuple(data.panel.measures[o.name] for o in file.study.outcome)
        lacking = refused(file.study, plan, measures)
        refuse_everything_refused(file.study, plan, lacking, str(path))
        report = power_of(file.study, measures, plan, threads or default_threads(), tell)
    if out is not None:
        write_power(report, out)
    return report
