"""Clients that send or read slowly, on real sockets: they lose their connection, others do not."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from areaeffect.web import limits
from areaeffect.web.app import config_of, create_app
from areaeffect.web.connections import most_connections
from areaeffect.web.settings import Settings
from tests.web.published import make_runs

PATIENCE = 20.0  # seconds; a busy machine is slow
BRISK = 0.4


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_runs(tmp_path_factory.mktemp("slow") / "runs")
    return made


@contextmanager
def serving(settings: Settings) -> Iterator[int]:
    """Serve until the block ends; give the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config_of(settings, create_app(settings)))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listening.close()
    assert not thread.is_alive()


@pytest.fixture
def port(settings: Settings, runs: Path) -> Iterator[int]:
    with serving(replace(settings, runs=runs, read_only=True)) as found:
        yield found


def opened(port: int, sent: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), PATIENCE)
    made.sendall(sent)
    return made


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
    with opened(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") as it:
        it.settimeout(PATIENCE)
        told = b""
        while block := it.recv(65536):
            told += block
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


def test_few_open_files_are_enough_for_a_server_under_half_requests(
    settings: Settings, runs: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_use = len(os.listdir("/proc/self/fd"))
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        port = stack.enter_context(serving(replace(settings, runs=runs, read_only=True)))
        resource.setrlimit(resource.RLIMIT_NOFILE, (256 + in_use + 300, before[1]))
        assert most_connections() < 256
        held = [stack.enter_context(opened(port, HALF)) for _ in range(300)]
        assert health(port) < PATIENCE
        assert held


@pytest.mark.parametrize("sent", [b"", HALF], ids=["nothing", "head"])
def test_a_head_that_is_not_whole_in_time_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, port: int, sent: bytes
) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", BRISK)
    with opened(port, sent) as connection:
        assert is_closed(connection, PATIENCE)


def test_a_head_that_trickles_in_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", BRISK)
    with opened(port, HALF) as connection:
        until = time.monotonic() + PATIENCE
        with suppress(OSError):
            while time.monotonic() < until:
                connection.sendall(b"x")
                time.sleep(BRISK / 10)
    assert time.monotonic() < until
    assert health(port) < PATIENCE


def test_a_body_that_trickles_in_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
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
    asked = b"GET /runs/county/report.html HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    with connection:
        connection.sendall(asked * 8)
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
    asked = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with opened(port) as connection:
        for _ in range(3):
            connection.sendall(asked)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(limits, "HEAD_SECONDS", BRISK)
        connection.sendall(asked)
        assert is_closed(connection, PATIENCE)
