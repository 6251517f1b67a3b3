"""Serving the web app and looking at its pages: for tests/web and the benchmarks of the web app."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn
from playwright.sync_api import Page

from areaeffect.web.app import create_app
from areaeffect.web.atlas import Atlas
from areaeffect.web.find import FindView
from areaeffect.web.limits import ServerSettings
from areaeffect.web.selection import keep, query

if TYPE_CHECKING:
    import numpy as np

#: Tells of violations as they happen; runs before the page's own scripts.
LISTEN = (
    "addEventListener('securitypolicyviolation',"
    "e => console.error('CSP-VIOLATION ' + e.violatedDirective + ' ' + e.blockedURI))"
)


@contextmanager
def served(settings: ServerSettings) -> Iterator[str]:
    """Serve an app in a thread on a free port; yields its address."""
    config = uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise ConnectionError
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass
class Watched:
    """A page with what it should not have done.

    Parameters
    ----------
    page : the page.
    violations : of the Content-Security-Policy, and errors of its scripts.
    elsewhere : requests to other hosts.
    """

    page: Page
    violations: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing went wrong."""
        return not self.violations and not self.elsewhere


def watch(page: Page) -> Watched:
    """Collect violations and requests to other hosts."""
    watched = Watched(page)
    page.add_init_script(LISTEN)

    def on_console(message: object) -> None:
        text = getattr(message, "text", "")
        if "CSP-VIOLATION" in text or "Content Security Policy" in text:
            watched.violations.append(text)

    def on_request(request: object) -> None:
        url = getattr(request, "url", "")
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            watched.elsewhere.append(url)

    page.on("console", on_console)
    page.on("pageerror", lambda error: watched.violations.append(str(error)))
    page.on("request", on_request)
    return watched


#: What is searched for in a generated state.
SEARCHES = ("", "", "001", "bra", "north & <b>", "zzz", "a'b")
SHOWN = """() => {
  const text = id => document.getElementById(id)?.innerText ?? "";
  const value = id => document.getElementById(id)?.value ?? "";
  const map = document.getElementById("map")?.dataset ?? {};
  return JSON.stringify({
    address: location.pathname + location.search, title: document.title,
    side: text("side"), key: text("key"), table: text("table"),
    fields: ["q", "base", "layer", "period"].map(value),
    shown: map.shown ?? "", camera: map.camera ?? "",
  });
}"""


def random_address(settings: ServerSettings, atlas: Atlas, random: np.random.Generator) -> str:
    """Draw a state and print its address; some of its selections are kept on the server."""
    layers = list(atlas.layers.values())
    layer = layers[random.integers(len(layers))]
    codes = [str(c) for c in random.choice(atlas.table["code"], random.integers(0, 12), False)]
    ring = ((-2.0, 54.0), (-1.0, 54.0), (-1.0, 55.0)) if codes and random.random() < 0.3 else ()
    kept = keep(settings, codes, ring)
    view = FindView(
        base=atlas.key,
        layer=layer.key,
        period=str(random.choice(list(layer.periods))),
        areas=kept.areas,
        set=kept.set,
        q=str(random.choice(SEARCHES)),
        sort=str(random.choice(["name", "high", "low"])),
        page=str(random.integers(1, 4)),
    )
    return f"/find{query(view)}"


def seen(page: Page, *, with_map: bool) -> dict[str, Any]:
    """Return what a page shows, the map's values and camera among it, once it is drawn."""
    if with_map:
        page.wait_for_selector("#map[data-camera]", state="attached", timeout=60_000)
        page.wait_for_timeout(50)
    found: dict[str, Any] = json.loads(page.evaluate(SHOWN))
    return found
