"""Finished runs in a folder: which there are, and what each holds and says."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from areaeffect.errors import AreaEffectError, DataError
from areaeffect.records import Row
from areaeffect.results import Finding
from areaeffect.web import limits

_RUN, _FINDINGS, _DESIGN, _CRATE = "run.json", "findings.json", "design.json", "ro-crate-metadata.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
#: Files of a run that are published. A run that lists any other is not one of ours.
_FILES = re.compile(
    r"(?:(?:report|annex|plan)\.(?:html|pdf)|(?:findings|design|run|ro-crate-metadata)\.json"
    r"|data/[a-z0-9_-]+\.(?:csv|csv-metadata\.json|json|parquet)"
    r"|charts/[a-z0-9_-]+\.(?:svg|png|csv|csv-metadata\.json)"
    r"|neighbourhoods/[a-z0-9_-]+\.html)"
)
_EVALUATE: Final = "Evaluate the study again, or copy the whole folder again."
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A story or an event of the study: what people say, beside the numbers."""

    kind: str  # 'story' or 'event'
    key: str  # name of its place on the page
    place: str  # its neighbourhood; empty: all of them.
    date: str  # a year, a month or a day, as written
    title: str  # of the story; of an event, what happened.
    #: text, families: of a story: what was said, and the outcome families it speaks of
    text: str = ""
    families: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRun:
    """A results folder, read and checked against its own list of files."""

    path: str  # its address: the name of its folder; of a part, after that of its collection and `/`.
    #: title, question: of its study
    title: str
    question: str
    folder: Path
    files: tuple[str, ...]  # relative to the folder
    main: Mapping[str, Finding]  # the findings that carry the report, by the key of their page
    stories: tuple[Story, ...] = ()
    seal: str = ""  # hash of the sealed plan; empty for a collection.
    updated: datetime  # when its `run.json` was written; not later than SOURCE_DATE_EPOCH where that is set.
    parts: tuple[str, ...] = ()  # names of the parts of a collection; empty for one study.


@dataclass(frozen=True, slots=True)
class PublishedRuns:
    """All runs of a folder by path, parts of collections included, and why others are left out."""

    runs: Mapping[str, PublishedRun] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def top(self) -> list[PublishedRun]:
        """Runs and collections, without the parts of collections."""
        return [run for path, run in self.runs.items() if "/" not in path]

    def parts(self, run: PublishedRun) -> list[PublishedRun]:
        """Return the parts of a collection that can be read."""
        paths = (f"{run.path}/{part}" for part in run.parts)
        return [self.runs[path] for path in paths if path in self.runs]


