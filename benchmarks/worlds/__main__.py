"""Measure worlds of known truth and write the page: `make simulate`.

python -m benchmarks.worlds --worlds 400             # every row; goes on where it stopped
python -m benchmarks.worlds "M 20, 1" --worlds 100   # some rows
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.worlds.rows import rows, run
from benchmarks.worlds.table import page, summary

_DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = _DOCS / "validation" / "worlds.md"
#: The page of the method, with a summary between two marks.
METHOD = _DOCS / "methods" / "inference.md"
_BEGIN, _END = "<!-- worlds: written by make simulate -->\n", "<!-- end of worlds -->\n"


def main() -> None:
    """Measure what is missing, then write the page and its summary."""
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
    if given.out == PAGE:
        before, _, rest = METHOD.read_text(encoding="utf-8").partition(_BEGIN)
        after = rest.partition(_END)[2]
        text = f"{before}{_BEGIN}{summary(given.folder)}\n{_END}{after}"
        METHOD.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
