"""A Chromium to look at pages with; without one a test is skipped, in CI it fails."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
NARROW = {"width": 320, "height": 640}
PATIENCE = 90_000  # milliseconds; a busy machine is slow
READABLE = 12  # pixels; how large a target must be, axe says
FOCUSED = """() => {
    const e = document.activeElement;
    const words = e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || '';
    return words.replace(/\\s+/g, ' ').trim();
}"""


def tab_to(page: Page, words: str, most: int = 60) -> None:
    """Press Tab until something with these words has the focus, and see that it can be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED).startswith(words):
            box = page.locator(":focus").bounding_box()
            assert box is not None
            assert box["height"] >= READABLE, words
            return
    pytest.fail(f"'{words}' cannot be reached with the Tab key")


def enter(page: Page) -> None:
    """Press Enter where that leads to another page, and wait until that one is there.

    Without the wait a slow browser is asked about the page it is leaving.
    """
    with page.expect_navigation(timeout=PATIENCE):
        page.keyboard.press("Enter")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium of this machine, and stop it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "Chromium is not here (on Debian and Ubuntu: apt-get install chromium)."
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(f"{reason} In CI (CI=true) it must be there.", pytrace=False)
        pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
