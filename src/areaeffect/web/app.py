"""The application: every route behind the safety checks, those that need no form, and the server."""

from __future__ import annotations

import hashlib
import html
import ipaddress
import logging
import re
import resource
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import h11
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle  # noqa: TID253  # loaded by `serve` alone

from areaeffect.errors import AreaEffectError, StudyError
from areaeffect.web import area, compare, find, limits, render, selection
from areaeffect.web.atlas import atlases, find_atlas
from areaeffect.web.limits import Refusal
from areaeffect.web.published import RunsFolder
from areaeffect.web.render import TYPES, page, settings_of
from areaeffect.web.safety import Safety
from areaeffect.web.site_pages import INDEX, Frame, site_files, site_pages

if TYPE_CHECKING:
    import asyncio

    import uvicorn
    from starlette.requests import Request

    from areaeffect.web.limits import ServerSettings

#: What search engines may read of a server that everyone may read, and of any other.
_PUBLIC, _PRIVATE = "User-agent: *\nDisallow: /find\nDisallow: /areas\n", "User-agent: *\nDisallow: /\n"
_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy" content="([^"]{1,500})">')
_BARE = "default-src 'none'; base-uri 'none'; form-action 'none'"
_LOG = logging.getLogger(__name__)


_MENU: Final = (
    ("Find", "/find"),
    ("Compare", "/compare"),
    ("Published evaluations", "/runs/"),
    ("Help", "/help"),
)


def _home(request: Request) -> Response:
    settings, holdings = settings_of(request), request.app.state.shelf.runs
    here = list(atlases(settings).values())
    return page(
        request,
        "home.html.j2",
        title="areaeffect",
        runs=holdings.top,
        faults={} if settings.read_only else holdings.faults,
        atlas=here[0] if here else None,
        others=here[1:],
    )


def _help(request: Request) -> Response:
    return page(request, "help.html.j2", title="Help")


def _health(request: Request) -> Response:
    runs, held = settings_of(request).runs, request.app.state.shelf.runs
    if runs is not None and not runs.is_dir():
        return JSONResponse({"status": "the folder of runs is not there"}, 503)
    return JSONResponse({"status": "ok", "runs": len(held.runs), "unreadable": len(held.faults)})


def _robots(request: Request) -> Response:
    settings = settings_of(request)
    return PlainTextResponse(_PUBLIC if settings.read_only and settings.token is None else _PRIVATE)


def _begin(_request: Request) -> Response:
    return RedirectResponse("/runs/", 308)


def _page(request: Request) -> Response:
    """Answer with a page or file of runs, or with 304 where it is known; a page may load what it says."""
    selection.parse(selection.NoState, request.query_params.multi_items())
    pages, path = request.app.state.pages(), request.path_params["path"]
    if f"{path}/{INDEX}" in pages:
        return RedirectResponse(f"/runs/{path}/", 308)
    name = f"{path}{INDEX}" if path == "" or path.endswith("/") else path
    if name not in pages:
        raise Refusal(404, "No run has this page or file.", "See the list at /runs/.")
    try:
        body = pages[name]()
    except Exception as error:  # the files are those of a stranger's run and may hold anything
        _LOG.warning("/runs/%s cannot be shown: %s", name, type(error).__name__)
        what = "This page cannot be shown: the files of its run are damaged."
        raise Refusal(503, what, "Evaluate the study again.") from None
    suffix, tag = PurePosixPath(name).suffix, f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if suffix == ".html":
        own = _POLICY.search(body[:4096])
        policy = html.unescape(own[1].decode("latin-1")) if own else _BARE
        headers["content-security-policy"] = f"{policy}; frame-ancestors 'none'"
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=TYPES[suffix], headers=headers)


def _map_file(request: Request) -> Response:
    """Answer with a file of an atlas's map; one asked for under its own version is kept for ever."""
    key, asked = request.path_params["key"], request.url.path
    atlas, name = find_atlas(settings_of(request), key), asked.removeprefix(f"/atlases/{key}/")
    packed = name.endswith(".json")
    file = re.sub(r"/(\d+\.json)$", r".\1", name) + ".gz" if packed else name
    if file not in atlas.manifest["files"]:
        raise HTTPException(404)
    is_kept = request.query_params.get("v") == atlas.version(file)
    headers = {"cache-control": "private, max-age=31536000, immutable" if is_kept else "no-cache"}
    headers |= {"content-encoding": "gzip", "vary": "accept-encoding"} if packed else {}
    kind = "application/json" if packed else "application/octet-stream"
    return FileResponse(atlas.folder / file, headers=headers, media_type=kind)


def _atlases(request: Request) -> Response:
    found = atlases(settings_of(request)).values()
    about = [
        {"key": a.key, "title": a.title} | {k: a.manifest[k] for k in ("n_areas", "layers")} for a in found
    ]
    return JSONResponse({"atlases": about})


_ROUTES = [
    Route("/", _home),
    Route("/atlases.json", _atlases),
    Route("/help", _help),
    Route("/health", _health),
    Route("/robots.txt", _robots),
    Route("/runs", _begin),
    Route("/runs/{path:path}", _page),
    Route("/atlases/{key}/areas.pmtiles", _map_file),
    Route("/atlases/{key}/names.json", _map_file),
    Route("/atlases/{key}/values/{layer}/{period}.json", _map_file),
]


def create_app(settings: ServerSettings) -> Starlette:
    """Return the application for one set of settings."""
    routes = [*_ROUTES, *find.ROUTES, *area.ROUTES, *([] if settings.read_only else compare.ROUTES)]
    mounts = [Mount("/static", OwnFiles(directory=str(files("areaeffect.web") / "static")))]
    if render.vendor_hashes():
        mounts.append(Mount("/vendor", OwnFiles(directory=str(render.vendor_folder()))))
    shelf, base_url = RunsFolder(settings.runs), f"{settings.base_url}/runs" if settings.base_url else ""

    def menu() -> list[tuple[str, str]]:  # without what this server has nothing to show for
        lacking = set() if settings.runs else {"/runs/"}
        if settings.read_only:
            lacking |= {"/compare"} if atlases(settings) else {"/compare", "/find"}
        return [(words, address) for words, address in _MENU if address not in lacking]

    def updated() -> datetime | None:  # when the newest atlas or published run was made
        made = [run.updated for run in shelf.runs.runs.values()]
        manifests = (atlas.folder / "atlas.json" for atlas in atlases(settings).values())
        return max(
            [*made, *(datetime.fromtimestamp(m.stat().st_mtime, UTC) for m in manifests)], default=None
        )

    def frame() -> Frame:
        home = (("Start page", "/"), *(pair for pair in menu() if pair[1] != "/runs/"))
        return Frame(contact=settings.contact, operator=settings.operator, base_url=base_url, home=home)

    def pages() -> dict[str, Callable[[], bytes]]:
        held = shelf.runs
        given = {path: file.read_bytes for path, file in site_files(held).items()}
        return {**given, **site_pages(held, frame())}

    app = Starlette(
        routes=[*routes, *mounts],
        middleware=[Middleware(Safety, settings=settings)],
        exception_handlers={HTTPException: _answer, AreaEffectError: _answer},
    )
    for name, value in {"settings": settings, "shelf": shelf, "menu": menu, "updated": updated}.items():
        setattr(app.state, name, value)
    app.state.frame, app.state.pages = frame, pages
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
