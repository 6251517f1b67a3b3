"""The packaged London, cut down to the boroughs that its studies name: quick to evaluate."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd


def shrink(folder: Path, placebos: int = 39) -> None:
    """Keep the boroughs with a treated area or named in a rule, and few placebo programmes."""
    areas = pd.read_parquet(folder / "areas.parquet")
    lists = [pd.read_csv(folder / name) for name in ("big_local.csv", "licensing.csv")]
    treated = areas["area_code"].isin(pd.concat(lists)["area_code"])
    rules = tomllib.loads((folder / "licensing.toml").read_text(encoding="utf-8"))["design"]
    boroughs = {*areas.loc[treated, "borough"], *rules["exclude"][0]["values"]}
    kept = areas.loc[areas["borough"].isin(boroughs), "area_code"]
    for path in sorted(folder.glob("*.parquet")):
        if path.name == "outlines.parquet":
            import geopandas as gpd

            frame = gpd.read_parquet(path)
        else:
            frame = pd.read_parquet(path)
        frame[frame["area_code"].isin(kept)].to_parquet(path, index=False)
    for study in sorted(folder.glob("*.toml")):
        text = study.read_text(encoding="utf-8")
        study.write_text(text.replace("placebos = 999", f"placebos = {placebos}"), encoding="utf-8")
