"""The faces of a result: two pages, their annex, charts and pages of neighbourhoods."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from areaeffect.document import chart_files, pdf
from areaeffect.document.csv_files import write_text
from areaeffect.document.page import to_html
from areaeffect.report import neighbourhood_pages, page
from areaeffect.report.contents import report_document
from areaeffect.report.crate import CRATE_FILE
from areaeffect.report.summary import ANNEX_FILE, ANNEX_PDF, PDF_FILE, two_pages

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.results import Result

REPORT_FILE = "report.html"


def is_face(path: str) -> bool:
    """Tell whether a path of a results folder is a face, or the crate, which is made after them."""
    folders = (f"{chart_files.FOLDER}/", f"{neighbourhood_pages.FOLDER}/")
    return path in (REPORT_FILE, PDF_FILE, ANNEX_FILE, ANNEX_PDF, CRATE_FILE) or path.startswith(
        folders
    )


def write_faces(result: Result, folder: Path) -> None:
    """Write the report and its annex as page and PDF, charts, and pages of neighbourhoods.

    Parameters
    ----------
    result : as its files hold it.
    folder : an existing folder without these files.
    """
    links = page.links_of(result)
    annex = report_document(result, links)
    with ThreadPoolExecutor(1) as beside:  # print is set by a compiler that needs no Python
        printed = beside.submit(lambda: pdf.render(annex))
        summary, sheets = two_pages(result, links)
        (folder / PDF_FILE).write_bytes(sheets)
        write_text(folder / REPORT_FILE, to_html(summary, {}))
        write_text(folder / ANNEX_FILE, to_html(annex, links, chart_files.FOLDER))
        up = {name: f"../{path}" for name, path in links.items()}
        places = folder / neighbourhood_pages.FOLDER
        for name, own in neighbourhood_pages.pages(result):
            places.mkdir(exist_ok=True)
            write_text(places / name, to_html(own, up))
        charts = folder / chart_files.FOLDER
        charts.mkdir(exist_ok=True)
        chart_files.write_charts(annex, charts)
        (folder / ANNEX_PDF).write_bytes(printed.result())
