"""The start page: what this is, and where to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from areaeffect.web.atlas import atlases
from areaeffect.web.render import page, settings_of
from areaeffect.web.site import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from areaeffect.web.settings import ServerSettings

NAV: tuple[str, str] | None = None


def routes(_settings: ServerSettings) -> list[Route]:
    """Return the start page."""
    return [Route("/", _home)]


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
