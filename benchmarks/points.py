"""Dated points into areas: five million of them among the 33,755 LSOAs of England.

`python -m benchmarks.points [--rows N]` writes made-up incidents (a place, a day, a category; three
of four at places that repeat, as published ones do), reads the file with DuckDB and nothing else,
and then counts it into areas by month. Processor time stands beside the time on the wall: on a
busy machine only its ratio means something.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from areaeffect.study.parts import SHARED_DATA_VARIABLE, resolve
from benchmarks.ingest import measured

ROWS, LIMIT = 5_000_000, 60
FIRST, LAST = 2015 * 12, 2019 * 12 + 11
_PLACES = 400_000
_CATEGORIES = ("theft", "burglary", "damage", "noise", "litter", "robbery", "fire", "other")
_OUTLINES = f"${{{SHARED_DATA_VARIABLE}}}/geography/lsoa21_boundaries_bgc.parquet"


def write(folder: Path, rows: int) -> None:
    """Write the outlines of England and a CSV of incidents."""
    import geopandas
    import pandas as pd
    import shapely

    frame = geopandas.read_parquet(resolve(_OUTLINES, Path.cwd()))
    frame = frame[frame["lsoa21cd"].str.startswith("E")]
    frame.geometry = frame.geometry.make_valid()  # five outlines of 33,755 have nested shells
    frame.to_parquet(folder / "areas.parquet")
    rng = np.random.default_rng(8)
    middles = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy()))

    def near(n: int) -> np.ndarray:
        return middles[rng.integers(0, len(middles), n)] + rng.normal(0, 0.006, (n, 2))

    places = near(_PLACES)
    days = pd.date_range("2015-01-01", "2019-12-31").strftime("%Y-%m-%d").to_numpy()
    for begin in range(0, rows, 500_000):
        n = min(500_000, rows - begin)
        at = np.where(rng.random((n, 1)) < 0.75, places[rng.integers(0, _PLACES, n)], near(n))
        columns = {
            "id": np.arange(begin, begin + n),
            "date": days[rng.integers(0, len(days), n)],
            "category": np.array(_CATEGORIES)[rng.integers(0, len(_CATEGORIES), n)],
            "longitude": at[:, 0].round(6),
            "latitude": at[:, 1].round(6),
        }
        path = folder / "points.csv"
        pd.DataFrame(columns).to_csv(path, index=False, mode="a", header=begin == 0)


def scan(_: Path, folder: Path) -> None:
    """Read every cell of the CSV with DuckDB, on two threads, and nothing else."""
    import duckdb

    duckdb.execute("SET threads = 2")
    duckdb.execute(
        "SELECT count(DISTINCT date), count(DISTINCT category), sum(longitude), sum(latitude) "
        "FROM read_csv($path, quote = '\"')",
        {"path": str(folder / "points.csv")},
    ).fetchall()


def outlines(_: Path, folder: Path) -> None:
    """Read the outlines alone."""
    from areaeffect.geography.boundaries import area_codes, read_boundaries

    path = folder / "areas.parquet"
    read_boundaries(path, "lsoa21cd", area_codes(path, "lsoa21cd"))


def count(_: Path, folder: Path) -> None:
    """Count the points into areas and months, and check that no row is lost."""
    from areaeffect.geography.boundaries import area_codes, read_boundaries
    from areaeffect.periods import PeriodKind, Periods
    from areaeffect.sources.points.counting import count_points
    from areaeffect.study.source_kinds import PointsSource

    path = folder / "areas.parquet"
    codes = area_codes(path, "lsoa21cd")
    source = PointsSource(kind="points", path="points.csv", date="date", category="category")
    periods = Periods(PeriodKind.MONTH, FIRST, LAST - FIRST + 1)
    boundaries = read_boundaries(path, "lsoa21cd", codes)
    found = count_points([folder / "points.csv"], source, boundaries, periods)
    kept = int(found.of((), len(codes), periods, "").sum())
    rejected = sum(found.account.rejected.values())
    (folder / "counted.txt").write_text(f"{len(codes)} {kept} {rejected}", encoding="utf-8")


def run(rows: int = ROWS) -> Iterator[str]:
    """Yield what the bare scan, the outlines alone and the whole took."""
    folder = Path(tempfile.mkdtemp(prefix="areaeffect-bench-"))
    try:
        write(folder, rows)
        size = (folder / "points.csv").stat().st_size / 1e6
        steps = {
            name: measured(step, folder, folder)
            for name, step in (("scan", scan), ("outlines", outlines), ("count", count))
        }
        areas, kept, rejected = map(int, (folder / "counted.txt").read_text("utf-8").split())
    finally:
        shutil.rmtree(folder)
    if kept + rejected != rows:
        raise AssertionError((kept, rejected, rows))
    yield f"{rows:,} rows ({size:.0f} MB) into {areas:,} areas: {kept:,} counted, {rejected:,} not"
    bare = steps["scan"]
    for name, title in (
        ("scan", "bare scan of the CSV (DuckDB, 2 threads)"),
        ("outlines", "reading the outlines"),
        ("count", f"outlines, points, counts (at most {LIMIT} s on 2 free cores)"),
    ):
        took, busy, peak = steps[name]
        ratio = "" if name == "scan" else f"; {busy / bare[1]:.1f} times the scan's processor time"
        yield f"{title}: {took:.1f} s, {busy:.1f} processor s, {peak:.2f} GB{ratio}"


def main() -> None:
    """Print what `run` measures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.points", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    for line in run(parser.parse_args().rows):
        print(line, flush=True)


if __name__ == "__main__":
    main()
