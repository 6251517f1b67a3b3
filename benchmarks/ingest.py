"""Ingest of street-level files beside the least that any program must do.

`python -m benchmarks.ingest` unzips the North of England archive and has DuckDB write its bare
CSV as Parquet partitioned by force and month; then ingests the same archive (unzipped, validated,
counted, written, with manifest), ingests it again, and reads panels back.
`python -m benchmarks.ingest --rows 5000000 20000000` does it on generated rows in the
publisher's layout and says whether time is linear in rows.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from areaeffect.study import SHARED_DATA_VARIABLE, resolve

ARCHIVE = f"${{{SHARED_DATA_VARIABLE}}}/police_uk/archive/north_of_england_2014-01_2014-11.zip"
HISTORY = 85_000_000  # rows of England and Wales since December 2010, about
_BARE = """
COPY (SELECT *, regexp_extract(filename, '\\d{4}-\\d{2}-(.*)-street', 1) AS force
      FROM read_csv($files, quote = '"', filename = true))
TO 'bare' (FORMAT parquet, PARTITION_BY (force, Month))
"""


def unzip_and_copy(archive: Path, folder: Path) -> None:
    """Unzip, then CSV to Parquet partitioned by force and month, and nothing else."""
    import os

    import duckdb

    os.chdir(folder)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder / "csv")
    duckdb.execute(_BARE, {"files": f"{folder}/csv/*/*.csv"})


def ingest(archive: Path, folder: Path) -> None:
    """Ingest the archive into a store."""
    from areaeffect.pipeline.ingest import ingest_police_uk

    ingest_police_uk([archive], folder / "store")


def read_panel(_archive: Path, folder: Path) -> None:
    """Read one force, every month and every category; then all areas, one sum of categories."""
    from areaeffect.pipeline.police_panel import read_police
    from areaeffect.sources.base import Wanted
    from areaeffect.sources.police_uk.categories import read_categories
    from areaeffect.store.lake import open_lake
    from areaeffect.study import PoliceUkSource, Window

    rows = [r for r in open_lake(folder / "store").manifest() if r["status"] == "current"]
    months = sorted({r["month"] for r in rows})
    window = Window(start=months[0], end=months[-1])
    categories = tuple(sorted({c.category for c in read_categories()}))
    one = PoliceUkSource(kind="police_uk", store=str(folder / "store"), forces=(rows[0]["force"],))
    every = PoliceUkSource(kind="police_uk", store=str(folder / "store"))
    each = tuple(Wanted("value", (c,)) for c in categories)
    for name, source, wanted in (
        ("one force, each category", one, each),
        ("all areas, one sum", every, (Wanted("value", ("all-crime",)),)),
    ):
        began = time.perf_counter()
        table = read_police("police", source, folder, None, window, wanted, ())
        took = time.perf_counter() - began
        size = f"{len(table.areas):,} areas × {len(months)} months × {len(wanted)} measures"
        print(f"  panel of {name}: {size}: {took:.2f} s")


def measured(
    work: Callable[[Path, Path], None], archive: Path, folder: Path
) -> tuple[float, float, float]:
    """Return seconds, processor seconds and peak memory in GB of a step in its own process."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(work, archive, folder, send))
    process.start()
    send.close()  # so that a process that fails does not keep this one waiting
    took, busy, peak = receive.recv()
    process.join()
    return took, busy, peak


def _run(work: Callable[[Path, Path], None], archive: Path, folder: Path, send: Any) -> None:
    began = time.perf_counter()
    work(archive, folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    took = time.perf_counter() - began
    send.send((took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6))


def compare(archive: Path, rounds: int) -> None:
    """Print the medians of several rounds, and their ratios."""
    times: dict[str, list[float]] = {"bare": [], "ingest": [], "again": []}
    peak = 0.0
    for number in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix="areaeffect-bench-"))
        try:
            for name, work in (("bare", unzip_and_copy), ("ingest", ingest), ("again", ingest)):
                took, _, used = measured(work, archive, folder)
                times[name].append(took)
                peak = max(peak, used) if name != "bare" else peak
            if number == rounds - 1:
                read_panel(archive, folder)
        finally:
            shutil.rmtree(folder)
    bare, first, again = (statistics.median(times[k]) for k in ("bare", "ingest", "again"))
    ratio = statistics.median(i / b for i, b in zip(times["ingest"], times["bare"], strict=True))
    print(f"  unzip and bare CSV to Parquet {bare:6.2f} s")
    print(f"  ingest                        {first:6.2f} s   {ratio:.2f} times (at most 2)")
    print(f"  ingest again                  {again:6.2f} s   {again / first:.3f} (at most 0.10)")
    print(f"  peak memory                   {peak:6.2f} GB")


def generate(source: Path, rows: int, path: Path) -> Path:
    """Repeat a real archive's months under made-up forces until there are so many rows."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    written, copy = 0, 0
    with (
        zipfile.ZipFile(source) as given,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made,
    ):
        while written < rows:
            for name in given.namelist():
                if written >= rows:
                    break
                data = given.read(name)
                force = f"copy-{letters[copy // 26]}{letters[copy % 26]}"
                made.writestr(name.replace("-street", f"-{force}-street"), data)
                written += data.count(b"\n") - 1
            copy += 1
    return path


def main() -> None:
    """Run the comparison asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    archive = resolve(ARCHIVE, Path(__file__).resolve().parent)
    if not asked.rows:
        print(f"{archive.name}: 1,057,691 rows, {asked.rounds} rounds, medians")
        compare(archive, asked.rounds)
        return
    pace: list[float] = []
    for rows in asked.rows:
        folder = Path(tempfile.mkdtemp(prefix="areaeffect-bench-"))
        try:
            made = generate(archive, rows, folder / "made.zip")
            took, busy, peak = measured(ingest, made, folder)
            pace.append(took / rows)
            print(
                f"{rows:>12,} rows {took:8.1f} s, {busy:8.1f} processor s, "
                f"{1e6 * took / rows:6.2f} s a million, {peak:.2f} GB"
            )
        finally:
            shutil.rmtree(folder)
    spread = max(pace) / min(pace) - 1
    print(
        f"linear within {100 * spread:.0f} % (at most 15); {HISTORY:,} rows: "
        f"{HISTORY * pace[-1] / 60:.0f} minutes by extrapolation"
    )


if __name__ == "__main__":
    main()
