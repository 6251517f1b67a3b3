"""The faces of a result: page, PDF, charts and pages of neighbourhoods, from one document."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from areaeffect.document import chart_files, pdf
from areaeffect.document.csv_files import write_text
from areaeffect.document.page import to_html
from areaeffect.report import neighbourhood_pages, page
from areaeffect.report.contents import report_document
from areaeffect.report.crate import CRATE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.results import Result

REPORT_FILE = "report.html"
PDF_FILE = "report.pdf"


def is_face(path: str) -> bool:
    """Tell whether a path of a results folder is a face, or the crate, which is made after them."""
    folders = (f"{chart_files.FOLDER}/", f"{neighbourhood_pages.FOLDER}/")
    return path in (REPORT_FILE, PDF_FILE, CRATE_FILE) or path.startswith(folders)


def write_faces(result: Result, folder: Path) -> None:
    """Write the report as page and PDF, its charts as files, and the pages of neighbourhoods.

    Parameters
    ----------
    result : as its files hold it.
    folder : an existing folder without these files.
    """
    links = page.links_of(result)
    document = report_document(result, links)
    with ThreadPoolExecutor(1) as beside:  # print is set by a compiler that needs no Python
        printed = beside.submit(pdf.render, document)
        write_text(folder / REPORT_FILE, to_html(document, links, chart_files.FOLDER))
        up = {name: f"../{path}" for name, path in links.items()}
        places = folder / neighbourhood_pages.FOLDER
        for name, own in neighbourhood_pages.pages(result):
            places.mkdir(exist_ok=True)
            write_text(places / name, to_html(own, up))
        charts = folder / chart_files.FOLDER
        charts.mkdir(exist_ok=True)
        chart_files.write_charts(document, charts)
        (folder / PDF_FILE).write_bytes(printed.result())
