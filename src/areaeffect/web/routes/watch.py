"""For programs that visit: health for who watches over the server, robots for search engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from areaeffect.web.site import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from areaeffect.web.settings import Settings

NAV: tuple[str, str] | None = None
PUBLIC = "User-agent: *\nDisallow: /stories/submit\nDisallow: /stories/moderate\n"
PRIVATE = "User-agent: *\nDisallow: /\n"


def routes(_settings: Settings) -> list[Route]:
    """Return the two addresses."""
    return [Route("/health", _health), Route("/robots.txt", _robots)]


async def _health(request: Request) -> Response:
    folder = site_of(request).settings.runs
    if folder is not None and not folder.is_dir():
        return JSONResponse({"status": "the folder of runs is not there"}, 503)
    shelf = site_of(request).shelf
    return JSONResponse(
        {"status": "ok", "runs": len(shelf.runs()), "unreadable": len(shelf.faults)}
    )


async def _robots(request: Request) -> Response:
    public = site_of(request).settings.is_public
    return PlainTextResponse(PUBLIC if public else PRIVATE)
