"""The atlas of the simulated county: for those without data, for the demo and for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.atlas.build import build_atlas
from areaeffect.simulate import CountySpec, simulate_county, write_base, write_county

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tell = Callable[[str, int, int], None]

SEED = 20231219
NAME = "county"


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
