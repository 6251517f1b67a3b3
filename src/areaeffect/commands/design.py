"""`areaeffect power` and `areaeffect design`: what a study could see, and its sealed plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from areaeffect.assembly.assemble import Assembled
from areaeffect.commands.evaluate import begin, planned
from areaeffect.document import page
from areaeffect.document.blocks import Document, Paragraph, Section
from areaeffect.document.chart_tables import json_text, write_table, write_text
from areaeffect.document.folders import prepare, write_whole
from areaeffect.document.page import to_html
from areaeffect.findings.plan import Plan
from areaeffect.findings.refusals import refuse_everything_refused, refused
from areaeffect.placebo.workers import default_threads, single_threaded
from areaeffect.power.calculation import PowerReport, power_of
from areaeffect.power.page import power_section, write_power
from areaeffect.records import columns_of
from areaeffect.report.contents import plan_document, plan_in_print
from areaeffect.report.files import design_values, rounded
from areaeffect.results import AreaStatus, Result
from areaeffect.study.file import StudyFile, read_study

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


PLAN_PAGE, PLAN_PDF, PLAN_DATA = "plan.html", "plan.pdf", "design.json"
PLAN_AREAS = "areas.csv"
_PAGES, _ON_POWER = 2, (12, 8, 5, 3, 1)


def write_plan(result: Result, power: Section, folder: Path) -> None:
    """Write a sealed plan; the folder appears whole or not at all.

    Parameters
    ----------
    result : a plan without findings.
    power : what the study could see, or why that is not known.
    folder : new, empty, or of an earlier plan.

    Raises
    ------
    StudyError
        Where the folder holds something that this program did not write.
    """
    result = rounded(result)
    document = plan_document(result, power)

    def write(aside: Path) -> None:
        write_text(aside / PLAN_PAGE, to_html(document, {}))
        (aside / PLAN_PDF).write_bytes(_on_two_pages(document))
        content = {"title": result.title, "question": result.question, **design_values(result)}
        statuses = content.pop("areas")  # of a whole country: five times all the rest
        write_text(aside / PLAN_DATA, json_text(content | {"plan": result.plan}, indent=None))
        write_table(
            aside / PLAN_AREAS, "Every area, and what it is in the plan", columns_of(AreaStatus), statuses
        )

    write_whole(folder, write)


def _on_two_pages(document: Document) -> bytes:
    """Print a plan on two pages where it can: with as much on power as there is room for."""
    printed = b""
    for most in _ON_POWER:
        printed = page.to_pdf(plan_in_print(document, most))
        if page.pages(printed) <= _PAGES:
            break
    return printed
