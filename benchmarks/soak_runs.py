"""Runs while people read: how slow pages become while four are computed, and what memory does.

A server on the simulated county answers pages at a steady pace, first alone, then while four
comparisons run from design to answer. Then small runs follow one another, each a question that was
not asked before, and memory of the server and its workers is noted.

    python -m benchmarks.soak_runs            # docs/publishing.md
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.soak import HOST, SERVE, Load, ask, memory_mib, started

PACE = 20.0  # requests a second on each of four connections
STARTS = ("2016-01", "2016-07", "2017-01", "2018-01", "2018-07", "2019-01")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Tell where a form leads, and do not go there."""

    def redirect_request(self, *_: Any) -> None:
        """Take no redirection."""


def ask_for(port: int, path: str, form: dict[str, str] | None = None) -> tuple[int, str, bytes]:
    """Ask for a page, or send a form; return status, where it leads, and what it says."""
    body = None if form is None else urllib.parse.urlencode(form).encode()
    try:
        opener = urllib.request.build_opener(_Stay)
        with opener.open(f"http://{HOST}:{port}{path}", body, timeout=60) as answer:
            return answer.status, "", answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("location", ""), error.read()


def finish(port: int, run: str, part: str, seconds: float = 300.0) -> str:
    """Wait until a part of a run is there; return why not, or nothing."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        told = json.loads(ask_for(port, f"{run}.json")[2])
        if part in told.get("parts", ()):
            return ""
        if told.get("state") in {"failed", "cancelled"}:
            return str(told.get("what") or told["state"])
        time.sleep(0.05)
    return "took too long"


def whole_run(port: int, question: dict[str, str]) -> str:
    """Run one question from design to answer; return what went wrong, or nothing."""
    status, run, said = ask_for(port, "/compare", question)
    if not run:
        return f"{status} {said[:200]!r}"
    fault = finish(port, run, "power")
    if not fault:
        ask_for(port, f"{run}/answer", {})
        fault = finish(port, run, "answer")
    return fault


async def steady(port: int, paths: list[str], seconds: float, load: Load) -> None:
    """Ask at a steady pace on four connections; a late answer delays the next, not the count."""

    async def one(first: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        began = time.perf_counter()
        for number in range(int(seconds * PACE)):
            await asyncio.sleep(max(0.0, began + number / PACE - time.perf_counter()))
            path = paths[(first + number) % len(paths)]
            head = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n"
            start = time.perf_counter()
            status = await ask(reader, writer, head.encode())
            load.seconds.append(time.perf_counter() - start)
            if status not in {200, 304}:
                load.faults.append(f"{status} {path}")
        writer.close()

    await asyncio.gather(*(one(n) for n in range(4)))


async def with_runs(port: int, paths: list[str], questions: list[dict[str, str]], load: Load) -> list[str]:
    """Read at a steady pace until all questions are answered; return what went wrong."""
    runs = [asyncio.create_task(asyncio.to_thread(whole_run, port, q)) for q in questions]
    while not all(run.done() for run in runs):
        await steady(port, paths, 2.0, load)
    return [fault for run in runs if (fault := run.result())]


def tree_mib(pid: int) -> float:
    """Memory of a process and all below it (pages they share count for each)."""
    told = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in told.splitlines()]
    family = {pid}
    for child, parent in sorted(parents):
        if parent in family:
            family.add(child)
    return sum(memory_mib(p) for p in family if Path(f"/proc/{p}").is_dir())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("build/demo"))
    parser.add_argument("--count", type=int, default=100, help="of small runs after each other")
    parser.add_argument("--port", type=int, default=8395)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        command = ["-c", SERVE, "serve", "--demo", "--store", place, "--runs", str(told.runs)]
        with started(*command, "--port", str(told.port), port=told.port) as server:
            _measure(told.port, server.pid, told.count)


def _measure(port: int, pid: int, count: int) -> None:
    areas = re.findall(r'href="/areas/([A-Z0-9]+)', ask_for(port, "/find")[2].decode())
    paths = ["/", "/find", "/runs/", "/runs/county/", "/runs/feed.atom", "/help"]
    questions = [
        {"areas": areas[n % len(areas)], "name": f"Place {n}", "start": STARTS[n // len(areas) % len(STARTS)]}
        for n in range(count + 4)
    ]
    alone, beside = Load(), Load()
    asyncio.run(steady(port, paths, 10.0, Load()))
    asyncio.run(steady(port, paths, 20.0, alone))
    start = time.perf_counter()
    faults = asyncio.run(with_runs(port, paths, questions[:4], beside))
    print(f"Four runs at once took {time.perf_counter() - start:.1f} s; faults: {faults}\n")
    print("| pages | requests | p50 ms | p99 ms | longest ms | faults |\n|---|---|---|---|---|---|")
    for name, load in (("alone", alone), ("beside four runs", beside)):
        print(
            f"| {name} | {len(load.seconds):,} | {load.quantile(0.5):.1f} "
            f"| {load.quantile(0.99):.1f} | {load.quantile(1.0):.0f} | {len(load.faults)} |"
        )
    print("\n| runs | seconds each | server MiB | with workers MiB | faults |\n|---|---|---|---|---|")
    print(f"| 4 | | {memory_mib(pid):.0f} | {tree_mib(pid):.0f} | {len(faults)} |", flush=True)
    step, failed, start = max(1, count // 10), 0, time.perf_counter()
    for number, question in enumerate(questions[4:], 1):
        failed += bool(whole_run(port, question))
        if number % step == 0:
            each = (time.perf_counter() - start) / number
            held = f"{memory_mib(pid):.0f} | {tree_mib(pid):.0f}"
            print(f"| {number + 4} | {each:.2f} | {held} | {failed} |", flush=True)


if __name__ == "__main__":
    main()
