"""Connections of one server: how many, and how long a request and its answer may take.

A client that sends or reads slowly loses its connection, and so does the one that has waited
longest without a whole request when there are too many: clients that hold connections open cannot
keep others out.
"""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import (  # noqa: TID253  # loaded by `serve` alone
    H11Protocol,
    RequestResponseCycle,
)

from areaeffect.web import limits

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


def most_connections() -> int:
    """Return how many connections are held at once: at most a quarter of the files a process has.

    As many again may be waiting to be taken, and pages are made of files.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(limits.CONNECTIONS, max(1, soft // 4))


class Connection(H11Protocol):
    """One connection; `since` is when it began to wait for its client."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.since = 0.0
        self._head: asyncio.TimerHandle | None = None
        self._body: asyncio.TimerHandle | None = None
        self._answer: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its client: for a whole request, or for the answer to be read."""
        cycle = self._asked()
        answers = cycle is not None and not cycle.more_body and not cycle.response_complete
        return not answers or self.flow.write_paused

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; the one that waits longest goes where there are too many."""
        super().connection_made(transport)
        self.since = self.loop.time()
        held = [c for c in self.connections if isinstance(c, Connection)]
        if len(held) > most_connections():
            waiting = [c for c in held if c.is_waiting and c is not self]
            min(waiting, key=lambda c: c.since, default=self).drop()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read what came; the clock of a head and a body runs from its first byte."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Let the next request begin on this connection."""
        super().on_response_complete()
        self._stop("_body")
        if not self.transport.is_closing():
            self.since = self.loop.time()
            self._watch()

    def pause_writing(self) -> None:
        """Wait a while for a client that reads slowly."""
        super().pause_writing()
        self.since = self.loop.time()
        self._start("_answer", limits.STALLED_SECONDS)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        self._stop("_answer")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and its clocks."""
        for clock in ("_head", "_body", "_answer"):
            self._stop(clock)
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Say that a request is not HTTP, unless an answer to it is on its way."""
        cycle = self._asked()
        begun = cycle is not None and not cycle.response_complete
        if begun or self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.drop()
        else:
            super().send_400_response(msg)

    def drop(self) -> None:
        """Close at once, without an answer."""
        self.connections.discard(self)
        cycle = self._asked()
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.abort()

    def _asked(self) -> RequestResponseCycle | None:
        """Return the request that came last and its answer; None before the first."""
        return self.cycle

    def _watch(self) -> None:
        cycle = self._asked()
        if cycle is None or cycle.response_complete:
            self._start("_head", limits.HEAD_SECONDS)
            return
        self._stop("_head")
        if cycle.more_body:
            self._start("_body", limits.BODY_SECONDS)
        else:
            self._stop("_body")

    def _start(self, clock: str, seconds: float) -> None:
        """Start a clock that does not run yet: what trickles in does not put it back."""
        if getattr(self, clock) is None:
            setattr(self, clock, self.loop.call_later(seconds, self._late(clock)))

    def _late(self, clock: str) -> Callable[[], None]:
        def late() -> None:
            setattr(self, clock, None)
            self.drop()

        return late

    def _stop(self, clock: str) -> None:
        handle = getattr(self, clock)
        if handle is not None:
            handle.cancel()
            setattr(self, clock, None)
