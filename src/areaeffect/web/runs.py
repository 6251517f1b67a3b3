"""Runs that users ask for: a queue before a resident worker, and what it leaves in a folder.

A run is known by its key, which names everything its answer depends on, so the same question is
computed once. What is finished lies in `work/runs/KEY`, each part whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from areaeffect.compare.preflight import Obstacle, Repair
from areaeffect.compare.question import (
    ANSWER,
    DESIGN,
    FINDINGS_FILE,
    MARKS,
    PARQUET,
    POWER,
    REFUSED,
    REFUSED_FILE,
    Question,
    ask,
    has,
    key_of_question,
    refuse_question,
)
from areaeffect.placebo.workers import version_of_code
from areaeffect.records import Json
from areaeffect.study.file import StudyFile, read_base
from areaeffect.study.parts import SHARED_DATA_VARIABLE
from areaeffect.web import limits
from areaeffect.web.atlas import Atlas
from areaeffect.web.limits import Refusal, ServerSettings
from areaeffect.web.resident import CRASH_FIX, CRASH_WORDS
from areaeffect.web.standing import ACTIVE, CANCELLED, FAILED, RUNNING, WAITING, Job, RunState

_STALE: Final = "the data have changed since this map was made."
_LOOKS_FILE: Final = "looks.json"
#: What reading a run that is not there, or not whole, may raise.
_DAMAGED: Final = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@lru_cache(maxsize=8)
def _base_of(folder: Path, _changed: int) -> StudyFile:
    return read_base(folder / "base.toml")


def base_of(atlas: Atlas) -> StudyFile:
    """Return the base study of an atlas, read once."""
    return _base_of(atlas.folder, (atlas.folder / "base.toml").stat().st_mtime_ns)


@lru_cache(maxsize=32)
def runs_of(settings: ServerSettings) -> Runs:
    """Return the runs of a server: one queue for its pages and its API."""
    return Runs(settings=settings)


class Worker:
    """A resident process, and a thread that hears its reports."""

    def __init__(self, atlas: Atlas, settings: ServerSettings, runs: Runs) -> None:
        manifest = atlas.manifest
        shared = os.environ.get(SHARED_DATA_VARIABLE) or str(manifest["shared_data"])
        arguments = (atlas.folder / "base.toml", manifest["base_folder"], settings.store)
        self.source, self.atlas = atlas, atlas.key
        self.releases = [r["sha256"] for r in manifest["releases"]]
        self.ready = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "areaeffect.web.resident", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, SHARED_DATA_VARIABLE: shared, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
        self.runs = runs
        threading.Thread(target=self._hear, daemon=True).start()

    def order(self, content: Json) -> None:
        """Hand an order over; a process that is gone is noticed by the thread that hears it."""
        if self.process.stdin is not None:
            with suppress(OSError, ValueError):
                self.process.stdin.write(json.dumps(content).encode() + b"\n")
                self.process.stdin.flush()

    def close(self) -> None:
        """End the process and its children."""
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
        if not self.ready:  # still reading the data: it holds nothing that must be ended well
            self.process.kill()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _hear(self) -> None:
        # Leaving closes both pipes and waits; an order that a dead process never read breaks one.
        try:
            with suppress(BrokenPipeError), self.process:
                for line in self.process.stdout or ():
                    if line.endswith(b"\n"):  # else its writer died in the middle of it
                        self.runs.heard(self, json.loads(line))
        finally:
            self.runs.ended(self)


@dataclass(eq=False, kw_only=True)
class Runs:
    """The runs of one server."""

    settings: ServerSettings  # of the server
    #: seconds, memory: limits of one run
    seconds: float = limits.RUN_SECONDS
    memory: int = limits.RUN_MEMORY_BYTES
    _jobs: dict[str, Job] = field(default_factory=dict)
    _queue: deque[str] = field(default_factory=deque)
    _workers: dict[str, Worker] = field(default_factory=dict)
    _refused: dict[str, Refusal] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def folder(self) -> Path:
        """Where runs are kept."""
        return self.settings.work / "runs"

    def warm(self, atlas: Atlas) -> None:
        """Have a worker read an atlas's base study, so that it is there when it is asked."""
        with self._lock:
            if atlas.key in self._workers:
                return
            while len(self._workers) >= limits.RESIDENT_WORKERS:
                idle = [k for k in self._workers if not self._running(k)]
                if not idle:
                    return
                self._workers.pop(idle[0]).close()
            self._refused.pop(atlas.key, None)
            self._workers[atlas.key] = Worker(atlas, self.settings, self)

    def key(self, atlas: Atlas, question: Question) -> str:
        """Return the key of a run."""
        releases = [r["sha256"] for r in atlas.manifest["releases"]]
        return key_of_question(base_of(atlas).text, question, version_of_code(), releases)

    def submit(self, atlas: Atlas, question: Question) -> str:
        """Ask for benchmark areas and power; return the run's key.

        Raises
        ------
        StudyError
            What cannot be asked.
        Refusal
            503: the queue is full.
        """
        refuse_question(base_of(atlas), question, tuple(atlas.position))
        key = self.key(atlas, question)
        folder = self.folder / key
        with self._lock:
            if not (has(folder, DESIGN) and has(folder, POWER)) and not has(folder, REFUSED):
                self._enqueue(atlas, Job(key=key, stage="plan", question=question, atlas=atlas.key))
        return key

    def refusal(self, atlas: Atlas, question: Question) -> tuple[Obstacle, ...]:
        """Return why a question that was asked cannot be answered; nothing where it may be."""
        key = self.key(atlas, question)
        with suppress(*_DAMAGED):
            text = (self.folder / key / REFUSED / REFUSED_FILE).read_text(encoding="utf-8")
            refusal = json.loads(text)
            repairs = tuple(Repair(r["words"], Question.from_dict(r["question"])) for r in refusal["repairs"])
            what = "Nothing about this place can be compared in these figures"
            return (Obstacle("areas", f"{what}: {refusal['what']}.", repairs),)
        return ()

    def answer(self, key: str, atlas: Atlas) -> None:
        """Ask for the answer of a run whose power is known.

        Raises
        ------
        Refusal
            409: what could be detected has not been worked out. 503: the queue is full.
        """
        standing = self.standing(key)
        if POWER not in standing.parts:
            raise Refusal(
                409,
                "What this could detect is not worked out yet.",
                "See it first: an answer means little without it.",
            )
        with self._lock:
            if has(self.folder / key, PARQUET):
                return
            looks = self.folder / key / _LOOKS_FILE
            if not looks.is_file():
                earlier = self._earlier(key, standing.question)
                looks.write_text(json.dumps({"earlier": earlier}), encoding="utf-8")
            self._enqueue(atlas, Job(key=key, stage="answer", question=standing.question, atlas=atlas.key))

    def cancel(self, key: str) -> None:
        """Stop what is going on; what is finished stays."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or job.state not in ACTIVE:
                return
            if job.state == WAITING:
                self._queue.remove(key)
                job.state = CANCELLED
            else:
                self._workers[job.atlas].order({"do": "cancel", "key": key})

    def standing(self, key: str) -> RunState:
        """Return the state of a run.

        Raises
        ------
        Refusal
            404: nobody asked for it here.
        """
        with self._lock:
            job = self._jobs.get(key)
            position = self._queue.index(key) if job and job.state == WAITING else 0
        looks = None
        try:
            question, base = self._question_of(key)
            if has(self.folder / key, ANSWER):
                looks = int(json.loads((self.folder / key / _LOOKS_FILE).read_text())["earlier"])
        except _DAMAGED:
            fix = "It may be from another server, or too old: ask the question again."
            raise Refusal(404, "This run is not on this server.", fix) from None
        parts = tuple(part for part in MARKS if has(self.folder / key, part))
        return RunState(
            key=key, question=question, atlas=base, parts=parts, job=job, position=position, looks=looks
        )

    def _question_of(self, key: str) -> tuple[Question, str]:
        """Return what a run asks, and of which atlas."""
        asked = json.loads((self.folder / key / "run.json").read_text(encoding="utf-8"))
        return Question.from_dict(asked["question"]), str(asked["base"])

    def close(self) -> None:
        """End every worker."""
        with self._lock:
            workers, self._workers = list(self._workers.values()), {}
        for worker in workers:
            worker.close()

    # ------------------------------------------------------------------ what workers report

    def heard(self, worker: Worker, report: Json) -> None:
        """Take one report of a worker."""
        with self._lock:
            kind, job = report["is"], self._jobs.get(report["key"])
            if kind == "ready":
                fresh = report["releases"][: len(worker.releases)] == worker.releases
                worker.ready = fresh
                if not fresh:
                    fix = "Run `areaeffect tiles` on its base study again."
                    self._refuse(worker.atlas, Refusal(503, _STALE, fix))
            elif kind == "refused":
                self._refuse(worker.atlas, Refusal(503, report["what"], report["fix"]))
            elif job is not None and kind == "progress":
                job.state = RUNNING
                job.step, job.done, job.of = report["step"], report["done"], report["of"]
            elif job is not None:
                job.state = kind
                job.what, job.fix = report.get("what", ""), report.get("fix", "")
            self._start()

    def ended(self, worker: Worker) -> None:
        """Take note that a worker is gone: what it ran has failed, the next question starts one."""
        with self._lock:
            if self._workers.get(worker.atlas) is worker:
                del self._workers[worker.atlas]
            for job in self._jobs.values():
                if job.atlas == worker.atlas and job.state == RUNNING:
                    job.state, job.what, job.fix = FAILED, CRASH_WORDS, CRASH_FIX
            if not any(self._jobs[key].atlas == worker.atlas for key in self._queue):
                return
            if worker.ready:  # others wait behind the run that took the worker with it
                self.warm(worker.source)
            else:
                self._refuse(worker.atlas, Refusal(503, CRASH_WORDS, CRASH_FIX))

    def _refuse(self, atlas: str, refusal: Refusal) -> None:
        """Fail all that waits for a worker that cannot serve."""
        self._refused[atlas] = refusal
        (problem,) = refusal.problems
        for key in [k for k in self._queue if self._jobs[k].atlas == atlas]:
            self._queue.remove(key)
            job = self._jobs[key]
            job.state, job.what, job.fix = FAILED, problem.what, problem.fix

    # ------------------------------------------------------------------ the queue

    def _enqueue(self, atlas: Atlas, job: Job) -> None:
        going = self._jobs.get(job.key)
        if going is not None and going.state in ACTIVE:
            return
        if len(self._queue) >= limits.RUNS_WAITING:
            raise Refusal(
                503,
                f"{limits.RUNS_WAITING} questions are waiting already.",
                "Try again in a minute.",
                headers={"retry-after": "30"},
            )
        self.warm(atlas)
        folder = self.folder / job.key
        folder.mkdir(parents=True, exist_ok=True)
        asked = {"base": job.atlas, "question": job.question.to_dict()}
        (folder / "run.json").write_text(json.dumps(asked), encoding="utf-8")
        ask(base_of(atlas).text, job.question, folder)
        self._make_room(job.key)
        self._jobs.pop(job.key, None)
        self._jobs[job.key] = job
        self._queue.append(job.key)
        self._start()

    def _start(self) -> None:
        for key in list(self._queue):
            job = self._jobs[key]
            worker = self._workers.get(job.atlas)
            if worker is None or not worker.ready:
                job.step = "reading the data, once for all questions"
                continue
            if self._running() >= limits.RUNS_AT_ONCE:
                job.step = "waiting for its turn"
                continue
            self._queue.remove(key)
            job.state, job.step = RUNNING, "starting"
            worker.order(
                {
                    "do": "run",
                    "key": key,
                    "stage": job.stage,
                    "question": job.question.to_dict(),
                    "folder": str(self.folder / key),
                    "seconds": self.seconds,
                    "memory": self.memory,
                }
            )

    def _running(self, atlas: str = "") -> int:
        running = [j for j in self._jobs.values() if j.state == RUNNING]
        return sum(not atlas or j.atlas == atlas for j in running)

    def _earlier(self, key: str, question: Question) -> int:
        """Count answers on this server about some of the same areas."""
        mine, found = set(question.areas), 0
        for path in self.folder.glob(f"*/{ANSWER}/{FINDINGS_FILE}"):
            folder = path.parent.parent
            if folder.name == key:
                continue
            with suppress(*_DAMAGED):  # one damaged run does not stop another
                found += not mine.isdisjoint(self._question_of(folder.name)[0].areas)
        return found

    def _make_room(self, key: str) -> None:
        """Let the oldest runs go where there are too many, and forget their jobs."""
        kept = [path for path in self.folder.iterdir() if path.name != key]
        if len(kept) < limits.KEPT_RUNS:
            return
        for path in sorted(kept, key=lambda p: p.stat().st_mtime)[: limits.KEPT_RUNS // 10]:
            going = self._jobs.get(path.name)
            if going is None or going.state not in ACTIVE:
                shutil.rmtree(path, ignore_errors=True)
                self._jobs.pop(path.name, None)
