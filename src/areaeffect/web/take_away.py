"""What a user may take away from a run: study file, report, tables, all of it in one archive."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Final

from starlette.responses import FileResponse, Response

from areaeffect.compare.question import AREAS_FILE, STUDY_FILE
from areaeffect.compare.run_folder import ASKED, DESIGN, PARQUET, POWER, RESULT
from areaeffect.document.folders import MANIFEST
from areaeffect.web.refusals import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.web.standing import RunState

ARCHIVE: Final = "everything.zip"
_TYPES: Final = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".toml": "application/toml",
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".parquet": "application/vnd.apache.parquet",
}
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}(?:/[A-Za-z0-9_.-]{1,100}){0,3}")
#: Where the files of an address lie: the first folder that has it.
_PLACES: Final = (ASKED, DESIGN, POWER, RESULT)


def offered(standing: RunState) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what there is to take away by now: headings, each with (words, address)."""
    at = f"/compare/{standing.key}"
    groups = [
        ("Run it yourself", [("Study file", f"{at}/{STUDY_FILE}"), ("Its areas (CSV)", f"{at}/{AREAS_FILE}")])
    ]
    if DESIGN in standing.parts:
        own = [("Benchmark areas and why (CSV)", f"{at}/likeness.csv")]
        own += [("Sealed design (JSON)", f"{at}/design/design.json")]
        groups.append(("Benchmark areas", own))
    if RESULT in standing.parts and PARQUET in standing.parts:
        report = [("Report (web page)", f"{at}/report.html"), ("Report (PDF)", f"{at}/report.pdf")]
        report += [("Annex (web page)", f"{at}/annex.html"), ("Annex (PDF)", f"{at}/annex.pdf")]
        groups.append(("Report", report))
        main = [
            ("All findings (CSV)", f"{at}/data/findings.csv"),
            ("what its columns mean (CSV-W)", f"{at}/data/findings.csv-metadata.json"),
            ("All findings (Parquet)", f"{at}/parquet/findings.parquet"),
            ("Everything in one archive (ZIP)", f"{at}/{ARCHIVE}"),
        ]
        groups.append(("Data", main))
    return groups


def taken(folder: Path, name: str) -> Response:
    """Return one file of a run.

    Raises
    ------
    Refusal
        404: there is none of that name, or not yet.
    """
    if name == ARCHIVE and (folder / RESULT).is_dir():
        content = _archive(folder)
        return Response(content, media_type="application/zip", headers=_saved(f"{folder.name}.zip"))
    root = folder.resolve()
    for place in (".", *_PLACES) if _NAME.fullmatch(name) else ():
        path = (root / place / name).resolve()
        if root in path.parents and path.is_file() and path.suffix in _TYPES:
            headers = _saved(f"{folder.name[:8]}-{path.name}")
            return FileResponse(path, media_type=_TYPES[path.suffix], headers=headers)
    fix = "Go back to the run's page: it lists what there is."
    raise Refusal(404, "This run has no such file, or not yet.", fix)


def _saved(name: str) -> dict[str, str]:
    """Have a browser save a file: a page of ours never runs what a result holds."""
    return {"content-disposition": f'attachment; filename="{name}"'}


def _archive(folder: Path) -> bytes:
    """Pack study file, results and Parquet tables; the same files give the same bytes.

    Of the lists of files, that of the results is kept.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in (ASKED, RESULT, PARQUET):
            for path in sorted((folder / part).rglob("*")):
                if path.is_file() and not (part != RESULT and path.name == MANIFEST):
                    inside = path.relative_to(folder / part).as_posix()
                    name = inside if part != PARQUET else f"{PARQUET}/{inside}"
                    entry = zipfile.ZipInfo(f"{folder.name}/{name}", (1980, 1, 1, 0, 0, 0))
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    archive.writestr(entry, path.read_bytes())
    return out.getvalue()
