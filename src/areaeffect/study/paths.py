"""Where the files of a study, the store and downloads are."""

from __future__ import annotations

import os
import re
from pathlib import Path

SHARED_DATA_VARIABLE = "AREAEFFECT_SHARED_DATA"


def resolve(path: str, folder: Path) -> Path:
    """Expand variables, also those that are not set; relative to the study's folder.

    `${AREAEFFECT_SHARED_DATA}` and `${AREAEFFECT_FETCHED}` are known without being set.
    """
    shared = os.environ.get(SHARED_DATA_VARIABLE) or str(default_shared_data(folder))
    known = {SHARED_DATA_VARIABLE: shared, FETCHED_VARIABLE: str(default_fetched())}
    values = {**os.environ, **known}
    expanded = re.sub(r"\$\{(\w+)\}", lambda m: values.get(m[1], m[0]), path)
    return folder / expanded


def default_store() -> Path:
    """Return the folder of the store: `AREAEFFECT_STORE`, else one of the user's own."""
    if named := os.environ.get(STORE_VARIABLE):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "areaeffect" / "store"


def default_fetched() -> Path:
    """Return where fetched files go: `AREAEFFECT_FETCHED`, else `fetched` beside the store."""
    named = os.environ.get(FETCHED_VARIABLE)
    return Path(named) if named else default_store().with_name("fetched")


def default_shared_data(folder: Path) -> Path:
    """Return `../shared/data` beside the checkout that holds a folder (or beside the folder)."""
    here = folder.resolve()
    root = next((p for p in (here, *here.parents) if (p / "pyproject.toml").exists()), here)
    return root.parent / "shared" / "data"


FETCHED_VARIABLE = "AREAEFFECT_FETCHED"


STORE_VARIABLE = "AREAEFFECT_STORE"
