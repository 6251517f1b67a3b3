"""Finished runs in a folder: which there are, and what each holds."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from areaeffect.errors import AreaEffectError, DataError, Problem
from areaeffect.web import limits
from areaeffect.web.refusals import Refusal
from areaeffect.web.voices import RUN_NAME, Kind, Voice

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.results import DataTable, Finding, Result

RUN_FILE, FINDINGS_FILE = "run.json", "findings.json"
PART = "~"  # between the name of a collection and that of its part
TABLE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,119}")
#: Files of a run that are given as they are. Anything else in its folder stays there.
FILES = re.compile(
    r"(?:(?:report|plan)\.(?:html|pdf)|(?:findings|design|run|ro-crate-metadata)\.json"
    r"|data/[a-z0-9_-]+\.(?:csv|csv-metadata\.json|json)"
    r"|charts/[a-z0-9_-]+\.(?:svg|png|csv|csv-metadata\.json)"
    r"|neighbourhoods/[a-z0-9_-]+\.html)"
)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishedRun:
    """A results folder that is shown.

    Parameters
    ----------
    name : its address: the name of its folder; of a part, after that of its collection and `~`.
    title, question : of its study.
    folder : where it is.
    state : hash of name, time and size of its main files; another state is another run.
    changed : when it was put here.
    parts : names of the parts of a collection; empty for one study.
    """

    name: str
    title: str
    question: str
    folder: Path
    state: str
    changed: datetime
    parts: tuple[str, ...] = ()

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of the run; none of a collection, whose parts have them."""
        from areaeffect.report.files import read_findings

        return () if self.parts else read_findings(self.folder)

    @cached_property
    def main(self) -> dict[str, Finding]:
        """The findings that carry the report, by the key of their page."""
        from areaeffect.document.svg import key_of
        from areaeffect.wording import main_findings

        return {
            key_of(f.group, f.outcome, f.claim, f.form): f for f in main_findings(self.findings)
        }

    @cached_property
    def voices(self) -> tuple[Voice, ...]:
        """The stories and events that the study itself printed."""
        kinds: tuple[tuple[str, Kind], ...] = (("stories", "story"), ("events", "event"))
        found = []
        for name, kind in kinds:
            if (self.folder / "data" / f"{name}.csv").is_file():
                for row in self.table(name).records():
                    title = row["title"] if kind == "story" else row["what"]
                    told = (self.name, kind, row["date"], row["neighbourhood"], title)
                    key = hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]
                    themes = tuple(t for t in row.get("themes", "").split(" | ") if t)
                    found.append(
                        Voice(
                            run=self.name,
                            place=row["neighbourhood"],
                            kind=kind,
                            date=row["date"],
                            title=title,
                            text=row.get("text", ""),
                            themes=themes,
                            key=key,
                            time=self.changed,
                        )
                    )
        return tuple(found)

    def file(self, path: str) -> Path:
        """Return a file of the run that may be given as it is.

        Raises
        ------
        Refusal
            404: it is not there, or not one of those that are given.
        """
        found = self.folder / path
        if FILES.fullmatch(path) and found.is_file():
            if found.resolve().is_relative_to(self.folder.resolve()):
                return found
            _LOG.warning("%s leads out of its run and is not given", found)
        raise Refusal(404, "This run has no such file.", "See what it has on its own page.")

    def tables(self) -> list[str]:
        """Return the names of its tables, those of the findings first."""
        named = (p.name.removesuffix(".csv") for p in (self.folder / "data").glob("*.csv"))
        return sorted(filter(TABLE_NAME.fullmatch, named), key=lambda n: (n != "findings", n))

    def table(self, name: str) -> DataTable:
        """Read one of its tables."""
        from areaeffect.document.csv_files import read_described

        return read_described(self.file(f"data/{name}.csv"))


class Shelf:
    """The folder of published runs, looked at again at most once in a short while."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.faults: dict[str, str] = {}
        self.state = ""
        self._runs: dict[str, PublishedRun] = {}
        self._looked = -1.0
        self._results: OrderedDict[str, Result] = OrderedDict()
        self._lock = threading.Lock()

    def runs(self) -> dict[str, PublishedRun]:
        """Return all runs by name; what cannot be read is named in `faults`."""
        with self._lock:
            if time.monotonic() - self._looked > limits.LOOK_AGAIN_SECONDS:
                self._look()
                self._looked = time.monotonic()
            return self._runs

    def top(self) -> list[PublishedRun]:
        """Return runs and collections, without the parts of collections."""
        return [run for name, run in self.runs().items() if PART not in name]

    def run(self, name: str) -> PublishedRun:
        """Return one run.

        Raises
        ------
        Refusal
            404: there is none of this name.
        """
        found = self.runs().get(name)
        if found is None:
            raise Refusal(404, "No run of this name is published.", "See the list at /runs.")
        return found

    def result(self, run: PublishedRun) -> Result:
        """Return everything a run found; the last few are kept."""
        from areaeffect.report.files import read_result

        with self._lock:
            result = self._results.get(run.state) or read_result(run.folder)
            self._results[run.state] = result
            self._results.move_to_end(run.state)
            while len(self._results) > limits.RESULTS_KEPT:
                self._results.popitem(last=False)
            return result

    def _look(self) -> None:
        found: dict[str, PublishedRun] = {}
        faults: dict[str, str] = {}
        there = self.folder.iterdir() if self.folder and self.folder.is_dir() else ()
        for folder in sorted(p for p in there if (p / RUN_FILE).is_file()):
            for name, place in self._with_parts(folder):
                try:
                    found[name] = self._read(name, place)
                except AreaEffectError as error:
                    _LOG.warning("%s is not shown: %s", place, error)
                    faults[name] = error.problems[0].what
        self._runs, self.faults = found, faults
        told = repr([(r.name, r.state) for r in found.values()])
        self.state = hashlib.sha256(told.encode()).hexdigest()[:16]

    def _with_parts(self, folder: Path) -> list[tuple[str, Path]]:
        parts = sorted(p for p in folder.iterdir() if (p / RUN_FILE).is_file())
        return [(folder.name, folder), *((f"{folder.name}{PART}{p.name}", p) for p in parts)]

    def _read(self, name: str, folder: Path) -> PublishedRun:
        if not RUN_NAME.fullmatch(name):
            what = "its name has other signs than letters, digits, '-' and '_'."
            raise DataError(Problem(what, str(folder), "Rename the folder."))
        try:
            seen = [(folder / file).stat() for file in (RUN_FILE, FINDINGS_FILE)]
            told = repr((name, [(s.st_mtime_ns, s.st_size, s.st_ino) for s in seen]))
            state = hashlib.sha256(told.encode()).hexdigest()[:16]
            known = self._runs.get(name)
            if known is not None and known.state == state:
                return known
            about = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
            collection = about.get("collection") or {}
            run = PublishedRun(
                name=name,
                title=str(about["title"]),
                question=str(about.get("question", collection.get("question", ""))),
                folder=folder,
                state=state,
                changed=datetime.fromtimestamp(int(seen[0].st_mtime), UTC),
                parts=tuple(str(part["name"]) for part in collection.get("part", ())),
            )
            _ = run.findings  # read now, so that a run whose findings are broken is not shown
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"its files cannot be read ({type(error).__name__})."
            raise DataError(Problem(what, str(folder), "Evaluate the study again.")) from None
        return run
