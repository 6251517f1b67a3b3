"""The JSON API, mounted under `/api`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Mount

if TYPE_CHECKING:
    from areaeffect.web.settings import Settings

NAV: tuple[str, str] | None = None


def routes(settings: Settings) -> list[Mount]:
    """Return the API of these settings."""
    from areaeffect.web.api import create_api

    return [Mount("/api", create_api(settings))]
