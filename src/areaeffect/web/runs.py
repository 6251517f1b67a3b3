"""Runs that users ask for: a queue before a resident worker, and a folder for each, named by its key."""

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

from areaeffect.compare.explore import ANSWER, DESIGN, MARKS, PARQUET, POWER, REFUSED, REFUSED_FILE, ask, has
from areaeffect.compare.question import Obstacle, Question, Repair, key_of_question, refuse_question
from areaeffect.placebo.workers import version_of_code
from areaeffect.records import Json
from areaeffect.study.file import StudyFile, read_base
from areaeffect.study.parts import SHARED_DATA_VARIABLE
from areaeffect.web import limits
from areaeffect.web.atlas import Atlas
from areaeffect.web.limits import Refusal, ServerSettings
from areaeffect.web.resident import CRASH_FIX, CRASH_WORDS

WAITING, RUNNING, FAILED, CANCELLED = "waiting", "running", "failed", "cancelled"
#: What reading a run that is not there, or not whole, may raise.
_DAMAGED: Final = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(slots=True, kw_only=True)
class Job:
    """One stage of one run while the server remembers it."""

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

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.state in (WAITING, RUNNING)

    def fail(self, what: str, fix: str) -> None:
        """End it, and say why."""
        self.state, self.what, self.fix = FAILED, what, fix


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """The state of a run."""

    key: str
    question: Question
    atlas: str
    parts: tuple[str, ...]  # what is finished: design, power, answer, result, parquet
    job: Job | None  # what is going on, or went on last; None after a restart.
    position: int = 0  # how many wait before it

    @property
    def active(self) -> bool:
        """Whether something is going on."""
        return self.job is not None and self.job.active

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        job, parts = self.job, self.parts
        is_whole = bool(parts) and (ANSWER not in parts or PARQUET in parts)  # no stage was left half done
        values: Json = {
            "key": self.key,
            "base": self.atlas,
            "question": self.question.to_dict(),
            "state": job.state if job else ("done" if is_whole else CANCELLED),
            "parts": list(parts),
            "exploratory": True,
        }
        if job:
            values |= {k: getattr(job, k) for k in ("stage", "step", "done", "of", "what", "fix")}
            values["waiting_before"] = self.position
        return values


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
        shared = os.environ.get(SHARED_DATA_VARIABLE) or str(atlas.manifest["shared_data"])
        arguments = (atlas.folder / "base.toml", atlas.manifest["base_folder"], settings.store)
        self.atlas, self.runs, self.ready = atlas, runs, False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "areaeffect.web.resident", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, SHARED_DATA_VARIABLE: shared, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
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

    settings: ServerSettings
    #: seconds, memory: limits of one run
    seconds: float = limits.RUN_SECONDS
    memory: int = limits.RUN_MEMORY_BYTES
    _jobs: dict[str, Job] = field(default_factory=dict)
    _queue: deque[str] = field(default_factory=deque)
    _workers: dict[str, Worker] = field(default_factory=dict)
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
                idle = [key for key in self._workers if not self._running(key)]
                if not idle:
                    return
                self._workers.pop(idle[0]).close()
            self._workers[atlas.key] = Worker(atlas, self.settings, self)

    def key(self, atlas: Atlas, question: Question) -> str:
        """Return the key of a run."""
        return key_of_question(base_of(atlas).text, question, version_of_code(), _releases(atlas))

    def submit(self, atlas: Atlas, question: Question) -> str:
        """Ask for benchmark areas and power; return the key. StudyError or, with a full queue, Refusal."""
        refuse_question(base_of(atlas), question, len(atlas.position))
        key = self.key(atlas, question)
        folder = self.folder / key
        with self._lock:
            if not (has(folder, DESIGN) and has(folder, POWER)) and not has(folder, REFUSED):
                self._enqueue(atlas, Job(key=key, stage="plan", question=question, atlas=atlas.key))
        return key

    def refusal(self, atlas: Atlas, question: Question) -> tuple[Obstacle, ...]:
        """Return why a question that was asked cannot be answered; nothing where it may be."""
        with suppress(*_DAMAGED):
            path = self.folder / self.key(atlas, question) / REFUSED / REFUSED_FILE
            refusal = json.loads(path.read_text(encoding="utf-8"))
            repairs = tuple(Repair(r["words"], Question.from_dict(r["question"])) for r in refusal["repairs"])
            what = "Nothing about this place can be compared in these figures"
            return (Obstacle("areas", f"{what}: {refusal['what']}.", repairs),)
        return ()

    def answer(self, key: str, atlas: Atlas) -> None:
        """Ask for the answer of a run; refused where what it could detect is not known."""
        standing = self.standing(key)
        if POWER not in standing.parts:
            fix = "See it first: an answer means little without it."
            raise Refusal(409, "What this could detect is not worked out yet.", fix)
        with self._lock:
            if has(self.folder / key, PARQUET):
                return
            self._enqueue(atlas, Job(key=key, stage="answer", question=standing.question, atlas=atlas.key))

    def cancel(self, key: str) -> None:
        """Stop what is going on; what is finished stays."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and job.state == WAITING:
                self._queue.remove(key)
                job.state = CANCELLED
            elif job is not None and job.state == RUNNING:
                self._workers[job.atlas].order({"do": "cancel", "key": key})

    def standing(self, key: str) -> RunState:
        """Return the state of a run; refused where nobody asked for it here."""
        with self._lock:
            job = self._jobs.get(key)
            position = self._queue.index(key) if job and job.state == WAITING else 0
        folder = self.folder / key
        try:
            asked = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            question, atlas = Question.from_dict(asked["question"]), str(asked["base"])
        except _DAMAGED:
            fix = "It may be from another server, or too old: ask the question again."
            raise Refusal(404, "This run is not on this server.", fix) from None
        parts = tuple(part for part in MARKS if has(folder, part))
        return RunState(key=key, question=question, atlas=atlas, parts=parts, job=job, position=position)

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
            kind, job, known = report["is"], self._jobs.get(report["key"]), _releases(worker.atlas)
            if kind == "ready":
                worker.ready = report["releases"][: len(known)] == known
                if not worker.ready:
                    fix = "Run `areaeffect tiles` on its base study again."
                    self._refuse(worker, "the data have changed since this map was made.", fix)
            elif kind == "refused":
                self._refuse(worker, report["what"], report["fix"])
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
            atlas = worker.atlas.key
            if self._workers.get(atlas) is worker:
                del self._workers[atlas]
            for job in self._jobs.values():
                if job.atlas == atlas and job.state == RUNNING:
                    job.fail(CRASH_WORDS, CRASH_FIX)
            if worker.ready and any(self._jobs[key].atlas == atlas for key in self._queue):
                self.warm(worker.atlas)  # others wait behind the run that took the worker with it
            else:
                self._refuse(worker, CRASH_WORDS, CRASH_FIX)

    def _refuse(self, worker: Worker, what: str, fix: str) -> None:
        """Fail all that waits for a worker that cannot serve."""
        for key in [k for k in self._queue if self._jobs[k].atlas == worker.atlas.key]:
            self._queue.remove(key)
            self._jobs[key].fail(what, fix)

    # ------------------------------------------------------------------ the queue

    def _enqueue(self, atlas: Atlas, job: Job) -> None:
        if (going := self._jobs.get(job.key)) is not None and going.active:
            return
        if len(self._queue) >= limits.RUNS_WAITING:
            what = f"{limits.RUNS_WAITING} questions are waiting already."
            raise Refusal(503, what, "Try again in a minute.", headers={"retry-after": "30"})
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
            order: Json = {"do": "run", "key": key, "stage": job.stage, "question": job.question.to_dict()}
            order |= {"folder": str(self.folder / key), "seconds": self.seconds, "memory": self.memory}
            worker.order(order)

    def _running(self, atlas: str = "") -> int:
        return sum(j.state == RUNNING and atlas in ("", j.atlas) for j in self._jobs.values())

    def _make_room(self, key: str) -> None:
        """Let the oldest runs go where there are too many, and forget their jobs."""
        kept = [path for path in self.folder.iterdir() if path.name != key]
        if len(kept) < limits.KEPT_RUNS:
            return
        for path in sorted(kept, key=lambda p: p.stat().st_mtime)[: limits.KEPT_RUNS // 10]:
            going = self._jobs.get(path.name)
            if going is None or not going.active:
                shutil.rmtree(path, ignore_errors=True)
                self._jobs.pop(path.name, None)


def _releases(atlas: Atlas) -> list[str]:
    return [release["sha256"] for release in atlas.manifest["releases"]]
