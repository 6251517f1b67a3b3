"""Published runs in a browser: no fault in axe, 320 px, keyboard alone, no script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from areaeffect.web.limits import ServerSettings, contact_of
from areaeffect.web.site_pages import Frame, publish
from tests.web.browser import NARROW, enter, tab_to
from tests.web.conftest import served, watch
from tests.web.published import make_runs

CONTACT = contact_of("people@example.org")
FINDING = "county/findings/all-initiatives-crime-change-ratio.html"
STORED = ("county/report.html", "county/neighbourhoods/index.html")  # their own tests look closer
PAGES = ("", "county/", FINDING)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_runs(tmp_path_factory.mktemp("chromium") / "runs", shapes=True)


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    settings = ServerSettings(store=runs.parent / "store", runs=runs, read_only=True, contact=CONTACT)
    with served(settings) as found:
        yield f"{found}/runs/"


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


def test_every_page_is_without_fault_and_fits_320_pixels(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=NARROW)
    watched = watch(context.new_page())
    page = watched.page
    try:
        for path in (*PAGES, *STORED):
            page.goto(address + path)
            assert path in STORED or faults(page) == [], path
            assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW["width"], path
            assert watched.clean, (path, watched.violations, watched.elsewhere)
    finally:
        context.close()


def test_a_finding_is_found_and_its_data_taken_away_with_the_keyboard_alone(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(accept_downloads=True)
    reader = context.new_page()
    try:
        reader.goto(address)
        for name in ("<script>alert(1)</script>", "Crime"):
            tab_to(reader, name)
            enter(reader)
        expect(reader.get_by_role("heading", name="What this does not say")).to_be_visible()
        tab_to(reader, "All findings of this run (CSV)")
        with reader.expect_download() as taken:
            reader.keyboard.press("Enter")
        assert taken.value.url.endswith("/data/findings.csv")
    finally:
        context.close()


def test_hostile_names_are_read_as_text(browser: Browser, address: str) -> None:
    context = browser.new_context()
    watched = watch(context.new_page())
    page = watched.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    try:
        for path in ("", "county/", "county/neighbourhoods/index.html"):
            page.goto(address + path)
            assert "<script>alert(1)</script>" in page.locator("main").inner_text()
        assert dialogs == []
        assert watched.clean
    finally:
        context.close()


def test_a_site_is_read_from_a_folder_without_a_server_or_script(
    browser: Browser, runs: Path, tmp_path: Path
) -> None:
    publish(runs, tmp_path / "site", Frame(contact=CONTACT))
    context = browser.new_context(java_script_enabled=True)
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    try:
        page.goto((tmp_path / "site" / FINDING).as_uri())
        expect(page.get_by_role("link", name="people@example.org")).to_be_visible()
        drawn = page.locator("img.chart").first
        drawn.scroll_into_view_if_needed()
        page.wait_for_function("() => document.querySelector('img.chart').naturalWidth > 100")
        weight = page.locator("h1").evaluate("e => getComputedStyle(e).lineHeight")
        assert weight != "normal"
        assert heard == []
    finally:
        context.close()
