"""A document as one HTML file that needs no script."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from areaeffect.report.annexes import annex_files
from areaeffect.report.contents import report_document
from areaeffect.report.tables import DATA_FILES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.report.document import Document
    from areaeffect.results import Result


def render(result: Result, attachments: Mapping[str, str] = DATA_FILES) -> str:
    """Return the report as one self-contained HTML page.

    Parameters
    ----------
    result : everything the evaluation found.
    attachments : where each table (`findings`, `series`, `placebo_draws`, `balance`,
        `areas`, `benchmark_areas`, `gaps`) can be downloaded, relative to the page; a
        table that is not named gets no link.
    """
    files = links_of(result, attachments)
    return to_html(report_document(result, files), files)


def links_of(result: Result, attachments: Mapping[str, str] = DATA_FILES) -> dict[str, str]:
    """Return where every table of a result can be downloaded; nothing without attachments."""
    files = {**attachments, **annex_files(result)} if attachments else {}
    return {name: PurePath(path).as_posix() for name, path in files.items()}


def to_html(document: Document, files: Mapping[str, str]) -> str:
    """Return a document as a page that holds all it needs.

    Parameters
    ----------
    document : what to print.
    files : address of each table's file, by name; a table that is not named gets no link.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # heavy

    environment = Environment(
        loader=PackageLoader("areaeffect.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = lambda block: type(block).__name__
    text = environment.get_template("page.html.j2").render(document=document, links=files)
    return text if text.endswith("\n") else text + "\n"
