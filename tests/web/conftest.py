"""A served app on a free port of this machine, and pages that remember what went wrong in them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page

from areaeffect.web.app import create_app
from areaeffect.web.settings import Settings
from tests.web.atlas_fixture import county_settings
from tests.web.browser import chromium

#: Tells of violations as they happen; runs before the page's own scripts.
LISTEN = (
    "addEventListener('securitypolicyviolation',"
    "e => console.error('CSP-VIOLATION ' + e.violatedDirective + ' ' + e.blockedURI))"
)


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Serve an app in a thread on a free port; yields its address."""
    config = uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            pytest.fail("the server did not start")
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all web tests."""
    with chromium() as found:
        yield found


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A fresh page that remembers what it should not have done."""
    context = browser.new_context()
    try:
        yield watch(context.new_page())
    finally:
        context.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a server on an empty store."""
    return Settings(store=tmp_path / "store")


@pytest.fixture
def serving() -> Iterator[Callable[[Settings], str]]:
    """A function that serves settings until the test ends, and returns the address."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(served(settings))


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a server on the simulated county's atlas."""
    return county_settings(tmp_path_factory.mktemp("county"))
