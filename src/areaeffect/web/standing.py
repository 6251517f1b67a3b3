"""The state of a run: what is finished, what is going on, and what can be taken away."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response

from areaeffect.compare.question import ANSWER, ASKED, DESIGN, PARQUET, POWER, RESULT, Question
from areaeffect.document import svg
from areaeffect.document.folders import MANIFEST
from areaeffect.records import Json
from areaeffect.web.limits import Refusal

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
ACTIVE: Final = (WAITING, RUNNING)


@dataclass(slots=True, kw_only=True)
class Job:
    """One stage of one run while the server remembers it."""

    #: key, stage, question, atlas: what is asked
    key: str
    stage: str
    question: Question
    atlas: str
    state: str = WAITING  # waiting, running, done, failed or cancelled
    #: step, done, of: how far it is
    step: str = "waiting for its turn"
    done: int = 0
    of: int = 0
    #: what, fix: why it failed, and what to do
    what: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """The state of a run."""

    #: key, question, atlas: what was asked, of which atlas
    key: str
    question: Question
    atlas: str
    parts: tuple[str, ...]  # what is finished: design, power, answer, result, parquet
    job: Job | None  # what is going on, or went on last; None after a restart.
    position: int = 0  # how many wait before it
    looks: int | None = None  # earlier answers on this server about some of its areas; None before its own.

    @property
    def active(self) -> bool:
        """Whether something is going on."""
        return self.job is not None and self.job.state in ACTIVE

    @property
    def whole(self) -> bool:
        """Whether no stage was left half done, as by a server that was stopped."""
        return bool(self.parts) and (ANSWER not in self.parts or PARQUET in self.parts)

    def to_dict(self) -> Json:
        """Return plain JSON values, the same on pages and in the API."""
        job = self.job
        values: Json = {
            "key": self.key,
            "base": self.atlas,
            "question": self.question.to_dict(),
            "state": job.state if job else ("done" if self.whole else CANCELLED),
            "parts": list(self.parts),
            "exploratory": True,
            "earlier_answers_on_these_areas": self.looks,
        }
        if job:
            values |= {"stage": job.stage, "step": job.step, "done": job.done, "of": job.of}
            values |= {"waiting_before": self.position}
            if job.state == FAILED:
                values |= {"what": job.what, "fix": job.fix}
        return values


_ONE_DATE: Final = 2  # lines of a chart's table: its head and one date
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


def pictures_of(folder: Path) -> list[tuple[str, str]]:
    """Return name and title of the charts of a run that are worth taking away; `folder` is its own."""
    charts = folder / RESULT / "charts"
    drawn = [
        (path.stem, svg.title_of(path.read_text(encoding="utf-8")))
        for path in sorted(charts.glob("*-trend.svg"))
        if len(path.with_suffix(".csv").read_text(encoding="utf-8").splitlines()) > _ONE_DATE
    ]
    if len(drawn) != 1:
        drawn = [(path.stem, "All outcomes") for path in charts.glob("*-effects.svg")] + drawn
    return drawn


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
