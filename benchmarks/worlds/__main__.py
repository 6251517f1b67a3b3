"""Measure worlds and write the table: `python -m benchmarks.worlds --worlds 400`."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.worlds.rows import rows, run


def main() -> None:
    """Measure what is missing, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worlds", description=__doc__)
    parser.add_argument("rows", nargs="*", help="names of rows; default all")
    parser.add_argument("--worlds", type=int, default=400)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("build/worlds"))
    given = parser.parse_args()
    names = given.rows or list(rows())
    run(
        names,
        range(given.first_seed, given.first_seed + given.worlds),
        given.folder,
        given.processes,
    )


if __name__ == "__main__":
    main()
