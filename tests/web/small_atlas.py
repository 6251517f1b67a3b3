"""An atlas of the tiny study over five years, and what a test does with a run of it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from starlette.testclient import TestClient

from areaeffect.atlas.build import build_atlas
from areaeffect.web.app import create_app
from areaeffect.web.limits import ServerSettings
from tests.shared.small_study import CODES, write_small_study

MONTHS = [f"{year}-{month:02d}" for year in range(2010, 2015) for month in range(1, 13)]
HERE = "http://127.0.0.1:8321"
START = {"areas": "T009,T010", "name": "Abbey", "start": "2013-01", "placebos": "199", "buffer": "0"}


def write_small_atlas(folder: Path) -> ServerSettings:
    """Write the tiny study and its atlas; return settings of a server on them."""
    data = folder / "data"
    data.mkdir(parents=True)
    study = write_small_study(data)
    text = study.read_text(encoding="utf-8")
    head, _, rest = text.partition("[[initiative]]")
    study.rename(data / "base.toml")
    bare = head + rest[rest.index("[register]") :] + '\n[atlas]\nplaces = "places.csv"\n'
    edited = bare.replace('"2012-01", end = "2013-12"', f'"{MONTHS[0]}", end = "{MONTHS[-1]}"')
    assert edited != bare
    bare = edited
    counts = np.random.default_rng(20).poisson(20, (len(CODES), len(MONTHS)))
    grid = pd.MultiIndex.from_product([CODES, MONTHS], names=["area_code", "month"])
    crime = pd.Series(counts.ravel(), grid, name="n").reset_index()
    crime.to_csv(data / "crime.csv", index=False, lineterminator="\n")
    (data / "base.toml").write_text(bare, encoding="utf-8")
    rows = [f"{code},Plot {code[1:]},Ward {int(code[1:]) // 8},Northmarsh" for code in CODES]
    places = "\n".join(["area_code,name,ward,authority", *rows]) + "\n"
    (data / "places.csv").write_text(places, encoding="utf-8")
    settings = ServerSettings(store=folder / "store")
    build_atlas(data / "base.toml", settings.atlases / "tiny", settings.store, lambda *_: None)
    return settings


def client(settings: ServerSettings) -> TestClient:
    """Return a client of a server with these settings, on an address it answers to."""
    return TestClient(
        create_app(settings),
        base_url=HERE,
        raise_server_exceptions=False,
        headers={"origin": HERE},
        follow_redirects=False,
    )


def settled(asking: TestClient, address: str, part: str = "", seconds: float = 60) -> dict[str, object]:
    """Wait until a run stands still, or a part of it is there; return how it stands."""
    until = time.monotonic() + seconds
    while True:
        standing = asking.get(f"{address}.json").json()
        if standing["state"] not in ("waiting", "running") or part in standing["parts"]:
            return dict(standing)
        assert time.monotonic() < until, standing
        time.sleep(0.05)
