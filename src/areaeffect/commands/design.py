"""`areaeffect design`: the sealed plan as a document for registration, before outcomes are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.commands.begin import begin
from areaeffect.commands.evaluate import planned
from areaeffect.document.blocks import Paragraph, Section
from areaeffect.document.folders import prepare
from areaeffect.placebo.workers import default_threads, single_threaded
from areaeffect.power.calculation import power_of
from areaeffect.power.page import power_section
from areaeffect.report.plan_files import write_plan
from areaeffect.study.file import read_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from areaeffect.assembly.assemble import Assembled
    from areaeffect.findings.plan import Plan
    from areaeffect.study.file import StudyFile

NO_POWER = Section(
    "power",
    "What this study could see",
    (Paragraph("Not computed for this plan. `areaeffect power` computes it from the same file."),),
)


def design_into(
    path: Path,
    out: Path,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    store: Path | None = None,
    *,
    power: bool = True,
) -> str:
    """Write the plan of a study into a folder, and return its seal.

    Parameters
    ----------
    path : the study file.
    out : folder for plan.html, plan.pdf and design.json.
    threads, progress, store : as in `evaluate`.
    power : whether to compute what the study could see, from the years before the first start.

    Raises
    ------
    StudyError, DataError
        With every problem found; nothing is written.
    """
    tell = progress or (lambda _step, _done, _of: None)
    prepare(out, tell)
    with single_threaded():
        file = read_study(path)
        data, plan = begin(file, store, tell)
        section = NO_POWER
        if power:
            measures = tuple(data.panel.measures[o.name] for o in file.study.outcome)
            found = power_of(file.study, measures, plan, threads or default_threads(), tell)
            section = power_section(found)
        write_design(file, data, plan, section, out)
    return plan.seal.sha256


def write_design(file: StudyFile, data: Assembled, plan: Plan, power: Section, out: Path) -> None:
    """Write a sealed plan; nothing of it depends on an outcome after the start it designs for."""
    write_plan(planned(file, data, plan), power, out)
