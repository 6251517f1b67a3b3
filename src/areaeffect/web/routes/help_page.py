"""Help: what the words mean and what the pages can and cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from areaeffect.web.render import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from areaeffect.web.settings import ServerSettings

NAV: tuple[str, str] | None = ("Help", "/help")


def routes(_settings: ServerSettings) -> list[Route]:
    """Return the help page."""
    return [Route("/help", _help)]


def _help(request: Request) -> Response:
    return page(request, "help.html.j2", title="Help")
