"""Generated states of the Find page: its address, opened in a new browser, gives the same view.

    python -m benchmarks.web_states [--states 200] [--seed 1]

Works on the simulated county. Each state is opened by its address, then the address that the
browser shows is opened in a fresh context; text, fields, values on the map and camera must agree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from areaeffect.atlas.build import demo_atlas
from areaeffect.web import render
from areaeffect.web.atlas import find_atlas
from areaeffect.web.limits import ServerSettings
from benchmarks.web_map import FLAGS
from benchmarks.web_pages import random_address, seen, served


def look(browser: Browser, address: str) -> dict[str, object]:
    """Open an address in a fresh context and return what it shows."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    found = seen(page, with_map=bool(render.vendor_hashes()))
    context.close()
    return found


def main() -> None:
    """Compare the views; exit 1 where any differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web_states", description=__doc__)
    parser.add_argument("--states", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    random, different = np.random.default_rng(given.seed), 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        demo_atlas(Path(folder), lambda *_: None)
        settings = ServerSettings(store=Path(folder))
        atlas = find_atlas(settings, "")
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS.split())
        with served(settings) as address:
            for _ in range(given.states):
                state = random_address(settings, atlas, random)
                first = look(browser, address + state)
                again = look(browser, f"{address}{first['address']}")
                if first != again:
                    different += 1
                    names = [k for k in first if first[k] != again[k]]
                    print(f"differs in {', '.join(names)}: {first['address']}")
    print(f"{given.states} states, {different} that another browser shows differently")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
