"""Measure worlds of known truth and write the page: `make simulate`.

python -m benchmarks.worlds --worlds 400             # every row; goes on where it stopped
python -m benchmarks.worlds "M 20, 1" --worlds 100   # some rows
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.worlds.rows import rows, run
from benchmarks.worlds.table import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "validation" / "worlds.md"


def main() -> None:
    """Measure what is missing, then write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.worlds",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", help=f"any of: {'; '.join(rows())}. Default all")
    parser.add_argument("--worlds", type=int, default=400)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("build/worlds"))
    parser.add_argument("--out", type=Path, default=PAGE)
    given = parser.parse_args()
    run(given.rows or list(rows()), given.worlds, given.folder, given.processes)
    given.out.write_text(page(given.folder), encoding="utf-8")


if __name__ == "__main__":
    main()
