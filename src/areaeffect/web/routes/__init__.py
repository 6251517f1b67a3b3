"""One module a feature: `routes(settings)` and its place in the menu, one line here each.

`NAV` is (words, address), or None for a feature without a place in the menu. A feature whose
`routes` returns nothing under some settings has no place in the menu there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from areaeffect.web.routes import area, atlas_files, compare, find, home, runs

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from areaeffect.web.settings import ServerSettings


class Feature(Protocol):
    """What a module of this package offers."""

    NAV: tuple[str, str] | None

    def routes(self, settings: ServerSettings) -> Sequence[BaseRoute]:
        """Return the feature's routes under these settings."""
        ...


#: In the order of the menu.
FEATURES: tuple[Feature, ...] = (find, area, atlas_files, compare, runs, home)
