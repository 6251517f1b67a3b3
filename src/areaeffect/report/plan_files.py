"""A sealed plan as files: document for registration, and data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.document import pdf
from areaeffect.document.csv_files import json_text, write_table, write_text
from areaeffect.document.folders import write_whole
from areaeffect.document.page import to_html
from areaeffect.records import Column
from areaeffect.report.contents import plan_document, plan_in_print
from areaeffect.report.files import design_values, rounded

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.document.blocks import Document, Section
    from areaeffect.results import Result

PLAN_PAGE, PLAN_PDF, PLAN_DATA = "plan.html", "plan.pdf", "design.json"
PLAN_AREAS = "areas.csv"
_PAGES, _ON_POWER = 2, (12, 8, 5, 3, 1)
_AREAS = (
    Column("area", "string", "area code"),
    Column("name", "string", "its name"),
    Column("role", "string", "treated, benchmark, not chosen or left out"),
    Column("reason", "string", "why it is left out or not chosen"),
    Column("initiative", "string", "of a treated area"),
    Column("neighbourhood", "string", "of a treated area"),
    Column("weight", "number", "of a benchmark area, over all neighbourhoods"),
)


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
        write_table(aside / PLAN_AREAS, "Every area, and what it is in the plan", _AREAS, statuses)

    write_whole(folder, write)


def _on_two_pages(document: Document) -> bytes:
    """Print a plan on two pages where it can: with as much on power as there is room for."""
    printed = b""
    for most in _ON_POWER:
        printed = pdf.render(plan_in_print(document, most))
        if pdf.pages(printed) <= _PAGES:
            break
    return printed
