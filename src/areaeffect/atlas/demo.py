"""Atlases for those without data: London, which travels with the package, and a made-up county."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.atlas.build import build_atlas
from areaeffect.register.postcodes import has_directory
from areaeffect.simulate import CountySpec, simulate_county, write_base, write_county

if TYPE_CHECKING:
    Tell = Callable[[str, int, int], None]

SEED = 20231219
NAME, LONDON = "county", "london"


def london_atlas(store: Path, tell: Tell) -> Path:
    """Make the atlas of the packaged London data in a store; return the folder of atlases.

    The data are copied into the store first, so that they are where the atlas says they are.
    """
    folder = store / "web" / LONDON
    folder.mkdir(parents=True, exist_ok=True)
    for part in (files("areaeffect") / "examples" / LONDON).iterdir():
        (folder / part.name).write_bytes(part.read_bytes())
    (store / "atlases").mkdir(parents=True, exist_ok=True)
    build_atlas(folder / "explore.toml", store / "atlases" / LONDON, store, tell)
    return store / "atlases"


def london_is_due(store: Path) -> bool:
    """Whether London's atlas is to be made: none is there, or it was made before postcodes came."""
    made = store / "atlases" / LONDON / "atlas.json"
    if not made.is_file():
        return not any((store / "atlases").glob("*/atlas.json"))
    manifest = json.loads(made.read_text(encoding="utf-8"))
    is_packaged = manifest["base_folder"] == str((store / "web" / LONDON).resolve())
    return is_packaged and not manifest["postcodes"] and has_directory(store, np.array(["E01000001"]))


def demo_atlas(store: Path, tell: Tell, spec: CountySpec | None = None) -> Path:
    """Make the simulated county's atlas in a store, where it is not there yet.

    Parameters
    ----------
    store : the store's folder; need not exist. The county's files go to `web/county`.
    tell : called at each step.
    spec : the county; None: that of `areaeffect demo`.

    Returns
    -------
    The folder of atlases.
    """
    atlases = store / "atlases"
    if not (atlases / NAME / "atlas.json").is_file():
        county = simulate_county(spec or CountySpec(seed=SEED))
        folder = store / "web" / NAME
        write_county(county, folder, voices=False)
        atlases.mkdir(parents=True, exist_ok=True)
        build_atlas(write_base(county, folder), atlases / NAME, store, tell)
    return atlases
