"""Find and look as a person does: by keyboard alone, on the map, at 320 px, without script.

With `AREAEFFECT_PICTURES=DIR` the way by keyboard writes the pictures of docs/web.md.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from areaeffect.web import render
from areaeffect.web.atlas import find_atlas
from areaeffect.web.limits import ServerSettings
from benchmarks.web_pages import Watched, random_address, seen, served
from tests.web.browser import NARROW, PATIENCE, enter, tab_to
from tests.web.test_report_in_chromium import RULES

PICTURES = os.environ.get("AREAEFFECT_PICTURES", "")
COLOURS = 64  # of a palette: the pages are flat

needs_map = pytest.mark.skipif(
    not render.vendor_hashes(), reason="The map's files are not here: `make assets` fetches them."
)


@pytest.fixture(scope="module")
def address(county: ServerSettings) -> Iterator[str]:
    with served(county) as found:
        yield found


@pytest.fixture(scope="module")
def code(county: ServerSettings) -> str:
    return str(find_atlas(county, "").table["code"][5])


def violations(page: Page) -> list[str]:
    return [v["id"] for v in Axe().run(page, options=RULES).response["violations"]]


def picture(page: Page, name: str) -> None:
    """Keep what the page looks like for the docs, where they are being made."""
    if not PICTURES:
        return
    page.set_viewport_size({"width": 1200, "height": 860})
    if page.locator("#map").count():
        wait_for_map(page)
        page.wait_for_timeout(4000)
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = taken.quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(Path(PICTURES) / f"{name}.png", optimize=True)


def wait_for_map(page: Page) -> None:
    """Wait until the tiles are drawn: a click before that finds no area under it."""
    page.wait_for_selector("#map[data-camera]", state="attached", timeout=PATIENCE)
    expect(page.locator("#draw")).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("path", ["/", "/help", "/find?q=brack", "/areas/{code}", "/nowhere"])
def test_no_page_breaks_a_rule_or_asks_elsewhere(
    watched: Watched, address: str, code: str, path: str
) -> None:
    watched.page.goto(address + path.format(code=code))

    assert violations(watched.page) == []
    assert watched.clean, (watched.violations, watched.elsewhere)


def test_no_page_needs_sideways_scrolling_at_320_px(browser: Browser, address: str, code: str) -> None:
    page = browser.new_page(viewport=NARROW)
    for path in ("/", "/help", f"/find?areas={code}&q=brack", f"/areas/{code}"):
        page.goto(address + path)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW["width"], path
    page.close()


def test_the_whole_task_by_keyboard_alone(watched: Watched, address: str) -> None:
    """Find a place, choose an area, read its history, take its numbers away."""
    page = watched.page
    page.goto(address + "/find")

    tab_to(page, "Name of a place")
    page.keyboard.type("Brackenford 001B")
    enter(page)
    expect(page.locator("#found")).to_contain_text("1 found")
    picture(page, "web-find")
    tab_to(page, "Add")
    enter(page)
    expect(page.locator("#chosen")).to_contain_text("1 area")
    assert "areas=S01" in page.url
    picture(page, "web-chosen")
    tab_to(page, "Brackenford 001B")
    enter(page)
    expect(page.locator("h1")).to_have_text("Brackenford 001B")
    picture(page, "web-area")
    tab_to(page, "the numbers drawn")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert Path(download.value.path()).read_text().startswith("period,area,authority,country")
    assert watched.clean, (watched.violations, watched.elsewhere)


def test_all_of_it_without_script(browser: Browser, address: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(address + "/find")
    page.fill("#q", "Brackenford 001B")
    page.click("form.search button")
    page.click("button[name=add] >> nth=0")
    expect(page.locator("#chosen")).to_contain_text("1 area")
    page.select_option("#layer", "antisocial_behaviour")
    page.click("#layers button")
    assert "layer=antisocial_behaviour" in page.url
    assert "areas=S01" in page.url
    page.click("button[name=remove] >> nth=0")
    expect(page.locator("#chosen")).to_have_text("Your neighbourhood")
    page.context.close()


@needs_map
def test_the_map_takes_clicks_and_keeps_its_state_in_the_address(
    watched: Watched, address: str, code: str
) -> None:
    page = watched.page
    page.goto(f"{address}/find?areas={code}")
    wait_for_map(page)
    box = page.locator("#map canvas").bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*middle)
    expect(page.locator("#chosen")).not_to_contain_text("1 area")
    after = page.url
    page.select_option("#layer", "antisocial_behaviour")
    expect(page.locator("#key .caption")).to_contain_text("Anti-social behaviour")
    page.go_back()
    expect(page.locator("#key .caption")).not_to_contain_text("Anti-social behaviour")

    assert page.url == after
    assert re.search(r"/find(\?areas=|$)", after)
    assert watched.clean, (watched.violations, watched.elsewhere)


@needs_map
def test_a_shape_is_drawn_by_its_corners(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/find")
    wait_for_map(page)
    page.click("#draw")
    expect(page.locator("#draw")).to_have_text("Stop drawing")
    page.locator("#map").scroll_into_view_if_needed()
    box = page.locator("#map canvas").bounding_box()
    assert box is not None
    corners = [(0.35, 0.3), (0.65, 0.3), (0.65, 0.7), (0.35, 0.7)]
    at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    for corner in at:
        page.mouse.move(*corner)
        page.wait_for_timeout(150)  # the tool follows the pointer before it takes a corner
        page.mouse.click(*corner)
        page.wait_for_timeout(400)
    while page.locator("#draw").inner_text() == "Stop drawing":
        page.mouse.click(*at[-1])
        page.wait_for_timeout(400)

    expect(page.locator("#chosen")).to_contain_text("areas")
    assert re.search(r"set=[0-9a-f]{12}", page.url)
    assert watched.clean, (watched.violations, watched.elsewhere)


def test_an_address_gives_the_same_view_in_a_new_browser(
    browser: Browser, county: ServerSettings, address: str
) -> None:
    """Six of the 200 states of `python -m benchmarks.web_states`."""
    random = np.random.default_rng(20231219)
    atlas = find_atlas(county, "")
    for _ in range(6):
        state, views = random_address(county, atlas, random), []
        for _ in range(2):
            context = browser.new_context()
            page = context.new_page()
            page.goto(address + state)
            views.append(seen(page, with_map=bool(render.vendor_hashes())))
            state = views[0]["address"]
            context.close()
        assert views[0] == views[1]
