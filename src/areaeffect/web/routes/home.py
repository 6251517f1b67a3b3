"""The start page: what this is, and where to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from areaeffect.web.render import page
from areaeffect.web.site import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from areaeffect.web.settings import Settings

NAV: tuple[str, str] | None = None


def routes(_settings: Settings) -> list[Route]:
    """Return the start page."""
    return [Route("/", _home)]


def _home(request: Request) -> Response:
    site = site_of(request)
    holdings = site.holdings
    faults = {} if request.app.state.settings.read_only else holdings.faults
    return page(request, "home.html.j2", title="areaeffect", runs=holdings.top, faults=faults)
