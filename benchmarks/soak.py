"""Load on the web app: how many requests a second, how slow the slowest, and what it keeps.

A read-only server and a bare Starlette application that answers with the same bytes are asked in
turn, slice by slice, over open connections on loopback. Other work on the machine slows both: their
ratio, and the processor time a request takes, say more than seconds do.

    python -m benchmarks.soak --runs build/demo            # docs/web.md
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
BARE = """
import sys
from pathlib import Path
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
body = Path(sys.argv[1]).read_bytes()
async def answer(request):
    return Response(body, media_type="text/html")
app = Starlette(routes=[Route("/{path:path}", answer)])
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
"""
SERVE = "from areaeffect.cli import main; main()"


@dataclass
class Load:
    """What was measured of one server.

    Parameters
    ----------
    seconds : of each request.
    faults : answers other than 200 and 304, and connections that broke.
    wall : seconds of all slices.
    cpu : seconds of processor time of the server.
    memory : MiB held after each slice.
    """

    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0
    memory: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """Milliseconds that a share of the requests took at most."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> int:
    """Send one request on an open connection and read the whole answer; return its status."""
    writer.write(head)
    told = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", told)
    status = int(told[9:12])
    if length and status != 304:
        await reader.readexactly(int(length[1]))
    return status


async def connection(port: int, paths: list[str], until: float, load: Load, first: int) -> None:
    """Ask for one path after the other until the time is up."""
    reader, writer = await asyncio.open_connection(HOST, port)
    heads = [f"GET {p} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode() for p in paths]
    number = first
    try:
        while time.perf_counter() < until:
            start = time.perf_counter()
            status = await ask(reader, writer, heads[number % len(heads)])
            load.seconds.append(time.perf_counter() - start)
            if status not in {200, 304}:
                load.faults.append(f"{status} {paths[number % len(paths)]}")
            number += 1
    except (OSError, asyncio.IncompleteReadError) as error:
        load.faults.append(type(error).__name__)
    finally:
        writer.close()


def run_slice(
    process: subprocess.Popen[bytes], port: int, paths: list[str], seconds: float, many: int,
    load: Load,
) -> None:  # fmt: skip
    """Load one server for a while and note what it took."""

    async def all_of_them() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(connection(port, paths, until, load, n) for n in range(many)))

    before, start = cpu_seconds(process.pid), time.perf_counter()
    asyncio.run(all_of_them())
    load.wall += time.perf_counter() - start
    load.cpu += cpu_seconds(process.pid) - before
    load.memory.append(memory_mib(process.pid))


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has taken so far."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int) -> float:
    """Memory that a process holds."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def started(*command: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; waits until it answers, at most five minutes."""
    process = subprocess.Popen([sys.executable, *command])
    until = time.monotonic() + 300.0
    try:
        while True:
            try:
                fetch(port, "/health")
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit("the server did not start")
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def fetch(port: int, path: str) -> bytes:
    """Return one answer."""
    with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=60) as answer:
        return bytes(answer.read())


def pages_of(port: int) -> list[str]:
    """Return pages and files of every kind of the first run that has neighbourhoods."""
    for run in re.findall(rb'href="([A-Za-z0-9_-]+)/index.html"', fetch(port, "/runs/")):
        at = f"/runs/{run.decode()}"
        page = fetch(port, f"{at}/")
        found = re.findall(rb'href="(findings/[^"]+)"', page)
        if b"neighbourhoods/index.html" in page and found:
            return [
                "/", "/help", "/runs/", f"{at}/", f"{at}/{found[0].decode()}",
                f"{at}/findings.json", f"{at}/neighbourhoods/index.html",
                f"{at}/data/findings.csv", "/runs/feed.atom",
            ]  # fmt: skip
    sys.exit("no published run has neighbourhoods")


