"""The process that answers questions: `python -m areaeffect.web.resident BASE FOLDER STORE`.

It reads one base study once, then forks a child for every run: the child has the data at once, has
time and memory limits of its own, and takes everything it used with it when it ends. Orders come in
as lines of JSON on standard input, reports go out as lines of JSON on standard output; the end of
standard input ends the process and every child.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from areaeffect.compare.explore import Base
from areaeffect.errors import AreaEffectError
from areaeffect.records import Json

#: How much a run gives way to the server, which answers pages meanwhile.
_NICE = 5
#: Bytes of address space that a run has at least; with less, libraries fail in odd places.
_LEAST_ROOM = 512 * 2**20
#: Seconds between two looks at the clock.
_TICK = 0.25
MEMORY_WORDS = "the run needed more memory than a run may have."
MEMORY_FIX = "Choose fewer areas, fewer placebo programmes or fewer nearest areas."
CRASH_WORDS = "the run stopped unexpectedly; nothing was kept."
CRASH_FIX = "Ask again; if it happens again, run its study file with `areaeffect evaluate`."


@dataclass(slots=True, kw_only=True)
class _Child:
    key: str
    pid: int
    pipe: int
    ends: float
    heard: bytes = b""
    over: bool = False


class Resident:
    """Forks a child for each order and passes on what it says."""

    def __init__(self, base: Base, say: Callable[..., None]) -> None:
        self.base = base
        self.say = say
        self.children: dict[int, _Child] = {}  # by process: a run's next stage may follow at once
        self.selector = selectors.DefaultSelector()
        self.orders = b""

    def work(self) -> None:
        """Take orders until standard input ends."""
        self.selector.register(0, selectors.EVENT_READ, None)
        while True:
            for event, _ in self.selector.select(_TICK):
                if event.data is None:
                    if not self._take():
                        for child in list(self.children.values()):
                            self._stop(child)
                        return
                elif event.data.pid in self.children:  # not stopped by an order just taken
                    self._hear(event.data)
            now = time.monotonic()
            for child in list(self.children.values()):
                if now > child.ends:
                    self._stop(child)
                    if child.over:
                        continue
                    what = "the run took longer than a run may take, and was stopped."
                    self.say("failed", child.key, what=what, fix=MEMORY_FIX)

    def _take(self) -> bool:
        read = os.read(0, 65536)
        *lines, self.orders = (self.orders + read).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if order["do"] == "run":
                self._start(order)
            else:
                self._cancel(order["key"])
        return bool(read)

    def _cancel(self, key: str) -> None:
        for child in list(self.children.values()):
            if child.key == key and not child.over:
                self._stop(child)
                self.say("cancelled", key)

    def _start(self, order: Json) -> None:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(read)
                code = _run(self.base, order, write)
            finally:
                os._exit(code)
        os.close(write)
        child = _Child(key=order["key"], pid=pid, pipe=read, ends=time.monotonic() + order["seconds"])
        self.children[pid] = child
        self.selector.register(read, selectors.EVENT_READ, child)

    def _hear(self, child: _Child) -> None:
        read = os.read(child.pipe, 65536)
        *lines, child.heard = (child.heard + read).split(b"\n")
        for line in lines:
            report = json.loads(line)
            child.over = child.over or report["is"] in ("done", "failed")
            self.say(report.pop("is"), child.key, **report)
        if not read:
            self._stop(child)
            if not child.over:
                self.say("failed", child.key, what=CRASH_WORDS, fix=CRASH_FIX)

    def _stop(self, child: _Child) -> None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
        os.waitpid(child.pid, 0)
        self.selector.unregister(child.pipe)
        os.close(child.pipe)
        del self.children[child.pid]


def _run(base: Base, order: Json, write: int) -> int:
    """Carry out one order in a child of its own; return its exit code."""
    from areaeffect.compare.explore import STAGES
    from areaeffect.compare.question import Question

    os.setsid()
    os.nice(_NICE)
    room = order["memory"] - _in_use()
    if room > _LEAST_ROOM:
        resource.setrlimit(resource.RLIMIT_AS, (order["memory"], order["memory"]))
    with os.fdopen(write, "w", encoding="utf-8") as pipe:

        def say(kind: str, **values: Any) -> None:
            _line(pipe, {"is": kind, **values})

        def tell(step: str, done: int, of: int) -> None:
            say("progress", step=step, done=done, of=of)

        try:
            if room <= _LEAST_ROOM:
                raise MemoryError  # noqa: TRY301  # reported like any other
            question = Question.from_dict(order["question"])
            STAGES[order["stage"]](base, question, Path(order["folder"]), tell)
        except AreaEffectError as error:
            problem = error.problems[0]
            say("failed", what=problem.what, fix=problem.fix)
        except MemoryError:
            say("failed", what=MEMORY_WORDS, fix=MEMORY_FIX)
        else:
            say("done")
    return 0


def _in_use() -> int:
    """Return the bytes of address space this process has, data of the base study included."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def _line(out: IO[str], content: Json) -> None:
    out.write(json.dumps(content) + "\n")
    out.flush()


def main(base: Path, folder: Path, store: Path) -> None:
    """Read a base study, say so, and take orders."""
    from areaeffect.compare.explore import load_base

    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not among the reports
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to answer

    def say(kind: str, key: str = "", **values: Any) -> None:
        _line(out, {"is": kind, "key": key, **values})

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
