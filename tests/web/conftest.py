"""A served app on a free port of this machine, and pages that remember what went wrong in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from areaeffect.web.limits import ServerSettings
from areaeffect.web.runs import runs_of
from benchmarks.web_pages import Watched, served, watch
from tests.web.atlas_fixture import county_settings
from tests.web.browser import chromium
from tests.web.small_atlas import write_small_atlas


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
def settings(tmp_path: Path) -> ServerSettings:
    """Settings of a server on an empty store."""
    return ServerSettings(store=tmp_path / "store")


@pytest.fixture
def serving() -> Iterator[Callable[[ServerSettings], str]]:
    """A function that serves settings until the test ends, and returns the address."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(served(settings))


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> ServerSettings:
    """Settings of a server on the simulated county's atlas."""
    return county_settings(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerSettings]:
    """Settings of a server on the atlas of the tiny study; its runs are stopped afterwards."""
    settings = write_small_atlas(tmp_path_factory.mktemp("tiny"))
    yield settings
    runs_of(settings).close()
