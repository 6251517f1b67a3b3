"""The faces of a result: two pages, their annex, charts and pages of neighbourhoods."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath
from typing import TYPE_CHECKING

from areaeffect.document import pdf
from areaeffect.document.csv_files import write_text
from areaeffect.document.page import to_html
from areaeffect.document.pdf import FOLDER as CHARTS
from areaeffect.report import neighbourhood_pages
from areaeffect.report.contents import annex_files, report_document
from areaeffect.report.crate import CRATE_FILE
from areaeffect.report.summary import ANNEX_FILE, ANNEX_PDF, PDF_FILE, two_pages
from areaeffect.report.tables import DATA_FILES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from areaeffect.results import Result

REPORT_FILE = "report.html"


def is_face(path: str) -> bool:
    """Tell whether a path of a results folder is a face, or the crate, which is made after them."""
    folders = (f"{pdf.FOLDER}/", f"{neighbourhood_pages.FOLDER}/")
    return path in (REPORT_FILE, PDF_FILE, ANNEX_FILE, ANNEX_PDF, CRATE_FILE) or path.startswith(folders)


def write_faces(result: Result, folder: Path) -> None:
    """Write the report and its annex as page and PDF, charts, and pages of neighbourhoods.

    Parameters
    ----------
    result : as its files hold it.
    folder : an existing folder without these files.
    """
    links = links_of(result)
    annex = report_document(result, links)
    with ThreadPoolExecutor(1) as beside:  # print is set by a compiler that needs no Python
        printed = beside.submit(lambda: pdf.render(annex))
        summary, sheets = two_pages(result, links)
        (folder / PDF_FILE).write_bytes(sheets)
        write_text(folder / REPORT_FILE, to_html(summary, {}))
        write_text(folder / ANNEX_FILE, to_html(annex, links, pdf.FOLDER))
        up = {name: f"../{path}" for name, path in links.items()}
        places = folder / neighbourhood_pages.FOLDER
        for name, own in neighbourhood_pages.pages(result):
            places.mkdir(exist_ok=True)
            write_text(places / name, to_html(own, up))
        charts = folder / pdf.FOLDER
        charts.mkdir(exist_ok=True)
        pdf.write_charts((annex, summary), charts)
        (folder / ANNEX_PDF).write_bytes(printed.result())


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
