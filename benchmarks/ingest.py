"""Ingest of street-level files beside the least that any program must do.

`python -m benchmarks.ingest` unzips the North of England archive and has DuckDB write its bare
CSV as Parquet partitioned by force and month; then ingests the same archive (unzipped, validated,
counted, written, with manifest), and ingests it again. Processor time stands beside the time on
the wall: on a busy machine only its ratio means something.
`python -m benchmarks.ingest --rows 4000000 20000000` ingests generated rows in the publisher's
layout and says whether time is linear in rows.
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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from areaeffect.study.parts import SHARED_DATA_VARIABLE, resolve

ARCHIVE = f"${{{SHARED_DATA_VARIABLE}}}/police_uk/archive/north_of_england_2014-01_2014-11.zip"
ROUNDS = 3
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
    from areaeffect.sources.police_uk.ingest import ingest_police_uk

    ingest_police_uk([archive], folder / "store")


def measured(work: Callable[[Path, Path], None], archive: Path, folder: Path) -> tuple[float, float, float]:
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


def run(rounds: int = ROUNDS) -> Iterator[str]:
    """Yield the medians of several rounds, and the medians of the ratios of each round."""
    archive = resolve(ARCHIVE, Path(__file__).resolve().parent)
    steps = (("bare", unzip_and_copy), ("ingest", ingest), ("again", ingest))
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name, _ in steps}
    for _ in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix="areaeffect-bench-"))
        try:
            for name, work in steps:
                found[name].append(measured(work, archive, folder))
        finally:
            shutil.rmtree(folder)
    yield f"{archive.name}: 1,057,691 rows, {rounds} rounds, medians"
    for name, title, limit in (
        ("bare", "unzip and bare CSV to Parquet", ""),
        ("ingest", "ingest", "at most 1.5"),
        ("again", "ingest again", "at most 0.10 of the first ingest"),
    ):
        took, busy, peak = (statistics.median(r[i] for r in found[name]) for i in range(3))
        beside = found["ingest" if name == "again" else "bare"]
        wall, processor = (
            statistics.median(r[i] / b[i] for r, b in zip(found[name], beside, strict=True)) for i in range(2)
        )
        least = min(r[0] for r in found[name]) / min(r[0] for r in beside)
        ratios = (
            f"; {wall:.2f} times, {least:.2f} of the least times, {processor:.2f} of processor time ({limit})"
            if limit
            else ""
        )
        yield f"{title}: {took:.2f} s, {busy:.2f} processor s, {peak:.2f} GB{ratios}"


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


def scaling(sizes: Sequence[int]) -> Iterator[str]:
    """Yield time and memory for generated rows, and whether time is linear in them."""
    archive = resolve(ARCHIVE, Path(__file__).resolve().parent)
    pace: list[tuple[float, float]] = []
    for rows in sizes:
        folder = Path(tempfile.mkdtemp(prefix="areaeffect-bench-"))
        try:
            made = generate(archive, rows, folder / "made.zip")
            took, busy, peak = measured(ingest, made, folder)
            pace.append((took / rows, busy / rows))
            yield (
                f"{rows:,} rows: {took:.1f} s, {busy:.1f} processor s, "
                f"{1e6 * took / rows:.2f} s a million, {peak:.2f} GB"
            )
        finally:
            shutil.rmtree(folder)
    spread, of_processor = (max(p) / min(p) - 1 for p in zip(*pace, strict=True))
    yield (
        f"linear within {100 * spread:.0f}%, {100 * of_processor:.0f}% of processor time "
        f"(at most 15); {HISTORY:,} rows: {HISTORY * pace[-1][0] / 60:.0f} minutes by extrapolation"
    )


def main() -> None:
    """Run the comparison asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    for line in scaling(asked.rows) if asked.rows else run(asked.rounds):
        print(line)


if __name__ == "__main__":
    main()
