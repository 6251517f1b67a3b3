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
from areaeffect.records import Json, Row
from areaeffect.results import Finding, Verdict
from areaeffect.web import limits

RUN_FILE: Final = "run.json"
FINDINGS_FILE: Final = "findings.json"
CRATE_FILE: Final = "ro-crate-metadata.json"
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
#: Files of a run that are published. A run that lists any other is not one of ours.
FILES = re.compile(
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

    key: str  # name of its place on the page
    place: str  # its neighbourhood; empty: all of them.
    date: str  # a year, a month or a day, as written
    title: str  # of the story; of an event, what happened.
    #: text, families: of a story: what was said, and the outcome families it speaks of
    text: str = ""
    families: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Whether it is a story or an event."""
        return "story" if self.text else "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRun:
    """A results folder, read and checked against its own list of files."""

    path: str  # its address: the name of its folder; of a part, after that of its collection and `/`.
    #: title, question: of its study
    title: str
    question: str
    folder: Path  # where it is
    files: tuple[str, ...]  # its files, relative to the folder
    main: Mapping[str, Finding]  # the findings that carry the report, by the key of their page
    stories: tuple[Story, ...] = ()  # stories and events of the study
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

    def holdings(self) -> PublishedRuns:
        """Return what is there now: no damaged run takes another with it."""
        with self._lock:
            if time.monotonic() - self._looked > limits.LOOK_AGAIN_SECONDS:
                self._runs = self._look()
                self._looked = time.monotonic()
            return self._runs

    def _look(self) -> PublishedRuns:
        known: dict[str, tuple[str, PublishedRun | str]] = {}
        for path, folder in folders_of(self.folder):
            state = _state(folder)
            before = self._known.get(path)
            known[path] = before if before and before[0] == state else (state, _read(path, folder))
        self._known = known
        found = {path: run for path, (_, run) in known.items() if not isinstance(run, str)}
        faults = {path: why for path, (_, why) in known.items() if isinstance(why, str)}
        return PublishedRuns(found, faults)


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
    return [p for p in there if not p.name.startswith(".") and os.path.lexists(p / RUN_FILE)]


def _state(folder: Path) -> str:
    """Return what changes when a run is written again."""
    seen = []
    for name in (RUN_FILE, FINDINGS_FILE, CRATE_FILE):
        try:
            found = (folder / name).stat()
            seen.append((found.st_mtime_ns, found.st_size, found.st_ino))
        except OSError:
            seen.append((0, 0, 0))
    return repr(seen)


def _read(path: str, folder: Path) -> PublishedRun | str:
    """Read a run; return why it is left out instead where it is damaged, in whatever way."""
    try:
        return read_run(path, folder)
    except AreaEffectError as error:
        why = str(error.problems[0])
    except Exception as error:  # a stranger's folder may hold anything
        why = f"its files cannot be read ({type(error).__name__}). {_EVALUATE}"
    _LOG.warning("%s is not shown: %s", folder, why)
    return why


def read_run(path: str, folder: Path) -> PublishedRun:
    """Read one run and check every file against the hash that `evaluate` gave it.

    Raises
    ------
    DataError
        A file is missing, is not as `evaluate` wrote it, or is not one of a run's.
    """
    from areaeffect.document.svg import key_of
    from areaeffect.report.files import read_findings
    from areaeffect.wording import main_findings

    if not all(RUN_NAME.fullmatch(name) for name in path.split("/")):
        fix = "Rename the folder: letters, digits, '-' and '_'."
        raise DataError("this name cannot be part of an address.", path[:80], fix)
    about = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    collection = about.get("collection") or {}
    parts = tuple(str(part["name"]) for part in collection.get("part", ()))
    files = _collection_files(folder) if parts else _checked_files(folder)
    main = () if parts else main_findings(read_findings(folder))
    design = {} if parts else json.loads((folder / "design.json").read_text(encoding="utf-8"))
    return PublishedRun(
        path=path,
        title=str(about["title"]),
        question=str(about.get("question", collection.get("question", ""))),
        folder=folder,
        files=files,
        main={key_of(f.group, f.outcome, f.claim, f.form): f for f in main},
        stories=_stories(folder, files),
        seal=str(design["seal"]["sha256"]) if design else "",
        updated=_written(folder / RUN_FILE),
        parts=parts,
    )


def _written(path: Path) -> datetime:
    latest = os.environ.get("SOURCE_DATE_EPOCH", "")
    seconds = int(path.stat().st_mtime)
    if re.fullmatch(r"[0-9]{1,11}", latest):
        seconds = min(seconds, int(latest))
    return datetime.fromtimestamp(seconds, UTC)


def _checked_files(folder: Path) -> tuple[str, ...]:
    graph: list[Json] = json.loads((folder / CRATE_FILE).read_text("utf-8"))["@graph"]
    listed = {e["@id"]: e["sha256"] for e in graph if e.get("@type") == "File"}
    for name, sha256 in listed.items():
        if hashlib.sha256(_own(folder, name).read_bytes()).hexdigest() != sha256:
            what = "this file is not as `evaluate` wrote it."
            raise DataError(what, f"{folder.name}/{name}", _EVALUATE)
    for name in (RUN_FILE, FINDINGS_FILE, "design.json"):
        if name not in listed:
            raise DataError(f"its list of files lacks {name}.", folder.name, _EVALUATE)
    return tuple(sorted([*listed, CRATE_FILE]))


def _collection_files(folder: Path) -> tuple[str, ...]:
    there = sorted(p.name for p in folder.iterdir() if p.is_file() and FILES.fullmatch(p.name))
    for name in there:
        _own(folder, name)
    return tuple(there)


def _own(folder: Path, name: str) -> Path:
    """Return a file of a run: one of those a run has, in its folder, and no link out of it."""
    path = folder / name
    if not FILES.fullmatch(name):
        raise DataError("this is not a file of a run.", name[:80], _EVALUATE)
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        raise DataError("this file is missing.", f"{folder.name}/{name}", _EVALUATE)
    return path


def _stories(folder: Path, files: tuple[str, ...]) -> tuple[Story, ...]:
    """Return the stories and events that the study printed, newest first."""
    from areaeffect.document.chart_tables import read_described

    rows: dict[str, list[Row]] = {}
    for name in ("stories", "events", "themes"):
        listed = f"data/{name}.csv" in files
        rows[name] = read_described(folder / f"data/{name}.csv").records() if listed else []
    families = {row["theme"]: str(row["family"]) for row in rows["themes"]}
    found = [
        Story(
            key=_key(kind, row["date"], row["neighbourhood"], row[title]),
            place=row["neighbourhood"] or "",
            date=str(row["date"]),
            title=row[title],
            text=row.get("text", ""),
            families=tuple(sorted({families[t] for t in _themes(row) if t in families})),
        )
        for kind, name, title in (("story", "stories", "title"), ("event", "events", "what"))
        for row in rows[name]
    ]
    return tuple(sorted(found, key=lambda s: (s.date, s.key), reverse=True))


def _themes(row: Row) -> list[str]:
    return str(row.get("themes") or "").split(" | ")


def _key(kind: str, *parts: object) -> str:
    return f"{kind}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart of the run: its file without ending, what it shows in words, and its title."""

    file: str
    alternative: str
    title: str


def groups_of(run: PublishedRun) -> dict[str, list[tuple[str, Finding]]]:
    """Return the main findings of a run, each with the key of its page, by the title of their group."""
    from areaeffect.wording import group_title

    groups: dict[str, list[tuple[str, Finding]]] = {}
    for key, finding in run.main.items():
        groups.setdefault(group_title(finding.group), []).append((key, finding))
    return groups


def facts_of(finding: Finding) -> list[tuple[str, str]]:
    """Return the numbers of a finding, each with its name."""
    from areaeffect.report.sections import p_words
    from areaeffect.wording.numbers import maryland_words, percent, signed, signed_interval, size

    strength = ("Strength of evidence", maryland_words(finding.maryland))
    if finding.verdict is Verdict.NOT_ESTIMABLE:
        return [strength]
    interval = signed_interval(finding.low, finding.high, finding)
    return [
        ("Unit", "per cent" if finding.form == "ratio" else finding.unit),
        ("Estimate", signed(finding.estimate, finding)),
        (f"{percent(finding.level)} placebo interval", interval),
        ("p-value", p_words(finding.p_value)),
        ("Smallest effect it could have detected", size(finding.mde, finding)),
        ("Neighbourhoods; areas", f"{finding.n_neighbourhoods:,}; {finding.n_areas:,}"),
        ("Benchmark areas", f"{finding.n_benchmark_areas or 0:,}"),
        ("Before; after", f"{finding.pre}; {finding.post}"),
        strength,
    ]


def charts_of(run: PublishedRun, finding: Finding) -> tuple[ChartView, ...]:
    """Return the charts of a finding that its run holds as files."""
    from areaeffect.document import svg

    charts = []
    for kind in ("trend", "placebo"):
        name = f"charts/{svg.key_of(finding.group, finding.outcome, finding.claim, kind)}"
        if {f"{name}.svg", f"{name}.png"} <= set(run.files):
            chart = (run.folder / f"{name}.svg").read_text(encoding="utf-8")
            charts.append(ChartView(name, svg.alternative(chart), svg.title_of(chart)))
    return tuple(charts)
