"""Third-party files of the map: whether they are here, and their hashes."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

NO_MAP = (
    "This copy was installed without its map. Search and table do everything the map does. "
    "To get the map: 'make assets' in a checkout, or install a wheel that holds it."
)


def folder() -> Path:
    """Return where the files are, or would be."""
    return Path(str(files("areaeffect.web") / "vendor"))


@cache
def hashes() -> dict[str, str]:
    """Return the integrity hash of each file; nothing where they are not here."""
    path = folder() / "integrity.json"
    if not path.is_file():
        return {}
    listed: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["files"]
    return listed
