"""Panels from a generated store beside a bare scan of the same Parquet.

`python -m benchmarks.panel` writes the counts of 33,755 areas × 108 months × 14 categories of 43
forces in the store's own format (about 16 million rows, the same bytes each time), then reads one
force × 36 months × 14 categories, and all areas × 108 months, each in a process of its own. The
yardstick is DuckDB adding up every column of the same files, and nothing else.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

N_AREAS, N_MONTHS = 33_755, 108
ONE_FORCE_MONTHS = 36
FIRST = 2015 * 12
ROUNDS = 5
SEED = 20231219
#: Incidents an area and month, about those of England and Wales in 2014; one a category.
MEANS = np.array([2.8, 1.5, 0.85, 0.7, 0.55, 0.55, 0.5, 0.3, 0.25, 0.2, 0.15, 0.12, 0.1, 0.08])
_BARE = "SELECT {} FROM read_parquet($files)"


def month_name(ordinal: int) -> str:
    """Return a month as the store writes it."""
    return f"{ordinal // 12}-{ordinal % 12 + 1:02d}"


def make_store(root: Path, n_areas: int = N_AREAS, n_months: int = N_MONTHS) -> None:
    """Write a store of counts in which every force published every month whole."""
    import duckdb
    import pandas as pd

    from areaeffect.geography.codes import force_of, lsoa_pairs
    from areaeffect.sources.police_uk.categories import read_categories
    from areaeffect.sources.police_uk.counting import write_counts
    from areaeffect.sources.police_uk.lake import writing

    rng = np.random.default_rng(SEED)
    names = sorted({c.category for c in read_categories() if not c.valid_to})[: len(MEANS)]
    categories = np.array(names)
    codes = np.unique(lsoa_pairs(2021).new)[:n_areas]
    towns = np.array([f"Town {i // 100} {i % 100:03d}A" for i in range(n_areas)])
    forces, home = np.unique(force_of(codes), return_inverse=True)
    level = (0.3 + rng.gamma(2.0, 0.35, n_areas))[:, None] * MEANS
    manifest = []
    with writing(root) as lake, duckdb.connect() as engine:
        for ordinal in range(FIRST, FIRST + n_months):
            month = month_name(ordinal)
            n = rng.poisson(level)
            area, kind = np.nonzero(n)
            table = pd.DataFrame(
                {
                    "force": forces[home[area]],
                    "month": np.full(len(area), month),
                    "area_code": codes[area],
                    "category": categories[kind],
                    "has_point": np.ones(len(area), dtype=bool),
                    "area_name": towns[area],
                    "n": n[area, kind],
                }
            )
            engine.register("new_counts", table)
            path = lake.new_file(f"police_uk/counts/month={month}/part.parquet")
            write_counts(engine, month, (), None, path)
            kept = np.stack([np.bincount(home, of_kind, len(forces)) for of_kind in n.T], axis=1)
            manifest += [
                _row(str(f), month, dict(zip(names, map(int, k), strict=True)))
                for f, k in zip(forces, kept, strict=True)
            ]
        lake.write_manifest(manifest)
        lake.commit()


def _row(force: str, month: str, categories: dict[str, int]) -> dict[str, Any]:
    kept = sum(categories.values())
    return {
        "source": "police_uk",
        "file": f"{month}-{force}-street.csv",
        "release": "generated",
        "release_sha256": "0" * 64,
        "sha256": "0" * 64,
        "force": force,
        "month": month,
        "status": "current",
        "rows_read": kept,
        "rows_kept": kept,
        "rows_rejected": 0,
        "not_located": 0,
        "categories": categories,
        "why": {},
    }


def bare_scan(root: Path, n_months: int) -> str:
    """Have DuckDB read every value of the files and add it up."""
    import duckdb

    files = sorted(str(p) for p in root.glob("police_uk/counts/*/part.parquet"))[-n_months:]
    columns = ("force", "area_code", "category", "area_name")
    every = ", ".join(f"max({c})" for c in columns)
    duckdb.execute(_BARE.format(f"{every}, sum(n)"), {"files": files}).fetchall()
    return f"{len(files)} files"


def read_panel(root: Path, n_months: int, *, one_force: bool) -> str:
    """Read one force by category, or every area's crime, anti-social behaviour and damage."""
    from areaeffect.sources.coverage import MeasureRequest
    from areaeffect.sources.police_uk.lake import open_lake
    from areaeffect.sources.police_uk.panel import read_police
    from areaeffect.study.model import PoliceUkSource
    from areaeffect.study.parts import Window

    months = sorted({r["month"] for r in open_lake(root).manifest()})[-n_months:]
    window = Window(start=months[0], end=months[-1])
    asked: tuple[tuple[str, ...], ...]
    if one_force:
        from areaeffect.sources.police_uk.categories import read_categories

        names = sorted({c.category for c in read_categories() if not c.valid_to})[: len(MEANS)]
        forces, asked = ("cleveland",), tuple((c,) for c in names)
    else:
        forces = ()
        asked = (("all-crime",), ("anti-social-behaviour",), ("criminal-damage-arson",))
    wanted = tuple(MeasureRequest("value", c) for c in asked)
    source = PoliceUkSource(kind="police_uk", store=str(root), forces=forces)
    table = read_police("police", source, root, None, window, wanted, ())
    return f"{len(table.areas):,} areas × {len(months)} months × {len(wanted)} measures"


def measured(step: str, root: Path, n_months: int) -> tuple[float, float, float, str]:
    """Return seconds, processor seconds, peak GB and size of one step in its own process."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(step, root, n_months, send))
    process.start()
    send.close()  # so that a process that fails does not keep this one waiting
    answer: tuple[float, float, float, str] = receive.recv()
    process.join()
    return answer


def _run(step: str, root: Path, n_months: int, send: Any) -> None:
    import duckdb  # noqa: F401  # its import is no part of the time

    from areaeffect.sources.police_uk import panel as police_panel  # noqa: F401

    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    if step == "bare":
        size = bare_scan(root, n_months)
    else:
        size = read_panel(root, n_months, one_force=step == "one force")
    took = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    busy = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    send.send((took, busy, used.ru_maxrss / 1e6, size))


def run() -> Iterator[str]:
    """Make the store and yield the medians of several rounds."""
    root = Path(tempfile.mkdtemp(prefix="areaeffect-bench-")) / "store"
    try:
        make_store(root)
        for step, n_months, limit in (("one force", ONE_FORCE_MONTHS, 0.5), ("all", N_MONTHS, 3.0)):
            rounds = [
                (measured("bare", root, n_months), measured(step, root, n_months)) for _ in range(ROUNDS)
            ]
            bare = statistics.median(b[0] for b, _ in rounds)
            took, busy, peak = (statistics.median(r[i] for _, r in rounds) for i in range(3))
            ratio = statistics.median(r[0] / b[0] for b, r in rounds)
            yield (
                f"{rounds[0][1][3]}: {took:.2f} s (at most {limit}), {busy:.2f} processor s, "
                f"{peak:.2f} GB; bare scan {bare:.2f} s, {ratio:.1f} times"
            )
    finally:
        shutil.rmtree(root.parent)


if __name__ == "__main__":
    for line in run():
        print(line)
