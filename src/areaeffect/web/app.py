"""The application: the routes of every feature behind the safety checks, and the server."""

from __future__ import annotations

import ipaddress
import resource
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import h11
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle  # noqa: TID253  # loaded by `serve` alone

from areaeffect.errors import AreaEffectError, StudyError
from areaeffect.web import area, compare, find, limits, pages, render
from areaeffect.web.atlas import atlases
from areaeffect.web.safety import Safety
from areaeffect.web.site_pages import Site

if TYPE_CHECKING:
    import asyncio

    import uvicorn
    from starlette.requests import Request
    from starlette.responses import Response

    from areaeffect.web.limits import ServerSettings

_MENU: Final = (
    ("Find", "/find"),
    ("Compare", "/compare"),
    ("Published evaluations", "/runs/"),
    ("Help", "/help"),
)


def create_app(settings: ServerSettings) -> Starlette:
    """Return the application for one set of settings."""
    routes = [*find.ROUTES, *area.ROUTES, *pages.ROUTES, *([] if settings.read_only else compare.ROUTES)]
    mounts = [Mount("/static", OwnFiles(directory=str(files("areaeffect.web") / "static")))]
    if render.vendor_hashes():
        mounts.append(Mount("/vendor", OwnFiles(directory=str(render.vendor_folder()))))
    app = Starlette(
        routes=[*routes, *mounts],
        middleware=[Middleware(Safety, settings=settings)],
        exception_handlers={HTTPException: _answer, AreaEffectError: _answer},
    )

    def menu() -> list[tuple[str, str]]:  # without what this server has nothing to show for
        lacking = set() if settings.runs else {"/runs/"}
        if settings.read_only:
            lacking |= {"/compare"} if atlases(settings) else {"/compare", "/find"}
        return [(words, address) for words, address in _MENU if address not in lacking]

    def updated() -> datetime | None:  # when the newest atlas or published run was made
        made = [run.updated for run in app.state.site.holdings.runs.values()]
        manifests = (atlas.folder / "atlas.json" for atlas in atlases(settings).values())
        return max(
            [*made, *(datetime.fromtimestamp(m.stat().st_mtime, UTC) for m in manifests)], default=None
        )

    app.state.settings, app.state.menu, app.state.updated = settings, menu, updated
    app.state.site = Site.of(settings, menu)
    return app


class OwnFiles(StaticFiles):
    """Files that pages load; a browser asks each time whether they have changed."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        """Answer with a file, or with 304 where it is known."""
        answer = super().file_response(*arguments, **named)
        answer.headers["cache-control"] = "no-cache"
        return answer


async def _answer(request: Request, fault: Exception) -> Response:
    return render.answer_to(fault, request.url.path)


def with_token(settings: ServerSettings) -> ServerSettings:
    """Return settings that are safe to listen with: who others can reach has a token or only reads."""
    if settings.is_loopback or settings.read_only or settings.token:
        return settings
    return replace(settings, token=secrets.token_urlsafe(16))


def serve(settings: ServerSettings, say: Callable[[str], None]) -> None:
    """Listen until interrupted; StudyError where an address or a folder cannot be had."""
    import uvicorn

    made_up = settings.token is None
    settings = with_token(settings)
    for name, folder in (("--runs", settings.runs), ("--atlas", settings.atlas)):
        if folder is not None and not folder.is_dir():
            raise StudyError(f"there is no folder '{folder}'.", name, "Name one that exists.")
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    say(f"areaeffect: {settings.base_url or f'http://{shown}:{settings.port}'}/")
    if settings.token:
        say(f"Sign in with any name and the password {settings.token if made_up else 'given'}.")
    if not render.vendor_hashes():
        say(render.NO_MAP)
    say("Stop it with Ctrl-C.")
    try:
        uvicorn.Server(config_of(settings, create_app(settings))).run()
    except SystemExit as error:  # uvicorn's word for an address that is taken
        what = f"port {settings.port} of {settings.host} cannot be used."
        fix = "Another program may be using it: choose another port."
        raise StudyError(what, "--port", fix) from error


def config_of(settings: ServerSettings, app: Any) -> uvicorn.Config:
    """Return how to listen: forwarded addresses are believed from proxies named by an address alone."""
    import uvicorn

    proxies = None if settings.proxy is None else [p.strip() for p in settings.proxy.split(",")]
    for proxy in proxies or ():
        try:
            ipaddress.ip_network(proxy, strict=False)
        except ValueError:  # a name, or all of them, could be anybody
            what = f"'{proxy}' is not the address of a proxy."
            fix = "Name addresses or networks between commas: 10.0.0.2,10.1.0.0/16"
            raise StudyError(what, "--proxy", fix) from None
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level="error",
        proxy_headers=proxies is not None,
        forwarded_allow_ips=proxies or [],
        server_header=False,
        http=Connection,
        ws="none",
        backlog=most_connections(),
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 * 1024,
    )


def most_connections() -> int:
    """Return how many connections are held at once: at most a quarter of the files a process has.

    As many again may be waiting to be taken, and pages are made of files.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(limits.CONNECTIONS, max(1, soft // 4))


class Connection(H11Protocol):
    """One connection that waits for its client for a while only, and not with too many others.

    What it waits for: the whole head of a request, its whole body, or that its answer is read.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.waits_for, self.since = "", 0.0
        self._clock: asyncio.TimerHandle | None = None

    # as the server's own class narrows it: a TCP connection has a Transport
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; the one that waits longest goes where there are too many."""
        super().connection_made(transport)
        held = [c for c in self.connections if isinstance(c, Connection)]
        if len(held) > most_connections():
            waiting = [c for c in held if c.waits_for and c is not self]
            min(waiting, key=lambda c: c.since, default=self).drop()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read what came; the clock of a head and a body runs from its first byte."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Let the next request begin on this connection."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Wait a while for a client that reads slowly."""
        super().pause_writing()
        self._wait("answer", limits.STALLED_SECONDS)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and its clock."""
        self._wait("", 0)
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Say that a request is not HTTP, unless an answer to it is on its way."""
        cycle = self._cycle_of_request()
        begun = cycle is not None and not cycle.response_complete
        if begun or self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.drop()
        else:
            super().send_400_response(msg)

    def drop(self) -> None:
        """Close at once, without an answer."""
        self.connections.discard(self)
        if (cycle := self._cycle_of_request()) is not None:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.abort()

    def _cycle_of_request(self) -> RequestResponseCycle | None:
        """Return the request that came last and its answer; None before the first."""
        return self.cycle

    def _watch(self) -> None:
        cycle = self._cycle_of_request()
        if self.flow.write_paused or self.transport.is_closing():
            return
        if cycle is None or cycle.response_complete:
            self._wait("head", limits.HEAD_SECONDS)
        elif cycle.more_body:
            self._wait("body", limits.BODY_SECONDS)
        else:
            self._wait("", 0)

    def _wait(self, what: str, seconds: float) -> None:
        """Start the clock; what trickles in, and is waited for already, does not put it back."""
        if what == self.waits_for:
            return
        if self._clock is not None:
            self._clock.cancel()
        self.waits_for, self.since = what, self.loop.time()
        self._clock = self.loop.call_later(seconds, self.drop) if what else None
