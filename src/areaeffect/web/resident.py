"""The process that answers questions of one base study, which it reads once: a forked child a run.

`python -m areaeffect.web.resident BASE FOLDER STORE`: orders and reports are lines of JSON on its pipes.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

from areaeffect.compare.explore import STAGES, Base, load_base
from areaeffect.compare.question import Question
from areaeffect.errors import AreaEffectError
from areaeffect.records import Json

#: How much a run gives way to the server, which answers pages meanwhile.
_NICE = 5
#: Bytes of address space that a run has at least; with less, libraries fail in odd places.
_LEAST_ROOM = 512 * 2**20
#: Seconds between two looks at the clock.
_TICK = 0.25
MEMORY_WORDS = "the run needed more memory than a run may have."
_LATE_WORDS = "the run took longer than a run may take, and was stopped."
_LESS_FIX = "Choose fewer areas, fewer placebo programmes or fewer nearest areas."
CRASH_WORDS = "the run stopped unexpectedly; nothing was kept."
CRASH_FIX = "Ask again; if it happens again, run its study file with `areaeffect evaluate`."


@dataclass(slots=True, kw_only=True)
class _Child:
    key: str
    process: ForkProcess
    ends: float
    over: bool = False  # whether it said how it ended


class Resident:
    """Forks a child for each order and passes on what it says."""

    def __init__(self, base: Base, say: Callable[..., None]) -> None:
        self.base = base
        self.say = say
        self.children: dict[Connection, _Child] = {}  # a run's next stage may follow at once

    def work(self) -> None:
        """Take orders until standard input ends."""
        orders = b""
        while True:
            for ready in wait([0, *self.children], _TICK):
                if isinstance(ready, Connection):
                    self.hear(ready)
                    continue
                read = os.read(0, 65536)
                *lines, orders = (orders + read).split(b"\n")
                for line in lines:
                    order = json.loads(line)
                    self.start(order) if order["do"] == "run" else self.cancel(order["key"])
                if not read:
                    for pipe in list(self.children):
                        self._stop(pipe)
                    return
            for pipe, child in list(self.children.items()):
                if time.monotonic() > child.ends:
                    self._stop(pipe, "failed", what=_LATE_WORDS, fix=_LESS_FIX)

    def start(self, order: Json) -> None:
        """Fork a child that carries out an order."""
        pipe, write = Pipe(duplex=False)
        process = get_context("fork").Process(target=_run, args=(self.base, order, write))
        process.start()
        write.close()
        ends = time.monotonic() + order["seconds"]
        self.children[pipe] = _Child(key=order["key"], process=process, ends=ends)

    def cancel(self, key: str) -> None:
        """Stop a run where it has not ended."""
        for pipe, child in list(self.children.items()):
            if child.key == key and not child.over:
                self._stop(pipe, "cancelled")

    def hear(self, pipe: Connection) -> None:
        """Pass on what a child says; one that goes without a word has failed."""
        if (child := self.children.get(pipe)) is None:  # stopped by an order just taken
            return
        try:
            report = pipe.recv()
        except (EOFError, OSError):
            self._stop(pipe, "failed", what=CRASH_WORDS, fix=CRASH_FIX)
            return
        child.over = child.over or report["is"] in ("done", "failed")
        self.say(report.pop("is"), child.key, **report)

    def _stop(self, pipe: Connection, why: str = "", **said: str) -> None:
        child = self.children.pop(pipe)
        if child.process.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
        child.process.kill()
        child.process.join()
        pipe.close()
        if why and not child.over:
            self.say(why, child.key, **said)


def _run(base: Base, order: Json, write: Connection) -> None:
    """Carry out one order in a child of its own."""
    os.setsid()
    os.nice(_NICE)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])  # the data included
    has_room = order["memory"] - pages * resource.getpagesize() > _LEAST_ROOM
    if has_room:
        resource.setrlimit(resource.RLIMIT_AS, (order["memory"], order["memory"]))

    def tell(step: str, done: int, of: int) -> None:
        write.send({"is": "progress", "step": step, "done": done, "of": of})

    try:
        if not has_room:
            raise MemoryError  # noqa: TRY301  # reported like any other
        question = Question.from_dict(order["question"])
        STAGES[order["stage"]](base, question, Path(order["folder"]), tell)
    except AreaEffectError as error:
        problem = error.problems[0]
        write.send({"is": "failed", "what": problem.what, "fix": problem.fix})
    except MemoryError:
        write.send({"is": "failed", "what": MEMORY_WORDS, "fix": _LESS_FIX})
    else:
        write.send({"is": "done"})


def main(base: Path, folder: Path, store: Path) -> None:
    """Read a base study, say so, and take orders."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not among the reports
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to answer

    def say(kind: str, key: str = "", **values: Any) -> None:
        out.write(json.dumps({"is": kind, "key": key, **values}) + "\n")
        out.flush()

    try:
        loaded = load_base(base, folder, store)
    except AreaEffectError as error:
        problem = error.problems[0]
        say("refused", what=problem.what, fix=problem.fix)
        return
    say("ready", releases=[r.sha256 for r in loaded.releases])
    Resident(loaded, say).work()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
