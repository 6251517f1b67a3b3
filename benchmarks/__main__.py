"""`make bench`: run the named benchmarks, or all, and print their figures."""

from __future__ import annotations

import argparse
import importlib
import platform

NAMES = ("seattle", "london", "national", "polygons", "points", "ingest", "panel")


def main() -> None:
    """Run benchmarks and print what they measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(NAMES)}; default all")
    names = parser.parse_args().names or NAMES
    print(f"Python {platform.python_version()}, {platform.machine()}")
    for name in names:
        print(f"\n## {name}\n")
        for line in importlib.import_module(f"benchmarks.{name}").run():
            print(line)


if __name__ == "__main__":
    main()