def refused(port: int) -> list[tuple[str, int, int, float]]:
    """Ask for what is refused; return what, status, bytes and milliseconds (the best of five)."""
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    big = b"x" * (3 * 1024 * 1024)
    asked = {
        "a body over the cap, said": (f"POST /find/change HTTP/1.1\r\n{form}", big),
        "an unknown parameter": ("GET /runs/?x=1 HTTP/1.1\r\n", b""),
        "an address over the cap": (f"GET /runs/?q={'x' * 9000} HTTP/1.1\r\n", b""),
        "a path out of a run": ("GET /runs/county/..%2f..%2fetc HTTP/1.1\r\n", b""),
        "another Host": ("GET /runs/ HTTP/1.1\r\n", b""),
        "a form of another site": (
            f"POST /find/change HTTP/1.1\r\nOrigin: https://evil.example\r\n{form}", b"a=b",
        ),
    }  # fmt: skip
    rows = []
    for what, (head, body) in asked.items():
        host = "evil.example" if what == "another Host" else f"{HOST}:{port}"
        message = f"{head}Host: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        tries = [asyncio.run(_refusal(port, message)) for _ in range(5)]
        rows.append((what, tries[0][0], tries[0][1], min(t[2] for t in tries)))
    return rows


async def _refusal(port: int, message: bytes) -> tuple[int, int, float]:
    reader, writer = await asyncio.open_connection(HOST, port)
    start = time.perf_counter()
    writer.write(message)
    told = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", told)
    body = await reader.readexactly(int(length[1])) if length else b""
    taken = 1000 * (time.perf_counter() - start)
    writer.close()
    return int(told[9:12]), len(body), taken


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("build/demo"))
    parser.add_argument("--seconds", type=float, default=60.0, help="of load on each server")
    parser.add_argument("--slices", type=int, default=6)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--port", type=int, default=8391)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        store, body = Path(place) / "store", Path(place) / "body"
        command = ["-c", SERVE, "serve", "--read-only", "--store", str(store)]
        command += ["--runs", str(told.runs), "--port", str(told.port)]
        with started(*command, port=told.port) as ours:
            paths = pages_of(told.port)
            bodies = [fetch(told.port, p) for p in paths]
            body.write_bytes(b"x" * (sum(map(len, bodies)) // len(bodies)))
            with started("-c", BARE, str(body), str(told.port + 1), port=told.port + 1) as bare:
                loads = {"the web app": (ours, told.port, Load()), "bare": (bare, told.port + 1, Load())}
                first = memory_mib(ours.pid)
                for _ in range(told.slices):
                    for process, port, load in loads.values():
                        seconds = told.seconds / told.slices
                        run_slice(process, port, paths, seconds, told.connections, load)
            _print(loads, first)
            print("\n| refused | status | bytes | ms |\n|---|---|---|---|")
            for row in refused(told.port):
                print(f"| {row[0]} | {row[1]} | {row[2]} | {row[3]:.1f} |")


def _print(loads: dict[str, tuple[subprocess.Popen[bytes], int, Load]], first: float) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    load = ", ".join(f"{v:.1f}" for v in os.getloadavg())
    print(f"Commit {commit}; {os.cpu_count()} processors, load average {load}.\n")
    print("| | requests | a second | p50 ms | p99 ms | longest ms | CPU ms each | faults |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (_, _, m) in loads.items():
        print(
            f"| {name} | {len(m.seconds):,} | {len(m.seconds) / m.wall:,.0f} "
            f"| {m.quantile(0.5):.1f} | {m.quantile(0.99):.1f} | {m.quantile(1.0):.0f} "
            f"| {1000 * m.cpu / len(m.seconds):.2f} | {len(m.faults)} |"
        )
    app, bare = loads["the web app"][2], loads["bare"][2]
    ratio = (len(app.seconds) / app.wall) / (len(bare.seconds) / bare.wall)
    print(f"\nRequests a second against bare: {ratio:.2f}; p99: "
          f"{app.quantile(0.99) / bare.quantile(0.99):.2f} times.")  # fmt: skip
    held = ", ".join(f"{v:.0f}" for v in app.memory)
    print(f"Memory in MiB, before and after each slice: {first:.0f}; {held}.")
    for fault in app.faults[:5]:
        print(f"fault: {fault}")


if __name__ == "__main__":
    main()
