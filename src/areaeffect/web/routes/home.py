"""The start page, help, and what programs that visit ask: health, and robots of search engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from areaeffect.web.atlas import atlases
from areaeffect.web.render import page, settings_of
from areaeffect.web.site_pages import site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from areaeffect.web.settings import ServerSettings

NAV: tuple[str, str] | None = ("Help", "/help")
PUBLIC = "User-agent: *\nDisallow: /find\nDisallow: /areas\n"
PRIVATE = "User-agent: *\nDisallow: /\n"


def routes(_settings: ServerSettings) -> list[Route]:
    """Return the four addresses."""
    return [
        Route("/", _home),
        Route("/help", _help),
        Route("/health", _health),
        Route("/robots.txt", _robots),
    ]


def _home(request: Request) -> Response:
    settings, holdings = settings_of(request), site_of(request).holdings
    faults = {} if settings.read_only else holdings.faults
    here = list(atlases(settings).values())
    return page(
        request,
        "home.html.j2",
        title="areaeffect",
        runs=holdings.top,
        faults=faults,
        atlas=here[0] if here else None,
        others=here[1:],
        compare=not settings.read_only,
    )


def _help(request: Request) -> Response:
    return page(request, "help.html.j2", title="Help")


def _health(request: Request) -> Response:
    site = site_of(request)
    if site.shelf.folder is not None and not site.shelf.folder.is_dir():
        return JSONResponse({"status": "the folder of runs is not there"}, 503)
    held = site.holdings
    return JSONResponse({"status": "ok", "runs": len(held.runs), "unreadable": len(held.faults)})


def _robots(request: Request) -> Response:
    public = request.app.state.settings.is_public
    return PlainTextResponse(PUBLIC if public else PRIVATE)
