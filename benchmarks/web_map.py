"""Figures of the map of the web app, in headless Chromium with software rendering.

    python -m benchmarks.web_map --atlas DIR [--base england] [--times 5]

DIR holds the atlases that `areaeffect tiles` made. Each time a new browser context opens the Find
page: 'first idle' is from the start of the navigation until every area is shaded and nothing is
left to draw; 'processor' the processor time of all the browser's processes until then, which does
not grow with what else the machine does; 'recolour' from choosing another layer until that is so
again.
"""

from __future__ import annotations

import argparse
import gzip
import os
import statistics
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from areaeffect.web import render
from areaeffect.web.limits import ServerSettings
from benchmarks.web_pages import served, watch

FLAGS = (
    "--no-sandbox --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader "
    "--no-first-run --disable-background-networking --disable-sync"
)
STATIC = Path(render.__file__).with_name("static")


def shown(page: Page, other_than: str = "") -> tuple[float, str]:
    """Wait until the map is drawn with other values; its time of day in the page, and values."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        data: dict[str, Any] = page.evaluate(
            "() => ({...document.getElementById('map').dataset, "
            "want: document.getElementById('state').dataset.values})"
        )
        if data.get("shown") and data["shown"] == data["want"] != other_than:
            return float(data["idle"]), str(data["shown"])
        page.wait_for_timeout(20)
    raise TimeoutError


def processor_seconds() -> float:
    """Return the processor time of all processes that this one started, and of theirs."""
    children: dict[int, list[tuple[int, float]]] = {}
    tick = os.sysconf("SC_CLK_TCK")
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            used = (int(fields[11]) + int(fields[12])) / tick
            children.setdefault(int(fields[1]), []).append((int(folder.name), used))
    total, waiting = 0.0, [os.getpid()]
    while waiting:
        for process, used in children.get(waiting.pop(), []):
            total += used
            waiting.append(process)
    return total


def measure(address: str, base: str) -> dict[str, Any]:
    """Open the page once, and choose another layer."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS.split())
        watched = watch(browser.new_page(viewport={"width": 1200, "height": 900}))
        page = watched.page
        page.wait_for_timeout(1000)  # the browser's own start
        idle = processor_seconds()
        page.goto(f"{address}/find?base={base}")
        first, values = shown(page)
        busy = processor_seconds() - idle
        options = page.eval_on_selector_all("#layer option", "o => o.map(x => x.value)")
        began = page.evaluate("() => performance.now()")
        page.select_option("#layer", options[2 if len(options) > 2 else -1])
        again, _ = shown(page, values)
        browser.close()
    return {
        "first": first,
        "recolour": again - began,
        "processor": busy * 1000,
        "violations": len(watched.violations),
        "elsewhere": len(watched.elsewhere),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web_map", description=__doc__)
    parser.add_argument("--atlas", type=Path, required=True)
    parser.add_argument("--base", default="england")
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    with served(ServerSettings(store=given.atlas, atlas=given.atlas)) as address:
        runs = [measure(address, given.base) for _ in range(given.times)]
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; {given.base}")
    print("| what | best | median | worst |\n|---|---|---|---|")
    for what in ("first", "processor", "recolour"):
        taken = sorted(run[what] / 1000 for run in runs)
        print(f"| {what} (s) | {taken[0]:.2f} | {statistics.median(taken):.2f} | {taken[-1]:.2f} |")
    for what in ("violations", "elsewhere"):
        print(f"{what}: {sum(run[what] for run in runs)}")
    scripts = {p.name: len(p.read_text().splitlines()) for p in sorted(STATIC.glob("*.js"))}
    print(f"lines of script: {sum(scripts.values())} {scripts}")
    files = [render.vendor_folder() / name for name in render.vendor_hashes()]
    packed = sum(len(gzip.compress(f.read_bytes(), 9)) for f in files)
    print(f"third-party files: {packed:,} bytes gzip")


if __name__ == "__main__":
    main()
