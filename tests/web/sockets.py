"""A server on a real socket of this machine, and requests byte by byte."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn

from areaeffect.web.app import config_of, create_app
from areaeffect.web.limits import ServerSettings

PATIENCE = 20.0  # seconds; a busy machine is slow


@contextmanager
def serving(settings: ServerSettings) -> Iterator[int]:
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


def opened(port: int, sent: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), PATIENCE)
    made.sendall(sent)
    return made


def asked(port: int, sent: bytes) -> bytes:
    """Send a request that asks to close the connection; return all that comes back.

    A server that refuses a request before it has read its body resets the connection.
    """
    told = b""
    with suppress(ConnectionError), opened(port, sent) as connection:
        while block := connection.recv(65536):
            told += block
    return told
