"""Published runs and stories in a browser: no fault in axe, 320 px, keyboard alone, no script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from areaeffect.web.settings import Settings
from tests.web.browser import NARROW, enter, tab_to
from tests.web.conftest import served, watch
from tests.web.published import TOKEN, make_runs

RUN = "/runs/county"
PLACE = f"{RUN}/neighbourhoods/neighbourhood-1-residents-first"
STORED = f"{RUN}/files/report.html"  # its own tests look for faults in it
PAGES = (
    "/runs",
    RUN,
    f"{RUN}/findings/all-initiatives-crime-change-ratio",
    f"{RUN}/neighbourhoods",
    PLACE,
    f"{RUN}/plan",
    f"{RUN}/tables/findings",
    "/stories",
    "/stories/submit",
    "/stories/submit?run=county",
    "/stories/submit?kind=event&run=county",
    "/stories/withdraw",
    "/stories/moderate",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("chromium")
    runs = make_runs(place / "runs")
    settings = Settings(store=place / "store", runs=runs, read_only=True)
    with served(replace(settings, token=TOKEN)) as found:
        yield found


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


def test_every_page_is_without_fault_and_fits_320_pixels(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=NARROW)
    watched = watch(context.new_page())
    page = watched.page
    try:
        for path in (*PAGES, STORED):
            page.goto(address + path)
            assert path == STORED or faults(page) == [], path
            assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW["width"], (
                path
            )
            assert watched.clean, (path, watched.violations, watched.elsewhere)
    finally:
        context.close()


def test_a_finding_is_read_and_taken_away_with_the_keyboard_alone(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False, accept_downloads=True)
    page = context.new_page()
    reader = browser.new_context().new_page()  # tells what a page without script holds
    try:
        reader.goto(address)
        for name in ("Published runs", "<script>alert(1)</script>", "Crime"):
            tab_to(reader, name)
            enter(reader)
        expect(reader.get_by_role("heading", name="What you cannot say")).to_be_visible()
        page.goto(reader.url)
        expect(page.get_by_role("heading", name="What you cannot say")).to_be_visible()
        tab_to(reader, "CSV")
        with reader.expect_download() as taken:
            reader.keyboard.press("Enter")
        assert "all-initiatives-crime-change-ratio" in taken.value.url
    finally:
        context.close()
        reader.context.close()


def test_a_story_is_sent_in_with_the_keyboard_alone_and_without_script(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=NARROW)
    page = context.new_page()
    try:
        page.goto(f"{address}/stories/submit?run=county&place=neighbourhood-1-residents-first")
        page.locator("#date").focus()
        page.keyboard.type("2021-05")
        for text in ("A bench", "We started with one bench."):
            page.keyboard.press("Tab")
            page.keyboard.type(text)
        page.keyboard.press("Enter")  # a new line of the story
        page.locator("button[type=submit]").focus()
        enter(page)
        expect(page.get_by_role("alert")).to_contain_text("if you agree")
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page.locator("#title")).to_have_value("A bench")
        for box in ("#theme-crime", "#consent"):
            page.locator(box).focus()
            page.keyboard.press("Space")
        enter(page)
        code = page.locator("code").inner_text()
        assert re.fullmatch(r"[0-9a-f]{32}", code)

        page.goto(f"{address}/stories/withdraw")
        page.locator("#code").fill(code)
        enter(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("It is taken back")
    finally:
        context.close()


def test_hostile_names_are_read_as_text(browser: Browser, address: str) -> None:
    context = browser.new_context()
    watched = watch(context.new_page())
    page = watched.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    try:
        for path in (RUN, f"{RUN}/neighbourhoods", "/stories"):
            page.goto(address + path)
            assert "<script>alert(1)</script>" in page.locator("main").inner_text()
        assert dialogs == []
        assert watched.clean
    finally:
        context.close()


def test_the_moderator_signs_in_and_decides(browser: Browser, address: str) -> None:
    context = browser.new_context()
    watched = watch(context.new_page())
    page = watched.page
    try:
        page.goto(f"{address}/stories/submit?kind=event&run=county")
        page.locator("#place").select_option("neighbourhood-1-residents-first")
        page.locator("#date").fill("2020")
        page.locator("#title").fill("The fair")
        page.locator("#consent").check()
        page.get_by_role("button", name="Send it in").click()
        page.goto(f"{address}/stories/moderate")
        page.locator("#token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        assert faults(page) == []
        page.get_by_role("button", name=re.compile("^Show ?: The fair")).click()
        expect(page.locator("main")).to_contain_text("Nothing waits")
        page.goto(address + PLACE)
        expect(page.get_by_role("link", name="The fair")).to_be_visible()
        assert watched.clean, watched.violations
    finally:
        context.close()
