"""The way from areas to an answer as a person goes it: by keyboard alone, in a real browser.

With `AREAEFFECT_PICTURES=DIR` it goes that way on the simulated county and writes the pictures of
docs/web.md there (`make pictures`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from areaeffect.atlas.build import demo_atlas
from areaeffect.web.atlas import find_atlas
from areaeffect.web.limits import ServerSettings
from areaeffect.web.runs import runs_of
from tests.web.browser import NARROW, PATIENCE, enter, tab_to
from tests.web.conftest import served, watch
from tests.web.small_atlas import write_small_atlas
from tests.web.test_report_in_chromium import RULES

PICTURES = os.environ.get("AREAEFFECT_PICTURES", "")


@dataclass(frozen=True)
class Place:
    """A server, and what is asked of it."""

    address: str
    codes: str
    name: str
    start: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("path")
    if PICTURES:
        settings = ServerSettings(store=folder)
        demo_atlas(folder, lambda *_: None)
        table = find_atlas(settings, "").table
        wards = list(table["ward"])
        ward = max(sorted(set(wards)), key=wards.count)
        codes = ",".join(sorted(table["code"][table["ward"] == ward])[:6])
        asked = (codes, str(ward), "2017-01")
    else:
        settings = write_small_atlas(folder)
        asked = ("T009,T010", "Abbey", "2013-01")
    with served(settings) as address:
        yield Place(address, *asked)
    runs_of(settings).close()


def without_faults(page: Page) -> None:
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()


def picture(page: Page, name: str, top: str = "h1") -> None:
    if PICTURES:
        page.locator(top).first.evaluate("e => e.scrollIntoView()")
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def test_the_whole_task_by_keyboard_alone(browser: Browser, place: Place, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 720, "height": 620}, accept_downloads=True)
    watched = watch(context.new_page())
    page = watched.page
    page.goto(f"{place.address}/")
    tab_to(page, "Find")
    enter(page)
    page.get_by_role("heading", name="Find your neighbourhood").wait_for()
    for n, code in enumerate(place.codes.split(","), 1):
        tab_to(page, "Name of a place")
        page.keyboard.press("Control+A")
        page.keyboard.type(code)
        enter(page)
        page.get_by_role("heading", name="1 found").wait_for()
        tab_to(page, "Add")
        enter(page)
        page.get_by_role("heading", name=f"Your neighbourhood: {n} area").wait_for()
    without_faults(page)
    picture(page, "find")
    tab_to(page, "Compare with places like it")
    enter(page)
    page.get_by_role("heading", name="chosen").wait_for()
    tab_to(page, "What is this neighbourhood called?")
    page.keyboard.press("Control+A")
    page.keyboard.type(place.name)
    tab_to(page, "When did the work or change begin?")
    page.keyboard.type("1066")
    enter(page)
    page.get_by_role("alert").wait_for()
    without_faults(page)
    tab_to(page, "When did the work or change begin?")
    page.keyboard.press("Control+A")
    page.keyboard.type(place.start)
    tab_to(page, "Find places like it")
    enter(page)
    page.get_by_role("heading", name="What this could detect").wait_for(timeout=PATIENCE)
    page.get_by_role("heading", name="Before you look").wait_for(timeout=PATIENCE)
    assert page.get_by_text("This says").count() == 0
    without_faults(page)
    picture(page, "compare-power")
    picture(page, "compare-benchmarks", "#benchmarks")
    tab_to(page, "Show what happened")
    enter(page)
    page.get_by_role("heading", name="What was found").wait_for(timeout=PATIENCE)
    picture(page, "compare-answer")
    page.get_by_role("link", name="Everything in one archive").wait_for(timeout=PATIENCE)
    without_faults(page)
    assert page.get_by_role("heading", name="Exploratory: read this first").is_visible()
    tab_to(page, "Report (PDF)", most=200)
    with page.expect_download() as pdf:
        page.keyboard.press("Enter")
    pdf.value.save_as(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert watched.violations == []
    assert watched.elsewhere == []
    shared = page.url
    context.close()

    fresh = browser.new_context(viewport=NARROW, java_script_enabled=False)
    reader = fresh.new_page()
    reader.goto(shared)
    assert reader.get_by_role("heading", name="What was found").is_visible(), "without script too"
    fresh.close()


def test_a_run_reads_on_a_narrow_screen(
    browser: Browser, place: Place, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    context = browser.new_context(viewport=NARROW)
    page = context.new_page()
    start = f"{place.start[:4]}-02"  # a question that the keyboard has not asked
    query = f"areas={place.codes}&name={place.name}&start={start}"
    page.goto(f"{place.address}/compare?{query}")
    sizes = [page.evaluate("() => document.documentElement.scrollWidth")]
    page.get_by_role("button", name="Find places like it").click()
    page.get_by_role("heading", name="Your benchmark areas").wait_for(timeout=PATIENCE)
    eventually(lambda: page.locator("[data-going]").count() == 0)
    sizes.append(page.evaluate("() => document.documentElement.scrollWidth"))
    page.get_by_role("button", name="Show what happened").click()
    page.get_by_role("link", name="Everything in one archive").wait_for(timeout=PATIENCE)
    sizes.append(page.evaluate("() => document.documentElement.scrollWidth"))
    assert sizes == [NARROW["width"]] * 3
    context.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    def wait(true: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE / 1000
        while not true():
            assert time.monotonic() < until
            time.sleep(0.05)

    return wait
