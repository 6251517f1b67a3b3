"""A collection as files: a folder of results for every part, and one report over them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from areaeffect.document import pdf
from areaeffect.document.csv_files import json_text, write_text
from areaeffect.document.folders import RUN_FILE, seal_folder, write_again
from areaeffect.document.page import to_html
from areaeffect.errors import DataError, Problem
from areaeffect.report.collection import collection_document
from areaeffect.report.faces import PDF_FILE, REPORT_FILE
from areaeffect.report.files import (
    FORMAT,
    findings_content,
    read_result,
    rebuild_report,
    rounded,
    write_files,
)
from areaeffect.study.collection import Collection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from areaeffect.results import Result


def write_part(result: Result, folder: Path) -> Result:
    """Write one part into a new folder; return its result as the files hold it."""
    held = rounded(result)
    folder.mkdir()
    write_files(held, folder)
    seal_folder(folder)
    return held


def write_over_parts(collection: Collection, held: Mapping[str, Result], folder: Path) -> None:
    """Write what stands over the parts, which the folder holds already."""
    findings = [
        {"part": name, **row} for name, r in held.items() for row in findings_content(r)["findings"]
    ]
    seals = {name: result.seal.sha256 for name, result in held.items()}
    plan = collection.model_dump(mode="json")
    contents = {
        "findings.json": {"study": collection.title, "seals": seals, "findings": findings},
        RUN_FILE: {"format": FORMAT, "title": collection.title, "collection": plan},
    }
    for name, content in contents.items():
        write_text(folder / name, json_text(content, indent=1))
    _write_faces(collection, held, folder)


def rebuild_collection(folder: Path) -> Path:
    """Write the reports of every part and the one over them again, from the folder alone.

    Raises
    ------
    DataError
        Where a part is missing or cannot be read.
    """
    collection = held_collection(folder)
    if collection is None:
        what = "the folder holds no collection."
        raise DataError(Problem(what, str(folder), "Name a folder that `evaluate` wrote."))
    for part in collection.part:
        rebuild_report(folder / part.name)
    results = {part.name: read_result(folder / part.name) for part in collection.part}
    write_again(
        folder,
        lambda made: _write_faces(collection, results, made),
        lambda path: path in (REPORT_FILE, PDF_FILE),
    )
    return folder / REPORT_FILE


def held_collection(folder: Path) -> Collection | None:
    """Return the collection whose results a folder holds; None for those of one study."""
    try:
        run: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Collection.model_validate(run["collection"]) if "collection" in run else None


def _write_faces(collection: Collection, results: Mapping[str, Result], folder: Path) -> None:
    document = collection_document(collection, results)
    write_text(folder / REPORT_FILE, to_html(document, {}))
    (folder / PDF_FILE).write_bytes(pdf.render(document))
