"""Seconds and memory of a command and everything it starts.

    python -m benchmarks.peak areaeffect evaluate studies/big_local/study.toml --out build/big_local

Memory is the proportional share (pages held in common are divided among their holders), added up
over all processes and looked at once a second: a shorter peak may be missed. Linux only.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

EVERY = 1.0  # seconds


def family(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it; those that have ended are left out."""
    yield pid
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(c) for t in threads for c in (t / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from family(child)


def share_mib(pid: int) -> float:
    """Return the proportional share of a process, 0 where it has ended."""
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def main(command: list[str]) -> int:
    """Run the command and print what it took; return its exit code."""
    began, most = time.monotonic(), 0.0
    process = subprocess.Popen(command)
    while process.poll() is None:
        most = max(most, sum(map(share_mib, family(process.pid))))
        time.sleep(EVERY)
    print(f"{time.monotonic() - began:.0f} s, {most / 1024:.2f} GiB at the most")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
