"""A document as one HTML file that needs no script."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from areaeffect.document.chart_files import FOLDER as CHARTS
from areaeffect.document.page import to_html
from areaeffect.report.annexes import annex_files
from areaeffect.report.contents import report_document
from areaeffect.report.tables import DATA_FILES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.results import Result


def render(result: Result, attachments: Mapping[str, str] = DATA_FILES) -> str:
    """Return the report as one self-contained HTML page.

    Parameters
    ----------
    result : everything the evaluation found.
    attachments : where each table (`findings`, `series`, `placebo_draws`, `balance`,
        `areas`, `benchmark_areas`, `gaps`) can be downloaded, relative to the page; a
        table that is not named gets no link. Links to the files of each chart are made
        only with the default, which is where `files.py` puts them.
    """
    files = links_of(result, attachments)
    charts = CHARTS if attachments is DATA_FILES else ""
    return to_html(report_document(result, files), files, charts)


def links_of(result: Result, attachments: Mapping[str, str] = DATA_FILES) -> dict[str, str]:
    """Return where every table of a result can be downloaded; nothing without attachments."""
    files = {**attachments, **annex_files(result)} if attachments else {}
    return {name: PurePath(path).as_posix() for name, path in files.items()}
