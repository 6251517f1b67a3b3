"""The faces of a result, pages and charts, and the folder's list of files as an RO-Crate."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import Any

from areaeffect.document import page
from areaeffect.document.chart_tables import write_text
from areaeffect.document.folders import MANIFEST
from areaeffect.document.page import FOLDER as CHARTS
from areaeffect.document.page import to_html
from areaeffect.records import Json
from areaeffect.report import neighbourhood_pages
from areaeffect.report.contents import annex_files, report_document
from areaeffect.report.summary import ANNEX_FILE, ANNEX_PDF, PDF_FILE, two_pages
from areaeffect.report.tables import DATA_FILES
from areaeffect.results import Result

REPORT_FILE = "report.html"


def is_face(path: str) -> bool:
    """Tell whether a path of a results folder is a face, or the crate, which is made after them."""
    folders = (f"{page.FOLDER}/", f"{neighbourhood_pages.FOLDER}/")
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
        printed = beside.submit(lambda: page.to_pdf(annex))
        summary, sheets = two_pages(result, links)
        (folder / PDF_FILE).write_bytes(sheets)
        write_text(folder / REPORT_FILE, to_html(summary, {}))
        write_text(folder / ANNEX_FILE, to_html(annex, links, page.FOLDER))
        up = {name: f"../{path}" for name, path in links.items()}
        places = folder / neighbourhood_pages.FOLDER
        for name, own in neighbourhood_pages.pages(result):
            places.mkdir(exist_ok=True)
            write_text(places / name, to_html(own, up))
        charts = folder / page.FOLDER
        charts.mkdir(exist_ok=True)
        page.write_charts((annex, summary), charts)
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


CRATE_FILE = "ro-crate-metadata.json"
_NOT_DESCRIBED = (CRATE_FILE, MANIFEST)
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_NAMES = {
    "findings.json": "Findings",
    "design.json": "Benchmark areas, weights, balance and seal",
    "run.json": "Plan, releases, versions and gaps",
    "report.html": "Report in two pages",
    "report.pdf": "Report in two pages, PDF/UA",
    "annex.html": "Annex: method, checks and every result",
    "annex.pdf": "Annex, PDF/UA",
}
NO_DATE = "1970-01-01"


def crate(result: Result, folder: Path) -> Json:
    """Describe every file of a results folder.

    Parameters
    ----------
    result : what the folder holds.
    folder : with all its other files written.
    """
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in _NOT_DESCRIBED)
    files = [_file(path, folder) for path in paths]
    inputs = [_input(i, release) for i, release in enumerate(result.releases, 1)]
    parts = [{"@id": file["@id"]} for file in files]
    return {
        "@context": f"{SPECIFICATION}/context",
        "@graph": [
            {
                "@id": CRATE_FILE,
                "@type": "CreativeWork",
                "conformsTo": {"@id": SPECIFICATION},
                "about": {"@id": "./"},
            },
            _root(result, parts),
            _software(result),
            _action(result, inputs, parts),
            _licences(result),
            *inputs,
            *files,
        ],
    }


def _root(result: Result, parts: list[dict[str, str]]) -> Json:
    window = result.plan.get("study", {}).get("window") or {}
    first, last = str(window.get("start", "")), str(window.get("end", ""))
    dated = re.match(r"\d{4}(-\d\d)?", last)
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": result.title,
        "description": result.question or result.title,
        "identifier": f"sha256:{result.seal.sha256}",
        "datePublished": dated[0] if dated else NO_DATE,
        "comment": "No clock is read, so that the same input gives the same bytes: datePublished "
        "is the end of the study's window, not the day of the run.",
        "temporalCoverage": f"{first}/{last}",
        "license": {"@id": "#licences"},
        "mainEntity": {"@id": "findings.json"},
        "mentions": {"@id": "#evaluation"},
        "hasPart": parts,
    }


def _software(result: Result) -> Json:
    return {
        "@id": "#areaeffect",
        "@type": "SoftwareApplication",
        "name": "areaeffect",
        "version": result.versions.get("areaeffect", "not given"),
        "softwareRequirements": [
            f"{name} {version}" for name, version in result.versions.items() if name != "areaeffect"
        ],
    }


def _action(result: Result, inputs: list[Json], parts: list[dict[str, str]]) -> Json:
    return {
        "@id": "#evaluation",
        "@type": "CreateAction",
        "name": "areaeffect evaluate",
        "description": f"Sealed plan {result.seal.sha256}, evaluated with these inputs.",
        "instrument": {"@id": "#areaeffect"},
        "object": [{"@id": item["@id"]} for item in inputs],
        "result": parts,
    }


def _licences(result: Result) -> Json:
    licences = dict.fromkeys(r.licence for r in result.releases if r.licence)
    return {
        "@id": "#licences",
        "@type": "CreativeWork",
        "name": "Licences of the inputs",
        "description": "; ".join(licences) or "No licence of an input was given.",
    }


def _input(number: int, release: Any) -> Json:
    return {
        "@id": f"#input-{number}",
        "@type": "CreativeWork",
        "name": f"{release.source}: {release.file}",
        "sha256": release.sha256,
        "license": release.licence or "not given",
        "creditText": release.attribution or "not given",
    }


def _file(path: Path, folder: Path) -> Json:
    own = path.relative_to(folder).as_posix()
    content = path.read_bytes()
    name = _NAMES.get(own, path.name)
    return {
        "@id": own,
        "@type": "File",
        "name": name,
        "encodingFormat": _FORMATS.get(path.suffix, "application/octet-stream"),
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
