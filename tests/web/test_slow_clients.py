"""Clients that send or read slowly, on real sockets: they lose their connection, others do not."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from areaeffect.web import limits
from areaeffect.web.app import most_connections
from areaeffect.web.limits import ServerSettings
from tests.web.published import make_runs
from tests.web.sockets import PATIENCE, asked, opened, serving

BRISK = 0.4


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_runs(tmp_path_factory.mktemp("slow") / "runs")
    return made


@pytest.fixture
def port(settings: ServerSettings, runs: Path) -> Iterator[int]:
    with serving(replace(settings, runs=runs, read_only=True)) as found:
        yield found


def is_closed(connection: socket.socket, within: float) -> bool:
    """Whether the server closes a connection within some seconds."""
    connection.settimeout(within)
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def health(port: int) -> float:
    """Ask how the server is; return the seconds that took."""
    began = time.monotonic()
    told = asked(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 200"), told[:200]
    return time.monotonic() - began


HALF = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
HALF_BODY = (
    b"POST /find/change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nview="
)


@pytest.mark.parametrize("sent", [b"", HALF, HALF_BODY], ids=["nothing", "head", "body"])
def test_three_hundred_half_requests_do_not_silence_the_server(port: int, sent: bytes) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(opened(port, sent)) for _ in range(300)]
        assert max(health(port) for _ in range(5)) < PATIENCE / 2
        closed = sum(is_closed(c, 0.01) for c in held)
    assert closed >= 300 - most_connections()


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from areaeffect.cli import main
main()
"""


def test_few_open_files_are_enough_for_a_server_under_half_requests(runs: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", LIMITED, "serve", "--read-only", "--port", str(port)]
    command += ["--runs", str(runs), "--store", str(tmp_path)]
    log = tmp_path / "log"
    with log.open("wb") as heard, ExitStack() as stack:
        process = subprocess.Popen(command, stdout=heard, stderr=heard)
        stack.callback(process.wait, PATIENCE)
        stack.callback(process.terminate)
        until = time.monotonic() + 3 * PATIENCE
        while True:
            with suppress(OSError, AssertionError):
                health(port)
                break
            assert time.monotonic() < until
            time.sleep(0.1)
        held = [stack.enter_context(opened(port, HALF)) for _ in range(300)]
        assert max(health(port) for _ in range(5)) < PATIENCE
        assert held
    assert log.stat().st_size < 2_000, log.read_text()


@pytest.mark.parametrize("sent", [b"", HALF], ids=["nothing", "head"])
def test_a_head_that_is_not_whole_in_time_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, port: int, sent: bytes
) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", BRISK)
    with opened(port, sent) as connection:
        assert is_closed(connection, PATIENCE)


def test_a_head_that_trickles_in_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", BRISK)
    with opened(port, HALF) as connection:
        until = time.monotonic() + PATIENCE
        with suppress(OSError):
            while time.monotonic() < until:
                connection.sendall(b"x")
                time.sleep(BRISK / 10)
    assert time.monotonic() < until
    assert health(port) < PATIENCE


def test_a_body_that_trickles_in_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", BRISK)
    with opened(port, HALF_BODY) as connection:
        until = time.monotonic() + PATIENCE
        with suppress(OSError):
            for _ in range(80):
                connection.sendall(b"x")
                time.sleep(BRISK / 10)
        assert is_closed(connection, PATIENCE)
    assert time.monotonic() < until
    assert health(port) < PATIENCE


def test_a_client_that_does_not_read_its_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(limits, "STALLED_SECONDS", BRISK)
    wanted = b"GET /runs/county/report.html HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    with connection:
        connection.sendall(wanted * 8)
        time.sleep(BRISK * 5)
        connection.settimeout(PATIENCE)
        read = 0
        with suppress(ConnectionError):
            while block := connection.recv(65536):
                read += len(block)
    assert read < 4 * 10**6
    assert health(port) < PATIENCE


def test_a_connection_serves_several_requests_and_ends_when_it_is_idle(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    wanted = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with opened(port) as connection:
        for _ in range(3):
            connection.sendall(wanted)
            told = b""
            while not told.endswith(b"}"):
                told += connection.recv(65536)
            assert told.startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(limits, "HEAD_SECONDS", BRISK)
        connection.sendall(wanted)
        assert is_closed(connection, PATIENCE)