class RunsFolder:
    """A folder of runs, looked at again at most once in a short while; a known run is kept."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._runs = PublishedRuns()
        self._known: dict[str, tuple[str, PublishedRun | str]] = {}
        self._looked = -1.0
        self._lock = threading.Lock()

    @property
    def runs(self) -> PublishedRuns:
        """What is there now: no damaged run takes another with it."""
        with self._lock:
            if time.monotonic() - self._looked > limits.LOOK_AGAIN_SECONDS:
                known = {}
                for path, folder in folders_of(self.folder):
                    state, before = _state(folder), self._known.get(path, ("", ""))
                    known[path] = before if before[0] == state else (state, _read(path, folder))
                runs = {path: run for path, (_, run) in known.items() if not isinstance(run, str)}
                faults = {path: why for path, (_, why) in known.items() if isinstance(why, str)}
                self._known, self._runs = known, PublishedRuns(runs, faults)
                self._looked = time.monotonic()
            return self._runs


def folders_of(folder: Path | None) -> list[tuple[str, Path]]:
    """Return every folder with a `run.json`, and those one level below it, by path."""
    found = []
    for top in _with_run(folder):
        found.append((top.name, top))
        found += [(f"{top.name}/{part.name}", part) for part in _with_run(top)]
    return found


def _with_run(folder: Path | None) -> list[Path]:
    try:
        there = sorted(folder.iterdir()) if folder else []
    except OSError:
        return []
    return [p for p in there if not p.name.startswith(".") and os.path.lexists(p / _RUN)]


def _state(folder: Path) -> str:
    """Return what changes when a run is written again."""
    seen = [path.stat() if (path := folder / n).exists() else None for n in (_RUN, _FINDINGS, _CRATE)]
    return repr([s and (s.st_mtime_ns, s.st_size, s.st_ino) for s in seen])


def _read(path: str, folder: Path) -> PublishedRun | str:
    """Read a run; return why it is left out instead where it is damaged, in whatever way."""
    try:
        return _read_run(path, folder)
    except AreaEffectError as error:
        why = str(error.problems[0])
    except Exception as error:  # a stranger's folder may hold anything
        why = f"its files cannot be read ({type(error).__name__}). {_EVALUATE}"
    _LOG.warning("%s is not shown: %s", folder, why)
    return why


def _read_run(path: str, folder: Path) -> PublishedRun:
    """Read one run and check every file against the hash that `evaluate` gave it."""
    from areaeffect.document.svg import key_of
    from areaeffect.report.files import read_findings
    from areaeffect.wording import main_findings

    if not all(_NAME.fullmatch(name) for name in path.split("/")):
        fix = "Rename the folder: letters, digits, '-' and '_'."
        raise DataError("this name cannot be part of an address.", path[:80], fix)
    about = json.loads((folder / _RUN).read_text(encoding="utf-8"))
    collection = about.get("collection") or {}
    parts = tuple(str(part["name"]) for part in collection.get("part", ()))
    if parts:
        files = [p.name for p in folder.iterdir() if p.is_file() and _FILES.fullmatch(p.name)]
        for name in files:
            _own(folder, name)
    else:
        files = [*_checked(folder), _CRATE]
    main = () if parts else main_findings(read_findings(folder))
    seconds, latest = int((folder / _RUN).stat().st_mtime), os.environ.get("SOURCE_DATE_EPOCH", "")
    if re.fullmatch(r"[0-9]{1,11}", latest):
        seconds = min(seconds, int(latest))
    return PublishedRun(
        path=path,
        title=str(about["title"]),
        question=str(about.get("question", collection.get("question", ""))),
        folder=folder,
        files=tuple(sorted(files)),
        main={key_of(f.group, f.outcome, f.claim, f.form): f for f in main},
        stories=_stories(folder, files),
        seal="" if parts else str(json.loads((folder / _DESIGN).read_text("utf-8"))["seal"]["sha256"]),
        updated=datetime.fromtimestamp(seconds, UTC),
        parts=parts,
    )


def _checked(folder: Path) -> list[str]:
    """Return the files that a run lists, each of them here and as it was written."""
    graph = json.loads((folder / _CRATE).read_text("utf-8"))["@graph"]
    listed = {e["@id"]: e["sha256"] for e in graph if e.get("@type") == "File"}
    for name, sha256 in listed.items():
        if hashlib.sha256(_own(folder, name).read_bytes()).hexdigest() != sha256:
            what = "this file is not as `evaluate` wrote it."
            raise DataError(what, f"{folder.name}/{name}", _EVALUATE)
    if lacking := {_RUN, _FINDINGS, _DESIGN} - listed.keys():
        raise DataError(f"its list of files lacks {min(lacking)}.", folder.name, _EVALUATE)
    return list(listed)


def _own(folder: Path, name: str) -> Path:
    """Return a file of a run: one of those a run has, in its folder, and no link out of it."""
    path = folder / name
    if not _FILES.fullmatch(name):
        raise DataError("this is not a file of a run.", name[:80], _EVALUATE)
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        raise DataError("this file is missing.", f"{folder.name}/{name}", _EVALUATE)
    return path


def _stories(folder: Path, files: list[str]) -> tuple[Story, ...]:
    """Return the stories and events that the study printed, newest first."""
    from areaeffect.document.chart_tables import read_described

    def rows_of(name: str) -> list[Row]:
        file = f"data/{name}.csv"
        return read_described(folder / file).records() if file in files else []

    families = {row["theme"]: str(row["family"]) for row in rows_of("themes")}
    found = []
    for kind, name, title in (("story", "stories", "title"), ("event", "events", "what")):
        for row in rows_of(name):
            own = (row["date"], row["neighbourhood"], row[title])
            themes = str(row.get("themes") or "").split(" | ")
            found.append(
                Story(
                    kind=kind,
                    key=f"{kind}-{hashlib.sha256(repr(own).encode()).hexdigest()[:12]}",
                    place=row["neighbourhood"] or "",
                    date=str(row["date"]),
                    title=row[title],
                    text=row.get("text", ""),
                    families=frozenset(families[t] for t in themes if t in families),
                )
            )
    return tuple(sorted(found, key=lambda s: (s.date, s.key), reverse=True))
