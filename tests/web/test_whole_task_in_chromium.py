"""From a postcode to an answer to take away, on the packaged London data, in four ways.

By mouse, by keyboard alone, by touch on a phone, and without script. The postcodes are made up, in a
directory as its publisher lays it out, and come by `areaeffect fetch postcodes` from a mirror.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from areaeffect.atlas.build import london_atlas
from areaeffect.web import render
from areaeffect.web.limits import ServerSettings
from areaeffect.web.runs import runs_of
from benchmarks.web_pages import served, watch
from tests.shared.postcode_directory import ONSPD, fetch_postcodes, zipped
from tests.web.browser import PATIENCE, tab_to
from tests.web.test_report_in_chromium import RULES

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LONG = 10 * PATIENCE  # a comparison of London takes seconds on a machine of its own
IN_DALSTON = "E01001748"
FAR = 400  # presses of Tab: the table of areas lies between the search and the foot


@dataclass(frozen=True)
class Way:
    """How a person uses a page.

    `start` differs, so that each asks a question of its own.
    """

    name: str
    context: dict[str, Any]
    start: str

    def press(self, page: Page, role: Any, words: str) -> None:
        """Follow a link or press a button."""
        if self.name == "keyboard":
            tab_to(page, words, FAR)
            page.keyboard.press("Enter")
            return
        target = page.get_by_role(role, name=words).first
        target.tap() if self.name == "touch" else target.click()

    def wait_for(self, page: Page, awaited: Locator) -> None:
        """Wait for a comparison; without script, by looking again."""
        until = time.monotonic() + LONG / 1000
        while self.name == "without script" and not awaited.is_visible():
            assert time.monotonic() < until
            time.sleep(0.5)
            page.get_by_role("link", name="Look again").click()
        awaited.wait_for(timeout=LONG)

    def write(self, page: Page, field: str, words: str) -> None:
        """Fill in a field, by its label."""
        if self.name == "keyboard":
            tab_to(page, field, FAR)
            page.keyboard.press("Control+A")
            page.keyboard.type(words)
        else:
            page.get_by_label(field).fill(words)


WAYS = [
    Way("mouse", {"viewport": DESK}, "January 2013"),
    Way("keyboard", {"viewport": DESK, "color_scheme": "dark"}, "02/2013"),
    Way("touch", {"viewport": PHONE, "has_touch": True, "is_mobile": True}, "2013-03"),
    Way("without script", {"viewport": PHONE, "java_script_enabled": False}, "April 2013"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = ServerSettings(store=tmp_path_factory.mktemp("london"))
    with pytest.MonkeyPatch.context() as patch:
        fetch_postcodes(patch, tmp_path_factory.mktemp("fetched"), zipped(ONSPD, [IN_DALSTON]))
        london_atlas(settings.store, lambda *_: None)
    runs_of(settings).seconds = LONG  # a busy machine is slow; the limit has a test of its own
    with served(settings) as found:
        yield found
    runs_of(settings).close()


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[[Way], Page]]:
    contexts = []

    def look(way: Way) -> Page:
        contexts.append(browser.new_context(accept_downloads=True, **way.context))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        return page

    yield look
    for context in contexts:
        context.close()


def faults(page: Page, way: Way) -> list[str]:
    """What axe finds, and what is wider than the screen."""
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    found = [f"{wide} px too wide"] if wide > 0 else []
    if way.name == "without script":
        return found
    return found + [v["id"] for v in Axe().run(page, options=RULES).response["violations"]]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_the_whole_task(way: Way, look: Callable[[Way], Page], address: str, tmp_path: Path) -> None:
    page = look(way)
    watched = watch(page)
    page.goto(address)
    way.write(page, "Name of a place", "zz1 1aa")
    way.press(page, "button", "Find")
    page.get_by_text("ZZ1 1AA is in this area").wait_for()
    without_map = bool(render.vendor_hashes()) and way.name == "without script"
    assert page.get_by_text("The map needs script").is_visible() == without_map
    way.press(page, "button", "Add Dalston")
    page.get_by_role("heading", name="Your neighbourhood: 5 areas").wait_for()
    assert faults(page, way) == []

    way.press(page, "link", "See its figures")
    page.get_by_role("heading", name="Dalston", level=1).wait_for()
    assert page.get_by_text("up to 2 of the 5 areas have no figure").is_visible()
    assert page.locator(".chart:visible").count() == 1
    assert faults(page, way) == []

    way.press(page, "link", "Compare with places like it")
    page.get_by_role("heading", name="There is a problem").wait_for()
    way.press(page, "link", "Compare the 3 areas that have figures since January 2008")
    page.get_by_role("heading", name="3 areas chosen").wait_for()
    way.write(page, "When did the work or change begin?", "December 2016")
    way.press(page, "button", "Find places like it")
    page.get_by_text("December 2016 is too late").first.wait_for()
    expect(page.get_by_label("What is this neighbourhood called?")).to_have_value("Dalston")
    assert faults(page, way) == []

    way.write(page, "When did the work or change begin?", way.start)
    way.press(page, "button", "Find places like it")
    way.wait_for(page, page.get_by_role("heading", name="Before you look at what happened"))
    assert page.get_by_role("heading", name="What was found").count() == 0
    assert faults(page, way) == []

    way.press(page, "button", "Show what happened")
    way.wait_for(page, page.get_by_role("link", name="Everything in one archive"))
    assert page.get_by_role("heading", name="What was found").is_visible()
    assert page.get_by_text("not estimable").first.is_hidden(), "what is promised is answered"
    assert faults(page, way) == []
    with page.expect_download() as taken:
        way.press(page, "link", "Report (PDF)")
    taken.value.save_as(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert re.search(r"/compare/[0-9a-f]{20}$", page.url)
    assert watched.violations == []
    assert watched.elsewhere == []
