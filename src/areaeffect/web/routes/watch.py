"""For programs that visit: health for who watches over the server, robots for search engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from areaeffect.web.site import site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from areaeffect.web.settings import ServerSettings

NAV: tuple[str, str] | None = None
PUBLIC = "User-agent: *\nDisallow: /find\nDisallow: /areas\n"
PRIVATE = "User-agent: *\nDisallow: /\n"


def routes(_settings: ServerSettings) -> list[Route]:
    """Return the two addresses."""
    return [Route("/health", _health), Route("/robots.txt", _robots)]


def _health(request: Request) -> Response:
    site = site_of(request)
    if site.shelf.folder is not None and not site.shelf.folder.is_dir():
        return JSONResponse({"status": "the folder of runs is not there"}, 503)
    held = site.holdings
    return JSONResponse({"status": "ok", "runs": len(held.runs), "unreadable": len(held.faults)})


def _robots(request: Request) -> Response:
    public = request.app.state.settings.is_public
    return PlainTextResponse(PUBLIC if public else PRIVATE)
