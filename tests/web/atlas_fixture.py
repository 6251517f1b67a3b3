"""The simulated county's atlas, made once for all web tests."""

from __future__ import annotations

from pathlib import Path

from areaeffect.atlas.build import demo_atlas
from areaeffect.web.limits import ServerSettings


def county_settings(folder: Path) -> ServerSettings:
    """Settings of a server on a store that holds the county's atlas."""
    demo_atlas(folder / "store", lambda *_: None)
    return ServerSettings(store=folder / "store")
